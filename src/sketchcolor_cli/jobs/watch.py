"""Which files of a watched folder are complete, and new."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sketchcolor_cli.files.worklist import Job

State = tuple[int, int, int]


class Watcher:
    """Looks at the same files again and again.

    A file is complete when it is not empty and its size and date stayed the same from one look to the next,
    as those of a file that is still being copied or scanned do not.
    """

    def __init__(self) -> None:
        self._seen: dict[Job, State] = {}
        self._given: dict[Job, State] = {}

    def complete(self, jobs: Iterable[Job]) -> list[Job]:
        """Return those whose file is complete and was not returned before, or has changed since."""
        found = []
        for job in jobs:
            state = _state(job)
            if state is None:
                continue
            if state == self._seen.get(job) and state != self._given.get(job):
                self._given[job] = state
                found.append(job)
            self._seen[job] = state
        return found


def _state(job: Job) -> State | None:
    try:
        status = job.source.stat()
    except OSError:  # gone again
        return None
    return (status.st_size, status.st_mtime_ns, status.st_ino) if status.st_size else None
