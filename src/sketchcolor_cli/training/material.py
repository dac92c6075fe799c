"""What a run learns from and teaches: the pictures that were found, and the networks with their pairs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sketchcolor_cli.errors import DataError, UsageError
from sketchcolor_cli.training import opening, presets
from sketchcolor_cli.training.loop.data import Subset, repeat, split
from sketchcolor_cli.training.pairs import classes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sketchcolor_cli.training.loop.data import Drawings, Sketch
    from sketchcolor_cli.training.opening import OpenDrawings
    from sketchcolor_cli.training.pairs.classes import Classes
    from sketchcolor_cli.training.presets import Setup
    from sketchcolor_cli.training.settings import TrainSettings

_LESSON = 32  # pairs in an epoch of fine-tuning, at least


@dataclass(frozen=True)
class Pictures:
    """Pictures of a run by number, and which are learnt from."""

    opened: tuple[OpenDrawings, ...]
    """All that was opened: the data, and pictures to measure on of their own."""
    learning: Subset
    held_out: Subset
    counts: dict[str, int]
    """How many are learnt from, and how many held out."""

    @property
    def found(self) -> int:
        """Pictures of the data."""
        return len(self.opened[0])


@dataclass(frozen=True)
class Material:
    """Networks with what they learn from; only those that the run's stages need."""

    own_setup: Setup | None
    own_classes: Classes | None

    @property
    def setup(self) -> Setup:
        """The painting network."""
        if self.own_setup is None:
            raise UsageError("--stages: none of these trains a network that paints")
        return self.own_setup

    @property
    def classes(self) -> Classes:
        """The perceptual network."""
        if self.own_classes is None:
            raise UsageError("--stages: vgg is none of them")
        return self.own_classes


def open_pictures(data: Sequence[str], run: Path, config: TrainSettings, sketch: Sketch | None) -> Pictures:
    """Find the pictures of a run, and divide them into those to learn from and those to measure on.

    Raises:
        DataError: Pictures are missing or do not fit together.
        WorklistError: There is no such file or folder, or no picture.
    """
    opened = opening.open_drawings(data, run, config, sketch)
    drawings = _weighed(opened, config)
    if config.finetune:  # what was learnt is what shall be painted, so all is measured, nothing held out
        every = Subset(drawings, range(len(drawings)))
        return Pictures(
            (opened,), repeat(drawings, _LESSON), every, {"pictures": len(drawings), "held_out": 0}
        )
    if config.valid:
        others = opening.open_drawings(config.valid, run, replace(config, sketches=""), sketch)
        learning = Subset(drawings, range(len(drawings)))
        held_out = Subset(others, range(len(others)))
        counts = {"pictures": len(learning), "held_out": len(held_out)}
        return Pictures((opened, others), learning, held_out, counts)
    learning, held_out = split(drawings, config.valid_share, config.seed)
    return Pictures((opened,), learning, held_out, {"pictures": len(learning), "held_out": len(held_out)})


def set_up(
    data: Sequence[str], run: Path, config: TrainSettings, pictures: Pictures, device: str
) -> Material:
    """Build the networks that the run's stages teach, with their pairs; bad settings are told here.

    Raises:
        CheckpointError: A model file cannot be read.
        DataError: Sketches or classes are missing.
        UsageError: No network can have the shape that the settings ask for.
    """
    named = _classes(data, run, config, pictures) if "vgg" in config.stages else None
    setup = None
    if {*config.stages} - {"vgg"}:
        setup = presets.set_up(config, pictures.learning, pictures.held_out, device)
    return Material(setup, named)


def _weighed(opened: OpenDrawings, config: TrainSettings) -> Drawings:
    """Return the pictures without those of sources that weigh nothing."""
    if not any(weight == 0 for weight in config.source_weights.values()):
        return opened
    kept = [n for n in range(len(opened)) if config.source_weights.get(opened.source(n), 1)]
    if not kept:
        raise DataError("--source-weights: every picture is of a source of weight 0; give one of them more")
    return Subset(opened, kept)


def _classes(data: Sequence[str], run: Path, config: TrainSettings, pictures: Pictures) -> Classes:
    if config.classes:
        data = [config.classes]
        drawings = opening.open_drawings(data, run, replace(config, sketches=""))
    else:
        drawings = pictures.opened[0]
    names = drawings.class_names(data)
    learning, held_out = split(_weighed(drawings, config), config.valid_share, config.seed)
    return classes.set_up_classes(config, drawings, names, learning.numbers, held_out.numbers)
