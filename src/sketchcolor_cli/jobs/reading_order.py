"""Pages in reading order: those of one folder, or of one book, are a row."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sketchcolor_cli.files.worklist import Job


class ReadingOrder:
    """The rows of a run's pages."""

    def __init__(self) -> None:
        self._places: dict[Job, tuple[list[Job], int]] = {}

    def add(self, jobs: Sequence[Job]) -> list[list[Job]]:
        """Take note of jobs in their order; return them by rows."""
        rows = [list(group) for _, group in groupby(jobs, key=lambda job: job.source.parent)]
        for row in rows:
            self._places.update({job: (row, number) for number, job in enumerate(row)})
        return rows

    def of(self, job: Job) -> tuple[list[Job], int]:
        """Return a page's row, and its number in it from 0; an empty row where it was not added."""
        return self._places.get(job, ([], 0))
