"""Readers of books and of runs: PDF, ZIP, TAR, RAR, TIFF of several pages, and the journal."""

from __future__ import annotations

import io
import shutil
import tarfile
import zipfile
import zlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from fuzzing.changes import decimals, lines, pdf, png, tar, tiff, tree, words, zip_parts
from fuzzing.reader import Reader

if TYPE_CHECKING:
    from fuzzing.reader import Seeds
    from sketchcolor_cli.jobs.outcome import Outcome


@cache
def page(kind: str = "PNG", size: tuple[int, int] = (40, 56), number: int = 0) -> bytes:
    image = Image.new("1" if kind == "G4" else "L", size, 255)
    pen = ImageDraw.Draw(image)
    pen.rectangle((4 + number, 4, size[0] - 6, size[1] - 6), outline=0, width=2)
    pen.ellipse((10, 12 + number, 24, 30), outline=0)
    file = io.BytesIO()
    image.save(file, **({"format": "TIFF", "compression": "group4"} if kind == "G4" else {"format": kind}))
    return file.getvalue()


def several() -> dict[str, bytes]:
    return {"a/1.png": page(), "a/2.jpg": page("JPEG"), "10.png": page(number=2), "info.txt": b"Dear reader"}


def zips() -> Seeds:
    found = []
    for suffix, method in ((".cbz", zipfile.ZIP_STORED), (".zip", zipfile.ZIP_DEFLATED)):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", method) as archive:
            for name, content in several().items():
                archive.writestr(name, content)
        found.append((suffix, file.getvalue()))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr("META-INF/container.xml", _CONTAINER)
        archive.writestr("OPS/book.opf", _PACKAGE, zipfile.ZIP_DEFLATED)
        archive.writestr(
            "OPS/1.xhtml", '<html xmlns="http://www.w3.org/1999/xhtml"><img src="1.png"/></html>'
        )
        archive.writestr("OPS/1.png", page())
    return [*found, (".epub", file.getvalue())]


_CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="OPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
)
_PACKAGE = (
    '<package xmlns="http://www.idpf.org/2007/opf"><manifest><item id="a" href="1.png" media-type="image/png"/>'
    '<item id="b" href="1.xhtml" media-type="application/xhtml+xml"/></manifest><spine><itemref idref="b"/></spine>'
    "</package>"
)


def tars() -> Seeds:
    found = []
    for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w", format=form) as archive:
            for name, content in {**several(), ("long/" * 15 + "é" * 20 + ".png"): page()}.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
            link = tarfile.TarInfo("link.png")
            link.type, link.linkname = tarfile.SYMTYPE, "10.png"
            archive.addfile(link)
        found.append((".cbt", file.getvalue()))
    return found


def rars() -> Seeds:
    """RAR 5 with stored entries, which need no other program."""

    def number(value: int) -> bytes:
        digits = []
        while value >= 128:
            digits.append(value % 128 + 128)
            value //= 128
        return bytes([*digits, value])

    def block(kind: int, flags: int, rest: bytes, data: bytes = b"") -> bytes:
        body = number(kind) + number(flags) + rest
        head = number(len(body)) + body
        return zlib.crc32(head).to_bytes(4, "little") + head + data

    parts = [b"Rar!\x1a\x07\x01\x00", block(1, 0, number(0))]
    for name, content in several().items():
        raw = name.encode()
        rest = number(len(content)) + number(4) + number(len(content)) + number(0o644)
        rest += zlib.crc32(content).to_bytes(4, "little") + number(0) + number(1) + number(len(raw)) + raw
        parts.append(block(2, 2, rest, content))
    return [(".cbr", b"".join([*parts, block(5, 0, number(0))]))]


def tiffs() -> Seeds:
    found = []
    for options in ({"compression": "group4"}, {"compression": "tiff_lzw"}, {"compression": "jpeg"}, {}):
        images: list[Image.Image] = [Image.open(io.BytesIO(page(number=number))) for number in range(3)]
        if options.get("compression") == "group4":
            images = [image.convert("1") for image in images]
        file = io.BytesIO()
        images[0].save(file, "TIFF", save_all=True, append_images=images[1:], **options)
        found.append((".tif", file.getvalue()))
    file = io.BytesIO()
    images[0].save(file, "TIFF", save_all=True, append_images=images[1:], big_tiff=True)
    return [*found, (".tif", file.getvalue())]


def pdfs() -> Seeds:
    images = [Image.open(io.BytesIO(page(number=number))) for number in range(3)]
    file = io.BytesIO()
    images[0].save(file, "PDF", save_all=True, append_images=images[1:], title="Tïtle")
    drawn = b"q 1 0 0 1 10 10 cm 0 0 m 50 50 l 30 90 l S 0.5 g 5 5 40 40 re f BT /F1 12 Tf (Hi) Tj ET Q\n" * 3
    return [
        (".pdf", file.getvalue()),
        (".pdf", _written(drawn)),
        (".pdf", _written(zlib.compress(drawn), b"/Filter /FlateDecode ")),
    ]


def _written(content: bytes, more: bytes = b"") -> bytes:
    """Return a PDF of strokes, with an outline and a form."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R /Outlines 6 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 /MediaBox [0 0 120 160] >>",
        b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Rotate 90 /Resources << /Font << /F1 5 0 R >> /XObject << /X 8 0 R >> >> >>",
        b"<< %s/Length %d >>\nstream\n%s\nendstream" % (more, len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Type /Outlines /First 7 0 R /Last 7 0 R /Count 1 >>",
        b"<< /Title (One) /Parent 6 0 R /Dest [3 0 R /Fit] >>",
        b"<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Length 9 >>\nstream\n0 0 m 9 9\nendstream",
    ]
    file, places = b"%PDF-1.5\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(file))
        file += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return file + b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (
        len(objects) + 1, table, len(objects) + 1, len(file),
    )  # fmt: skip


def read_pdf(path: Path) -> None:
    """Ask of a PDF what its process is asked, in this one."""
    from sketchcolor_cli.errors import BookError
    from sketchcolor_cli.files.books.pdf_worker import answered

    how = {"place": 0, "dpi": 0, "vector_dpi": 300, "max_pixels": 2_000_000}
    for asked in (
        {"what": "count"},
        {"what": "sizes"},
        {"what": "title"},
        {"what": "bookmarks"},
        {"what": "page", "how": how},
    ):
        letter, content = answered({"path": str(path), **asked})
        if letter == b"E":
            raise BookError(content.decode() or "no word of what is wrong")
        if letter == b"T":
            assert Image.open(io.BytesIO(content)).size[0] > 0


def run_book(path: Path) -> None:
    """Draw sketches of a book's pages; what is said to be done must be there, page by page."""
    from sketchcolor_cli.errors import BookError
    from sketchcolor_cli.files.books.opening import open_book

    out = path.parent / "out"
    (path.parent / "in").mkdir()
    book = path.rename(path.parent / f"in/book{path.suffix}")
    outcome = sketched(book, out)
    made = [path for path in out.rglob("*") if path.is_file() and ".sketchcolor" not in path.parts]
    assert all(str(file).startswith(str(path.parent)) for file in made)
    if outcome.failed or not outcome.done:
        raise BookError("; ".join(failure.message for failure in outcome.failed) or "nothing to do")
    assert len(made) == 1, "done, but nothing is there"
    with open_book(book) as before, open_book(made[0]) as after:
        assert len(after.pages) == len(before.pages), "pages are missing"
        kept = {
            b"".join(before.chunks(entry)) for entry in before.pages
        }  # as animations are, even damaged ones
        for data in {b"".join(after.chunks(entry)) for entry in after.pages} - kept:
            Image.open(io.BytesIO(data)).load()


def sketched(source: Path, out: Path) -> Outcome:
    """Draw sketches; a page that fails by a fault of the program is a finding."""
    from sketchcolor_cli import ExtractRequest, extract

    faults: list[str] = []

    def heard(event: object) -> None:
        faults.extend(filter(None, [getattr(event, "trace", "")]))

    outcome = extract(ExtractRequest.of(inputs=[source], output=out, method="gray", resume=True), heard)
    assert not faults, faults[0]
    return outcome


@cache
def _journals() -> tuple[bytes, dict[str, bytes]]:
    """A journal of a run over a picture and a book, and the files of its results."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        _draw(Path(folder))
        out = Path(folder) / "out"
        results = {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()}
        return (out / ".sketchcolor/journal.jsonl").read_bytes(), results


def _draw(folder: Path) -> Outcome:
    source = folder / "pages"
    source.mkdir(exist_ok=True)
    (source / "1.png").write_bytes(page())
    (source / "book.cbz").write_bytes(zips()[0][1])
    return sketched(source, folder / "out")


def read_journal(path: Path) -> None:
    """Go on from a damaged journal, with the results there or cut short; all must be there afterwards."""
    out = path.parent / "out"
    (out / ".sketchcolor").mkdir(parents=True)
    _, results = _journals()
    for number, (name, content) in enumerate(results.items()):
        (out / name).write_bytes(content if number else content[:-9])
    shutil.copy(path, out / ".sketchcolor/journal.jsonl")
    _draw(path.parent)
    assert {path.name for path in out.iterdir() if path.is_file()} == results.keys(), "results are missing"


READERS = {
    "pdf": Reader(
        pdfs,
        read_pdf,
        (
            pdf,
            pdf,
            decimals,
            decimals,
            words(
                *[
                    "Kids",
                    "Count",
                    "Type",
                    "Page",
                    "Pages",
                    "Length",
                    "Filter",
                    "FlateDecode",
                    "DCTDecode",
                    "MediaBox",
                    "Rotate",
                    "XObject",
                    "Do",
                    "Parent",
                    "Contents",
                    "Width",
                    "Height",
                    "BitsPerComponent",
                    "Dest",
                ],
                "0 R",
                "1 0 R",
                "3 0 R",
                "[",
                "<<",
            ),
            lines,
        ),
    ),
    "journal": Reader(
        lambda: [(".jsonl", _journals()[0])],
        read_journal,
        (tree, tree, lines, words("target", "source", "bytes", "failed", "null")),
    ),
    "zip": Reader(
        zips, run_book, (zip_parts(png), zip_parts(words("item", "href", "&amp;", "<!ENTITY", "../1.png")))
    ),
    "tar": Reader(tars, run_book, (tar, tar, tar)),
    "tiffbook": Reader(tiffs, run_book, (tiff, tiff)),
    "rar": Reader(rars, run_book),
}
