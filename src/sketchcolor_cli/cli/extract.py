"""``sketchcolor extract``: coloured pictures to sketches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sketchcolor_cli import devices
from sketchcolor_cli.batch import Steps, run_batch
from sketchcolor_cli.cli import environment, options, printing
from sketchcolor_cli.plugins import find_extractors
from sketchcolor_cli.worklist import build_worklist

if TYPE_CHECKING:
    from sketchcolor_cli.images import Picture
    from sketchcolor_cli.worklist import Job


@options.told
def extract(
    inputs: options.Inputs,
    output: options.Output,
    method: Annotated[
        str,
        typer.Option(
            "--method", "-m", help="Extractor that draws the sketch; `sketchcolor plugins` lists them."
        ),
    ] = "xdog",
    param: Annotated[
        list[str] | None,
        typer.Option(help="Set a parameter of the extractor, such as sigma=0.8; may be given several times."),
    ] = None,
    device: options.Device = "auto",
    overwrite: options.Overwrite = False,
    resume: options.Resume = False,
    json: options.Json = False,
    verbose: options.Verbose = False,
) -> int:
    """Draw a sketch of each picture: black lines on white paper, PNG, the size of the picture.

    A file that cannot be read is reported, and the rest goes on; the exit code is then 1.

    Example: `sketchcolor extract drawings/ --method xdog --param sigma=0.8 -o sketches/`
    """
    there = options.existing(overwrite=overwrite, resume=resume)
    jobs = build_worklist(inputs, output, suffix=".png")
    extractors = find_extractors()
    rule = extractors.get(method).size
    store = environment.weight_store()
    store.require(extractors.weights(method, param or ()))
    with options.loading():
        device = devices.resolve(device)
        from sketchcolor_cli.extraction import load_sketcher, sketch_picture  # imports torch
        from sketchcolor_cli.images import read_picture, write_picture

        sketcher = load_sketcher(
            extractors, method, device=device, settings=param or (), find_weight=store.find
        )

    steps: Steps[Job, Picture, Picture] = Steps(
        read=lambda job: read_picture(job.source),
        compute=lambda pictures: [sketch_picture(sketcher, rule, one, device=device) for one in pictures],
        write=lambda job, drawn: write_picture(job.target, drawn),
        weight=lambda picture: picture.nbytes,
    )
    with printing.batch_progress(f"{method} on {device}", len(jobs), verbose=verbose) as report:
        result = run_batch(jobs, steps, existing=there, report=report)
    return printing.finish_batch(result, "sketched", as_json=json, method=method, device=device)
