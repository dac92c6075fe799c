"""``sketchcolor explore``: which colours a model can give a page, by latent vector or by seed."""

from __future__ import annotations

from sketchcolor_cli.cli import printing, runs
from sketchcolor_cli.cli.options import with_exit_code
from sketchcolor_cli.cli.request import requested
from sketchcolor_cli.jobs.requests import ExploreRequest


@with_exit_code
@requested(request=ExploreRequest)
def explore(request: ExploreRequest) -> int:
    """Draw a grid of colourings of one page, each by another seed, with the number to give to colorize.

    For models with a latent vector z, those of the preset thesis, the grid shows the vector moved along two
    directions; the middle shows it as it was read.

    Example: `sketchcolor explore page.png -o grid.png --steps 4`
    """
    from sketchcolor_cli.jobs import explore as job

    with runs.shown(verbose=False) as progress:
        job.explore(request, progress)
    steps = request.grid.steps
    printing.note(f"{request.output}: {steps}×{steps} colourings of {request.page}")
    return 0
