"""What comes beside a coloured page: a preview of the masks, flats, and a file with layers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sketchcolor_cli.coloring.extras import flats
from sketchcolor_cli.coloring.extras.layers import Layer
from sketchcolor_cli.coloring.page import screentone
from sketchcolor_cli.compute import deadline
from sketchcolor_cli.imaging import writing
from sketchcolor_cli.imaging.picture import Picture

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from sketchcolor_cli.coloring.colorizer import Painted
    from sketchcolor_cli.coloring.page.stays import Stays
    from sketchcolor_cli.coloring.settings import Extras
    from sketchcolor_cli.imaging.settings import Saving

    Image = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Colored:
    """A coloured page and what was asked for beside it.

    Attributes:
        page: The page as it was.
        painted: The paint for it; None for one that stays as it is, beside which there is nothing else.
        stays: Why it does. None for one that was coloured.
        masks: The page with what stays paper tinted.
        flats: The page in flat colours, without ink.
        layers: Its layers, the first at the bottom.
    """

    page: Picture
    painted: Painted | None = None
    stays: Stays | None = None
    masks: Picture | None = None
    flats: Picture | None = None
    layers: tuple[Layer, ...] = ()

    @cached_property
    def picture(self) -> Picture:
        """The coloured page, laid together when it is first asked for."""
        if self.painted is None:
            return self.page
        return self.painted.over(self.page)

    def write(self, path: Path, saving: Saving | None = None, name: Path | None = None) -> None:
        """Write the coloured page, laying it together row by row; see :func:`write_picture`.

        Raises:
            ImageError: It cannot be written.
            TimeLimitError: The time for it is over.
        """
        writing.write_picture(path, *self._rows(saving), name)

    def encoded(self, path: Path, saving: Saving | None = None) -> bytes:
        """Return what :meth:`write` writes.

        Raises:
            ImageError: The ending of the path stands for no format that can be written.
        """
        return writing.encode_picture(path, *self._rows(saving))

    def _rows(self, saving: Saving | None) -> tuple[Picture, Saving | None, Iterator[Image] | None]:
        """Return what writing takes: the picture, how it is written, and its rows where they are made now."""
        if self.painted is None:
            return self.page, saving, None
        return self.page.but(gray=False), saving, self.painted.bands()


def with_extras(
    page: Picture,
    painted: Painted,
    hints: Sequence[Picture],
    extras: Extras,
    palette: NDArray[np.float32] | None = None,
) -> Colored:
    """Return a coloured page with what is asked for beside it.

    No network has a part in it, so that it may be called in any thread while the next page is painted.

    Args:
        page: The page.
        painted: The paint for it, of :meth:`Colorizer.paint`.
        hints: The layers with strokes that were given, each with an alpha channel.
        extras: What is made beside it.
        palette: (K, 3), Lab: the colours that flats have; None for any.
    """
    deadline.check()
    done = Colored(page, painted)
    if extras.shown_masks:
        shown = (
            painted.masks.shown_on(painted.gray)
            if painted.masks
            else np.repeat(painted.gray[..., None], 3, 2)
        )
        done = replace(done, masks=Picture(rgb=shown))
    if not extras.flats and extras.layers is None:
        return done
    deadline.check()
    flat = _flats(painted, palette).rgb()
    deadline.check()
    if extras.flats:
        done = replace(done, flats=replace(page, rgb=flat, gray=False))
    if extras.layers is not None:
        done = replace(done, layers=tuple(_layers(page, painted, flat, hints)))
    return done


def _flats(painted: Painted, palette: NDArray[np.float32] | None) -> flats.Flats:
    masks = painted.masks
    paper = None if masks is None else masks.gutters | masks.bubbles
    even = screentone.descreened(painted.gray, None if masks is None else masks.bubbles)
    gray = painted.gray if even is None else even
    return flats.find_flats(gray, painted.paint, paper, palette)


def _layers(page: Picture, painted: Painted, flat: Image, hints: Sequence[Picture]) -> list[Layer]:
    height, width = painted.gray.shape
    paint = painted.bare()
    # Multiplied with the flats, the shading gives the paint, as far as darkening can.
    shading: Image = (paint / np.maximum(flat, 1e-3)).clip(0, 1).astype(np.float32)
    ink = np.repeat(painted.gray[..., None], 3, axis=2)
    layers = [
        Layer("paper", _bytes(np.ones_like(flat))),
        Layer("flats", _bytes(_with_alpha(flat, page))),
        Layer("shading", _bytes(shading), multiply=True),
        Layer("ink", _bytes(ink), multiply=True),
    ]
    if painted.own is not None:
        layers.append(Layer("own colours", _bytes(painted.own.rgba())))
    for number, layer in enumerate(hints, start=1):
        assert layer.alpha is not None  # noqa: S101  (hints without were refused)
        planes = np.concatenate([layer.rgb, layer.alpha[..., None]], axis=2)
        large = cv2.resize(planes, (width, height), interpolation=cv2.INTER_NEAREST)
        layers.append(Layer(f"hints {number}" if len(hints) > 1 else "hints", _bytes(large), visible=False))
    return layers


def _with_alpha(rgb: Image, page: Picture) -> Image:
    return rgb if page.alpha is None else np.concatenate([rgb, page.alpha[..., None]], axis=2)


def _bytes(values: Image) -> NDArray[np.uint8]:
    samples: NDArray[np.uint8] = np.rint(values * 255).astype(np.uint8)
    return samples
