"""From a sketch to paint: the network at one or two sizes, strips in bands, evened out inside the lines."""

from __future__ import annotations

from contextlib import nullcontext
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from sketchcolor_cli import environment
from sketchcolor_cli.coloring.guides.palette import pull
from sketchcolor_cli.coloring.paint.fill import fill_paint, fill_spread
from sketchcolor_cli.coloring.paint.sample_colors import Choices, find_choices, sample_colors
from sketchcolor_cli.coloring.paint.smooth import smooth_paint
from sketchcolor_cli.coloring.paint.upsample import ink_aware_upsample
from sketchcolor_cli.coloring.settings import Guess
from sketchcolor_cli.compute import deadline
from sketchcolor_cli.errors import UsageError
from sketchcolor_cli.imaging.resize import shrink_by
from sketchcolor_cli.imaging.sizes import SizeRule
from sketchcolor_cli.networks.forward import Inputs
from sketchcolor_cli.networks.hints import line_ink, shrink, spread
from sketchcolor_cli.networks.onnx_forward import OnnxForward

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray

    from sketchcolor_cli.coloring.settings import ColorizeSettings
    from sketchcolor_cli.imaging.resize import Copies
    from sketchcolor_cli.imaging.sizes import PadPlan
    from sketchcolor_cli.networks.base import ColorNet
    from sketchcolor_cli.networks.forward import Forward

    Plane = NDArray[np.float32]
    Hint = NDArray[np.float32]
    Lab = NDArray[np.float32]
    HintAt = Callable[[tuple[int, ...]], Hint]

_HINT = 4  # planes of a hint; those after them fill areas
_APART = 1.2  # a working size this much larger than the basic one is worth a second pass
_OVERLAP = 192  # pixels that neighbouring bands of a strip share
_GUESSED_AT = 384  # shorter side, in pixels, at which colours are drawn for areas that have none
_SAME_COLORS = 30.0  # how strongly the finer pass is led back to the colours of the basic one


@dataclass(frozen=True, eq=False)
class _Looked:
    """What the network holds possible at a first look, on the grid of its stride, and where that is wanted.

    Attributes:
        sketch, hint: What it was shown.
        choices: The areas, and what is possible for each.
        given: (h, w), where the hint gives a colour.
        palette: Its latent vector, or None.
    """

    sketch: Plane
    hint: Hint
    choices: Choices
    given: NDArray[np.bool_]
    palette: NDArray[np.float32] | None

    def is_of(self, sketch: Plane, hint: Hint) -> bool:
        """Return whether this is what was shown."""
        return np.array_equal(sketch, self.sketch) and np.array_equal(hint, self.hint)


class Painter:
    """A network and how its paint is treated; equal sketches and hints give equal paint.

    ``palette`` (K, 3), Lab, is what paint is pulled to.

    Attributes:
        precision: Number format of the passes that paint, ``float32`` or ``bfloat16``. Which colours there
            are is always decided in float32.
        passing: Holds each pass of the network, where several have to take turns.
    """

    def __init__(
        self,
        model: ColorNet | Forward,
        device: str,
        settings: ColorizeSettings,
        palette: NDArray[np.float32] | None = None,
    ) -> None:
        self.model = forward_of(model, device)
        self.device = device
        self.settings = settings
        self.palette = palette
        self.precision = "float32"
        self.passing: Callable[[], AbstractContextManager[None]] = nullcontext
        self.sheet: Hint | None = None
        self._shared: list[_Looked] | None = None

    def with_sheet(self, sheet: Hint) -> Painter:
        """Return a painter with a character sheet: (S, k·S, 4), RGB and mask, k side by side of its size."""
        other = copy(self)
        other.sheet = sheet
        return other

    def sharing(self, looked: list[_Looked]) -> Painter:
        """Return a painter that does but once with others what depends on neither seed nor working size."""
        other = copy(self)
        other._shared = looked
        return other

    def in_seeds(self, seeds: Iterable[int]) -> Iterator[Painter]:
        """Give painters that draw by these seeds, sharing what does not depend on the seed."""
        looked: list[_Looked] = []
        for seed in seeds:
            other = self.sharing(looked)
            other.settings = self.settings.in_seed(seed)
            yield other

    def __call__(
        self,
        page: Copies,
        hint_at: HintAt,
        z: NDArray[np.float32] | None = None,
        own_at: HintAt | None = None,
        fill_at: HintAt | None = None,
    ) -> tuple[Plane, Lab]:
        """Return the working copy of a page (h, w) and the paint for it (h, w, 3), Lab.

        ``page`` is (H, W); ``hint_at`` gives its dense hint, (h, w, 4), in any size; ``z`` (Z,)
        stands for what the network would read from hint and sheet about the page as a whole; ``own_at`` gives
        the colours that the page has already, which count where there is no hint; ``fill_at`` gives the
        colours of areas with points, (h, w, 4), RGB and how much they count.

        What colours there are is decided on the whole page at the basic size; a larger working size, and the
        bands of a long strip, only draw them more finely. So a page has the same colours at every working
        size.
        """
        settings = self.settings
        fine = min(1.0, settings.work_size / min(page.whole.shape))
        base = min(fine, self._scale(page.whole, settings.base_size))
        sketch = page.at(base)
        guided = z is not None or bool(hint_at(sketch.shape)[..., 3].any())
        # A stamp on the page says nothing of the colours of what it lies on: areas are guessed without it.
        drawn_at = self._guesses(page, hint_at, z, guided=guided)
        hint_at = hint_at if own_at is None else _first_of(hint_at, own_at)
        guessed_at = hint_at if drawn_at is None else _first_of(hint_at, drawn_at)
        hint_at = guessed_at if fill_at is None else _filled(hint_at, guessed_at, fill_at)
        paint = self._in_bands(sketch, hint_at(sketch.shape), None, z)
        if fine > base * _APART:
            sketch = page.at(fine)
            paint = self._in_bands(sketch, hint_at(sketch.shape), paint, z)
        return sketch, self._tuned(paint)

    def _tuned(self, paint: Lab) -> Lab:
        """Return paint in the user's taste: more or less colourful, in the colours of the palette."""
        if self.settings.saturation != 1:
            paint[..., 1:] *= self.settings.saturation
        if self.palette is not None:
            paint = pull(paint, self.palette, self.settings.palette_strength)
        return paint

    def _in_bands(self, sketch: Plane, hint: Hint, lead: Lab | None, z: NDArray[np.float32] | None) -> Lab:
        """Paint a sketch of any length; neighbouring bands fade into each other where they overlap."""
        along = 0 if sketch.shape[0] >= sketch.shape[1] else 1
        length, across = sketch.shape[along], sketch.shape[1 - along]
        if sketch.size <= self.settings.max_pixels:
            return self._paint(sketch, hint, lead, z)
        out = np.zeros((*sketch.shape, 3), np.float32)
        for part, fade in _bands(length, max(3 * _OVERLAP, self.settings.max_pixels // across)):
            band = (part, slice(None)) if along == 0 else (slice(None), part)
            led = None if lead is None else _part(lead, part, length, along)
            paint = self._paint(sketch[band], hint[band], led, z)
            out[band] += paint * np.expand_dims(fade, (1 - along, 2))
        return out

    def _scale(self, gray: Plane, side: int) -> float:
        """Return the scale of a copy with a shorter side of so many pixels that the network sees at once."""
        scale: float = min(1.0, side / min(gray.shape), (self.settings.max_pixels / gray.size) ** 0.5)
        return scale

    def _guesses(
        self, page: Copies, hint_at: HintAt, z: NDArray[np.float32] | None, *, guided: bool
    ) -> HintAt | None:
        """Return a colour for each area without a hint; None where areas get what is painted there.

        They are chosen at a size of their own, so that they are the same at every working size.
        """
        settings, colors = self.settings, self.model.colors
        if settings.guess in (Guess.DRAW, Guess.SURE) and colors is None:
            raise UsageError("this model has no colours to choose from; leave --guess out")
        guess = settings.guess_of(guided=guided)
        if guess is Guess.MEAN or colors is None:
            return None
        sketch = page.at(self._scale(page.whole, _GUESSED_AT))
        hint = hint_at(sketch.shape)
        pad, stride = self._pad(sketch), self.model.stride
        deadline.check()
        looked = self._looked_at(_padded(sketch, pad, 1), _padded(hint, pad, 0), z)
        drawn = sample_colors(
            looked.choices,
            colors,
            looked.given,
            None if guess is Guess.SURE else settings.drawn_by,
            looked.palette,
        )
        drawn = drawn.repeat(stride, 0).repeat(stride, 1)[pad.crop]

        def drawn_at(shape: tuple[int, ...]) -> Hint:
            return cv2.resize(drawn, shape[1::-1], interpolation=cv2.INTER_NEAREST)  # type: ignore[no-any-return]

        return drawn_at

    def _looked_at(self, sketch: Plane, hint: Hint, z: NDArray[np.float32] | None) -> _Looked:
        """Let the network see what colours are to be drawn for; for one seed after the other only once."""
        if (known := self._shared_look(sketch, hint)) is not None:
            return known
        inputs = self._inputs(sketch, hint, z)
        with self.passing():
            if (known := self._shared_look(sketch, hint)) is not None:  # another thread was first
                return known
            possible = self.model.possible(inputs)
            looked = _Looked(
                sketch,
                hint,
                choices=find_choices(
                    possible.logits,
                    possible.lightness,
                    line_ink(sketch, self.model.stride),
                ),
                given=shrink(hint, self.model.stride)[..., 3] > 0,
                palette=possible.z,
            )
            if self._shared is not None:
                self._shared[:] = [looked]
        return looked

    def _shared_look(self, sketch: Plane, hint: Hint) -> _Looked | None:
        """Return what another painter that this one shares with has seen, if it was the same."""
        return next((look for look in self._shared or () if look.is_of(sketch, hint)), None)

    def _pad(self, sketch: Plane) -> PadPlan:
        return SizeRule(multiple=self.model.multiple).plan(*sketch.shape)

    def _inputs(self, sketch: Plane, hint: Hint, z: NDArray[np.float32] | None) -> Inputs:
        """Return what the network is shown of a sketch (h, w) and a hint (h, w, 4 or 8) of its sizes."""
        stride, around = self.model.stride, None
        hint, fill = hint[..., :_HINT], hint[..., _HINT:]
        if stride > 1:
            carried = spread(sketch, hint, stride)
            around = fill_spread(carried, fill) if fill.size else carried
        return Inputs(sketch, hint, around, self.sheet, z)

    def _paint(self, sketch: Plane, hint: Hint, lead: Lab | None, z: NDArray[np.float32] | None) -> Lab:
        """Return Lab paint (h, w, 3) for a sketch (h, w), a hint (h, w, 4 or 8) and the colours to keep to.

        The last four planes of a hint are those of ``fill_at``, if there is one.
        """
        deadline.check()
        stride = self.model.stride
        pad = self._pad(sketch)
        if lead is not None:
            lead = cv2.resize(lead, sketch.shape[::-1], interpolation=cv2.INTER_LINEAR)
            lead = np.pad(lead, ((pad.top, pad.bottom), (pad.left, pad.right), (0, 0)), mode="edge")
        sketch, hint = _padded(sketch, pad, 1), _padded(hint, pad, 0)
        inputs = self._inputs(sketch, hint, z)
        with self.passing():
            paint = self.model.paint(inputs, self.precision)
        if stride > 1:
            paint = self._smoothed(paint, line_ink(sketch, stride), lead)
            paint = ink_aware_upsample(paint, sketch)
        elif lead is not None:
            paint = paint + cv2.GaussianBlur(lead - paint, (0, 0), _OVERLAP / 8)
        if hint.shape[2] > _HINT:
            paint = fill_paint(paint, hint[..., _HINT:])
        return np.ascontiguousarray(paint[pad.crop])

    def latent(self, gray: Plane, hint_at: Callable[[tuple[int, ...]], Hint]) -> NDArray[np.float32] | None:
        """Return the latent vector z, (Z,), that the network reads for a page; None if it has none."""
        sketch = shrink_by(gray, self._scale(gray, self.settings.base_size))
        pad = self._pad(sketch)
        hint = _padded(hint_at(sketch.shape), pad, 0)
        return self.model.latent(self._inputs(_padded(sketch, pad, 1), hint, None))

    def _smoothed(self, paint: Lab, ink: Plane, lead: Lab | None) -> Lab:
        paint = smooth_paint(paint, ink, self.settings.smooth)
        if lead is None:
            return paint
        lead = cv2.resize(lead, ink.shape[::-1], interpolation=cv2.INTER_AREA)
        return paint + smooth_paint(lead - paint, ink, _SAME_COLORS)


def _first_of(first_at: HintAt, second_at: HintAt) -> HintAt:
    """Return the first hint, and where it gives no colour the second."""

    def both_at(shape: tuple[int, ...]) -> Hint:
        first = first_at(shape)
        return np.where(first[..., 3:] > 0, first, second_at(shape))

    return both_at


def _filled(given_at: HintAt, guessed_at: HintAt, fill_at: HintAt) -> HintAt:
    """Return a hint with guesses, but none in areas that are filled, and beside it what fills them."""

    def both_at(shape: tuple[int, ...]) -> Hint:
        fill, hint = fill_at(shape), given_at(shape)
        if guessed_at is not given_at:
            hint = np.where(fill[..., 3:] > 0, hint, guessed_at(shape))
        return np.concatenate([hint, fill], 2)

    return both_at


def forward_of(model: ColorNet | Forward, device: str) -> Forward:
    """Return a colour network as it is computed on a device; one of ONNX Runtime is so already."""
    if isinstance(model, OnnxForward):
        return model
    environment.prepare_process(ours=False)
    from sketchcolor_cli.networks.torch_forward import TorchForward  # imports torch

    return TorchForward(cast("ColorNet", model), device)


def _padded(array: Plane, pad: PadPlan, value: float) -> Plane:
    """Return an array (h, w, …) with its edges padded."""
    edges = [(pad.top, pad.bottom), (pad.left, pad.right)] + [(0, 0)] * (array.ndim - 2)
    return np.pad(array, edges, constant_values=value)


def _bands(length: int, most: int) -> Iterator[tuple[slice, Plane]]:
    """Give equal bands of at most ``most`` of ``length`` rows, and their weights, which add up to 1."""
    count = -(-(length - _OVERLAP) // (most - _OVERLAP))
    step = (length - _OVERLAP) / count
    ramp = (np.arange(_OVERLAP, dtype=np.float32) + 0.5) / _OVERLAP
    for number in range(count):
        start, stop = round(number * step), round((number + 1) * step) + _OVERLAP
        fade = np.ones(stop - start, np.float32)
        if number:
            fade[:_OVERLAP] = ramp
        if number < count - 1:
            fade[-_OVERLAP:] = 1 - ramp
        yield slice(start, stop), fade


def _part(lead: Lab, part: slice, length: int, along: int) -> Lab:
    """Return what of ``lead``, any number of pixels long, belongs to a part of ``length`` pixels."""
    scale = lead.shape[along] / length
    start = round(part.start * scale)
    stop = max(start + 1, round(part.stop * scale))
    return lead[start:stop] if along == 0 else lead[:, start:stop]
