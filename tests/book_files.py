"""Books for the tests, made by code: ZIP, TAR, PDF, and RAR with entries that are only stored."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
import zlib
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

COMIC_INFO = b'<?xml version="1.0"?>\r\n<ComicInfo><Series>\xe6\xbc\xab\xe7\x94\xbb</Series></ComicInfo>\r\n'


def page(seed: int = 0, kind: str = "PNG", size: tuple[int, int] = (48, 64)) -> bytes:
    """Return a picture file: a page with a frame and a blot, other ones for other seeds."""
    image = Image.new("L", size, 255)
    draw = ImageDraw.Draw(image)
    draw.rectangle((3, 3, size[0] - 4, size[1] - 4), outline=0, width=2)
    draw.ellipse((10, 10 + seed % 20, 24, 24 + seed % 20), fill=seed * 37 % 200)
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


def volume() -> dict[str, bytes]:
    """Return the entries of a small book, in an order that is not that of reading."""
    return {
        "Ch 1/page10.png": page(10),
        "Ch 1/page2.PNG": page(2),
        "ComicInfo.xml": COMIC_INFO,
        "第2話/絵 🎨.jpg": page(3, "JPEG"),
        "Ch 1/notes.txt": b"no picture\n" * 500,
        "__MACOSX/Ch 1/._page2.png": b"litter",
        "Thumbs.db": b"litter",
    }


def write_zip(path: Path, entries: Mapping[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.comment = b"scanned by hand"
        for name, content in entries.items():
            info = zipfile.ZipInfo(name, (2001, 2, 3, 4, 5, 6))
            info.compress_type = zipfile.ZIP_STORED if name.endswith((".png", ".jpg")) else method
            info.external_attr = 0o600 << 16
            archive.writestr(info, content)
    return path


def write_raw_zip(path: Path, entries: Mapping[bytes, bytes], *, extra: bytes = b"") -> Path:
    """Write a ZIP with names byte for byte as given, without the flag that says that they are UTF-8."""
    local, central = bytearray(), bytearray()
    for name, content in entries.items():
        at, size = len(local), len(content)
        facts = struct.pack("<5H3I", 20, 0, 0, 0, 0x5821, zlib.crc32(content), size, size)
        lengths = struct.pack("<2H", len(name), len(extra))
        local += b"PK\3\4" + facts + lengths + name + extra + content
        central += b"PK\1\2" + struct.pack("<H", 20) + facts + lengths
        central += struct.pack("<3H2I", 0, 0, 0, 0, at) + name + extra
    count = len(entries)
    end = struct.pack("<4H2IH", 0, 0, count, count, len(central), len(local), 0)
    path.write_bytes(bytes(local) + bytes(central) + b"PK\5\6" + end)
    return path


def write_tar(path: Path, entries: Mapping[str, bytes]) -> Path:
    with tarfile.open(path, "w:") as archive:
        for name, content in entries.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.mode, info.uname = len(content), 1_000_000_000, 0o640, "ペン"
            archive.addfile(info, io.BytesIO(content))
    return path


def write_pdf(path: Path, count: int = 3, *, resolution: int = 144, title: str = "Tïtle 題") -> Path:
    """Write a PDF whose pages are scans, 48×64 pixels, the second one in colour."""
    images = [Image.open(io.BytesIO(page(seed))) for seed in range(count)]
    if count > 1:
        ramp = np.zeros((64, 48, 3), np.uint8)
        ramp[..., 0], ramp[..., 2] = 200, np.arange(64)[:, None] * 4
        images[1] = Image.fromarray(ramp)
    images[0].save(path, "PDF", save_all=True, append_images=images[1:], resolution=resolution, title=title)
    return path


def write_rar(path: Path, entries: Mapping[str, bytes], *, method: int = 0) -> Path:
    """Write a RAR 5 archive; its entries are stored, whatever ``method`` they claim to be packed by."""

    def number(value: int) -> bytes:
        out = b""
        while True:
            low, value = value & 127, value >> 7
            out += bytes([low | (128 if value else 0)])
            if not value:
                return out

    def block(kind: int, flags: int, fields: bytes, data: bytes = b"") -> bytes:
        sizes = number(len(data)) if flags & 2 else b""
        head = number(kind) + number(flags) + sizes + fields
        head = number(len(head)) + head
        return struct.pack("<I", zlib.crc32(head)) + head + data

    parts = [b"Rar!\x1a\x07\x01\x00", block(1, 0, number(0))]
    for name, content in entries.items():
        raw = name.encode()
        fields = number(4) + number(len(content)) + number(0o100644)  # flags: a checksum is there
        fields += struct.pack("<I", zlib.crc32(content)) + number(method << 7) + number(1)
        parts.append(block(2, 2, fields + number(len(raw)) + raw, content))
    path.write_bytes(b"".join([*parts, block(5, 0, number(0))]))
    return path


def strokes(path: Path, count: int) -> Path:
    """Write a PDF of one page with so many strokes across it."""
    lines = b"".join(
        b"%d %d m %d %d l S\n" % (n % 599, n % 799, n * 7 % 599, n * 13 % 799) for n in range(997)
    )
    content = lines * (count // 997)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
    ]
    data, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"trailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(data)
    path.write_bytes(data + b"xref\n0 5\n0000000000 65535 f \n" + table + trailer)
    return path
