"""A progress bar that, where no terminal shows it, says now and then how far the work is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from rich.progress import Progress as RichProgress

from sketchcolor_cli.cli.console import quiet

if TYPE_CHECKING:
    from rich.progress import ProgressColumn, TaskID

    from sketchcolor_cli.cli.console import Console

EVERY = 30.0
"""Seconds between two lines."""


class ProgressBar(RichProgress):
    """A bar on a terminal; elsewhere, as in a log, a line every half a minute; with ``--quiet`` neither.

    Attributes:
        screen: Where lines are printed while the bar is shown.
    """

    def __init__(self, *columns: ProgressColumn, console: Console, unit: str = "") -> None:
        """Prepare the bar.

        Args:
            columns: What the bar shows.
            console: Where it is shown.
            unit: What is counted, in the plural; without it no lines are printed.
        """
        shown = console.is_terminal and not quiet()
        super().__init__(*columns, console=console, disable=not shown, transient=True)
        self.screen = console
        self._unit = unit if not console.is_terminal else ""
        self._last = time.monotonic()

    def update(self, task_id: TaskID, **changes: Any) -> None:
        """See :class:`rich.progress.Progress`."""
        super().update(task_id, **changes)
        self._print_line(task_id)

    def advance(self, task_id: TaskID, advance: float = 1) -> None:
        """See :class:`rich.progress.Progress`."""
        super().advance(task_id, advance)
        self._print_line(task_id)

    def _print_line(self, task_id: TaskID) -> None:
        if not self._unit or time.monotonic() - self._last < EVERY:
            return
        self._last = time.monotonic()
        task = next(task for task in self.tasks if task.id == task_id)
        total = "" if task.total is None else f" of {task.total:.0f}"
        begun = f"{task.description}: " if task.description else ""
        detail = str(task.fields.get("detail") or "")
        line = f"{begun}{task.completed:.0f}{total} {self._unit}"
        self.screen.say(f"{line}, {detail}" if detail else line)
