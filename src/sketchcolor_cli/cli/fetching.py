"""Getting trained weights, which commands that lack them offer there and then, instead of only saying how."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sketchcolor_cli import environment
from sketchcolor_cli.cli import options, printing
from sketchcolor_cli.cli.console import Console
from sketchcolor_cli.errors import MissingWeightsError, WeightError
from sketchcolor_cli.weights.store import State, describe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sketchcolor_cli.weights.format import Record
    from sketchcolor_cli.weights.spec import WeightFile
    from sketchcolor_cli.weights.store import WeightStore

    Needs = Callable[[Mapping[str, Any]], Sequence[WeightFile]]

_OPTION = Annotated[
    bool,
    typer.Option(
        "--fetch",
        help="Download weights that are missing, and accept their licences; on a terminal you are asked.",
    ),
]


def offers(command: Callable[..., int], *, useful: Needs = lambda _: ()) -> Callable[..., int]:
    """Give a command the option --fetch, and run it again once the weights that it lacked are there.

    Args:
        command: The command.
        useful: Returns weights that it can do without, by what the user typed; --fetch gets these, too.
    """

    @wraps(command)
    def run(*, fetch: bool, **given: Any) -> int:
        if fetch:
            _get(_missing(useful(given)))
        try:
            return command(**given)
        except MissingWeightsError as problem:
            possible = all(file.fetchable for file in problem.files)
            if not possible or not (fetch or _agreed(problem.files)):
                raise
            if not _get(problem.files):
                return 1
        return command(**given)

    options.add_options(run, command, fetch=(_OPTION, False))
    return run


def _missing(files: Sequence[WeightFile]) -> list[WeightFile]:
    store = environment.weight_store()
    return [file for file in files if store.state(file) is not State.READY]


def _agreed(files: Sequence[WeightFile]) -> bool:
    """Ask on a terminal whether to get weights, after showing licences and sizes."""
    if not _is_terminal():
        return False
    printing.note("weights that are needed are not on this computer:")
    for file in files:
        printing.note(f"  {file.name}: {describe(file)}")
    bound = any(file.non_commercial for file in files)
    question = "Accept the licence, which forbids commercial use, and download?" if bound else "Download?"
    return typer.confirm(question, err=True)


def _is_terminal() -> bool:
    return sys.stdin.isatty() and Console().is_terminal


def _get(files: Sequence[WeightFile]) -> bool:
    """Get weights, their licences accepted; return whether all came."""
    return not fetch_all(files, accept=True).failed


@dataclass
class Fetched:
    """What came of fetching weights, for JSON: those that are there now, and those that could not be got."""

    done: list[dict[str, Any]] = field(default_factory=list)
    failed: list[dict[str, Any]] = field(default_factory=list)


def fetch_all(files: Iterable[WeightFile], *, accept: bool, overwrite: bool = False) -> Fetched:
    """Get weights one after the other; licence and size of each are shown first."""
    from sketchcolor_cli.weights.fetch import fetch

    store, result = environment.weight_store(), Fetched()
    for file in files:
        there = None if overwrite else store.whole(file)
        if there is not None:
            printing.note(f"{file.name}: already there, in {store.path(file)}")
            result.done.append(store.stored(file, there))
            continue
        printing.note(f"{file.name}: {describe(file)}")
        try:
            with printing.download_progress(file.name) as report:
                record = fetch(store, file, accept=accept, report=report)
        except WeightError as problem:
            printing.error(str(problem))
            result.failed.append({"name": file.name, "message": str(problem)})
        except KeyboardInterrupt:
            printing.note(f"{file.name}: the same command goes on where this stopped")
            raise
        else:
            result.done.append(store.stored(file, record))
            show_stored(store, file, record)
    return result


def show_stored(store: WeightStore, file: WeightFile, record: Record) -> None:
    """Say where weights are now, and warn of those whose checksum is not a published one."""
    printing.note(f"{file.name}: {'verified, ' if record.verified else ''}in {store.path(file)}")
    if not record.verified:
        published = any(source.checksum for source in file.sources)
        why = "its checksum is not a published one" if published else "no checksum of it is published"
        printing.warn(f"{file.name}: {record.file} is taken as it fits the network, but {why}")
