"""Tables on standard output; on a narrow screen the same as a list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from sketchcolor_cli.cli import printing
from sketchcolor_cli.cli.console import NARROW

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import RenderableType


def show(columns: Sequence[str], rows: Iterable[Sequence[str]], *, ruled: bool = False) -> None:
    """Print a table, or each row as its first cell and a line for each other.

    Args:
        columns: The titles.
        rows: As many cells each; line breaks stay.
        ruled: Whether there is a line between two rows.
    """
    plain = [
        ["\n".join(printing.one_line(line) for line in cell.split("\n")) for cell in row] for row in rows
    ]
    if printing.stdout().width >= NARROW:
        first, *others = columns
        table = Table(Column(first, no_wrap=True), *(Column(title, overflow="fold") for title in others))
        for row in plain:
            table.add_row(*row, end_section=ruled)
        printing.emit_rendered(table)
        return
    parts: list[RenderableType] = []
    for name, *cells in plain:
        parts.append(Text(name, style="bold"))
        for title, cell in zip(columns[1:], cells, strict=True):
            parts.append(Padding(Text(f"{title}: {cell}"), (0, 0, 0, 2)))
    printing.emit_rendered(*parts)
