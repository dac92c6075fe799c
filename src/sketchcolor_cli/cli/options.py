"""Options that several commands share, each described once, and how errors become exit codes."""

from __future__ import annotations

import inspect
from contextlib import ExitStack
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sketchcolor_cli.cli import console, interrupt, output, printing
from sketchcolor_cli.compute import slim
from sketchcolor_cli.errors import SketchcolorError
from sketchcolor_cli.settings import Settings, setting

if TYPE_CHECKING:
    from collections.abc import Callable

_JSON = "Print one JSON document on stdout; everything else goes to stderr."

Json = Annotated[bool, typer.Option("--json", help=_JSON)]


@dataclass(frozen=True)
class Screen(Settings):
    """What a command over many files prints."""

    json: bool = setting(False, _JSON, stored=False, matters=False)
    verbose: bool = setting(
        False, "Print a line for each file, with its time.", short="-v", stored=False, matters=False
    )


_QUIET = Annotated[bool, typer.Option("--quiet", "-q", help="Print only what failed.")]
_LOG_FILE = Annotated[
    Path | None,
    typer.Option(help="Append all messages to this file with the time, also those that are not shown."),
]


def with_exit_code(command: Callable[..., int]) -> Callable[..., None]:
    """Turn what a command returns or raises into an exit code; an expected error is one line.

    The command gets the options ``--quiet`` and ``--log-file`` besides its own.
    """

    @wraps(command)
    def run(*args: Any, quiet: bool = False, log_file: Path | None = None, **given: Any) -> None:
        interrupt.raise_from_now_on()
        with ExitStack() as stack:
            try:
                stack.enter_context(output.for_results())
                stack.enter_context(console.wanted(quiet=quiet, log_file=log_file))
                with slim.naming_what_is_missing():
                    code = command(*args, **given)
            except SketchcolorError as problem:
                printing.error(str(problem))
                code = problem.exit_code
                if given.get("json"):
                    printing.emit_failure(problem)
            except KeyboardInterrupt:
                printing.note(printing.STOPPED)
                code = interrupt.CODE
        raise typer.Exit(code)

    add_options(run, command, quiet=(_QUIET, False), log_file=(_LOG_FILE, None))
    return run


def add_options(run: Callable[..., Any], command: Callable[..., Any], **options: tuple[Any, Any]) -> None:
    """Let Typer see what wraps a command as that command with more options: annotation and default each."""
    signature = inspect.signature(command, eval_str=True)
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, (annotation, default) in options.items()
    ]
    every = [*signature.parameters.values(), *added]
    run.__signature__ = signature.replace(parameters=every)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in every}
