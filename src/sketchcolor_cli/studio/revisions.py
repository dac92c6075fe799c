"""What clients call files, and what state of them they have seen."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from sketchcolor_cli.studio.problems import ProblemError

if TYPE_CHECKING:
    from pathlib import Path

NONE = "0"
"""The revision of a file that does not exist."""

_LETTERS = 16  # of a revision and of an identifier


def revision_of(data: bytes | None) -> str:
    """Return the revision of a file's content; None for a file that is not there."""
    return NONE if data is None else sha256(data).hexdigest()[:_LETTERS]


def identifier(name: str) -> str:
    """Return what clients call a file of this name; it is in no way a path."""
    return sha256(name.encode(errors="surrogateescape")).hexdigest()[:_LETTERS]


def content_of(path: Path) -> bytes | None:
    """Return what is in a file; None where there is none."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def stale(revision: str, current: Any) -> ProblemError:
    """Return the refusal to write over what the client has not seen."""
    return ProblemError(
        412,
        "this was changed in another window or by another program; look at it as it is now, then save again",
        headers={"ETag": f'"{revision}"'},
        current=current,
    )
