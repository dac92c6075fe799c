"""Files beside results, such as flats and layers: two results must not share theirs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sketchcolor_cli.files.worklist import folded

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sketchcolor_cli.files.worklist import Job, Worklist


def without_side_clashes(
    found: Worklist, beside: Callable[[Job], Path | None], *, keep_both: bool
) -> Worklist:
    """Part the pictures whose files beside them would overwrite those of another from the rest.

    Args:
        found: The worklist.
        beside: Returns the path whose endings the files beside a result have; None where there are none.
        keep_both: Whether such results keep the endings of their sources in their names instead.
    """
    taken: dict[str, Job] = {}
    due, failed = [], list(found.failed)
    for job in found.jobs:
        place = None if job.is_book else beside(job)
        if place is None:
            due.append(job)
            continue
        rival = taken.setdefault(folded(place), job)
        if rival is job:
            due.append(job)
        elif keep_both:
            due.append(replace(job, target=job.target.with_name(job.source.name + job.target.suffix)))
        else:
            why = "rename one, or use --keep-both"
            both = f"{rival.source} and {job.source}: the files beside both results would be {place}.*"
            failed.append((job, f"{both}; {why}"))
    return replace(found, jobs=due, failed=failed)
