"""Strips that were cut into pages: found among the jobs of a run, and put together again to be painted."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sketchcolor_cli.compute import deadline
from sketchcolor_cli.errors import SketchcolorError, TimeLimitError
from sketchcolor_cli.jobs.reading_order import ReadingOrder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from sketchcolor_cli.coloring.colorizer import Colorizer, Painted, Prepared
    from sketchcolor_cli.coloring.page.strips import Cut, Edges, Run
    from sketchcolor_cli.files.worklist import Job
    from sketchcolor_cli.imaging.picture import Picture

    Plane = NDArray[np.float32]

_SIDE = 900  # pixels that a page's shorter side has in a strip, at most; it is painted no finer
_REMEMBERED = 3  # pictures, which are read for the page before, and again for themselves
_EDGES = 256  # pages whose edges are remembered, which is more than a strip has
_LARGE = 200_000_000  # bytes of a picture that is not remembered


@dataclass(frozen=True, eq=False)
class Strip:
    """Pages put together: what was found out about the whole, the part that each page is, and the first."""

    prepared: Prepared
    parts: dict[Job, slice]
    axis: int
    first: Job

    def cut_out(self, painted: Painted, job: Job, own: Prepared) -> Painted:
        """Return the paint of a page from the paint of the whole; its ink and own colours are its own."""
        from sketchcolor_cli.coloring.colorizer import Painted
        from sketchcolor_cli.coloring.page.paper_mask import PaperMask

        length, part = painted.gray.shape[self.axis], self.parts[job]

        def of_page(plane: NDArray[Any]) -> NDArray[Any]:
            scale = plane.shape[self.axis] / length
            start = round(part.start * scale)
            stop = max(start + 1, round(part.stop * scale))
            return plane[start:stop] if self.axis == 0 else plane[:, start:stop]

        masks = painted.masks
        if masks is not None:
            masks = PaperMask(of_page(masks.gutters), of_page(masks.bubbles))
        return Painted(own.gray, of_page(painted.sketch), of_page(painted.paint), masks, own.own)


class Strips:
    """The strips among the pages of a run.

    Called from one thread. A page is in a strip only with pages in its folder or book, and only where
    ``is_free`` says that it has no colours given for it alone.
    """

    def __init__(
        self, read: Callable[[Job], Picture], is_free: Callable[[Job], bool], colorizer: Colorizer
    ) -> None:
        """Remember how a job's picture is read, and what its strip is prepared by."""
        self._read = read
        self._is_free = is_free
        self._colorizer = colorizer
        self._rows = ReadingOrder()
        self._edges: OrderedDict[Job, Edges | None] = OrderedDict()
        self._pictures: OrderedDict[Job, Picture] = OrderedDict()
        self._last: Strip | None = None

    def announce(self, jobs: Sequence[Job]) -> None:
        """Take note of jobs in their order; those in one folder may be of one strip."""
        self._rows.add(jobs)

    def picture(self, job: Job) -> Picture:
        """Return the picture of a job.

        Raises:
            ImageError: It cannot be read.
        """
        found = self._pictures.get(job)
        if found is None:
            found = self._read(job)
            if found.nbytes <= _LARGE:
                self._pictures[job] = found
                while len(self._pictures) > _REMEMBERED:
                    self._pictures.popitem(last=False)
        return found

    def of(self, job: Job) -> Strip | None:
        """Return the strip that a page is a part of; None for a page by itself."""
        row, number = self._rows.of(job)
        if len(row) < 2:
            return None
        from sketchcolor_cli.coloring.page.strips import run_around

        if self._last is not None and job in self._last.parts:
            return self._last
        run = run_around(
            number,
            len(row),
            lambda page: self._cut(row[page], row[page + 1]),
            lambda page: self._length(row[page]),
        )
        if run.count == 1:
            return None
        self._last = self._assembled(row[run.first : run.first + run.count], run)
        return self._last

    def _edges_of(self, job: Job) -> Edges | None:
        """Return the edges of a page; None of one that cannot be read, or stays, or is not free."""
        from sketchcolor_cli.coloring.colorizer import luma
        from sketchcolor_cli.coloring.page.strips import Edges

        if job not in self._edges:
            try:
                picture = self.picture(job) if self._is_free(job) else None
                free = picture is not None and self._colorizer.stays(picture) is None
                self._edges[job] = Edges.of(luma(picture)) if picture is not None and free else None
            except TimeLimitError:
                raise
            except (SketchcolorError, OSError):  # told when it is its turn
                self._edges[job] = None
            while len(self._edges) > _EDGES:
                self._edges.popitem(last=False)
        return self._edges[job]

    def _cut(self, first: Job, second: Job) -> Cut:
        from sketchcolor_cli.coloring.page.strips import Cut, cut_between

        edges = self._edges_of(first)
        others = None if edges is None else self._edges_of(second)
        return Cut.NONE if edges is None or others is None else cut_between(edges, others)

    def _length(self, job: Job) -> float:
        edges = self._edges_of(job)
        return 1.0 if edges is None else edges.height / edges.width

    def _assembled(self, jobs: Sequence[Job], run: Run) -> Strip:
        """Put pages together, smaller than they are, and find out about the whole."""
        import numpy as np

        from sketchcolor_cli.coloring.colorizer import luma
        from sketchcolor_cli.coloring.page.strips import Cut
        from sketchcolor_cli.imaging.picture import Picture

        axis, first = 0 if run.cut is Cut.BELOW else 1, jobs[0]
        jobs = jobs[::-1] if run.cut is Cut.LEFT else jobs
        planes = []
        for job in jobs:
            deadline.check()
            planes.append(_shrunk(luma(self.picture(job)), axis))
        ends = np.cumsum([0, *(plane.shape[axis] for plane in planes)]).tolist()
        whole = np.concatenate(planes, axis)
        rgb = np.broadcast_to(whole[..., None], (*whole.shape, 3))
        prepared = self._colorizer.prepare(Picture(rgb=rgb, gray=True))
        return Strip(prepared, {job: slice(*ends[n : n + 2]) for n, job in enumerate(jobs)}, axis, first)


def _shrunk(gray: Plane, axis: int) -> Plane:
    """Return a page whose side along the cut is at most ``_SIDE``."""
    from sketchcolor_cli.imaging.resize import shrink_by  # imports OpenCV

    return shrink_by(gray, _SIDE / gray.shape[1 - axis])
