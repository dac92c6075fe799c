"""Colouring one page in many ways, laid out as a grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sketchcolor_cli import environment
from sketchcolor_cli.compute import devices
from sketchcolor_cli.jobs.outcome import Begun, Loading, silent

if TYPE_CHECKING:
    from sketchcolor_cli.jobs.outcome import Progress
    from sketchcolor_cli.jobs.requests import ExploreRequest


def explore(request: ExploreRequest, progress: Progress = silent) -> None:
    """Write a grid of colourings of one page, each by another seed or another latent vector.

    Args:
        request: The page, the model, and the grid.
        progress: Called with what is loaded and begun.

    Raises:
        UsageError: The model has nothing to vary, or no such directions.
        SketchcolorError: A picture or the model cannot be read, or the grid cannot be written.
    """
    progress(Loading())
    device = devices.resolve(request.device)
    from sketchcolor_cli.coloring import latents
    from sketchcolor_cli.imaging.reading import read_picture
    from sketchcolor_cli.imaging.writing import write_picture
    from sketchcolor_cli.networks.base import ColorNet
    from sketchcolor_cli.networks.checkpoint import load_model

    network, _ = load_model(environment.model_file(request.model), ColorNet)
    page = latents.shrunk(read_picture(request.page), request.grid.size)
    references = () if request.reference is None else (read_picture(request.reference),)
    progress(Begun(f"{request.model} on {device}", request.grid.steps**2))
    write_picture(request.output, latents.explore(network, device, page, references, request.grid))
