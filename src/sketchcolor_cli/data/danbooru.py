"""Choosing pictures by Danbooru's metadata: a line of JSON for each, read as a stream.

Nothing is kept of a record but a count, so millions take no more memory than a few.
"""

from __future__ import annotations

import gzip
import json
import lzma
import zlib
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from sketchcolor_cli.errors import DataError
from sketchcolor_cli.files.atomic import atomic_write, write_error
from sketchcolor_cli.files.regular import parse_document, read_bytes, refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

DEFAULT_RULES = Path(__file__).with_name("danbooru.toml")
"""The rules of the thesis, in a file to be copied and edited."""

KEPT, FILES, COUNTS = "kept.txt", "files.txt", "counts.json"
_LONGEST = 2**24  # bytes of a line; records have some thousands
_EVERY = 10_000  # records after which progress is told
_KEYS = {"ratings", "aspect", "longer_side", "forbidden", "require"}


@dataclass(frozen=True)
class Required:
    """A set of tags of which a picture must have one."""

    tags: frozenset[str]
    only_one: bool = False


@dataclass(frozen=True)
class Rules:
    """Which pictures are kept; see danbooru.toml, the home of the thesis's values."""

    ratings: frozenset[str]
    aspect: tuple[float, float]
    longer_side: int
    forbidden: frozenset[str]
    require: Mapping[str, Required]

    def broken(self, record: Mapping[str, Any]) -> list[str]:
        """Return the names of the rules that a record breaks.

        Raises:
            KeyError, TypeError, ValueError: the record is not one of Danbooru's.
        """
        tags = _tags(record)
        width, height = int(record["image_width"]), int(record["image_height"])
        found = []
        if record["rating"] not in self.ratings:
            found.append("rating")
        if height < 1 or not self.aspect[0] <= width / height <= self.aspect[1]:
            found.append("aspect")
        if max(width, height) < self.longer_side:
            found.append("longer_side")
        found += [f"forbidden {tag}" for tag in sorted(tags & self.forbidden)]
        for name, required in self.require.items():
            count = len(tags & required.tags)
            if count == 0 or (required.only_one and count > 1):
                found.append(f"require {name}")
        return found


def _tags(record: Mapping[str, Any]) -> set[str]:
    """Return a record's tags: a list of objects, as in Danbooru2020, or a text, as in the site's dumps."""
    if "tags" in record:
        return {str(tag["name"]) for tag in record["tags"]}
    return set(str(record["tag_string"]).split())


@dataclass
class FilterResult:
    """What became of the records.

    Attributes:
        records: How many there were.
        kept: How many were kept.
        dropped: By rule, how many records break it; a record may break several.
        first: By rule, how many records it is the first to drop; these sum up.
        unreadable: Lines that are not records.
    """

    records: int = 0
    kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    first: Counter[str] = field(default_factory=Counter)
    unreadable: int = 0

    def to_json(self) -> dict[str, Any]:
        """Put the result into plain types for json.dumps."""
        return {
            "records": self.records,
            "kept": self.kept,
            "dropped": dict(self.dropped.most_common()),
            "dropped_first": dict(self.first.most_common()),
            "unreadable": self.unreadable,
        }


def read_rules(path: Path) -> Rules:
    """Read rules from a TOML file.

    Raises:
        DataError: it is missing, no TOML, or has keys or values that make no sense.
    """
    found = parse_document(read_bytes(path), str(path), toml=True)
    unknown = found.keys() - _KEYS
    if unknown:
        raise DataError(f"{path}: unknown rule {min(unknown)}; valid rules: {', '.join(sorted(_KEYS))}")
    try:
        least, most = found.get("aspect", (0, float("inf")))
        require = {name: _required(rule) for name, rule in found.get("require", {}).items()}
        return Rules(
            ratings=_words(found["ratings"]),
            aspect=(float(least), float(most)),
            longer_side=int(found.get("longer_side", 0)),
            forbidden=_words(found.get("forbidden", [])),
            require=require,
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise DataError(f"{path}: a rule is missing or has a value of another kind ({error!r})") from error


def _required(rule: dict[str, Any]) -> Required:
    if unknown := rule.keys() - {"tags", "only_one"}:
        raise ValueError(f"unknown key {min(unknown)}")
    return Required(_words(rule["tags"]), bool(rule.get("only_one", False)))


def _words(value: Any) -> frozenset[str]:
    """Return the words of a list; a text alone would be taken for its letters."""
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is not a list")
    return frozenset(value)


def filter_danbooru(
    metadata: Sequence[Path],
    rules: Rules,
    output: Path,
    *,
    report: Callable[[int, int], None] = lambda _records, _kept: None,
) -> FilterResult:
    """Read metadata (JSON lines, also .gz and .xz) and write kept.txt, files.txt and counts.json.

    ``kept.txt`` has the ids, ``files.txt`` the pictures' places in the mirror of 512 pixels
    (``512px/NNNN/ID.jpg``). ``report`` is told how many records were read and kept.

    Raises:
        DataError: a file is missing or damaged, or the results cannot be written.
    """
    result = FilterResult()
    try:
        with ExitStack() as stack:  # all are written before one gets its name
            kept, places, counts = (
                stack.enter_context(atomic_write(output / name)) for name in (KEPT, FILES, COUNTS)
            )
            with kept.open("w", encoding="utf-8") as ids, places.open("w", encoding="utf-8") as files:
                for path in metadata:
                    for line in _lines(path):
                        _take(line, rules, result, ids, files)
                        if result.records % _EVERY == 0:
                            report(result.records, result.kept)
            counts.write_text(json.dumps(result.to_json(), indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise write_error(output, error, DataError) from error
    report(result.records, result.kept)
    return result


def _take(line: bytes, rules: Rules, result: FilterResult, ids: IO[str], files: IO[str]) -> None:
    if not line.strip():
        return
    result.records += 1
    try:
        record = json.loads(line)
        number = int(record["id"])
        broken = rules.broken(record)
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        result.unreadable += 1
        return
    if broken:
        result.first[broken[0]] += 1
        result.dropped.update(broken)
        return
    result.kept += 1
    ids.write(f"{number}\n")
    files.write(f"512px/{number % 1000:04d}/{number}.jpg\n")


def _lines(path: Path) -> Iterator[bytes]:
    try:
        if (why := refusal(path)) is not None:
            raise DataError(f"{path}: {why}")
        with path.open("rb") as raw, _unpacked(raw, path.suffix.lower()) as file:
            while line := file.readline(_LONGEST):
                if len(line) == _LONGEST:
                    raise DataError(f"{path}: has a line of over {_LONGEST >> 20} MiB; records have one each")
                yield line
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file; check the name") from error
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read to its end ({error}); fetch it again") from error


def _unpacked(raw: IO[bytes], suffix: str) -> Any:
    if suffix == ".xz":
        return lzma.open(raw)
    return gzip.open(raw) if suffix == ".gz" else raw
