"""Random changes to bytes: blind ones, and ones that know a format so far that its checksums stay right."""

from __future__ import annotations

import io
import json
import re
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    Change = Callable[[random.Random, bytes], bytes]

NUMBERS = (
    0,
    1,
    2,
    7,
    8,
    127,
    128,
    255,
    256,
    32767,
    32768,
    65535,
    65536,
    2**24,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**63,
    2**64 - 1,
)
TEXTS = (
    "", "x", "..", "../../evil", "/etc/passwd", "C:\\evil", "a\0b", "\ud800", "é漫🎨", "x" * 300, "x" * 70_000, "-1",
    "1e999", "nan", "#fff", "page 1.png", ".", "/", "a/", "\n", "'\"", "%s", "con", "~", "in", "default",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 3.5, -0.0, 1e308, float("inf"), float("nan"), 2**31, 2**63, 2**64, 10**400,
    [], {}, [[]], [1, 2, 3], [None], {"x": 1}, *TEXTS,
)  # fmt: skip


def blind(chance: random.Random, data: bytes) -> bytes:
    """Change some bytes anywhere."""
    found = bytearray(data)
    for _ in range(1 + int(chance.expovariate(0.6))):
        _BLIND[chance.randrange(len(_BLIND))](chance, found)
    return bytes(found)


def _flip(chance: random.Random, data: bytearray) -> None:
    if data:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _byte(chance: random.Random, data: bytearray) -> None:
    if data:
        data[chance.randrange(len(data))] = chance.choice((0, 1, 127, 128, 254, 255, chance.randrange(256)))


def _number(chance: random.Random, data: bytearray) -> None:
    width, order = chance.choice((2, 4, 4, 8)), chance.choice(("little", "big"))
    if len(data) > width:
        at = chance.randrange(len(data) - width)
        number = chance.choice((*NUMBERS, len(data), at, chance.getrandbits(8 * width)))
        data[at : at + width] = (number % 2 ** (8 * width)).to_bytes(width, order)


def _cut(chance: random.Random, data: bytearray) -> None:
    del data[chance.randrange(len(data) + 1) :]


def _delete(chance: random.Random, data: bytearray) -> None:
    at = chance.randrange(len(data) + 1)
    del data[at : at + int(chance.expovariate(0.05))]


def _double(chance: random.Random, data: bytearray) -> None:
    at = chance.randrange(len(data) + 1)
    data[at:at] = data[at : at + int(chance.expovariate(0.02))] * chance.choice((1, 1, 2, 50))


def _swap(chance: random.Random, data: bytearray) -> None:
    a, b, length = chance.randrange(len(data) + 1), chance.randrange(len(data) + 1), chance.randrange(1, 40)
    data[a : a + length], data[b : b + length] = data[b : b + length], data[a : a + length]


_BLIND = (_flip, _flip, _byte, _byte, _number, _number, _number, _cut, _delete, _double, _swap)


def decimals(chance: random.Random, data: bytes) -> bytes:
    """Write another number where decimal digits stand."""
    places = list(re.finditer(rb"-?\d+(\.\d+)?", data))
    if not places:
        return data
    found = chance.choice(places)
    number = str(chance.choice((*NUMBERS, -1, -(2**31), 10**30, 0.5, 1e300, "1e999", "9" * 400, "nan")))
    return data[: found.start()] + number.encode() + data[found.end() :]


def words(*known: str) -> Change:
    """Return a change that puts a known word somewhere, or in the place of another."""

    def change(chance: random.Random, data: bytes) -> bytes:
        word = chance.choice((*known, *TEXTS)).encode("utf-8", "surrogatepass")
        places = list(re.finditer(rb"[A-Za-z_][A-Za-z_0-9-]*", data))
        if places and chance.random() < 0.7:
            found = chance.choice(places)
            return data[: found.start()] + word + data[found.end() :]
        at = chance.randrange(len(data) + 1)
        return data[:at] + word + data[at:]

    return change


def lines(chance: random.Random, data: bytes) -> bytes:
    """Double, drop, move or join lines."""
    found = data.split(b"\n")
    at, other = chance.randrange(len(found)), chance.randrange(len(found))
    kind = chance.randrange(4)
    if kind == 0:
        found[at:at] = [found[other]] * chance.choice((1, 2, 3000))
    elif kind == 1:
        del found[at]
    elif kind == 2:
        found[at], found[other] = found[other], found[at]
    else:
        found[at] = found[at] * chance.choice((2, 1000))
    return b"\n".join(found)


def tree(chance: random.Random, data: bytes) -> bytes:
    """Change a value, key or depth of a JSON document; of one line, where there are several."""
    head, _, rest = data.partition(b"\n{") if chance.random() < 0.5 else (data, b"", b"")
    try:
        document = json.loads(head)
    except (ValueError, RecursionError):
        return data
    written = json.dumps(changed(chance, document), default=str)
    if chance.random() < 0.02:
        written = "[" * 100_000
    return written.replace("Infinity", chance.choice(("Infinity", "1e999"))).encode() + (
        b"\n{" + rest if rest else b""
    )


def changed(chance: random.Random, value: Any) -> Any:
    """Return a document with something changed in it."""
    odd = chance.choice(VALUES)
    if isinstance(value, dict) and value and chance.random() < 0.85:
        key = chance.choice(list(value))
        kind = chance.random()
        if kind < 0.1:
            return {name: item for name, item in value.items() if name != key}
        if kind < 0.2:
            return {**value, str(chance.choice(TEXTS)): odd}
        return {**value, key: changed(chance, value[key])}
    if isinstance(value, list) and value and chance.random() < 0.85:
        at = chance.randrange(len(value))
        if chance.random() < 0.1:
            return [*value, *[value[at]] * chance.choice((1, 3000))]
        return [*value[:at], changed(chance, value[at]), *value[at + 1 :]]
    if chance.random() < 0.01:
        return json.loads("[" * 900 + "]" * 900)
    return odd


def table(chance: random.Random, data: bytes) -> bytes:
    """Give a key of a TOML file another value."""
    found = data.split(b"\n")
    at = [number for number, line in enumerate(found) if b"=" in line]
    if not at:
        return data
    number = chance.choice(at)
    odd = chance.choice((*VALUES, "1979-05-27T07:32:00Z", "[" * 3000, "{" * 3000))
    written = odd if isinstance(odd, str) and odd[:1] in "1[{" else json.dumps(odd, default=str)
    found[number] = (
        found[number].lstrip(b"# ").split(b"=")[0] + b"= " + written.encode("utf-8", "surrogatepass")
    )
    return b"\n".join(found)


_CHUNKS = (
    b"iCCP", b"eXIf", b"tRNS", b"PLTE", b"acTL", b"fcTL", b"pHYs", b"zTXt", b"iTXt", b"gAMA", b"cHRM", b"sRGB",
)  # fmt: skip


def _chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """Return the kinds and contents of the chunks of a PNG file."""
    chunks, at = [], 8
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    return chunks


def png(chance: random.Random, data: bytes) -> bytes:
    """Change, double, drop or move a chunk of a PNG file, its checksum right."""
    chunks = _chunks(data)
    if not chunks:
        return data
    at = chance.randrange(len(chunks))
    kind, body = chunks[at]
    if chance.random() < 0.3 and kind == b"IDAT":
        try:
            body = zlib.compress(blind(chance, zlib.decompress(body)))
        except zlib.error:
            body = blind(chance, body)
    elif chance.random() < 0.7:
        body = blind(chance, body)
    elif chance.random() < 0.5:
        kind = chance.choice(_CHUNKS)
    chunks[at] = kind, body
    if chance.random() < 0.2:
        chunks.insert(chance.randrange(len(chunks)), chance.choice(chunks))
    if chance.random() < 0.1:
        del chunks[chance.randrange(len(chunks))]
    packed = [
        struct.pack(">I", len(chunk)) + what + chunk + struct.pack(">I", zlib.crc32(what + chunk))
        for what, chunk in chunks
    ]
    return data[:8] + b"".join(packed)


_TAR_FIELDS = (
    (0, 100),
    (100, 8),
    (108, 8),
    (124, 12),
    (124, 12),
    (136, 12),
    (156, 1),
    (156, 1),
    (157, 100),
    (257, 8),
    (345, 155),
    (386, 24),
    (483, 12),
)


def tar(chance: random.Random, data: bytes) -> bytes:
    """Change a field of a header of a TAR file, its checksum right."""
    found = bytearray(data)
    heads = [at for at in range(0, len(found) - 511, 512) if _is_head(found[at : at + 512])]
    if not heads:
        return data
    at = chance.choice(heads)
    start, length = chance.choice(_TAR_FIELDS)
    if length == 1:
        new = bytes([chance.choice(b"0123456789LKxgSVMDN\0\xff")])
    elif 8 <= length <= 12:
        number = chance.choice((*NUMBERS, 511, 512, len(data)))
        octal = f"{number:0{length - 1}o}".encode()[: length - 1] + b"\0"
        new = chance.choice(
            (
                octal,
                b"\x80" + (number % 2 ** (8 * length - 8)).to_bytes(length - 1, "big"),
                b"\xff" * length,
                b"-0000000001\0"[:length],
                b" " * length,
                chance.randbytes(length),
            )
        )
    else:
        new = chance.choice(
            (*(text.encode("utf-8", "surrogatepass") for text in TEXTS), chance.randbytes(length))
        )[:length]
    found[at + start : at + start + length] = new.ljust(length, b"\0")[:length]
    found[at + 148 : at + 156] = b" " * 8
    found[at + 148 : at + 156] = f"{sum(found[at : at + 512]):06o}\0 ".encode()
    return bytes(found)


def _is_head(block: bytes | bytearray) -> bool:
    try:
        checksum = int(bytes(block[148:156]).strip(b"\0 ") or b"x", 8)
    except ValueError:
        return False
    return checksum == sum(block[:148]) + 256 + sum(block[156:])


def zip_parts(inner: Change) -> Change:
    """Return a change of a ZIP file's entries: names, sizes, methods, or content by ``inner``; the rest is right."""

    def change(chance: random.Random, data: bytes) -> bytes:
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                entries = [
                    (entry.filename, archive.read(entry), entry.compress_type) for entry in archive.infolist()
                ]
        except Exception:  # what is not a ZIP any more stays as it is
            return data
        if not entries:
            return data
        at = chance.randrange(len(entries))
        name, content, method = entries[at]
        kind = chance.random()
        if kind < 0.5:
            content = inner(chance, content)
        elif kind < 0.7:
            name = chance.choice((*TEXTS, name + "/", entries[0][0], name + ".cbz"))
        elif kind < 0.8:
            entries[at:at] = [entries[at]] * chance.choice((1, 2, 200))
        entries[at] = name, content, method
        return _zipped(chance, entries, lies=kind > 0.8)

    return change


def _zipped(chance: random.Random, entries: list[tuple[str, bytes, int]], *, lies: bool) -> bytes:
    file, directory = io.BytesIO(), b""
    liar = chance.randrange(len(entries)) if lies else -1
    for number, (name, content, method) in enumerate(entries):
        raw = name.encode("utf-8", "surrogatepass")[:65000]
        packed = zlib.compress(content)[2:-4] if method == zipfile.ZIP_DEFLATED else content
        # version, flags, method, time, date, checksum, packed, size
        head = [
            20,
            0x800,
            method if method == zipfile.ZIP_DEFLATED else 0,
            0,
            0x5821,
            zlib.crc32(content),
            len(packed),
            len(content),
        ]
        if number == liar:
            at = chance.randrange(len(head))
            head[at] = chance.choice((*NUMBERS, 8, 9, 12, 14, 93, 95, 99)) % (2**16 if at < 5 else 2**32)
        extra = (
            chance.choice((b"", b"\x75\x70\x09\0\x01\0\0\0\0evil", b"\x01\0\x10\0" + b"\xff" * 16, b"\x01\0"))
            if number == liar
            else b""
        )
        at = file.tell()
        file.write(struct.pack("<I5H3I2H", 0x04034B50, *head, len(raw), len(extra)) + raw + extra + packed)
        directory += (
            struct.pack("<I6H3I5H2I", 0x02014B50, 20, *head, len(raw), len(extra), 0, 0, 0, 0, at)
            + raw
            + extra
        )
    at, count = file.tell(), min(len(entries), 65535)
    return (
        file.getvalue()
        + directory
        + struct.pack("<I4H2IH", 0x06054B50, 0, 0, count, count, len(directory), at, 0)
    )


def safetensors(chance: random.Random, data: bytes) -> bytes:
    """Change the header of a safetensors file, or the JSON within it, the length right."""
    length = int.from_bytes(data[:8], "little")
    try:
        header = json.loads(data[8 : 8 + length])
        inner = {name: json.loads(text) for name, text in header.get("__metadata__", {}).items()}
        if inner and chance.random() < 0.6:
            name = chance.choice(list(inner))
            header["__metadata__"][name] = json.dumps(changed(chance, inner[name]), default=str)
        else:
            header = changed(chance, header)
        text = json.dumps(header, default=str).encode()
    except (ValueError, AttributeError, TypeError, RecursionError):
        return blind(chance, data)
    return len(text).to_bytes(8, "little") + text + data[8 + length :]


_TAGS = (254, 257, 258, 259, 262, 273, 277, 278, 279, 317, 338, 5, 7, 32773, 8)  # and compressions


def tiff(chance: random.Random, data: bytes) -> bytes:
    """Change an entry of a directory of a TIFF file."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None or len(data) < 8:
        return data
    found, places = bytearray(data), _tiff_entries(data, order)
    if places:
        entry = chance.choice(places)
        offset, form = chance.choice(((0, "H"), (2, "H"), (4, "I"), (8, "I"), (8, "H"), (8, "H")))
        most = 2**16 if form == "H" else 2**32
        number = chance.choice((*NUMBERS, *range(1, 20), *_TAGS, len(data)))
        struct.pack_into(f"{order}{form}", found, entry + offset, number % most)
    return bytes(found)


def _tiff_entries(data: bytes, order: str) -> list[int]:
    """Return where the entries of the first directories of a TIFF file lie."""
    places: list[int] = []
    (at,) = struct.unpack_from(f"{order}I", data, 4)
    for _ in range(4):
        if not 0 < at < len(data) - 6:
            break
        (count,) = struct.unpack_from(f"{order}H", data, at)
        places += [at + 2 + 12 * number for number in range(min(count, 64))]
        following = at + 2 + 12 * count
        if following + 4 > len(data):
            break
        (at,) = struct.unpack_from(f"{order}I", data, following)
        places.append(following - 8)
    return [place for place in places if 0 <= place <= len(data) - 12]


def pdf(chance: random.Random, data: bytes) -> bytes:
    """Change what a compressed stream of a PDF holds."""
    places = list(re.finditer(rb"stream\r?\n(.*?)\r?\nendstream", data, re.DOTALL))
    if not places:
        return data
    found = chance.choice(places)
    try:
        content = zlib.compress(chance.choice((blind, decimals, lines))(chance, zlib.decompress(found[1])))
    except zlib.error:
        content = chance.choice((blind, decimals, lines))(chance, found[1])
    return data[: found.start(1)] + content + data[found.end(1) :]


def gzipped(inner: Change, pack: Callable[[bytes], bytes], unpack: Callable[[bytes], bytes]) -> Change:
    """Return a change within packed bytes."""

    def change(chance: random.Random, data: bytes) -> bytes:
        try:
            return pack(inner(chance, unpack(data)))
        except Exception:  # what is damaged stays as it is
            return data

    return change
