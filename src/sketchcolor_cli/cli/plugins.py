"""``sketchcolor plugins``: which extractors are installed."""

from __future__ import annotations

from rich.table import Table

from sketchcolor_cli.cli import options, printing
from sketchcolor_cli.plugins import find_extractors


@options.told
def plugins(json: options.Json = False) -> int:
    """List the installed sketch extractors: ours, and those of other installed packages.

    A plugin that does not work is listed with the reason, and the exit code is then 1.

    Example: `sketchcolor plugins --json`
    """
    listings = find_extractors().listings
    if json:
        printing.emit_json([one.to_json() for one in listings])
    else:
        table = Table("method", "what it does", "parameters", "from")
        for one in listings:
            parameters = one.extractor.parameters if one.extractor else ()
            settings = ", ".join(f"{parameter.name}={parameter.default}" for parameter in parameters)
            summary = (
                one.extractor.summary if one.extractor and one.ready else f"does not work: {one.problem}"
            )
            table.add_row(*(printing.one_line(text) for text in (one.name, summary, settings, one.origin)))
        printing.stdout().print(table)
    return 0 if all(one.ready for one in listings) else 1
