"""``sketchcolor extract``: coloured pictures to sketches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sketchcolor_cli import devices
from sketchcolor_cli.batch import Steps, run_batch
from sketchcolor_cli.cli import environment, options, printing
from sketchcolor_cli.errors import UsageError
from sketchcolor_cli.plugins import find_extractors
from sketchcolor_cli.sketching import Sketching, parse_size
from sketchcolor_cli.worklist import FORMAT_OF_SUFFIX, build_worklist

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from sketchcolor_cli.extraction import Drawn, Prepared
    from sketchcolor_cli.worklist import Job

_MIXER = "avg"
_KEEP = "keep"
_FORMATS = ", ".join(suffix[1:] for suffix in FORMAT_OF_SUFFIX)


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
        typer.Option(help="Set a parameter of the extractor, such as sigma=0.8; may be given several times."),
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
            metavar=f"{_KEEP}|NAME",
            help=f"Format of the sketches: {_FORMATS}; or {_KEEP} for that of each picture.",
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
    overwrite: options.Overwrite = False,
    resume: options.Resume = False,
    json: options.Json = False,
    verbose: options.Verbose = False,
) -> int:
    """Draw a sketch of each picture: black lines on white paper, the size of the picture.

    What is transparent counts as paper. A file that cannot be read is reported, and the rest goes on; the
    exit code is then 1.

    Example: `sketchcolor extract drawings/ --method xdog --param sigma=0.8 -o sketches/`
    """
    there = options.existing(overwrite=overwrite, resume=resume)
    method, settings = _with_mix(method, param or [], mix, seed)
    sketching = Sketching(method, parse_size(size), batch_size, binarize, threshold, invert)
    jobs = build_worklist(inputs, output, suffix=_suffix(format_))
    extractors = find_extractors()
    extractors.get(method)
    store = environment.weight_store()
    store.require(extractors.weights(method, settings))
    with options.loading():
        device = devices.resolve(device)
        from sketchcolor_cli import precision
        from sketchcolor_cli.extraction import load_drawer  # imports torch
        from sketchcolor_cli.images import read_picture, write_picture

        drawer = load_drawer(
            extractors,
            method,
            device=device,
            settings=settings,
            find_weight=store.find,
            precision=precision.choose(device) if half else "float32",
            sketching=sketching,
            tell=printing.note,
        )

    def write(job: Job, drawn: Drawn) -> Mapping[str, Any]:
        write_picture(job.target, drawer.finish(drawn))
        return drawn.notes

    steps: Steps[Job, Prepared, Drawn] = Steps(
        read=lambda job: drawer.prepare(read_picture(job.source)),
        compute=drawer.draw,
        write=write,
        key=lambda picture: picture.rgb.shape,
        weight=lambda picture: picture.weight,
        size=batch_size,
        writers=2,
    )
    with printing.batch_progress(f"{method} on {device}", len(jobs), verbose=verbose) as report:
        result = run_batch(jobs, steps, existing=there, report=report)
    return printing.finish_batch(result, "sketched", as_json=json, method=method, device=device)


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


def _suffix(name: str) -> str | None:
    """Return the ending of the sketches' files; None for that of each picture.

    Raises:
        UsageError: There is no such format.
    """
    name = name.lower().removeprefix(".")
    if name == _KEEP:
        return None
    if f".{name}" not in FORMAT_OF_SUFFIX:
        raise UsageError(f"--format {name}: choose one of {_FORMATS}, or {_KEEP}")
    return f".{name}"
