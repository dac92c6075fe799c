"""The one loop over many pictures: leave out what is there, do the rest, set failures aside, report.

The work on a picture has three steps. Reading runs ahead and writing runs behind, each in threads of its own,
while the caller's thread computes, so that a device need not wait for files. What is in flight at one time is
bounded by number and by bytes, so that memory does not grow with the number of pictures.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sketchcolor_cli.compute.deadline import Deadline, within
from sketchcolor_cli.errors import DiskFullError, SketchcolorError, TimeLimitError
from sketchcolor_cli.files.books.settings import PAGE_TIMEOUT
from sketchcolor_cli.jobs.outcome import Done, Event, EventKind, Failure, Item, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

ROOM = 2**28
"""Bytes: while the pictures in flight weigh as much as this, no further one is read."""
GRACE = 5.0
"""Seconds after Ctrl-C in which what is computed is still written."""


# A plugin that leaves by sys.exit() must not end the run as if all were done. Ctrl-C is none of them.
_FAILURES = (Exception, SystemExit)

J = TypeVar("J", bound=Item)
P = TypeVar("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Steps(Generic[J, P, R]):
    """What is done with a job. Whatever a step raises is a failure of that job alone.

    Errors of reading and writing name the job's source or target themselves; to one of computing the source
    is added. What is not a SketchcolorError is a bug, ours or a plugin's, and keeps its traceback.

    Attributes:
        read: Returns the picture, ready to be computed. Called in one background thread, in the order of the
            jobs, ahead of the computing.
        compute: Returns the results of one or more pictures of equal key, in their order. Called in the
            caller's thread. When it fails for several pictures, they are tried again one by one.
        write: Puts a result where the job wants it, whole or not at all, and returns facts worth reporting in
            plain types, or None. Called in background threads. With size 1 and one writer the writes come in
            the order of the jobs, else in any.
        key: Only pictures of equal key are computed together.
        weight: About how many bytes of memory a picture that was read holds until it is written.
        size: How many pictures are computed together at most.
        writers: How many threads write.
        in_order: Whether a picture is computed only when those before it are written.
        limit: Seconds that the three steps may take together for a picture; they look at it where they call
            ``compute.deadline.check``, and none begins after it.
        around: Returns the files that a result was made of beside the job's own, in its folder.
        leaves: What reading may raise that leaves a job as it is, which is not a failure.
        announce: Called with the jobs that belong together, the pages of a book or the pictures of a run, in
            their order and before any is read; what they are read from then stays until all are done. None
            where nobody wants to know.
    """

    read: Callable[[J], P]
    compute: Callable[[Sequence[P]], Sequence[R]]
    write: Callable[[J, R], Mapping[str, Any] | None]
    key: Callable[[P], Hashable] = lambda _picture: None
    weight: Callable[[P], int] = lambda _picture: 0
    size: int = 1
    writers: int = 1
    in_order: bool = False
    limit: float = PAGE_TIMEOUT
    around: Callable[[R], Iterable[Path]] = lambda _result: ()
    leaves: tuple[type[SketchcolorError], ...] = ()
    announce: Callable[[Sequence[J]], None] | None = None


def run_batch(
    jobs: Sequence[J],
    steps: Steps[J, P, R],
    *,
    skip: bool,
    report: Callable[[Event], None],
    fail_fast: bool = False,
    cancel: Callable[[], None] = lambda: None,
) -> Outcome:
    """Do the work for every job; a picture that fails is set aside and the rest goes on.

    Args:
        jobs: The worklist.
        steps: Reading, computing and writing.
        skip: Whether to leave out targets that are already there, instead of making them again.
        report: Called in the caller's thread with each event: started, then finished or failed; or, when it
            cannot even be read, failed alone; or left or skipped alone. Those of different jobs overlap.
        fail_fast: Whether the first failure ends the run, as a full disk always does: what is computed by
            then is still written.
        cancel: Called after Ctrl-C, to end what is being read, where that may take long.

    Returns:
        What became of the jobs. Ctrl-C ends the run early with interrupted=True: what is computed by then is
        still written where that takes no more than GRACE, unless Ctrl-C comes again; what is being put into
        its place then is finished in any case.

    """
    start = time.perf_counter()
    result = _Run(jobs, steps, report, skip=skip, fail_fast=fail_fast, cancel=cancel).result()
    result.seconds = time.perf_counter() - start
    return result


@dataclass(eq=False)
class _Flight(Generic[J]):
    """A job in flight: the picture while it waits to be computed, and what it cost so far."""

    index: int
    job: J
    picture: Any = None
    weight: int = 0
    seconds: float = 0.0
    facts: Mapping[str, Any] | None = None
    deadline: Deadline | None = None


class _Ended(Exception):  # noqa: N818 - not an error, but the way out
    """A failure ends the run."""


class _Run(Generic[J, P, R]):
    """One run over the jobs. All but ``_read`` and ``_write`` happens in the caller's thread."""

    def __init__(
        self,
        jobs: Sequence[J],
        steps: Steps[J, P, R],
        report: Callable[[Event], None],
        *,
        skip: bool,
        fail_fast: bool,
        cancel: Callable[[], None],
    ) -> None:
        self._cancel = cancel
        self._steps = steps
        self._report = report
        self._total = len(jobs)
        self._fail_fast = fail_fast
        self._ending = self._hurried = False
        self._due: Iterator[_Flight[J]] | None = self._not_skipped(jobs, skip=skip)
        self._most = 3 * steps.size + steps.writers - 1  # one group read, one computed, one written
        self._reading: deque[tuple[_Flight[J], Future[None]]] = deque()
        self._waiting: dict[Hashable, list[_Flight[J]]] = {}  # read, to be computed
        self._writing: dict[Future[None], _Flight[J]] = {}
        self._room = threading.Condition()
        self._held = 0  # bytes
        self._stopped = False
        self._done: list[tuple[int, Done]] = []
        self._failed: list[tuple[int, Failure]] = []
        self._left: list[tuple[int, Failure]] = []
        self._skipped: list[Item] = []

    def result(self) -> Outcome:
        """Do the work."""
        interrupted = stopped = False
        with ThreadPoolExecutor(1) as self._reader, ThreadPoolExecutor(self._steps.writers) as self._writer:
            try:
                for group in self._groups():
                    self._compute(group)
            except (KeyboardInterrupt, _Ended) as end:
                interrupted, stopped = isinstance(end, KeyboardInterrupt), isinstance(end, _Ended)
                self._ending = True
                self._stop()
                if interrupted:
                    self._hurry()
                self._cancel()
                self._write_the_rest()
            finally:
                self._stop()
                self._writer.shutdown(wait=False, cancel_futures=True)
        done, failed, left = _sorted(self._done), _sorted(self._failed), _sorted(self._left)
        return Outcome(done, self._skipped, failed, left, interrupted=interrupted, stopped=stopped)

    def _not_skipped(self, jobs: Sequence[J], *, skip: bool) -> Iterator[_Flight[J]]:
        for index, job in enumerate(jobs, start=1):
            if skip and job.is_there():
                self._skipped.append(job)
                self._notify(EventKind.SKIPPED, index, job)
            else:
                yield _Flight(index, job)

    def _groups(self) -> Iterator[list[_Flight[J]]]:
        """Give what to compute next until there is nothing left, and see to the files while it waits.

        Which pictures make a group depends on their order, keys and weights alone, not on how fast files are
        read or written: rounding may differ with the group, and results shall not differ from run to run.
        """
        while True:
            self._count_written()
            self._read_ahead()
            full = [key for key, group in self._waiting.items() if len(group) >= self._steps.size]
            due = full or (self._waiting and self._must_not_wait())
            if due and self._steps.in_order and self._writing:
                wait(self._writing, return_when=FIRST_COMPLETED)
            elif due:
                yield self._waiting.pop(full[0] if full else next(iter(self._waiting)))
            elif self._reading:
                self._take()
            elif self._writing:
                wait(self._writing, return_when=FIRST_COMPLETED)
            else:
                return

    def _must_not_wait(self) -> bool:
        """Whether a group that is not full must be computed: nothing will join it, or too much waits."""
        waiting = [flight.weight for group in self._waiting.values() for flight in group]
        nothing_comes = self._due is None and not self._reading
        return nothing_comes or len(waiting) >= 2 * self._steps.size or sum(waiting) >= ROOM

    def _read_ahead(self) -> None:
        while self._due and self._in_flight() < self._most:
            flight = next(self._due, None)
            if flight is None:
                self._due = None
            else:
                self._reading.append((flight, self._reader.submit(self._read, flight)))

    def _in_flight(self) -> int:
        waiting = sum(len(group) for group in self._waiting.values())
        return len(self._reading) + waiting + len(self._writing)

    def _read(self, flight: _Flight[J]) -> None:
        with self._room:
            self._room.wait_for(lambda: self._held < ROOM or self._stopped)
        if self._stopped:
            return
        start = time.perf_counter()
        with self._limited(flight):
            flight.picture = self._steps.read(flight.job)
        flight.seconds = time.perf_counter() - start
        flight.weight = self._steps.weight(flight.picture)
        with self._room:
            self._held += flight.weight

    def _take(self) -> None:
        """Wait until a picture is read, and put it where it waits for others of its key."""
        self._reading[0][1].exception()  # Ctrl-C comes here, while it is among those that are being read
        flight, reading = self._reading.popleft()
        try:
            reading.result()
        except self._steps.leaves as error:
            message = f"{error}; it stays as it is in the book"
            self._left.append((flight.index, Failure(flight.job, message)))
            self._notify(EventKind.LEFT, flight.index, flight.job, message=message)
        except _FAILURES as error:
            self._fail(flight, error)
        else:
            self._waiting.setdefault(self._steps.key(flight.picture), []).append(flight)

    def _compute(self, group: list[_Flight[J]]) -> None:
        for flight in group:
            self._notify(EventKind.STARTED, flight.index, flight.job)
        self._try(group)

    def _try(self, group: list[_Flight[J]]) -> None:
        start = time.perf_counter()
        try:
            with self._limited(*group):
                results = self._steps.compute([flight.picture for flight in group])
            if len(results) != len(group):
                raise RuntimeError(f"{len(results)} results for {len(group)} pictures")
        except _FAILURES as error:
            if len(group) == 1:
                self._fail(group[0], error, f"{group[0].job.source}: ")
                return
            for flight in group:
                self._try([flight])
            return
        share = (time.perf_counter() - start) / len(group)
        for flight, result in zip(group, results, strict=True):
            flight.picture = None
            flight.seconds += share
            self._writing[self._writer.submit(self._write, flight, result)] = flight

    def _write(self, flight: _Flight[J], result: R) -> None:
        start = time.perf_counter()
        try:
            with self._limited(flight):
                flight.facts = self._steps.write(flight.job, result)
        finally:  # not when it is counted: the caller's thread may wait for what has no room to be read
            self._release(flight)
        flight.seconds += time.perf_counter() - start

    def _count_written(self) -> None:
        """Count what has been written by now."""
        for writing in [future for future in self._writing if future.done()]:
            flight = self._writing.pop(writing)
            try:
                writing.result()
            except _FAILURES as error:
                self._fail(flight, error)
                continue
            self._done.append((flight.index, Done(flight.job, flight.seconds, flight.facts or {})))
            self._notify(EventKind.FINISHED, flight.index, flight.job, seconds=flight.seconds)

    def _limited(self, *group: _Flight[J]) -> AbstractContextManager[None]:
        """Hold a step to what its pictures have left of their time."""
        deadline = Deadline(sum(self._steps.limit - flight.seconds for flight in group))
        for flight in group:
            flight.deadline = deadline
        return within(deadline)

    def _hurry(self) -> None:
        """After Ctrl-C: leave what is being read, and soon also what is being written."""
        self._hurried = True
        flights = [(flight, 0.0) for flight, _ in self._reading]
        for flight, seconds in [*flights, *((flight, GRACE) for flight in self._writing.values())]:
            if flight.deadline is not None:
                flight.deadline.bring_to(seconds)

    def _write_the_rest(self) -> None:
        """After Ctrl-C: wait for what is computed to be written; at the next one only for what has begun."""
        while self._writing:
            try:
                wait(self._writing, return_when=FIRST_COMPLETED)
                self._count_written()
            except KeyboardInterrupt:
                self._writing = {
                    future: flight for future, flight in self._writing.items() if not future.cancel()
                }

    def _stop(self) -> None:
        """Read no more."""
        with self._room:
            self._stopped = True
            self._room.notify_all()
        self._reader.shutdown(wait=False, cancel_futures=True)

    def _fail(self, flight: _Flight[J], error: BaseException, place: str = "") -> None:
        flight.picture = None
        self._release(flight)
        late = isinstance(error, TimeLimitError)
        if late and self._hurried:  # it was left, as Ctrl-C came
            return
        message, trace = (self._late(flight), "") if late else _message(flight.job, error, place)
        self._failed.append((flight.index, Failure(flight.job, message)))
        self._notify(EventKind.FAILED, flight.index, flight.job, message=message, trace=trace)
        if (self._fail_fast or isinstance(error, DiskFullError)) and not self._ending:
            raise _Ended

    def _late(self, flight: _Flight[J]) -> str:
        long = f"takes longer than {self._steps.limit:g} s"
        return f"{flight.job.source}: {long}; scale it down, or allow more with --page-timeout"

    def _release(self, flight: _Flight[J]) -> None:
        with self._room:
            self._held -= flight.weight
            flight.weight = 0
            self._room.notify_all()

    def _notify(
        self,
        kind: EventKind,
        index: int,
        job: Item,
        *,
        seconds: float = 0.0,
        message: str = "",
        trace: str = "",
    ) -> None:
        self._report(Event(kind, job, index, self._total, seconds, message, trace))


def _message(job: Item, error: BaseException, place: str) -> tuple[str, str]:
    """Return the line that says why a job failed, and of what is a bug where it came from."""
    if isinstance(error, MemoryError):
        return f"{job.source}: too large for the free memory; scale it down or close other programs", ""
    if isinstance(error, SketchcolorError):
        return f"{place}{error}", ""
    first = next(iter(str(error).splitlines()), "")
    fault = f"a fault of the program ({type(error).__name__}: {first})"
    message = f"{job.source}: {fault}; report it with the output of -v"
    return message, "".join(traceback.format_exception(error))


T = TypeVar("T")


def _sorted(numbered: Iterable[tuple[int, T]]) -> list[T]:
    return [entry for _, entry in sorted(numbered, key=lambda pair: pair[0])]
