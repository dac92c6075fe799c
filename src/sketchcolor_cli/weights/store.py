"""The folder in which weights lie, one safetensors file for each; asking it loads no torch."""

from __future__ import annotations

import shutil
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sketchcolor_cli.errors import MissingWeightsError, WeightError
from sketchcolor_cli.weights.format import SUFFIX, Record, check_digest, read_record

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from sketchcolor_cli.weights.registry import RegisteredWeights
    from sketchcolor_cli.weights.spec import WeightFile


class State(StrEnum):
    """What is known of weights at a glance; only :meth:`WeightStore.verify` reads every number."""

    READY = "ready"
    MISSING = "missing"
    DAMAGED = "damaged"
    OUTDATED = "outdated"


class WeightStore:
    """The weights on this computer.

    Attributes:
        folder: Where they lie; it need not exist.
    """

    def __init__(self, folder: Path) -> None:
        """Take the folder; nothing is looked at yet."""
        self.folder = folder
        self._verified: set[Path] = set()

    def path(self, file: WeightFile) -> Path:
        """Return where the weights lie, or would."""
        return self.folder / f"{file.name}{SUFFIX}"

    def partial(self, file: WeightFile) -> Path:
        """Return the folder of what has come of a download that is not whole."""
        return self.folder / "partial" / file.name

    def record(self, file: WeightFile) -> Record:
        """Return what the stored file says of itself.

        Raises:
            WeightError: The file is missing, cut off, foreign, or newer than this program.
        """
        return read_record(self.path(file))

    def state(self, file: WeightFile) -> State:
        """Return whether the weights are there; their numbers are not looked at."""
        if not self.path(file).is_file():
            return State.MISSING
        try:
            record = self.record(file)
        except WeightError:
            return State.DAMAGED
        return State.READY if _is_wanted(file, record) else State.OUTDATED

    def require(self, files: Iterable[WeightFile]) -> None:
        """Make sure that all these weights are there, at a glance.

        Raises:
            MissingWeightsError: Some are not; the text says which, their licences, and how to get them.
        """
        lacking = [file for file in dict.fromkeys(files) if self.state(file) is not State.READY]
        if lacking:
            what = ", ".join(f"{file.name} ({self._trouble(file)}{describe(file)})" for file in lacking)
            raise MissingWeightsError(
                f"weights that are needed are not on this computer: {what}; {how_to_get(lacking)}",
                tuple(lacking),
            )

    def find(self, file: WeightFile) -> Path:
        """Return where the weights lie, every number verified, once in the life of this object.

        Raises:
            WeightError: They are missing or damaged; the text says what to do.
        """
        self.require([file])
        path = self.path(file)
        if path not in self._verified:
            self.verify(file)
            self._verified.add(path)
        return path

    def verify(self, file: WeightFile) -> Record:
        """Compare every number of the stored weights with what was stored, and return the record.

        Raises:
            WeightError: They are missing, damaged, or not those that are wanted.
        """
        try:
            record = check_digest(self.path(file))
        except WeightError as error:
            raise WeightError(f"{error}; {how_to_get([file])}") from error
        if not _is_wanted(file, record):
            raise WeightError(
                f"{self.path(file)}: not the weights that this version needs; {how_to_get([file])}"
            )
        return record

    def whole(self, file: WeightFile) -> Record | None:
        """Return the record of weights of which every number is there; None where they must be fetched."""
        try:
            return self.verify(file)
        except WeightError:
            return None

    def stored(self, file: WeightFile, record: Record) -> dict[str, Any]:
        """Return what is stored in plain types for json.dumps."""
        return {
            "name": file.name,
            "path": str(self.path(file)),
            "file": record.file,
            "origin": record.origin,
            "checksums": list(record.checksums),
            "verified": record.verified,
        }

    def to_json(self, registered: RegisteredWeights) -> dict[str, Any]:
        """Return all that is known of weights in plain types for json.dumps."""
        file, state = registered.file, self.state(registered.file)
        return {
            **file.to_json(),
            "used_by": list(registered.used_by),
            "problem": registered.problem,
            "state": state,
            "path": str(self.path(file)),
            "stored": self.stored(file, self.record(file)) if state is State.READY else None,
        }

    def remove(self, file: WeightFile) -> bool:
        """Delete the stored weights, and what has come of a download; return whether there was anything.

        Raises:
            WeightError: They cannot be deleted.
        """
        path, partial = self.path(file), self.partial(file)
        there = path.exists() or partial.exists()
        self._verified.discard(path)
        try:
            path.unlink(missing_ok=True)
            if partial.exists():
                shutil.rmtree(partial)
        except OSError as error:
            raise WeightError(f"{path}: cannot be removed ({error.strerror})") from error
        return there

    def _trouble(self, file: WeightFile) -> str:
        state = self.state(file)
        return "" if state is State.MISSING else f"{state}; "


def describe(file: WeightFile) -> str:
    """Return licence and size as users read them, such as ``MIT, 218 MB``."""
    return ", ".join([file.licence, *([readable_size(file.size)] if file.size else [])])


def readable_size(size: int) -> str:
    """Return a number of bytes as users read it, such as ``218 MB``."""
    if size < 1_000_000:
        return f"{size / 1e3:.1f} kB"
    if size >= 10_000_000_000:
        return f"{size / 1e9:.0f} GB"
    return f"{size / 1e6:.1f} MB" if size < 10_000_000 else f"{size / 1e6:.0f} MB"


def how_to_get(files: Iterable[WeightFile]) -> str:
    """Return the command that gets weights, as the end of a sentence."""
    files = list(files)
    fetch = [file for file in files if file.fetchable]
    commands = [f"sketchcolor weights import {file.name} FILE" for file in files if not file.fetchable]
    if fetch:
        accept = " --accept-licence" if any(file.non_commercial for file in fetch) else ""
        commands.insert(0, f"sketchcolor weights fetch {' '.join(file.name for file in fetch)}{accept}")
    return f"get them by: {' ; '.join(commands)}"


def _is_wanted(file: WeightFile, record: Record) -> bool:
    """Whether a stored file is of these weights: a verified one must still be among the published."""
    published = {f"sha256:{source.sha256}" for source in file.sources if source.sha256}
    published |= {f"md5:{source.md5}" for source in file.sources if source.md5}
    return record.name == file.name and (
        not record.verified or bool(published.intersection(record.checksums))
    )
