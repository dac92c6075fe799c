"""What a file is by its first bytes, where its name promises something else, with the remedy that helps."""

from __future__ import annotations

import re

_TAR_MAGIC, _TAR_AT = b"ustar", 257
START = 1024
"""Bytes at the beginning of a file that are looked at."""

_STARTS: tuple[tuple[bytes, str], ...] = (
    (
        b"7z\xbc\xaf\x27\x1c",
        "is a 7z archive, which is not read; unpack it and give the folder, or save it as CBZ",
    ),
    (b"\x1f\x8b", "is compressed by gzip as a whole; unpack it and give the folder"),
    (b"BZh", "is compressed by bzip2 as a whole; unpack it and give the folder"),
    (b"\xfd7zXZ\0", "is compressed by xz as a whole; unpack it and give the folder"),
    (b"\x28\xb5\x2f\xfd", "is compressed by Zstandard as a whole; unpack it and give the folder"),
    (b"version https://git-lfs", "is a pointer of Git LFS, not the file itself; fetch it with: git lfs pull"),
    (b"PK\x03\x04", "is a ZIP archive; give it the ending .cbz or .zip, or unpack it"),
    (b"Rar!", "is a RAR archive; give it the ending .cbr, or unpack it"),
    (b"%PDF-", "is a PDF; give it the ending .pdf"),
    (b"CSFCHUNK", "is a Clip Studio file, which is not read; export it as PNG or PSD"),
    (b"gimp xcf", "is a GIMP file, which is not read; export it as PNG or PSD"),
    (b"SAI-CANVAS", "is a SAI file, which is not read; export it as PNG or PSD"),
    (b"%!PS", "is PostScript, which is not read; save it as PNG or PDF"),
    (b"\x80\x02", "is a Python pickle, which could run anything and is never read; export it as safetensors"),
    (b"\x80\x04", "is a Python pickle, which could run anything and is never read; export it as safetensors"),
)
_PICTURES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"8BPS", "Photoshop"),
)
_HTML = re.compile(rb"\s*<(!doctype\s+html|html|head|body)", re.IGNORECASE)
# No comment may hold the end of another, or matching would take exponential time.
_SVG = re.compile(
    rb"\s*(<\?xml[^>]*>\s*)?(<!--((?!-->).)*-->\s*)*(<!doctype svg[^>]*>\s*)?<svg",
    re.IGNORECASE | re.DOTALL,
)


def describe(start: bytes) -> str | None:
    """Return what a file is by its first ``START`` bytes, and what to do; None where they say nothing.

    Asked once a file has turned out not to be what it should be.
    """
    for signature, what in _STARTS:
        if start.startswith(signature):
            return what
    if _HTML.match(start):
        return "is a web page, as sites send instead of the file when something is wrong; get it again"
    if _SVG.match(start):
        return "is an SVG drawing, which is not read; export it as PNG"
    if start[_TAR_AT:].startswith(_TAR_MAGIC):
        return "is a TAR archive; give it the ending .cbt or .tar, or unpack it"
    return None


def picture(start: bytes) -> str | None:
    """Return the name of the picture format that a file begins like, if it does."""
    for signature, name in _PICTURES:
        if start.startswith(signature):
            return name
    return "WebP" if start[:4] == b"RIFF" and start[8:12] == b"WEBP" else None
