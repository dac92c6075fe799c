"""Outlines of PDF files."""

from __future__ import annotations

import io
import re
import time
from typing import TYPE_CHECKING

from PIL import Image

from sketchcolor_cli.files.books.pdf_writer import PdfWriter

if TYPE_CHECKING:
    from pathlib import Path


def test_chapters_are_shown_and_what_is_below_them_is_folded(tmp_path: Path) -> None:
    """A positive Count shows that many entries at once, a negative one hides them (ISO 32000-1, 12.3.3)."""
    Image.new("L", (4, 4)).save(tmp_path / "a.png")
    file = io.BytesIO()
    writer = PdfWriter(file)
    writer.add_page(tmp_path / "a.png", (10, 10))
    writer.finish({}, [(0, "One", 0), (1, "One a", 0), (1, "One b", 0), (0, "Two", 0)])
    counts = re.findall(rb"/Last \d+ 0 R /Count (-?\d+)", file.getvalue())
    assert counts == [b"-2", b"2"]


def test_many_chapters_are_written_in_time_that_grows_with_their_number(tmp_path: Path) -> None:
    """The place of each in its row was searched for: 40 000 took 40 seconds."""
    Image.new("L", (4, 4)).save(tmp_path / "a.png")
    writer = PdfWriter(io.BytesIO())
    writer.add_page(tmp_path / "a.png", (10, 10))
    start = time.process_time()
    writer.finish({}, [(0, "One", 0)] * 40_000)
    assert time.process_time() - start < 10
