"""A book gives no more of an entry than it declares, whatever its archive unpacks."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, BinaryIO

import pytest

from sketchcolor_cli.errors import BookError
from sketchcolor_cli.files.books.book import Book, Entry
from sketchcolor_cli.files.books.settings import BookLimits

if TYPE_CHECKING:
    from pathlib import Path


class LyingBook(Book):
    """A book whose only entry unpacks to a thousand bytes."""

    def open(self, entry: Entry) -> BinaryIO:
        return io.BytesIO(bytes(1000))


def chunks_of(folder: Path, size: int, limits: BookLimits) -> bytes:
    (folder / "a.cbz").write_bytes(b"")
    entry = Entry(0, "a.png", size)
    return b"".join(LyingBook(folder / "a.cbz", [entry], limits).chunks(entry))


def test_an_entry_as_large_as_declared_is_given(tmp_path: Path) -> None:
    assert len(chunks_of(tmp_path, 1000, BookLimits())) == 1000


def test_an_entry_larger_than_declared_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BookError, match=r"a\.png: is larger than the book says"):
        chunks_of(tmp_path, 999, BookLimits())


def test_an_entry_of_undeclared_size_may_be_a_page_at_most(tmp_path: Path) -> None:
    with pytest.raises(BookError, match="is larger than the book says"):
        chunks_of(tmp_path, 0, BookLimits(page_bytes=999))
