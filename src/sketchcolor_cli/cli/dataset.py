"""``sketchcolor dataset``: choosing, packing, checking and reviewing pictures to learn from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path  # noqa: TC003  (Typer reads the annotations)
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from sketchcolor_cli import environment
from sketchcolor_cli.cli import options, printing
from sketchcolor_cli.compute import devices
from sketchcolor_cli.data.settings import PrepareSettings, ReviewSettings
from sketchcolor_cli.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Choose, pack, check and review coloured pictures to learn from.",
)

Data = Annotated[
    str,
    typer.Argument(metavar="DATA", help="A folder, a folder of shards, or shards `a-{000000..000003}.tar`."),
]


@app.command("filter-danbooru")
@options.told
def filter_danbooru(
    metadata: Annotated[
        list[Path],
        typer.Argument(
            metavar="METADATA", help="Danbooru's metadata, a line of JSON a picture; .gz, .xz too."
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for kept.txt, files.txt and counts.json.")
    ],
    rules: Annotated[
        Path | None,
        typer.Option(help="TOML file of rules, instead of the thesis's, which `dataset rules` prints."),
    ] = None,
    json: options.Json = False,
) -> int:
    """Choose pictures by Danbooru's metadata, by default by the rules of the thesis.

    Millions of records take no more memory than a few. kept.txt has the ids, files.txt the places of the
    pictures in the mirror of 512 pixels, counts.json how many records each rule drops.

    Example: `sketchcolor dataset filter-danbooru metadata/2020*.xz -o chosen/`
    """
    from sketchcolor_cli.data import danbooru

    chosen = danbooru.read_rules(rules or danbooru.DEFAULT_RULES)
    with printing.progress("records") as bar:
        task = bar.add_task("reading", total=None, detail="")
        result = danbooru.filter_danbooru(
            metadata,
            chosen,
            output,
            report=lambda records, kept: bar.update(task, completed=records, detail=f"{kept} kept"),
        )
    if json:
        printing.emit_json(result.to_json())
    else:
        table = Table("rule", "breaks it", "dropped by it first")
        for rule, count in result.dropped.most_common():
            table.add_row(printing.one_line(rule), str(count), str(result.first[rule]))
        printing.stdout().print(table)
    if result.unreadable:
        printing.note(f"note: {result.unreadable} lines are no records of Danbooru's")
    printing.note(f"{result.kept} of {result.records} kept; lists in {output}")
    return 0


@app.command("rules")
@options.told
def rules() -> int:
    """Print the rules of the thesis as TOML, to be edited and given to filter-danbooru.

    Example: `sketchcolor dataset rules > rules.toml`
    """
    from sketchcolor_cli.data.danbooru import DEFAULT_RULES

    typer.echo(DEFAULT_RULES.read_text(encoding="utf-8"), nl=False)
    return 0


@app.command("prepare")
@options.told
def prepare(
    inputs: options.Inputs,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the shards and their tables.")],
    short_side: Annotated[
        int, typer.Option(help="Larger pictures are brought down to this shorter side, in pixels.")
    ] = PrepareSettings.short_side,
    min_side: Annotated[
        int, typer.Option(help="Pictures with a shorter side below this are dropped.")
    ] = PrepareSettings.min_side,
    min_colorfulness: Annotated[
        float, typer.Option(help="Pictures less colourful than this are dropped as grey; 0 keeps all.")
    ] = PrepareSettings.min_colorfulness,
    shard_size: Annotated[int, typer.Option(help="Pictures in a shard.")] = PrepareSettings.shard_size,
    lines: Annotated[
        Path | None, typer.Option(help="Folder with line drawings of the same names, for some or all.")
    ] = None,
    exclude: Annotated[
        Path | None, typer.Option(help="List of names to leave out, a line each, as `dataset review` saves.")
    ] = None,
    licence: Annotated[str, typer.Option(help="Licence of all pictures, such as CC-BY-4.0.")] = "",
    attribution: Annotated[
        Path | None,
        typer.Option(
            help="CSV with a column file, and any of licence, author, source, group for each picture."
        ),
    ] = None,
    workers: Annotated[int, typer.Option(help="Pictures that are decoded at the same time.")] = 2,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped.")] = False,
    json: options.Json = False,
) -> int:
    """Pack pictures into shards for training: decoded once, dropped where they are no use, brought to size.

    Dropped are broken, tiny and grey pictures, and near-duplicates; dropped.csv says which and why.
    manifest.csv has a line for each picture, with its licence. Another colouring of the same lines is kept.

    Example: `sketchcolor dataset prepare drawings/ -o shards/ --licence CC-BY-4.0`
    """
    if min(short_side, min_side, shard_size, workers) < 1 or min_colorfulness < 0:
        raise UsageError("sizes and counts must be at least 1, and --min-colorfulness at least 0")
    settings = replace(
        PrepareSettings(),
        short_side=short_side,
        min_side=min_side,
        min_colorfulness=min_colorfulness,
        shard_size=shard_size,
    )
    with options.loading():
        from sketchcolor_cli.data import prepare as engine  # imports torch

        sources = engine.find_sources(inputs, output, lines=lines, exclude=_listed(exclude))
        told: Mapping[str, Mapping[str, str]] = engine.read_attribution(attribution) if attribution else {}
    with printing.progress("pictures") as bar:
        task = bar.add_task("packing", total=len(sources), detail="")
        result = engine.prepare(
            sources,
            output,
            settings,
            licence=licence,
            attribution=told,
            resume=resume,
            workers=workers,
            report=lambda done, _total: bar.update(task, completed=done),
        )
    dropped = ", ".join(f"{count} {reason}" for reason, count in sorted(result.dropped.items()))
    printing.note(
        f"{result.packed} packed into {result.shards} shard(s) in {output}; dropped: {dropped or 'none'}"
    )
    if json:
        printing.emit_json({"packed": result.packed, "shards": result.shards, "dropped": result.dropped})
    return 0


@app.command("check")
@options.told
def check(
    data: Data,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Page (.html) with the most and the least colourful pictures."),
    ] = None,
    json: options.Json = False,
) -> int:
    """Say what is in a set: sizes, licences, sources, groups, lines, colourfulness, and what cannot be read.

    The exit code is 1 if a picture cannot be read.

    Example: `sketchcolor dataset check shards/ -o contents.html`
    """
    with options.loading():
        from sketchcolor_cli.data import check as engine  # imports torch
        from sketchcolor_cli.data.opening import open_pictures
        from sketchcolor_cli.files import html

        pictures = open_pictures([data])
    with printing.progress("pictures") as bar:
        task = bar.add_task("reading", total=len(pictures), detail="")
        found = engine.check(pictures, report=lambda done, _total: bar.update(task, completed=done))
    for key, message in found.unreadable:
        printing.note(f"not readable: {key}: {message}")
    if output is not None:
        html.write_text(output, engine.html_contents(found, data))
        printing.note(f"look at {output}")
    plain = found.to_json()
    if json:
        printing.emit_json(plain)
    else:
        table = Table("", "", show_header=False)
        for name, value in plain.items():
            if isinstance(value, dict):
                said = ", ".join(f"{what} {count}" for what, count in list(value.items())[:20])
            else:
                said = str(len(value)) if name == "unreadable" else str(value)
            if "_colorful" not in name:
                table.add_row(name.replace("_", " "), printing.one_line(said))
        printing.stdout().print(table)
    return 1 if found.unreadable else 0


@app.command("review")
@options.told
def review(
    data: Data,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for review.html and scores.csv.")],
    model: options.Model = "default",
    method: Annotated[
        str, typer.Option("--method", "-m", help="Extractor that draws the sketches.")
    ] = "xdog",
    shown: Annotated[
        int, typer.Option(help="Pictures on the page, the most suspicious first.")
    ] = ReviewSettings.shown,
    device: options.Device = "auto",
    json: options.Json = False,
) -> int:
    """Let a model judge pictures that it has not seen, and put the most suspicious on a page with checkboxes.

    The page saves the ticked ones as a list for `dataset prepare --exclude`. Suspicious is what the model
    cannot colour although it is shown the colours: text, photographs, collages, whatever is unlike what it
    knows.

    Example: `sketchcolor dataset review new/ --model run/model.safetensors -o review/`
    """
    if shown < 1:
        raise UsageError("--shown must be at least 1")
    settings = ReviewSettings(shown=shown)
    with options.loading():
        device = devices.resolve(device)
        from sketchcolor_cli.coloring.arrays import ArrayColorizer  # imports torch
        from sketchcolor_cli.coloring.models import load_color_model
        from sketchcolor_cli.data import review as engine
        from sketchcolor_cli.data.opening import open_pictures
        from sketchcolor_cli.files import html
        from sketchcolor_cli.jobs.sketches import array_sketcher

        pictures = open_pictures([data])
        colors = ArrayColorizer(load_color_model(environment.model_file(model))[0], device)
        sketch = array_sketcher(method, device)
    with printing.progress("pictures") as bar:
        task = bar.add_task(f"judging on {device}", total=len(pictures), detail="")
        found = engine.review(
            pictures, colors, sketch, settings, report=lambda done, _total: bar.update(task, completed=done)
        )
    html.write_text(output / "scores.csv", engine.scores_csv(found))
    html.write_text(output / "review.html", engine.html_review(found, pictures, settings))
    for key, message in found.unreadable:
        printing.note(f"not readable: {key}: {message}")
    printing.note(f"{len(found.scores)} pictures judged; open {output / 'review.html'} and tick")
    if json:
        scores = [{"key": one.key, "score": round(one.score, 3)} for one in found.scores]
        printing.emit_json({"model": model, "pictures": len(scores), "scores": scores})
    return 1 if found.unreadable else 0


def _listed(path: Path | None) -> list[str]:
    if path is None:
        return []
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as a list of names") from error
