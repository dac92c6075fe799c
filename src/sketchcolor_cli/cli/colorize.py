"""``sketchcolor colorize``: sketches and manga pages to coloured pages."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from math import inf
from pathlib import Path  # noqa: TC003  (Typer reads the annotations)
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from sketchcolor_cli import __version__
from sketchcolor_cli.batch import Steps
from sketchcolor_cli.books.config import PdfSettings
from sketchcolor_cli.cli import batches, options
from sketchcolor_cli.cli.aids import Aid, model_file
from sketchcolor_cli.coloring.config import ColorizeSettings
from sketchcolor_cli.errors import UsageError
from sketchcolor_cli.memory import Ladder
from sketchcolor_cli.runs.config import RunSettings
from sketchcolor_cli.runs.fingerprint import fingerprint
from sketchcolor_cli.saving import Saving
from sketchcolor_cli.worklist import Container, Job

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sketchcolor_cli.images import Picture


class _Page(NamedTuple):
    """A page with what helps to colour it."""

    job: Job
    picture: Picture
    reference: Picture | None
    hints: Picture | None


@dataclass(frozen=True)
class Coloring:
    """How pages are coloured; each is the option of that name."""

    output: Path
    model: str
    settings: ColorizeSettings
    saving: Saving
    reference: Aid
    hints: Aid
    sheets: tuple[Path, ...]
    device: str

    def settings_of(self, job: Job) -> str:
        """Return the fingerprint of what a page's colours hang on."""
        aids = [aid.file_of(job, self.output) for aid in (self.reference, self.hints)]
        sheets = [path if path.is_file() else str(path) for path in self.sheets]
        return fingerprint(__version__, model_file(self.model), self.settings, self.saving, aids, sheets)

    def missing(self, jobs: Sequence[Job]) -> list[str]:
        """Return a line for references and for hints, where pages lack theirs."""
        return [line for aid in (self.reference, self.hints) for line in aid.missing(jobs, self.output)]

    def steps(self, device: str, note: Callable[[str], None]) -> Steps[Job, _Page, Picture]:
        """Load the network and return how a page is read, coloured and written."""
        from sketchcolor_cli.coloring.colorizer import Colorizer  # imports torch
        from sketchcolor_cli.coloring.models import load_color_model
        from sketchcolor_cli.images import read_picture, write_picture

        rough, painted = (aid.reader(self.output, read_picture) for aid in (self.reference, self.hints))
        sheets = [read_picture(path) for path in self.sheets]

        def colorizer(where: str, settings: ColorizeSettings) -> Callable[[_Page], Picture]:
            network, _ = load_color_model(self.model)
            color = Colorizer(network, where, settings, sheets=sheets)
            return lambda page: color(page.picture, page.reference, page.hints)

        in_bands = replace(self.settings, max_pixels=self.settings.max_pixels // 8)
        rungs = [
            ("as asked", colorizer(device, self.settings)),
            ("in bands", _late(lambda: colorizer(device, in_bands))),
        ]
        if device != "cpu":
            rungs += [
                ("on the processor", _late(lambda: colorizer("cpu", self.settings))),
                ("on the processor in bands", _late(lambda: colorizer("cpu", in_bands))),
            ]
        ladder = Ladder(rungs, note=note)

        return Steps(
            read=lambda job: _Page(job, read_picture(job.reads), rough(job), painted(job)),
            compute=lambda pages: [ladder(page, str(page.job.source)) for page in pages],
            write=lambda job, colored: write_picture(job.writes, colored, self.saving),
            weight=lambda page: page.picture.nbytes,
        )


def _late(make: Callable[[], Callable[[_Page], Picture]]) -> Callable[[_Page], Picture]:
    """Make something when it is first called for."""
    made = cache(make)
    return lambda page: made()(page)


@options.told
def colorize(
    inputs: options.Inputs,
    output: options.Output,
    reference: Annotated[
        Path | None,
        typer.Option(
            help="Rough colouring of the page, in any size, stretched over it; or a folder with one of the "
            "same name for each page. Where it is transparent it says nothing."
        ),
    ] = None,
    hints: Annotated[
        Path | None,
        typer.Option(
            help="Colour strokes or dots painted over the page on a transparent layer (PNG or WebP); or a "
            "folder with one of the same name for each page. They spread up to the lines, and count before "
            "the reference."
        ),
    ] = None,
    sheet: Annotated[
        list[Path] | None,
        typer.Option(
            help="Another drawing in the right colours, such as a character sheet: the same people or places "
            "in any pose. May be given several times, and counts for all pages."
        ),
    ] = None,
    model: Annotated[
        str, typer.Option(help="Name of a bundled model, or a model file such as training writes.")
    ] = "default",
    work_size: Annotated[
        int,
        typer.Option(
            help="Shorter side, in pixels, at which the network works; results have the page's own size."
        ),
    ] = ColorizeSettings.work_size,
    saturation: Annotated[
        float, typer.Option(help="Factor on how colourful the result is; 0 gives greys.")
    ] = ColorizeSettings.saturation,
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
    if work_size < 64 or not 0 <= saturation < inf:
        raise UsageError("--work-size must be at least 64, and --saturation at least 0")
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
        ColorizeSettings(work_size=work_size, saturation=saturation),
        Saving(quality, subsampling),
        Aid("reference", reference),
        Aid("hints", hints),
        tuple(sheet or ()),
        device,
    )
    return batches.go(inputs, output, work, how, title=model, verb="colorized", model=model)
