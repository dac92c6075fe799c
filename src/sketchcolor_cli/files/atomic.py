"""Writing a file whole or not at all: the one way in which files are written, and the words when it fails."""

from __future__ import annotations

import os
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sketchcolor_cli.errors import NO_ROOM, BookError, DiskFullError, ImageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sketchcolor_cli.errors import SketchcolorError


@contextmanager
def atomic_write(
    path: Path,
    error: type[SketchcolorError] | None = None,
    *,
    draft: str | None = None,
    advice: str = "choose a writable folder",
    name: Path | None = None,
) -> Iterator[Path]:
    """Yield a path in the same folder, which is made if need be; what is written there becomes ``path``.

    It does so once the block ends and the content is on the disk, so that a crash, a kill or a power cut
    leaves the old file or the new one. If the block raises, ``path`` is as it was, and nothing is left.

    Args:
        path: The file to write.
        error: What an OSError becomes, as one line for the user; None lets it through.
        draft: The name until then, for files that a single process writes: what a kill has left is then
            written over the next time. Else a random name, not made of the file's own, which could get too
            long.
        advice: What the line tells the user to do, unless the disk is full.
        name: What it calls the file, where the user knows it by another name.

    Raises:
        SketchcolorError: It cannot be written; of ``error``'s kind. Where the disk is full, results that are
            pictures or books raise DiskFullError, which ends a run over many.
        OSError: Likewise, where no ``error`` is given. What else the block raises passes through.
    """
    try:
        with _replacing(path, path.with_name(draft or f".{uuid.uuid4().hex}.tmp")) as temporary:
            yield temporary
    except OSError as problem:
        if error is None:
            raise
        raise write_error(name or path, problem, error, advice) from problem


def write_bytes(
    path: Path, data: bytes, error: type[SketchcolorError] | None = None, name: Path | None = None
) -> None:
    """Write a file, whole or not at all; see :func:`atomic_write`."""
    with atomic_write(path, error, name=name) as temporary:
        temporary.write_bytes(data)


def write_error(
    path: Path,
    problem: OSError,
    error: type[SketchcolorError],
    advice: str = "choose a writable folder",
) -> SketchcolorError:
    """Return the error that says in one line that a file cannot be written, why, and what to do."""
    full = problem.errno in NO_ROOM
    kind = DiskFullError if full and issubclass(error, ImageError | BookError) else error
    what = problem.strerror or str(problem).partition("\n")[0]
    return kind(f"{path}: cannot be written ({what}); {'free some space' if full else advice}")


@contextmanager
def _replacing(path: Path, temporary: Path) -> Iterator[Path]:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
