"""``sketchcolor colorize``: sketches and manga pages to coloured pages."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path  # noqa: TC003  (Typer reads the annotations)
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeVar

import typer

from sketchcolor_cli import __version__, environment
from sketchcolor_cli.cli import batches, options, page_options
from sketchcolor_cli.cli import series as series_profile
from sketchcolor_cli.cli.aids import Aids
from sketchcolor_cli.cli.page_options import write_page
from sketchcolor_cli.coloring.settings import ColorizeSettings, Parts
from sketchcolor_cli.compute.memory import Ladder
from sketchcolor_cli.files.books.settings import PdfSettings
from sketchcolor_cli.files.worklist import Container, Job
from sketchcolor_cli.imaging.settings import Saving
from sketchcolor_cli.jobs.fingerprint import fingerprint
from sketchcolor_cli.jobs.pipeline import Steps
from sketchcolor_cli.jobs.settings import RunSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sketchcolor_cli.coloring.colorizer import Colorizer, Prepared
    from sketchcolor_cli.coloring.extras.outputs import Colored
    from sketchcolor_cli.imaging.images import Picture


T = TypeVar("T")


class _Page(NamedTuple):
    """A page with what helps to colour it."""

    job: Job
    picture: Picture
    references: tuple[Picture, ...]
    hints: tuple[Picture, ...]
    prepared: Prepared | None


@dataclass(frozen=True)
class Coloring:
    """How pages are coloured; each is the option of that name."""

    output: Path
    model: str
    settings: ColorizeSettings
    saving: Saving
    references: Aids
    hints: Aids
    sheets: tuple[Path, ...]
    palette: Path | None
    parts: Parts
    masks: Path | None
    z: Path | None
    save_z: Path | None
    device: str

    def settings_of(self, job: Job) -> str:
        """Return the fingerprint of what a page's colours hang on."""
        aids = [aids.files_of(job, self.output) for aids in (self.references, self.hints)]
        given = (*self.sheets, *(path for path in (self.palette, self.z) if path))
        files = [path if path.is_file() else str(path) for path in given]
        model = environment.model_file(self.model)
        return fingerprint(__version__, model, self.settings, self.saving, self.parts, aids, files)

    def missing(self, jobs: Sequence[Job]) -> list[str]:
        """Return a line for references and for hints, where pages lack theirs."""
        return [line for aids in (self.references, self.hints) for line in aids.missing(jobs, self.output)]

    def steps(self, device: str, note: Callable[[str], None]) -> Steps[Job, _Page, Callable[[], Colored]]:
        """Load the network and return how a page is read, coloured and written."""
        from sketchcolor_cli.coloring.colorizer import Colorizer  # imports torch
        from sketchcolor_cli.coloring.extras.outputs import paint_page
        from sketchcolor_cli.coloring.guides.palette import read_palette
        from sketchcolor_cli.coloring.models import load_color_model
        from sketchcolor_cli.imaging.images import read_picture

        rough, painted = (aids.reader(self.output, read_picture) for aids in (self.references, self.hints))
        palette = None if self.palette is None else read_palette(self.palette)
        sheets = [read_picture(path) for path in self.sheets]
        z = page_options.Codes(self.model, self.z, self.save_z, self.output)

        def colorizer(where: str, settings: ColorizeSettings) -> Colorizer:
            network, _ = load_color_model(environment.model_file(self.model))
            return Colorizer(network, where, settings, sheets=sheets, palette=palette)

        def with_it(color: Colorizer) -> Callable[[_Page], Callable[[], Colored]]:
            def color_one(page: _Page) -> Callable[[], Colored]:
                given = page.picture, page.references, page.hints
                z.save(page.job, color, *given)
                return paint_page(color, *given, self.parts, z=z.of(page.job), prepared=page.prepared)

            return color_one

        first = colorizer(device, self.settings)
        in_bands = replace(self.settings, max_pixels=self.settings.max_pixels // 8)
        rungs = [
            ("as asked", with_it(first)),
            ("in bands", _late(lambda: with_it(colorizer(device, in_bands)))),
        ]
        if device != "cpu":
            rungs += [
                ("on the processor", _late(lambda: with_it(colorizer("cpu", self.settings)))),
                ("on the processor in bands", _late(lambda: with_it(colorizer("cpu", in_bands)))),
            ]
        ladder = Ladder(rungs, note=note)

        def read(job: Job) -> _Page:
            picture = read_picture(job.reads)
            prepared = None if first.stays(picture) else first.prepare(picture)
            return _Page(job, picture, rough(job, picture), painted(job, picture), prepared)

        return Steps(
            read=read,
            compute=lambda pages: [ladder(page, str(page.job.source)) for page in pages],
            write=lambda job, finish: write_page(
                job, finish(), self.output, self.saving, self.parts, self.masks
            ),
            weight=lambda page: page.picture.nbytes + (page.prepared.nbytes if page.prepared else 0),
        )


def _late(make: Callable[[], Callable[[_Page], T]]) -> Callable[[_Page], T]:
    """Make something when it is first called for."""
    made = cache(make)
    return lambda page: made()(page)


@options.told
def colorize(
    context: typer.Context,
    inputs: options.Inputs,
    output: options.Output,
    reference: page_options.References = None,
    hints: page_options.Hints = None,
    sheet: Annotated[
        list[Path] | None,
        typer.Option(
            help="Another drawing in the right colours, such as a character sheet: the same people or places "
            "in any pose. May be given several times, and counts for all pages."
        ),
    ] = None,
    model: options.Model = "default",
    work_size: Annotated[
        int,
        typer.Option(
            help="Shorter side, in pixels, at which the network works; results have the page's own size."
        ),
    ] = ColorizeSettings.work_size,
    saturation: Annotated[
        float, typer.Option(help="Factor on how colourful the result is; 0 gives greys.")
    ] = ColorizeSettings.saturation,
    palette: page_options.Palette = None,
    palette_strength: page_options.PaletteStrength = ColorizeSettings.palette_strength,
    guess: page_options.GuessOption = ColorizeSettings.guess,
    seed: page_options.Seed = ColorizeSettings.seed,
    protect: page_options.ProtectOption = ColorizeSettings.protect,
    colored_pages: page_options.ColoredPagesOption = ColorizeSettings.colored_pages,
    descreen: page_options.Descreen = ColorizeSettings.descreen,
    flats: page_options.FlatsOption = False,
    layers: page_options.Layers = None,
    debug_masks: page_options.DebugMasks = None,
    z: page_options.Z = None,
    save_z: page_options.SaveZ = None,
    series: series_profile.SeriesOption = None,
    device: options.Device = "auto",
    format_: batches.FormatOption = batches.KEEP,
    quality: batches.Quality = Saving.quality,
    subsampling: batches.Subsampling = Saving.subsampling,
    container: batches.ContainerOption = Container.SAME,
    pdf_dpi: batches.PdfDpi = PdfSettings.dpi,
    dry_run: batches.DryRun = False,
    watch: batches.Watch = False,
    fail_fast: batches.FailFast = RunSettings.fail_fast,
    shard: batches.ShardOption = None,
    jobs: batches.Jobs = RunSettings.jobs,
    ray: batches.Ray = None,
    overwrite: options.Overwrite = False,
    resume: options.Resume = False,
    json: options.Json = False,
    verbose: options.Verbose = False,
) -> int:
    """Colour sketches and manga pages; ink and lettering stay exactly as they are, at full size.

    Books (CBZ, CBT, EPUB, PDF, CBR) come back as books. A file that cannot be read is reported, and the rest
    goes on; the exit code is then 1. The same command again does what is not done yet.

    Example: `sketchcolor colorize pages/ -o colored/ --reference rough/`
    """
    settings = ColorizeSettings(
        work_size=work_size,
        saturation=saturation,
        palette_strength=palette_strength,
        protect=protect,
        colored_pages=colored_pages,
        descreen=descreen,
        guess=guess,
        seed=seed,
    )
    profile = series_profile.find(series, inputs)
    if profile is not None:
        names = series_profile.typed_names(context)
        chosen, settings = series_profile.merged(profile, context.params, settings, names)
        model, palette = chosen.model, chosen.palette
        reference, hints, sheet = list(chosen.references), list(chosen.hints), list(chosen.sheets)
    page_options.check(settings)
    how = batches.how(
        overwrite=overwrite,
        resume=resume,
        dry_run=dry_run,
        fail_fast=fail_fast,
        shard=shard,
        jobs=jobs,
        watch=watch,
        ray=ray,
        container=container,
        pdf_dpi=pdf_dpi,
        json=json,
        verbose=verbose,
        suffix=batches.suffix_of(format_),
    )
    work = Coloring(
        output,
        model,
        settings,
        Saving(quality, subsampling),
        Aids.given("reference", reference),
        Aids.given("hints", hints),
        tuple(sheet or ()),
        palette,
        Parts(masks=debug_masks is not None, flats=flats, layers=layers),
        debug_masks,
        z,
        save_z,
        device,
    )

    def drift() -> dict[str, Any]:
        return {} if profile is None else {"drift": series_profile.told_drift(output, palette)}

    return batches.go(inputs, output, work, how, title=model, verb="colorized", afterwards=drift, model=model)
