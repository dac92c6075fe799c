"""The account that a run keeps beside its results: one line of JSON for each that is finished.

It lies in a hidden folder of the output. One line says that a result is about to be written, another
that it has been, so what the journal says is true whatever ends a run. A line that was cut off is passed
over.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import IO, TYPE_CHECKING, Any, Self

from filelock import FileLock, Timeout

from sketchcolor_cli.errors import DiskFullError, WorklistError
from sketchcolor_cli.files.atomic import write_error
from sketchcolor_cli.files.settings import Shard

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = ".sketchcolor"
"""Name of the hidden folder."""
STAGING = "books"
"""Name of the folder in it in which the pages of books gather until they are bound."""
BEGUN = -1
"""Stands for the size of a result that was not finished when its record was written."""


@dataclass(frozen=True)
class Record:
    """One finished result.

    Attributes:
        target: Its place below the output folder.
        source: What it was made of, as the user named it.
        content: SHA-256 of the source.
        size: Bytes of the source.
        changed: When it was last changed, in nanoseconds. While this and its size stay, it is not read again.
        settings: Fingerprint of all else that it depends on.
        bytes: Size of the result; BEGUN where it was about to be written.
        failed: Pages of a book that were copied as they are, each with the reason.
        again: Whether the reasons may pass, so that these pages are tried again.
        partial: What of a book stays as it is, as animations do, in a line each.
        around: Pictures in the source's folder that it was made of, too, as slices of one strip are: name,
            SHA-256, bytes, and last change.
    """

    target: str
    source: str
    content: str
    size: int
    changed: int
    settings: str
    bytes: int
    failed: list[tuple[str, str]] = field(default_factory=list)
    again: bool = False
    partial: list[str] = field(default_factory=list)
    around: list[tuple[str, str, int, int]] = field(default_factory=list)


class Journal:
    """The journal of an output folder; nothing is written until it is begun."""

    def __init__(self, output: Path, shard: Shard | None = None) -> None:
        """Read what earlier runs and other shards wrote.

        Args:
            output: The folder for the results.
            shard: Which of several runs this is; each writes a file of its own.
        """
        self.folder = output / FOLDER
        shard = shard or Shard()
        name = "journal" if shard.count == 1 else f"journal-{shard.number}-of-{shard.count}"
        self._path = self.folder / f"{name}.jsonl"
        self._lock = threading.Lock()  # of this run's threads
        self._claim = FileLock(self._path.with_suffix(".lock"), thread_local=False)  # against other runs
        self._file: IO[bytes] | None = None
        self._records = self._read()

    def begin(self) -> None:
        """Write from now on.

        Raises:
            WorklistError: another run is writing to the same journal, or it cannot be written.
        """
        self._file = self._file or self._opened()

    def find(self, target: str) -> Record | None:
        """Return the last record of a result."""
        return self._records.get(target)

    def add(self, record: Record) -> None:
        """Write a record, once it is begun; any thread may call it.

        Raises:
            DiskFullError: it cannot be written.
        """
        line = json.dumps(asdict(record), ensure_ascii=False).encode(errors="surrogateescape") + b"\n"
        with self._lock:
            self._records[record.target] = record
            if self._file is None:
                return
            try:
                os.write(self._file.fileno(), line)  # one call, so that the line is whole or the last one
            except OSError as error:
                raise DiskFullError(f"{self._path}: cannot be written ({error.strerror})") from error

    def clear_staging(self) -> None:
        """Throw away pages of books that were never bound, as with settings that were changed since."""
        shutil.rmtree(self.folder / STAGING, ignore_errors=True)

    def close(self) -> None:
        """Let other runs write."""
        if self._file is not None:
            self._file.close()
            self._file = None
            self._claim.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _opened(self) -> IO[bytes]:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            file = self._path.open("ab+")
        except OSError as error:
            raise write_error(self._path, error, WorklistError) from error
        try:
            self._claim.acquire(timeout=0)
        except Timeout as error:
            file.close()
            raise WorklistError(
                f"{self._path}: another run is writing to this folder; wait until it ends, or give "
                "each its own --shard"
            ) from error
        except (OSError, NotImplementedError):  # a file system without locks
            pass
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":  # cut off when a run was killed
                os.write(file.fileno(), b"\n")
        return file

    def _read(self) -> dict[str, Record]:
        records = {}
        for path in sorted(self.folder.glob("journal*.jsonl"), key=_age):
            with suppress(OSError), path.open("rb") as file:
                for line in file:  # never whole: it grows by each run
                    if record := _record(line):
                        records[record.target] = record
        return records


def _age(path: Path) -> int:
    return path.stat().st_mtime_ns


def _record(line: bytes) -> Record | None:
    try:
        plain: dict[str, Any] = json.loads(line.decode(errors="surrogateescape"))
        plain["failed"] = [(str(page), str(reason)) for page, reason in plain["failed"]]
        plain["partial"] = [str(line) for line in plain.get("partial", ())]
        around = plain.get("around", ())
        plain["around"] = [
            (str(name), str(content), int(size), int(when)) for name, content, size, when in around
        ]
        record = Record(**plain)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None
    texts = record.target, record.source, record.content, record.settings
    numbers = record.size, record.changed, record.bytes
    sound = all(isinstance(text, str) for text in texts) and all(
        isinstance(number, int) for number in numbers
    )
    return record if sound else None
