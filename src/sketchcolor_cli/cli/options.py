"""Options that several commands share, each described once, and how errors become exit codes."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ParamSpec

import typer

from sketchcolor_cli.cli import printing
from sketchcolor_cli.errors import SketchcolorError, UsageError
from sketchcolor_cli.jobs.pipeline import Existing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

P = ParamSpec("P")

_STOPPED = "stopped; no file is half-written"

Inputs = Annotated[
    list[Path],
    typer.Argument(metavar="INPUT", help="Pictures, or folders that are searched with all their subfolders."),
]
Output = Annotated[
    Path,
    typer.Option(
        "--output", "-o", help="Folder for the results; the tree of each input folder is kept below it."
    ),
]
Model = Annotated[
    str, typer.Option(help="Colour model: a name that `sketchcolor models list` shows, or a model file.")
]
Device = Annotated[
    str,
    typer.Option(
        help="Where to compute: auto, cpu, cuda, cuda:N or mps. auto takes a GPU when there is one."
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Do results again that are already there.")]
Resume = Annotated[bool, typer.Option("--resume", help="Leave out what is already there and do the rest.")]
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on stdout; everything else goes to stderr.")
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Print a line for each file, with its time.")]


def existing(*, overwrite: bool, resume: bool) -> Existing:
    """Return what to do about results that are already there.

    Raises:
        UsageError: both options were given.
    """
    if overwrite and resume:
        raise UsageError("--overwrite and --resume exclude each other")
    return Existing.OVERWRITE if overwrite else Existing.SKIP if resume else Existing.ERROR


def told(command: Callable[P, int]) -> Callable[P, None]:
    """Turn what a command returns or raises into an exit code; an expected error is one line."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            code = command(*args, **kwargs)
        except SketchcolorError as problem:
            printing.error(str(problem))
            code = problem.exit_code
        except KeyboardInterrupt:
            printing.note(_STOPPED)
            code = printing.INTERRUPTED
        raise typer.Exit(code)

    return run


@contextmanager
def loading() -> Iterator[None]:
    """Let Ctrl-C end the process on the spot, while libraries and networks are loaded and no file is written.

    An exception amid the import of torch may be swallowed there, or abort the process with a core dump.
    """

    def leave(_number: int, _frame: object) -> None:
        printing.note(_STOPPED)
        os._exit(printing.INTERRUPTED)

    before = signal.signal(signal.SIGINT, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
