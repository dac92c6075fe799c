"""Files of colour models, by name: those that come with the package, and those that the user has imported.

Asking for them loads no torch; what a file says of itself stands in its header, which is JSON.
"""

from __future__ import annotations

import json
import math
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sketchcolor_cli.errors import CheckpointError
from sketchcolor_cli.files import signatures
from sketchcolor_cli.files.atomic import atomic_write
from sketchcolor_cli.files.regular import refusal
from sketchcolor_cli.settings import known_names
from sketchcolor_cli.weights.spec import HUB_PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator

BUNDLED = Path(__file__).parent / "bundled"
"""Folder of the models that come with the package: NAME.safetensors, each with its card NAME.md."""

MATCHER = BUNDLED / "matcher" / "matcher.safetensors"
"""The network that finds the places of pages on character sheets; how it was trained stands beside it."""

_SUFFIX = ".safetensors"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_BUFFERS = "running_mean", "running_var", "num_batches_tracked"  # what normalisation keeps; not trained
_LONGEST = 100_000_000  # bytes of a header; no more is read of a damaged file that claims more


@dataclass(frozen=True)
class ModelFile:
    """A model that has a name."""

    name: str
    path: Path
    imported: bool
    """Whether the user brought it; else it came with the package."""

    @property
    def card(self) -> Path | None:
        """Its model card, if it has one."""
        path = self.path.with_suffix(".md")
        return path if path.is_file() else None

    def header(self) -> ModelHeader:
        """Return what the file says of itself; see :func:`read_header`."""
        return read_header(self.path)

    def to_json(self, header: ModelHeader | None, problem: str = "") -> dict[str, Any]:
        """Return the model in plain types for json.dumps, with its header or why that cannot be read."""
        file = {
            "name": self.name,
            "path": str(self.path),
            "imported": self.imported,
            "problem": problem or None,
        }
        if header is None:
            return file
        return {
            **file,
            "architecture": header.architecture,
            "parameters": header.parameters,
            "card": str(self.card) if self.card else None,
            "licence": header.licence,
            "provenance": header.provenance,
        }


@dataclass(frozen=True)
class ModelHeader:
    """What a model file says of itself."""

    architecture: str
    licence: str
    parameters: int
    """How many trained numbers the network has."""
    provenance: dict[str, Any]
    config: dict[str, Any]
    """Shape of the network, as the file has it."""


class ModelShelf:
    """The models that can be called by name.

    Attributes:
        folder: Where imported models lie; it need not exist. None: there are only bundled ones.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """Take the folder; nothing is looked at yet."""
        self.folder = folder

    def files(self) -> list[ModelFile]:
        """Return all models by name, the bundled ones first."""
        return [*_in(BUNDLED, imported=False), *(_in(self.folder, imported=True) if self.folder else ())]

    def names(self) -> list[str]:
        """Return the names of all models."""
        return [model.name for model in self.files()]

    def get(self, name: str) -> ModelFile:
        """Return the model of this name.

        Raises:
            CheckpointError: There is none.
        """
        for model in self.files():
            if model.name == name:
                return model
        raise CheckpointError(f"{name}: no model of this name; {self._like(name)}")

    def find(self, name_or_path: str) -> Path:
        """Return the file of the model of this name, or the file at this path.

        Raises:
            CheckpointError: There is neither.
        """
        for model in self.files():
            if model.name == name_or_path:
                return model.path
        path = Path(name_or_path)
        if name_or_path.startswith(HUB_PREFIX):
            raise CheckpointError(
                f"{name_or_path}: get it once with: sketchcolor models import {name_or_path}"
            )
        if not os.path.isfile(path):  # noqa: PTH113 - Path.is_file() raises for too long a name
            raise CheckpointError(
                f"{name_or_path}: neither a model file nor the name of a model; {self._like(name_or_path)}"
            )
        return path

    def _like(self, name: str) -> str:
        """Return which model may be meant, or which there are."""
        return known_names(name, self.names(), most=1)

    def add(self, path: Path, name: str) -> ModelFile:
        """Copy a model file into the folder, whole or not at all; a card beside it, NAME.md, comes along.

        Raises:
            CheckpointError: The name is taken or not one, the file is not a model, or it cannot be copied.
        """
        if self.folder is None:
            raise CheckpointError(f"{name}: there is no folder for imported models")
        if not _NAME.fullmatch(name):
            raise CheckpointError(
                f"{name}: a name has lower-case letters, digits, '_' and '-' only; use --name"
            )
        if name in self.names():
            raise CheckpointError(f"{name}: there is a model of this name; use --name, or remove it first")
        read_header(path)
        model = ModelFile(name, self.folder / f"{name}{_SUFFIX}", imported=True)
        card = path.with_suffix(".md")
        if card.is_file():
            _copy(card, model.path.with_suffix(".md"))
        _copy(path, model.path)
        return model

    def remove(self, name: str) -> None:
        """Remove an imported model and its card.

        Raises:
            CheckpointError: There is no model of this name, it came with the package, or cannot be removed.
        """
        model = self.get(name)
        if not model.imported:
            raise CheckpointError(
                f"{name}: came with the package and stays; only imported models are removed"
            )
        try:
            model.path.unlink()
            model.path.with_suffix(".md").unlink(missing_ok=True)
        except OSError as error:
            raise CheckpointError(f"{model.path}: cannot be removed ({error.strerror})") from error


def refuse_foreign(path: Path) -> None:
    """Refuse what cannot be a model by its first bytes, and what is not a regular file.

    Raises:
        CheckpointError: It is of another kind; the text says of which.
        OSError: There is no such file, or it cannot be read.
    """
    what = refusal(path)
    if what is None:
        with path.open("rb") as file:
            start = file.read(signatures.START)
        if start[4:9] == b"\0\0\0\0{":
            return  # the length of a header and its brace, whose first byte may be that of any other kind
        if start.startswith((b"PK\x03\x04", b"\x80")):
            what = (
                "is a file of PyTorch (.pt, .pth), a pickle that could run anything and is never read; "
                "export the model as safetensors"
            )
        else:
            what = signatures.describe(start)
    if what is not None:
        raise CheckpointError(f"{path}: {what}")


def read_header(path: Path) -> ModelHeader:
    """Return what a model file says of itself.

    Raises:
        CheckpointError: It is missing, damaged, or not a model of this program.
    """
    try:
        refuse_foreign(path)
        with path.open("rb") as file:
            length = min(int.from_bytes(file.read(8), "little"), _LONGEST)
            tensors: dict[str, Any] = json.loads(file.read(length))
        header = json.loads(tensors.pop("__metadata__")["sketchcolor"])
        numbers = {name: math.prod(tensor["shape"]) for name, tensor in tensors.items()}
        if sum(numbers.values()) > path.stat().st_size:  # a number takes a byte or more
            raise ValueError("the header names more numbers than there are")  # noqa: TRY301
        return ModelHeader(
            str(header["architecture"]),
            str(header["licence"]),
            sum(count for name, count in numbers.items() if not name.endswith(_BUFFERS)),
            dict(header["provenance"]),
            dict(header["config"]),
        )
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CheckpointError(f"{path}: not a model of sketchcolor, or damaged") from error


def _in(folder: Path, *, imported: bool) -> Iterator[ModelFile]:
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        yield ModelFile(path.stem, path, imported)


def _copy(source: Path, target: Path) -> None:
    with atomic_write(target, CheckpointError, advice="make the folder writable") as temporary:
        shutil.copyfile(source, temporary)
