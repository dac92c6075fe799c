"""The one loop over many pictures: leave out what is there, do the rest, set failures aside, report.

Callers pass work that handles one picture from file to file and a listener for the events. They may count
on neither the order in which the work of different jobs overlaps nor the thread it runs in, so the loop can
learn to read ahead and write behind without a change to them; the listener is always called in the thread
that called run_batch.
"""

from __future__ import annotations

import os.path
import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sketchcolor_cli.errors import SketchcolorError, WorklistError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sketchcolor_cli.worklist import Job

T = TypeVar("T")


class Existing(StrEnum):
    """What to do about results that are already there."""

    ERROR = "error"
    SKIP = "skip"
    OVERWRITE = "overwrite"


class EventKind(StrEnum):
    """What can happen to a job."""

    STARTED = "started"
    FINISHED = "finished"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True)
class Event:
    """Something happened to a job.

    Attributes:
        kind: What happened.
        job: The job it happened to.
        index: The job's place in the list, from 1 to total.
        total: The number of jobs.
        seconds: How long the work took; 0 unless finished.
        message: Why it failed; empty otherwise.
    """

    kind: EventKind
    job: Job
    index: int
    total: int
    seconds: float = 0.0
    message: str = ""


@dataclass(frozen=True)
class Done(Generic[T]):
    """A job that was done: what the work returned, and how many seconds it took."""

    job: Job
    value: T
    seconds: float


@dataclass(frozen=True)
class Failure:
    """A job that failed, and the one line that says why."""

    job: Job
    message: str


@dataclass
class BatchResult(Generic[T]):
    """What became of the jobs, each list in the order of the jobs.

    Attributes:
        done: The jobs that were done.
        skipped: The jobs whose result was there already.
        failed: The jobs that failed.
        interrupted: Whether the user stopped the run; the jobs in no list were not done.
        seconds: How long the whole run took.
    """

    done: list[Done[T]] = field(default_factory=list)
    skipped: list[Job] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    interrupted: bool = False
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Put the result into plain types for json.dumps, without what the work returned."""
        return {
            "done": [{**_paths(one.job), "seconds": round(one.seconds, 3)} for one in self.done],
            "skipped": [_paths(job) for job in self.skipped],
            "failed": [{**_paths(one.job), "message": one.message} for one in self.failed],
            "interrupted": self.interrupted,
            "seconds": round(self.seconds, 3),
        }


def run_batch(
    jobs: Sequence[Job],
    work: Callable[[Job], T],
    *,
    existing: Existing,
    report: Callable[[Event], None],
) -> BatchResult[T]:
    """Do the work for every job; a picture that fails is set aside and the rest goes on.

    Args:
        jobs: The worklist.
        work: Reads job.source, writes job.target, returns what the caller wants to keep of it.
        existing: What to do about targets that are already there.
        report: Called with each event: started, then finished or failed; or skipped alone.

    Returns:
        What became of the jobs. A SketchcolorError or a MemoryError from the work is a failure; Ctrl-C ends
        the run early with interrupted=True.

    Raises:
        WorklistError: Targets exist and existing is ERROR; nothing was done.
        Exception: Anything else that the work raises is a bug and comes through.
    """
    if existing is Existing.ERROR:
        _refuse_existing(jobs)
    result: BatchResult[T] = BatchResult()
    start = time.perf_counter()
    try:
        for index, job in enumerate(jobs, start=1):
            if existing is Existing.SKIP and _is_there(job):
                result.skipped.append(job)
                report(Event(EventKind.SKIPPED, job, index, len(jobs)))
                continue
            report(Event(EventKind.STARTED, job, index, len(jobs)))
            outcome = _attempt(work, job)
            if isinstance(outcome, Done):
                result.done.append(outcome)
                report(Event(EventKind.FINISHED, job, index, len(jobs), seconds=outcome.seconds))
            else:
                result.failed.append(outcome)
                report(Event(EventKind.FAILED, job, index, len(jobs), message=outcome.message))
    except KeyboardInterrupt:
        result.interrupted = True
    result.seconds = time.perf_counter() - start
    return result


def _attempt(work: Callable[[Job], T], job: Job) -> Done[T] | Failure:
    start = time.perf_counter()
    try:
        value = work(job)
    except SketchcolorError as error:
        return Failure(job, str(error))
    except MemoryError:
        return Failure(
            job, f"{job.source}: too large for the free memory; scale it down or close other programs"
        )
    return Done(job, value, time.perf_counter() - start)


def _refuse_existing(jobs: Sequence[Job]) -> None:
    there = [job.target for job in jobs if _is_there(job)]
    if there:
        raise WorklistError(
            f"{len(there)} of {len(jobs)} results are already there, the first is {there[0]}; "
            "use --resume to leave them out or --overwrite to replace them"
        )


def _is_there(job: Job) -> bool:
    # Not Path.exists(), which raises for a name that is too long; such a job fails alone, when it is written.
    return os.path.exists(job.target)  # noqa: PTH110


def _paths(job: Job) -> dict[str, str]:
    return {"source": str(job.source), "target": str(job.target)}
