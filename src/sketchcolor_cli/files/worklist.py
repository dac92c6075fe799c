"""Which files go in and where each result goes; every clash is found here, before any work starts.

Only names are looked at: no file is opened, nothing is written.
"""

from __future__ import annotations

import os.path
import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import PurePath
from typing import TYPE_CHECKING

from sketchcolor_cli.errors import UsageError, WorklistError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

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

IMAGE_SUFFIXES: frozenset[str] = frozenset({*FORMAT_OF_SUFFIX, ".gif"})
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

# Folders that unpacking on a Mac and Synology servers leave behind; what is in them only looks like pictures.
SERIES = "series.toml"
"""The profile of a series, which stands beside its pages."""
SERIES_AIDS = frozenset({"rough", "reference", "references", "hints", "sheets"})
"""Folders beside such a profile that hold no pages but what helps to colour them."""
_LITTER = frozenset({"__MACOSX", "@eaDir"})


@dataclass(frozen=True)
class Job:
    """One picture to work on.

    Attributes:
        source: Where the picture comes from, as the user knows it: a file, or a book's file and in it a page.
        target: Where the result goes, likewise; its folder need not exist yet.
        staged: The file to read, where that is another one: the page taken out of its book.
        drafted: The file to write, where that is another one: the page until its book is bound.
    """

    source: Path
    target: Path
    staged: Path | None = None
    drafted: Path | None = None

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
        """Whether the source is a book rather than a picture."""
        return self.source.suffix.lower() in BOOK_OF_SUFFIX

    def is_there(self) -> bool:
        """Whether the file to write is there already."""
        # Not Path.exists(), which raises for too long a name; such a job fails alone, when it is written.
        return os.path.exists(self.writes)  # noqa: PTH110


class Container(StrEnum):
    """What a book is written back as."""

    SAME = "same"
    CBZ = "cbz"


@dataclass(frozen=True)
class Shard:
    """One of several equal runs over the same files.

    Attributes:
        number: Which one, from 1.
        count: How many there are.
    """

    number: int = 1
    count: int = 1

    def has(self, job: Job, output: Path) -> bool:
        """Whether a job is for this run; the answer hangs on its name alone, not on what else is there."""
        place = job.target.relative_to(output).as_posix()
        return int.from_bytes(sha256(place.encode(errors="surrogateescape")).digest()[:8]) % self.count == (
            self.number - 1
        )


def parse_shard(text: str) -> Shard:
    """Read ``2/8``: the second of eight.

    Raises:
        UsageError: it is written otherwise, or the number is not from 1 to the count.
    """
    found = re.fullmatch(r"(\d+)/(\d+)", text)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise UsageError(f"--shard {text}: write it as i/n, such as 2/8 for the second of eight runs")
    return Shard(int(found[1]), int(found[2]))


def build_worklist(
    inputs: Sequence[Path], output: Path, *, suffix: str | None = None, books: Container | None = None
) -> list[Job]:
    """List the pictures and books to work on, in the order of the inputs and in natural order within folders.

    A folder is searched with all its subfolders, and its tree is mirrored below the output folder. Hidden
    files, what systems leave behind, and the output folder itself are passed over. A file that is named
    outright is taken whatever its ending. A file that is reached twice is taken once.

    Args:
        inputs: Files and folders.
        output: The folder for the results; it need not exist yet.
        suffix: The ending of every picture's result, such as ".png". None keeps each file's own, with ".png"
            where the own one cannot be written.
        books: What books are written back as; None takes no books.

    Raises:
        WorklistError: An input is missing, unreadable, or a folder without pictures; the output is a file;
            the suffix is not a format that is written; two results would land on one file (also where only
            upper and lower case tell them apart); or a result would overwrite one of the sources.
    """
    if suffix is not None and suffix.lower() not in FORMAT_OF_SUFFIX:
        raise WorklistError(
            f"{suffix}: no format that is written; choose one of {' '.join(FORMAT_OF_SUFFIX)}"
        )
    if not inputs:
        raise WorklistError("there is nothing to do; name at least one picture or folder")
    jobs: dict[Path, Job] = {}
    try:
        if output.exists() and not output.is_dir():
            raise WorklistError(f"{output}: is a file, but the results need a folder; name another output")
        for given in inputs:
            for source, place in _pictures_of(given, output, books=books is not None):
                target = output / place.with_name(_result_name(place, suffix, books))
                jobs.setdefault(_location(source), Job(source, target))
        _refuse_clashes(jobs)
    except OSError as error:
        raise WorklistError(
            f"{error.filename}: cannot be looked into ({error.strerror}); check its permissions"
        ) from error
    return list(jobs.values())


def natural_key(name: str) -> tuple[list[str | int], str]:
    """Sort key under which numbers in names count as numbers: page2 comes before page10.

    Case makes no difference, unless nothing else does.
    """
    pieces = re.split(r"(\d+)", name.casefold())
    return [int(piece) if piece.isdecimal() else piece for piece in pieces], name


def _pictures_of(given: Path, output: Path, *, books: bool) -> Iterator[tuple[Path, Path]]:
    """Find the pictures and books of one input, each with its place in the output folder."""
    if not given.exists():
        raise WorklistError(f"{given}: no such file or folder; check the name")
    if not given.is_dir():
        yield given, given.relative_to(given.parent)
        return
    empty = True
    wanted = IMAGE_SUFFIXES | BOOK_OF_SUFFIX.keys() if books else IMAGE_SUFFIXES
    for source in _walk(given, output, wanted):
        empty = False
        yield source, source.relative_to(given)
    if empty:
        endings = " ".join(sorted(wanted))
        raise WorklistError(f"{given}: no pictures in this folder; looked for files ending in {endings}")


def _walk(folder: Path, output: Path, wanted: frozenset[str]) -> Iterator[Path]:
    """Find the files with these endings in natural order; links do not lead into the same folder twice."""
    visited = {output.resolve()} - {folder.resolve()}
    waiting = [folder]
    while waiting:
        path = waiting.pop()
        if not path.is_dir():
            if path.suffix.lower() in wanted:
                yield path
        elif (resolved := path.resolve()) not in visited:
            visited.add(resolved)
            children = [child for child in path.iterdir() if not _is_litter(child.name)]
            if any(child.name == SERIES for child in children):
                children = [child for child in children if child.name not in SERIES_AIDS]
            waiting += sorted(children, key=lambda child: natural_key(child.name), reverse=True)


def _is_litter(name: str) -> bool:
    return name.startswith(".") or name in _LITTER


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


def _location(path: Path) -> Path:
    """One spelling for one directory entry; a link to a picture is an entry of its own."""
    return path.parent.resolve() / path.name


def _refuse_clashes(jobs: Mapping[Path, Job]) -> None:
    sources = {_folded(location): job.source for location, job in jobs.items()}
    taken: dict[str, Path] = {}
    for job in jobs.values():
        place = _folded(_location(job.target))
        overwritten = sources.get(place)
        if overwritten is not None and job.target.exists() and job.target.samefile(overwritten):
            raise WorklistError(
                f"{job.source}: the result would overwrite {overwritten}; name another output folder"
            )
        rival = taken.setdefault(place, job.source)
        if rival is not job.source:
            raise WorklistError(
                f"{rival} and {job.source}: both results would become {job.target} where case makes no "
                "difference; rename one, or give them separate output folders"
            )


def _folded(path: Path) -> str:
    """Write the name as file systems see it that know no case and one way to compose a letter."""
    # Not casefold(), which also takes straße for strasse, as no file system does.
    return unicodedata.normalize("NFC", str(path)).lower()
