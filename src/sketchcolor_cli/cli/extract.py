"""``sketchcolor extract``: coloured pictures to sketches."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sketchcolor_cli import __version__, environment
from sketchcolor_cli.cli import batches, options
from sketchcolor_cli.compute.memory import Ladder
from sketchcolor_cli.errors import UsageError
from sketchcolor_cli.extraction.settings import Sketching, parse_size
from sketchcolor_cli.files.books.settings import PdfSettings
from sketchcolor_cli.files.worklist import Container
from sketchcolor_cli.jobs.fingerprint import fingerprint
from sketchcolor_cli.jobs.pipeline import Steps
from sketchcolor_cli.jobs.settings import RunSettings
from sketchcolor_cli.plugin.discovery import find_extractors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sketchcolor_cli.extraction.drawer import Drawer, Drawn, Prepared
    from sketchcolor_cli.files.worklist import Job

_MIXER = "avg"


@dataclass(frozen=True)
class Extracting:
    """How sketches are drawn; each is the option of that name."""

    sketching: Sketching
    settings: tuple[str, ...]
    half: bool
    device: str

    def settings_of(self, _job: Job) -> str:
        """Return the fingerprint of what a sketch hangs on."""
        return self._fingerprint

    @cached_property
    def _fingerprint(self) -> str:
        extractors, store = find_extractors(), environment.weight_store()
        method = self.sketching.method
        origin = [one.origin for one in extractors.listings if one.name == method]
        weights = [store.find(one) for one in extractors.weights(method, self.settings)]
        sketching = replace(self.sketching, batch_size=Sketching.batch_size)
        return fingerprint(__version__, sketching, self.settings, self.half, origin, weights)

    def missing(self, _jobs: Sequence[Job]) -> list[str]:
        """Return nothing: a sketch needs its picture alone."""
        return []

    def steps(self, device: str, note: Callable[[str], None]) -> Steps[Job, Prepared, Drawn]:
        """Load the extractor and return how a picture is read, drawn and written."""
        from sketchcolor_cli.compute import precision
        from sketchcolor_cli.extraction.drawer import load_drawer  # imports torch
        from sketchcolor_cli.imaging.images import read_picture, write_picture

        extractors = find_extractors()

        def load(where: str) -> Drawer:
            return load_drawer(
                extractors,
                self.sketching.method,
                device=where,
                settings=self.settings,
                find_weight=environment.weight_store().find,
                precision=precision.choose(where) if self.half else "float32",
                sketching=self.sketching,
                tell=note,
            )

        drawer = load(device)
        rungs: list[tuple[str, Callable[[Sequence[Prepared]], list[Drawn]]]] = [("as asked", drawer.draw)]
        if device != "cpu":
            on_cpu = cache(lambda: load("cpu"))
            rungs.append(("on the processor", lambda pictures: on_cpu().draw(pictures)))
        ladder = Ladder(rungs, note=note)

        def write(job: Job, drawn: Drawn) -> Mapping[str, Any]:
            write_picture(job.writes, drawer.finish(drawn))
            return drawn.notes

        return Steps(
            read=lambda job: drawer.prepare(read_picture(job.reads)),
            compute=lambda pictures: ladder(pictures, self.sketching.method),
            write=write,
            key=lambda picture: picture.rgb.shape,
            weight=lambda picture: picture.weight,
            size=self.sketching.batch_size,
        )


@options.told
def extract(
    inputs: options.Inputs,
    output: options.Output,
    method: Annotated[
        str | None,
        typer.Option(
            "--method",
            "-m",
            help="Extractor that draws the sketch; `sketchcolor plugins` lists them. "
            f"[default: {Sketching.method}]",
        ),
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option(
            help="Set a parameter of the extractor, such as strength=2; may be given several times."
        ),
    ] = None,
    mix: Annotated[
        str | None,
        typer.Option(
            help="Mean of several extractors, such as xdog=0.3,gray=0.7; or `random`, or `random:NAME,NAME`, "
            f"for shares drawn anew for each picture. Means --method {_MIXER} --param mix=…."
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            help="Which random shares are drawn; the same seed gives the same. Means --param seed=…."
        ),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(
            metavar="native|N",
            help="Longest side in pixels at which sketches are drawn, and scaled back from; `native` for the "
            "picture's own. [default: what the extractor was made for]",
        ),
    ] = None,
    batch_size: Annotated[
        int,
        typer.Option(
            help="How many pictures of equal size are drawn at once; fewer where they are large, or where "
            "memory runs out."
        ),
    ] = Sketching.batch_size,
    half: Annotated[
        bool,
        typer.Option(
            "--half",
            help="Compute networks in 16 bits where the device is faster so; sketches differ slightly.",
        ),
    ] = False,
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            metavar=f"{batches.KEEP}|NAME",
            help=f"Format of the sketches: {batches.FORMATS}; or {batches.KEEP} for that of each picture.",
        ),
    ] = "png",
    invert: Annotated[bool, typer.Option("--invert", help="Draw white on black.")] = Sketching.invert,
    binarize: Annotated[
        bool, typer.Option("--binarize", help="Write black and white alone, and no greys.")
    ] = Sketching.binarize,
    threshold: Annotated[
        float,
        typer.Option(
            help="What is lighter than this becomes white where there are no greys; between 0 and 1."
        ),
    ] = Sketching.threshold,
    device: options.Device = "auto",
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
    """Draw a sketch of each picture: black lines on white paper, the size of the picture.

    What is transparent counts as paper. Books (CBZ, CBT, EPUB, PDF, CBR) come back as books. A file that
    cannot be read is reported, and the rest goes on; the exit code is then 1. The same command again does
    what is not done yet.

    Example: `sketchcolor extract drawings/ -o sketches/`
    """
    method, settings = _with_mix(method, param or [], mix, seed)
    sketching = Sketching(method, parse_size(size), batch_size, binarize, threshold, invert)
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
    extractors = find_extractors()
    extractors.get(method)
    environment.weight_store().require(extractors.weights(method, settings))
    work = Extracting(sketching, tuple(settings), half, device)
    return batches.go(inputs, output, work, how, title=method, verb="sketched", method=method)


def _with_mix(
    method: str | None, settings: list[str], mix: str | None, seed: int | None
) -> tuple[str, list[str]]:
    """Return the method and its settings with what --mix and --seed stand for.

    Raises:
        UsageError: --mix is given with another method.
    """
    if mix is not None:
        if method not in (None, _MIXER):
            raise UsageError(f"--mix and --method {method} exclude each other; --mix has its own, {_MIXER}")
        method, settings = _MIXER, [*settings, f"mix={mix}"]
    if seed is not None:
        settings = [*settings, f"seed={seed}"]
    return method or Sketching.method, settings
