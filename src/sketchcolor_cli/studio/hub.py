"""What has happened, for all windows that listen: server-sent events."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_WAITING = 256  # events that a client may be behind; one that is farther behind is let go, and asks again
_QUIET = 15.0  # seconds after which a sign of life is sent


class Hub:
    """Gives each event to all that listen; to be used in the server's thread alone."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Queue[bytes | None]] = set()

    @property
    def count(self) -> int:
        """How many listen."""
        return len(self._listeners)

    def tell(self, event: str, **data: Any) -> None:
        """Give out an event."""
        frame = event_of(event, data)
        for queue in list(self._listeners):
            if queue.full():
                self._listeners.discard(queue)
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait(None)
            else:
                queue.put_nowait(frame)

    def close(self) -> None:
        """Let all go that listen."""
        for queue in self._listeners:
            queue.put_nowait(None)
        self._listeners.clear()

    async def listen(self, first: bytes) -> AsyncIterator[bytes]:
        """Give ``first``, then what happens, as text/event-stream."""
        queue: asyncio.Queue[bytes | None] = asyncio.Queue(_WAITING)
        self._listeners.add(queue)
        try:
            yield first
            while True:
                try:
                    frame = await asyncio.wait_for(queue.get(), _QUIET)
                except TimeoutError:
                    frame = b": ping\n\n"
                if frame is None:
                    return
                yield frame
        finally:
            self._listeners.discard(queue)


def event_of(event: str, data: dict[str, Any]) -> bytes:
    """Return an event as it is sent."""
    return f"event: {event}\ndata: {json.dumps(data)}\n\n".encode()
