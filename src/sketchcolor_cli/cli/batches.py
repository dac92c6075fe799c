"""What commands that go over many files have in common: their options, the plan, the run, the watching."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sketchcolor_cli.cli import options, printing
from sketchcolor_cli.compute import devices
from sketchcolor_cli.errors import UsageError, WorklistError
from sketchcolor_cli.files.books.settings import PdfSettings
from sketchcolor_cli.files.worklist import FORMAT_OF_SUFFIX, Container, Shard, build_worklist, parse_shard
from sketchcolor_cli.jobs.journal import Journal
from sketchcolor_cli.jobs.pipeline import BatchResult, Existing
from sketchcolor_cli.jobs.plan import Action, Planner
from sketchcolor_cli.jobs.settings import RunSettings
from sketchcolor_cli.jobs.watch import Watcher

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sketchcolor_cli.files.books.book import Book
    from sketchcolor_cli.files.worklist import Job
    from sketchcolor_cli.jobs.plan import Planned
    from sketchcolor_cli.jobs.work import Work


KEEP = "keep"
"""Stands for each picture's own format."""
FORMATS = ", ".join(suffix[1:] for suffix in FORMAT_OF_SUFFIX)
"""The formats that are written, for people."""

DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Print what would be done with each file, and do nothing.")
]
FailFast = Annotated[
    bool, typer.Option("--fail-fast", help="End the run at the first failure instead of going on.")
]
ShardOption = Annotated[
    str | None,
    typer.Option(
        "--shard",
        metavar="I/N",
        help="Do the I-th of N equal shares, such as 2/8, while other machines do the others.",
    ),
]
Jobs = Annotated[
    int,
    typer.Option(
        "--jobs",
        "-j",
        min=1,
        help="How many results are encoded and written at the same time; with --ray, how many workers.",
    ),
]
Watch = Annotated[
    bool,
    typer.Option(
        "--watch",
        help="Keep looking into the input folders, and do new files when they are complete; Ctrl-C ends it.",
    ),
]
Ray = Annotated[
    str | None,
    typer.Option(
        "--ray",
        metavar="ADDRESS",
        help="Share the work among workers on Ray: local for this machine, or a cluster's address.",
    ),
]
ContainerOption = Annotated[
    Container, typer.Option("--container", help="Write books back as what they were, or all as CBZ.")
]
PdfDpi = Annotated[
    int,
    typer.Option(
        "--pdf-dpi",
        min=0,
        max=2400,
        help="Dots per inch at which pages of a PDF are rendered; 0 takes those of the scan that fills the "
        "page, or 300.",
    ),
]
FormatOption = Annotated[
    str,
    typer.Option(
        "--format",
        metavar=f"{KEEP}|NAME",
        help=f"Format of the results: {FORMATS}; or {KEEP} for that of each picture.",
    ),
]
Quality = Annotated[
    int, typer.Option(min=0, max=100, help="Quality of JPEG, WebP and AVIF; a WebP of 100 is without loss.")
]
Subsampling = Annotated[
    str,
    typer.Option(
        help="Resolution of colour in JPEG and AVIF: 444 is full, 422 and 420 make smaller files with colour "
        "that bleeds across sharp lines."
    ),
]


@dataclass(frozen=True)
class How:
    """How a command goes over its files; each is the option of that name."""

    existing: Existing
    dry_run: bool = False
    fail_fast: bool = RunSettings.fail_fast
    shard: Shard | None = None
    jobs: int = RunSettings.jobs
    watch: bool = False
    ray: str | None = None
    container: Container = Container.SAME
    pdf: PdfSettings = field(default_factory=PdfSettings)
    suffix: str | None = None
    json: bool = False
    verbose: bool = False

    def __post_init__(self) -> None:
        """Refuse what does not go together.

        Raises:
            UsageError: it does not.
        """
        if self.watch and self.dry_run:
            raise UsageError("--watch and --dry-run exclude each other")


def how(
    *,
    overwrite: bool,
    resume: bool,
    dry_run: bool,
    fail_fast: bool,
    shard: str | None,
    jobs: int,
    watch: bool,
    ray: str | None,
    container: Container,
    pdf_dpi: int,
    json: bool,
    verbose: bool,
    suffix: str | None = None,
) -> How:
    """Put the options together.

    Raises:
        UsageError: one makes no sense, or they exclude each other.
    """
    return How(
        options.existing(overwrite=overwrite, resume=resume),
        dry_run,
        fail_fast,
        None if shard is None else parse_shard(shard),
        jobs,
        watch,
        ray,
        container,
        PdfSettings(dpi=pdf_dpi),
        suffix,
        json,
        verbose,
    )


def go(
    inputs: Sequence[Path],
    output: Path,
    work: Work,
    how: How,
    *,
    title: str,
    verb: str,
    afterwards: Callable[[], dict[str, Any]] = dict,
    **facts: Any,
) -> int:
    """Go over the files and return the exit code.

    Args:
        inputs: Files and folders.
        output: The folder for the results.
        work: What is done with each picture.
        how: How to go.
        title: What the progress bar is called.
        verb: What was done with a picture, for the last line.
        afterwards: Called when all is done and nothing failed; returns what the JSON document says then, too.
        **facts: What the JSON document says besides.

    Raises:
        SketchcolorError: nothing can be done.
    """
    run = _Run(inputs, output, work, how, title)
    if how.dry_run:
        return _show(run.plan(run.jobs(), Journal(output, how.shard)), as_json=how.json, **facts)
    if how.watch:
        result = run.watch()
    else:
        jobs = run.jobs()
        with Journal(output, how.shard) as journal:
            result = run.do(run.plan(jobs, journal), journal)
            if how.shard is None and not (result.failed or result.interrupted):
                journal.clear_desks()
    if not (how.watch or result.failed or result.interrupted):
        facts |= afterwards()
    return printing.finish_batch(result, verb, as_json=how.json, **facts, device=run.device)


class _Run:
    """One command's way over its files."""

    def __init__(self, inputs: Sequence[Path], output: Path, work: Work, how: How, title: str) -> None:
        self._inputs = inputs
        self._output = output
        self._work = work
        self._how = how
        self._title = title
        self._steps: Any = None
        self.device = work.device

    def jobs(self) -> list[Job]:
        how = self._how
        jobs = build_worklist(self._inputs, self._output, suffix=how.suffix, books=how.container)
        if how.shard is None:
            return jobs
        if how.watch:
            return [job for job in jobs if how.shard.has(job, self._output)]
        return how.shard.of(jobs)

    def plan(self, jobs: Sequence[Job], journal: Journal, existing: Existing | None = None) -> list[Planned]:
        how = self._how
        there = how.existing if existing is None else existing
        planner = Planner(self._output, journal, there, self._work.settings_of, self._open, how.suffix)
        return planner.plan(jobs)

    def do(self, plan: Sequence[Planned], journal: Journal) -> BatchResult:
        how = self._how
        due = any(one.action is Action.DO for one in plan)
        if due:
            self._note_what_is_missing(plan)
        if due and how.ray is None and self._steps is None:
            with options.loading():
                self.device = devices.resolve(self._work.device)
                self._steps = replace(self._work.steps(self.device, printing.note), writers=self._how.jobs)
        if due:
            journal.begin()
        total = sum(one.count for one in plan)
        with printing.batch_progress(f"{self._title} on {self.device}", total, verbose=how.verbose) as report:
            if due and how.ray is not None:
                from sketchcolor_cli.jobs.ray import run_on_ray

                return run_on_ray(
                    plan,
                    self._work,
                    output=self._output,
                    pdf=how.pdf,
                    address=how.ray,
                    workers=how.jobs,
                    record=journal.add,
                    report=report,
                    fail_fast=how.fail_fast,
                )
            from sketchcolor_cli.jobs.run import Runner  # imports numpy

            return Runner(self._output, self._steps, self._open, journal.add, report, how.fail_fast).run(plan)

    def _note_what_is_missing(self, plan: Sequence[Planned]) -> None:
        due = [one for one in plan if one.action is Action.DO]
        for line in self._work.missing([job for one in due for job in one.pictures]):
            printing.note(line)

    def watch(self) -> BatchResult:
        """Do what is there, then what comes, until Ctrl-C or until a failure ends it."""
        whole, watcher, existing = BatchResult(), Watcher(), None
        with Journal(self._output, self._how.shard) as journal:
            printing.note("watching; Ctrl-C ends it")
            try:
                while True:
                    if jobs := watcher.complete(self._jobs_by_now()):
                        _add(whole, self.do(self.plan(jobs, journal, existing), journal))
                        existing = Existing.SKIP  # what is asked at the start has been answered
                        if whole.stopped or whole.interrupted:
                            return whole
                    else:
                        time.sleep(RunSettings.poll_seconds)
            except KeyboardInterrupt:  # while nothing was being done, so that nothing was left undone
                return whole

    def _jobs_by_now(self) -> list[Job]:
        try:
            return self.jobs()
        except WorklistError:
            if any(not one.exists() for one in self._inputs):
                raise
            return []  # nothing yet

    def _open(self, path: Path) -> Book:
        from sketchcolor_cli.files.books.opening import open_book  # imports numpy

        return open_book(path, pdf=self._how.pdf)


def _add(whole: BatchResult, part: BatchResult) -> None:
    whole.done += part.done
    whole.skipped += part.skipped
    whole.failed += part.failed
    whole.interrupted, whole.stopped = part.interrupted, part.stopped
    whole.seconds += part.seconds


def _show(plan: Sequence[Planned], *, as_json: bool, **facts: Any) -> int:
    """Print a plan and return the exit code."""
    if as_json:
        printing.emit_json({**facts, "plan": [one.to_json() for one in plan]})
    else:
        for one in plan:
            pages = f", {len(one.pages)} pages" if one.job.is_book and one.pages else ""
            reason = f" ({one.reason})" if one.reason else ""
            printing.emit(f"{one.action}  {one.job.source} → {one.job.target}{pages}{reason}")
        counts = {action: sum(one.action is action for one in plan) for action in Action}
        printing.note(", ".join(f"{count} to {action}" for action, count in counts.items() if count))
    return 1 if any(one.action is Action.FAIL for one in plan) else 0


def suffix_of(name: str) -> str | None:
    """Return the ending that a format stands for; None for each picture's own.

    Raises:
        UsageError: there is no such format.
    """
    name = name.lower().removeprefix(".")
    if name == KEEP:
        return None
    if f".{name}" not in FORMAT_OF_SUFFIX:
        raise UsageError(f"--format {name}: choose one of {FORMATS}, or {KEEP}")
    return f".{name}"
