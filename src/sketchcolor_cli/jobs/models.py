"""Bringing a colour model to where every command finds it by name."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from sketchcolor_cli import environment
from sketchcolor_cli.weights.spec import HUB_PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from sketchcolor_cli.networks.registry import ModelFile

    Listen = Callable[[str, int, int | None], None]
    """Is told of a download: the place, and how many bytes of how many have come."""


def import_model(
    source: str, name: str | None, listening: Callable[[], AbstractContextManager[Listen]]
) -> ModelFile:
    """Copy a model file, or one of the Hugging Face hub, to the user's models; its card comes along.

    The network in it is built and filled once, so that what was imported also works.

    Args:
        source: A file, or ``hf:ORGANISATION/NAME[@REVISION][:FILE]``.
        name: What to call it; None for the name of the file.
        listening: Gives the listener of a download, for as long as that takes.

    Raises:
        CheckpointError: The file is not a model, the name is taken or not one, or it cannot be copied.
        WeightError: The hub cannot be reached, or has no such file.
    """
    from sketchcolor_cli.networks.base import ColorNet  # imports torch
    from sketchcolor_cli.networks.checkpoint import load_model

    with TemporaryDirectory() as folder:
        path = Path(source)
        if source.startswith(HUB_PREFIX):
            with listening() as listen:
                path = _fetched(source, Path(folder), listen)
        if path.is_file():
            load_model(path, ColorNet)
        return environment.model_shelf().add(path, path.stem.lower() if name is None else name)


def _fetched(source: str, folder: Path, listen: Listen) -> Path:
    from sketchcolor_cli.weights import hub  # imports the parts of a network connection

    file = hub.HubFile.of(source)
    endpoint = environment.variables().get("HF_ENDPOINT") or hub.ENDPOINT
    return file.fetch(folder, partial(listen, file.repository), endpoint)
