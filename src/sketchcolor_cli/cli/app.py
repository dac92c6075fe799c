"""The command ``sketchcolor``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from sketchcolor_cli import __version__, environment
from sketchcolor_cli.cli.help import App
from sketchcolor_cli.cli.lazy import LazyGroup, Summary
from sketchcolor_cli.errors import UsageError

_COLOR, _SKETCH, _TRAIN, _SERVE, _SETUP = "Colour", "Sketch", "Train and measure", "Other programs", "Set up"

# What help of the whole says of each; a test holds that this is what their own help begins with.
COMMANDS = {
    "studio": Summary(
        _COLOR, "Colour pages in the browser: paint a few strokes, see the page coloured, export the book."
    ),
    "colorize": Summary(
        _COLOR, "Colour sketches and manga pages; ink and lettering stay exactly as they are, at full size."
    ),
    "explore": Summary(
        _COLOR,
        "Draw a grid of colourings of one page, each by another seed, with the number to give to colorize.",
    ),
    "extract": Summary(
        _SKETCH, "Draw a sketch of each picture: black lines on white paper, the size of the picture."
    ),
    "plugins": Summary(
        _SKETCH, "List the installed sketch extractors: ours, and those of other installed packages."
    ),
    "train": Summary(_TRAIN, "Train a colour model on your own pictures."),
    "evaluate": Summary(
        _TRAIN, "Evaluate a colour model under protocols that are written down, and compare it with others."
    ),
    "fid": Summary(
        _TRAIN,
        "Measure FID, the Fréchet inception distance: the lower, the more two sets of pictures look alike.",
    ),
    "serve": Summary(
        _SERVE, "Colour pages for other programs over HTTP, as colorize does it; Ctrl-C ends it."
    ),
    "doctor": Summary(
        _SETUP, "Check this computer and the installation, and say what to do about each problem."
    ),
    "series": Summary(_COLOR, "Give all pages of a series the same colours, and see whether they have them."),
    "dataset": Summary(_TRAIN, "Choose, pack, check and review coloured pictures to learn from."),
    "weights": Summary(_SETUP, "Get, check and remove trained weights that do not come with the package."),
    "models": Summary(
        _SETUP,
        "List, show, import and remove colour models, such as `sketchcolor colorize --model NAME` takes.",
    ),
}


class _Commands(LazyGroup):
    summaries = COMMANDS


app = App(
    name="sketchcolor",
    cls=_Commands,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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
        if end.code == UsageError.exit_code and "--json" in sys.argv:
            _say_in_json(end.__context__)
        raise


def _say_in_json(error: object) -> None:
    """Print what Typer finds wrong, which never reaches a command."""
    from sketchcolor_cli.cli import output, printing

    if not output.written():
        message = getattr(error, "format_message", lambda: "the command line makes no sense")()
        printing.emit_failure(UsageError(printing.one_line(message)))
