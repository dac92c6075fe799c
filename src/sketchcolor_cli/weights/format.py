"""A file of the store: safetensors, with a record in its header of what it is and where it came from.

The record stands as JSON under the header's metadata key ``sketchcolor_weights``. Reading it, and comparing
the tensors with their digest, needs the standard library alone.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from sketchcolor_cli.errors import WeightError
from sketchcolor_cli.files.atomic import atomic_write

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

FORMAT = 1
"""Version of the record that this program writes, and the newest that it reads."""

SUFFIX = ".safetensors"

_KEY = "sketchcolor_weights"
_MOST_HEADER = 100_000_000  # bytes; what safetensors itself allows
_PIECE = 1 << 20


@dataclass(frozen=True)
class Record:
    """What a stored file says of itself.

    Attributes:
        name: The weights' name.
        licence: The licence that was shown when they came.
        file: Name of the published file, or of the user's own, that they were read from.
        checksums: That file's checksums, such as ``sha256:ab…``.
        verified: Whether one of them was that of a published file.
        origin: The URL or wheel it came from, or "a file of the user".
        digest: SHA-256 of the tensors as stored: names, types, shapes and numbers.
    """

    name: str
    licence: str
    file: str
    checksums: tuple[str, ...]
    verified: bool
    origin: str
    digest: str = ""


class Packed(NamedTuple):
    """A tensor as it is stored: its type in safetensors' words, such as ``F32``, its shape, and its bytes."""

    kind: str
    shape: tuple[int, ...]
    numbers: memoryview


def write_weights(path: Path, tensors: Mapping[str, Packed], record: Record) -> Record:
    """Write tensors with a record as a safetensors file, whole or not at all.

    Returns:
        The record with the digest filled in.

    Raises:
        WeightError: The file cannot be written.
    """
    # The widest numbers first, and so all of them aligned.
    ordered = sorted(tensors, key=lambda name: (-tensors[name].numbers.itemsize, name))
    entries: dict[str, Any] = {}
    end = 0
    for name in ordered:
        kind, shape, numbers = tensors[name]
        begin, end = end, end + numbers.nbytes
        entries[name] = {"dtype": kind, "shape": shape, "data_offsets": [begin, end]}
    pieces = [tensors[name].numbers for name in ordered]
    described = replace(record, digest=_digest(entries, pieces))
    text = json.dumps({"format": FORMAT, **asdict(described)}, ensure_ascii=False, sort_keys=True)
    header = json.dumps({"__metadata__": {_KEY: text}, **entries}, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    advice = "choose a writable folder with SKETCHCOLOR_WEIGHTS"
    with atomic_write(path, WeightError, advice=advice) as temporary, temporary.open("xb") as file:
        file.write(len(header).to_bytes(8, "little"))
        file.write(header)
        for piece in pieces:
            file.write(piece)
    return described


def read_record(path: Path) -> Record:
    """Return the record of a stored file; its numbers are not looked at, but all of them are there.

    Raises:
        WeightError: The file is missing, cut off, foreign, or newer than this program.
    """
    return _read(path)[0]


def check_digest(path: Path) -> Record:
    """Return the record of a stored file after comparing all its tensors with the digest in it.

    Raises:
        WeightError: As for read_record, or the tensors are not those that were stored.
    """
    record, entries, begin = _read(path)
    try:
        with path.open("rb") as file:
            file.seek(begin)
            digest = _digest(entries, iter(lambda: file.read(_PIECE), b""))
    except OSError as error:
        raise _unreadable(path, error) from error
    if digest != record.digest:
        raise WeightError(f"{path}: damaged, its numbers are not those that were stored")
    return record


def _read(path: Path) -> tuple[Record, dict[str, Any], int]:
    """Return the record, the header without metadata, and where the numbers begin."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(min(length, _MOST_HEADER, size)))
        metadata = header.pop("__metadata__", {})
        end = 8 + length + max((entry["data_offsets"][1] for entry in header.values()), default=0)
    except FileNotFoundError as error:
        raise WeightError(f"{path}: no such file") from error
    except OSError as error:
        raise _unreadable(path, error) from error
    except (ValueError, AttributeError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise WeightError(f"{path}: damaged, or not written by sketchcolor") from error
    if size != end:
        raise WeightError(f"{path}: damaged, it has {size} bytes instead of {end}")
    return _parse(path, metadata), header, 8 + length


def _unreadable(path: Path, error: OSError) -> WeightError:
    return WeightError(f"{path}: cannot be read ({error.strerror}); check its permissions and the disk")


def _parse(path: Path, metadata: dict[str, str]) -> Record:
    if not isinstance(metadata, dict) or _KEY not in metadata:
        raise WeightError(f"{path}: not written by sketchcolor; import it instead of copying it there")
    try:
        values = json.loads(metadata[_KEY])
        version = values.pop("format")
        if version > FORMAT:
            raise WeightError(f"{path}: its format {version} is newer than this program's {FORMAT}; update")
        return Record(**values | {"checksums": tuple(values["checksums"])})
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise WeightError(f"{path}: damaged, its record makes no sense") from error


def _digest(entries: dict[str, Any], numbers: Iterable[bytes | memoryview]) -> str:
    digest = hashlib.sha256(json.dumps(entries, sort_keys=True, separators=(",", ":")).encode())
    for piece in numbers:
        digest.update(piece)
    return digest.hexdigest()
