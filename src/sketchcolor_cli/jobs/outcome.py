"""What happens to the files of a run: reported while it goes, and kept as its outcome."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sketchcolor_cli.coloring.guides.drift import Drift
    from sketchcolor_cli.jobs.plan import Planned

KEPT = "kept"
"""The fact that a page was copied unchanged, with the reason."""


class Item(Protocol):
    """What a run asks of a job: a picture, a book, or a page of one."""

    @property
    def name(self) -> str:
        """A short name to show."""
        ...

    @property
    def source(self) -> object:
        """Where the picture comes from; its text is shown and reported."""
        ...

    @property
    def target(self) -> object:
        """Where the result goes; its text is shown and reported."""
        ...

    def is_there(self) -> bool:
        """Whether the result is there already."""
        ...


class EventKind(StrEnum):
    """What can happen to a job."""

    STARTED = "started"
    FINISHED = "finished"
    SKIPPED = "skipped"
    FAILED = "failed"
    LEFT = "left"


@dataclass(frozen=True)
class Event:
    """Something happened to a job.

    Attributes:
        kind: What happened.
        job: The job it happened to.
        index: The job's place in the list, from 1 to total.
        total: The number of jobs.
        seconds: How long the work took, as in Done; 0 unless finished.
        message: Why it failed, or was left as it is; empty otherwise.
        trace: Where a fault of the program came from; empty otherwise.
    """

    kind: EventKind
    job: Item
    index: int
    total: int
    seconds: float = 0.0
    message: str = ""
    trace: str = ""


@dataclass(frozen=True)
class Loading:
    """Libraries and networks are being loaded; no file is written meanwhile."""


@dataclass(frozen=True)
class Begun:
    """The work begins: what with, and how many events will end a picture or page."""

    title: str
    total: int


@dataclass(frozen=True)
class Note:
    """One line that the user should read."""

    message: str


Progress = Callable[[Event | Loading | Begun | Note], None]
"""What is called in the caller's thread while a run goes, as a progress bar or a notebook needs it."""


def silent(_: object) -> None:
    """Report nothing: the default where nobody listens."""


@dataclass(frozen=True)
class Done:
    """A job that was done.

    Attributes:
        job: The job.
        seconds: How long reading it, its share of the computing, and writing it took together.
        facts: What the writing returned.
    """

    job: Item
    seconds: float
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Failure:
    """A job that failed, and the one line that says why."""

    job: Item
    message: str


@dataclass
class Outcome:
    """What became of the files of a run, each list in their order.

    Attributes:
        done: The jobs that were done; those of :attr:`kept` among them.
        partial: Books of which only a part could be done, and pages that stay as they are, each with the
            line that says so.
        left_out: How many files of each ending were left out, as their format is not read.
        skipped: The jobs whose result was there already.
        failed: The jobs that failed.
        interrupted: Whether the user stopped the run; the jobs in no list were not done.
        seconds: How long the whole run took.
        stopped: Whether a failure ended the run early, likewise.
        device: Where it was computed, or where the user wanted it where nothing was.
        plan: What would be done with each file, where only that was asked for.
        drift: How far the colours of a series move from page to page; None where there is no series.
    """

    done: list[Done] = field(default_factory=list)
    skipped: list[Item] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    partial: list[Failure] = field(default_factory=list)
    left_out: Mapping[str, int] = field(default_factory=dict)
    interrupted: bool = False
    seconds: float = 0.0
    stopped: bool = False
    device: str = ""
    plan: Sequence[Planned] | None = None
    drift: Sequence[Drift] | None = None

    @property
    def kept(self) -> list[Done]:
        """The pages that were copied unchanged."""
        return [done for done in self.done if KEPT in done.facts]

    @property
    def is_whole(self) -> bool:
        """Whether all was done and nothing failed."""
        return self.plan is None and not (self.failed or self.partial or self.interrupted or self.stopped)

    def add(self, part: Outcome) -> None:
        """Take over what became of a part of the files."""
        self.done += part.done
        self.skipped += part.skipped
        self.failed += part.failed
        self.partial += part.partial
        self.interrupted = self.interrupted or part.interrupted
        self.stopped = self.stopped or part.stopped
        self.seconds += part.seconds

    def to_json(self) -> dict[str, Any]:
        """Put the outcome into plain types for json.dumps."""
        if self.plan is not None:
            return {"plan": [planned.to_json() for planned in self.plan], "left_out": dict(self.left_out)}
        drift = {} if self.drift is None else {"drift": [color.to_json() for color in self.drift]}
        return {
            **drift,
            "device": self.device,
            "done": [
                {**_places(done.job), "seconds": round(done.seconds, 3), **done.facts} for done in self.done
            ],
            "skipped": [_places(job) for job in self.skipped],
            "failed": [{**_places(failure.job), "message": failure.message} for failure in self.failed],
            "partial": [{**_places(failure.job), "message": failure.message} for failure in self.partial],
            "left_out": dict(self.left_out),
            "interrupted": self.interrupted,
            "stopped": self.stopped,
            "seconds": round(self.seconds, 3),
        }


def _places(job: Item) -> dict[str, str]:
    return {"source": str(job.source), "target": str(job.target)}
