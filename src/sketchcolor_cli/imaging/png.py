"""PNG files, written quickly: with 8 or 16 bits per channel, profile and resolution."""

from __future__ import annotations

import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from io import SEEK_END, BytesIO
from itertools import chain, repeat
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

try:
    from isal import isal_zlib
except ImportError:  # for processors that the library is not made for
    isal_zlib = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    Samples = NDArray[np.uint8] | NDArray[np.uint16]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_UP, _SUB = 2, 1  # filters: each byte less the one above, or less that of the pixel before
_QUICK = 2  # level of isal, which is ten times as fast as zlib for files a tenth larger
_ELSEWHERE = 3  # level of zlib
_PIECE = 2**20  # bytes that are packed by themselves
# The seven passes of interlacing: where each begins, and how far apart its pixels are.
_ADAM7 = (
    (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)
)  # fmt: skip


def encode(
    parts: Iterable[Samples], height: int, dpi: tuple[float, float] | None, icc: bytes | None
) -> bytes:
    """Encode samples (grey, grey and alpha, RGB or RGBA) as a PNG file with the depth of their type.

    Source: the W3C PNG specification.

    Args:
        parts: (n, W, C) each, some rows from the top.
        height: How many rows there are.
        dpi: Dots per inch across and down, or None.
        icc: The profile, or None.
    """
    coming = iter(parts)
    first = next(coming)
    _, width, count = first.shape
    color_type = {1: 0, 2: 4, 3: 2, 4: 6}[count]
    chunks = [(b"IHDR", struct.pack(">2I5B", width, height, 8 * first.itemsize, color_type, 0, 0, 0))]
    if icc:
        chunks.append((b"iCCP", b"sRGB\0\0" + zlib.compress(icc)))
    if dpi:
        chunks.append((b"pHYs", struct.pack(">2IB", *(round(value / 0.0254) for value in dpi), 1)))
    file = BytesIO(_SIGNATURE)
    file.seek(0, SEEK_END)
    for kind, data in chunks:
        _write_chunk(file, kind, [data])
    _write_chunk(file, b"IDAT", _deflated(chain([first], coming)))
    _write_chunk(file, b"IEND", [])
    return file.getvalue()


def _write_chunk(file: BytesIO, kind: bytes, pieces: Iterable[bytes]) -> None:
    start = file.tell()
    file.write(bytes(4) + kind)
    check = zlib.crc32(kind)
    for piece in pieces:
        file.write(piece)
        check = zlib.crc32(piece, check)
    length = file.tell() - start - 8
    file.write(struct.pack(">I", check))
    file.seek(start)
    file.write(struct.pack(">I", length))
    file.seek(0, SEEK_END)


def is_cut_off(data: bytes) -> bool:
    """Whether a file is a PNG with a chunk that says it is longer than what is left of the file.

    OpenCV makes room for such a chunk before it reads it, up to 4 GiB.
    """
    start = len(_SIGNATURE)
    if not data.startswith(_SIGNATURE):
        return False
    while start < len(data):
        start += 12 + int.from_bytes(data[start : start + 4], "big")
    return start > len(data)


def is_whole(file: BinaryIO) -> bool:
    """Whether a PNG file has data for all of its rows; decoders leave those black that it has none for.

    Source: the W3C PNG specification, sections 8 (interlacing) and 10.
    """
    file.seek(16)
    width, height, bits, color, _, _, interlaced = struct.unpack(">2I5B", file.read(13))
    depth = bits * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color]
    parts = _ADAM7 if interlaced else ((0, 0, 1, 1),)
    sizes = ((-(-(width - x) // right), -(-(height - y) // down)) for x, y, right, down in parts)
    missing = sum(tall * (1 + (wide * depth + 7) // 8) for wide, tall in sizes if wide > 0 and tall > 0)
    unpacker = zlib.decompressobj()
    for data in _pixels(file):
        piece = unpacker.decompress(data, _PIECE)
        while piece:
            missing -= len(piece)
            if missing <= 0:
                return True  # whatever follows: decoders pass it over
            piece = unpacker.decompress(unpacker.unconsumed_tail, _PIECE)
    return False


def _pixels(file: BinaryIO) -> Iterator[bytes]:
    """Give the packed pixels of a PNG file, chunk by chunk."""
    file.seek(8)
    while len(head := file.read(8)) == 8 and head[4:] != b"IEND":
        length = int.from_bytes(head[:4], "big")
        if head[4:] == b"IDAT":
            while length:
                data = file.read(min(length, _PIECE))
                if not data:
                    return
                length -= len(data)
                yield data
        else:
            file.seek(length, 1)
        file.seek(4, 1)


def _filtered(part: Samples, above: Samples) -> NDArray[np.uint8]:
    """Return some rows (n, W, C) as bytes, each with its filter before it; ``above`` (W, C) is before them.

    Pages are even over long ways down, of which "Up" leaves zeros alone; the low bytes of 16 bits are noise
    that goes from pixel to pixel.
    """
    height, _, count = part.shape
    if part.itemsize == 1:
        rows = np.ascontiguousarray(part).view(np.uint8).reshape(height, -1)
        out = np.empty((height, 1 + rows.shape[1]), np.uint8)
        out[:, 0] = _UP
        np.subtract(rows[0], above.ravel(), out=out[0, 1:])
        np.subtract(rows[1:], rows[:-1], out=out[1:, 1:])
        return out
    rows = np.ascontiguousarray(part.astype(">u2")).view(np.uint8).reshape(height, -1)
    out = np.empty((height, 1 + rows.shape[1]), np.uint8)
    out[:, 0] = _SUB
    out[:, 1:] = rows
    out[:, 1 + 2 * count :] -= rows[:, : -2 * count]
    return out


def _deflated(parts: Iterable[Samples]) -> Iterator[bytes]:
    """Give the filtered rows as a zlib stream, whose pieces are packed side by side (as in Adler's pigz).

    A few rows at a time, so that large pages take no more memory. The result is the same whatever the number
    of threads, and however many rows. Source: RFC 1950 and 1951.
    """
    check, left = 1, b""
    waiting: Iterable[bytes] = [b"\x78\x01"]
    above = None
    with ThreadPoolExecutor() as pool:
        for part in parts:
            rows = _filtered(part, np.zeros_like(part[0]) if above is None else above).tobytes()
            above = part[-1].copy()
            check = (isal_zlib or zlib).adler32(rows, check)
            left += rows
            # What fills no piece goes with the rows after; the last piece ends the stream.
            end = (len(left) - 1) // _PIECE * _PIECE
            pieces = [left[start : start + _PIECE] for start in range(0, end, _PIECE)]
            left = left[end:]
            yield from waiting  # those of the rows before, while these are packed
            waiting = pool.map(_packed, pieces, repeat(False))
        yield from waiting
    yield _packed(left, last=True)
    yield struct.pack(">I", check)


def _packed(piece: bytes, last: bool) -> bytes:
    """Return a piece of a raw deflate stream, which ends at a whole byte, or with the stream."""
    library, level = (zlib, _ELSEWHERE) if isal_zlib is None else (isal_zlib, _QUICK)
    packer = library.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed: bytes = packer.compress(piece) + packer.flush(zlib.Z_FINISH if last else zlib.Z_SYNC_FLUSH)
    return packed
