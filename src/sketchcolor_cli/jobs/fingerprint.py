"""What a result was made of, as one number: it changes when the picture, the settings or the program do."""

from __future__ import annotations

import json
from dataclasses import asdict, is_dataclass
from functools import lru_cache
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any


def content_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal, reading it piece by piece.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def fingerprint(*parts: Any) -> str:
    """Return one number for settings: plain values, dataclasses, and lists and dictionaries of them.

    A path stands for the content of the file, so that it may be moved.
    """
    return sha256(json.dumps(parts, sort_keys=True, default=_plain).encode()).hexdigest()


def of_content(value: Any) -> Any:
    """Return a setting's value for a fingerprint: a path stands for its content, where it has any."""
    if isinstance(value, tuple):
        return [of_content(item) for item in value]
    return str(value) if isinstance(value, Path) and not value.is_file() else value


def known_content(path: Path) -> str:
    """Return the SHA-256 of a file, which is read once while it looks the same.

    Raises:
        OSError: it cannot be read.
    """
    status = path.stat()
    return _known_content(path, status.st_size, status.st_mtime_ns)


def _plain(part: Any) -> Any:
    if isinstance(part, Path):
        return known_content(part)
    if is_dataclass(part) and not isinstance(part, type):
        return asdict(part)
    raise TypeError(f"{type(part).__name__} has no fingerprint")


@lru_cache(maxsize=1024)
def _known_content(path: Path, _size: int, _changed: int) -> str:
    """Return the SHA-256 of a file; a model is asked for with each page, and read once."""
    return content_of(path)
