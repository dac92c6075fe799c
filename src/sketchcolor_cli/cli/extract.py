"""``sketchcolor extract``: coloured pictures to sketches."""

from __future__ import annotations

from sketchcolor_cli.cli import fetching, runs
from sketchcolor_cli.cli.options import Screen, with_exit_code
from sketchcolor_cli.cli.request import requested
from sketchcolor_cli.jobs.requests import ExtractRequest


@with_exit_code
@fetching.offers
@requested(request=ExtractRequest, screen=Screen)
def extract(request: ExtractRequest, screen: Screen) -> int:
    """Draw a sketch of each picture: black lines on white paper, the size of the picture.

    What is transparent counts as paper. Books (CBZ, CBT, EPUB, PDF, CBR) come back as books. A file that
    cannot be read is reported, and the rest goes on; the exit code is then 1. The same command again does
    what is not done yet.

    Example: `sketchcolor extract drawings/ -o sketches/`
    """
    from sketchcolor_cli.jobs import extract as job

    with runs.shown(verbose=screen.verbose) as progress:
        outcome = job.extract(request, progress)
    return runs.outcome(outcome, "sketched", as_json=screen.json, method=request.method)
