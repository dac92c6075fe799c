"""A run over files shared among workers on Ray.

Each worker loads the networks once and is given pictures a few at a time, and books whole. Only this process
writes the journal.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from sketchcolor_cli.jobs.journal import BEGUN, Record
from sketchcolor_cli.jobs.outcome import Event, EventKind, Failure, Outcome
from sketchcolor_cli.jobs.plan import Action, place_of
from sketchcolor_cli.jobs.ray_workers import LOCAL, Lost, Workers, joined

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from sketchcolor_cli.files.worklist import Job
    from sketchcolor_cli.jobs.plan import Planned
    from sketchcolor_cli.jobs.requests import FilesRequest
    from sketchcolor_cli.jobs.work import Work

_FEW = 4  # pictures that a worker is given at a time


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


class PartRunner:
    """Does parts of a plan."""

    def __init__(self, work: Work, request: FilesRequest, pictures: Sequence[Job]) -> None:
        """Load what the work needs; ``pictures`` are all of the run, whoever does them."""
        from sketchcolor_cli.compute import devices

        steps = work.steps(devices.resolve(work.device), lambda _note: None)
        self._steps = replace(steps, limit=request.run.page_timeout)
        self._request = request
        self._pictures = pictures

    def __call__(self, plan: Sequence[Planned]) -> Report:
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
            the address (see :func:`joined`) and the number of workers, each of which takes a GPU where the
            cluster has any.
        pictures: The jobs of all pictures of the run, in their order.
        record: Called with what is begun and finished.
        report: Called with each event.

    Raises:
        UsageError: Ray is not installed, or there is no cluster at this address.
        WorkerError: Workers are lost while they load.
    """
    start = time.perf_counter()
    result = Outcome()
    with joined(request.run.ray or LOCAL, request.run.jobs) as ray:
        try:
            _Shared(ray, plan, (work, request, pictures), record, report).run(result)
        except KeyboardInterrupt:
            result.interrupted = True
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
        _, request, _ = given
        self._output = request.output
        self._record = record
        self._report = report
        self._fail_fast = request.run.fail_fast
        parts = list(_parts(plan))
        self._parts = iter(parts)
        load = partial(PartRunner, *given)
        count = min(request.run.jobs, len(parts))
        self._workers: Workers[Planned, Report] = Workers(ray, load, count)

    def run(self, result: Outcome) -> None:
        """Give out the parts and gather what becomes of them."""
        for part, report in self._workers.results(self._take):
            if isinstance(report, Lost):
                self._fail(part, report, result)
            else:
                self._gather(report, result)
            if result.stopped:
                self._workers.stop()

    def _take(self) -> list[Planned]:
        part = next(self._parts, [])
        for planned in part:
            if planned.action is Action.DO:  # should all die now, the next run knows that this file is ours
                place = place_of(planned.job, self._output)
                self._record(Record(place, str(planned.job.source), "", 0, 0, "", BEGUN))
        return part

    def _fail(self, part: Sequence[Planned], lost: Lost, result: Outcome) -> None:
        for planned in part:
            job = planned.job
            message = f"{job.source}: {lost.why}"
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
