"""What the user gives to guide the colours of pages: one picture for all, or a folder with one for each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from sketchcolor_cli.errors import WorklistError
from sketchcolor_cli.files.folders import POINT_SUFFIXES
from sketchcolor_cli.files.listing import list_pictures, match_by_place, without_ending
from sketchcolor_cli.files.worklist import BOOK_OF_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sketchcolor_cli.coloring.guides.points import Mark
    from sketchcolor_cli.files.worklist import Job
    from sketchcolor_cli.imaging.picture import Picture


@dataclass(frozen=True)
class Guide:
    """One file or folder of references, or of hints.

    Attributes:
        name: What it is called.
        given: A picture, or a folder with one picture for each page.
    """

    name: str
    given: Path

    def file_of(self, job: Job, output: Path) -> Path | str | None:
        """Return the file for a page, or None; a text where there is no such file, which reading will report.

        Raises:
            WorklistError: The folder has no pictures.
        """
        if not self.given.is_dir():
            return self.given if self.given.is_file() else str(self.given)
        matched = match_by_place(_places(job, output), self._files)
        return next(iter(matched.values()), None)

    def missing(self, jobs: Sequence[Job], output: Path, total: int | None = None) -> list[str]:
        """Return a line where pages, of ``total``, have none in the folder."""
        without = [job for job in jobs if self.file_of(job, output) is None]
        if not without:
            return []
        total, first = total or len(jobs), without[0].name
        return [f"{self.given}: no {self.name} for {len(without)} of {total} pages, such as {first}"]

    def reader(self, output: Path, read: Callable[[Path], Picture]) -> Callable[[Job], Picture | None]:
        """Return what reads a page's picture; one for all pages is read now, and once.

        Raises:
            ImageError: The one for all pages cannot be read.
        """
        if not self.given.is_dir():
            picture = read(self.given)
            return lambda _job: picture

        def find(job: Job) -> Picture | None:
            file = self.file_of(job, output)
            return None if file is None else read(Path(file))

        return find

    @cached_property
    def _files(self) -> dict[PurePath, Path]:
        try:
            return list_pictures(self.given)
        except WorklistError:
            if PointFolder(self.given):
                return {}
            raise


@dataclass(frozen=True)
class PointFolder:
    """A folder with a JSON file of colour points and strokes for each page that has any: ``PAGE.json``."""

    given: Path

    def file_of(self, job: Job, output: Path) -> Path | None:
        """Return the file of a page, or None."""
        return next(iter(match_by_place(_places(job, output), self._files).values()), None)

    @cached_property
    def _files(self) -> dict[PurePath, Path]:
        return {path.relative_to(self.given): path for path in sorted(self.given.rglob("*.json"))}

    def __bool__(self) -> bool:
        return bool(self._files)


@dataclass(frozen=True)
class PageGuides:
    """References, or hints, from several files and folders; the first takes precedence where they overlap.

    Attributes:
        pictures: Those that are pictures.
        points: Files of colour points, which take precedence over pictures.
        folders: Folders of such files, likewise.
    """

    pictures: tuple[Guide, ...] = ()
    points: tuple[Path, ...] = ()
    folders: tuple[PointFolder, ...] = ()

    @classmethod
    def given(cls, name: str, paths: Sequence[Path]) -> PageGuides:
        """Sort what the user gave for ``name``."""
        points = [path for path in paths if path.suffix.lower() in POINT_SUFFIXES]
        folders = [PointFolder(path) for path in paths if path.is_dir()]
        pictures = tuple(Guide(name, path) for path in paths if path not in points)
        return cls(pictures, tuple(points), tuple(folder for folder in folders if folder))

    @classmethod
    def without_points(cls, name: str, paths: Sequence[Path]) -> PageGuides:
        """Take all that the user gave for ``name`` as pictures."""
        return cls(tuple(Guide(name, path) for path in paths))

    def files_of(self, job: Job, output: Path) -> list[Path | str | None]:
        """Return the files for a page; see :meth:`Guide.file_of`."""
        points = [path if path.is_file() else str(path) for path in self.points]
        own = [folder.file_of(job, output) for folder in self.folders]
        return [*points, *own, *(guide.file_of(job, output) for guide in self.pictures)]

    def missing(self, jobs: Sequence[Job], output: Path) -> list[str]:
        """Return a line for each folder in which pages have none."""
        folders = {folder.given: folder for folder in self.folders}
        lines = []
        for guide in self.pictures:
            folder = folders.get(guide.given)
            without = [job for job in jobs if folder is None or folder.file_of(job, output) is None]
            lines += guide.missing(without, output, len(jobs))
        return lines

    def seed_of(self, job: Job, output: Path) -> int | None:
        """Return the seed that a page's own file gives it, or None.

        Raises:
            DataError: The file makes no sense.
        """
        files = [folder.file_of(job, output) for folder in self.folders]
        if not any(files):
            return None
        from sketchcolor_cli.coloring.guides.points import read_seed  # imports NumPy and OpenCV

        return next((seed for file in files if file and (seed := read_seed(file)) is not None), None)

    def reader(
        self, output: Path, read: Callable[[Path], Picture]
    ) -> Callable[[Job, Picture], tuple[Picture, ...]]:
        """Return what reads those of a page; what is for all pages is read now, and once.

        Raises:
            ImageError: A picture for all pages cannot be read.
            DataError: A file of points makes no sense.
        """
        readers = [guide.reader(output, read) for guide in self.pictures]
        points: list[Mark] = []
        if self.points or self.folders:
            from sketchcolor_cli.coloring.guides.points import (  # imports NumPy and OpenCV
                painted,
                read_points,
            )

            points = [point for path in self.points for point in read_points(path)]

        def find(job: Job, page: Picture) -> tuple[Picture, ...]:
            found = tuple(picture for reader in readers if (picture := reader(job)) is not None)
            names = job.target.relative_to(output), job.source
            own = [file for folder in self.folders if (file := folder.file_of(job, output)) is not None]
            marks = [*points, *(mark for file in own for mark in read_points(file))]
            ours = [mark for mark in marks if any(mark.is_on(name) for name in names)]
            layer = painted(ours, *page.shape) if ours else None
            return found if layer is None else (layer, *found)

        return find


def _places(job: Job, output: Path) -> Iterator[PurePath]:
    """Give the places where a page's guide may lie; those of a book's page are with the book or without."""
    place = job.target.relative_to(output)
    yield place
    for above in place.parents:
        if above.suffix.lower() in BOOK_OF_SUFFIX:
            page = place.relative_to(above)
            yield without_ending(above) / page
            yield page
    yield place.with_name(job.source.name)  # where one result got a name of its own
