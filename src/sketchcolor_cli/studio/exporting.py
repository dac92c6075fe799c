"""A job over pages, in a process of its own: the run that ``sketchcolor colorize FOLDER`` would be.

The same code gives the same bytes. What was done is in the journal beside the results, so that a job may be
killed at any time, and goes on where it was when it is asked for again.
"""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sketchcolor_cli.environment import prepare_process
from sketchcolor_cli.errors import DataError, SketchcolorError
from sketchcolor_cli.studio.frames import packed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from multiprocessing.connection import Connection

    from sketchcolor_cli.jobs.outcome import Outcome
    from sketchcolor_cli.studio.books import Original
    from sketchcolor_cli.studio.project import Project

_NICE = 10  # who paints meanwhile goes first


def run(pipe: Connection, asked: str) -> None:
    """Do a job and tell of it through a pipe; what a new process begins with."""
    prepare_process(small_matrices=True)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends this
    if hasattr(os, "nice"):
        os.nice(_NICE)
    try:
        work(json.loads(asked), pipe.send_bytes)
    except (BrokenPipeError, KeyboardInterrupt):
        return


def work(asked: dict[str, Any], send: Callable[[bytes], None]) -> None:
    """Do a job; ``send`` is given frames, of which the last has ``event`` finished or failed.

    Args:
        asked: ``folder`` and ``output``; ``pages``, names from the folder on, or null for all; ``format``,
            ``quality``, ``layers``, ``flats``, ``again``, ``book``, ``points``, ``device``, ``backend``, and
            ``model`` for a project that names none.
        send: Is given each frame.
    """
    try:
        outcome = _colorized(asked, send)
        files = [] if outcome.interrupted or outcome.stopped else _bound(asked)
    except SketchcolorError as error:
        send(packed({"event": "failed", "detail": str(error)}))
        return
    send(packed({"event": "finished", "interrupted": outcome.interrupted, "files": files}))


def _colorized(asked: dict[str, Any], send: Callable[[bytes], None]) -> Outcome:
    from sketchcolor_cli.jobs.colorize import colorize
    from sketchcolor_cli.jobs.outcome import Begun, Event
    from sketchcolor_cli.jobs.requests import ColorizeRequest

    folder = Path(asked["folder"])
    values: dict[str, Any] = {"format": asked["format"], "quality": asked["quality"], "flats": asked["flats"]}
    if asked["layers"] != "none":
        values["layers"] = asked["layers"]
    if not _names_model(folder):
        values["model"] = asked["model"]
    values |= {"device": asked["device"], "backend": asked["backend"]}
    request = ColorizeRequest.of(inputs=[folder], output=Path(asked["output"]), **values)
    if asked["pages"] == []:
        raise DataError("the pages of this job were renamed or deleted; begin another")
    only = tuple(folder / name for name in asked["pages"] or ())
    # What was done with the same hints and settings is left out, what was done with others is done again.
    run = replace(request.run, only=only, overwrite=asked["again"], update=not asked["again"])
    request = replace(request, run=run)

    def progress(event: Any) -> None:
        if isinstance(event, Begun):
            send(packed({"event": "begun", "total": event.total}))
        elif isinstance(event, Event):
            name = Path(str(event.job.source)).relative_to(folder).as_posix()
            send(packed({"event": "page", "name": name, "state": str(event.kind), "detail": event.message}))

    return colorize(request, progress)


def _names_model(folder: Path) -> bool:
    from sketchcolor_cli.files.worklist import SERIES
    from sketchcolor_cli.jobs.requests import ColorizeRequest
    from sketchcolor_cli.jobs.series import read_series

    profile = folder / SERIES
    return profile.is_file() and "model" in read_series(ColorizeRequest, profile)


def _bound(asked: dict[str, Any]) -> list[str]:
    """Make a book of the pages, and a file of all points, if asked to; return what was made."""
    from sketchcolor_cli.studio.carrying import write_points
    from sketchcolor_cli.studio.project import Project

    project = Project(Path(asked["folder"]))
    made = [] if asked["book"] == "none" else _books(project, asked)
    if asked["points"]:
        made.append(write_points(project))
    return made


def _books(project: Project, asked: dict[str, Any]) -> list[str]:
    """Bind the books that the pages came out of, or make a new one; return their names."""
    from sketchcolor_cli.files.books.making import make_book
    from sketchcolor_cli.studio.books import bind_again, originals

    results = {page.name: _result(page.target, asked["format"]) for page in project.pages()}
    there = {name: path for name, path in results.items() if path.is_file()}
    known, kind = originals(project.folder), asked["book"]
    book = f"{project.folder.name}.{kind}"
    if kind == "same":
        targets = {f"{Path(page.name).stem}{page.ending}": page for page in known}
    elif kind == "cbz" and asked["pages"] is None and _is_whole(known, results):
        targets = {book: known[0]}
    else:
        chosen = [path for name, path in there.items() if asked["pages"] is None or name in asked["pages"]]
        make_book(project.output / book, chosen, project.folder.name)
        return [book]
    for name, original in targets.items():
        bind_again(original, project.output / name, there, asked["format"], asked["quality"])
    return list(targets)


def _is_whole(known: list[Original], results: Mapping[str, Path]) -> bool:
    """Return whether all pages, and no others, came out of one archive."""
    return len(known) == 1 and known[0].is_archive and set(known[0].pages) == set(results)


def _result(path: Path, kind: str) -> Path:
    return path if kind == "keep" else path.with_suffix(f".{kind}")
