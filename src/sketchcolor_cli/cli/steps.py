"""How far a journey is: a bar on a terminal, and a line now and then where there is none."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from sketchcolor_cli.cli import options, printing
from sketchcolor_cli.jobs.outcome import Loading, Note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress as Bar

    from sketchcolor_cli.jobs.shared import Progress, Step

_EVERY = 30.0  # seconds between two lines


@contextmanager
def shown(unit: str = "pictures") -> Iterator[Progress]:
    """Yield the listener of a journey; while it loads, Ctrl-C ends the process on the spot."""
    with ExitStack() as stack, printing.progress(unit) as bar:
        yield _Listener(stack, bar, unit)


class _Listener:
    def __init__(self, stack: ExitStack, bar: Bar, unit: str) -> None:
        self._stack, self._bar, self._unit = stack, bar, unit
        self._task = bar.add_task("", total=None, detail="")
        self._last = time.monotonic()

    def __call__(self, happening: Step | Loading | Note) -> None:
        if isinstance(happening, Note):
            self._bar.console.print(printing.one_line(happening.message))
        elif isinstance(happening, Loading):
            self._stack.close()
            self._stack.enter_context(options.loading())
        else:
            self._stack.close()  # what was loading is loaded
            self._show(happening)

    def _show(self, step: Step) -> None:
        self._bar.update(
            self._task,
            description=step.what,
            completed=step.done,
            total=step.total,
            detail=printing.one_line(step.detail),
        )
        if not self._bar.console.is_terminal and time.monotonic() - self._last >= _EVERY:
            self._last = time.monotonic()
            self._bar.console.print(line_of(step, self._unit))


def line_of(step: Step, unit: str) -> str:
    """Return a step as a line of text: ``measuring: 120 of 1000 pictures``."""
    total = "" if step.total is None else f" of {step.total}"
    return printing.one_line(" ".join(filter(None, [f"{step.what}: {step.done}{total} {unit}", step.detail])))
