"""The command ``sketchcolor``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from sketchcolor_cli import __version__, environment
from sketchcolor_cli.cli import (
    colorize,
    dataset,
    doctor,
    evaluate,
    explore,
    extract,
    fid,
    models,
    output,
    plugins,
    printing,
    series,
    serve,
    studio,
    train,
    weights,
)
from sketchcolor_cli.cli.help import App
from sketchcolor_cli.errors import UsageError

app = App(
    name="sketchcolor",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_COLOR, _SKETCH, _TRAIN, _SERVE, _SETUP = "Colour", "Sketch", "Train and measure", "Other programs", "Set up"
app.command("studio", rich_help_panel=_COLOR)(studio.studio)
app.command("colorize", rich_help_panel=_COLOR)(colorize.colorize)
app.command("explore", rich_help_panel=_COLOR)(explore.explore)
app.add_typer(series.app, name="series", rich_help_panel=_COLOR)
app.command("extract", rich_help_panel=_SKETCH)(extract.extract)
app.command("plugins", rich_help_panel=_SKETCH)(plugins.plugins)
app.add_typer(dataset.app, name="dataset", rich_help_panel=_TRAIN)
app.command("train", rich_help_panel=_TRAIN)(train.train)
app.command("evaluate", rich_help_panel=_TRAIN)(evaluate.evaluate)
app.command("fid", rich_help_panel=_TRAIN)(fid.fid)
app.command("serve", rich_help_panel=_SERVE)(serve.serve)
app.command("doctor", rich_help_panel=_SETUP)(doctor.doctor)
app.add_typer(weights.app, name="weights", rich_help_panel=_SETUP)
app.add_typer(models.app, name="models", rich_help_panel=_SETUP)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"sketchcolor {__version__}")
        raise typer.Exit


@app.callback()
def sketchcolor(
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Turn coloured drawings into sketches, and sketches and manga pages into coloured drawings.

    Example: `sketchcolor colorize pages/ -o colored/`
    """


def main() -> None:
    """Run the command line."""
    environment.prepare_process()
    try:
        app()
    except SystemExit as end:
        # What Typer finds wrong never reaches a command; what commands find, they print themselves.
        if end.code == UsageError.exit_code and "--json" in sys.argv and not output.written():
            message = getattr(end.__context__, "format_message", lambda: "the command line makes no sense")()
            printing.emit_failure(UsageError(printing.one_line(message)))
        raise
