"""A run shared among workers on Ray: on this machine, or on a cluster that sees the same folders.

Each worker loads the networks once and is given pictures a few at a time, and books whole. Only this process
writes the journal. A worker that is lost is replaced, and what it was given is given out again.
"""

from __future__ import annotations

import re
import socket
import time
from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sketchcolor_cli.errors import UsageError
from sketchcolor_cli.jobs.journal import BEGUN, Record
from sketchcolor_cli.jobs.outcome import Event, EventKind, Failure, Outcome
from sketchcolor_cli.jobs.plan import Action, place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from sketchcolor_cli.files.worklist import Job
    from sketchcolor_cli.jobs.plan import Planned
    from sketchcolor_cli.jobs.requests import FilesRequest
    from sketchcolor_cli.jobs.work import Work

LOCAL = "local"
"""Stands for an address: workers on this machine."""
_FEW = 4  # pictures that a worker is given at a time
_TRIES = 3
_PATIENCE = 10  # seconds


@dataclass(frozen=True)
class Report:
    """What a worker tells of what it was given.

    Attributes:
        result: What became of it.
        events: What happened, in order.
        records: What was begun and finished, in order.
    """

    result: Outcome
    events: list[Event] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)


class Worker:
    """Holds the networks and does what it is given; lives in a process of its own."""

    def __init__(self, work: Work, request: FilesRequest, pictures: Sequence[Job]) -> None:
        """Load what the work needs; ``pictures`` are all of the run, whoever does them."""
        from sketchcolor_cli.compute import devices

        steps = work.steps(devices.resolve(work.device), lambda _note: None)
        self._steps = replace(steps, limit=request.run.page_timeout)
        self._request = request
        self._pictures = pictures

    def do(self, plan: Sequence[Planned]) -> Report:
        """Do some of the plan."""
        from sketchcolor_cli.files.books.opening import open_book
        from sketchcolor_cli.jobs.run import Runner

        events: list[Event] = []
        records: list[Record] = []

        def opened(path: Path) -> Any:
            run = request.run
            return open_book(path, pdf=request.pdf, names=run.names, page_timeout=run.page_timeout)

        request, fail_fast = self._request, self._request.run.fail_fast
        runner = Runner(
            request.output, self._steps, opened, records.append, events.append, fail_fast, self._pictures
        )
        return Report(runner.run(plan), events, records)


def run_on_ray(
    plan: Sequence[Planned],
    work: Work,
    request: FilesRequest,
    *,
    pictures: Sequence[Job],
    record: Callable[[Record], None],
    report: Callable[[Event], None],
) -> Outcome:
    """Carry a plan out on workers.

    Args:
        plan: The plan.
        work: What is done with a picture.
        request: Says where results go, which all workers see under this name, as they do the sources; and
            the address (LOCAL, or a cluster's as ray.init takes it: auto, HOST:6379, ray://HOST:10001) and
            the number of workers, each of which takes a GPU where the cluster has any.
        pictures: The jobs of all pictures of the run, in their order.
        record: Called with what is begun and finished.
        report: Called with each event.

    Raises:
        UsageError: Ray is not installed, or there is no cluster at this address.
    """
    try:
        import ray
    except ImportError as error:
        raise UsageError("--ray needs Ray; install it with: pip install ray") from error
    start = time.perf_counter()
    _join(ray, request.run.ray or LOCAL, request.run.jobs)
    result = Outcome()
    try:
        _Shared(ray, plan, (work, request, pictures), record, report).run(result)
    except KeyboardInterrupt:
        result.interrupted = True
    finally:
        ray.shutdown()
    _sort(result, plan)
    result.seconds = time.perf_counter() - start
    return result


def _sort(result: Outcome, plan: Sequence[Planned]) -> None:
    """Bring what workers did into the order of the plan; a page has the place of its book."""
    places = {planned.job.source: place for place, planned in enumerate(plan)}

    def place(job: Any) -> int:
        paths = (job.source, *job.source.parents)
        return next((places[path] for path in paths if path in places), len(places))

    for entries in (result.done, result.failed, result.partial):
        entries.sort(key=lambda entry: place(entry.job))
    result.skipped.sort(key=place)


def _join(ray: Any, address: str, workers: int) -> None:
    quiet = {"log_to_driver": False, "logging_level": "error", "configure_logging": True}
    try:
        if address == LOCAL:
            ray.init(num_cpus=workers, include_dashboard=False, **quiet)
        else:
            # Ray tries for minutes, and then ends the process.
            if place := re.fullmatch(r"(?:ray://)?(.+):(\d+)", address):
                socket.create_connection((place[1], int(place[2])), timeout=_PATIENCE).close()
            ray.init(address=address, **quiet)
    except (OSError, OverflowError, ValueError, RuntimeError) as error:
        raise UsageError(f"--ray {address}: no cluster answers at this address ({error})") from error


class _Shared:
    """One run on workers."""

    def __init__(
        self,
        ray: Any,
        plan: Sequence[Planned],
        given: tuple[Work, FilesRequest, Sequence[Job]],
        record: Callable[[Record], None],
        report: Callable[[Event], None],
    ) -> None:
        self._ray = ray
        _, request, _ = self._given = given
        self._output = request.output
        self._record = record
        self._report = report
        self._fail_fast = request.run.fail_fast
        self._waiting = deque((part, 1) for part in _parts(plan))
        gpus = 1 if ray.cluster_resources().get("GPU") else 0
        self._kind: Any = ray.remote(Worker).options(num_cpus=1, num_gpus=gpus)
        self._idle = [self._hire() for _ in range(min(request.run.jobs, len(self._waiting)))]
        self._busy: dict[Any, tuple[Any, list[Planned], int]] = {}

    def _hire(self) -> Any:
        return self._kind.remote(*self._given)

    def run(self, result: Outcome) -> None:
        """Give out the parts and gather what becomes of them."""
        while self._waiting or self._busy:
            while self._waiting and self._idle and not result.stopped:
                self._give(*self._waiting.popleft())
            if not self._busy:
                return
            self._dismiss()
            [ready], _ = self._ray.wait(list(self._busy), num_returns=1)
            worker, part, tries = self._busy.pop(ready)
            try:
                report: Report = self._ray.get(ready)
            except self._ray.exceptions.RayTaskError as error:
                raise error.as_instanceof_cause() from None
            except self._ray.exceptions.RayError as error:
                self._again(part, tries, error, result)
                if self._waiting:
                    self._idle.append(self._hire())
                continue
            self._idle.append(worker)
            self._gather(report, result)

    def _dismiss(self) -> None:
        """Let workers go that have nothing to do.

        One that was hired in the place of a lost one may wait for a processor: its node may be lost, too.
        """
        while self._idle:
            self._ray.kill(self._idle.pop())

    def _give(self, part: list[Planned], tries: int) -> None:
        worker = self._idle.pop()
        for planned in part:
            if planned.action is Action.DO:  # should all die now, the next run knows that this file is ours
                place = place_of(planned.job, self._output)
                self._record(Record(place, str(planned.job.source), "", 0, 0, "", BEGUN))
        self._busy[worker.do.remote(part)] = worker, part, tries

    def _again(self, part: list[Planned], tries: int, error: Exception, result: Outcome) -> None:
        """See to what a lost worker had: as often as not it is lost for want of memory."""
        if tries < _TRIES:
            self._waiting.extend(([planned], tries + 1) for planned in part)
            return
        for planned in part:
            job = planned.job
            message = f"{job.source}: its worker was lost {tries} times ({type(error).__name__})"
            result.failed.append(Failure(job, message))
            self._report(Event(EventKind.FAILED, job, 1, 1, message=message))
        result.stopped = result.stopped or self._fail_fast

    def _gather(self, report: Report, result: Outcome) -> None:
        for record in report.records:
            self._record(record)
        for event in report.events:
            self._report(event)
        result.add(report.result)


def _parts(plan: Sequence[Planned]) -> Iterator[list[Planned]]:
    """Give each book alone, and pictures a few at a time."""
    few: list[Planned] = []
    for planned in plan:
        if planned.job.is_book:
            yield [planned]
            continue
        few.append(planned)
        if len(few) == _FEW:
            yield few
            few = []
    if few:
        yield few
