"""Settings of a training run; the only place where their defaults stand."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from math import inf
from typing import TYPE_CHECKING, Any

from sketchcolor_cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable


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
    """Pictures in one step; at least 2."""
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
    """Processes that make training pairs beside the one that trains; off Linux that one makes them."""
    checkpoint_minutes: float = 10.0
    """Minutes between two checkpoints within an epoch; there is one after each epoch anyway."""


PRESETS = {
    "thesis": TrainConfig(),
    "fast": TrainConfig(preset="fast", batch_size=16, lr=2e-3, size=192),
}
"""Starting points by name."""

STAGES = ("pixel",)
"""Stages that can be run."""

_LIMITS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "epochs": (lambda number: number >= 1, "at least 1"),
    "size": (lambda side: side >= 32 and side % 32 == 0, "a multiple of 32, at least 32"),
    "batch_size": (lambda number: number >= 2, "at least 2, which batch normalisation needs"),
    "lr": (lambda rate: 0 < rate < inf, "above 0"),
    "seed": (lambda seed: seed >= 0, "at least 0"),
    "valid_share": (lambda share: 0 < share < 1, "between 0 and 1"),
    "precision": (lambda name: name in ("auto", "float32", "bfloat16"), "auto, float32 or bfloat16"),
    "workers": (lambda number: number >= 0, "at least 0"),
    "checkpoint_minutes": (lambda minutes: minutes >= 0, "at least 0"),
}

_KINDS = {str: "text", int: "a whole number", float: "a number", tuple: "a list of names"}


def configure(preset: str, **given: Any) -> TrainConfig:
    """Return the preset's settings with those that were given (not None) in their place.

    Raises:
        UsageError: a name is unknown, or a value of the wrong kind or out of its range.
    """
    if preset not in PRESETS:
        raise UsageError(f"no preset {preset!r}; there are {', '.join(PRESETS)}")
    config = replace(PRESETS[preset], **{name: value for name, value in given.items() if value is not None})
    for name, default in asdict(PRESETS[preset]).items():
        value, option = getattr(config, name), f"--{name.replace('_', '-')}"
        if type(value) is not type(default) and (type(default), type(value)) != (float, int):
            raise UsageError(f"{option} {value!r}: must be {_KINDS[type(default)]}")
        if name in _LIMITS and not _LIMITS[name][0](value):
            raise UsageError(f"{option} {value}: must be {_LIMITS[name][1]}")
    for stage in config.stages:
        if stage not in STAGES:
            raise UsageError(f"no stage {stage!r}; there are {', '.join(STAGES)}")
    if config.method and config.sketches:
        raise UsageError("--method and --sketches exclude each other: sketches come from one of them")
    return config


def to_plain(config: TrainConfig) -> dict[str, Any]:
    """Return the settings as they are written into the run folder (JSON types only)."""
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in asdict(config).items()
    }
