"""Standard output belongs to results: what libraries and plugins print goes to standard error."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, redirect_stdout, suppress
from typing import TYPE_CHECKING, TextIO

from sketchcolor_cli.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOST = "what was done with files is done, but what was to be printed is lost"
_STAND_INS = str.maketrans({"→": "->", "×": "x", "≥": ">=", "≤": "<=", "Δ": "d", "…": "..."})

_count: list[int] = []  # characters of each result
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


def written() -> bool:
    """Whether a result was written."""
    return bool(_count)


def write(text: str) -> None:
    """Write a result, whatever the encoding of standard output has.

    Raises:
        OutputError: Standard output is closed, or nobody reads it any more.
    """
    stream = results()
    if stream is None or stream.closed:  # as Python starts where the shell says >&-
        raise OutputError(f"standard output is closed; {_LOST}")
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:  # as on old consoles: our signs have stand-ins, names are escaped
        plain = text.translate(_STAND_INS)
        text = plain.encode(encoding, "backslashreplace").decode(encoding)
    try:
        stream.write(text)
        stream.flush()
        _count.append(len(text))
    except OSError as error:
        with suppress(OSError, ValueError):  # or Python tries again at its end, and complains
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        raise OutputError(f"standard output cannot be written ({error.strerror}); {_LOST}") from error
