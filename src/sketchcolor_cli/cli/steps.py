"""How far a journey is, on the screen."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from sketchcolor_cli.cli import printing
from sketchcolor_cli.jobs.outcome import Loading, Note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sketchcolor_cli.cli.bars import ProgressBar
    from sketchcolor_cli.jobs.progress import Progress, Step


@contextmanager
def shown(unit: str = "pictures") -> Iterator[Progress]:
    """Yield the listener of a journey; while it loads, Ctrl-C ends the process on the spot."""
    with ExitStack() as stack, printing.progress(unit) as bar:
        yield _Listener(stack, bar)


class _Listener:
    def __init__(self, stack: ExitStack, bar: ProgressBar) -> None:
        self._stack, self._bar = stack, bar
        self._task = bar.add_task("", total=None, detail="")

    def __call__(self, happening: Step | Loading | Note) -> None:
        if isinstance(happening, Note):
            self._bar.screen.say(printing.one_line(happening.message))
            return
        self._stack.close()  # what was loading is loaded
        if isinstance(happening, Loading):
            self._stack.enter_context(printing.leaving_at_once())
            return
        self._bar.update(
            self._task,
            description=printing.one_line(happening.what),
            completed=happening.done,
            total=happening.total,
            detail=printing.one_line(happening.detail),
        )
