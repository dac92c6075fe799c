"""Settings that several requests have, each described once, and how a journey tells how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sketchcolor_cli.jobs.outcome import Loading, Note
from sketchcolor_cli.settings import argument, setting


@dataclass(frozen=True)
class Step:
    """How far a journey is.

    Attributes:
        what: What it does, such as ``measuring``.
        done: How many pictures, or records, are done.
        total: Of how many; None where that is not known.
        detail: What else is to be shown.
    """

    what: str
    done: int = 0
    total: int | None = None
    detail: str = ""


Progress = Callable[[Step | Loading | Note], None]
"""Is told what happens, in the caller's thread."""


def silent(_: Step | Loading | Note) -> None:
    """Report nothing: the default where nobody listens."""


def model_setting() -> Any:
    """Return the setting of a colour model."""
    return setting(
        "default",
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


def method_setting() -> Any:
    """Return the setting of the extractor that draws sketches to measure with."""
    return setting(
        "xdog", "Extractor that draws the sketches that the data lacks.", short="-m", complete="methods"
    )


def data_argument() -> Any:
    """Return the argument that names a set of pictures."""
    return argument(
        "A folder, a folder of shards, or shards `a-{000000..000003}.tar`.", metavar="DATA", matters=False
    )


def fid_weights_setting() -> Any:
    """Return the setting of the file of the FID network."""
    return setting(
        None,
        "File of the FID network's weights, instead of those that `sketchcolor weights` keeps.",
        stored=False,  # SKETCHCOLOR_WEIGHTS is where these are kept
    )
