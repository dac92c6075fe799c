"""Drawing sketches of coloured pictures: one picture's work, and the run over all files of a request."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from sketchcolor_cli import __version__, environment
from sketchcolor_cli.compute import devices
from sketchcolor_cli.jobs.batch import run_batch_over
from sketchcolor_cli.jobs.fallbacks import Fallbacks
from sketchcolor_cli.jobs.fingerprint import fingerprint
from sketchcolor_cli.jobs.outcome import silent
from sketchcolor_cli.jobs.pipeline import Steps
from sketchcolor_cli.jobs.plan import pdf_settings_of
from sketchcolor_cli.plugin.discovery import find_extractors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sketchcolor_cli.extraction.drawer import Drawer, Drawn, Prepared
    from sketchcolor_cli.files.worklist import Job
    from sketchcolor_cli.jobs.outcome import Outcome, Progress
    from sketchcolor_cli.jobs.requests import ExtractRequest


def extract(request: ExtractRequest, progress: Progress = silent) -> Outcome:
    """Draw a sketch of each picture: black lines on white paper, the size of the picture.

    >>> from sketchcolor_cli import ExtractRequest, extract
    >>> outcome = extract(ExtractRequest.of(inputs=["drawings"], output="sketches", method="xdog"))

    Args:
        request: The pictures, how they are drawn, and where sketches go.
        progress: Called in this thread with each :class:`Event`, and with what is loaded, begun and noted.

    Returns:
        What became of each picture. One that fails is in ``failed``, and the rest goes on. The same request
        again does what is not done yet.

    Raises:
        PluginError: There is no such extractor.
        WeightError: Trained weights that it needs are missing.
        SketchcolorError: Nothing can be done: an input is missing, results are there already.
    """
    request = request.for_one_file()
    extractors = find_extractors()
    extractors.get(request.method)
    environment.weight_store().require(extractors.weights(request.method, request.parameters))
    return run_batch_over(request, ExtractWork(request), request.method, progress)


@dataclass(frozen=True)
class ExtractWork:
    """What is done with each picture of a request; plain values, from which any process can load the rest."""

    request: ExtractRequest

    @property
    def device(self) -> str:
        """Where to compute, as the user said it."""
        return devices.for_backend(self.request.device, self.request.backend)

    def settings_among(self, _pictures: Sequence[Job]) -> Callable[[Job], str]:
        """Return what gives the fingerprint of what a sketch depends on."""
        return lambda job: fingerprint(self._fingerprint, pdf_settings_of(job, self.request.pdf))

    @cached_property
    def _fingerprint(self) -> str:
        request, extractors, store = self.request, find_extractors(), environment.weight_store()
        origin = [listing.origin for listing in extractors.listings if listing.name == request.method]
        weights = [store.find(file) for file in extractors.weights(request.method, request.parameters)]
        return fingerprint(__version__, request.decisive(), origin, weights)

    def missing(self, _jobs: Sequence[Job]) -> list[str]:
        """Return nothing: a sketch needs its picture alone."""
        return []

    def beside(self, _job: Job) -> None:
        """Return nothing: a sketch has no files beside it."""

    def steps(self, device: str, note: Callable[[str], None]) -> Steps[Job, Prepared, Drawn]:
        """Load the extractor and return how a picture is read, drawn and written."""
        pages = PageSketcher(self.request, device, note)
        return Steps(
            read=pages.read,
            compute=pages.draw,
            write=pages.write,
            key=lambda picture: picture.rgb.shape,
            weight=lambda picture: picture.weight,
            size=self.request.sketching.batch_size,
        )


class PageSketcher:
    """An extractor that draws the pictures of one request: reads them, draws them, and writes them.

    Reading and writing may go on in other threads while pictures are drawn. Where memory runs out, they are
    drawn on the processor.
    """

    def __init__(self, request: ExtractRequest, device: str, note: Callable[[str], None]) -> None:
        """Load the extractor.

        Raises:
            SketchcolorError: It cannot be loaded.
        """
        from sketchcolor_cli.imaging.reading import read_picture
        from sketchcolor_cli.imaging.writing import write_picture

        self._request = request
        self._note = note
        self._read_picture, self._write_picture = read_picture, write_picture
        self._drawer_on = cache(self._load)  # a fallback is loaded when it is first needed
        self._drawer = self._drawer_on(device)
        ways = [("as asked", device)] + ([] if device == "cpu" else [("on the processor", "cpu")])
        self._fallbacks = Fallbacks(ways, note)

    def read(self, job: Job) -> Prepared:
        """Read a picture and lay it out as the extractor needs it."""
        return self._drawer.prepare(self._read_picture(job.reads, job.source))

    def draw(self, pictures: Sequence[Prepared]) -> list[Drawn]:
        """Draw pictures of equal size."""
        for attempt in self._fallbacks.attempts(self._request.method):
            with attempt as device:
                return self._drawer_on(device).draw(pictures)
        raise MemoryError

    def write(self, job: Job, drawn: Drawn) -> Mapping[str, Any]:
        """Bring a sketch to the size of its picture and write it; return what the extractor notes of it."""
        self._write_picture(job.writes, self._drawer.finish(drawn), name=job.target)
        return drawn.notes

    def _load(self, device: str) -> Drawer:
        from sketchcolor_cli.extraction.loader import Loader

        request = self._request
        return Loader(
            find_extractors(),
            device=device,
            find_weight=environment.weight_store().find,
            precision=_fastest(device) if request.half and request.backend != "onnx" else "float32",
            sketching=replace(request.sketching, method=request.method),
            tell=self._note,
            backends=environment.backends(request.backend, self._note),
        ).load(request.method, request.parameters)


def _fastest(device: str) -> str:
    from sketchcolor_cli.compute import precision  # imports torch

    return precision.choose(device)
