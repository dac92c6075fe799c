"""Settings of a run; the only place where their defaults stand."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RunSettings:
    """How a run over many pictures goes."""

    fail_fast: bool = False
    """Whether the first failure ends the run."""
    jobs: int = 2
    """How many results are encoded and written at the same time."""
    poll_seconds: float = 2.0
    """How often a watched folder is looked at; a file is complete when it stayed the same in between."""
