"""What is done with each picture, as plain values that any process can load the networks from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sketchcolor_cli.files.worklist import Job
    from sketchcolor_cli.jobs.pipeline import Steps


class Work(Protocol):
    """A frozen dataclass of plain values: names, numbers, paths."""

    @property
    def device(self) -> str:
        """Where to compute, as the user said it."""
        ...

    def settings_among(self, pictures: Sequence[Job]) -> Callable[[Job], str]:
        """Return what gives the fingerprint of all that a result depends on, besides the picture.

        ``pictures`` are those of the run, in their order, as a result may depend on those around it. Neither
        the device nor anything else that only changes how fast it goes is part of it. No network is loaded.
        """
        ...

    def beside(self, job: Job) -> Path | None:
        """Return the path whose endings files beside a result have; None where there are none."""
        ...

    def steps(self, device: str, note: Callable[[str], None]) -> Steps[Job, Any, Any]:
        """Load what is needed and return what is done; ``job.reads`` is read and ``job.writes`` written.

        ``device`` is where to compute as torch names it, ``note`` is called with a line for the user.
        """
        ...

    def missing(self, jobs: Sequence[Job]) -> list[str]:
        """Return a line for each thing that the user gave for the pages and that some of them lack."""
        ...
