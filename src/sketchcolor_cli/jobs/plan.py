"""What a run is going to do with each picture and book, found before anything is computed."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from sketchcolor_cli.errors import BookError, WorklistError
from sketchcolor_cli.files.worklist import TIFF_SUFFIXES, Job, names_apart, picture_name
from sketchcolor_cli.jobs.fingerprint import content_of, fingerprint
from sketchcolor_cli.jobs.journal import BEGUN, FOLDER, STAGING
from sketchcolor_cli.jobs.settings import Existing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sketchcolor_cli.files.books.book import Book, Entry
    from sketchcolor_cli.files.books.settings import PdfSettings
    from sketchcolor_cli.jobs.journal import Journal, Record

    OpenBook = Callable[[Path], Book]


class Action(StrEnum):
    """What becomes of a job."""

    DO = "do"
    SKIP = "skip"
    FAIL = "fail"


@dataclass(frozen=True)
class Page:
    """A page of a book that is to be done: where its entry stands, and its job."""

    place: int
    job: Job


@dataclass(frozen=True)
class Planned:
    """A picture or book, and what becomes of it.

    Attributes:
        job: The job.
        action: Do it, leave it out, or count it as failed.
        reason: Why it is left out, fails, or is done again though its result is there and ours.
        pages: The pages of a book that is to be done.
        settings: Fingerprint of what the result depends on besides the source.
        content: SHA-256 of the source; empty where it is not known yet.
        failed: Pages that failed in the run that finished the book, each with the reason.
        partial: What of the book stays as it is, in a line each.
    """

    job: Job
    action: Action
    reason: str = ""
    pages: tuple[Page, ...] = ()
    settings: str = ""
    content: str = ""
    failed: list[tuple[str, str]] = field(default_factory=list)
    partial: tuple[str, ...] = ()

    @property
    def pictures(self) -> list[Job]:
        """The jobs of the pictures that are to be done."""
        return [page.job for page in self.pages] if self.job.is_book else [self.job]

    @property
    def count(self) -> int:
        """How many events a run will have for it."""
        return len(self.pictures) if self.action is Action.DO else max(1, len(self.failed))

    def to_json(self) -> dict[str, Any]:
        """Put it into plain types for json.dumps."""
        plain: dict[str, Any] = {
            "source": str(self.job.source),
            "target": str(self.job.target),
            "action": str(self.action),
        }
        if self.pages:
            plain["pages"] = len(self.pages)
        if self.reason:
            plain["reason"] = self.reason
        if self.partial:
            plain["partial"] = list(self.partial)
        return plain


@dataclass(frozen=True)
class Planner:
    """Makes a plan.

    Attributes:
        output: The folder for the results.
        journal: What was done before.
        existing: What to do about results that are there and that the journal does not know as finished.
        settings_of: Returns the fingerprint of what a picture's result depends on besides the picture.
        open_book: Opens a book.
        suffix: The ending of results, or None for each its own.
    """

    output: Path
    journal: Journal
    existing: Existing
    settings_of: Callable[[Job], str]
    open_book: OpenBook
    suffix: str | None = None

    def plan(self, jobs: Sequence[Job]) -> list[Planned]:
        """Plan each job.

        Raises:
            WorklistError: results are there that were made of something else, or by something else, and it
                was not said what to do about that.
        """
        planned = [self._book(job) if job.is_book else self._picture(job) for job in jobs]
        if self.existing is Existing.ERROR:
            due = [plan.job for plan in planned if plan.action is Action.DO and not plan.reason]
            there = [job.target for job in due if _exists(job.target)]
            if there:
                raise WorklistError(
                    f"{len(there)} of {len(jobs)} results are already there, the first is {there[0]}; "
                    "use --resume to leave them as they are or --overwrite to replace them"
                )
        return planned

    def _picture(self, job: Job) -> Planned:
        try:
            settings = self.settings_of(job)
            if self.existing is not Existing.OVERWRITE and _exists(job.target):
                return self._found(Planned(job, Action.DO, settings=settings))
        except OSError:
            pass  # reported when it is read
        else:
            return Planned(job, Action.DO, settings=settings)
        return Planned(job, Action.DO)

    def _book(self, job: Job) -> Planned:
        try:
            with self.open_book(job.source) as book:
                entries = book.pages
                if not entries:
                    return Planned(job, Action.FAIL, _pageless(job, book))
                names = names_apart([(entry.name, self._page_name(job, entry)) for entry in entries])
            pages = tuple(
                Page(entry.place, Job(job.source / entry.name, job.target / name))
                for entry, name in zip(entries, names, strict=True)
            )
            settings = fingerprint([(page.job.target.name, self.settings_of(page.job)) for page in pages])
            planned = Planned(job, Action.DO, pages=pages, settings=settings, partial=_unopened(book))
            if self.existing is not Existing.OVERWRITE and _exists(job.target):
                planned = self._found(planned)
            if planned.action is not Action.DO:
                return replace(planned, pages=())
            content = planned.content or content_of(job.source)
        except BookError as error:
            return Planned(job, Action.FAIL, str(error))
        except OSError as error:
            return Planned(job, Action.FAIL, f"{job.source}: cannot be read ({error.strerror})")
        folder = staging_of(self.output, content, settings)
        staged = tuple(Page(page.place, _staged(page, folder)) for page in pages)
        return replace(planned, pages=staged, content=content)

    def _page_name(self, job: Job, entry: Entry) -> str:
        """Return the name of a page's result within its book."""
        kind, place = job.target.suffix.lower(), PurePosixPath(entry.name)
        if kind == ".epub":
            return entry.name  # its texts call it so
        if kind in TIFF_SUFFIXES:
            return str(place.with_suffix(".tif"))
        suffix = self.suffix
        if job.is_volume and suffix is None:
            suffix = ".png"  # a TIFF that becomes a CBZ; few readers show TIFF
        rendered = suffix is None and job.source.suffix.lower() == ".pdf"
        if rendered or (kind == ".pdf" and suffix != ".png"):
            suffix = ".jpg"
        return str(place.with_name(picture_name(place.name, suffix)))

    def _found(self, planned: Planned) -> Planned:
        """Decide about a job whose target is there."""
        job, settings = planned.job, planned.settings
        record = self.journal.find(place_of(job, self.output))
        if record is not None and record.bytes == BEGUN:
            return replace(planned, reason="was being written when a run ended")
        if record is None or job.target.stat().st_size != record.bytes:
            if self.existing is Existing.SKIP:
                return replace(planned, action=Action.SKIP, reason="already there")
            return planned
        content = _content(job.source, record.content, record.size, record.changed)
        planned = replace(planned, content=content)
        if record.content != content or _is_changed_around(job.source, record):
            return planned
        if record.settings != settings:
            if self.existing is Existing.SKIP:
                return replace(planned, action=Action.SKIP, reason="already there, made with other settings")
            return planned
        if record.again:
            return replace(planned, reason="pages failed for reasons that may have passed")
        planned = replace(planned, partial=(*planned.partial, *record.partial))
        if record.failed:
            listed = "; ".join(reason for _, reason in record.failed)
            return replace(planned, action=Action.FAIL, reason=listed, failed=record.failed)
        return replace(planned, action=Action.SKIP, reason="done before")


def place_of(job: Job, output: Path) -> str:
    """Return where a result lies below the output folder, by which the journal knows it."""
    return job.target.relative_to(output).as_posix()


def pdf_settings_of(job: Job, pdf: PdfSettings) -> PdfSettings | None:
    """Return how the picture of a job is rendered; None where it is not a page of a PDF."""
    return pdf if any(above.suffix.lower() == ".pdf" for above in job.source.parents) else None


def staging_of(output: Path, content: str, settings: str) -> Path:
    """Return the folder in which the pages of a book gather until it is bound."""
    return output / FOLDER / STAGING / fingerprint(content, settings)[:24]


def _staged(page: Page, folder: Path) -> Job:
    job, number = page.job, f"{page.place:06d}"
    return Job(
        job.source,
        job.target,
        staged=folder / f"{number}-in{job.source.suffix.lower()}",
        drafted=folder / f"{number}{job.target.suffix}",
    )


def _content(source: Path, known: str, size: int, changed: int) -> str:
    """Return the SHA-256 of a source; it is not read where it looks as it did."""
    status = source.stat()
    return known if (status.st_size, status.st_mtime_ns) == (size, changed) else content_of(source)


def _is_changed_around(source: Path, record: Record) -> bool:
    """Whether a picture that the result was made of beside its own is another now, or gone."""
    try:
        return any(
            _content(source.with_name(name), content, size, changed) != content
            for name, content, size, changed in record.around
        )
    except (OSError, ValueError):
        return True


def _exists(path: Path) -> bool:
    # Not Path.exists(), which raises for too long a name; such a job fails alone, when it is written.
    return os.path.exists(path)  # noqa: PTH110


def _unopened(book: Book) -> tuple[str, ...]:
    """Say which books within a book stay as they are, though there are pages in it."""
    inner = book.inner_books
    if not inner:
        return ()
    if len(inner) == 1:
        return (f"{book.path}: a book in it, {inner[0]}, stays as it is; unpack it to have that done",)
    count = f"{len(inner)} books in it stay as they are, such as {inner[0]}"
    return (f"{book.path}: {count}; unpack it to have them done",)


def _pageless(job: Job, book: Book) -> str:
    if inner := book.inner_books:
        books = f"a book, {inner[0]}" if len(inner) == 1 else f"{len(inner)} books, such as {inner[0]}"
        return f"{job.source}: holds no pictures but {books}; unpack it first"
    return f"{job.source}: holds no pictures; nothing is done with it"
