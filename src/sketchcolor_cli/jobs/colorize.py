"""Colouring sketches and manga pages: one page's work, and the run over all files of a request."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, partial
from typing import TYPE_CHECKING, Any

from sketchcolor_cli import __version__, environment
from sketchcolor_cli.compute import devices
from sketchcolor_cli.errors import SketchcolorError, WorklistError
from sketchcolor_cli.jobs.batch import run_batch_over
from sketchcolor_cli.jobs.carrying import Around, CarriedSheets
from sketchcolor_cli.jobs.fallbacks import Fallbacks
from sketchcolor_cli.jobs.fingerprint import fingerprint, of_content
from sketchcolor_cli.jobs.guides import PageGuides
from sketchcolor_cli.jobs.latents import PageLatents
from sketchcolor_cli.jobs.outcome import Note, silent
from sketchcolor_cli.jobs.outputs import extras_place, write_page
from sketchcolor_cli.jobs.pipeline import Steps
from sketchcolor_cli.jobs.plan import pdf_settings_of
from sketchcolor_cli.jobs.series import drifts
from sketchcolor_cli.jobs.strips import Strips
from sketchcolor_cli.networks.registry import MATCHER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from sketchcolor_cli.coloring.colorizer import Colorizer, Painted, Prepared
    from sketchcolor_cli.coloring.guides.alike import Alike
    from sketchcolor_cli.coloring.page.stays import Stays
    from sketchcolor_cli.coloring.settings import ColorizeSettings
    from sketchcolor_cli.files.worklist import Job
    from sketchcolor_cli.imaging.picture import Picture
    from sketchcolor_cli.jobs.outcome import Outcome, Progress
    from sketchcolor_cli.jobs.requests import ColorizeRequest
    from sketchcolor_cli.jobs.strips import Strip
    from sketchcolor_cli.networks.base import ColorNet
    from sketchcolor_cli.networks.forward import Forward
    from sketchcolor_cli.networks.matcher import Matcher
    from sketchcolor_cli.networks.onnx_match import OnnxMatch

_COLORIZERS = 8  # that are kept, each with its copy of the sheets
_BANDS = 8  # parts of a page that are painted one by one where memory is short


def colorize(request: ColorizeRequest, progress: Progress = silent) -> Outcome:
    """Colour sketches and manga pages; ink and lettering stay exactly as they are, at full size.

    >>> from sketchcolor_cli import ColorizeRequest, colorize
    >>> outcome = colorize(ColorizeRequest.of(inputs=["pages"], output="colored", seed=5))
    >>> len(outcome.done), [failure.message for failure in outcome.failed]

    Args:
        request: The pages, how they are coloured, and where results go.
        progress: Called in this thread with each :class:`Event`, and with what is loaded, begun and noted.

    Returns:
        What became of each page. A page that fails is in ``failed``, and the rest goes on. The same request
        again does what is not done yet.

    Raises:
        SketchcolorError: Nothing can be done: an input or the model is missing, results are there already.
    """
    request = request.for_one_file()
    outcome = run_batch_over(request, ColorizeWork(request), request.model, progress)
    if request.guides.series is not None and outcome.is_whole and not request.run.watch:
        try:
            outcome.drift = drifts(request.output, request.guides.palette)
        except WorklistError:  # there are books alone
            pass
        except SketchcolorError as problem:  # the pages are done all the same
            progress(Note(f"how far colours move is not known: {problem}"))
    return outcome


@dataclass(frozen=True)
class ColorizeWork:
    """What is done with each page of a request; plain values, from which any process can load the network."""

    request: ColorizeRequest

    @property
    def device(self) -> str:
        """Where to compute, as the user said it."""
        return devices.for_backend(self.request.device, self.request.backend)

    @cached_property
    def guides(self) -> tuple[PageGuides, PageGuides]:
        """The references and the hints of pages."""
        given = self.request.guides
        return PageGuides.given("reference", given.references), PageGuides.given("hints", given.hints)

    @cached_property
    def masks(self) -> PageGuides:
        """The masks of pages."""
        given = self.request.guides.masks
        return PageGuides.without_points("mask", () if given is None else (given,))

    def settings_among(self, pictures: Sequence[Job]) -> Callable[[Job], str]:
        """Return what gives the fingerprint of what a page's colours depend on."""
        guides, around = self.request.guides, Around(pictures, self._settings_of)
        if not (guides.carry or guides.sequence):
            return self._settings_of

        def settings_of(job: Job) -> str:
            before = around.before(job, self._will_be_there) if guides.carry else []
            keys = around.keys(job) if guides.sequence else []
            return fingerprint(self._settings_of(job), before, keys)

        return settings_of

    def _will_be_there(self, job: Job) -> bool:
        """Return whether a page is done by this run, or was by another."""
        only = self.request.run.only
        return not only or job.source in only or job.is_there()

    def _settings_of(self, job: Job) -> str:
        """Return the fingerprint of what colours a page by itself."""
        request = self.request
        guides = [guides.files_of(job, request.output) for guides in (*self.guides, self.masks)]
        decisive = {name: of_content(value) for name, value in request.decisive().items()}
        decisive["model"] = environment.model_file(request.model)
        if request.guides.shows_sheets or any(guides[1]):
            decisive["matcher"] = MATCHER
        return fingerprint(__version__, decisive, guides, pdf_settings_of(job, request.pdf))

    def missing(self, jobs: Sequence[Job]) -> list[str]:
        """Return a line for references and for hints, where pages lack theirs."""
        return [line for guides in self.guides for line in guides.missing(jobs, self.request.output)]

    def beside(self, job: Job) -> Path | None:
        """Return the path whose endings flats, layers and previews of masks have, where any are made."""
        request = self.request
        if not (request.extras.flats or request.extras.layers or request.debug_masks):
            return None
        return extras_place(job, request.output).with_suffix("")

    def steps(self, device: str, note: Callable[[str], None]) -> Steps[Job, Page, PaintedPage]:
        """Load the network and return how a page is read, coloured and written."""
        pages = PageColorizer(self, device, note)
        return Steps(
            read=pages.read,
            compute=pages.paint,
            write=pages.write,
            weight=pages.weight,
            in_order=self.request.guides.carry,
            around=_strip_around,
            announce=pages.announce,
        )


@dataclass(frozen=True, eq=False)
class Page:
    """A page with what helps to colour it; one that stays as it is has nothing prepared.

    ``seed`` is its own, where its hints name one; ``strip`` is what it was cut out of.
    """

    job: Job
    picture: Picture
    references: tuple[Picture, ...]
    hints: tuple[Picture, ...]
    prepared: Prepared | None
    stays: Stays | None
    seed: int | None = None
    strip: Strip | None = None


@dataclass(frozen=True, eq=False)
class PaintedPage:
    """A page and the paint for it; None for one that stays as it is."""

    page: Page
    paint: Painted | None


class PageColorizer:
    """A network that colours pages of one request: reads them, paints them, and writes them.

    Reading and writing may go on in other threads while pages are painted. Where memory runs out, a page is
    painted in bands, and at last on the processor.
    """

    def __init__(self, work: ColorizeWork, device: str, note: Callable[[str], None]) -> None:
        """Load the network and read what is for all pages.

        Raises:
            CheckpointError: The model cannot be read.
            SketchcolorError: A sheet, the palette, or what else is for all pages cannot be read.
        """
        from sketchcolor_cli.coloring.guides.palette_files import read_palette
        from sketchcolor_cli.imaging.reading import read_picture

        request = self._request = work.request
        self._read_picture = read_picture
        references, hints = work.guides
        self._references = references.reader(request.output, read_picture)
        self._hints = hints.reader(request.output, read_picture)
        self._masks = work.masks.reader(request.output, read_picture)
        self._seed_of = partial(hints.seed_of, output=request.output)
        self._palette = None if request.guides.palette is None else read_palette(request.guides.palette)
        self._sheets = [read_picture(path) for path in request.guides.sheets]
        self._latents = PageLatents(
            request.model, request.guides.latents, request.saved_latents, request.output
        )
        guides = request.guides
        self._load_network = environment.backends(request.backend, note).load
        self._matchers: dict[str, Matcher | OnnxMatch] = {}
        self._alike: dict[str, Alike] = {}
        self._carried = CarriedSheets(note, carry=guides.carry, sequence=guides.sequence)
        self._networks: dict[str, ColorNet | Forward] = {}
        # A fallback is loaded when it is first needed; pages with seeds of their own have one each.
        self._colorizer_of = lru_cache(_COLORIZERS)(self._load)
        self._colorizer = self._colorizer_of(device, request.colors)
        self._fallbacks = Fallbacks(self._ways(device), note)
        self._strips = Strips(
            lambda job: read_picture(job.reads, job.source), partial(_is_free, work), self._colorizer
        )
        self._painted_strip: tuple[Any, ...] = ()

    def announce(self, jobs: Sequence[Job]) -> None:
        """Take note of the pages among which strips are to be found."""
        self._carried.announce(jobs)
        if self._request.colors.strips and self._request.guides.latents is None:
            self._strips.announce(jobs)

    def read(self, job: Job) -> Page:
        """Read a page and what helps to colour it, and find out what needs no network."""
        from sketchcolor_cli.coloring.page.line_layer import with_paper
        from sketchcolor_cli.imaging.picture import gray_as_rgb

        strip = self._strips.of(job)  # first, as huge pages are read for it, one at a time
        picture = self._strips.picture(job)
        references, hints = self._references(job, picture), self._hints(job, picture)
        stays = self._colorizer.stays(picture, guided=bool(references or hints))
        picture = picture if stays else with_paper(picture)
        prepared = None if stays else self._prepared(job, picture)
        if prepared is not None and prepared.own is None and self._request.saved_latents is None:
            picture = picture.but(rgb=gray_as_rgb(prepared.gray))  # its colours are wanted no more
        strip = None if stays else strip
        return Page(job, picture, references, hints, prepared, stays, self._seed_of(job), strip)

    def _prepared(self, job: Job, picture: Picture) -> Prepared:
        """Find out what needs no network, and correct what stays paper by the page's masks."""
        prepared = self._colorizer.prepare(picture)
        for mask in self._masks(job, picture):
            prepared = prepared.corrected(mask, picture.shape)
        return prepared

    def paint(self, pages: Sequence[Page]) -> list[PaintedPage]:
        """Do what the network has a part in."""
        return [self._painted(page) for page in pages]

    def _painted(self, page: Page) -> PaintedPage:
        for attempt in self._fallbacks.attempts(str(page.job.source)):
            with attempt as (device, settings):
                return self._paint_with(device, settings, page)
        raise MemoryError

    def write(self, job: Job, painted: PaintedPage) -> Mapping[str, Any] | None:
        """Lay the page's own ink over the paint, make what is asked for beside it, and write it all."""
        from sketchcolor_cli.coloring.extras.outputs import Colored, with_extras

        page, paint = painted.page, painted.paint
        if paint is None:
            done = Colored(page.picture, stays=page.stays)
        else:
            palette = self._colorizer.painter.palette
            done = with_extras(page.picture, paint, page.hints, self._request.extras, palette)
        return write_page(job, done, self._request)

    def weight(self, page: Page) -> int:
        """Return about how many bytes a page takes."""
        return page.picture.nbytes + (page.prepared.nbytes if page.prepared else 0)

    def _load(self, device: str, settings: ColorizeSettings) -> Colorizer:
        from sketchcolor_cli.coloring.colorizer import Colorizer, match_forward, need_sheets
        from sketchcolor_cli.coloring.guides.alike import Alike

        network, shows_sheets = self._networks.get(device), self._request.guides.shows_sheets
        if network is None:
            network = self._load_network(environment.model_file(self._request.model), device)
            if shows_sheets:
                need_sheets(network)
            self._networks[device] = network  # pages with seeds of their own share it
            self._alike[device] = Alike(lambda: match_forward(self._matcher(device), device))
        return Colorizer(
            network,
            device,
            settings,
            sheets=self._sheets,
            palette=self._palette,
            matcher=self._matcher(device) if shows_sheets else None,
            alike=self._alike[device],
        )

    def _matcher(self, device: str) -> Matcher | OnnxMatch:
        """Return the matcher beside the network of a device, loaded when it is first needed."""
        from sketchcolor_cli.networks.backend import matcher_beside

        if device not in self._matchers:
            self._matchers[device] = matcher_beside(self._networks[device])
        return self._matchers[device]

    def _ways(self, device: str) -> list[tuple[str, tuple[str, ColorizeSettings]]]:
        """Return the devices and settings that a page is tried with, each with what that is called."""
        whole = self._request.colors
        bands = replace(whole, max_pixels=whole.max_pixels // _BANDS)
        ways = [("as asked", (device, whole)), ("in bands", (device, bands))]
        if device != "cpu":
            ways += [("on the processor", ("cpu", whole)), ("on the processor in bands", ("cpu", bands))]
        return ways

    def _paint_with(self, device: str, settings: ColorizeSettings, page: Page) -> PaintedPage:
        colorizer = self._colorizer_of(device, settings.in_seed(page.seed))
        guides = page.references, page.hints
        self._latents.save(page.job, colorizer, page.picture, *guides)
        if page.prepared is None:
            return PaintedPage(page, None)
        if page.strip is not None:
            whole = self._strip_painted(colorizer, page.strip)
            return _painted(page, page.strip.cut_out(whole, page.job, page.prepared))
        colorizer = colorizer.with_sheets(self._carried.of(page.job, colorizer))
        latent = self._latents.of(page.job)
        paint = colorizer.paint(page.picture, *guides, latent=latent, prepared=page.prepared)
        return _painted(page, paint)

    def _strip_painted(self, colorizer: Colorizer, strip: Strip) -> Painted:
        """Return the paint for a strip; it is painted once for all its pages."""
        known = self._painted_strip
        if not known or known[:2] != (colorizer, strip):
            prepared = strip.prepared
            from sketchcolor_cli.imaging.picture import Picture

            picture = Picture(rgb=prepared.gray[..., None], gray=True)
            carried = self._carried.of(strip.first, colorizer)
            self._painted_strip = (
                colorizer,
                strip,
                colorizer.with_sheets(carried).paint(picture, prepared=prepared),
            )
        painted: Painted = self._painted_strip[2]
        return painted


def _painted(page: Page, paint: Painted) -> PaintedPage:
    return PaintedPage(replace(page, picture=paint.without_colors(page.picture)), paint)


def _strip_around(painted: PaintedPage) -> list[Path]:
    """Return the other slices of the strip that a page was painted with."""
    page = painted.page
    return [job.source for job in (page.strip.parts if page.strip else ()) if job != page.job]


def _is_free(work: ColorizeWork, job: Job) -> bool:
    """Return whether no colours and no masks are given for a page."""
    given = (*work.guides, work.masks)
    return not any(any(guides.files_of(job, work.request.output)) for guides in given)
