"""Which files go in and where each result goes; every clash is found here, before any work starts.

Names are looked at, and of TIFF files how many pages they have; nothing is written.
"""

from __future__ import annotations

import os.path
import unicodedata
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath, PurePosixPath
from typing import TYPE_CHECKING

from sketchcolor_cli.errors import WorklistError
from sketchcolor_cli.files.folders import SERIES, SERIES_GUIDES, Found, counted, files_in, natural_key, real
from sketchcolor_cli.files.regular import refusal
from sketchcolor_cli.files.settings import Container
from sketchcolor_cli.files.tiff import count_pages

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = [
    "BOOK_OF_SUFFIX",
    "FORMAT_OF_SUFFIX",
    "IMAGE_SUFFIXES",
    "SERIES",
    "SERIES_GUIDES",
    "TIFF_SUFFIXES",
    "Job",
    "Worklist",
    "build_worklist",
    "find_jobs",
    "find_pictures",
    "folded",
    "is_one_file",
    "names_apart",
    "natural_key",
    "picture_name",
    "the_one_job",
]

FORMAT_OF_SUFFIX: Mapping[str, str] = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jfif": "JPEG",
    ".webp": "WEBP",
    ".avif": "AVIF",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
}
"""The file endings that are written, in lower case, and the format that each one stands for."""

IMAGE_SUFFIXES: frozenset[str] = frozenset(
    {*FORMAT_OF_SUFFIX, ".gif", ".psd", ".kra", ".heic", ".heif", ".jxl", ".jp2", ".jpx", ".j2k"}
)
"""The file endings that a folder is searched for, in lower case: what is written, and what is only read."""

BOOK_OF_SUFFIX: Mapping[str, str] = {
    ".cbz": ".cbz",
    ".zip": ".zip",
    ".cbt": ".cbt",
    ".tar": ".tar",
    ".epub": ".epub",
    ".pdf": ".pdf",
    ".cbr": ".cbz",
    ".rar": ".cbz",
}
"""The file endings of books, in lower case, and the ending that each is written back with."""

TIFF_SUFFIXES = frozenset({".tif", ".tiff"})
"""Endings of the pictures that may have several pages."""


@dataclass(frozen=True)
class Job:
    """One picture to work on.

    Attributes:
        source: Where the picture comes from, as the user knows it: a file, or a book's file and in it a page.
        target: Where the result goes, likewise; its folder need not exist yet.
        staged: The file to read, where that is another one: the page taken out of its book.
        drafted: The file to write, where that is another one: the page until its book is bound.
        is_volume: Whether the source is a picture file of several pages.
    """

    source: Path
    target: Path
    staged: Path | None = None
    drafted: Path | None = None
    is_volume: bool = False

    @property
    def name(self) -> str:
        """The name of the picture."""
        return self.source.name

    @property
    def reads(self) -> Path:
        """The file to read."""
        return self.staged or self.source

    @property
    def writes(self) -> Path:
        """The file to write."""
        return self.drafted or self.target

    @property
    def is_book(self) -> bool:
        """Whether the source is a book, or several pages in one file, rather than a picture."""
        return self.is_volume or self.source.suffix.lower() in BOOK_OF_SUFFIX

    def is_there(self) -> bool:
        """Whether the file to write is there already."""
        # Not Path.exists(), which raises for too long a name; such a job fails alone, when it is written.
        return os.path.exists(self.writes)  # noqa: PTH110


@dataclass(frozen=True)
class Worklist:
    """What is to be done with the files that the user named.

    Attributes:
        jobs: Pictures and books, in the order of the inputs and in natural order within folders.
        failed: What cannot be done: its source, its target (the source again where there is none), and why.
        left_out: How many files of each ending, in lower case, were left out as not read.
    """

    jobs: list[Job]
    failed: list[tuple[Job, str]] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)


def build_worklist(
    inputs: Sequence[Path], output: Path, *, suffix: str | None = None, books: Container | None = None
) -> list[Job]:
    """List the pictures and books to work on, where all of them must be fit to be done; see find_jobs.

    Raises:
        WorklistError: as find_jobs; or a folder cannot be looked into, two results would land on one file
            (also where only case tells them apart), or one would overwrite one of the sources.
    """
    work = find_jobs(inputs, output, suffix=suffix, books=books)
    if work.failed:
        raise _refusal(work.failed)
    return work.jobs


def _refusal(failed: Sequence[tuple[Job, str]]) -> WorklistError:
    more = f" (and {len(failed) - 1} more like it)" if len(failed) > 1 else ""
    return WorklistError(failed[0][1] + more)


def find_jobs(
    inputs: Sequence[Path],
    output: Path,
    *,
    suffix: str | None = None,
    books: Container | None = None,
    keep_both: bool = False,
) -> Worklist:
    """List the pictures and books to work on, and what cannot be done.

    A folder is searched with all its subfolders, and its tree is mirrored below the output folder; of several
    folders each has one of its own there. Hidden files, what systems leave behind, and the output folder
    itself are passed over. A file that is named outright is taken whatever its ending. A file that is reached
    twice is taken once. Where two results would land on one file, the first is done.

    Args:
        inputs: Files and folders.
        output: The folder for the results; it need not exist yet.
        suffix: The ending of every picture's result, such as ".png". None keeps each file's own, with ".png"
            where the own one cannot be written.
        books: What books are written back as; None takes no books.
        keep_both: Whether results that would land on one file keep the endings of their sources in their
            names, as in "page.jpg.png", so that all of them are done.

    Raises:
        WorklistError: An input is missing, or there is nothing to do at all; the output is a file; or the
            suffix is not a format that is written.
    """
    _check(inputs, output, suffix)
    found = Found()
    jobs = {
        location: _job(source, output / place, suffix, books)
        for location, (source, place) in _sources(inputs, output, found, books=books is not None).items()
    }
    due, clashing = _without_clashes(_kept_apart(jobs) if keep_both else jobs)
    failed = [*_unreadable(found), *clashing]
    if not due:
        raise _refusal(failed)
    return Worklist(due, failed, dict(sorted(found.left_out.items())))


def _sources(
    inputs: Sequence[Path], output: Path, found: Found, *, books: bool
) -> dict[Path, tuple[Path, Path]]:
    """Return each source with its place below the output, by its location, which tells them apart."""
    sources: dict[Path, tuple[Path, Path]] = {}
    several = sum(os.path.isdir(path) for path in inputs) > 1  # noqa: PTH112
    for given in inputs:
        try:
            for source, place in find_pictures(given, output, found, books=books, apart=several):
                sources.setdefault(_location(source), (source, place))
        except OSError as error:
            raise WorklistError(f"{given}: cannot be opened ({error.strerror}); check it") from error
    return sources


def _unreadable(found: Found) -> Iterator[tuple[Job, str]]:
    for path, why in found.unreadable:
        yield Job(path, path), f"{path}: cannot be opened ({why}); check its permissions"


def is_one_file(inputs: Sequence[Path], output: Path) -> bool:
    """Whether one picture goes in, and the output is the name of a picture rather than of a folder."""
    return (
        len(inputs) == 1
        and output.suffix.lower() in FORMAT_OF_SUFFIX
        and not os.path.isdir(output)  # noqa: PTH112
        and os.path.isfile(inputs[0])  # noqa: PTH113
        and inputs[0].suffix.lower() not in BOOK_OF_SUFFIX
    )


def the_one_job(source: Path, target: Path) -> Job:
    """Return the job of one picture whose result is to be this file.

    Raises:
        WorklistError: The source has several pages, or is the same file.
    """
    if _has_pages(source):
        raise WorklistError(f"{source}: has several pages; name a folder for the result instead of {target}")
    if os.path.exists(target) and target.samefile(source):  # noqa: PTH110
        raise WorklistError(f"{source}: the result would overwrite it; name another output")
    return Job(source, target)


def _check(inputs: Sequence[Path], output: Path, suffix: str | None) -> None:
    if suffix is not None and suffix.lower() not in FORMAT_OF_SUFFIX:
        raise WorklistError(
            f"{suffix}: not a format that can be written; choose one of {' '.join(FORMAT_OF_SUFFIX)}"
        )
    if os.path.lexists(output) and not os.path.isdir(output):  # noqa: PTH112 - of links that lead nowhere too
        kind = "a file" if os.path.exists(output) else "a link that leads nowhere"  # noqa: PTH110
        raise WorklistError(f"{output}: is {kind}, but the results need a folder; name another output")
    require(inputs)


def require(inputs: Sequence[Path]) -> None:
    """Refuse to go on where nothing was named.

    Raises:
        WorklistError: Nothing was.
    """
    if not inputs:
        raise WorklistError("there is nothing to do; name at least one picture or folder")


def _job(source: Path, place: Path, suffix: str | None, books: Container | None) -> Job:
    is_volume = books is not None and _has_pages(source)
    if is_volume:
        name = source.stem + ".cbz" if books is Container.CBZ else source.name
    else:
        name = _result_name(source, suffix, books)
    return Job(source, place.with_name(name), is_volume=is_volume)


def _has_pages(path: Path) -> bool:
    if path.suffix.lower() not in TIFF_SUFFIXES:
        return False
    try:
        return refusal(path) is None and count_pages(path) > 1
    except OSError:
        return False  # told when it is read


def find_pictures(
    given: Path, output: Path, found: Found, *, books: bool, apart: bool
) -> Iterator[tuple[Path, Path]]:
    """Find the pictures of one input, and books where they count, each with its place below it.

    Args:
        given: A file or folder.
        output: A folder to pass over.
        found: What else there is, is noted here.
        books: Whether books count.
        apart: Whether places begin with the folder's name, as where there are several folders.

    Raises:
        WorklistError: It is missing, or a folder without pictures.
        OSError: It cannot be looked into.
    """
    try:
        given.stat()  # not exists(), which since Python 3.14 tells of nothing else that is wrong
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise WorklistError(f"{given}: no such file or folder; check the name") from error
    if not given.is_dir():
        yield given, given.relative_to(given.parent)
        return
    empty, before = True, len(found.unreadable)
    wanted = IMAGE_SUFFIXES | BOOK_OF_SUFFIX.keys() if books else IMAGE_SUFFIXES
    above = Path(real(given).name) if apart else Path()
    for source in files_in(given, output, wanted, found):
        empty = False
        yield source, above / source.relative_to(given)
    if empty and len(found.unreadable) == before:
        endings = " ".join(sorted(wanted))
        others = counted(found.left_out)
        there = f"; it holds {others}" if others else ""
        raise WorklistError(f"{given}: no pictures in this folder{there}; looked for {endings}")


def _result_name(source: Path, suffix: str | None, books: Container | None) -> str:
    own = source.suffix.lower()
    if books and own in BOOK_OF_SUFFIX:
        ending = ".cbz" if books is Container.CBZ else BOOK_OF_SUFFIX[own]
        return source.name if ending == own else source.stem + ending
    return picture_name(source.name, suffix)


def picture_name(name: str, suffix: str | None) -> str:
    """Return the name of a picture's result: with this ending, or its own where that can be written."""
    source = PurePath(name)
    own = source.suffix.lower()
    # "page.1" has no ending to replace: cutting ".1" off would throw page.1 and page.2 together.
    stem = source.stem if own in IMAGE_SUFFIXES else source.name
    if suffix is None:
        suffix = source.suffix if own in FORMAT_OF_SUFFIX else ".png"
    return stem + suffix


def names_apart(names: Sequence[tuple[str, str]]) -> list[str]:
    """Return new names of a book's entries; those that would become one are their old names and the ending.

    Args:
        names: Old and new name of each. If ``a.jpg`` and ``a.png`` both become ``a.png``, the first becomes
            ``a.jpg.png`` instead.
    """
    count = Counter(new for _, new in names)
    return [
        new if new == old or count[new] == 1 else f"{old}{PurePosixPath(new).suffix}" for old, new in names
    ]


def _location(path: Path) -> Path:
    """One spelling for one directory entry; a link to a picture is an entry of its own."""
    return real(path.parent) / path.name


def _without_clashes(jobs: Mapping[Path, Job]) -> tuple[list[Job], list[tuple[Job, str]]]:
    """Part the jobs whose results have a file for themselves from the others."""
    sources = {folded(location): job.source for location, job in jobs.items()}
    taken: dict[str, Job] = {}
    due, failed = [], []
    for job in jobs.values():
        place = folded(_location(job.target))
        overwritten = sources.get(place)
        rival = taken.setdefault(place, job)
        if overwritten is not None and job.target.exists() and job.target.samefile(overwritten):
            failed.append(
                (job, f"{job.source}: the result would overwrite {overwritten}; name another output folder")
            )
        elif rival is not job:
            why = "rename one, give them separate output folders, or use --keep-both"
            both = f"{rival.source} and {job.source}: both results would become {job.target}"
            where = "" if rival.target == job.target else " where case makes no difference"
            failed.append((job, f"{both}{where}; {why}"))
        else:
            due.append(job)
    return due, failed


def _kept_apart(jobs: Mapping[Path, Job]) -> dict[Path, Job]:
    """Let those that would land on one file keep the whole names of their sources, with the new ending."""
    count: dict[str, int] = {}
    for job in jobs.values():
        place = folded(_location(job.target))
        count[place] = count.get(place, 0) + 1
    return {
        location: job
        if count[folded(_location(job.target))] == 1
        else replace(job, target=job.target.with_name(job.source.name + job.target.suffix))
        for location, job in jobs.items()
    }


def folded(path: Path) -> str:
    """Return a path as file systems see it that know no case and one way to compose a letter."""
    # Not casefold(), which also takes straße for strasse, as no file system does.
    return unicodedata.normalize("NFC", str(path)).lower()
