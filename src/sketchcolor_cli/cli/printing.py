"""Everything that reaches the screen: people read stderr, programs read one JSON document on stdout."""

from __future__ import annotations

import json
import re
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from sketchcolor_cli.jobs.pipeline import EventKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sketchcolor_cli.jobs.pipeline import BatchResult, Event

INTERRUPTED = 130

# What a terminal obeys instead of showing, and the halves of characters that stand for undecodable bytes.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def stderr() -> Console:
    """Return a console for people; it takes no name for markup, and without a terminal it colours nothing."""
    return Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)


def stdout() -> Console:
    """Return a console for results that were asked for."""
    return Console(highlight=False, markup=False, emoji=False)


def error(message: str) -> None:
    """Print one line that says what went wrong."""
    stderr().print(_headed("error:", message))


def note(message: str) -> None:
    """Print one line that is good to know."""
    stderr().print(one_line(message))


def warn(message: str) -> None:
    """Print one line that says what the user should think about."""
    stderr().print(_headed("warning:", message))


def emit(line: str) -> None:
    """Print one line of a result that was asked for, however long, on stdout."""
    sys.stdout.write(one_line(line) + "\n")


def emit_json(document: dict[str, Any] | list[Any]) -> None:
    """Print the one machine-readable document of this run on stdout."""
    # In ASCII, so that any name gets through whatever encoding stdout has.
    sys.stdout.write(json.dumps(document, indent=2) + "\n")


def one_line(text: str) -> str:
    r"""Return the text with its line breaks and other control characters, as in file names, as ``\n``."""
    return _UNPRINTABLE.sub(lambda found: found.group().encode("unicode_escape").decode(), text)


def _headed(what: str, message: str) -> Text:
    return Text.assemble((what, "bold red"), " ", one_line(message))


@contextmanager
def progress(unit: str) -> Iterator[Progress]:
    """Show a bar with the time left on a terminal; show nothing where there is none.

    A task has a description, which stands before the bar, and a field ``detail``, which stands behind it.
    """
    with _bar(MofNCompleteColumn(), TextColumn(unit)) as bar:
        yield bar


@contextmanager
def download_progress(title: str) -> Iterator[Callable[[str, int, int | None], None]]:
    """Yield the listener of a download: called with the place, and how many bytes of how many have come."""
    with _bar(DownloadColumn(), TransferSpeedColumn()) as bar:
        task = bar.add_task(one_line(title), total=None, detail="")

        def listen(place: str, done: int, total: int | None) -> None:
            bar.update(task, completed=done, total=total, detail=one_line(place))

        yield listen


def _bar(*columns: ProgressColumn) -> Progress:
    console = stderr()
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        *columns,
        TimeRemainingColumn(),
        TextColumn("{task.fields[detail]}", markup=False),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )


@contextmanager
def batch_progress(title: str, total: int, *, verbose: bool) -> Iterator[Callable[[Event], None]]:
    """Yield the listener for a batch: a bar, a line for each failure, and with ``verbose`` for each file."""
    with progress("files") as bar:
        task = bar.add_task(one_line(title), total=total, detail="")

        def listen(event: Event) -> None:
            if event.kind is EventKind.STARTED:
                bar.update(task, detail=one_line(event.job.name))
                return
            bar.advance(task)
            if event.kind is EventKind.FAILED:
                bar.console.print(_headed("failed:", event.message))
            elif verbose:
                done = f"{event.seconds:.1f} s" if event.kind is EventKind.FINISHED else "already there"
                bar.console.print(f"{one_line(str(event.job.target))}  {done}")

        yield listen


def finish_batch(result: BatchResult, verb: str, *, as_json: bool, **facts: Any) -> int:
    """Print what became of a batch and return the exit code: 0, 1 if anything failed, 130 after Ctrl-C."""
    parts = [f"{len(result.done)} {verb}"]
    parts += [f"{len(result.skipped)} already there"] if result.skipped else []
    parts += [f"{len(result.failed)} failed"] if result.failed else []
    stopped = "; stopped by Ctrl-C, --resume does the rest" if result.interrupted else ""
    stopped = "; stopped there, --resume does the rest" if result.stopped else stopped
    note(f"{', '.join(parts)} in {result.seconds:.1f} s{stopped}")
    if as_json:
        emit_json({**facts, **result.to_json()})
    return INTERRUPTED if result.interrupted else 1 if result.failed else 0
