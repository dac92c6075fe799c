"""Standard error, which people read: less of it with ``--quiet``, and all of it in ``--log-file`` too."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TextIO

from rich.console import Console as RichConsole
from rich.text import Text

from sketchcolor_cli.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NARROW = 70
"""Characters; below it, what stands side by side would be a word wide."""


@dataclass(frozen=True)
class _Wanted:
    quiet: bool = False
    log: TextIO | None = None


_wanted = [_Wanted()]  # the last one holds, while a command runs


class Console(RichConsole):
    """A console for people; names are never read as markup, and without a terminal nothing is coloured."""

    def __init__(self) -> None:
        super().__init__(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)

    def say(self, line: str | Text, *, essential: bool = False, shown: bool = True) -> None:
        """Print one line, and log it.

        Args:
            line: The line.
            essential: Whether it is printed with ``--quiet`` too, as what failed is.
            shown: Whether it is printed at all; otherwise it is only logged.
        """
        if shown and (essential or not quiet()):
            self.print(line)
        if (log := _wanted[-1].log) is not None:
            try:
                _log(log, line.plain if isinstance(line, Text) else line)
            except OSError as error:  # what the command does goes on
                _wanted[-1] = replace(_wanted[-1], log=None)
                self.print(f"warning: {log.name}: the log ends here, it cannot be written ({error.strerror})")


def _log(log: TextIO, text: str) -> None:
    """Append lines with the time; a file that cannot be written is closed.

    Raises:
        OSError: It cannot be written.
    """
    now = time.strftime("%Y-%m-%d %H:%M:%S")
    try:
        log.write("".join(f"{now} {line}\n" for line in text.splitlines()))
        log.flush()
    except OSError:
        with suppress(OSError):  # what is left cannot be written either
            log.close()
        raise


def quiet() -> bool:
    """Whether only what failed is printed."""
    return _wanted[-1].quiet


@contextmanager
def wanted(*, quiet: bool, log_file: Path | None) -> Iterator[None]:
    """Print less, or log too, while a command runs.

    Raises:
        OutputError: The log cannot be written.
    """
    with ExitStack() as stack:
        log = None
        if log_file is not None:
            try:
                log = stack.enter_context(log_file.open("a", encoding="utf-8", errors="backslashreplace"))
            except OSError as error:
                what = f"{log_file}: the log cannot be written ({error.strerror})"
                raise OutputError(f"{what}; name a file in a writable folder") from error
        _wanted.append(_Wanted(quiet, log))
        stack.callback(_wanted.pop)
        yield
