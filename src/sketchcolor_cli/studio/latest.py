"""What pages looked like when they were painted on last, so that lists show them in their colours."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_ROOM = 64 * 2**20  # bytes of pictures that are kept


class Latest:
    """The last picture of each page that went to a screen; the oldest goes when room is short."""

    def __init__(self, room: int = _ROOM) -> None:
        self._room, self._size = room, 0
        self._known: OrderedDict[Path, tuple[bytes, float]] = OrderedDict()

    def keep(self, page: Path, picture: bytes) -> None:
        """Keep the picture of a page in place of an older one."""
        self._size += len(picture) - len(self._known.pop(page, (b"", 0))[0])
        self._known[page] = picture, time.time()
        while self._size > self._room:
            self._size -= len(self._known.popitem(last=False)[1][0])

    def find(self, page: Path, result: Path | None) -> bytes | None:
        """Return the picture of a page; None where there is none, or the page or its result is newer."""
        picture, kept = self._known.get(page, (None, 0.0))
        newest = max(_changed(path) for path in (page, result) if path is not None)
        return None if newest >= kept else picture


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # it was taken away meanwhile
        return 0.0
