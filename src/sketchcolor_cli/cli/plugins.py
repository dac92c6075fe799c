"""``sketchcolor plugins``: which extractors are installed, and which can be used at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sketchcolor_cli import environment
from sketchcolor_cli.cli import options, printing, tables
from sketchcolor_cli.plugin.discovery import find_extractors
from sketchcolor_cli.weights.store import State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sketchcolor_cli.plugin.discovery import Extractors, Listing
    from sketchcolor_cli.weights.spec import WeightFile
    from sketchcolor_cli.weights.store import WeightStore


@options.with_exit_code
def plugins(json: options.Json = False) -> int:
    """List the installed sketch extractors: ours, and those of other installed packages.

    A method is ready when its weights, if it needs any, are on this computer. A plugin that does not work is
    listed with the reason, and the exit code is then 1.

    Example: `sketchcolor plugins --json`
    """
    extractors, store = find_extractors(), environment.weight_store()
    found = [_looked_at(extractors, store, listing) for listing in extractors.listings]
    if json:
        printing.emit_json([listing.to_json(file.name for file in lacking) for listing, lacking in found])
    else:
        tables.show(("method", "ready", "what it does"), (_row(*row) for row in found), ruled=True)
        if any(lacking for _, lacking in found):
            printing.note(
                "`sketchcolor weights list` shows licences and sizes, "
                "`sketchcolor weights fetch NAME` gets weights"
            )
    return 0 if all(listing.ready for listing, _ in found) else 1


def _looked_at(
    extractors: Extractors, store: WeightStore, listing: Listing
) -> tuple[Listing, list[WeightFile]]:
    """Return a listing with the weights that it lacks; what keeps them from being known is its problem."""
    if not listing.ready:
        return listing, []
    try:
        files = extractors.weights(listing.name)
    except Exception as error:  # a stranger's code may raise anything; it must not take the others down
        return replace(
            listing, problem=f"what it needs cannot be found out: {printing.one_line(str(error))}"
        ), []
    return listing, [file for file in files if store.state(file) is not State.READY]


def _row(listing: Listing, lacking: list[WeightFile]) -> tuple[str, str, str]:
    ready = "yes" if listing.ready and not lacking else "no"
    lines = (_description(listing, lacking), *_details(listing))
    return listing.name, ready, "\n".join(printing.one_line(line) for line in lines)


def _description(listing: Listing, lacking: list[WeightFile]) -> str:
    if not listing.extractor or not listing.ready:
        return f"does not work: {listing.problem}"
    names = ", ".join(file.name for file in lacking)
    return f"{listing.extractor.summary} Lacks weights: {names}." if lacking else listing.extractor.summary


def _details(listing: Listing) -> Iterator[str]:
    """Give a line on the parameters, if there are any, and one on where it is from."""
    parameters = listing.extractor.parameters if listing.extractor else ()
    if parameters:
        yield "parameters: " + ", ".join(f"{parameter.name}={parameter.default}" for parameter in parameters)
    yield f"from {listing.origin}"
