"""Progressive JPEG: how many scans it has, each of which costs a pass over all pixels."""

from __future__ import annotations

import re

MOST_SCANS = 500
"""Encoders make some ten of them."""
TOO_MANY = f"has over {MOST_SCANS} scans, which no program writes; save it again"
"""Why a picture with more is refused."""
_NEXT = re.compile(rb"\xff[^\0\xff\xd0-\xd7]")
_PROGRESSIVE = (b"\xff\xc2", b"\xff\xca")  # in other ones each scan has data for all of its blocks
_SCAN, _END = 0xDA, 0xD9


def has_too_many_scans(data: bytes, start: int = 0, stop: int | None = None) -> bool:
    """Whether the JPEG in a part of ``data`` has more than MOST_SCANS scans up to its end.

    In a damaged one, the scans that can be found count. Source: ITU-T T.81, annex B.
    """
    last = len(data) if stop is None else stop
    if all(data.find(kind, start, last) < 0 for kind in _PROGRESSIVE):
        return False  # found out much sooner
    count, at = 0, start + 2
    while count <= MOST_SCANS and (found := _NEXT.search(data, at, last)) is not None:
        marker = data[found.start() + 1]
        if marker == _END:
            break
        count += marker == _SCAN
        at = found.end() + int.from_bytes(data[found.end() : found.end() + 2], "big")
    return count > MOST_SCANS
