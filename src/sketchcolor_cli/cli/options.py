"""Options that several commands share, each described once, and how errors become exit codes."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Annotated, ParamSpec

import typer

from sketchcolor_cli.cli import interrupt, output, printing
from sketchcolor_cli.errors import SketchcolorError
from sketchcolor_cli.settings import Settings, setting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

P = ParamSpec("P")

_JSON = "Print one JSON document on stdout; everything else goes to stderr."

Json = Annotated[bool, typer.Option("--json", help=_JSON)]


@dataclass(frozen=True)
class Screen(Settings):
    """What a command over many files prints."""

    json: bool = setting(False, _JSON, stored=False, matters=False)
    verbose: bool = setting(
        False, "Print a line for each file, with its time.", short="-v", stored=False, matters=False
    )


def with_exit_code(command: Callable[P, int]) -> Callable[P, None]:
    """Turn what a command returns or raises into an exit code; an expected error is one line."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        interrupt.raise_from_now_on()
        try:
            with output.for_results():
                code = command(*args, **kwargs)
        except SketchcolorError as problem:
            printing.error(str(problem))
            code = problem.exit_code
            if kwargs.get("json"):
                printing.emit_failure(problem)
        except KeyboardInterrupt:
            printing.note(printing.STOPPED)
            code = printing.INTERRUPTED
        raise typer.Exit(code)

    return run


@contextmanager
def loading() -> Iterator[None]:
    """Let Ctrl-C end the process on the spot, while libraries and networks are loaded."""
    with printing.leaving_at_once():
        yield
