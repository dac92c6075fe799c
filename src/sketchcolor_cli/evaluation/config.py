"""Settings of the evaluation engine; the only place where their defaults stand."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Resize(StrEnum):
    """How a picture is brought to the 299×299 pixels that the FID Inception network sees."""

    PYTORCH = "pytorch"
    CLEAN = "clean"


DIMS = (64, 192, 768, 2048)
"""The lengths of feature vectors that pytorch-fid's network gives, each after another of its blocks."""

ENOUGH = 2048
"""Pictures of a set under which FID is mostly too large to be compared, and KID is given beside it."""


@dataclass(frozen=True)
class FidSettings:
    """How a Fréchet distance is measured."""

    dims: int = 2048
    """Length of the feature vectors, one of DIMS; only 2048 is what papers call FID."""
    batch_size: int = 32
    """Pictures that the network sees at once; the value does not depend on it."""
    mode: Resize = Resize.PYTORCH
    """The rule of resizing: pytorch-fid's bilinear, or antialiased bicubic as in clean-fid."""
