"""Books: what is a page, in which order, what is refused, and what comes back when one is bound again."""

from __future__ import annotations

import io
import os
import struct
import sys
import tarfile
import threading
import time
import tracemalloc
import zipfile
import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pypdfium2 as pdfium
import pytest
import rarfile
from PIL import Image

from book_files import (
    COMIC_INFO,
    page,
    strokes,
    volume,
    write_pdf,
    write_rar,
    write_raw_zip,
    write_tar,
    write_zip,
)
from sketchcolor_cli.errors import BookError, DiskFullError, UsageError
from sketchcolor_cli.files import signatures
from sketchcolor_cli.files.books import pdfs
from sketchcolor_cli.files.books.binding import bind, new_name
from sketchcolor_cli.files.books.book import Book, Entry
from sketchcolor_cli.files.books.opening import open_book
from sketchcolor_cli.files.books.pdf_writer import PdfWriter
from sketchcolor_cli.files.books.pdfs import PdfBook
from sketchcolor_cli.files.books.settings import BookLimits, PdfSettings
from sketchcolor_cli.files.books.tars import TarBook
from sketchcolor_cli.files.books.zips import packed_info
from sketchcolor_cli.files.settings import check_encoding

KEPT = [name for name in volume() if not name.startswith(("__MACOSX", "Thumbs"))]
READ = ["Ch 1/page2.PNG", "Ch 1/page10.png", "第2話/絵 🎨.jpg"]


def refused(path: Path, **options: Any) -> str:
    with pytest.raises(BookError) as caught:
        open_book(path, **options).close()
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


def content(book: Book, name: str) -> bytes:
    [entry] = [entry for entry in book.entries if entry.name == name]
    return b"".join(book.chunks(entry))


def pixels(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image)


# What is in a book


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("a.cbz", write_zip),
        ("a.zip", write_zip),
        ("really a zip.cbr", write_zip),
        ("a.cbt", write_tar),
        ("a.cbr", write_rar),
        ("really a rar.cbz", write_rar),
    ],
)
def test_pages_come_in_reading_order_and_litter_not_at_all(tmp_path: Path, name: str, write: Any) -> None:
    with open_book(write(tmp_path / name, volume())) as book:
        assert [page.name for page in book.pages] == READ
        assert [entry.name for entry in book.entries] == KEPT
        assert {name: content(book, name) for name in KEPT} == {name: volume()[name] for name in KEPT}


def test_hidden_pictures_are_kept_but_are_no_pages(tmp_path: Path) -> None:
    entries = {".hidden/a.png": page(), ".b.png": page(), "c.png": page(), "d.PNG/e.txt": b""}
    with open_book(write_zip(tmp_path / "a.cbz", entries)) as book:
        assert [page.name for page in book.pages] == ["c.png"]
        assert len(book.entries) == 4


@pytest.mark.parametrize(
    ("names", "encoding"),
    [
        (["絵１.png"], "utf-8"),
        (["第01話/表紙.png", "第01話/ソ・能.png"], "cp932"),
        (["进击的巨人/封面.png"], "gbk"),
        (["第01話/封面.png", "第01話/內頁.png"], "big5"),
        (["제1화/표지.png", "제1화/페이지.png"], "cp949"),
        (["Глава 1/стр1.png"], "cp866"),
        (["Глава 1/стр1.png"], "cp1251"),
        (["Äpfel.png"], "cp437"),
        (["plain.png"], "ascii"),
    ],
)
@pytest.mark.parametrize("kind", ["cbz", "cbt"])
def test_names_of_packers_are_read_as_they_were_meant_and_written_back_byte_for_byte(
    tmp_path: Path, names: list[str], encoding: str, kind: str
) -> None:
    raw = [name.encode(encoding) for name in names]
    path = tmp_path / f"a.{kind}"
    if kind == "cbz":
        write_raw_zip(path, dict.fromkeys(raw, page()))
    else:
        with tarfile.open(path, "w:", format=tarfile.GNU_FORMAT, encoding=encoding) as archive:
            for name in names:
                info = tarfile.TarInfo(name)
                info.size = len(page())
                archive.addfile(info, io.BytesIO(page()))
    with open_book(path) as book:
        assert [page.name for page in book.pages] == sorted(names)
        (tmp_path / "new.webp").write_bytes(b"new")
        bind(book, tmp_path / f"same.{kind}", {})
        bind(book, tmp_path / f"new.{kind}", {page.place: tmp_path / "new.webp" for page in book.pages})
        bind(book, tmp_path / "other.cbz", {})
    assert raw_names(tmp_path / f"same.{kind}") == raw
    assert raw_names(tmp_path / f"new.{kind}") == [name.replace(b".png", b".webp") for name in raw]
    if kind == "cbt":  # in another container the names say what they are
        with zipfile.ZipFile(tmp_path / "other.cbz") as archive:
            assert archive.namelist() == names


def raw_names(path: Path) -> list[bytes]:
    if tarfile.is_tarfile(path):
        with tarfile.open(path) as tar:
            return [name.encode(errors="surrogateescape") for name in tar.getnames()]
    with zipfile.ZipFile(path) as archive:
        flagged = [info.filename for info in archive.infolist() if info.flag_bits & 0x800]
        assert not flagged
        return [info.orig_filename.encode("cp437") for info in archive.infolist()]


def test_an_encoding_that_is_said_counts_before_what_is_guessed(tmp_path: Path) -> None:
    path = write_raw_zip(tmp_path / "a.cbz", {"제1화.png".encode("cp949"): page()})
    with open_book(path, names="gbk") as book:
        assert [page.name for page in book.pages] == ["제1화.png".encode("cp949").decode("gbk")]
    assert check_encoding("gbk") == "gbk"
    with pytest.raises(UsageError, match="--names runes: no such encoding; use one like gbk"):
        check_encoding("runes")


def test_a_name_that_an_extra_field_says_in_utf8_needs_no_guess(tmp_path: Path) -> None:
    raw, name = b"?\xe9?.png", "絵é꙳.png"
    field = b"\x01" + struct.pack("<I", zlib.crc32(raw)) + name.encode()
    path = write_raw_zip(
        tmp_path / "a.cbz", {raw: page()}, extra=struct.pack("<2H", 0x7075, len(field)) + field
    )
    with open_book(path) as book:
        assert [page.name for page in book.pages] == [name]


# What is refused


@pytest.mark.parametrize("write", [write_zip, write_tar, write_rar])
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("/etc/a.png", "holds the absolute path /etc/a.png"),
        ("C:/a.png", "holds the absolute path C:/a.png"),
        ("../a.png", "holds the name ../a.png, which leads out of it"),
        ("a/../../b.txt", "holds the name a/../../b.txt, which leads out of it"),
    ],
)
def test_names_that_lead_out_are_refused(tmp_path: Path, write: Any, name: str, said: str) -> None:
    path = write(tmp_path / ("a.cbt" if write is write_tar else "a.cbz"), {"ok.png": page(), name: page()})
    assert refused(path).startswith(said)


def test_backslashes_lead_nowhere_either(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.cbz", {"x\\..\\..\\a.png": page()})
    assert "leads out of it" in refused(path)


def test_the_folder_itself_may_be_in_a_tar(tmp_path: Path) -> None:
    entries = {"./p2.png": page(2), "./Ch 1/p1.png": page(1), "./.hidden/x.png": page()}
    with open_book(write_tar(tmp_path / "a.cbt", entries)) as book:  # as tar -cf a.cbt . writes it
        assert [page.name for page in book.pages] == ["./Ch 1/p1.png", "./p2.png"]


def test_a_sparse_file_in_a_tar_comes_back_whole(tmp_path: Path) -> None:
    start, end = os.urandom(512), b"the end"
    blob = start + bytes(1536) + end  # with a hole in it (GNU tar manual, "Old GNU Format")
    info = tarfile.TarInfo("a.png")
    info.size, info.type = len(start + end), tarfile.GNUTYPE_SPARSE
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[386:434] = b"%011o\0%011o\0%011o\0%011o\0" % (0, len(start), 2048, len(end))
    header[483:495] = b"%011o\0" % len(blob)
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    (tmp_path / "a.cbt").write_bytes(bytes(header) + start + end + bytes(512 - len(end) + 1024))
    with open_book(tmp_path / "a.cbt") as book:
        assert content(book, "a.png") == blob
        bind(book, tmp_path / "b.cbt", {})
    with tarfile.open(tmp_path / "b.cbt") as archive:
        member = archive.extractfile("a.png")
        assert member is not None
        assert member.read() == blob


def test_a_negative_size_is_refused(tmp_path: Path) -> None:
    header = bytearray(tarfile.TarInfo("a.png").tobuf(tarfile.GNU_FORMAT))
    header[124:136], header[148:156] = b"\xff" * 12, b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    (tmp_path / "a.cbt").write_bytes(header + bytes(1024))
    since_3_14 = sys.version_info >= (3, 14)  # from which on Python itself refuses it
    said = "is not a TAR file" if since_3_14 else "a.png claims -1 bytes"
    assert said in refused(tmp_path / "a.cbt")


@pytest.mark.parametrize("name", ["a.cbz", "a.cbt", "a.cbr"])
@pytest.mark.parametrize(
    ("start", "said"),
    [
        (b"7z\xbc\xaf\x27\x1c", "is a 7z archive, which is not read; unpack it"),
        (b"\x1f\x8b\x08", "is compressed by gzip as a whole; unpack it"),
        (b"\n<!DOCTYPE html><html>", "is a web page, as sites send"),
        (b"version https://git-lfs.github.com/spec/v1\n", "is a pointer of Git LFS"),
        (b"\x89PNG\r\n\x1a\n", "is a PNG picture, not a book"),
    ],
)
def test_what_another_kind_of_file_is_is_said(tmp_path: Path, name: str, start: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(start + bytes(600))
    assert refused(tmp_path / name).startswith(said)


def test_what_begins_with_many_comments_is_looked_at_quickly() -> None:
    """The pattern of SVG took exponential time over them: 1 kB held a run up for good."""
    start = time.process_time()
    assert signatures.describe(b"<!--a-->" * 128) is None
    assert "is an SVG drawing" in str(signatures.describe(b"<!-- a -->\n<!--b--><svg>"))
    assert time.process_time() - start < 5


def test_a_tar_is_known_whatever_it_is_called(tmp_path: Path) -> None:
    with open_book(write_tar(tmp_path / "a.cbz", {"a.png": page()})) as book:
        assert isinstance(book, TarBook)


def test_pipes_and_devices_are_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.cbz")
    assert "is a pipe or device" in refused(tmp_path / "a.cbz")


def test_links_out_of_a_tar_are_refused_and_others_kept(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.cbt", {"a.png": page()})

    def add(linkname: str) -> None:
        with tarfile.open(path, "a:") as archive:
            link = tarfile.TarInfo("cover.png")
            link.type, link.linkname = tarfile.SYMTYPE, linkname
            archive.addfile(link)

    add("a.png")
    with open_book(path) as book:
        assert [page.name for page in book.pages] == ["a.png"]
        bind(book, tmp_path / "new.cbt", {})
    with tarfile.open(tmp_path / "new.cbt") as archive:
        assert archive.getmember("cover.png").linkname == "a.png"
    add("../../etc/passwd")
    assert "links to ../../etc/passwd, out of the book" in refused(path)


def test_a_bomb_is_refused_by_what_it_declares(tmp_path: Path) -> None:
    bomb = write_zip(tmp_path / "a.cbz", {"a.txt": bytes(3_000_000), "b.png": page()})
    limits = BookLimits(unpacked_bytes=1_000_000)
    assert "over 100 times its size; it looks like a decompression bomb" in refused(bomb, limits=limits)
    open_book(bomb).close()  # a few megabytes harm nobody


def declare(path: Path, size: int) -> None:
    """Let the last entry of a ZIP claim another size, in its own header and in the list."""
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, data.rindex(b"PK\x03\x04") + 22, size)
    struct.pack_into("<I", data, data.rindex(b"PK\x01\x02") + 24, size)
    path.write_bytes(data)


def test_absurd_sizes_are_refused_before_unpacking(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.cbz", {"a.png": page()})
    declare(path, 2**32 - 2)
    assert "a.png claims 4.0 GiB, more than any page needs" in refused(path)
    assert "has 2 entries, more than 1" in refused(
        write_zip(path, {"a.png": page(), "b.png": page()}), limits=BookLimits(entries=1)
    )


def test_an_entry_larger_than_it_claims_is_not_unpacked_further(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.cbz", {"a.txt": bytes(5_000_000)})
    declare(path, 1000)
    tracemalloc.start()
    with open_book(path) as book, pytest.raises(BookError, match=r"a\.txt: cannot be unpacked"):
        content(book, "a.txt")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3_000_000


def test_encrypted_books_are_told(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.cbz", {"a.png": page()})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x03\x04") + 6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    assert refused(path).startswith("is encrypted; unpack it with its password")


def test_an_encrypted_pdf_is_told(tmp_path: Path) -> None:
    # The marks of encryption with a password that is not the empty one (algorithm 2 of ISO 32000-1).
    path = write_pdf(tmp_path / "a.pdf", 1)
    data = path.read_bytes()
    lock = b"/Encrypt << /Filter /Standard /V 1 /R 2 /O <%s> /U <%s> /P -4 >> /ID [<00><00>]" % (
        b"11" * 32,
        b"22" * 32,
    )
    path.write_bytes(data.replace(b"/Root", lock + b" /Root", 1))
    assert refused(path).startswith("is encrypted; save it without its password")


def test_rare_packing_is_told(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.cbz", {"a.png": page()})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 10] = 9
    path.write_bytes(data)
    assert "a.png is packed by method 9" in refused(path)


@pytest.mark.parametrize(
    ("name", "write"), [("a.cbz", write_zip), ("a.cbt", write_tar), ("a.pdf", write_pdf)]
)
def test_what_is_no_book_or_cut_short_is_told(tmp_path: Path, name: str, write: Any) -> None:
    path = tmp_path / name
    assert refused(path) == "no such file; check the name"
    path.touch()
    assert "0 bytes" in refused(path)
    path.write_text("a letter, and no book. " * 100)
    assert "damaged" in refused(path) or "is not a TAR file" in refused(path)
    path.unlink()
    write(path, volume()) if write is not write_pdf else write(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    if write is not write_pdf:  # PDFium finds the pages that are left
        assert "damaged or cut short" in refused(path)


def test_rar_without_a_program_to_unpack_it_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(**_: bool) -> None:
        raise rarfile.RarCannotExec("Cannot find working tool")

    monkeypatch.setattr(rarfile, "tool_setup", missing)
    packed = write_rar(tmp_path / "a.cbr", {"a.png": page()}, method=3)
    assert "no program that unpacks RAR is installed; install unar or unrar" in refused(packed)
    monkeypatch.setattr(rarfile, "tool_setup", lambda **_: None)
    monkeypatch.setattr(rarfile.RarFile, "read", lambda *_: missing())
    assert "cannot be unpacked by the programs that are installed" in refused(packed)
    monkeypatch.undo()
    open_book(write_rar(tmp_path / "b.cbr", {"a.png": page()})).close()


# Binding


def bound(path: Path, target: Path, ending: str = "") -> dict[str, bytes]:
    """Bind a book whose pages are replaced by what ``new-N`` files hold, and return its entries."""
    with open_book(path) as book:
        pictures = {}
        for entry in book.pages:
            suffix = ending or Path(entry.name).suffix
            pictures[entry.place] = target.with_name(f"new-{entry.place}{suffix}")
            pictures[entry.place].write_bytes(f"new {entry.name}".encode())
        bind(book, target, pictures)
    with open_book(target) as book:
        return {entry.name: b"".join(book.chunks(entry)) for entry in book.entries}


@pytest.mark.parametrize(
    ("source", "write", "target"),
    [
        ("a.cbz", write_zip, "b.cbz"),
        ("a.cbt", write_tar, "b.cbt"),
        ("a.cbr", write_rar, "b.cbz"),
        ("a.epub", write_zip, "b.epub"),
        ("zip.cbt", write_zip, "b.cbt"),
    ],
)
def test_a_book_comes_back_with_new_pages_and_all_else_as_it_was(
    tmp_path: Path, source: str, write: Any, target: str
) -> None:
    path = write(tmp_path / source, volume())
    expected = {name: f"new {name}".encode() if name in READ else volume()[name] for name in KEPT}
    assert bound(path, tmp_path / target) == expected
    assert list(bound(path, tmp_path / target)) == KEPT
    names = [name.rsplit(".", 1)[0] + ".webp" if name in READ else name for name in KEPT]
    assert list(bound(path, tmp_path / target, ".webp")) == names
    assert not list(tmp_path.glob(".*.tmp"))


def test_a_zip_keeps_dates_rights_packing_and_comments(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.cbz", volume())
    bound(path, tmp_path / "b.cbz")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(tmp_path / "b.cbz") as new:
        assert new.comment == old.comment == b"scanned by hand"
        assert new.testzip() is None
        for info in new.infolist():
            was = old.getinfo(info.filename)
            assert (info.date_time, info.external_attr, info.compress_type, info.create_system) == (
                was.date_time,
                was.external_attr,
                was.compress_type,
                was.create_system,
            )
    assert new.getinfo("ComicInfo.xml").file_size == len(COMIC_INFO)


def test_a_tar_keeps_dates_rights_and_owners(tmp_path: Path) -> None:
    bound(write_tar(tmp_path / "a.cbt", volume()), tmp_path / "b.cbt")
    with tarfile.open(tmp_path / "b.cbt") as archive:
        for info in archive.getmembers():
            assert (info.mtime, info.mode, info.uname) == (1_000_000_000, 0o640, "ペン")


@pytest.mark.parametrize("kind", ["cbz", "cbt"])
def test_pages_that_would_get_one_name_keep_their_endings(tmp_path: Path, kind: str) -> None:
    """Readers show but one of two pages with one name."""
    write = write_zip if kind == "cbz" else write_tar
    path = write(tmp_path / f"a.{kind}", {"1.jpg": b"one", "1.png": b"two", "2.jpg": b"three"})
    found = bound(path, tmp_path / f"b.{kind}", ".png")
    assert found == {"1.jpg.png": b"new 1.jpg", "1.png": b"new 1.png", "2.png": b"new 2.jpg"}


@pytest.mark.parametrize("mtime", ["nan", "inf"])
def test_a_date_in_a_tar_that_is_no_number_is_left_out(tmp_path: Path, mtime: str) -> None:
    info = tarfile.TarInfo("a.png")
    info.size, info.pax_headers = len(page()), {"mtime": mtime}
    with tarfile.open(tmp_path / "a.cbt", "w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(info, io.BytesIO(page()))
    bound(tmp_path / "a.cbt", tmp_path / "b.cbt")
    with tarfile.open(tmp_path / "b.cbt") as archive:
        assert archive.getmembers()[0].mtime == 0


def test_dates_that_an_archive_cannot_say_are_the_nearest_that_it_can(tmp_path: Path) -> None:
    """A RAR 5 may say 2200, and a damaged ZIP month 15."""
    info = packed_info(Entry(0, "a.png", 1, date=(2200, 1, 1, 0, 0, 0)), "a.png")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, b"x")
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.infolist()[0].date_time == (2107, 12, 31, 23, 59, 58)
    with zipfile.ZipFile(tmp_path / "a.cbt", "w") as archive:
        archive.writestr(zipfile.ZipInfo("a.png", (1999, 15, 1, 0, 0, 0)), page())
    bound(tmp_path / "a.cbt", tmp_path / "b.cbt")
    with tarfile.open(tmp_path / "b.cbt") as archive:
        assert archive.getnames() == ["a.png"]


def test_binding_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    for source, write, end in (
        ("a.cbz", write_zip, "cbz"),
        ("a.cbt", write_tar, "cbt"),
        ("a.cbr", write_rar, "cbz"),
    ):
        path = write(tmp_path / source, volume())
        for number in (1, 2):
            bound(path, tmp_path / f"{number}.{end}")
        assert (tmp_path / f"1.{end}").read_bytes() == (tmp_path / f"2.{end}").read_bytes()


def test_a_name_that_comes_twice_still_does(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.cbz", "w") as archive:
        archive.writestr("a.png", page(1))
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.png", page(2))
    with open_book(tmp_path / "a.cbz") as book:
        assert [b"".join(book.chunks(page)) for page in book.pages] == [page(1), page(2)]
        bind(book, tmp_path / "b.cbz", {})
    with zipfile.ZipFile(tmp_path / "b.cbz") as archive:
        assert [archive.open(info).read() for info in archive.infolist()] == [page(1), page(2)]


def test_a_damaged_page_is_kept_as_far_as_it_goes_and_a_damaged_text_is_an_error(tmp_path: Path) -> None:
    blob = os.urandom(3_000_000)
    for name in ("a.txt", "a.png"):
        path = write_zip(tmp_path / "a.cbz", {name: blob}, method=zipfile.ZIP_STORED)
        data = bytearray(path.read_bytes())
        data[2_900_000] ^= 1  # the checksum tells
        path.write_bytes(data)
        with open_book(path) as book:
            if name == "a.txt":
                with pytest.raises(BookError, match=r"a\.txt: cannot be unpacked .*CRC"):
                    bind(book, tmp_path / "b.cbz", {})
                assert not (tmp_path / "b.cbz").exists()
            else:
                bind(book, tmp_path / "b.cbz", {})
                with zipfile.ZipFile(tmp_path / "b.cbz") as archive:
                    kept = archive.read("a.png")
                assert len(kept) >= 2_000_000
                assert blob.startswith(kept)


def test_a_full_disk_leaves_no_book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_zip(tmp_path / "a.cbz", volume())

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with (
        open_book(path) as book,
        pytest.raises(DiskFullError, match=r"b\.cbz: cannot be written \(No space left"),
    ):
        bind(book, tmp_path / "b.cbz", {})
    assert [path.name for path in tmp_path.iterdir()] == ["a.cbz"]


def test_epub_pictures_keep_their_names_so_gif_is_no_page(tmp_path: Path) -> None:
    entries = {
        "mimetype": b"application/epub+zip",
        "OEBPS/p1.xhtml": b"<img src='i/1.jpg'/>",
        "OEBPS/i/1.jpg": page(1, "JPEG"),
        "OEBPS/i/rule.gif": page(2, "GIF"),
    }
    with open_book(write_zip(tmp_path / "a.epub", entries, method=zipfile.ZIP_STORED)) as book:
        assert [page.name for page in book.pages] == ["OEBPS/i/1.jpg"]
    bound(tmp_path / "a.epub", tmp_path / "b.epub")
    first = zipfile.ZipFile(tmp_path / "b.epub").infolist()[0]
    assert first.filename == "mimetype"
    assert (tmp_path / "b.epub").read_bytes()[30:58] == b"mimetypeapplication/epub+zip"


def test_new_names() -> None:
    with_ending = {
        ("a/b.PNG", "x.png"): "a/b.PNG",
        ("a.b/c.gif", "x.png"): "a.b/c.png",
        ("c.jpg", None): "c.jpg",
    }
    for (name, picture), due in with_ending.items():
        assert new_name(Entry(0, name, 0), Path(picture) if picture else None) == due


# More than 32 bits


def test_large_entries_and_many_of_them_use_zip64(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if four gigabytes were two thousand bytes; benchmarks/books.py does it with a real 4 GB file."""
    entries = {"a.png": page(), "big.bin": os.urandom(5000), "b.txt": b"x"}
    path = write_zip(tmp_path / "a.cbz", entries)
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 2000)
    with open_book(path) as book:
        bind(book, tmp_path / "b.cbz", {})
    monkeypatch.undo()
    data = (tmp_path / "b.cbz").read_bytes()
    assert b"PK\x06\x06" in data  # the end record with 64 bits
    with zipfile.ZipFile(tmp_path / "b.cbz") as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == entries


def test_memory_does_not_grow_with_the_book(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        entries = {f"{n}.png": os.urandom(300_000) for n in range(count)}
        path = write_zip(tmp_path / "a.cbz", entries)
        del entries
        tracemalloc.start()
        with open_book(path) as book:
            for page in book.pages:
                for _ in book.chunks(page):
                    pass
            bind(book, tmp_path / "b.cbz", {})
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    few, many = peak(4), peak(40)
    assert many < few + 300_000


# PDF


def test_scans_come_out_of_a_pdf_pixel_for_pixel(tmp_path: Path) -> None:
    with open_book(write_pdf(tmp_path / "a.pdf")) as book:
        assert [page.name for page in book.pages] == ["page 001.tif", "page 002.tif", "page 003.tif"]
        first, second, _ = (pixels(b"".join(book.chunks(page))) for page in book.pages)
        stored = Image.open(io.BytesIO(b"".join(book.chunks(book.pages[0]))))
    assert stored.info["dpi"] == pytest.approx((144, 144))
    assert (first.shape, second.shape) == ((64, 48), (64, 48, 3))
    with pdfium.PdfDocument(tmp_path / "a.pdf") as document:
        scan = next(document[0].get_objects())
        assert np.array_equal(pixels(bytes(scan.get_data(decode_simple=False))), first)


@pytest.mark.parametrize(
    ("settings", "size"),
    [
        (PdfSettings(dpi=72), (32, 24)),
        (PdfSettings(dpi=288), (128, 96)),
        (PdfSettings(max_pixels=768), (32, 24)),
    ],
)
def test_resolution_of_a_pdf(tmp_path: Path, settings: PdfSettings, size: tuple[int, int]) -> None:
    with open_book(write_pdf(tmp_path / "a.pdf", 1), pdf=settings) as book:
        assert pixels(b"".join(book.chunks(book.pages[0]))).shape == size


def test_pages_without_a_scan_have_the_resolution_of_drawings(tmp_path: Path) -> None:
    document = pdfium.PdfDocument.new()
    document.new_page(72, 36)
    document.save(tmp_path / "a.pdf")
    with open_book(tmp_path / "a.pdf") as book:
        assert pixels(b"".join(book.chunks(book.pages[0]))).shape == (150, 300)


def test_an_absurd_page_is_rendered_within_the_limit(tmp_path: Path) -> None:
    document = pdfium.PdfDocument.new()
    document.new_page(1e6, 1e6)
    document.new_page(0.01, 0.01)
    document.save(tmp_path / "a.pdf")
    with open_book(tmp_path / "a.pdf", pdf=PdfSettings(max_pixels=10_000)) as book:
        large, small = (pixels(b"".join(book.chunks(page))) for page in book.pages)
    assert 9_000 < large.size <= 10_201
    assert small.size >= 1


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_pdf_is_bound_with_sizes_title_and_bookmarks(tmp_path: Path, kind: str) -> None:
    source = tmp_path / "a.pdf"
    with source.open("wb") as file:
        first = PdfWriter(file)
        sizes = [(24, 32), (28.8, 38.4), (36, 48)]
        for number in range(3):
            (tmp_path / "p").write_bytes(page(number, "JPEG"))
            first.add_page(tmp_path / "p", sizes[number])
        marks = [(0, "第一話", 0), (1, "Scene", 1), (1, "Scene (2)", 1), (0, "Last", 2)]
        first.finish({"Title": "漫画", "Author": "A. Ink", "Nonsense": "x"}, marks)

    new = [np.random.default_rng(number).integers(0, 256, (64, 48, 3), np.uint8) for number in range(3)]
    with open_book(source) as book:
        assert isinstance(book, PdfBook)
        pictures = {}
        for entry, samples in zip(book.pages, new, strict=True):
            pictures[entry.place] = tmp_path / f"{entry.place}.{kind.lower()}"
            Image.fromarray(samples).save(pictures[entry.place], kind)
        for number in (1, 2):
            bind(book, tmp_path / f"{number}.pdf", pictures)
    assert (tmp_path / "1.pdf").read_bytes() == (tmp_path / "2.pdf").read_bytes()

    with open_book(tmp_path / "1.pdf") as book:
        assert isinstance(book, PdfBook)
        assert np.allclose(book.sizes(), sizes)
        assert book.bookmarks() == marks
        assert book.title_page() == {"Title": "漫画", "Author": "A. Ink"}
        for entry in book.pages:
            back = pixels(b"".join(book.chunks(entry)))
            assert np.array_equal(back, pixels(pictures[entry.place].read_bytes()))


def test_a_pdf_becomes_a_cbz(tmp_path: Path) -> None:
    entries = bound(write_pdf(tmp_path / "a.pdf"), tmp_path / "b.cbz", ".jpg")
    assert list(entries) == ["page 001.jpg", "page 002.jpg", "page 003.jpg"]


def test_sixteen_bits_and_grey_go_into_a_pdf_and_transparency_does_not(tmp_path: Path) -> None:
    from sketchcolor_cli.imaging.picture import Picture
    from sketchcolor_cli.imaging.writing import write_picture

    ramp = np.linspace(0, 1, 64 * 48, dtype=np.float32).reshape(64, 48)
    rgb = np.repeat(ramp[..., None], 3, axis=2)
    path = tmp_path / "deep.png"
    for gray in (True, False):
        write_picture(path, Picture(rgb, gray=gray, bits=16))
        with (tmp_path / "a.pdf").open("wb") as file:
            writer = PdfWriter(file)
            writer.add_page(path, (48, 64))
            writer.finish({}, [])
        with open_book(tmp_path / "a.pdf", pdf=PdfSettings(dpi=72)) as book:
            seen = pixels(b"".join(book.chunks(book.pages[0])))
        assert np.abs(seen / 255 - ramp).max() < 1 / 255
    write_picture(path, Picture(rgb, alpha=ramp))
    with pytest.raises(BookError, match=r"deep\.png: a PDF takes JPEG and PNG without transparency"):
        PdfWriter(io.BytesIO()).add_page(path, (48, 64))


def test_a_zip_called_pdf_is_bound_to_no_pdf(tmp_path: Path) -> None:
    book = open_book(write_zip(tmp_path / "a.pdf", volume()))
    with book, pytest.raises(BookError, match="only a PDF is written back as PDF"):
        bind(book, tmp_path / "b.pdf", {})


def test_a_page_that_takes_too_long_is_given_up_and_the_book_goes_on(tmp_path: Path) -> None:
    with open_book(strokes(tmp_path / "a.pdf", 3_000_000), page_timeout=60) as book:
        [slow] = book.pages
        assert isinstance(book, PdfBook)
        assert book._worker._timeout == 60
        book._worker._timeout = 0.7  # a process starts slowly on a busy machine, so only from here on
        start = time.monotonic()
        with pytest.raises(BookError, match=r"a\.pdf/page 001\.tif: takes longer than 0\.7 s to read"):
            content(book, slow.name)
        assert time.monotonic() - start < 15
        book._worker._timeout = 60
        assert book.sizes() == [(600, 800)]


def test_a_page_that_is_being_read_can_be_ended_from_another_thread(tmp_path: Path) -> None:
    with open_book(strokes(tmp_path / "a.pdf", 3_000_000)) as book:
        threading.Timer(0.5, book.cancel).start()
        start = time.monotonic()
        with pytest.raises(BookError, match="reading it was ended"):
            content(book, "page 001.tif")
        assert time.monotonic() - start < 15


@pytest.mark.parametrize("lying", [False, True])
def test_strips_give_their_resolution_together_and_a_fax_is_not_turned(tmp_path: Path, lying: bool) -> None:
    """A page of six strips of 300×100 pixels, each half as wide as an inch is long, and one as a fax is."""
    document = pdfium.PdfDocument.new()
    page = document.new_page(144, 144)
    for number in range(6):
        strip = pdfium.PdfImage.new(document)
        strip.set_bitmap(
            pdfium.PdfBitmap.from_pil(Image.new("L", (1200, 100 if lying else 200), 40 * number))
        )
        strip.set_matrix(pdfium.PdfMatrix().scale(144, 24).translate(0, 24 * number))
        page.insert_obj(strip)
    page.gen_content()
    document.save(str(tmp_path / "a.pdf"))
    document.close()
    with open_book(tmp_path / "a.pdf") as book:
        assert pixels(content(book, "page 001.tif")).shape == (1200, 1200)


@pytest.mark.parametrize("locked", ["OPS/page%201.png", "OPS/font.otf"])
def test_an_epub_whose_pictures_are_protected_is_told(tmp_path: Path, locked: str) -> None:
    cipher = f'<encryption><enc:CipherReference URI="{locked}"/></encryption>'
    entries = {
        "mimetype": b"application/epub+zip",
        "META-INF/encryption.xml": cipher.encode(),
        "OPS/page 1.png": os.urandom(500),
        "OPS/font.otf": os.urandom(500),
    }
    path = write_zip(tmp_path / "a.epub", entries)
    if locked.endswith(".png"):
        assert "its pictures are protected (DRM)" in refused(path)
    else:
        open_book(path).close()


def test_an_answer_about_a_pdf_that_is_cut_off_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its process is ended amid a long answer where that takes too long, or at Ctrl-C."""
    cut = b"J" + (100).to_bytes(8, "big") + b"[[1, 2]"
    process = SimpleNamespace(
        stdin=io.BytesIO(), stdout=io.BytesIO(cut), kill=lambda: None, wait=lambda: None, poll=lambda: None
    )
    worker = pdfs._Worker(Path("a.pdf"), 10)
    monkeypatch.setattr(worker, "_process", process)
    with pytest.raises(BookError, match="reading it was ended, or ran out of memory; try it again"):
        worker.facts("sizes")
