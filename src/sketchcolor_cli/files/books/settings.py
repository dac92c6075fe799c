"""What a book may ask of us; the only place where these limits stand."""

from __future__ import annotations

from dataclasses import dataclass

from sketchcolor_cli.settings import Settings, internal, setting

PAGE_TIMEOUT = 600.0
"""Seconds that a page may take."""


@dataclass(frozen=True)
class BookLimits:
    """Beyond these, a book is refused: it is damaged, or made to fill a disk."""

    entries: int = 100_000
    """Most entries, pages or not."""
    page_bytes: int = 2**31
    """Most bytes of one unpacked page."""
    unpacked_bytes: int = 2**26
    """Up to this many unpacked bytes in all, no ratio is asked for."""
    ratio: int = 100
    """Most unpacked bytes for each byte of the file. Pictures hardly shrink, bombs a thousandfold."""


@dataclass(frozen=True)
class PdfSettings(Settings):
    """How pages of a PDF become pictures."""

    dpi: int = setting(
        0,
        "Dots per inch at which pages of a PDF are rendered; 0 takes those of the scan that fills the page, "
        "or 300.",
        name="pdf-dpi",
        least=0,
        most=2400,
        panel="Output files",
        matters=False,
    )
    vector_dpi: int = internal(
        300,
        "Dots per inch of pages that no scan fills, where dpi is 0.",
        name="pdf-vector-dpi",
        least=1,
        matters=False,
    )
    max_pixels: int = internal(
        60_000_000,
        "A page that would have more pixels is rendered at fewer dots per inch.",
        name="pdf-max-pixels",
        least=1,
        matters=False,
    )
