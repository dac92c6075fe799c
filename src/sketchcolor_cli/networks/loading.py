"""The networks that come with the package and do not colour: the perceptual one and the matcher."""

from __future__ import annotations

from pathlib import Path

from sketchcolor_cli.networks.checkpoint import load_model
from sketchcolor_cli.networks.matcher import Matcher
from sketchcolor_cli.networks.perceptual import Perceptual
from sketchcolor_cli.networks.registry import MATCHER

PERCEPTUAL = Path(__file__).parent / "bundled" / "perceptual" / "perceptual.safetensors"
"""Its file; how it was trained stands beside it."""


def load_perceptual(path: Path | None = None) -> Perceptual:
    """Return the perceptual network of a file, or the bundled one: on the CPU, in eval mode, not learning.

    Raises:
        CheckpointError: there is no such file, it is damaged, or it holds another kind of network.
    """
    network, _ = load_model(path or PERCEPTUAL, Perceptual)
    return network.requires_grad_(False)


def load_matcher(path: Path | None = None) -> Matcher:
    """Return the matcher of a file, or the bundled one: on the CPU, in eval mode, not learning.

    Raises:
        CheckpointError: there is no such file, it is damaged, or it holds another kind of network.
    """
    network, _ = load_model(path or MATCHER, Matcher)
    return network.requires_grad_(False)
