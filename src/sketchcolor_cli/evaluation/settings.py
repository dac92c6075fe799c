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


class Protocol(StrEnum):
    """What a model is given beside the sketch."""

    REFERENCE = "reference"
    POINTS = "points"
    NONE = "none"
    OTHER = "other"


MEANING = {
    Protocol.REFERENCE: "the true picture, brought to 96×96 pixels, as a rough colouring, as in the thesis",
    Protocol.POINTS: "colour points at random places off the ink, each the mean of 5×5 true pixels",
    Protocol.NONE: "nothing",
    Protocol.OTHER: "another picture of the same group, such as the same story with the same characters",
}
"""What each protocol gives, for reports."""


@dataclass(frozen=True)
class EvaluateSettings:
    """How colour models are evaluated."""

    protocols: tuple[Protocol, ...] = tuple(Protocol)
    """Which protocols are gone through, in this order."""
    limit: int | None = None
    """The most pictures, drawn at random by the seed; None takes all."""
    short_side: int = 512
    """Larger pictures are brought down to this shorter side, in pixels, before anything is done."""
    points: int = 10
    """Colour points in the protocol of points."""
    reference_side: int = 96
    """Width and height of the reference in the protocol of references."""
    stability_sizes: tuple[int, int] = (384, 768)
    """The two working sizes whose results are compared; sketches are enlarged to the larger one for it."""
    stability_limit: int = 12
    """Pictures for which working sizes are compared, since the larger one takes long; 0 leaves it out."""
    resamples: int = 1000
    """Resamples of the pictures for confidence intervals of 95 per cent."""
    seed: int = 0
    """Of everything random."""
