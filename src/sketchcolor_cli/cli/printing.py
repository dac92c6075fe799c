"""Everything that reaches the screen: people read stderr, programs read one JSON document on stdout."""

from __future__ import annotations

import json
import os
import re
import signal
from collections import Counter
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from rich.console import Console as RichConsole
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from sketchcolor_cli.cli import output
from sketchcolor_cli.cli.bars import ProgressBar as Bar
from sketchcolor_cli.cli.console import Console
from sketchcolor_cli.errors import OutputError
from sketchcolor_cli.jobs.outcome import KEPT, Begun, Event, EventKind, Loading, Note
from sketchcolor_cli.jobs.plan import Action

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sketchcolor_cli.coloring.guides.drift import Drift
    from sketchcolor_cli.errors import SketchcolorError
    from sketchcolor_cli.jobs.outcome import Outcome, Progress
    from sketchcolor_cli.jobs.plan import Planned

INTERRUPTED = 130
"""The exit code after Ctrl-C."""
STOPPED = "stopped; no file is half-written"
"""What is said after Ctrl-C where nothing can be counted."""

_UNDONE = {EventKind.SKIPPED: "already there", EventKind.LEFT: "stays as it is"}
# What a terminal obeys instead of showing, and the halves of characters that stand for undecodable bytes.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def stdout() -> RichConsole:
    """Return a console for results that were asked for."""
    return RichConsole(file=output.results(), highlight=False, markup=False, emoji=False)


def error(message: str) -> None:
    """Print one line that says what went wrong."""
    Console().say(_headed("error:", message), essential=True)


def note(message: str) -> None:
    """Print one line that is good to know."""
    Console().say(one_line(message))


def warn(message: str) -> None:
    """Print one line that says what the user should think about."""
    Console().say(_headed("warning:", message))


def emit(line: str) -> None:
    """Print one line of a result that was asked for, however long, on stdout."""
    output.write(one_line(line) + "\n")


def emit_json(document: dict[str, Any] | list[Any]) -> None:
    """Print the one machine-readable document of this run on stdout."""
    # In ASCII, so that any name gets through whatever encoding stdout has.
    output.write(json.dumps(document, indent=2) + "\n")


def emit_failure(problem: SketchcolorError) -> None:
    """Print the document of a command that could do nothing, as far as it can be printed."""
    told = {"kind": type(problem).__name__, "message": str(problem), "exit_code": problem.exit_code}
    with suppress(OutputError):
        emit_json({"error": told})


def one_line(text: str) -> str:
    r"""Return the text with its line breaks and other control characters, as in file names, as ``\n``."""
    return _UNPRINTABLE.sub(lambda found: found.group().encode("unicode_escape").decode(), text)


def counted(left_out: Mapping[str, int]) -> str:
    """Return how many files of each ending there are, as words: ``3 .psd, 1 without ending``."""
    return ", ".join(f"{count} {ending or 'without ending'}" for ending, count in left_out.items())


def _headed(what: str, message: str) -> Text:
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
        os._exit(INTERRUPTED)

    before = signal.signal(signal.SIGINT, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def run_progress(*, verbose: bool) -> Iterator[Progress]:
    """Yield the listener of a run: a bar, a line for each failure, and with ``verbose`` for each file."""
    with ExitStack() as stack:
        yield _RunListener(stack, verbose=verbose)


class _RunListener:
    """Shows what a run reports; what it opens is closed with the stack."""

    def __init__(self, stack: ExitStack, *, verbose: bool) -> None:
        self._stack = stack
        self._verbose = verbose
        self._bar: Bar | None = None
        self._task = TaskID(0)

    def __call__(self, happening: Event | Loading | Begun | Note) -> None:
        if isinstance(happening, Note):
            self._say(one_line(happening.message))
        elif isinstance(happening, Loading):
            self._stack.enter_context(leaving_at_once())
        elif isinstance(happening, Begun):
            self._stack.close()  # what was loading is loaded, and an earlier bar is done
            self._bar = self._stack.enter_context(progress("files"))
            self._task = self._bar.add_task(one_line(happening.title), total=happening.total, detail="")
        else:
            self._show(happening)

    def _show(self, event: Event) -> None:
        if event.kind is EventKind.STARTED:
            if self._bar is not None:
                self._bar.update(self._task, detail=one_line(event.job.name))
            return
        if self._bar is not None:
            self._bar.advance(self._task)
        if event.kind is EventKind.FAILED:
            self._say(_headed("failed:", event.message), essential=True)
            if event.trace:
                self._say(event.trace.rstrip(), essential=True, shown=self._verbose)
        else:
            done = f"{event.seconds:.1f} s" if event.kind is EventKind.FINISHED else _UNDONE[event.kind]
            self._say(f"{one_line(str(event.job.target))}  {done}", shown=self._verbose)

    def _say(self, line: str | Text, *, essential: bool = False, shown: bool = True) -> None:
        console = Console() if self._bar is None else self._bar.screen
        console.say(line, essential=essential, shown=shown)


def outcome(result: Outcome, verb: str, *, as_json: bool, **facts: Any) -> int:
    """Print what became of a run, or its plan, and return the exit code.

    It is 0, 1 if anything failed, or 130 after Ctrl-C.

    Args:
        result: What became of it.
        verb: What was done with a file: ``colorized``.
        as_json: Whether the one JSON document is printed.
        facts: What the document says besides.
    """
    if result.plan is not None and not as_json:
        return _plan(result.plan, result.left_out)
    if result.plan is None:
        for failure in result.partial:
            warn(failure.message)
        note(_summary(result, verb))
    if as_json:
        emit_json({**facts, **result.to_json()})
    if result.plan is not None:
        return _code_of(result.plan)
    return INTERRUPTED if result.interrupted else 1 if result.failed or result.partial else 0


def _summary(result: Outcome, verb: str) -> str:
    kept = Counter(str(done.facts[KEPT]) for done in result.kept)
    parts = [f"{len(result.done) - kept.total()} {verb}"]
    parts += [f"{count} kept ({why})" for why, count in kept.items()]
    parts += [f"{len(result.skipped)} already there"] if result.skipped else []
    parts += [f"{len(result.partial)} done in part"] if result.partial else []
    parts += [f"{len(result.failed)} failed"] if result.failed else []
    parts += [f"left out as not read: {counted(result.left_out)}"] if result.left_out else []
    stopped = "; stopped by Ctrl-C, --resume does the rest" if result.interrupted else ""
    stopped = "; stopped there, --resume does the rest" if result.stopped else stopped
    return f"{', '.join(parts)} in {result.seconds:.1f} s{stopped}"


def _plan(plan: Sequence[Planned], left_out: Mapping[str, int]) -> int:
    """Print a plan and return the exit code."""
    for planned in plan:
        pages = f", {len(planned.pages)} pages" if planned.job.is_book and planned.pages else ""
        reason = f" ({planned.reason})" if planned.reason else ""
        emit(f"{planned.action}  {planned.job.source} → {planned.job.target}{pages}{reason}")
        for line in planned.partial:
            warn(line)
    counts = {action: sum(one.action is action for one in plan) for action in Action}
    parts = [f"{count} to {action}" for action, count in counts.items() if count]
    parts += [f"left out as not read: {counted(left_out)}"] if left_out else []
    note(", ".join(parts))
    return _code_of(plan)


def _code_of(plan: Sequence[Planned]) -> int:
    return 1 if any(planned.action is Action.FAIL for planned in plan) else 0


def drift(report: Sequence[Drift], most: int | None = None) -> None:
    """Print how far the colours of a series move, those that move most."""
    for drift in report[:most]:
        note(
            f"{drift.color}: moves by {drift.mean:.1f} in Lab over {drift.pages} pages, "
            f"at most {drift.worst:.1f}, on {drift.worst_page}"
        )
