"""``sketchcolor dataset``: choosing, packing, checking and reviewing pictures to learn from."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from sketchcolor_cli.cli import fetching, options, output, printing, steps, tables
from sketchcolor_cli.cli.help import App
from sketchcolor_cli.cli.request import requested
from sketchcolor_cli.jobs import dataset as jobs
from sketchcolor_cli.jobs.dataset import (
    DanbooruRequest,
    DatasetCheckRequest,
    DatasetPrepareRequest,
    DatasetReviewRequest,
)

app = App(
    help="Choose, pack, check and review coloured pictures to learn from.",
)


@app.command("filter-danbooru")
@options.with_exit_code
@requested(request=DanbooruRequest)
def filter_danbooru(request: DanbooruRequest, json: options.Json = False) -> int:
    """Choose pictures by Danbooru's metadata, by default by the rules of the thesis.

    Millions of records take no more memory than a few. kept.txt has the ids, files.txt the places of the
    pictures in the mirror of 512 pixels, counts.json how many records each rule drops.

    Example: `sketchcolor dataset filter-danbooru metadata/2020*.xz -o chosen/`
    """
    with steps.shown("records") as progress:
        result = jobs.filter_danbooru(request, progress)
    if json:
        printing.emit_json(result.to_json())
    else:
        rows = ((rule, str(count), str(result.first[rule])) for rule, count in result.dropped.most_common())
        tables.show(("rule", "breaks it", "dropped by it first"), rows)
    if result.unreadable:
        printing.note(f"note: {result.unreadable} lines are not records of Danbooru")
    printing.note(f"{result.kept} of {result.records} kept; lists in {request.output}")
    return 0


@app.command("rules")
@options.with_exit_code
def rules() -> int:
    """Print the rules of the thesis as TOML, to be edited and given to filter-danbooru.

    Example: `sketchcolor dataset rules > rules.toml`
    """
    from sketchcolor_cli.data.danbooru import DEFAULT_RULES

    output.write(DEFAULT_RULES.read_text(encoding="utf-8"))
    return 0


@app.command("prepare")
@options.with_exit_code
@requested(request=DatasetPrepareRequest)
def prepare(request: DatasetPrepareRequest, json: options.Json = False) -> int:
    """Pack pictures into shards for training: each decoded once, resized, or dropped if it is of no use.

    Pages of books (CBZ, CBT, EPUB, PDF, CBR) are pictures too. Broken, tiny, grey and very long pictures are
    dropped, as are near-duplicates; dropped.csv says which and why. manifest.csv has a line for each picture,
    with its licence. Another colouring of the same lines is kept. The exit code is 1 if a picture cannot be
    read.

    Example: `sketchcolor dataset prepare drawings/ -o shards/ --licence CC-BY-4.0`
    """
    with steps.shown() as progress:
        result = jobs.prepare_dataset(request, progress)
    printing.unreadable("not readable", result.broken)
    printing.left_out(result.left_out)
    dropped = ", ".join(f"{count} {reason}" for reason, count in sorted(result.dropped.items()))
    excluded = f"; excluded: {result.excluded}" if result.excluded else ""
    printing.note(
        f"{result.packed} packed into {result.shards} shard(s) in {request.output}; "
        f"dropped: {dropped or 'none'}{excluded}"
    )
    if json:
        printing.emit_json(result.to_json())
    return 1 if result.broken else 0


@app.command("check")
@options.with_exit_code
@requested(request=DatasetCheckRequest)
def check(request: DatasetCheckRequest, json: options.Json = False) -> int:
    """Say what is in a set: sizes, licences, sources, groups, lines, colourfulness, and what cannot be read.

    The exit code is 1 if a picture cannot be read.

    Example: `sketchcolor dataset check shards/ -o contents.html`
    """
    with steps.shown() as progress:
        found = jobs.check_dataset(request, progress)
    printing.unreadable("not readable", found.unreadable)
    if request.output is not None:
        printing.note(f"look at {request.output}")
    if json:
        printing.emit_json(found.to_json())
    else:
        printing.emit_rendered(_contents_table(found.to_json()))
    return 1 if found.unreadable else 0


def _contents_table(plain: dict[str, Any]) -> Table:
    table = Table("", "", show_header=False)
    for name, value in plain.items():
        if isinstance(value, dict):
            text = ", ".join(f"{what} {count}" for what, count in list(value.items())[:20])
        else:
            text = str(len(value)) if name == "unreadable" else str(value)
        if "_colorful" not in name:
            table.add_row(name.replace("_", " "), printing.one_line(text))
    return table


@app.command("review")
@options.with_exit_code
@fetching.offers
@requested(request=DatasetReviewRequest)
def review(request: DatasetReviewRequest, json: options.Json = False) -> int:
    """Let a model judge pictures that it has not seen, and put the most suspicious on a page with checkboxes.

    The page saves the ticked ones as a list for `dataset prepare --exclude`. A picture is suspicious when the
    model cannot colour it although it is shown the colours: text, photographs, collages, whatever is unlike
    what it knows.

    Example: `sketchcolor dataset review new/ --model run/model.safetensors -o review/`
    """
    with steps.shown() as progress:
        found = jobs.review_dataset(request, progress)
    printing.unreadable("not readable", found.unreadable)
    page = request.output / jobs.REVIEW
    printing.note(f"{len(found.scores)} pictures judged; open {page} and tick")
    if json:
        printing.emit_json({"model": request.model, **found.to_json()})
    return 1 if found.unreadable else 0
