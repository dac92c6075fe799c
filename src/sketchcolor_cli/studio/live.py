"""Pages while they are painted on: what does not depend on a stroke is found once, the rest in stages.

First what the strokes fill by themselves, then the network's answer at a small size, then at the usual one;
each is a picture for the screen. This is where the worker computes; nothing here knows of requests.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np
from PIL import Image

from sketchcolor_cli import environment
from sketchcolor_cli.color.lab import rgb_to_lab
from sketchcolor_cli.coloring.colorizer import Colorizer, Painted, Prepared
from sketchcolor_cli.coloring.guides.given import Given
from sketchcolor_cli.coloring.guides.masks import corrected
from sketchcolor_cli.coloring.guides.points import painted, points_of
from sketchcolor_cli.coloring.page.line_layer import with_paper
from sketchcolor_cli.coloring.paint.composite import composite
from sketchcolor_cli.coloring.paint.upsample import ink_aware_upsample
from sketchcolor_cli.coloring.settings import ColoredPages, ColorizeSettings, Guess, Protect
from sketchcolor_cli.compute import devices
from sketchcolor_cli.errors import ImageError
from sketchcolor_cli.imaging.images import Picture, on_paper, read_picture
from sketchcolor_cli.imaging.resize import shrink_to_width
from sketchcolor_cli.networks.backend import matcher_beside
from sketchcolor_cli.networks.hints import spread
from sketchcolor_cli.networks.onnx_forward import OnnxForward
from sketchcolor_cli.studio.turns import LIVE, Turns, Wish

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from concurrent.futures import Future

    from numpy.typing import NDArray

    from sketchcolor_cli.coloring.page.paper_mask import PaperMask
    from sketchcolor_cli.coloring.page.stays import Stays
    from sketchcolor_cli.networks.base import ColorNet
    from sketchcolor_cli.networks.forward import Forward
    from sketchcolor_cli.networks.matcher import Matcher
    from sketchcolor_cli.networks.onnx_match import OnnxMatch

    Plane = NDArray[np.float32]
    Rgb = NDArray[np.float32]

SMALL = 256
"""Shorter side, in pixels, at which the first answer and small variants are computed."""
MIDDLE = 320
"""The same for variants that are wider than this, and for what strokes fill by themselves."""

_KEPT = 4  # pages of which what was found is kept: the one that is painted on, its neighbours, and one more
_COLORIZERS = 3  # settings for which one is kept; they share the network
_QUICKLY = 800  # widest picture of the first answer, which is soon replaced
_REACH = (0.15, 0.35)  # how sure a spread colour is where it is not seen at all, and where it is seen fully
_JPEG, _FULL = 82, 92  # quality of what is looked at; at its full size as JPEG
_WEBP = {"quality": 80, "alpha_quality": 60, "method": 0}  # of what is seen for a moment
_STRIDE = 4  # of the network, in pixels


class Shown(NamedTuple):
    """A picture for the screen.

    Attributes:
        stage: spread, quick, final or variant.
        data: An encoded picture.
        media: Its type.
        size: Width and height.
        seed: Of a variant.
    """

    stage: str
    data: bytes
    media: str
    size: tuple[int, int]
    seed: int | None = None


@dataclass(frozen=True)
class Look:
    """How pages are coloured, in plain values, as the server says it.

    Attributes:
        model: A model file.
        settings: Fields of ColorizeSettings.
        sheets: Files of character sheets.
        palette: (K, 3) RGB in [0, 1], or empty.
        device, backend: As the user said it.
    """

    model: str
    settings: tuple[tuple[str, Any], ...] = ()
    sheets: tuple[str, ...] = ()
    palette: tuple[tuple[float, float, float], ...] = ()
    device: str = "cpu"
    backend: str = "auto"

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Look:
        """Read one that came as JSON."""
        return cls(
            str(document["model"]),
            tuple(sorted(document.get("settings", {}).items())),
            tuple(document.get("sheets", ())),
            tuple((r, g, b) for r, g, b in document.get("palette", ())),
            str(document.get("device", "cpu")),
            str(document.get("backend", "auto")),
        )

    def chosen(self, **changes: Any) -> ColorizeSettings:
        """Return the settings."""
        given: dict[str, Any] = dict(self.settings) | changes
        kinds: dict[str, Any] = {"protect": Protect, "colored_pages": ColoredPages, "guess": Guess}
        values: dict[str, Any] = {name: kinds.get(name, _same)(value) for name, value in given.items()}
        return replace(ColorizeSettings(), **values)


@dataclass(frozen=True)
class PageFiles:
    """The files of a page.

    Attributes:
        path: The page.
        rough, mask: A rough colouring and a mask painted over it, or None.
    """

    path: Path
    rough: Path | None = None
    mask: Path | None = None

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> PageFiles:
        """Read one that came as JSON."""
        rough, mask = (Path(document[name]) if document.get(name) else None for name in ("rough", "mask"))
        return cls(Path(document["path"]), rough, mask)


@dataclass(eq=False)
class Known:
    """What is known of a page before anything is painted on it.

    Attributes:
        prepared: What stays paper, and what the network is shown.
        size: Height and width.
        stays: Why the page stays as it is without any guide, and with one; None where it is coloured.
        scaled: Smaller copies that were asked for, by width.
    """

    prepared: Prepared
    size: tuple[int, int]
    stays: tuple[Stays | None, Stays | None]
    scaled: dict[int, Plane]

    def expect_strokes(self) -> None:
        """Find out what the first stroke would have to wait for."""
        if not self.stays[True]:
            self.prepared.areas.expect_marks()
            for side in (SMALL, MIDDLE):
                self.at_side(side)

    def at_width(self, width: int) -> Plane:
        """Return the page, no wider than ``width``; kept, for the next picture has the same size."""
        if width not in self.scaled:
            gray = shrink_to_width(self.prepared.gray, width)
            if len(self.scaled) > 2:  # a window that is drawn larger asks for many
                self.scaled.pop(next(iter(self.scaled)))
            self.scaled[width] = gray
        return self.scaled[width]

    def at_side(self, side: int) -> Plane:
        """Return what the network is shown, its shorter side at most ``side``."""
        return self.prepared.copies.at(side / min(self.prepared.seen.shape))


@dataclass(frozen=True)
class PaintRequest:
    """What is asked for a page while it is painted on.

    Attributes:
        page: Its files.
        look: How it is coloured.
        marks: What was painted, as JSON has it.
        width: Of the pictures, in pixels, at most.
        wish: What may be taken back.
        seed: The page's own.
        urgency: How urgent it is.
    """

    page: PageFiles
    look: Look
    marks: Sequence[Any]
    width: int
    wish: Wish = field(default_factory=Wish)
    seed: int | None = None
    urgency: int = LIVE


class _Guided(NamedTuple):
    """A page with what its user gave for it.

    Attributes:
        known: What is known of it without that.
        given: Rough colouring and strokes.
        masks: Where it stays paper.
    """

    known: Known
    given: Given
    masks: PaperMask | None

    @property
    def stays(self) -> Stays | None:
        """Why the page stays as it is; None where it is coloured."""
        return self.known.stays[bool(self.given)]


class _Asking(NamedTuple):
    """For whom the network makes a pass.

    Attributes:
        wish: What may be taken back.
        urgency: How urgent it is.
        begun: Is set as it begins.
    """

    wish: Wish
    urgency: int
    begun: threading.Event | None = None


_ASKING = threading.local()  # now: that of the thread


class Desk:
    """The pages that are at hand and the network that colours them; may be used by several threads.

    Attributes:
        turns: Who uses the network next.
        reading: Who reads and prepares a page next; one is enough to keep the network busy.
    """

    def __init__(self) -> None:
        self.turns, self.reading = Turns(), Turns()
        self._known: OrderedDict[Any, Known] = OrderedDict()
        self._layers: OrderedDict[Any, Picture] = OrderedDict()
        self._colorizers: OrderedDict[Any, Colorizer] = OrderedDict()
        self._models: dict[Any, ColorNet | Forward] = {}
        self._matchers: dict[type, Matcher | OnnxMatch] = {}
        self._formats: dict[str, str] = {}
        self._lock = threading.Lock()
        self._preparing: dict[Any, threading.Lock] = {}

    def open(self, page: PageFiles, look: Look) -> Known:
        """Return what is known of a page; found out now, or kept from before."""
        settings = look.chosen()
        key = _stamp(page.path), settings.protect, settings.descreen, settings.colored_pages
        with self._lock:
            mine = self._preparing.setdefault(key, threading.Lock())
        with mine:  # two that want the same page wait for one
            with self._lock:
                if key in self._known:
                    self._known.move_to_end(key)
                    return self._known[key]
            picture, color = read_picture(page.path), self.colorizer(look)
            unguided, guided = (color.stays(picture, guided=given) for given in (False, True))
            known = Known(color.prepare(with_paper(picture)), picture.rgb.shape[:2], (unguided, guided), {})
            with self._lock:
                self._known[key] = known
                while len(self._known) > _KEPT:
                    self._known.popitem(last=False)
                self._preparing.pop(key, None)
        return known

    def stages(self, request: PaintRequest, names: Sequence[str]) -> Iterator[Shown]:
        """Give pictures of a page, each better than the one before; names are spread, quick and final.

        Raises:
            CancelledError: They are not wanted any more.
        """
        guided, wish = self._guided(request), request.wish
        if guided.stays:
            yield _as_it_is(request.page, request.width)
            return
        # While the network is busy with one answer the next is made ready for it, and this thread makes the
        # last one into a picture. What strokes fill by themselves is made first, alone: all else would take
        # the cores from it.
        with ThreadPoolExecutor(2, thread_name_prefix="painting") as pool:
            if "spread" in names and guided.given.has_strokes:
                yield _filled(guided)
                wish.check()
            for name, answer in self._begin(pool, guided, request, names):
                widest = min(request.width, _QUICKLY) if name == "quick" else request.width
                yield _on_screen(name, guided.known, answer.result(), widest)
                wish.check()

    def _begin(
        self, pool: ThreadPoolExecutor, guided: _Guided, request: PaintRequest, names: Sequence[str]
    ) -> list[tuple[str, Future[Painted]]]:
        """Begin with the network's answers, quick before final.

        Where colours are drawn an answer has two passes. The first is the same for both answers, so these
        follow each other.
        """
        sides = {name: side for name, side in (("quick", SMALL), ("final", 0)) if name in names}
        begun = {name: threading.Event() for name in sides}
        signals = bool(guided.given) and request.seed is None
        looked: list[Any] = []

        def paint(name: str) -> Painted:
            if name == "final" and "quick" in begun:
                begun["quick"].wait()
            side = sides[name]
            changes: dict[str, Any] = {"work_size": side, "base_size": side} if side else {}
            asking = _Asking(request.wish, request.urgency, begun[name] if signals else None)
            try:
                color = self.colorizer(request.look, request.seed, **changes).sharing(looked)
                return _paint(color, guided, asking)
            finally:
                begun[name].set()

        return [(name, pool.submit(paint, name)) for name in sides]

    def variants(self, request: PaintRequest, seeds: Sequence[int]) -> Iterator[Shown]:
        """Give a small picture of a page for each seed.

        Raises:
            CancelledError: They are not wanted any more.
        """
        guided, width = self._guided(request), request.width
        if guided.stays:
            yield _as_it_is(request.page, width)._replace(stage="variant", seed=seeds[0])
            return
        side = SMALL if width <= MIDDLE else MIDDLE
        small = self.colorizer(request.look, work_size=side, base_size=side)
        asking = _Asking(request.wish, request.urgency)
        # While the network is busy with one, the next is made ready for it.
        with ThreadPoolExecutor(2, thread_name_prefix="painting") as pool:
            answers = [pool.submit(_paint, color, guided, asking) for color in small.in_seeds(seeds)]
            for seed, answer in zip(seeds, answers, strict=True):
                yield _on_screen("variant", guided.known, answer.result(), width)._replace(seed=seed)
                request.wish.check()

    def colorizer(self, look: Look, seed: int | None = None, **changes: Any) -> Colorizer:
        """Return what colours pages so, or a page of this seed; the network is loaded once for all."""
        stamps = tuple(_stamp(Path(file)) for file in (look.model, *look.sheets))
        key = look, seed, tuple(sorted(changes.items())), stamps
        with self._lock:
            if key in self._colorizers:
                self._colorizers.move_to_end(key)
                return self._colorizers[key]
            device = devices.resolve(devices.for_backend(look.device, look.backend))
            model = self._model(look, device)
            sheets = [read_picture(Path(file)) for file in look.sheets]
            palette = np.array(look.palette, np.float32) if look.palette else None
            color = Colorizer(
                model,
                device,
                look.chosen(**changes).in_seed(seed),
                sheets=sheets,
                palette=palette,
                matcher=self._matcher(model) if sheets else None,
            )
            color.painter.passing = partial(self._pass, color.painter.model)
            is_soon_replaced = changes.get("work_size") in (SMALL, MIDDLE)  # so it may be a little less exact
            if is_soon_replaced and not isinstance(model, OnnxForward):
                color.painter.precision = self._fastest(device)
            self._colorizers[key] = color
            while len(self._colorizers) > _COLORIZERS * 2:
                self._colorizers.popitem(last=False)
            return color

    def _fastest(self, device: str) -> str:
        """Return the number format that is faster on a device; tried once."""
        if device not in self._formats:
            from sketchcolor_cli.compute import precision  # imports torch

            self._formats[device] = precision.choose(device)
        return self._formats[device]

    def _matcher(self, model: ColorNet | Forward) -> Matcher | OnnxMatch:
        kind = type(model)
        if kind not in self._matchers:
            self._matchers[kind] = matcher_beside(model)
        return self._matchers[kind]

    def _model(self, look: Look, device: str) -> ColorNet | Forward:
        """Return the network of a look; the last one is kept."""
        path = Path(look.model)
        key = _stamp(path), look.backend, device
        if key not in self._models:
            self._models.clear()
            network = environment.backends(look.backend, brief=True).load(path, device)
            self._models[key] = network if isinstance(network, OnnxForward) else _interruptible(network)
        return self._models[key]

    @contextmanager
    def _pass(self, network: Forward) -> Iterator[None]:
        """Hold a pass of the network; who does not say for whom it is has a turn already."""
        asking: _Asking | None = getattr(_ASKING, "now", None)
        if asking is None:
            yield
            return
        with self.turns.turn(asking.urgency, asking.wish):
            if asking.begun is not None:
                asking.begun.set()
            # torch asks between two layers, see _interruptible
            with asking.wish.ended_by(network.stop if isinstance(network, OnnxForward) else _nothing):
                yield

    def _guided(self, request: PaintRequest) -> _Guided:
        """Return a page with what its user gave for it; where it stays paper is as corrected by hand."""
        page = request.page
        known = self.open(page, request.look)
        strokes = painted(points_of(list(request.marks), "marks"), *known.size)
        given = Given(
            () if page.rough is None else self._layer(page.rough), () if strokes is None else strokes
        )
        masks = known.prepared.masks
        if page.mask is not None:
            masks = corrected(masks, self._layer(page.mask), known.size)
        return _Guided(known, given, masks)

    def _layer(self, path: Path) -> Picture:
        """Return a rough layer or a mask; the last few are kept."""
        key = _stamp(path)
        with self._lock:
            if key in self._layers:
                return self._layers[key]
        picture = read_picture(path)
        with self._lock:
            self._layers[key] = picture
            while len(self._layers) > _KEPT:
                self._layers.popitem(last=False)
        return picture


def _paint(color: Colorizer, guided: _Guided, asking: _Asking) -> Painted:
    _ASKING.now = asking
    try:
        done = color.paint_prepared(guided.known.prepared, guided.given)
    finally:
        _ASKING.now = None
    return replace(done, masks=guided.masks)


def _filled(guided: _Guided) -> Shown:
    """Return what strokes fill by themselves: their colours up to the lines around, under the ink."""
    sketch = guided.known.at_side(MIDDLE)
    height, width = (length - length % _STRIDE for length in sketch.shape)
    hint = guided.given.strokes_at(sketch.shape)[:height, :width]
    sketch = np.ascontiguousarray(sketch[:height, :width])
    filled = spread(sketch, hint, _STRIDE)
    least, most = _REACH
    seen = ((filled[..., 3] - least) / (most - least)).clip(0, 1)
    lab = rgb_to_lab(filled[..., :3])
    paper = None if guided.masks is None else guided.masks.both()
    laid = composite(sketch, ink_aware_upsample(lab, sketch), sketch, paper)
    alpha = cv2.resize(seen, (width, height), interpolation=cv2.INTER_LINEAR)
    if paper is not None:
        alpha = alpha * (1 - cv2.resize(paper, (width, height), interpolation=cv2.INTER_AREA))
    return Shown("spread", *_encoded(np.dstack([laid, alpha])), (width, height))


def _nothing() -> None:
    pass


def _same(value: Any) -> Any:
    return value


def masks_picture(known: Known) -> bytes:
    """Return what stays paper as a PNG: gutters green, bubbles red, the rest transparent."""
    masks = known.prepared.masks
    if masks is None:
        shape = (1, 1)
        return _png(np.zeros((*shape, 4), np.uint8))
    out = np.zeros((*masks.gutters.shape, 4), np.uint8)
    out[masks.gutters] = (51, 204, 77, 128)
    out[masks.bubbles] = (242, 77, 102, 128)
    return _png(out)


def _on_screen(stage: str, known: Known, done: Painted, width: int) -> Shown:
    """Return the coloured page at the size of the screen."""
    gray, own = known.at_width(width), done.own
    if own is not None and own.rgb.shape[:2] != gray.shape:
        own = replace(own, rgb=cv2.resize(own.rgb, gray.shape[::-1], interpolation=cv2.INTER_AREA))
    rgb = replace(done, gray=gray, own=own).rgb()
    quality = _FULL if rgb.shape[1] == known.size[1] else _JPEG
    return Shown(stage, *_encoded(rgb, quality), (rgb.shape[1], rgb.shape[0]))


def _as_it_is(page: PageFiles, width: int) -> Shown:
    """Return a page that stays as it is, at the size of the screen."""
    rgb = shrink_to_width(on_paper(read_picture(page.path)), width)
    return Shown("final", *_encoded(rgb), (rgb.shape[1], rgb.shape[0]))


def _encoded(values: Rgb, quality: int = _JPEG) -> tuple[bytes, str]:
    """Return RGB as JPEG, RGBA as WebP, and the type."""
    samples = cv2.convertScaleAbs(values, alpha=255)
    if samples.shape[2] == 4:
        buffer = BytesIO()
        Image.fromarray(samples).save(buffer, "WEBP", **_WEBP)
        return buffer.getvalue(), "image/webp"
    _, data = cv2.imencode(
        ".jpg", cv2.cvtColor(samples, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    return data.tobytes(), "image/jpeg"


def _png(samples: NDArray[np.uint8]) -> bytes:
    buffer = BytesIO()
    Image.fromarray(samples).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _stamp(path: Path) -> tuple[str, int, int]:
    """Return what changes when a file does.

    Raises:
        ImageError: It cannot be looked at.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise ImageError(f"{path}: cannot be read ({error.strerror}); check the name") from error
    return str(path), status.st_mtime_ns, status.st_size


def _interruptible(network: Any) -> Any:
    """Let passes of a network end between two layers when nobody wants them any more."""
    for module in network.modules():
        module.register_forward_pre_hook(_check_wish)
    return network


def _check_wish(*_: object) -> None:
    asking: _Asking | None = getattr(_ASKING, "now", None)
    if asking is not None:
        asking.wish.check()
