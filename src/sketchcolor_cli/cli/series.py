"""``sketchcolor series``: the profile of a series, and whether its pages keep to it."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  (Typer reads the annotations)
from typing import Annotated

import typer

from sketchcolor_cli.cli import options, printing, runs
from sketchcolor_cli.cli.help import App
from sketchcolor_cli.jobs.requests import ColorizeRequest
from sketchcolor_cli.jobs.series import check_series, drifts, series_file, write_series

app = App(help="Give all pages of a series the same colours, and see whether they have them.")


@app.command("init")
@options.with_exit_code
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder with the pages of the series.")],
) -> int:
    """Write a series.toml to fill in, with the palette, points, sheets/ and rough/ that are there.

    Example: `sketchcolor series init pages/`
    """
    path = write_series(ColorizeRequest, folder)
    printing.note(f"{path}: fill it in, then: sketchcolor colorize {folder} -o colored/")
    return 0


@app.command("check")
@options.with_exit_code
def check(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder with the series.toml, or the file.")],
    colored: Annotated[
        Path | None,
        typer.Option(help="Folder with the coloured pages: report how far each colour moves between them."),
    ] = None,
    json: options.Json = False,
) -> int:
    """Check a profile and all it names; with --colored, report how far colours move from page to page.

    Example: `sketchcolor series check pages/ --colored colored/`
    """
    path = series_file(folder)
    palette = check_series(ColorizeRequest, path)
    report = [] if colored is None else drifts(colored, palette)
    printing.note(f"{path}: everything it names is there")
    if json:
        printing.emit_json({"series": str(path), "drift": [drift.to_json() for drift in report]})
    else:
        runs.drift(report)
    return 0
