"""``sketchcolor colorize``: sketches and manga pages to coloured pages."""

from __future__ import annotations

from math import inf
from pathlib import Path  # noqa: TC003  (Typer reads the annotations)
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from sketchcolor_cli import devices
from sketchcolor_cli.batch import Steps, run_batch
from sketchcolor_cli.cli import options, printing
from sketchcolor_cli.coloring.config import ColorizeSettings
from sketchcolor_cli.errors import UsageError
from sketchcolor_cli.worklist import Job, build_worklist

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sketchcolor_cli.images import Picture


class _Page(NamedTuple):
    """A page with what helps to colour it."""

    picture: Picture
    reference: Picture | None
    hints: Picture | None


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
    overwrite: options.Overwrite = False,
    resume: options.Resume = False,
    json: options.Json = False,
    verbose: options.Verbose = False,
) -> int:
    """Colour sketches and manga pages; ink and lettering stay exactly as they are, at full size.

    A file that cannot be read is reported, and the rest goes on; the exit code is then 1.

    Example: `sketchcolor colorize pages/ -o colored/ --reference rough/`
    """
    if work_size < 64 or not 0 <= saturation < inf:
        raise UsageError("--work-size must be at least 64, and --saturation at least 0")
    there = options.existing(overwrite=overwrite, resume=resume)
    jobs = build_worklist(inputs, output)
    with options.loading():
        rough, painted = (
            _aids(given, jobs, output, name) for given, name in ((reference, "reference"), (hints, "hints"))
        )
        device = devices.resolve(device)
        from sketchcolor_cli.coloring.colorizer import Colorizer  # imports torch
        from sketchcolor_cli.coloring.models import load_color_model
        from sketchcolor_cli.images import read_picture, write_picture

        network, _ = load_color_model(model)
        settings = ColorizeSettings(work_size=work_size, saturation=saturation)
        color = Colorizer(network, device, settings, sheets=[read_picture(path) for path in sheet or ()])

    steps: Steps[Job, _Page, Picture] = Steps(
        read=lambda job: _Page(read_picture(job.source), rough(job), painted(job)),
        compute=lambda pages: [color(page.picture, page.reference, page.hints) for page in pages],
        write=lambda job, colored: write_picture(job.target, colored),
        weight=lambda page: page.picture.nbytes,
    )
    with printing.batch_progress(f"{model} on {device}", len(jobs), verbose=verbose) as report:
        result = run_batch(jobs, steps, existing=there, report=report)
    return printing.finish_batch(result, "colorized", as_json=json, model=model, device=device)


def _aids(
    given: Path | None, jobs: Sequence[Job], output: Path, what: str
) -> Callable[[Job], Picture | None]:
    """Return what reads a page's reference or hints: the one file, or that of its name in a folder."""
    if given is None:
        return lambda _job: None
    from sketchcolor_cli.images import read_picture  # imports numpy and OpenCV

    if not given.is_dir():
        picture = read_picture(given)
        return lambda _job: picture
    files = {
        job.target.relative_to(output).with_suffix(""): job.source for job in build_worklist([given], output)
    }
    found = {job: files.get(job.target.relative_to(output).with_suffix("")) for job in jobs}
    missing = [job.source for job, file in found.items() if file is None]
    if missing:
        printing.note(
            f"{given}: no {what} for {len(missing)} of {len(jobs)} pages, such as {missing[0].name}"
        )

    def read(job: Job) -> Picture | None:
        file = found[job]
        return None if file is None else read_picture(file)

    return read
