"""What server and worker say to each other, and the server to sockets: a JSON header, and bytes behind it."""

from __future__ import annotations

import json
from typing import Any

_LENGTH = 4  # bytes of the header's length, the highest first


def packed(header: dict[str, Any], data: bytes = b"") -> bytes:
    """Return a header and its data as one frame."""
    text = json.dumps(header, separators=(",", ":")).encode()
    return len(text).to_bytes(_LENGTH) + text + data


def unpacked(frame: bytes) -> tuple[dict[str, Any], bytes]:
    """Return the header and the data of a frame.

    Raises:
        ValueError: It is none.
    """
    end = _LENGTH + int.from_bytes(frame[:_LENGTH])
    header: dict[str, Any] = json.loads(frame[_LENGTH:end])
    return header, frame[end:]
