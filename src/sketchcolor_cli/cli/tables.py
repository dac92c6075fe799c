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


def show(columns: Sequence[str], rows: Iterable[Sequence[str]], *, ruled: bool = False) -> None:
    """Print a table, or each row as its first cell and a line for each other.

    Args:
        columns: The titles.
        rows: As many cells each; line breaks stay.
        ruled: Whether there is a line between two rows.
    """
    console = printing.stdout()
    plain = [
        ["\n".join(printing.one_line(line) for line in cell.split("\n")) for cell in row] for row in rows
    ]
    if console.width >= NARROW:
        first, *others = columns
        table = Table(Column(first, no_wrap=True), *(Column(title, overflow="fold") for title in others))
        for row in plain:
            table.add_row(*row, end_section=ruled)
        console.print(table)
        return
    for name, *cells in plain:
        console.print(Text(name, style="bold"))
        for title, cell in zip(columns[1:], cells, strict=True):
            console.print(Padding(Text(f"{title}: {cell}"), (0, 0, 0, 2)))
