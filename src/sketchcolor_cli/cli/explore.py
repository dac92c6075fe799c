"""``sketchcolor explore``: which colours a model can give a page, by code or by seed."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  (Typer reads the annotations)
from typing import Annotated

import typer

from sketchcolor_cli import environment
from sketchcolor_cli.cli import options, printing
from sketchcolor_cli.coloring.settings import ColorizeSettings
from sketchcolor_cli.compute import devices
from sketchcolor_cli.errors import UsageError


@options.told
def explore(
    page: Annotated[Path, typer.Argument(metavar="PAGE", help="The page to colour.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Picture file for the grid.")],
    model: options.Model = "default",
    reference: Annotated[
        Path | None,
        typer.Option(
            help="Rough colouring of the page; of models with a code, what that in the middle is read from."
        ),
    ] = None,
    directions: Annotated[
        str | None,
        typer.Option(help="Two places of the code, such as 3,17; without, two directions drawn by the seed."),
    ] = None,
    steps: Annotated[int, typer.Option(help="Pictures in a row and in a column.")] = 5,
    span: Annotated[
        float, typer.Option(help="How far the code moves to each side; codes are in -1 to 1.")
    ] = 1,
    size: Annotated[int, typer.Option(help="Longest side of each picture, in pixels.")] = 256,
    seed: Annotated[
        int, typer.Option(help="The first of the seeds; of models with a code, what directions are drawn by.")
    ] = 0,
    device: options.Device = "auto",
) -> int:
    """Draw a grid of colourings of one page, each by another seed, with the number to give to colorize.

    Of models with a code z, those of the preset thesis, the grid shows the code moved along two directions,
    as read in the middle.

    Example: `sketchcolor explore page.png -o grid.png --steps 4`
    """
    axes = None if directions is None else _two(directions)
    with options.loading():
        device = devices.resolve(device)
        from sketchcolor_cli.coloring import latents
        from sketchcolor_cli.coloring.models import load_color_model
        from sketchcolor_cli.imaging.images import read_picture, write_picture

        network, _ = load_color_model(environment.model_file(model))
        small = latents.shrunk(read_picture(page), size)
        references = () if reference is None else (read_picture(reference),)
    if network.lattice() is not None:
        if axes is not None:
            raise UsageError("this model has no code z, and so no --directions; its colours go by --seed")
        grid = latents.explore_seeds(
            network, device, ColorizeSettings(), small, references, steps=steps, seed=seed
        )
    else:
        grid = latents.explore(
            network,
            device,
            ColorizeSettings(),
            small,
            references,
            directions=axes,
            steps=steps,
            span=span,
            seed=seed,
        )
    write_picture(output, grid)
    printing.note(f"{output}: {steps}×{steps} colourings of {page}")
    return 0


def _two(text: str) -> tuple[int, int]:
    try:
        first, second = (int(one) for one in text.split(","))
    except ValueError as error:
        raise UsageError(f"--directions {text}: write two whole numbers, such as 3,17") from error
    return first, second
