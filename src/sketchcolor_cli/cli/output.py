"""Standard output belongs to results: what libraries and plugins print goes to standard error."""

from __future__ import annotations

import sys
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator

_held: list[TextIO] = []  # standard output, while a command runs


@contextmanager
def for_results() -> Iterator[None]:
    """Keep standard output for what is written to :func:`results`."""
    _held.append(results())
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        _held.pop()


def results() -> TextIO:
    """Return where results go."""
    return _held[-1] if _held else sys.stdout
