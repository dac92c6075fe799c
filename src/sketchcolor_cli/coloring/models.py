"""Loading a colour model: one that has a name, or a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sketchcolor_cli.networks.base import ColorNet
from sketchcolor_cli.networks.checkpoint import load_model
from sketchcolor_cli.networks.registry import ModelShelf

if TYPE_CHECKING:
    from pathlib import Path

    from sketchcolor_cli.networks.checkpoint import CheckpointInfo


def load_color_model(name_or_path: str | Path) -> tuple[ColorNet, CheckpointInfo]:
    """Load the bundled model of this name, or the model file at this path.

    Raises:
        CheckpointError: there is neither, the file is damaged, or it holds no network that colours sketches.
    """
    return load_model(ModelShelf().find(str(name_or_path)), ColorNet)
