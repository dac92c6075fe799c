"""Settings of a training run; the only place where their defaults stand."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from sketchcolor_cli.errors import UsageError


@dataclass(frozen=True)
class TrainConfig:
    """What a run is told.

    The defaults are the thesis's recipe (Cortés Méndez 2022, training).
    """

    preset: str = "thesis"
    """``thesis``, the U-Net with colour-reference encoder, or ``fast``, the default model's network."""
    stages: tuple[str, ...] = ("pixel",)
    """Stages to run, in this order."""
    epochs: int = 10
    """Times that the network sees every picture."""
    size: int = 256
    """Side of the square training pictures, in pixels; a multiple of 32."""
    batch_size: int = 10
    """Pictures in one step."""
    lr: float = 3e-3
    """Highest learning rate of the one-cycle schedule."""
    seed: int = 42
    """Decides the split, the order, the augmentation and the starting weights."""
    method: str = ""
    """Extractor that draws the sketches; empty: lines of the data, and where it has none the preset's way."""
    sketches: str = ""
    """Folder of sketches matched to the pictures by their relative path."""
    valid_share: float = 0.02
    """Part of the pictures that is held out to measure on."""
    precision: str = "auto"
    """``float32``, ``bfloat16``, or ``auto``: bfloat16 where a short trial finds it faster."""
    workers: int = 1
    """Processes that make training pairs beside the one that trains."""
    checkpoint_minutes: float = 10
    """Minutes between two checkpoints within an epoch; there is one after each epoch anyway."""


PRESETS = {
    "thesis": TrainConfig(),
    "fast": TrainConfig(preset="fast", batch_size=16, lr=2e-3, size=192),
}
"""Starting points by name."""

STAGES = ("pixel",)
"""Stages that can be run."""


def configure(preset: str, **given: Any) -> TrainConfig:
    """Return the preset's settings with those that were given (not None) in their place.

    Raises:
        UsageError: a name is unknown or a number out of its range.
    """
    if preset not in PRESETS:
        raise UsageError(f"no preset {preset!r}; there are {', '.join(PRESETS)}")
    config = replace(PRESETS[preset], **{name: value for name, value in given.items() if value is not None})
    for stage in config.stages:
        if stage not in STAGES:
            raise UsageError(f"no stage {stage!r}; there are {', '.join(STAGES)}")
    if config.size < 32 or config.size % 32:
        raise UsageError(f"--size {config.size}: must be a multiple of 32, at least 32")
    for name in ("epochs", "batch_size", "lr"):
        if getattr(config, name) <= 0:
            raise UsageError(f"--{name.replace('_', '-')} {getattr(config, name)}: must be above 0")
    if config.method and config.sketches:
        raise UsageError("--method and --sketches exclude each other: sketches come from one of them")
    return config


def to_plain(config: TrainConfig) -> dict[str, Any]:
    """Return the settings as they are written into the run folder (JSON types only)."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(config).items()}
