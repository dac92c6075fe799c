"""What a run over files shows: how far it is, what became of each, its outcome or its plan."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from rich.progress import TaskID

from sketchcolor_cli.cli import interrupt, printing
from sketchcolor_cli.cli.console import Console
from sketchcolor_cli.files.folders import counted
from sketchcolor_cli.jobs.outcome import KEPT, Begun, Event, EventKind, Loading, Note
from sketchcolor_cli.jobs.plan import Action

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.text import Text

    from sketchcolor_cli.cli.bars import ProgressBar as Bar
    from sketchcolor_cli.coloring.guides.drift import Drift
    from sketchcolor_cli.jobs.outcome import Outcome, Progress
    from sketchcolor_cli.jobs.plan import Planned

_UNDONE = {EventKind.SKIPPED: "already there", EventKind.LEFT: "stays as it is"}


@contextmanager
def shown(*, verbose: bool) -> Iterator[Progress]:
    """Yield the listener of a run: a bar, a line for each failure, and with ``verbose`` for each file."""
    with ExitStack() as stack:
        yield _Listener(stack, verbose=verbose)


class _Listener:
    """Shows what a run reports; what it opens is closed with the stack."""

    def __init__(self, stack: ExitStack, *, verbose: bool) -> None:
        self._stack = stack
        self._verbose = verbose
        self._bar: Bar | None = None
        self._task = TaskID(0)

    def __call__(self, happening: Event | Loading | Begun | Note) -> None:
        if isinstance(happening, Note):
            self._say(printing.one_line(happening.message))
        elif isinstance(happening, Loading):
            self._stack.enter_context(printing.leaving_at_once())
        elif isinstance(happening, Begun):
            self._stack.close()  # what was loading is loaded, and an earlier bar is done
            self._bar = self._stack.enter_context(printing.progress("files"))
            self._task = self._bar.add_task(
                printing.one_line(happening.title), total=happening.total, detail=""
            )
        else:
            self._show(happening)

    def _show(self, event: Event) -> None:
        if event.kind is EventKind.STARTED:
            if self._bar is not None:
                self._bar.update(self._task, detail=printing.one_line(event.job.name))
            return
        if self._bar is not None:
            self._bar.advance(self._task)
        if event.kind is EventKind.FAILED:
            self._say(printing.headed("failed:", event.message), essential=True)
            if event.trace:
                self._say(event.trace.rstrip(), essential=True, shown=self._verbose)
        else:
            done = f"{event.seconds:.1f} s" if event.kind is EventKind.FINISHED else _UNDONE[event.kind]
            self._say(f"{printing.one_line(str(event.job.target))}  {done}", shown=self._verbose)

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
            printing.warn(failure.message)
        printing.note(_summary(result, verb))
    if as_json:
        printing.emit_json({**facts, **result.to_json()})
    if result.plan is not None:
        return _code_of(result.plan)
    return interrupt.CODE if result.interrupted else 1 if result.failed or result.partial else 0


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
        printing.emit(f"{planned.action}  {planned.job.source} → {planned.job.target}{pages}{reason}")
        for line in planned.partial:
            printing.warn(line)
    counts = {action: sum(planned.action is action for planned in plan) for action in Action}
    parts = [f"{count} to {action}" for action, count in counts.items() if count]
    parts += [f"left out as not read: {counted(left_out)}"] if left_out else []
    printing.note(", ".join(parts))
    return _code_of(plan)


def _code_of(plan: Sequence[Planned]) -> int:
    return 1 if any(planned.action is Action.FAIL for planned in plan) else 0


def drift(report: Sequence[Drift], most: int | None = None) -> None:
    """Print how far the colours of a series move, those that move most."""
    for drift in report[:most]:
        printing.note(
            f"{drift.color}: moves by {drift.mean:.1f} in Lab over {drift.pages} pages, "
            f"at most {drift.worst:.1f}, on {drift.worst_page}"
        )
