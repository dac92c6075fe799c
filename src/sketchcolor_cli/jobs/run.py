"""Doing what was planned: pictures one after the other, books page by page until they can be bound."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from filecmp import cmp
from itertools import groupby
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from sketchcolor_cli.errors import (
    BookError,
    DiskFullError,
    ImageError,
    SeveralPicturesError,
    SketchcolorError,
    TimeLimitError,
)
from sketchcolor_cli.files.atomic import atomic_write, write_error
from sketchcolor_cli.files.books.binding import bind
from sketchcolor_cli.jobs.fingerprint import content_of, known_content
from sketchcolor_cli.jobs.journal import BEGUN, Record
from sketchcolor_cli.jobs.outcome import Event, EventKind, Failure, Outcome
from sketchcolor_cli.jobs.pipeline import Steps, run_batch
from sketchcolor_cli.jobs.plan import Action, place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from sketchcolor_cli.files.books.book import Book, Entry
    from sketchcolor_cli.files.worklist import Job
    from sketchcolor_cli.jobs.plan import OpenBook, Planned

P = TypeVar("P")
R = TypeVar("R")

_COMIC_INFO = "ComicInfo.xml"


@dataclass(frozen=True)
class Runner(Generic[P, R]):
    """Carries a plan out.

    Attributes:
        output: The folder for the results.
        steps: What is done with a picture; they read ``job.reads`` and write ``job.writes``.
        open_book: Opens a book.
        record: Called with what is begun and what is finished, from any thread.
        report: Called in the caller's thread with each event.
        fail_fast: Whether the first failure ends the run.
        pictures: The jobs of all pictures among which those of the plan stand, done here or elsewhere; those
            of the plan if None.
    """

    output: Path
    steps: Steps[Job, P, R]
    open_book: OpenBook
    record: Callable[[Record], None]
    report: Callable[[Event], None]
    fail_fast: bool = False
    pictures: Sequence[Job] | None = None

    def run(self, plan: Sequence[Planned]) -> Outcome:
        """Do it all, in the order of the plan.

        Returns:
            What became of each picture and page. After Ctrl-C, a full disk, or the first failure where that
            ends the run, the rest is in no list.
        """
        start = time.perf_counter()
        result = Outcome()
        self._announce(plan)
        try:
            for part in self._parts(plan):
                result.add(part)
                result.stopped = result.stopped or (self.fail_fast and bool(part.failed))
                if result.interrupted or result.stopped:
                    break
            _copy_comic_infos(plan)
        except KeyboardInterrupt:  # between two batches, as when a book is bound
            result.interrupted = True
        result.seconds = time.perf_counter() - start
        return result

    def _announce(self, plan: Sequence[Planned]) -> None:
        """Say which pictures there are, if any is to be done; else nothing was loaded for that."""
        due = any(planned.action is Action.DO for planned in plan)
        if due and self.steps.announce is not None:
            pictures = [planned.job for planned in plan if not planned.job.is_book]
            self.steps.announce(pictures if self.pictures is None else self.pictures)

    def _parts(self, plan: Sequence[Planned]) -> Iterator[Outcome]:
        for (action, is_book), group in groupby(
            plan, key=lambda planned: (planned.action, planned.job.is_book)
        ):
            if action is Action.SKIP:
                for planned in group:
                    yield Outcome(
                        skipped=[self._reported(EventKind.SKIPPED, planned)], partial=_left(planned)
                    )
            elif action is Action.FAIL:
                for planned in group:
                    yield Outcome(failed=list(self._failures(planned)), partial=_left(planned))
            elif is_book:
                for planned in group:
                    yield self._book(planned)
            else:
                yield self._pictures(list(group))

    def _reported(self, kind: EventKind, planned: Planned, message: str = "") -> Job:
        self.report(Event(kind, planned.job, 1, 1, message=message))
        return planned.job

    def _failures(self, planned: Planned) -> Iterator[Failure]:
        for reason in [reason for _, reason in planned.failed] or [planned.reason]:
            yield Failure(self._reported(EventKind.FAILED, planned, reason), reason)

    def _pictures(self, plan: Sequence[Planned]) -> Outcome:
        of_job = {planned.job: planned for planned in plan}
        sources: dict[Job, _Source] = {}

        def read(job: Job) -> P:
            picture = self.steps.read(job)
            sources[job] = _looked_at(job.source)
            return picture

        def write(job: Job, result: R) -> Mapping[str, Any] | None:
            begun = self._begin(of_job[job], sources.pop(job), self.steps.around(result))
            facts = self.steps.write(job, result)
            with suppress(FileNotFoundError):  # it was not worth a file
                self.record(replace(begun, bytes=job.target.stat().st_size))
            return facts

        steps = replace(self.steps, read=read, write=write)
        return self._batch([planned.job for planned in plan], steps, skip=False)

    def _begin(self, planned: Planned, source: _Source, around: Iterable[Path] = ()) -> Record:
        """Record that a result is about to be written."""
        place, known = place_of(planned.job, self.output), [(path.name, *_neighbour(path)) for path in around]
        begun = Record(place, str(planned.job.source), *source, planned.settings, BEGUN, around=known)
        self.record(begun)
        return begun

    def _book(self, planned: Planned) -> Outcome:
        job, staging = planned.job, planned.pages[0].job.writes.parent
        try:
            staging.mkdir(parents=True, exist_ok=True)
            source = _looked_at(job.source, planned.content)
            with self.open_book(job.source) as book:
                result, unreadable = self._pages(book, planned)
                if result.interrupted or result.stopped:
                    return result
                drafts = {page.place: page.job.writes for page in planned.pages if page.job.writes.exists()}
                begun = self._begin(planned, source)
                bind(book, job.target, drafts)
            failed = [(failure.job.name, failure.message) for failure in result.failed]
            again = len(failed) > unreadable
            left = [failure.message for failure in result.partial]
            size = job.target.stat().st_size
            self.record(replace(begun, bytes=size, failed=failed, again=again, partial=left))
        except OSError as error:
            problem = write_error(job.target, error, BookError)
            return self._lost(planned, str(problem), stopped=isinstance(problem, DiskFullError))
        except SketchcolorError as error:
            return self._lost(planned, str(error), stopped=isinstance(error, DiskFullError))
        result.partial += _left(planned)
        if not again:
            shutil.rmtree(staging, ignore_errors=True)
        return result

    def _lost(self, planned: Planned, message: str, *, stopped: bool = False) -> Outcome:
        """Count a book as failed; what was done of it stays staged."""
        failure = Failure(self._reported(EventKind.FAILED, planned, message), message)
        return Outcome(failed=[failure], stopped=stopped)

    def _pages(self, book: Book, planned: Planned) -> tuple[Outcome, int]:
        """Do the pages of a book; return also how many cannot be read, which will never be otherwise."""
        entries = {entry.place: entry for entry in book.entries}
        entry_of = {page.job: entries[page.place] for page in planned.pages}
        unreadable: set[Job] = set()
        staged = self._all_staged(book, entry_of)

        def read(job: Job) -> P:
            try:
                if (problem := staged.get(job)) is not None:
                    raise problem
                if job not in staged:
                    _stage(book, entry_of[job], job)
                return self.steps.read(job)
            except (DiskFullError, TimeLimitError):  # which pass
                raise
            except SketchcolorError as error:
                if not isinstance(error, SeveralPicturesError):
                    unreadable.add(job)
                job.reads.unlink(missing_ok=True)
                raise

        def write(job: Job, result: R) -> Mapping[str, Any] | None:
            try:
                return self.steps.write(job, result)
            finally:
                if job not in staged:
                    job.reads.unlink(missing_ok=True)

        steps = replace(self.steps, read=read, write=write, leaves=(SeveralPicturesError,))
        result = self._batch([page.job for page in planned.pages], steps, skip=True, cancel=book.cancel)
        return result, len(unreadable)

    def _all_staged(self, book: Book, entry_of: Mapping[Job, Entry]) -> dict[Job, BookError | None]:
        """Take all pages out of a book, if results may depend on the pages around.

        Returns those taken, each with the reason why that failed, or None.
        """
        staged: dict[Job, BookError | None] = {}
        if self.steps.announce is None:
            return staged
        for job, entry in entry_of.items():
            try:
                _stage(book, entry, job)
                staged[job] = None
            except BookError as error:  # told when it is its turn
                staged[job] = error
        self.steps.announce(list(entry_of))
        return staged

    def _batch(
        self,
        jobs: Sequence[Job],
        steps: Steps[Job, P, R],
        *,
        skip: bool,
        cancel: Callable[[], None] = lambda: None,
    ) -> Outcome:
        return run_batch(jobs, steps, skip=skip, report=self.report, fail_fast=self.fail_fast, cancel=cancel)


def _left(planned: Planned) -> list[Failure]:
    """Return what of a book is known to stay as it is."""
    return [Failure(planned.job, line) for line in planned.partial]


class _Source(NamedTuple):
    """What the journal says of a source: SHA-256, bytes, last change in nanoseconds."""

    content: str
    size: int
    changed: int


def _looked_at(path: Path, content: str = "") -> _Source:
    """Look at a source now, as it may be gone when its result is written."""
    try:
        status = path.stat()
        return _Source(content or content_of(path), status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise ImageError(f"{path}: cannot be read any more ({error.strerror}); check it") from error


def _neighbour(path: Path) -> _Source:
    """Look at a picture that a result was made of beside its own; one that is gone counts as changed."""
    try:
        return _looked_at(path, known_content(path))
    except (OSError, ImageError):
        return _Source("", -1, 0)


def _stage(book: Book, entry: Entry, job: Job) -> None:
    """Take a page out of its book, into the file that is read."""
    try:
        with job.reads.open("wb") as file:
            for piece in book.chunks(entry):
                file.write(piece)
    except OSError as error:
        raise write_error(job.source, error, BookError) from error


def _copy_comic_infos(plan: Sequence[Planned]) -> None:
    """Take along what comic readers want to know of a folder."""
    jobs = (planned.job for planned in plan if not planned.job.is_book)
    for folder, target in {job.source.parent: job.target.parent for job in jobs}.items():
        info, new = folder / _COMIC_INFO, target / _COMIC_INFO
        with suppress(OSError):  # as good as none
            if target.is_dir() and info.is_file() and not (new.is_file() and cmp(info, new, shallow=False)):
                with atomic_write(new) as draft:
                    shutil.copyfile(info, draft)
