"""Which pictures our weights may learn from, and what they are worth: from default.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import torch

from sketchcolor_cli.data.shards import ShardSet
from sketchcolor_cli.training.loop.data import SetDrawings, readable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sketchcolor_cli.training.pairs.pairs import Drawing

_SETTINGS = tomllib.loads((Path(__file__).parent / "default.toml").read_text(encoding="utf-8"))
SOURCE_WEIGHT: dict[str, float] = {source: w for source, w in _SETTINGS["source-weights"].items() if w}
LEFT_OUT = {source for source, weight in _SETTINGS["source-weights"].items() if not weight}
LICENCE: str = _SETTINGS["licence"]


def readable_drawings(shards: Sequence[Path], short_side: int) -> list[Drawing]:
    """Return the drawings of shards that the weights may learn from."""
    found = readable(SetDrawings(ShardSet(shards), short_side))
    return [drawing for drawing in found if drawing.source not in LEFT_OUT]


def single_threaded(_worker: int) -> None:
    """Keep a process that makes pairs to one thread."""
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
