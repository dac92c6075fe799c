"""Finding a colour model: one that comes with the package, by name, or a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sketchcolor_cli.errors import CheckpointError
from sketchcolor_cli.model.base import ColorNet
from sketchcolor_cli.model.checkpoint import load_model

if TYPE_CHECKING:
    from sketchcolor_cli.model.checkpoint import CheckpointInfo

BUNDLED = Path(__file__).parent.parent / "models"
"""Folder of the models that come with the package: NAME.safetensors, each with its card NAME.md."""


def bundled_names() -> list[str]:
    """Return the names of the models that come with the package."""
    return sorted(path.stem for path in BUNDLED.glob("*.safetensors"))


def load_color_model(name_or_path: str) -> tuple[ColorNet, CheckpointInfo]:
    """Load the bundled model of this name, or the model file at this path.

    Raises:
        CheckpointError: there is neither, the file is damaged, or it holds no network that colours sketches.
    """
    names = bundled_names()
    if name_or_path in names:
        return load_model(BUNDLED / f"{name_or_path}.safetensors", ColorNet)
    if not Path(name_or_path).is_file():
        known = ", ".join(names) or "none"
        raise CheckpointError(f"{name_or_path}: neither a model file nor a bundled model; bundled: {known}")
    return load_model(Path(name_or_path), ColorNet)
