"""What the user gives for the pages: one picture for all, or a folder with one of the same name for each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from sketchcolor_cli.files.worklist import BOOK_OF_SUFFIX, build_worklist

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sketchcolor_cli.coloring.guides.points import Mark
    from sketchcolor_cli.files.worklist import Job
    from sketchcolor_cli.imaging.images import Picture

POINT_SUFFIXES = (".json", ".toml")


@dataclass(frozen=True)
class Aid:
    """References, or hints.

    Attributes:
        name: What it is called.
        given: A picture, a folder, or None.
    """

    name: str
    given: Path | None = None

    def file_of(self, job: Job, output: Path) -> Path | str | None:
        """Return the file for a page, or None; a name where there is no such file, which reading will tell.

        Raises:
            WorklistError: the folder has no pictures.
        """
        if self.given is None:
            return None
        if not self.given.is_dir():
            return self.given if self.given.is_file() else str(self.given)
        return next((self._files[place] for place in _places(job, output) if place in self._files), None)

    def missing(self, jobs: Sequence[Job], output: Path) -> list[str]:
        """Return a line where pages have none in the folder."""
        without = [job for job in jobs if self.given is not None and self.file_of(job, output) is None]
        if not without:
            return []
        total, first = len(jobs), without[0].name
        return [f"{self.given}: no {self.name} for {len(without)} of {total} pages, such as {first}"]

    def reader(self, output: Path, read: Callable[[Path], Picture]) -> Callable[[Job], Picture | None]:
        """Return what reads a page's; one for all pages is read now, and once.

        Raises:
            ImageError: the one for all pages cannot be read.
        """
        if self.given is None:
            return lambda _job: None
        if not self.given.is_dir():
            picture = read(self.given)
            return lambda _job: picture

        def find(job: Job) -> Picture | None:
            file = self.file_of(job, output)
            return None if file is None else read(Path(file))

        return find

    @cached_property
    def _files(self) -> dict[PurePath, Path]:
        if self.given is None:
            return {}
        here = Path("-")  # no result is written, so that any name will do
        jobs = build_worklist([self.given], here)
        return {job.target.relative_to(here).with_suffix(""): job.source for job in jobs}


@dataclass(frozen=True)
class Aids:
    """References, or hints, of several files and folders; the first counts where they overlap.

    Attributes:
        pictures: Those that are pictures.
        points: Files of colour points, which count before pictures.
    """

    pictures: tuple[Aid, ...] = ()
    points: tuple[Path, ...] = ()

    @classmethod
    def given(cls, name: str, paths: Sequence[Path] | None) -> Aids:
        """Sort what the user gave for ``name``."""
        points = [path for path in paths or () if path.suffix.lower() in POINT_SUFFIXES]
        return cls(tuple(Aid(name, path) for path in paths or () if path not in points), tuple(points))

    def files_of(self, job: Job, output: Path) -> list[Path | str | None]:
        """Return the files for a page; see :meth:`Aid.file_of`."""
        points = [path if path.is_file() else str(path) for path in self.points]
        return [*points, *(aid.file_of(job, output) for aid in self.pictures)]

    def missing(self, jobs: Sequence[Job], output: Path) -> list[str]:
        """Return a line for each folder in which pages have none."""
        return [line for aid in self.pictures for line in aid.missing(jobs, output)]

    def reader(
        self, output: Path, read: Callable[[Path], Picture]
    ) -> Callable[[Job, Picture], tuple[Picture, ...]]:
        """Return what reads those of a page; what is for all pages is read now, and once.

        Raises:
            ImageError: a picture for all pages cannot be read.
            DataError: a file of points makes no sense.
        """
        readers = [aid.reader(output, read) for aid in self.pictures]
        points: list[Mark] = []
        if self.points:
            from sketchcolor_cli.coloring.guides.points import (  # imports NumPy and OpenCV
                painted,
                read_points,
            )

            points = [point for path in self.points for point in read_points(path)]

        def find(job: Job, page: Picture) -> tuple[Picture, ...]:
            found = tuple(picture for reader in readers if (picture := reader(job)) is not None)
            names = job.target.relative_to(output), job.source
            ours = [point for point in points if any(point.is_on(name) for name in names)]
            layer = painted(ours, *page.rgb.shape[:2]) if ours else None
            return found if layer is None else (layer, *found)

        return find


def _places(job: Job, output: Path) -> Iterator[PurePath]:
    """Give the names under which a page's is looked for, without ending; a page of a book has several."""
    place = job.target.relative_to(output).with_suffix("")
    yield place
    for above in place.parents:
        if above.suffix.lower() in BOOK_OF_SUFFIX:
            page = place.relative_to(above)
            yield above.with_suffix("") / page
            yield page
