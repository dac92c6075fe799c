"""Packing pictures into shards: each decoded once, resized, or dropped if it is of no use.

The result is shards ``data-NNNNNN.tar``, ``manifest.csv`` with a line for each picture in them,
``dropped.csv`` with a line and a reason for each that is not, and ``settings.json``. A shard stands whole
before the tables name it, so a run that is stopped at any moment goes on with ``resume`` to the same shards.
"""

from __future__ import annotations

import csv
import io
import json
import tarfile
from collections import Counter
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import PurePosixPath
from sys import intern
from typing import TYPE_CHECKING, Any

import cv2

from sketchcolor_cli.data.folder import PictureFile, list_files, without_ending
from sketchcolor_cli.data.likeness import Print, Prints, print_of
from sketchcolor_cli.data.pictures import to_bytes
from sketchcolor_cli.errors import DataError, ImageError
from sketchcolor_cli.files import webdataset
from sketchcolor_cli.files.atomic import write_bytes
from sketchcolor_cli.files.regular import read_bytes, refusal
from sketchcolor_cli.imaging.picture import on_paper, to_tensor
from sketchcolor_cli.imaging.resize import fitted
from sketchcolor_cli.imaging.writing import LONGEST_SIDE
from sketchcolor_cli.metrics.pictures import colorfulness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import TextIO

    import numpy as np
    from numpy.typing import NDArray

    from sketchcolor_cli.compute.executor import Executor
    from sketchcolor_cli.data.settings import PrepareSettings

MANIFEST, DROPPED, SETTINGS = "manifest.csv", "dropped.csv", "settings.json"
_MANIFEST = (
    "key",
    "shard",
    "file",
    "group",
    "width",
    "height",
    "line",
    "colorfulness",
    "licence",
    "author",
    "source",
)
_PRINT = "print"
_TOLD = "licence", "author", "source", "group", "line"
"""Columns of a table of attributions that are kept."""
BROKEN = "broken"
"""The reason of pictures that cannot be read."""
_DROPPED = ("file", "reason", "detail")


@dataclass(frozen=True)
class Source:
    """A picture to be packed: its file, its name without ending within the source, and its line drawing."""

    file: PictureFile
    name: str
    line: PictureFile | None = None

    def __str__(self) -> str:
        return str(self.file.path)


@dataclass(frozen=True, eq=False)
class _Ready:
    """A picture that is of use, ready to be packed; or the reason why it is not."""

    color: bytes = b""
    line: bytes | None = None
    width: int = 0
    height: int = 0
    colorfulness: float = 0.0
    print_: Print | None = None
    reason: str = ""
    detail: str = ""


@dataclass
class Prepared:
    """What became of the pictures.

    Attributes:
        packed: How many were packed.
        shards: Into how many shards.
        dropped: How many were dropped, by reason.
        broken: Those that cannot be read: file, and why.
        excluded: How many were left out by name.
        left_out: How many files of each ending are not read.
    """

    packed: int = 0
    shards: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    broken: list[tuple[str, str]] = field(default_factory=list)
    excluded: int = 0
    left_out: dict[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Put the counts into plain types for json.dumps."""
        names = ("packed", "shards", "dropped", "excluded", "left_out")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Sources:
    """The pictures to be packed.

    Attributes:
        pictures: The pictures.
        excluded: How many were left out by name.
        left_out: How many files of each ending are not read.
    """

    pictures: list[Source]
    excluded: int = 0
    left_out: dict[str, int] = field(default_factory=dict)


def find_sources(
    inputs: Sequence[Path], output: Path, *, lines: Path | None = None, exclude: Iterable[str] = ()
) -> Sources:
    """List the pictures to be packed, pages of books included.

    Args:
        inputs: Files and folders.
        output: The folder for the shards, which does not count.
        lines: A folder with line drawings of the same places, for some or all.
        exclude: Names, with or without ending, or keys in shards, that are left out.

    Raises:
        DataError: Every picture is left out.
        WorklistError: There is no such file or folder, or no picture.
    """
    drawn = list_files([lines], output).files if lines else {}
    by_name = {without_ending(place): file for place, file in drawn.items()}
    left_out = {line.strip() for line in exclude} - {""}
    listing = list_files(inputs, output)
    found = []
    for place, file in listing.files.items():
        name = without_ending(place)
        if not left_out & {name, place, _key(name)}:
            found.append(Source(file, name, by_name.get(name)))
    if not found:
        raise DataError("every picture is excluded; there is nothing to pack")
    return Sources(found, len(listing.files) - len(found), listing.left_out)


@dataclass(frozen=True)
class Attribution:
    """What is recorded of where pictures are from.

    Attributes:
        licence: Of all pictures of which nothing else is said.
        pictures: What :func:`read_attribution` returns.
    """

    licence: str = ""
    pictures: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def of(self, name: str) -> dict[str, str]:
        """Return licence, author, source, group and line of a picture, where they are known."""
        return {"licence": self.licence, **self.pictures.get(name, {})}


def read_attribution(path: Path) -> dict[str, dict[str, str]]:
    """Read a CSV with a column ``file`` or ``key``, and any of licence, author, source, group, line.

    Raises:
        DataError: it is missing, no CSV, lacks the column, or a line has more values than there are columns.
    """
    try:
        if (why := refusal(path)) is not None:
            raise DataError(f"{path}: {why}")
        with path.open(newline="", encoding="utf-8-sig") as file:
            found = {
                without_ending(name): facts for name, facts in _facts(path, file) if PurePosixPath(name).name
            }
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read as CSV ({error})") from error
    if not found:
        raise DataError(f"{path}: has no column file or key, or no rows")
    return found


def _facts(path: Path, file: TextIO) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the name of each picture in a table of attributions, and what is told of it."""
    for row in _lines(path, file):
        if not {"file", "key"} & row.keys():
            return
        told = {column: intern(row[column]) for column in _TOLD if row.get(column) is not None}
        yield row.get("file") or row.get("key") or "", told


def _lines(path: Path, file: TextIO) -> Iterator[dict[str, str]]:
    """Yield the lines of a table, each with what stands in its columns; a line may end early.

    Raises:
        DataError: a line has more values than there are columns.
        csv.Error: it is no CSV.
    """
    reader = csv.DictReader(file)
    for row in reader:
        if None in row:
            where = f"{path}: line {reader.line_num}"
            raise DataError(f"{where} has more values than there are columns; quote values with commas")
        yield row


def prepare(
    sources: Sources,
    output: Path,
    settings: PrepareSettings,
    *,
    attribution: Attribution = Attribution(),
    resume: bool = False,
    executor: Executor,
    report: Callable[[int, int], None] = lambda _done, _total: None,
) -> Prepared:
    """Pack pictures into shards in ``output``; ``report`` is told how many of how many are done.

    The executor decodes and encodes. Duplicates are found, keys given and shards written here, in the order
    of the pictures; so shards are the same wherever a picture was read.

    Raises:
        DataError: the folder has shards already and ``resume`` is off, or has those of other settings; or
            nothing can be written.
    """
    state = _State(output, settings, resume=resume)
    total = len(sources.pictures)
    waiting = [source for source in sources.pictures if str(source.file.path) not in state.seen]
    read = executor.map(partial(_reader, settings), waiting)
    before = total - len(waiting)
    for done, (source, ready) in enumerate(zip(waiting, read, strict=True), start=before + 1):
        state.take(source, ready, attribution.of(source.name))
        report(done, total)
    state.write()
    return state.outcome(sources)


def _reader(settings: PrepareSettings) -> Callable[[Source], _Ready]:
    return partial(_read, settings=settings)


def _read(source: Source, settings: PrepareSettings) -> _Ready:
    """Decode one picture, and encode it as it shall be packed."""
    try:
        rgb = on_paper(source.file.read())
        line = on_paper(source.line.read())[..., 1] if source.line else None
    except ImageError as error:
        return _Ready(reason=BROKEN, detail=str(error))
    height, width = rgb.shape[:2]
    if min(height, width) < settings.min_side:
        return _Ready(reason="tiny", detail=f"{width}×{height}")
    rgb = fitted(rgb, settings.short_side)
    if max(rgb.shape[:2]) > LONGEST_SIDE["WEBP"]:
        return _Ready(reason="long", detail=f"{width}×{height}")
    colors = float(colorfulness(to_tensor(rgb)))
    if colors < settings.min_colorfulness:
        return _Ready(reason="grey", detail=f"colourfulness {colors:.1f}")
    samples = to_bytes(rgb)
    if line is not None:
        line = cv2.resize(line, samples.shape[1::-1], interpolation=cv2.INTER_AREA)
    return _Ready(
        color=_webp(cv2.cvtColor(samples, cv2.COLOR_RGB2BGR), settings.quality),
        line=None if line is None else _webp(to_bytes(line), settings.quality),
        width=samples.shape[1],
        height=samples.shape[0],
        colorfulness=colors,
        print_=print_of(samples),
    )


def _judge(prints: Prints, source: Source, ready: _Ready) -> _Ready:
    """Drop a picture that is like one before, else remember it. Called in order, so results do not vary."""
    if ready.print_ is None:
        return ready
    like = prints.like(ready.print_)
    if like is not None:
        return _Ready(reason="duplicate", detail=like)
    prints.add(ready.print_, str(source.file.path))
    return ready


def _sample(
    source: Source, ready: _Ready, attribution: Mapping[str, str], key: str
) -> tuple[dict[str, Any], dict[str, bytes]]:
    folder = str(PurePosixPath(source.name).parent) if "/" in source.name else ""
    line = attribution.get("line") or ("artist" if ready.line else None)
    facts = {
        "source": attribution.get("source", ""),
        "group": attribution.get("group") or folder,
        "author": attribution.get("author", ""),
        "licence": attribution.get("licence", ""),
        "width": ready.width,
        "height": ready.height,
        "line": line if ready.line else None,
    }
    files = {"color.webp": ready.color}
    if ready.line is not None:
        files["line.webp"] = ready.line
    text = json.dumps(facts, ensure_ascii=False, sort_keys=True)
    files["json"] = text.encode(
        errors="backslashreplace"
    )  # as JSON writes the bytes of names that are not UTF-8
    row = {
        **facts,
        "key": key,
        "file": str(source.file.path),
        "line": facts["line"] or "",
        "colorfulness": f"{ready.colorfulness:.2f}",
        _PRINT: str(ready.print_),
    }
    return row, files


class _State:
    """What is in the output folder, and the samples that wait for the next shard to be full."""

    def __init__(self, output: Path, settings: PrepareSettings, *, resume: bool) -> None:
        self.output = output
        self.shard_size = settings.shard_size
        self._waiting: list[tuple[dict[str, Any], dict[str, bytes]]] = []
        self.manifest = _rows(output / MANIFEST, (*_MANIFEST, _PRINT))
        self.dropped = _rows(output / DROPPED, _DROPPED)
        self.prints = Prints(settings.duplicate_bits, settings.duplicate_color)
        plain = json.dumps(asdict(settings), indent=1, sort_keys=True) + "\n"
        self._check(plain, resume=resume)
        self.count = len({row["shard"] for row in self.manifest})
        self.seen = {row["file"] for row in [*self.manifest, *self.dropped]}
        self._keys = {row["key"] for row in self.manifest}
        for row in self.manifest:
            try:
                self.prints.add(Print.parse(row[_PRINT]), row["file"])
            except ValueError as error:
                raise DataError(f"{output / MANIFEST}: is damaged; pack into an empty folder") from error

    def _check(self, plain: str, *, resume: bool) -> None:
        path = self.output / SETTINGS
        if path.is_file():
            if not resume:
                raise DataError(
                    f"{self.output}: has shards already; go on with --resume, or name another folder"
                )
            if read_bytes(path) != plain.encode():
                raise DataError(f"{self.output}: was begun with other settings, in {path}; use the same")
        else:
            _write(path, plain.encode())

    def key_for(self, name: str) -> str:
        """Return the key of a picture: its name without dots and folders, made unlike all others."""
        key = base = _key(name)
        number = 2
        while key in self._keys:
            key, number = f"{base}-{number}", number + 1
        self._keys.add(key)
        return key

    def take(self, source: Source, ready: _Ready, attribution: Mapping[str, str]) -> None:
        """Take in a picture, or the reason why it is dropped; write a shard when it is full."""
        kept = _judge(self.prints, source, ready)
        if kept.reason:
            dropped = {"file": str(source.file.path), "reason": kept.reason, "detail": kept.detail}
            self.dropped.append(dropped)
        else:
            self._waiting.append(_sample(source, kept, attribution, self.key_for(source.name)))
        if len(self._waiting) == self.shard_size:
            self.write()

    def outcome(self, sources: Sources) -> Prepared:
        """Return what became of the pictures."""
        reasons = Counter(row["reason"] for row in self.dropped)
        broken = [(row["file"], row["detail"]) for row in self.dropped if row["reason"] == BROKEN]
        return Prepared(
            len(self.manifest), self.count, dict(reasons), broken, sources.excluded, sources.left_out
        )

    def write(self) -> None:
        """Write a shard of what waits, if there is anything, and then the tables."""
        samples, self._waiting = self._waiting, []
        if samples:
            name = f"data-{self.count:06d}.tar"
            buffer = io.BytesIO()
            with tarfile.open(fileobj=buffer, mode="w") as shard:
                for row, files in samples:
                    webdataset.append_sample(shard, row["key"], files)
            _write(self.output / name, buffer.getvalue())
            self.manifest += [{**row, "shard": name} for row, _ in samples]
            self.count += 1
        _write(self.output / DROPPED, _table(self.dropped, _DROPPED))
        _write(self.output / MANIFEST, _table(self.manifest, (*_MANIFEST, _PRINT)))


def _key(name: str) -> str:
    """Return the name as a key, in which dots and folders would have a meaning."""
    return name.replace("/", "-").replace(".", "_")


def _webp(samples: NDArray[np.uint8], quality: int) -> bytes:
    done, data = cv2.imencode(".webp", samples, [cv2.IMWRITE_WEBP_QUALITY, quality])
    if not done:
        raise DataError(f"a picture of {samples.shape[1]}×{samples.shape[0]} cannot be written as WebP")
    return data.tobytes()


def _rows(path: Path, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Return the lines of a table that a run before wrote; none where there was none."""
    if not path.is_file():
        return []
    rows = []
    try:
        with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
            for row in _lines(path, file):
                if any(row.get(column) is None for column in columns):
                    raise DataError(f"{path}: is damaged; pack into an empty folder")
                rows.append(row)
    except (OSError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read ({error}); pack into an empty folder") from error
    return rows


def _table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("utf-8", "surrogateescape")


def _write(path: Path, data: bytes) -> None:
    write_bytes(path, data, DataError)
