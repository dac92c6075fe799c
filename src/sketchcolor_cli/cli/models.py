"""``sketchcolor models``: the colour models that can be called by name."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from pathlib import Path  # noqa: TC003  (Typer reads the annotations)
from typing import TYPE_CHECKING, Annotated

import typer

from sketchcolor_cli import environment
from sketchcolor_cli.cli import options, printing, tables
from sketchcolor_cli.cli.help import App
from sketchcolor_cli.errors import CheckpointError
from sketchcolor_cli.weights.store import readable_size

if TYPE_CHECKING:
    from sketchcolor_cli.networks.registry import ModelFile, ModelHeader

app = App()

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="Name of the model; `sketchcolor models list` has all.")
]


@app.callback()
def models() -> None:
    """List, show, import and remove colour models, such as `sketchcolor colorize --model NAME` takes.

    Imported ones lie in the user's data folder, or where the environment variable SKETCHCOLOR_MODELS says.

    Example: `sketchcolor models list`
    """


@app.command("list")
@options.with_exit_code
def list_(json: options.Json = False) -> int:
    """List the models that come with the package and those that were imported, with their licences.

    Example: `sketchcolor models list --json`
    """
    found = [(model, *_header(model)) for model in environment.model_shelf().files()]
    if json:
        printing.emit_json([model.to_json(header, problem) for model, header, problem in found])
    else:
        rows = (
            (
                model.name,
                _origin(model),
                header.architecture if header else "unknown",
                readable_size(model.path.stat().st_size),
                header.licence if header else problem,
            )
            for model, header, problem in found
        )
        tables.show(("name", "from", "network", "size", "licence"), rows)
    return 1 if any(header is None for _, header, _ in found) else 0


@app.command()
@options.with_exit_code
def show(name: Name, json: options.Json = False) -> int:
    """Show what a model file says of itself, and where its card lies, which says more.

    Example: `sketchcolor models show default`
    """
    model = environment.model_shelf().get(name)
    header = model.header()
    if json:
        printing.emit_json(model.to_json(header))
        return 0
    facts = {
        "name": f"{model.name}, {_origin(model)}",
        "file": f"{model.path}, {readable_size(model.path.stat().st_size)}",
        "network": f"{header.architecture} of {header.parameters} parameters",
        "licence": header.licence or "none stated",
        "card": str(model.card or "none"),
        **{key: str(value) for key, value in header.provenance.items()},
    }
    for key, value in facts.items():
        printing.emit(printing.one_line(f"{key}: {value}"))
    return 0


@app.command("import")
@options.with_exit_code
def import_(
    source: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="Model file, such as `sketchcolor train` writes, or hf:ORGANISATION/NAME@REVISION.",
        ),
    ],
    name: Annotated[
        str | None, typer.Option(help="What to call it; without it, the name of the file.")
    ] = None,
    json: options.Json = False,
) -> int:
    """Copy a model file to where every command finds it by name; a card beside it, FILE.md, comes along.

    The network in it is built and filled once, so that what was imported also works. A model of the Hugging
    Face hub is downloaded first.

    Example: `sketchcolor models import run/model.safetensors --name my-series`
    """
    from sketchcolor_cli.jobs.models import import_model

    model = import_model(source, name, listening=partial(printing.download_progress, source))
    printing.note(f"{model.name}: in {model.path}; `sketchcolor colorize --model {model.name}` uses it")
    if json:
        printing.emit_json(model.to_json(model.header()))
    return 0


@app.command()
@options.with_exit_code
def export(
    name: Annotated[
        str,
        typer.Argument(
            metavar="MODEL", help="Name of a model, a model file, or an extractor such as linework."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="ONNX file to write.")],
    half: Annotated[
        bool,
        typer.Option("--half", help="Round weights to 16 bits: a smaller file, which still computes in 32."),
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Write over a file that is there.")] = False,
    json: options.Json = False,
) -> int:
    """Write a model or an extractor as an ONNX file, for programs in other languages.

    It takes pictures of any size that the network takes. The file is kept only if its answers are the
    network's, at several sizes and with and without character sheet. That takes about a minute, and
    `pip install 'sketchcolor-cli[onnx]'`.

    Example: `sketchcolor models export default -o default.onnx`
    """
    from sketchcolor_cli.jobs import export as job

    exported = job.export(name, output, half=half, overwrite=overwrite)
    size = readable_size(exported.path.stat().st_size)
    printing.note(
        f"{exported.path}: {size}; answers differ from the network's by {exported.difference:.1g} at most"
    )
    if json:
        printing.emit_json({**asdict(exported), "path": str(exported.path)})
    return 0


@app.command()
@options.with_exit_code
def remove(name: Name, json: options.Json = False) -> int:
    """Remove an imported model.

    Example: `sketchcolor models remove my-series`
    """
    environment.model_shelf().remove(name)
    printing.note(f"{name}: removed")
    if json:
        printing.emit_json({"name": name, "removed": True})
    return 0


def _header(model: ModelFile) -> tuple[ModelHeader | None, str]:
    """Return what a file says of itself, or why it cannot be read."""
    try:
        return model.header(), ""
    except CheckpointError as problem:
        return None, str(problem)


def _origin(model: ModelFile) -> str:
    return "imported" if model.imported else "comes with sketchcolor"
