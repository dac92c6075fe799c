"""Settings that several requests have, and how a run over many files goes; each is said here alone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path  # noqa: TC003  (the fields' types are looked up)
from typing import Any

from sketchcolor_cli.compute.settings import BACKENDS
from sketchcolor_cli.errors import UsageError
from sketchcolor_cli.files.books.settings import PAGE_TIMEOUT
from sketchcolor_cli.files.settings import Container, Shard, check_encoding, parse_shard
from sketchcolor_cli.settings import Settings, argument, internal, setting

DEFAULT_MODEL = "default"
"""The name of the colour model that comes with the package."""

_BOOKS = "Output files"


class Existing(StrEnum):
    """What to do about results that are already there."""

    ERROR = "error"
    SKIP = "skip"
    UPDATE = "update"
    OVERWRITE = "overwrite"


def ray_setting() -> Any:
    """Return the setting that shares the work among workers on Ray."""
    return setting(
        None,
        "Share the work among workers on Ray: `local` for this machine, or a cluster's address.",
        metavar="ADDRESS",
        matters=False,
    )


@dataclass(frozen=True)
class RunSettings(Settings):
    """How a run over many files goes."""

    container: Container = setting(
        Container.SAME, "Write books back as what they were, or all as CBZ.", panel=_BOOKS, matters=False
    )
    overwrite: bool = setting(False, "Replace results that are already there.", stored=False, matters=False)
    resume: bool = setting(
        False,
        "Go on where a run stopped: results that are there stay as they are, whatever settings made them, "
        "and the rest is done; a page that has changed since is done again.",
        stored=False,
        matters=False,
    )
    dry_run: bool = setting(
        False, "Print what would be done with each file, and do nothing.", stored=False, matters=False
    )
    watch: bool = setting(
        False,
        "Keep watching the input folders, and do new files once they are complete; Ctrl-C ends it.",
        stored=False,
        matters=False,
    )
    fail_fast: bool = setting(
        False, "End the run at the first failure instead of going on.", stored=False, matters=False
    )
    jobs: int = setting(
        2,
        "How many results are encoded and written at the same time; with --ray, how many workers.",
        short="-j",
        least=1,
        matters=False,
    )
    shard: Shard | None = setting(
        None,
        "Do the I-th of N equal shares, such as 2/8, while other machines do the others.",
        metavar="I/N",
        parse=parse_shard,
        stored=False,
        matters=False,
    )
    ray: str | None = ray_setting()
    keep_both: bool = setting(
        False,
        "Where two results would get the same name, such as those of 1.jpg and 1.png, keep the endings of "
        "both: 1.jpg.png.",
        panel=_BOOKS,
        matters=False,
    )
    names: str | None = setting(
        None,
        "Encoding of names in archives that do not state it, such as gbk, big5, cp949 or cp866.",
        metavar="ENCODING",
        shown="guessed from the names",
        parse=check_encoding,
        panel=_BOOKS,
        matters=False,
    )
    page_timeout: float = setting(
        PAGE_TIMEOUT,
        "Seconds that a picture or page may take; one that takes longer is reported, and the rest goes on.",
        above=0,
        matters=False,
    )
    single: Path | None = internal(None, "The file for the one result, where one was named.", matters=False)
    only: tuple[Path, ...] = internal((), "Only these of the files; none for all.", matters=False)
    update: bool = internal(
        False, "Do results again whose page, hints or settings have changed; leave the others.", matters=False
    )
    poll_seconds: float = internal(
        2.0,
        "How often a watched folder is looked at; a file is complete when it stayed the same in between.",
        above=0,
        matters=False,
    )

    def __post_init__(self) -> None:
        """Refuse what does not go together."""
        super().__post_init__()
        for option, other in (("overwrite", "resume"), ("watch", "dry_run")):
            if getattr(self, option) and getattr(self, other):
                raise UsageError(f"--{option} and --{other.replace('_', '-')} exclude each other")

    @property
    def existing(self) -> Existing:
        """What to do about results that are already there."""
        asked = (
            (self.overwrite, Existing.OVERWRITE),
            (self.resume, Existing.SKIP),
            (self.update, Existing.UPDATE),
        )
        return next((existing for wanted, existing in asked if wanted), Existing.ERROR)


def model_setting() -> Any:
    """Return the setting of a colour model."""
    return setting(
        DEFAULT_MODEL,
        "Colour model: a name that `sketchcolor models list` shows, or a model file.",
        complete="models",
    )


def device_setting() -> Any:
    """Return the setting that says where to compute."""
    return setting(
        "auto",
        "Where to compute: auto, cpu, cuda, cuda:N or mps. auto takes a GPU when there is one.",
        matters=False,
    )


def backend_setting() -> Any:
    """Return the setting of the library that computes a network."""
    return setting(
        "auto",
        "What computes the network on the processor: torch; onnx for ONNX Runtime, which starts faster; "
        "auto for the faster of the two here, found by trying once.",
        choices=BACKENDS,
        matters=False,
    )


def method_setting() -> Any:
    """Return the setting of the extractor that draws sketches to measure with."""
    return setting(
        "xdog", "Extractor that draws the sketches that the data lacks.", short="-m", complete="methods"
    )


def data_argument() -> Any:
    """Return the argument that names a set of pictures."""
    return argument(
        "A folder of pictures, a folder of shards, or shards `a-{000000..000003}.tar`.",
        metavar="DATA",
        matters=False,
    )


def fid_weights_setting() -> Any:
    """Return the setting of the file of the FID network."""
    return setting(
        None,
        "File of the FID network's weights, instead of those that `sketchcolor weights` keeps.",
        stored=False,  # SKETCHCOLOR_WEIGHTS is where these are kept
    )


def existing_weights(path: Path) -> Path:
    """Return the file of weights that the user named.

    Raises:
        UsageError: There is none.
    """
    if not path.is_file():
        raise UsageError(f"{path}: no such file; check the path of the weights")
    return path


def inputs_argument(*, matters: bool = True) -> Any:
    """Return the argument that names pictures and books to go over."""
    return argument(
        "Pictures and books, or folders that are searched with all their subfolders.",
        metavar="INPUT",
        matters=matters,
    )
