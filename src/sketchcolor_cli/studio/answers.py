"""What was answered lately, so that the same page is not coloured twice."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

_KEPT = 64 * 2**20  # bytes of answers that are kept


class Answers:
    """What was answered lately, by the content of what was asked; the oldest goes when room is short."""

    def __init__(self, room: int = _KEPT) -> None:
        self._room, self._size = room, 0
        self._known: OrderedDict[str, tuple[dict[str, Any], bytes]] = OrderedDict()

    def get(self, key: str) -> tuple[dict[str, Any], bytes] | None:
        """Return an answer, or None."""
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        return None

    def keep(self, key: str, header: dict[str, Any], data: bytes) -> None:
        """Keep an answer, if it is not too large."""
        if key in self._known or len(data) > self._room // 4:
            return
        self._known[key] = header, data
        self._size += len(data)
        while self._size > self._room:
            _, (_, gone) = self._known.popitem(last=False)
            self._size -= len(gone)
