"""PNG files, written quickly: with 8 or 16 bits per channel, profile and resolution."""

from __future__ import annotations

import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

try:
    from isal import isal_zlib
except ImportError:  # for processors that the library is not made for
    isal_zlib = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Samples = NDArray[np.uint8] | NDArray[np.uint16]

_UP, _SUB = 2, 1  # filters: each byte less the one above, or less that of the pixel before
_QUICK = 2  # level of isal, which is ten times as fast as zlib for files a tenth larger
_ELSEWHERE = 3  # level of zlib
_PIECE = 2**20  # bytes that are packed by themselves
_ROWS = 2**25  # bytes of the rows that are filtered at once
# The seven passes of interlacing: where each begins, and how far apart its pixels are.
_ADAM7 = (
    (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)
)  # fmt: skip


def encode(samples: Samples, dpi: tuple[float, float] | None, icc: bytes | None) -> bytes:
    """Encode H×W×C samples (grey, grey and alpha, RGB or RGBA) as a PNG file with the depth of their type.

    Source: the W3C PNG specification.
    """
    height, width, count = samples.shape
    color_type = {1: 0, 2: 4, 3: 2, 4: 6}[count]
    chunks = [(b"IHDR", struct.pack(">2I5B", width, height, 8 * samples.itemsize, color_type, 0, 0, 0))]
    if icc:
        chunks.append((b"iCCP", b"sRGB\0\0" + zlib.compress(icc)))
    if dpi:
        chunks.append((b"pHYs", struct.pack(">2IB", *(round(value / 0.0254) for value in dpi), 1)))
    chunks += [(b"IDAT", _deflated(samples)), (b"IEND", b"")]
    pieces = [b"\x89PNG\r\n\x1a\n"]
    for kind, data in chunks:
        pieces += [struct.pack(">I", len(data)), kind, data]
        pieces.append(struct.pack(">I", zlib.crc32(data, zlib.crc32(kind))))
    return b"".join(pieces)


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
            piece = unpacker.decompress(unpacker.unconsumed_tail, _PIECE) if missing > 0 else b""
    return bool(missing <= 0)


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


def _filtered(samples: Samples, first: int, last: int) -> NDArray[np.uint8]:
    """Return some rows as bytes, each with its filter before it.

    Pages are even over long ways down, of which "Up" leaves zeros alone; the low bytes of 16 bits are noise
    that goes from pixel to pixel.
    """
    count = samples.shape[2]
    if samples.itemsize == 1:
        above = max(first - 1, 0)
        rows = np.ascontiguousarray(samples[above:last]).view(np.uint8).reshape(last - above, -1)
        out = np.empty((last - first, 1 + rows.shape[1]), np.uint8)
        out[:, 0] = _UP
        out[0, 1:] = rows[0]
        np.subtract(rows[1:], rows[:-1], out=out[above + 1 - first :, 1:])
        return out
    rows = np.ascontiguousarray(samples[first:last].astype(">u2")).view(np.uint8).reshape(last - first, -1)
    out = np.empty((last - first, 1 + rows.shape[1]), np.uint8)
    out[:, 0] = _SUB
    out[:, 1:] = rows
    out[:, 1 + 2 * count :] -= rows[:, : -2 * count]
    return out


def _deflated(samples: Samples) -> bytes:
    """Return the filtered rows as a zlib stream, whose pieces are packed side by side (as in Adler's pigz).

    A few rows at a time, so that large pages take no more memory. The result is the same whatever the number
    of threads, and however many rows. Source: RFC 1950 and 1951.
    """
    height, width, count = samples.shape
    many = max(1, _ROWS // (width * count * samples.itemsize))
    check, left, packed = 1, b"", [b"\x78\x01"]
    with ThreadPoolExecutor() as pool:
        for first in range(0, height, many):
            rows = _filtered(samples, first, min(first + many, height)).tobytes()
            check = (isal_zlib or zlib).adler32(rows, check)
            left += rows
            is_last = first + many >= height
            # What fills no piece goes with the rows after; the last piece ends the stream.
            end = len(left) if is_last else len(left) // _PIECE * _PIECE
            pieces = [left[start : min(start + _PIECE, end)] for start in range(0, end, _PIECE)]
            packed += pool.map(
                _packed, pieces, [is_last and n + 1 == len(pieces) for n in range(len(pieces))]
            )
            left = left[end:]
    return b"".join([*packed, struct.pack(">I", check)])


def _packed(piece: bytes, last: bool) -> bytes:
    """Return a piece of a raw deflate stream, which ends at a whole byte, or with the stream."""
    library, level = (zlib, _ELSEWHERE) if isal_zlib is None else (isal_zlib, _QUICK)
    packer = library.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed: bytes = packer.compress(piece) + packer.flush(zlib.Z_FINISH if last else zlib.Z_SYNC_FLUSH)
    return packed
