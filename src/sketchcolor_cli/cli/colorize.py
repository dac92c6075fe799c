"""``sketchcolor colorize``: sketches and manga pages to coloured pages."""

from __future__ import annotations

from sketchcolor_cli import environment
from sketchcolor_cli.cli import runs
from sketchcolor_cli.cli.options import Screen, with_exit_code
from sketchcolor_cli.cli.request import requested
from sketchcolor_cli.jobs.requests import ColorizeRequest


@with_exit_code
@requested(request=ColorizeRequest, screen=Screen)
def colorize(request: ColorizeRequest, screen: Screen) -> int:
    """Colour sketches and manga pages; ink and lettering stay exactly as they are, at full size.

    Books (CBZ, CBT, EPUB, PDF, CBR) come back as books. A file that cannot be read is reported, and the rest
    goes on; the exit code is then 1. The same command again does what is not done yet.

    Example: `sketchcolor colorize pages/ -o colored/ --reference rough/`
    """
    environment.prepare_process(small_matrices=True)
    from sketchcolor_cli.jobs import colorize as job

    with runs.shown(verbose=screen.verbose) as progress:
        outcome = job.colorize(request, progress)
    runs.drift(outcome.drift or (), most=5)
    return runs.outcome(outcome, "colorized", as_json=screen.json, model=request.model)
