"""Jobs over many pages: one at a time, in a process of its own, kept in a file so that none is lost."""

from __future__ import annotations

import asyncio
import json
import os
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sketchcolor_cli.errors import ImageError
from sketchcolor_cli.studio.books import originals
from sketchcolor_cli.studio.frames import unpacked
from sketchcolor_cli.studio.job_file import OVER, read_jobs, write_jobs
from sketchcolor_cli.studio.problems import ProblemError
from sketchcolor_cli.studio.revisions import identifier

if TYPE_CHECKING:
    from collections.abc import Callable

    from sketchcolor_cli.studio.job_runners import Runner
    from sketchcolor_cli.studio.limits import Limits
    from sketchcolor_cli.studio.project import Project

    Written = dict[tuple[Path, str], list[Path]]
    Made = tuple[Path, dict[str, Any]]

_KEPT = 20  # jobs that are over and still listed
_OFTEN = 0.2  # seconds between two things told of a running job
CHOICES = {
    "book": ("none", "same", "cbz", "pdf", "epub"),
    "format": ("keep", "png", "jpeg", "webp", "avif"),
    "layers": ("none", "ora", "psd", "png"),
}
"""What a job may be asked for; the first of each unless it says another."""
SWITCHES = ("flats", "points", "again")
"""What a job may be asked for as well; each is off unless it says so."""
_MEDIA = frozenset({".png", ".jpg", ".jpeg", ".webp", ".avif", ".tif", ".tiff", ".bmp", ".cbz", ".pdf"}) | {
    ".epub",
    ".ora",
    ".psd",
    ".json",
}


class Queue:
    """The jobs of the open project.

    Args:
        runner: Makes what runs a job.
        limits: How many may wait.
        device, backend: Where and by what to compute.
        tell: Called with a job whenever there is something new about it.
    """

    def __init__(
        self,
        runner: Callable[[], Runner],
        limits: Limits,
        device: str = "cpu",
        backend: str = "auto",
        tell: Callable[[dict[str, Any]], None] = lambda _job: None,
    ) -> None:
        self._runner, self._limits, self.tell = runner, limits, tell
        self._computing = {"device": device, "backend": backend}
        self._jobs: list[dict[str, Any]] = []
        self._project: Project | None = None
        self._running: tuple[dict[str, Any], Runner] | None = None
        self._told = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None
        self.page_done: Callable[[str], None] = lambda _name: None

    def open(self, project: Project) -> None:
        """Take the jobs of a project in place of those of the last, whose running job ends."""
        self.stop()
        self._project = project
        self._jobs = read_jobs(project.folder, project.output)

    def stop(self) -> None:
        """End the job that runs; it can be taken up again."""
        if self._running is not None:
            job, runner = self._running
            self._running = None
            runner.stop()
            job["state"], job["page"] = "interrupted", None
            self._keep()

    def jobs(self) -> list[dict[str, Any]]:
        """Return all jobs, the newest first."""
        written = {} if self._project is None else _written_in(self._project.output)
        return [self._public(job, written) for job in reversed(self._jobs)]

    def get(self, job_id: str) -> dict[str, Any]:
        """Return a job.

        Raises:
            ProblemError: There is none.
        """
        return self._public(self._find(job_id))

    def add(self, project: Project, asked: dict[str, Any]) -> dict[str, Any]:
        """Put a job at the end of the queue.

        Raises:
            ProblemError: It makes no sense, or too many wait.
        """
        request = _checked(project, asked)
        self._refuse_too_many()
        job: dict[str, Any] = {
            "id": os.urandom(8).hex(),
            "state": "waiting",
            "done": 0,
            "failed": [],
            "skipped": 0,
            "total": len(project.pages() if request["pages"] is None else request["pages"]),
            "page": None,
            "detail": "",
            "folder": str(project.output),
            "request": request,
            "made": [],
            "started": None,
            "finished": None,
        }
        over = [job for job in self._jobs if job["state"] in OVER]
        for old in over[: max(0, len(over) - _KEPT)]:
            self._jobs.remove(old)
        self._jobs.append(job)
        self._keep()
        self._next()
        return self._changed(job)

    def resume(self, project: Project, job_id: str) -> dict[str, Any]:
        """Let a job that ended early go on.

        Raises:
            ProblemError: There is none, it has not ended early, it makes no sense, or too many wait.
        """
        job = self._find(job_id)
        if job["state"] not in ("interrupted", "cancelled", "failed"):
            raise ProblemError(409, f"this job is {job['state']}; only one that ended early goes on")
        pages = {"pages": job["request"]["pages"]}  # some may be gone meanwhile
        request = _checked(project, job["request"] | {"pages": None}) | pages
        self._refuse_too_many()
        job.update(request=request, state="waiting", done=0, failed=[], skipped=0, detail="", finished=None)
        self._keep()
        self._next()
        return self._changed(job)

    def cancel(self, job_id: str) -> dict[str, Any]:
        """End a job, or forget one that is over.

        Raises:
            ProblemError: There is none.
        """
        job = self._find(job_id)
        if job["state"] in OVER:
            self._jobs.remove(job)
        else:
            if self._running is not None and self._running[0] is job:
                runner = self._running[1]
                self._running = None
                runner.stop()
            job.update(state="cancelled", page=None, finished=_now())
        self._keep()
        self._next()
        return self._changed(job)

    def file(self, job_id: str, file_id: str) -> Path:
        """Return a file that a job has made.

        Raises:
            ProblemError: There is none.
        """
        for path, file in self._files(self._find(job_id)):
            if file["id"] == file_id:
                return path
        raise ProblemError(404, "there is no such file; it may have been moved or deleted")

    def _find(self, job_id: str) -> dict[str, Any]:
        for job in self._jobs:
            if job["id"] == job_id:
                return job
        raise ProblemError(404, "there is no such job")

    def _refuse_too_many(self) -> None:
        if sum(job["state"] == "waiting" for job in self._jobs) >= self._limits.queue:
            raise ProblemError(
                429, f"{self._limits.queue} jobs are waiting already; let one end, or cancel one"
            )

    def _next(self) -> None:
        """Begin with the next job, if none runs."""
        waiting = next((job for job in self._jobs if job["state"] == "waiting"), None)
        project = self._project
        if self._running is not None or waiting is None or project is None:
            return
        loop = asyncio.get_running_loop()
        runner = self._runner()
        self._running = waiting, runner
        waiting.update(state="running", started=_now())
        self._keep()

        def heard(frame: bytes | None) -> None:
            with suppress(RuntimeError):  # the loop is closed: the server has ended
                loop.call_soon_threadsafe(self._hear, waiting, runner, frame)

        asked = waiting["request"] | {
            "folder": str(project.folder),
            "output": str(project.output),
            "model": project.series.usual_model,
            **self._computing,
        }
        if asked["pages"] is not None:
            names = {page.id: page.name for page in project.pages()}
            asked["pages"] = [names[page_id] for page_id in asked["pages"] if page_id in names]
        runner.start(json.dumps(asked), heard)
        self._changed(waiting)

    def _hear(self, job: dict[str, Any], runner: Runner, frame: bytes | None) -> None:
        if self._running is None or self._running[1] is not runner:
            return  # it was cancelled meanwhile
        if frame is None:
            self._over(
                job, "failed", "the job ended without a word; let it go on, or see the server's output"
            )
            return
        header, _ = unpacked(frame)
        event = header["event"]
        if event == "begun":
            job["total"] = header["total"]
        elif event == "page":
            self._page(job, header)
        elif event == "failed":
            self._over(job, "failed", header["detail"])
        elif event == "finished":
            job["made"] = header["files"]
            bad = bool(job["failed"]) and not (job["done"] or job["skipped"])
            self._over(job, "interrupted" if header["interrupted"] else "failed" if bad else "done", "")
        if time.monotonic() - self._told > _OFTEN:
            self._changed(job)

    def _page(self, job: dict[str, Any], header: dict[str, Any]) -> None:
        state, name = header["state"], header["name"]
        page_id = identifier(name)
        if state == "started":
            job["page"] = page_id
            return
        if state == "finished":
            job["done"] += 1
        elif state == "skipped":
            job["skipped"] += 1
        else:
            job["failed"].append({"page": page_id, "name": name, "detail": header["detail"]})
        if self._project is not None:
            page = next((page for page in self._project.pages() if page.id == page_id), None)
            if page is not None:
                self._project.mark(page, failed=header["detail"] if state == "failed" else "")
        self.page_done(page_id)

    def _over(self, job: dict[str, Any], state: str, detail: str) -> None:
        self._running = None
        job.update(state=state, detail=detail, page=None, finished=_now())
        self._keep()
        self._changed(job)
        self._next()

    def _changed(self, job: dict[str, Any]) -> dict[str, Any]:
        self._told = time.monotonic()
        public = self._public(job)
        self.tell(public)
        return public

    def _public(self, job: dict[str, Any], written: Written | None = None) -> dict[str, Any]:
        shown = {name: value for name, value in job.items() if name != "made"}
        files = self._files(job, written) if job["state"] == "done" else []
        return shown | {"files": [file for _, file in files]}

    def _files(
        self, job: dict[str, Any], written: Written | None = None
    ) -> list[tuple[Path, dict[str, Any]]]:
        """List what a job has made: books first, then pages and what is beside them."""
        folder = Path(job["folder"])
        made = [folder / name for name in job["made"]]
        if self._project is not None:
            chosen = job["request"]["pages"]
            there = _written_in(folder) if written is None else written
            for page in self._project.pages():
                if chosen is None or page.id in chosen:
                    made += there.get((page.target.parent, page.target.stem), ())
        found = []
        for path in dict.fromkeys(made):
            with suppress(OSError):
                name, size = path.relative_to(folder).as_posix(), path.stat().st_size
                found.append((path, {"id": identifier(name), "name": name, "size": size}))
        return found

    def _keep(self) -> None:
        if self._project is not None:
            with suppress(ImageError):  # a job goes on, and ends, where its list cannot be kept
                write_jobs(self._project.folder, self._jobs)


def _checked(project: Project, asked: dict[str, Any]) -> dict[str, Any]:
    """Return a request with all its members.

    Raises:
        ProblemError: It makes no sense.
    """
    unknown = sorted(set(asked) - {*CHOICES, *SWITCHES, "pages", "quality"})
    if unknown:
        raise ProblemError(422, f"unknown key {unknown[0]}")
    done: dict[str, Any] = {}
    for name, choices in CHOICES.items():
        done[name] = asked.get(name, choices[0])
        if done[name] not in choices:
            raise ProblemError(422, f"{name} must be one of {', '.join(choices)}")
    for name in SWITCHES:
        done[name] = asked.get(name, False)
        if not isinstance(done[name], bool):
            raise ProblemError(422, f"{name} must be true or false")
    quality = asked.get("quality", 95)
    if isinstance(quality, bool) or not isinstance(quality, int) or not 0 <= quality <= 100:
        raise ProblemError(422, "quality must be a whole number from 0 to 100")
    if done["book"] == "same" and not originals(project.folder):
        raise ProblemError(422, "these pages did not come out of a book; choose cbz, pdf or epub")
    known = {page.id for page in project.pages()}
    if not known:
        raise ProblemError(409, "the project has no pages yet; add some first")
    pages = asked.get("pages")
    if pages is not None and (not isinstance(pages, list) or not pages or not set(map(str, pages)) <= known):
        raise ProblemError(422, "pages is a list of pages of this project, or null for all")
    return done | {"quality": quality, "pages": pages}


def _written_in(folder: Path) -> Written:
    """List the results in a folder, each by its place and by whatever of its name may be that of its page."""
    found: Written = {}
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if Path(name).suffix.lower() in _MEDIA and not name.startswith("."):
                for end in (at for at, letter in enumerate(name) if letter == "."):
                    found.setdefault((Path(place), name[:end]), []).append(Path(place, name))
    return found


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
