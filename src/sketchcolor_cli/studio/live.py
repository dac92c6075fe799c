"""Pages while they are painted on: what does not depend on a stroke is found once, the rest in stages.

First what the strokes fill by themselves, then the network's answer at a small size, then at the usual one;
each is a picture for the screen. This is where the worker computes; nothing here knows of requests.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np

from sketchcolor_cli.color.lab import rgb_to_lab
from sketchcolor_cli.coloring.guides.given import Given
from sketchcolor_cli.coloring.guides.points import painted, points_of
from sketchcolor_cli.coloring.page.line_layer import with_paper
from sketchcolor_cli.coloring.paint.composite import composite
from sketchcolor_cli.coloring.paint.upsample import ink_aware_upsample
from sketchcolor_cli.imaging.reading import read_picture
from sketchcolor_cli.networks.hints import spread
from sketchcolor_cli.studio.colorizers import Asking, Colorizers, asked_by
from sketchcolor_cli.studio.known import MIDDLE, SMALL, Known
from sketchcolor_cli.studio.look import stamp
from sketchcolor_cli.studio.screen import Shown, as_it_is, encoded, on_screen
from sketchcolor_cli.studio.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from sketchcolor_cli.coloring.colorizer import Colorizer, Painted, Prepared
    from sketchcolor_cli.coloring.page.paper_mask import PaperMask
    from sketchcolor_cli.coloring.page.stays import Stays
    from sketchcolor_cli.imaging.picture import Picture
    from sketchcolor_cli.studio.look import Look, PageFiles, PaintRequest

_KEPT = 4  # pages of which what was found is kept: the one that is painted on, its neighbours, and one more
_QUICKLY = 800  # widest picture of the first answer, which is soon replaced
_REACH = (0.15, 0.35)  # how sure a spread colour is where it is not seen at all, and where it is seen fully
_STRIDE = 4  # of the network, in pixels


class _Guided(NamedTuple):
    """A page with what its user gave for it.

    Attributes:
        known: What is known of it without that.
        given: Rough colouring and strokes.
        prepared: What is known, with what stays paper corrected by hand.
        masks: Where it stays paper beside the strokes.
    """

    known: Known
    given: Given
    prepared: Prepared
    masks: PaperMask | None

    @property
    def stays(self) -> Stays | None:
        """Why the page stays as it is; None where it is coloured."""
        return self.known.stays[bool(self.given)]


class Desk:
    """The pages that are at hand and the network that colours them; may be used by several threads.

    Attributes:
        colorizers: What colours them.
        turns: Who uses the network next.
        reading: Who reads and prepares a page next; one is enough to keep the network busy.
    """

    def __init__(self) -> None:
        self.turns, self.reading = Turns(), Turns()
        self.colorizers = Colorizers(self.turns)
        self._known: OrderedDict[Any, Known] = OrderedDict()
        self._layers: OrderedDict[Any, Picture] = OrderedDict()
        self._lock = threading.Lock()
        self._preparing: dict[Any, threading.Lock] = {}

    def open(self, page: PageFiles, look: Look) -> Known:
        """Return what is known of a page; found out now, or kept from before."""
        settings = look.chosen()
        key = stamp(page.path), settings.protect, settings.descreen, settings.colored_pages
        with self._lock:
            mine = self._preparing.setdefault(key, threading.Lock())
        try:
            with mine:  # two that want the same page wait for one
                return self._opened(page, look, key)
        finally:
            with self._lock:
                self._preparing.pop(key, None)

    def _opened(self, page: PageFiles, look: Look, key: Any) -> Known:
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        picture, color = read_picture(page.path), self.colorizers.get(look)
        unguided, guided = (color.stays(picture, guided=given) for given in (False, True))
        known = Known(color.prepare(with_paper(picture)), picture.shape, (unguided, guided), {})
        with self._lock:
            self._known[key] = known
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return known

    def stages(self, request: PaintRequest, names: Sequence[str]) -> Iterator[Shown]:
        """Give pictures of a page, each better than the one before; names are spread, quick and final.

        Raises:
            CancelledError: They are not wanted any more.
        """
        guided, wish = self._guided(request), request.wish
        if guided.stays:
            yield as_it_is(request.page, request.width)
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
                yield on_screen(name, guided.known, answer.result(), widest)
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
            asking = Asking(request.wish, request.urgency, begun[name] if signals else None)
            try:
                color = self.colorizers.get(request.look, request.seed, **changes).sharing(looked)
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
            yield as_it_is(request.page, width)._replace(stage="variant", seed=seeds[0])
            return
        side = SMALL if width <= MIDDLE else MIDDLE
        small = self.colorizers.get(request.look, work_size=side, base_size=side)
        asking = Asking(request.wish, request.urgency)
        # While the network is busy with one, the next is made ready for it.
        with ThreadPoolExecutor(2, thread_name_prefix="painting") as pool:
            answers = [pool.submit(_paint, color, guided, asking) for color in small.in_seeds(seeds)]
            for seed, answer in zip(seeds, answers, strict=True):
                yield on_screen("variant", guided.known, answer.result(), width)._replace(seed=seed)
                request.wish.check()

    def _guided(self, request: PaintRequest) -> _Guided:
        """Return a page with what its user gave for it; where it stays paper is as corrected by hand."""
        page = request.page
        known = self.open(page, request.look)
        strokes = painted(points_of(list(request.marks), "marks"), *known.size)
        given = Given(
            () if page.rough is None else self._layer(page.rough), () if strokes is None else strokes
        )
        prepared = known.prepared
        if page.mask is not None:
            prepared = prepared.corrected(self._layer(page.mask), known.size)
        return _Guided(known, given, prepared, prepared.but_marked(prepared.masks, given))

    def _layer(self, path: Path) -> Picture:
        """Return a rough layer or a mask; the last few are kept."""
        key = stamp(path)
        with self._lock:
            if key in self._layers:
                return self._layers[key]
        picture = read_picture(path)
        with self._lock:
            self._layers[key] = picture
            while len(self._layers) > _KEPT:
                self._layers.popitem(last=False)
        return picture


def _paint(color: Colorizer, guided: _Guided, asking: Asking) -> Painted:
    with asked_by(asking):
        return color.paint_prepared(guided.prepared, guided.given)


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
    return Shown("spread", *encoded(np.dstack([laid, alpha])), (width, height))
