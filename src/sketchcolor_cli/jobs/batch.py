"""A run over the files of a request: list them, plan, do what is due, and watch for more."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from sketchcolor_cli import environment
from sketchcolor_cli.compute import devices
from sketchcolor_cli.errors import WorklistError
from sketchcolor_cli.files.worklist import Worklist, find_jobs, the_one_job
from sketchcolor_cli.jobs.beside import without_side_clashes
from sketchcolor_cli.jobs.journal import Journal
from sketchcolor_cli.jobs.outcome import Begun, Loading, Note, Outcome
from sketchcolor_cli.jobs.plan import Action, Planned, Planner
from sketchcolor_cli.jobs.settings import Existing
from sketchcolor_cli.jobs.watch import Watcher

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Any

    from sketchcolor_cli.files.books.book import Book
    from sketchcolor_cli.files.worklist import Job
    from sketchcolor_cli.jobs.outcome import Progress
    from sketchcolor_cli.jobs.requests import FilesRequest
    from sketchcolor_cli.jobs.work import Work


def run_batch_over(request: FilesRequest, work: Work, title: str, progress: Progress) -> Outcome:
    """Go over the files of a request.

    Args:
        request: The files, and how the run goes.
        work: What is done with each picture.
        title: What the work is called: the name of the model or method.
        progress: Called in this thread with all that happens.

    Returns:
        What became of the files; where only a plan was asked for, the plan. Ctrl-C ends the run early with
        ``interrupted``.

    Raises:
        SketchcolorError: Nothing can be done.
    """
    environment.prepare_process(ours=False)
    run = _FilesRun(request, work, title, progress)
    if request.run.dry_run:
        work_list = run.find()
        plan = run.plan(work_list.jobs, Journal(request.output, request.run.shard))
        return Outcome(plan=[*plan, *_failed(work_list)], left_out=work_list.left_out)
    outcome = run.watch() if request.run.watch else run.once()
    outcome.device = run.device
    return outcome


class _FilesRun:
    """One run over the files of a request."""

    def __init__(self, request: FilesRequest, work: Work, title: str, progress: Progress) -> None:
        self._request = request
        self._work = work
        self._title = title
        self._progress = progress
        self._steps: Any = None
        self._pictures: list[Job] = []
        self.device = work.device

    def find(self) -> Worklist:
        """List the files of this run's share, and what cannot be done."""
        request, shard = self._request, self._request.run.shard
        if request.run.single is not None:
            return Worklist([the_one_job(request.inputs[0], request.run.single)])
        found = find_jobs(
            request.inputs,
            request.output,
            suffix=request.suffix,
            books=request.run.container,
            keep_both=request.run.keep_both,
        )
        found = without_side_clashes(found, self._work.beside, keep_both=request.run.keep_both)
        jobs, failed = found.jobs, found.failed
        self._pictures = [job for job in jobs if not job.is_book]
        if request.run.only:
            wanted = set(request.run.only)
            jobs = [job for job in jobs if job.source in wanted]
            failed = [failure for failure in failed if failure[0].source in wanted]
        if shard is None:
            return replace(found, jobs=jobs, failed=failed)
        if request.run.watch:
            shared = [job for job in jobs if shard.has(job.target.relative_to(request.output))]
        else:
            shared = shard.of(jobs)
        return replace(found, jobs=shared, failed=failed if shard.number == 1 else [])

    def plan(self, jobs: Sequence[Job], journal: Journal, existing: Existing | None = None) -> list[Planned]:
        """Decide about each file; ``existing`` stands for what the request says, where it is given."""
        request = self._request
        there = request.run.existing if existing is None else existing
        settings_of = self._work.settings_among(self._pictures)
        return Planner(request.output, journal, there, settings_of, self._open, request.suffix).plan(jobs)

    def once(self) -> Outcome:
        """Do what is due."""
        found = self.find()
        with Journal(self._request.output, self._request.run.shard) as journal:
            outcome = self._do([*self.plan(found.jobs, journal), *_failed(found)], journal)
            outcome.left_out = found.left_out
            if self._request.run.shard is None and not (outcome.failed or outcome.interrupted):
                journal.clear_staging()
        return outcome

    def watch(self) -> Outcome:
        """Do what is there, then what comes, until Ctrl-C or until a failure ends it."""
        whole, watcher, existing = Outcome(), Watcher(), None
        if any(not path.exists() for path in self._request.inputs):
            self.find()  # says which
        with Journal(self._request.output, self._request.run.shard) as journal:
            self._progress(Note("watching; Ctrl-C ends it"))
            reported: set[str] = set()
            try:
                while True:
                    found = self._by_now()
                    new = [planned for planned in _failed(found) if planned.reason not in reported]
                    reported.update(planned.reason for planned in new)
                    whole.left_out = found.left_out
                    if (jobs := watcher.complete(found.jobs)) or new:
                        whole.add(self._do([*self.plan(jobs, journal, existing), *new], journal))
                        existing = Existing.SKIP  # what is asked at the start has been answered
                        if whole.stopped or whole.interrupted:
                            return whole
                    else:
                        time.sleep(self._request.run.poll_seconds)
            except KeyboardInterrupt:  # while nothing was being done, so that nothing was left undone
                return whole

    def _by_now(self) -> Worklist:
        """List what there is; nothing while a folder is empty, or away as a disk or share may be."""
        try:
            return self.find()
        except WorklistError:
            return Worklist([])

    def _do(self, plan: Sequence[Planned], journal: Journal) -> Outcome:
        run, due = self._request.run, [planned for planned in plan if planned.action is Action.DO]
        if due:
            for line in self._work.missing([job for planned in due for job in planned.pictures]):
                self._progress(Note(line))
        if due and run.ray is None and self._steps is None:
            self._load()
        if due:
            journal.begin()
        self._progress(Begun(f"{self._title} on {self.device}", sum(planned.count for planned in plan)))
        if due and run.ray is not None:
            from sketchcolor_cli.jobs.ray import run_on_ray

            return run_on_ray(
                plan,
                self._work,
                self._request,
                pictures=self._pictures,
                record=journal.add,
                report=self._progress,
            )
        from sketchcolor_cli.jobs.run import Runner  # imports numpy

        output, report = self._request.output, self._progress
        # In a watched folder, the pictures after one are not there yet.
        pictures = None if run.watch else self._pictures
        runner = Runner(output, self._steps, self._open, journal.add, report, run.fail_fast, pictures)
        return runner.run(plan)

    def _load(self) -> None:
        """Load the networks."""
        self._progress(Loading())
        self.device = devices.resolve(self._work.device)
        steps = self._work.steps(self.device, lambda line: self._progress(Note(line)))
        run = self._request.run
        self._steps = replace(steps, writers=run.jobs, limit=run.page_timeout)

    def _open(self, path: Path) -> Book:
        from sketchcolor_cli.files.books.opening import open_book  # imports numpy

        return open_book(
            path,
            pdf=self._request.pdf,
            names=self._request.run.names,
            page_timeout=self._request.run.page_timeout,
        )


def _failed(found: Worklist) -> list[Planned]:
    return [Planned(job, Action.FAIL, why) for job, why in found.failed]
