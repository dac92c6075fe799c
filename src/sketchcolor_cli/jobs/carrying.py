"""Which pages are sheets for which: those done before, frames in colour before and after."""

from __future__ import annotations

from collections import OrderedDict
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from sketchcolor_cli.errors import SketchcolorError
from sketchcolor_cli.jobs.fingerprint import content_of, fingerprint
from sketchcolor_cli.jobs.reading_order import ReadingOrder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from sketchcolor_cli.coloring.colorizer import Colorizer, Sheet
    from sketchcolor_cli.files.worklist import Job
    from sketchcolor_cli.imaging.picture import Picture

_LAST = 2  # pages right before one that are sheets for it, beside the first of all
_REMEMBERED = 16  # sheets
_SIDE = 640  # pixels of a sheet's shorter side; a matcher looks at less


class Around:
    """What the colours of a run's pictures depend on among the pictures around them, before any is done.

    Pages of a book are not among them: one file holds them all.
    """

    def __init__(self, pictures: Sequence[Job], settings_of: Callable[[Job], str]) -> None:
        """Remember the pictures, and what gives the fingerprint of what colours each by itself."""
        self._rows, self._settings_of = ReadingOrder(), settings_of
        self._rows.add(pictures)
        self._known: dict[Job, str] = {}

    def before(self, job: Job, counts: Callable[[Job], bool]) -> list[str]:
        """Return fingerprints of the pages before one that count, and of what colours them."""
        row, number = self._rows.of(job)
        return [self._fingerprint(page) for page in row[:number] if counts(page)]

    def keys(self, job: Job) -> list[str]:
        """Return fingerprints of the frames in colour around one."""
        return [_content(page.reads) for page in _keys(*self._rows.of(job))]

    def _fingerprint(self, job: Job) -> str:
        if job not in self._known:
            self._known[job] = fingerprint(_content(job.reads), self._settings_of(job))
        return self._known[job]


class CarriedSheets:
    """The pages that are sheets for others, read when they are wanted; the last few are kept."""

    def __init__(self, note: Callable[[str], None], *, carry: bool, sequence: bool) -> None:
        """Remember what is wanted; ``note`` is called with a line for the user."""
        self._note, self._carry, self._sequence = note, carry, sequence
        self._rows = ReadingOrder()
        self._seen: OrderedDict[tuple[Path, str], Sheet] = OrderedDict()
        self._colorless: set[Path] = set()

    def announce(self, jobs: Sequence[Job]) -> None:
        """Take note of the pages of a book, or the pictures of a run, in their order."""
        for row in self._rows.add(jobs):
            if self._sequence and not any(_in_color(page.reads) for page in row):
                self._note(
                    f"{row[0].source.parent}: no frame is in colour; colour some first, such as one in ten"
                )

    def of(self, job: Job, colorizer: Colorizer) -> list[Sheet]:
        """Return the sheets for a page: frames in colour around it; results of the first page and the last.

        Results without colour, and those of pages that failed, are left out.
        """
        found: dict[Path, Sheet] = {}
        row, number = self._rows.of(job)
        if self._sequence:
            keys = [page.reads for page in _keys(row, number)]
            found.update(self._sheets(keys, colorizer))
        if self._carry:
            done = [page.writes for page in row[:number]]
            found.update(islice(self._sheets(done, colorizer), 1))
            found.update(islice(self._sheets(reversed(done), colorizer), _LAST))
        return list(found.values())

    def _sheets(self, paths: Iterable[Path], colorizer: Colorizer) -> Iterator[tuple[Path, Sheet]]:
        for path in paths:
            if path in self._colorless:
                continue
            key = path, colorizer.painter.device
            if key not in self._seen:
                if (picture := _read(path)) is None:
                    self._colorless.add(path)
                    continue
                self._seen[key] = colorizer.sheet_of(picture)
            self._seen.move_to_end(key)
            while len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
            yield path, self._seen[key]


def _keys(row: Sequence[Job], number: int) -> list[Job]:
    """Return the last frame in colour before one of a row and the first after it, as far as there are any."""
    sides: tuple[Iterable[Job], ...] = (reversed(row[:number]), row[number + 1 :])
    nearest = (next((page for page in side if _in_color(page.reads)), None) for side in sides)
    return [page for page in nearest if page is not None]


def _read(path: Path) -> Picture | None:
    """Return a picture as small as a sheet may be; None of one that is not there, or not in colour."""
    from sketchcolor_cli.coloring.page.colored import is_colored
    from sketchcolor_cli.imaging.picture import Picture, on_paper
    from sketchcolor_cli.imaging.reading import read_picture
    from sketchcolor_cli.imaging.resize import shrink_by

    try:
        picture = read_picture(path)
    except SketchcolorError:
        return None
    if not is_colored(picture):
        return None
    rgb = on_paper(picture)
    return Picture(shrink_by(rgb, _SIDE / min(rgb.shape[:2])))


def _in_color(path: Path) -> bool:
    """Return whether a picture is in colour; each is looked at once while it stays the same."""
    try:
        status = path.stat()
    except OSError:
        return False
    return _known_color(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=2**16)
def _known_color(path: Path, _size: int, _changed: int) -> bool:
    return _read(path) is not None


def _content(path: Path) -> str:
    try:
        return content_of(path)
    except OSError:  # reported when it is its turn
        return ""
