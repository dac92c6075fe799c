"""``sketchcolor series``: the profile of a series, and whether its pages keep to it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sketchcolor_cli.cli import options, printing
from sketchcolor_cli.coloring.guides.series import NAME, Series, over, read_series, template
from sketchcolor_cli.errors import DataError
from sketchcolor_cli.files.worklist import SERIES_AIDS, build_worklist

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sketchcolor_cli.coloring.settings import ColorizeSettings

app = typer.Typer(
    no_args_is_help=True, help="Give all pages of a series the same colours, and see whether they have them."
)

_PALETTES = {".gpl", ".ase", ".aco"}
_TOLD = 5  # colours that are named after a run

SeriesOption = Annotated[
    Path | None,
    typer.Option(
        "--series",
        help="Profile of the series, or its folder: model, sheets, references, hints, palette and settings "
        "for all pages. Without, a series.toml in the one input folder is taken. Options count before it.",
    ),
]


@app.command("init")
@options.told
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder with the pages of the series.")],
) -> int:
    """Write a series.toml to fill in, with the palette, points, sheets/ and rough/ that are there.

    Example: `sketchcolor series init pages/`
    """
    path = folder / NAME
    if not folder.is_dir():
        raise DataError(f"{folder}: is no folder; name the one with the pages")
    names = sorted(one.name for one in folder.iterdir())
    found = {
        "palette": [name for name in names if Path(name).suffix.lower() in _PALETTES][:1],
        "hints": [name for name in names if Path(name).stem == "points" or name == "hints"],
        "references": [name for name in names if name in SERIES_AIDS - {"hints", "sheets"}],
        "sheets": [
            f"sheets/{one.name}"
            for one in sorted(folder.glob("sheets/*"))
            if one.suffix.lower() in (".png", ".jpg", ".jpeg", ".webp")
        ],
    }
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(template(found))
    except FileExistsError as error:
        raise DataError(f"{path}: is there already; change it, or delete it first") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror})") from error
    printing.note(f"{path}: fill it in, then: sketchcolor colorize {folder} -o colored/")
    return 0


@app.command("check")
@options.told
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
    path = _path(folder)
    series = read_series(path)
    if series.palette is not None:
        from sketchcolor_cli.coloring.guides.palette import read_palette

        read_palette(series.palette)
    for hints in series.hints:
        if hints.suffix.lower() in (".json", ".toml"):
            from sketchcolor_cli.coloring.guides.points import read_points

            read_points(hints)
    report = [] if colored is None else drifts([colored], series.palette)
    printing.note(f"{path}: everything it names is there")
    if json:
        printing.emit_json({"series": str(path), "drift": report})
    else:
        _tell(report, len(report))
    return 0


def find(given: Path | None, inputs: Sequence[Path]) -> Path | None:
    """Return the profile to use: the one that was given, or the one in the one input folder."""
    if given is not None:
        return _path(given)
    beside = inputs[0] / NAME if len(inputs) == 1 else None
    return beside if beside is not None and beside.is_file() else None


def _path(given: Path) -> Path:
    return given / NAME if given.is_dir() else given


def merged(
    path: Path, typed: dict[str, Any], settings: ColorizeSettings, names: set[str]
) -> tuple[Series, ColorizeSettings]:
    """Return a profile with what was typed, the options of these names, put over it, and all settings."""
    series = read_series(path)
    chosen = replace(
        series,
        model=typed["model"] if "model" in names else series.model,
        sheets=tuple(typed["sheet"] or ()) if "sheet" in names else series.sheets,
        references=tuple(typed["reference"] or ()) if "reference" in names else series.references,
        hints=tuple(typed["hints"] or ()) if "hints" in names else series.hints,
        palette=typed["palette"] if "palette" in names else series.palette,
    )
    return chosen, over(series.settings, settings, names)


def typed_names(context: typer.Context) -> set[str]:
    """Return the names of the options that stand on the command line."""
    return {
        name
        for name in context.params
        if (source := context.get_parameter_source(name)) is not None and source.name == "COMMANDLINE"
    }


def drifts(folders: Sequence[Path], palette: Path | None) -> list[dict[str, Any]]:
    """Return how far colours move across the pages in folders, the farthest first."""
    from sketchcolor_cli.coloring.guides.drift import drift, small
    from sketchcolor_cli.coloring.guides.palette import read_palette
    from sketchcolor_cli.imaging.images import read_picture

    jobs = build_worklist(folders, Path("-"))  # no result is written, so that any name will do
    pages = {
        job.target.name: small(read_picture(job.source))
        for job in jobs
        if not job.is_book and not job.source.name.endswith(".flats.png")
    }
    found = drift(pages, None if palette is None else read_palette(palette))
    return [
        {
            "color": one.color,
            "pages": one.pages,
            "mean": round(one.mean, 2),
            "worst": round(one.worst, 2),
            "worst_page": one.worst_page,
        }
        for one in found
    ]


def told_drift(output: Path, palette: Path | None) -> list[dict[str, Any]]:
    """Say after a run which colours move most, and return how far each does."""
    report = drifts([output], palette)
    _tell(report, _TOLD)
    return report


def _tell(report: list[dict[str, Any]], most: int) -> None:
    for one in report[:most]:
        printing.note(
            f"{one['color']}: moves by {one['mean']:.1f} in Lab over {one['pages']} pages, "
            f"at most {one['worst']:.1f}, on {one['worst_page']}"
        )
