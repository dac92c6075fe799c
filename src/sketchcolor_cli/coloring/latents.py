"""The code z of a colouring: kept in files, given to other pages, and varied to see what it does.

Of models without one, whose colours are drawn by a seed, the seeds are shown.
"""

from __future__ import annotations

import json
from dataclasses import replace
from math import isfinite
from pathlib import PurePath
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sketchcolor_cli.coloring.colorizer import Colorizer, code_size
from sketchcolor_cli.coloring.settings import ColoredPages, Guess
from sketchcolor_cli.errors import DataError, UsageError
from sketchcolor_cli.imaging.images import Picture, write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from sketchcolor_cli.coloring.settings import ColorizeSettings
    from sketchcolor_cli.networks.base import ColorNet

    Code = NDArray[np.float32]

_GAP = 6  # pixels between the pictures of a grid
_SIGN = 18  # pixels of height for what is written below one


def write_codes(path: Path, model: str, codes: Mapping[str, Code]) -> None:
    """Write the codes of pages, by their names, as JSON.

    Raises:
        ImageError: The file cannot be written.
    """
    pages = {name: [round(float(one), 6) for one in code] for name, code in codes.items()}
    write_whole(path, (json.dumps({"model": model, "pages": pages}, indent=1) + "\n").encode())


def read_codes(path: Path) -> dict[str, Code]:
    """Return the codes in a file of :func:`write_codes`, by the pages' names.

    Raises:
        DataError: The file cannot be read or holds no codes.
    """
    try:
        pages = json.loads(path.read_text(encoding="utf-8"))["pages"]
        codes = {str(name): np.array(code, np.float32) for name, code in pages.items()}
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check the name") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path}: holds no codes; write them with --save-z") from error
    if not codes or any(code.ndim != 1 or not np.isfinite(code).all() for code in codes.values()):
        raise DataError(f"{path}: holds no codes; write them with --save-z")
    return codes


def code_for(codes: Mapping[str, Code], name: PurePath) -> Code | None:
    """Return the code for the page of this name: its own, or the only one there is."""
    own = next((code for known, code in codes.items() if PurePath(known).stem == name.stem), None)
    return own if own is not None or len(codes) != 1 else next(iter(codes.values()))


def explore(
    model: ColorNet,
    device: str,
    settings: ColorizeSettings,
    page: Picture,
    references: Sequence[Picture] = (),
    *,
    directions: tuple[int, int] | None = None,
    steps: int = 5,
    span: float = 1.0,
    seed: int = 0,
) -> Picture:
    """Return a grid of colourings of a page, its code moved along two directions, 0 in the middle.

    ``directions`` are two places of the code; without them both are drawn at random, of length 1 and at
    right angles, by ``seed``. The code moves by up to ``span`` to both sides, in ``steps`` pictures a row.

    Raises:
        UsageError: The model has no code of its own, or a direction is not in it.
    """
    size = code_size(model)
    if not size:
        raise UsageError("this model has neither a code z nor colours to draw from, and nothing to explore")
    if steps < 2 or not isfinite(span):
        raise UsageError("--steps must be at least 2, and --span a number")
    across, down = _axes(size, directions, seed)
    color = Colorizer(model, device, replace(settings, colored_pages=ColoredPages.REDO))
    start = color.code(page, references)
    shifts = np.linspace(-span, span, steps, dtype=np.float32)
    rows = [
        [color(page, references, z=np.clip(start + x * across + y * down, -1, 1)).rgb for x in shifts]
        for y in shifts
    ]
    return _grid(rows)


def explore_seeds(
    model: ColorNet,
    device: str,
    settings: ColorizeSettings,
    page: Picture,
    references: Sequence[Picture] = (),
    *,
    steps: int = 5,
    seed: int = 0,
) -> Picture:
    """Return a grid of colourings of a page by the seeds from ``seed`` on, each with its number below.

    Raises:
        UsageError: The model holds no colours to draw from, or the grid has no size.
    """
    if steps < 1 or seed < 0:
        raise UsageError("--steps must be at least 1, and --seed at least 0")

    def drawn(number: int) -> NDArray[np.float32]:
        chosen = replace(settings, colored_pages=ColoredPages.REDO, guess=Guess.DRAW, seed=number)
        return _signed(Colorizer(model, device, chosen)(page, references).rgb, str(number))

    return _grid([[drawn(seed + row * steps + column) for column in range(steps)] for row in range(steps)])


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


def _axes(size: int, directions: tuple[int, int] | None, seed: int) -> tuple[Code, Code]:
    if directions is not None:
        if not all(0 <= one < size for one in directions) or directions[0] == directions[1]:
            raise UsageError(f"--directions are two different numbers from 0 to {size - 1}")
        first, second = np.eye(size, dtype=np.float32)[list(directions)]
        return first, second
    drawn = np.random.default_rng(seed).normal(size=(size, 2))
    first, second = np.linalg.qr(drawn)[0].T.astype(np.float32)
    return first, second


def shrunk(page: Picture, longest: int) -> Picture:
    """Return a page with its longer side at most so many pixels, for one field of a grid."""
    scale = longest / max(page.rgb.shape[:2])
    if scale >= 1:
        return page
    size = max(1, round(page.rgb.shape[1] * scale)), max(1, round(page.rgb.shape[0] * scale))
    planes = [page.rgb] if page.alpha is None else [page.rgb, page.alpha]
    rgb, *alpha = (cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in planes)
    return replace(page, rgb=rgb, alpha=alpha[0] if alpha else None)
