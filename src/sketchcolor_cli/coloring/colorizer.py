"""Colour one picture: paint at the network's size, the page's own ink over it at full size."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from sketchcolor_cli.color.luma import LUMA
from sketchcolor_cli.coloring.guides.areas import PointAreas
from sketchcolor_cli.coloring.guides.given import Given
from sketchcolor_cli.coloring.guides.layer import rgb_and_mask
from sketchcolor_cli.coloring.guides.masks import but_marked, corrected
from sketchcolor_cli.coloring.guides.matching import SheetMatcher
from sketchcolor_cli.coloring.guides.palette import lab_of
from sketchcolor_cli.coloring.page import paper_mask, screentone
from sketchcolor_cli.coloring.page.colored import OwnColors, own_colors
from sketchcolor_cli.coloring.page.colored_ink import ColoredInk, colored_ink
from sketchcolor_cli.coloring.page.light import evened
from sketchcolor_cli.coloring.page.line_layer import with_paper
from sketchcolor_cli.coloring.page.stays import Stays, why_it_stays
from sketchcolor_cli.coloring.paint.composite import composite, composite_bands
from sketchcolor_cli.coloring.painter import Painter
from sketchcolor_cli.coloring.settings import ColoredPages, ColorizeSettings
from sketchcolor_cli.compute import deadline
from sketchcolor_cli.errors import UsageError
from sketchcolor_cli.imaging.picture import Picture, gray_as_rgb, rows_on_paper
from sketchcolor_cli.imaging.resize import Copies, shrink_by
from sketchcolor_cli.imaging.rows import Rows, in_bands
from sketchcolor_cli.imaging.sizes import page_side
from sketchcolor_cli.networks.onnx_match import OnnxMatch
from sketchcolor_cli.networks.sheets import lay_out

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from sketchcolor_cli.coloring.guides.alike import Alike
    from sketchcolor_cli.coloring.guides.matching import Places
    from sketchcolor_cli.networks.base import ColorNet
    from sketchcolor_cli.networks.forward import Forward, MatchForward
    from sketchcolor_cli.networks.matcher import Matcher

    Plane = NDArray[np.float32]
    Hint = NDArray[np.float32]

_TONE_SIDE = 1800  # longer side of the copy in which screentone is smoothed for the network


class Shown(Copies):
    """What the network is shown of a page: not too large, in even light, without screentone."""

    @cached_property
    def areas(self) -> PointAreas:
        """The areas between its lines, which points fill; found when they are first asked for."""
        return PointAreas(self.whole)


@dataclass(frozen=True, eq=False)
class Prepared:
    """What is found out about a page before the network sees it, in any thread.

    Attributes:
        gray: (H, W), the page on white paper; paper 1 and ink 0.
        shown: What of it the network is shown.
        masks: Where the page stays paper; None for nowhere.
        own: The colours that the page has already and keeps; None for none.
    """

    gray: Plane
    shown: Shown
    masks: paper_mask.PaperMask | None
    own: OwnColors | ColoredInk | None = None

    def corrected(self, painted: Picture, page: tuple[int, int]) -> Prepared:
        """Return the same of a page (height, width) of which a painted mask says where it stays paper."""
        return replace(self, masks=corrected(self.masks, painted, page))

    def but_marked(self, masks: paper_mask.PaperMask | None, given: Given) -> paper_mask.PaperMask | None:
        """Return what of ``masks`` stays paper beside the points and strokes that were given."""
        if masks is None or not given.has_strokes_alone:
            return masks
        labels = self.shown.areas.labels
        return but_marked(masks, given.strokes_at(labels.shape), labels)

    @property
    def nbytes(self) -> int:
        """How many bytes of memory it takes."""
        seen = self.shown.whole
        return self.gray.nbytes + (0 if seen is self.gray else seen.nbytes)


@dataclass(frozen=True, eq=False)
class Painted:
    """A page and the paint for it, not yet laid together.

    Attributes:
        gray: (H, W), the page on white paper; paper 1 and ink 0.
        sketch: (h, w), the smaller copy that the paint was made for.
        paint: (h, w, 3), Lab; what is seen where there is no ink.
        masks: Where the page stays paper; None for nowhere.
        own: The colours that the page had and keeps; None for none.
    """

    gray: Plane
    sketch: Plane
    paint: NDArray[np.float32]
    masks: paper_mask.PaperMask | None = None
    own: OwnColors | ColoredInk | None = None

    def over(self, page: Picture) -> Picture:
        """Return the page that this was painted for, coloured."""
        return page.but(rgb=self.rgb(), gray=False)

    def without_colors(self, page: Picture) -> Picture:
        """Return the page that this was painted for as one plane, once its colours are wanted no more."""
        return page.but(rgb=gray_as_rgb(self.gray))

    def rgb(self) -> NDArray[np.float32]:
        """Return the coloured page, (H, W, 3) in [0, 1]; ink pixels are the page's own."""
        deadline.check()
        rgb = self._under(self.gray)
        return rgb if self.own is None else self.own.over(rgb)

    def bands(self) -> Iterator[NDArray[np.float32]]:
        """Give the rows of :meth:`rgb`, from the top and some at a time.

        Raises:
            TimeLimitError: The time for it is over.
        """
        top = 0
        for band in composite_bands(self.gray, self.paint, self.sketch, self._paper()):
            yield band if self.own is None else self.own.over(band, top)
            top += len(band)

    def bare(self) -> NDArray[np.float32]:
        """Return the paint alone, (H, W, 3) RGB in [0, 1], at the page's size."""
        return self._under(np.ones_like(self.gray))

    def _under(self, gray: Plane) -> NDArray[np.float32]:
        return composite(gray, self.paint, self.sketch, self._paper())

    def _paper(self) -> Plane | None:
        return self.masks.both() if self.masks else None


@dataclass(frozen=True, eq=False)
class Sheet:
    """Another drawing in the right colours, as a colorizer sees it.

    Attributes:
        shown: (S, S, 4), RGB and mask, as the network takes it.
        places: What of it a page is matched to; None without a matcher.
    """

    shown: Hint
    places: Places | None


class Colorizer:
    """A network ready to colour pictures on one device; equal pictures give equal results.

    ``sheets`` are other drawings in the colours that all pages are to have, such as character sheets;
    ``palette`` (K, 3), RGB in [0, 1], are the colours that results are pulled to. With a ``matcher``
    the regions of a page take the colours of the places on the sheets that they match; with ``alike``
    areas without points take those of areas with some that look alike.

    Raises:
        UsageError: sheets are given, and the network takes none.
    """

    def __init__(
        self,
        model: ColorNet | Forward,
        device: str,
        settings: ColorizeSettings | None = None,
        *,
        sheets: Sequence[Picture] = (),
        palette: NDArray[np.float32] | None = None,
        matcher: Matcher | OnnxMatch | None = None,
        alike: Alike | None = None,
    ) -> None:
        self.settings = settings or ColorizeSettings()
        if sheets:
            need_sheets(model)
        self._matcher = None if matcher is None else SheetMatcher(match_forward(matcher, device), ())
        self._alike = alike
        self.matched: SheetMatcher | None = None
        self._sheets: tuple[Sheet, ...] = ()
        colors = None if palette is None else lab_of(palette)
        self.painter = Painter(model, device, self.settings, palette=colors)
        self._show([self.sheet_of(sheet) for sheet in sheets])

    def sheet_of(self, picture: Picture) -> Sheet:
        """Return a drawing in the right colours as a sheet; see :meth:`with_sheets`."""
        layer = rgb_and_mask(picture)
        places = None if self._matcher is None else self._matcher.places(layer)
        return Sheet(lay_out([layer], self.painter.model.sheet_size), places)

    def with_sheets(self, sheets: Sequence[Sheet]) -> Colorizer:
        """Return a colorizer with further sheets, which :meth:`sheet_of` of this one made."""
        if not sheets:
            return self
        other = copy(self)
        other._show([*self._sheets, *sheets])
        return other

    def _show(self, sheets: Sequence[Sheet]) -> None:
        """Let the network and the matcher see these sheets."""
        if not sheets:
            return
        self._sheets = tuple(sheets)
        self.painter = self.painter.with_sheet(np.concatenate([sheet.shown for sheet in sheets], 1))
        known = (sheet.places for sheet in sheets)
        places = [place for place in known if place is not None and len(place.keys)]  # others are transparent
        self.matched = self._matcher.beside(places) if self._matcher is not None and places else None

    def sharing(self, looked: list[Any]) -> Colorizer:
        """Return one that does but once with others, whose list this is, what no seed or size changes."""
        other = copy(self)
        other.painter = self.painter.sharing(looked)
        return other

    def in_seeds(self, seeds: Iterable[int]) -> Iterator[Colorizer]:
        """Give colorizers that draw colours by these seeds, for the same page one after the other."""
        for painter in self.painter.in_seeds(seeds):
            other = copy(self)
            other.settings, other.painter = painter.settings, painter
            yield other

    def __call__(
        self,
        page: Picture,
        reference: Picture | Sequence[Picture] | None = None,
        hints: Picture | Sequence[Picture] | None = None,
        *,
        latent: NDArray[np.float32] | None = None,
    ) -> Picture:
        """Return the coloured page: same size, depth and transparency; ``page`` itself if it stays as it is.

        ``reference`` is a rough colouring of the same page, ``hints`` a transparent layer with strokes of
        colour; each in any size, stretched over the page, and where it is transparent it says nothing. Of
        several the first counts where they overlap. Hints take precedence over references; without any,
        each fills the areas between lines that it is in.
        ``latent`` (Z,) replaces the vector that the network would read from all that.

        A layer of ink on transparency comes back on paper. Colours that a page has already stay, and count
        as a reference after the others.

        Raises:
            UsageError: ``hints`` has no transparent parts.
        """
        given = Given(reference, hints)
        if self.stays(page, guided=bool(given or latent is not None)):
            return page
        page = with_paper(page)
        return self.paint_prepared(self.prepare(page), given, latent).over(page)

    def latent(
        self,
        page: Picture,
        reference: Picture | Sequence[Picture] | None = None,
        hints: Picture | Sequence[Picture] | None = None,
    ) -> NDArray[np.float32]:
        """Return the latent vector z, (Z,), that the network reads for a page; see :meth:`__call__`.

        Raises:
            UsageError: The network has none.
        """
        z = self.painter.latent(luma(page), Given(reference, hints).hint_at)
        if z is None or not self.painter.model.z_size:
            raise UsageError("this model has no latent vector z; train one with --preset thesis")
        return z

    def stays(self, page: Picture, *, guided: bool = False) -> Stays | None:
        """Return why a page is given back as it is; None for one that is to be coloured.

        ``guided``: whether the user gives colours for it, which are wanted whatever is drawn.
        """
        if self.settings.colored_pages is ColoredPages.REDO:
            return None
        return why_it_stays(page, luma(page), guided=guided)

    def paint(
        self,
        page: Picture,
        reference: Picture | Sequence[Picture] | None = None,
        hints: Picture | Sequence[Picture] | None = None,
        *,
        latent: NDArray[np.float32] | None = None,
        prepared: Prepared | None = None,
    ) -> Painted:
        """Return the paint for a page, for which see :meth:`__call__`.

        ``prepared`` is what :meth:`prepare` found, where that was called before.
        """
        given = Given(reference, hints)
        return self.paint_prepared(prepared or self.prepare(page), given, latent)

    def paint_prepared(
        self, known: Prepared, given: Given, latent: NDArray[np.float32] | None = None
    ) -> Painted:
        """Return the paint for a page of which :meth:`prepare` found what there is to know.

        What was ``given`` may be used again, for other settings; see :meth:`__call__` for the rest.
        """
        size = self.painter.model.z_size
        if latent is not None and len(latent) != size:
            raise UsageError(
                f"the latent vector z has {len(latent)} numbers, and the model takes {size or 'none'}"
            )
        regions = None if self.matched is None else self.matched(known.shown.whole)

        @cache  # a size is asked for several times
        def matched_at(shape: tuple[int, ...]) -> Hint:
            assert regions is not None  # noqa: S101  (it is used then alone)
            return regions.hint(shape, given.hint_at(shape))

        deadline.check()
        hint_at = given.hint_at if regions is None else matched_at
        own_at = None if known.own is None else Given(known.own.as_hint()).hint_at
        masks = known.but_marked(known.masks, given)
        fill_at = given.fill_at(known.shown.areas, self._alike, masks) if given.has_strokes_alone else None
        sketch, paint = self.painter(known.shown, hint_at, latent, own_at, fill_at)
        return Painted(known.gray, sketch, paint, masks, known.own)

    def expect_marks(self, known: Prepared) -> None:
        """Find what the first points or strokes on a page would have to wait for; ``known`` keeps it."""
        known.shown.areas.expect_marks()
        if self._alike is not None:
            self._alike.expect(known.shown.areas)

    def prepare(self, page: Picture) -> Prepared:
        """Find out what stays paper and where screentone is; the network has no part in it."""
        deadline.check()
        gray = luma(page)
        is_new = self.settings.colored_pages is ColoredPages.REDO
        own = None if is_new else colored_ink(page) or own_colors(page)
        if own is not None:
            gray = own.outlines(gray)
        even = evened(gray)
        seen = shrink_by(even, _TONE_SIDE / page_side(*gray.shape))
        with ThreadPoolExecutor(1) as pool:  # neither needs the other, and each keeps one core busy
            looking = pool.submit(screentone.find_screentone, seen)
            masks = paper_mask.find_paper(even, self.settings.protect)
            found = looking.result()
        deadline.check()
        letters = None if masks is None else masks.bubbles
        smooth = screentone.smoothed(seen, found, letters)
        if smooth is not None and self.settings.descreen:
            whole = smooth if seen is gray else screentone.descreened(gray, letters)
            gray = gray if whole is None else whole
        return Prepared(gray, Shown(seen if smooth is None else smooth), masks, own)


def match_forward(matcher: Matcher | OnnxMatch, device: str) -> MatchForward:
    """Return a matcher as it is computed on a device; one of ONNX Runtime is so already."""
    if isinstance(matcher, OnnxMatch):
        return matcher
    from sketchcolor_cli.networks.torch_match import TorchMatch  # imports torch

    return TorchMatch(matcher, device)


def need_sheets(model: ColorNet | Forward) -> None:
    """Refuse a network that takes no sheets.

    Raises:
        UsageError: It takes none.
    """
    if not model.sheet_size:
        raise UsageError("this model takes no character sheets; give a rough colouring with --reference")


def luma(page: Picture) -> Plane:
    """Return the BT.709 luma of the page on white paper; of a grey page its own values, to the last bit."""
    rgb = rows_on_paper(page)
    if page.gray and not isinstance(rgb, Rows):
        return np.ascontiguousarray(rgb[..., 0])
    gray = np.empty(page.shape, np.float32)
    for rows in in_bands(rgb):  # few at a time, as channels in one memory are copied for it
        if page.gray:
            gray[rows] = rgb[rows][..., 0]
        else:
            np.matmul(np.ascontiguousarray(rgb[rows]), LUMA, out=gray[rows])
    return gray
