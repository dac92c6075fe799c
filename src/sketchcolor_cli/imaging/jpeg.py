"""Progressive JPEG: how many scans it has, each of which costs a pass over all pixels."""

from __future__ import annotations

import re
from typing import BinaryIO

MOST_SCANS = 500
"""Encoders make some ten of them."""
_NEXT = re.compile(rb"\xff[^\0\xff\xd0-\xd7]")
_SCAN, _END = 0xDA, 0xD9


def has_too_many_scans(file: BinaryIO) -> bool:
    """Whether a JPEG file has more than MOST_SCANS scans up to its end; of a damaged one, what can be seen.

    Source: ITU-T T.81, annex B.
    """
    file.seek(0)
    data = file.read()
    count, at = 0, 2
    while count <= MOST_SCANS and (found := _NEXT.search(data, at)) is not None:
        marker = data[found.start() + 1]
        if marker == _END:
            break
        count += marker == _SCAN
        at = found.end() + int.from_bytes(data[found.end() : found.end() + 2], "big")
    return count > MOST_SCANS
