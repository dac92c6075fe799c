"""How a journey that is not a run over files reports its progress."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sketchcolor_cli.jobs.outcome import Loading, Note


@dataclass(frozen=True)
class Step:
    """How far a journey is.

    Attributes:
        what: What it does, such as ``measuring``.
        done: How many pictures, or records, are done.
        total: Of how many; None where that is not known.
        detail: What else is to be shown.
    """

    what: str
    done: int = 0
    total: int | None = None
    detail: str = ""


Progress = Callable[[Step | Loading | Note], None]
"""Is told what happens, in the caller's thread."""
