"""The latent vector z of a colouring: saved in files, given to other pages, and varied to see what it does.

Of models without one, whose colours are drawn at random, the seeds are varied.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sketchcolor_cli.coloring.colorizer import Colorizer
from sketchcolor_cli.coloring.settings import ColoredPages, ColorizeSettings, Guess
from sketchcolor_cli.errors import DataError, ImageError, UsageError
from sketchcolor_cli.files.atomic import write_bytes
from sketchcolor_cli.files.regular import read_document
from sketchcolor_cli.imaging.picture import Picture
from sketchcolor_cli.imaging.resize import shrink_to

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from sketchcolor_cli.coloring.settings import ExploreSettings
    from sketchcolor_cli.networks.base import ColorNet

    Latent = NDArray[np.float32]

_LEAST_STEPS = 2  # of a grid with something in the middle
_AXES = 2  # of a grid: across and down
_GAP = 6  # pixels between the pictures of a grid
_SIGN = 18  # pixels of height for what is written below one


def write_latents(path: Path, model: str, latents: Mapping[str, Latent]) -> None:
    """Write the latent vectors of pages, by their names, as JSON.

    Raises:
        ImageError: The file cannot be written.
    """
    pages = {name: [round(float(number), 6) for number in latent] for name, latent in latents.items()}
    write_bytes(path, (json.dumps({"model": model, "pages": pages}, indent=1) + "\n").encode(), ImageError)


def read_latents(path: Path) -> dict[str, Latent]:
    """Return the latent vectors in a file of :func:`write_latents`, by the pages' names.

    Raises:
        DataError: The file cannot be read or holds none.
    """
    try:
        pages = read_document(path)["pages"]
        latents = {str(name): np.array(latent, np.float32) for name, latent in pages.items()}
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise DataError(f"{path}: holds no latent vectors; write them with --save-z") from error
    if not latents or any(latent.ndim != 1 or not np.isfinite(latent).all() for latent in latents.values()):
        raise DataError(f"{path}: holds no latent vectors; write them with --save-z")
    return latents


def latent_for(latents: Mapping[str, Latent], name: PurePath) -> Latent | None:
    """Return the latent vector for the page of this name: its own, else that of one so called elsewhere.

    Where there is only one it is for all pages; None if nothing fits.
    """
    whole = {PurePath(known).with_suffix(""): latent for known, latent in latents.items()}
    alike = (latent for known, latent in whole.items() if known.name == name.stem)
    own = whole.get(PurePath(name).with_suffix(""), next(alike, None))
    return own if own is not None or len(latents) != 1 else next(iter(latents.values()))


def explore(
    model: ColorNet, device: str, page: Picture, references: Sequence[Picture], grid: ExploreSettings
) -> Picture:
    """Return a grid of colourings of a page, each by another latent vector, or by another seed.

    Of a model with a latent vector, that which it reads for the page is in the middle, and moves along two
    directions. Of another, whose colours are drawn at random, each picture has its seed below.

    Raises:
        UsageError: The model has nothing to vary, or there are no such directions or steps.
    """
    if model.lattice() is None:
        return _by_latent(model, device, page, references, grid)
    if grid.directions is not None:
        raise UsageError("this model has no latent vector, so --directions does nothing; use --seed")
    return _by_seed(model, device, page, references, grid)


def _by_latent(
    model: ColorNet, device: str, page: Picture, references: Sequence[Picture], grid: ExploreSettings
) -> Picture:
    """Move the latent vector along two directions, 0 in the middle.

    Without directions both are drawn at random by the seed, of length 1 and at right angles. The vector moves
    by up to ``span`` to both sides, in ``steps`` pictures a row.
    """
    size = model.z_size
    if not size:
        raise UsageError(
            "this model has neither a latent vector nor random colours, so there is nothing to explore"
        )
    if grid.steps < _LEAST_STEPS:
        raise UsageError(f"--steps {grid.steps}: must be at least {_LEAST_STEPS} for this model")
    across, down = _axes(size, grid.directions, grid.seed)
    color = Colorizer(model, device, ColorizeSettings(colored_pages=ColoredPages.REDO))
    start = color.latent(page, references)
    shifts = np.linspace(-grid.span, grid.span, grid.steps, dtype=np.float32)
    rows = [
        [color(page, references, latent=np.clip(start + x * across + y * down, -1, 1)).rgb for x in shifts]
        for y in shifts
    ]
    return _grid(rows)


def _by_seed(
    model: ColorNet, device: str, page: Picture, references: Sequence[Picture], grid: ExploreSettings
) -> Picture:
    """Draw the colours by the seeds from the first one on."""

    def drawn(seed: int) -> NDArray[np.float32]:
        chosen = ColorizeSettings(colored_pages=ColoredPages.REDO, guess=Guess.DRAW, seed=seed)
        return _signed(Colorizer(model, device, chosen)(page, references).rgb, str(seed))

    columns = range(grid.steps)
    return _grid([[drawn(grid.seed + row * grid.steps + column) for column in columns] for row in columns])


def _signed(rgb: NDArray[np.float32], text: str) -> NDArray[np.float32]:
    """Return a picture with a line of text below."""
    below = np.full((_SIGN, rgb.shape[1]), 255, np.uint8)
    cv2.putText(below, text, (2, _SIGN - 5), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 0, 1, cv2.LINE_AA)
    return np.concatenate([rgb, (below / np.float32(255))[..., None].repeat(3, 2)])


def _grid(rows: Sequence[Sequence[NDArray[np.float32]]]) -> Picture:
    """Lay pictures of one size out in rows, with gaps."""
    height, width = rows[0][0].shape[:2]
    size = len(rows) * (height + _GAP) - _GAP, len(rows[0]) * (width + _GAP) - _GAP
    grid = np.ones((*size, 3), np.float32)
    for row, pictures in enumerate(rows):
        for column, picture in enumerate(pictures):
            top, left = row * (height + _GAP), column * (width + _GAP)
            grid[top : top + height, left : left + width] = picture
    return Picture(rgb=grid)


def _axes(size: int, directions: tuple[int, ...] | None, seed: int) -> tuple[Latent, Latent]:
    if directions is not None:
        if not all(0 <= direction < size for direction in directions) or len(set(directions)) < _AXES:
            raise UsageError(f"--directions are two different numbers from 0 to {size - 1}")
        first, second = np.eye(size, dtype=np.float32)[list(directions)]
        return first, second
    drawn = np.random.default_rng(seed).normal(size=(size, 2))
    first, second = np.linalg.qr(drawn)[0].T.astype(np.float32)
    return first, second


def shrunk(page: Picture, longest: int) -> Picture:
    """Return a page with its longer side at most so many pixels, for one field of a grid."""
    alpha = None if page.alpha is None else shrink_to(page.alpha, longest)
    return replace(page, rgb=shrink_to(page.rgb, longest), alpha=alpha)
