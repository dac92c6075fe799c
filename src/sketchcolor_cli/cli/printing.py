"""Everything that reaches the screen: people read stderr, programs read one JSON document on stdout."""

from __future__ import annotations

import json
import os
import re
import signal
from contextlib import contextmanager, suppress
from io import StringIO
from typing import TYPE_CHECKING, Any

from rich.console import Console as RichConsole
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from sketchcolor_cli.cli import interrupt, output
from sketchcolor_cli.cli.bars import ProgressBar as Bar
from sketchcolor_cli.cli.console import Console
from sketchcolor_cli.errors import OutputError
from sketchcolor_cli.files.folders import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from rich.console import RenderableType

    from sketchcolor_cli.errors import SketchcolorError

STOPPED = "stopped; no file is half-written"
"""What is said after Ctrl-C where nothing can be counted."""

# What a terminal obeys instead of showing, and the halves of characters that stand for undecodable bytes.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def stdout() -> RichConsole:
    """Return a console of the width of standard output; :func:`emit_rendered` prints."""
    return RichConsole(file=output.results(), highlight=False, markup=False, emoji=False)


def error(message: str) -> None:
    """Print one line that says what went wrong."""
    Console().say(headed("error:", message), essential=True)


def note(message: str) -> None:
    """Print one line of information."""
    Console().say(one_line(message))


def warn(message: str) -> None:
    """Print one line that says what the user should think about."""
    Console().say(headed("warning:", message))


def emit(line: str) -> None:
    """Print one line of a result that was asked for, however long, on stdout."""
    output.write(one_line(line) + "\n")


def emit_rendered(*parts: RenderableType) -> None:
    """Print tables and texts of a result that was asked for, one below the other, on stdout.

    Raises:
        OutputError: Standard output is closed, or cannot be written.
    """
    shown = stdout()
    drawn = _Drawn(shown.encoding)
    console = RichConsole(
        file=drawn,
        width=shown.width,
        force_terminal=shown.is_terminal,
        color_system=None if shown.legacy_windows else shown.color_system,  # type: ignore[arg-type]
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
    )
    for part in parts:
        console.print(part)
    output.write(drawn.getvalue())


class _Drawn(StringIO):
    """Text that is drawn with the signs of an encoding."""

    def __init__(self, encoding: str) -> None:
        super().__init__(newline="")
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]  # which rich asks
        return self._encoding


def emit_json(document: dict[str, Any] | list[Any]) -> None:
    """Print the one machine-readable document of this run on stdout."""
    # In ASCII, so that any name gets through whatever encoding stdout has.
    output.write(json.dumps(document, indent=2) + "\n")


def emit_failure(problem: SketchcolorError) -> None:
    """Print the document of a command that could do nothing, as far as it can be printed."""
    document = {"kind": type(problem).__name__, "message": str(problem), "exit_code": problem.exit_code}
    with suppress(OutputError):
        emit_json({"error": document})


def one_line(text: str) -> str:
    r"""Return the text with its line breaks and other control characters, as in file names, as ``\n``."""
    return _UNPRINTABLE.sub(lambda found: found.group().encode("unicode_escape").decode(), text)


def unreadable(what: str, files: Iterable[tuple[str, str]]) -> None:
    """Print a line for each file that cannot be read: its name, and why."""
    for name, message in files:
        note(f"{what}: {name}: {message.removeprefix(f'{name}: ')}")


def left_out(files: Mapping[str, int]) -> None:
    """Say how many files of each ending were left out, if any were."""
    if files:
        note(f"left out, as they are not read: {counted(files)}")


def headed(what: str, message: str) -> Text:
    """Return one line that begins with a word in red."""
    return Text.assemble((what, "bold red"), " ", one_line(message))


@contextmanager
def progress(unit: str) -> Iterator[Bar]:
    """Show a bar with the time left on a terminal; where there is none, a line now and then.

    A task has a description, which stands before the bar, and a field ``detail``, which stands behind it.
    """
    with _bar(MofNCompleteColumn(), TextColumn(unit), unit=unit) as bar:
        yield bar


@contextmanager
def download_progress(title: str) -> Iterator[Callable[[str, int, int | None], None]]:
    """Yield the listener of a download: called with the place, and how many bytes of how many have come."""
    with _bar(DownloadColumn(), TransferSpeedColumn()) as bar:
        task = bar.add_task(one_line(title), total=None, detail="")

        def listen(place: str, done: int, total: int | None) -> None:
            bar.update(task, completed=done, total=total, detail=one_line(place))

        yield listen


def _bar(*columns: ProgressColumn, unit: str = "") -> Bar:
    return Bar(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        *columns,
        TimeRemainingColumn(),
        TextColumn("{task.fields[detail]}", markup=False),
        console=Console(),
        unit=unit,
    )


@contextmanager
def leaving_at_once() -> Iterator[None]:
    """Let Ctrl-C end the process on the spot, while libraries and networks are loaded and no file is written.

    An exception amid the import of torch may be swallowed there, or abort the process with a core dump.
    """

    def leave(_number: int, _frame: object) -> None:
        note(STOPPED)
        os._exit(interrupt.CODE)

    before = signal.signal(signal.SIGINT, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
