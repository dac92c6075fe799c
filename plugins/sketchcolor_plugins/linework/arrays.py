"""Linework by ONNX Runtime: from the network's logits to a sketch, without torch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from sketchcolor_plugins.arrays import LUMA, OnArrays

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Planes = NDArray[np.float32]

WEIGHTS = Path(__file__).with_name("linework.safetensors")
GRAPH = Path(__file__).with_name("linework.zip")
"""The network without its weights; tools/make_graphs.py writes it."""

FADE = 0.02
"""Of luma, within which black begins."""


@dataclass(frozen=True)
class LineworkArrays(OnArrays):
    """From pictures to sketches by the network; what is black stays black. See ``LineworkSketcher``."""

    network: Any
    """Takes ``rgb`` and gives ``logits``, one picture at a time."""
    strength: float
    black: float

    def draw_array(self, pictures: Planes) -> Planes:
        """Turn (N, 3, H, W) in [0, 1], sides multiples of 16, into (N, 1, H, W) in [0, 1]."""
        return np.concatenate([self._drawn(np.ascontiguousarray(picture)) for picture in pictures[:, None]])

    def _drawn(self, rgb: Planes) -> Planes:
        [lines] = self.network.run(["logits"], {"rgb": rgb})
        lines += np.float32(math.log(self.strength))
        cv2.exp(-lines, lines)
        lines = 1 / (1 + lines)
        luma = np.tensordot(np.array(LUMA, np.float32), rgb[0], 1)
        solid = ((np.float32(self.black) - luma) / np.float32(FADE)).clip(0, 1)
        paper: Planes = 1 - np.maximum(lines, solid)
        return paper
