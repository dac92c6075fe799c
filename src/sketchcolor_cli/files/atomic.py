"""Writing a file whole or not at all: the one way in which files are written."""

from __future__ import annotations

import os
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def written_whole(path: Path, *, draft: str | None = None) -> Iterator[Path]:
    """Yield a path in the same folder, which is made if need be; what is written there becomes ``path``.

    It does so once the block ends and the content is on the disk, so that a crash, a kill or a power cut
    leaves the old file or the new one. If the block raises, ``path`` is as it was, and nothing is left.

    Args:
        path: The file to write.
        draft: The name until then, for files that a single process writes: what a kill has left is then
            written over the next time. Else a random name, not made of the file's own, which could get too
            long.

    Raises:
        OSError: The folder cannot be made, or the file not be given its name; what the block raises passes
            through. It is for the caller to say in which words users hear of it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(draft or f".{uuid.uuid4().hex}.tmp")
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
