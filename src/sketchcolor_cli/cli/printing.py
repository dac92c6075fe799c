"""Everything that reaches the screen: people read stderr, programs read one JSON document on stdout."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from sketchcolor_cli.batch import EventKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sketchcolor_cli.batch import BatchResult, Event

INTERRUPTED = 130


def stderr() -> Console:
    """Return a console for people; it wraps nothing and colours nothing when it is no terminal."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def error(message: str) -> None:
    """Print one line that says what went wrong."""
    stderr().print(f"[bold red]error:[/] {_plain(message)}")


def note(message: str) -> None:
    """Print one line that is good to know."""
    stderr().print(_plain(message))


def emit_json(document: dict[str, Any] | list[Any]) -> None:
    """Print the one machine-readable document of this run on stdout."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def _plain(text: str) -> str:
    """Escape what rich would take for markup, such as a file called ``[1].png``."""
    return text.replace("[", "\\[")


@contextmanager
def progress(title: str, unit: str) -> Iterator[Progress]:
    """Show a bar with the time left on a terminal; show nothing where there is none."""
    console = stderr()
    bar = Progress(
        TextColumn(_plain(title)),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeRemainingColumn(),
        TextColumn("{task.fields[detail]}"),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )
    with bar:
        yield bar


@contextmanager
def batch_progress(title: str, total: int, *, verbose: bool) -> Iterator[Callable[[Event], None]]:
    """Yield the listener for a batch: a bar, a line for each failure, and with ``verbose`` for each file."""
    with progress(title, "files") as bar:
        task = bar.add_task("", total=total, detail="")

        def listen(event: Event) -> None:
            if event.kind is EventKind.STARTED:
                bar.update(task, detail=_plain(event.job.source.name))
                return
            bar.advance(task)
            if event.kind is EventKind.FAILED:
                bar.console.print(f"[bold red]failed:[/] {_plain(event.message)}")
            elif verbose:
                done = f"{event.seconds:.1f} s" if event.kind is EventKind.FINISHED else "already there"
                bar.console.print(f"{_plain(str(event.job.target))}  {done}")

        yield listen


def finish_batch(result: BatchResult[Any], verb: str, *, as_json: bool, **facts: Any) -> int:
    """Print what became of a batch and return the exit code: 0, 1 if anything failed, 130 after Ctrl-C."""
    parts = [f"{len(result.done)} {verb}"]
    parts += [f"{len(result.skipped)} already there"] if result.skipped else []
    parts += [f"{len(result.failed)} failed"] if result.failed else []
    parts += ["stopped by Ctrl-C; --resume goes on"] if result.interrupted else []
    note(f"{', '.join(parts)} in {result.seconds:.1f} s")
    if as_json:
        emit_json({**facts, **result.to_json()})
    return INTERRUPTED if result.interrupted else 1 if result.failed else 0


def stdout() -> Console:
    """Return a console for results that were asked for."""
    return Console(highlight=False)
