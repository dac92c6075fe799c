"""The file in which the jobs of a project are kept; read with care, as a folder may come from anywhere."""

from __future__ import annotations

import json
from pathlib import Path, PurePath
from typing import Any

from sketchcolor_cli.errors import ImageError
from sketchcolor_cli.files.atomic import write_bytes

JOBS = Path(".sketchcolor/jobs.json")
"""Where it lies in the project's folder."""
OVER = frozenset({"done", "failed", "cancelled", "interrupted"})
"""States of a job that is over."""
_STATES = OVER | {"waiting", "running"}
_TYPES: dict[str, tuple[type, ...]] = {
    "id": (str,),
    "state": (str,),
    "done": (int,),
    "failed": (list,),
    "skipped": (int,),
    "total": (int,),
    "page": (str, type(None)),
    "detail": (str,),
    "request": (dict,),
    "made": (list,),
    "started": (str, type(None)),
    "finished": (str, type(None)),
}


def read_jobs(folder: Path, output: Path) -> list[dict[str, Any]]:
    """Return the jobs of a project that were kept, those that make sense; what ran then is interrupted.

    Their results are below ``output``, whatever the file says.
    """
    try:
        listed = json.loads((folder / JOBS).read_bytes())
    except (OSError, ValueError, RecursionError):
        return []
    jobs = [job for job in listed if _makes_sense(job)] if isinstance(listed, list) else []
    for job in jobs:
        job["folder"] = str(output)
        if job["state"] not in OVER:
            job["state"], job["page"] = "interrupted", None
    return jobs


def write_jobs(folder: Path, jobs: list[dict[str, Any]]) -> None:
    """Keep the jobs of a project.

    Raises:
        ImageError: The file cannot be written.
    """
    write_bytes(folder / JOBS, json.dumps(jobs, indent=1).encode(), ImageError)


def _makes_sense(job: Any) -> bool:
    if not isinstance(job, dict) or not all(isinstance(job.get(key), kind) for key, kind in _TYPES.items()):
        return False
    pages = job["request"].get("pages", ())
    return (
        job["state"] in _STATES
        and (pages is None or (isinstance(pages, list) and all(isinstance(page, str) for page in pages)))
        and all(isinstance(path, str) and _is_within(PurePath(path)) for path in job["made"])
    )


def _is_within(name: PurePath) -> bool:
    return not name.is_absolute() and ".." not in name.parts and "\0" not in str(name)
