"""Drawing sketches: an extractor is loaded with what it asks for, and pictures of any size go through it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np

from sketchcolor_cli.compute import deadline
from sketchcolor_cli.compute.memory import is_shortage, let_go
from sketchcolor_cli.errors import DeviceError, PluginError
from sketchcolor_cli.extraction.settings import Sketching
from sketchcolor_cli.extraction.stroke_width import stroke_width
from sketchcolor_cli.imaging.picture import gray_as_rgb, on_paper
from sketchcolor_cli.imaging.sizes import scaled, spans, tile_shape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import torch
    from numpy.typing import NDArray

    from sketchcolor_cli.imaging.picture import Picture
    from sketchcolor_cli.imaging.sizes import PadPlan, SizeRule, Span
    from sketchcolor_cli.plugin.contract import Extractor, Sketcher

    FloatArray = NDArray[np.float32]

_PICTURE = 2**20  # pixels; what counts as one picture where the batch size says how many are drawn at once
_TILE = 1024  # pixels; a tile is as large as a square that decides this side, with wide margins four of them


class Fit(NamedTuple):
    """How a picture of height × width is brought to what an extractor takes: scaled, then padded."""

    height: int
    width: int
    plan: PadPlan

    @property
    def is_scaled(self) -> bool:
        """Whether the picture does not stay as large as it is."""
        return (self.height, self.width) != (self.plan.height, self.plan.width)


@dataclass(frozen=True, eq=False)
class Prepared:
    """A picture that is ready to be drawn: what the sketcher takes, H×W×3, and what else there is to keep."""

    rgb: FloatArray
    fit: Fit
    rest: Picture

    @property
    def weight(self) -> int:
        """About how many bytes it takes until its sketch is written."""
        return self.rgb.nbytes + 12 * self.fit.height * self.fit.width


@dataclass(frozen=True, eq=False)
class Drawn:
    """A sketch as the sketcher drew it, H×W, not yet brought back to the picture's size."""

    gray: FloatArray
    fit: Fit
    rest: Picture
    notes: Mapping[str, Any] = field(default_factory=dict)


class Drawer:
    """A loaded extractor that draws pictures of any size; it can itself be a part of another extractor.

    Drawing has three steps, so that files can be read and written meanwhile: ``prepare`` and ``finish`` work
    on the CPU and may be called in any thread, ``draw`` works on the device.
    """

    def __init__(
        self,
        extractor: Extractor,
        sketcher: Sketcher,
        *,
        device: str = "cpu",
        sketching: Sketching | None = None,
        tell: Callable[[str], None] = lambda _line: None,
        scales: bool = True,
    ) -> None:
        """Take a sketcher; ``scales`` says that the size is for itself, not only for what it is made of."""
        self.extractor = extractor
        self.sketcher = sketcher
        self.device = device
        self.sketching = sketching or Sketching()
        self._tell = tell
        self._scales = scales
        self._most = self.sketching.batch_size * _PICTURE  # pixels at once; less after memory ran out

    def __call__(self, rgb: torch.Tensor, /) -> torch.Tensor:
        """Draw (N, 3, H, W) of any size on the device: (N, 1, H, W) there, as a sketcher does."""
        height, width = rgb.shape[2:]
        narrows = self.extractor.line_width is not None  # or else pictures need not be looked at
        fits = [
            self._fit(height, width, self._narrowing(_pixels(picture)) if narrows else 1.0) for picture in rgb
        ]
        if not any(fit.is_scaled for fit in fits):
            whole: torch.Tensor = self._through(_padded(rgb, fits[0].plan))[..., *fits[0].plan.crop]
            return whole
        finished: list[FloatArray] = [np.empty(0, np.float32)] * len(fits)
        for fit in set(fits):
            rows = [row for row, other in enumerate(fits) if other == fit]
            prepared = [self._fitting(_pixels(rgb[row]), fit) for row in rows]
            drawn = self._through(_stacked(prepared).to(rgb.device))
            for row, gray in zip(rows, drawn, strict=True):
                finished[row] = _finished(gray[0].cpu().numpy(), fit)
        import torch

        return torch.from_numpy(np.stack(finished)[:, None]).to(rgb.device)

    def prepare(self, picture: Picture) -> Prepared:
        """Lay a picture on white paper, scale it and pad it."""
        deadline.check()
        rgb = on_paper(picture)
        height, width = rgb.shape[:2]
        fit = self._fit(height, width, self._narrowing(rgb))
        nothing = np.empty((0, 0, 3), np.float32)
        return Prepared(self._fitting(rgb, fit), fit, replace(picture, rgb=nothing, alpha=None))

    def draw(self, pictures: Sequence[Prepared]) -> list[Drawn]:
        """Draw prepared pictures of equal size.

        Raises:
            PluginError: A sketch has another shape than its picture.
            DeviceError: The device has not enough memory for one picture, nor for the smallest tile of it.
        """
        describe: Callable[[torch.Tensor], Sequence[Mapping[str, Any]]] | None
        describe = getattr(self.sketcher, "notes", None)
        notes: Sequence[Mapping[str, Any]]
        if describe is None and draws_arrays(self.sketcher):
            rgb = (
                pictures[0].rgb[None]
                if len(pictures) == 1
                else np.stack([picture.rgb for picture in pictures])
            )
            planes = rgb.transpose(0, 3, 1, 2)
            drawn, notes = self._through(planes), [{} for _ in pictures]
        else:
            batch = _stacked([picture.rgb for picture in pictures])
            drawn = self._through(batch)
            notes = describe(batch) if describe else [{} for _ in pictures]
        return [
            Drawn(np.asarray(gray[0]), picture.fit, picture.rest, note)
            for gray, picture, note in zip(drawn, pictures, notes, strict=True)
        ]

    def finish(self, drawn: Drawn) -> Picture:
        """Return the sketch as a picture: grey, of the picture's own size, depth, resolution and format."""
        gray = _finished(drawn.gray, drawn.fit)
        if self.sketching.binarize:
            gray = (gray > self.sketching.threshold).astype(np.float32)
        if self.sketching.invert:
            gray = 1 - gray
        return replace(drawn.rest, rgb=gray_as_rgb(gray), gray=True, icc=None)

    def sketch(self, picture: Picture) -> Picture:
        """Prepare, draw and finish one picture."""
        return self.finish(self.draw([self.prepare(picture)])[0])

    def _narrowing(self, rgb: FloatArray) -> float:
        """Return the scale, at most 1, at which strokes are as narrow as the extractor draws them."""
        widest = self.extractor.line_width
        if widest is None:
            return 1.0
        height, width = rgb.shape[:2]
        size = self._size or max(height, width)
        # Looked at as large as it is drawn: widths are whole pixels, which are coarse in small pictures.
        seen = _resized(rgb, *scaled(height, width, size)) if size > max(height, width) else rgb
        broad = stroke_width(seen)
        return 1.0 if broad is None else min(1.0, widest / broad * max(seen.shape[:2]) / size)

    @property
    def _wanted(self) -> int | None:
        """The size that the user asks for, if any."""
        return self.sketching.size if self._scales else None

    @property
    def _size(self) -> int | None:
        """The longer side at which pictures are drawn; their own if it is 0 or None."""
        return self.extractor.working_size if self._wanted is None else self._wanted

    def _fit(self, height: int, width: int, scale: float = 1.0) -> Fit:
        size = self._size
        if scale < 1:
            size = max(1, round(scale * (size or max(height, width))))
        inside = scaled(height, width, size) if size else (height, width)
        return Fit(height, width, self.extractor.size.plan(*inside))

    def _fitting(self, rgb: FloatArray, fit: Fit) -> FloatArray:
        plan = fit.plan
        inside = _resized(rgb, plan.height, plan.width) if fit.is_scaled else rgb
        return inside if plan.empty else inside[plan.rows][:, plan.columns]

    def _through(self, fitting: Any) -> Any:
        """Send (N, 3, H, W) through the sketcher, fewer at a time and in tiles where memory is short."""
        count, _, height, width = fitting.shape
        while True:
            tiles = self._tiles(height, width)
            pieces = [(row, *tile) for row in range(count) for tile in tiles]
            pixels = _pixels_of(tiles[0])
            at_once = min(len(pieces), max(1, self._most // pixels))
            drawn = self._try(fitting, pieces, at_once)
            if drawn is not None:
                return drawn
            self._make_do(height, width, pixels, at_once)

    def _try(self, fitting: Any, pieces: Sequence[tuple[int, Span, Span]], at_once: int) -> Any:
        """Draw the pieces, so many at once; None where memory runs out."""
        drawn = _empty(fitting)
        try:
            for first in range(0, len(pieces), at_once):
                deadline.check()
                chosen = pieces[first : first + at_once]
                seen = _seen(fitting, chosen)
                sketches = self._sketched(seen)
                for (row, tall, wide), sketch in zip(chosen, sketches, strict=True):
                    drawn[row, :, tall.kept, wide.kept] = sketch[:, tall.within, wide.within]
        except (RuntimeError, MemoryError) as error:
            if not is_shortage(error):
                raise
            return None
        return drawn

    def _sketched(self, seen: Any) -> Any:
        """Send what is shown of pictures through the sketcher, on its device."""
        if isinstance(seen, np.ndarray):
            return _checked(self.sketcher.draw_array, seen)  # type: ignore[attr-defined]
        import torch

        with torch.no_grad():
            return _checked(self.sketcher, seen.to(self.device)).to(seen.device)

    def _tiles(self, height: int, width: int) -> list[tuple[Span, Span]]:
        """Cut a padded picture into tiles, or into a single one where it is small or must stay whole."""
        margin, rule = self.extractor.margin, self.extractor.size
        if margin is None:
            return [(spans(height, height, 0)[0], spans(width, width, 0)[0])]
        most = min(self._most, (max(_TILE, 4 * margin) + 2 * margin) ** 2)
        tall, wide = tile_shape(height, width, rule, margin, most)
        rows = spans(height, tall, margin, rule.multiple)
        columns = spans(width, wide, margin, rule.multiple)
        return [(row, column) for row in rows for column in columns]

    def _make_do(self, height: int, width: int, pixels: int, at_once: int) -> None:
        """Allow half of what was too much; where that leaves nothing to try, say so."""
        let_go()
        self._most = pixels * at_once // 2
        name = self.extractor.name
        if at_once > 1:
            self._tell(f"out of memory on {self.device}: {name} goes on with half as much at once")
            return
        if _pixels_of(self._tiles(height, width)[0]) < pixels:
            self._tell(f"out of memory on {self.device}: {name} goes on in smaller tiles")
            return
        why = (
            "which it cannot draw in tiles, as it looks at the whole"
            if self.extractor.margin is None
            else "not even in tiles"
        )
        raise DeviceError(
            f"{name} on {self.device}: not enough memory for {width}×{height} pixels, {why}; "
            "use a smaller --size, --half, or --device cpu"
        )


def sketch(sketcher: Sketcher, rule: SizeRule, rgb: torch.Tensor) -> torch.Tensor:
    """Draw pictures of any size as they are: pad them as the rule asks, draw, cut the padding off again.

    Args:
        sketcher: A loaded extractor.
        rule: That extractor's size rule.
        rgb: (N, 3, H, W) float32 in [0, 1], on the sketcher's device.

    Returns:
        (N, 1, H, W) float32 in [0, 1] on the same device: paper 1, ink 0.

    Raises:
        PluginError: The sketch has another shape than the padded picture.
    """
    import torch

    plan = rule.plan(rgb.shape[2], rgb.shape[3])
    with torch.no_grad():
        drawn: torch.Tensor = _checked(sketcher, _padded(rgb, plan))[..., *plan.crop]
    return drawn


def draws_arrays(sketcher: Sketcher) -> bool:
    """Return whether a sketcher draws arrays as well, so that torch is not needed."""
    return callable(getattr(sketcher, "draw_array", None))


def _empty(fitting: Any) -> Any:
    """Return what sketches of pictures (N, 3, H, W) are written to, (N, 1, H, W), of the same kind."""
    shape = (len(fitting), 1, *fitting.shape[2:])
    return np.empty(shape, np.float32) if isinstance(fitting, np.ndarray) else fitting.new_empty(shape)


def _checked(sketcher: Callable[[Any], Any], fitting: Any) -> Any:
    try:
        drawn = sketcher(fitting)
    except SystemExit as error:
        raise PluginError("the extractor ends the program (sys.exit); tell its authors") from error
    due = (len(fitting), 1, *fitting.shape[2:])
    if drawn.shape != due:
        raise PluginError(
            f"the extractor gave a sketch of shape {tuple(drawn.shape)} where {due} was due; tell its author"
        )
    return drawn


def _padded(rgb: torch.Tensor, plan: PadPlan) -> torch.Tensor:
    return rgb if plan.empty else rgb[:, :, plan.rows][..., plan.columns]


def _seen(fitting: Any, pieces: Sequence[tuple[int, Span, Span]]) -> Any:
    """Return what these pieces of (N, 3, H, W) show; a copy only where it must be one."""
    first, tall, wide = pieces[0]
    if (tall.length, wide.length) == fitting.shape[2:]:
        return fitting[first : first + len(pieces)]
    parts = [fitting[row, :, tall.seen, wide.seen] for row, tall, wide in pieces]
    if isinstance(fitting, np.ndarray):
        return np.stack(parts)
    import torch

    return torch.stack(parts)


def _stacked(pictures: Sequence[FloatArray]) -> torch.Tensor:
    """N times H×W×3 to (N, 3, H, W); a copy only where it must be one."""
    import torch

    pixels = pictures[0][None] if len(pictures) == 1 else np.stack(pictures)
    return torch.from_numpy(np.require(pixels, requirements="W")).permute(0, 3, 1, 2)


def _pixels(picture: torch.Tensor) -> FloatArray:
    """(3, H, W) on any device to H×W×3."""
    pixels: FloatArray = picture.detach().cpu().permute(1, 2, 0).contiguous().numpy()
    return pixels


def _finished(gray: FloatArray, fit: Fit) -> FloatArray:
    """Cut the padding off a sketch and bring it back to the size of its picture."""
    inside = gray[fit.plan.crop]
    return _resized(inside, fit.height, fit.width) if fit.is_scaled else inside


def _resized(values: FloatArray, height: int, width: int) -> FloatArray:
    """Scale H×W or H×W×3 in [0, 1]: by area downwards, by cubic curves upwards."""
    smaller = height * width < values.shape[0] * values.shape[1]
    way = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    changed = cv2.resize(np.ascontiguousarray(values), (width, height), interpolation=way)
    clipped: FloatArray = np.clip(changed, 0, 1, out=changed)
    return clipped


def _pixels_of(tile: tuple[Span, Span]) -> int:
    tall, wide = tile
    return tall.length * wide.length
