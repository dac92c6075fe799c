"""The colour spaces a network may predict: what its targets are, and what its raw outputs mean.

Targets are of order 1 in every channel; outputs are unbounded. The critic and the perceptual network see XYV.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sketchcolor_cli.color.spaces import (
    hxhysv_to_rgb,
    hxhysv_to_xyv,
    lab_to_rgb,
    rgb_to_hxhysv,
    rgb_to_lab,
    rgb_to_xyv,
    xyv_to_rgb,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from sketchcolor_cli.networks.config import OutputSpace

    Convert = Callable[[Tensor], Tensor]

_LAB_SCALE = 100


@dataclass(frozen=True)
class Space:
    """One colour space; every function is differentiable, (N, C, H, W) to (N, C', H, W)."""

    encode: Convert
    """RGB in [0, 1] to targets."""
    to_rgb: Convert
    """Outputs or targets to RGB in [0, 1]."""
    to_xyv: Convert
    """Outputs or targets to XYV."""


def _lab_output_to_rgb(lab: Tensor) -> Tensor:
    return lab_to_rgb(_LAB_SCALE * lab)


SPACES: dict[OutputSpace, Space] = {
    "hxhysv": Space(rgb_to_hxhysv, hxhysv_to_rgb, hxhysv_to_xyv),
    "xyv": Space(rgb_to_xyv, xyv_to_rgb, lambda xyv: xyv),
    "rgb": Space(lambda rgb: rgb, lambda rgb: rgb.clamp(0, 1), lambda rgb: rgb_to_xyv(rgb.clamp(0, 1))),
    "lab": Space(
        lambda rgb: rgb_to_lab(rgb) / _LAB_SCALE,
        _lab_output_to_rgb,
        lambda lab: rgb_to_xyv(_lab_output_to_rgb(lab)),
    ),
}
"""Every space, by its name in ``GeneratorConfig.output_space``."""
