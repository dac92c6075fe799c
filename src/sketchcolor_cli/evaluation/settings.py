"""Settings of the evaluation engine; the only place where their defaults and sentences stand."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sketchcolor_cli.data.settings import REFERENCE_SIDE
from sketchcolor_cli.settings import Settings, internal, setting


class Resize(StrEnum):
    """How a picture is brought to the 299×299 pixels that the FID Inception network sees."""

    PYTORCH = "pytorch"
    CLEAN = "clean"


class Decode(StrEnum):
    """How a picture file becomes 8-bit RGB for FID."""

    PYTORCH = "pytorch"
    PICTURE = "picture"


DIMS = (64, 192, 768, 2048)
"""The lengths of feature vectors that pytorch-fid's network gives, each after another of its blocks."""

ENOUGH = 2048
"""Pictures of a set under which FID is mostly too large to be compared, and KID is given beside it."""


@dataclass(frozen=True)
class FidSettings(Settings):
    """How a Fréchet distance is measured."""

    dims: int = setting(
        2048,
        "Numbers that describe a picture. FID as papers report it takes 2048.",
        choices=tuple(map(str, DIMS)),
    )
    batch_size: int = setting(
        32, "Pictures that the network sees at once; the value does not depend on it.", least=1, matters=False
    )
    mode: Resize = setting(
        Resize.PYTORCH,
        "How pictures are resized: pytorch is bilinear as in pytorch-fid, pixel for pixel; clean is bicubic "
        "with antialiasing as in clean-fid. Values of different modes cannot be compared.",
    )
    decode: Decode = setting(
        Decode.PYTORCH,
        "How files are read: pytorch reads them as pytorch-fid does, which drops transparency and cuts off "
        "grey of 16 bits; picture reads them as viewers show them, transparency on white paper. Values can "
        "only be compared where neither set has such files.",
    )


class Protocol(StrEnum):
    """What a model is given beside the sketch."""

    REFERENCE = "reference"
    POINTS = "points"
    NONE = "none"
    OTHER = "other"


class Choice(StrEnum):
    """The protocols, and all of them."""

    REFERENCE = "reference"
    POINTS = "points"
    NONE = "none"
    OTHER = "other"
    ALL = "all"


MEANING = {
    Protocol.REFERENCE: "the true picture, brought to 96×96 pixels, as a rough colouring, as in the thesis",
    Protocol.POINTS: "colour points at random places off the ink, each the mean of 5×5 true pixels",
    Protocol.NONE: "nothing",
    Protocol.OTHER: "another picture of the same group, such as the same story with the same characters",
}
"""What each protocol gives, for reports."""


@dataclass(frozen=True)
class EvaluateSettings(Settings):
    """How colour models are evaluated."""

    chosen: tuple[Choice, ...] = setting(
        (Choice.ALL,),
        "What models see beside the sketch: reference (the truth at 96×96 pixels), points (colours at random "
        "places), other (another picture of the same group), none, or all.",
        name="protocol",
    )
    limit: int | None = setting(
        None, "The most pictures, drawn at random by the seed; all when left out.", least=1
    )
    points: int = setting(10, "Colour points in the protocol points.", least=1)
    short_side: int = setting(
        512, "Larger pictures are first brought down to this shorter side, in pixels.", least=32
    )
    stability_limit: int = setting(
        12,
        "Pictures for which working sizes of 384 and 768 are compared, which takes long; 0 leaves it out.",
        name="stability",
        least=0,
    )
    seed: int = setting(0, "Seed of everything random.", least=0)
    reference_side: int = internal(REFERENCE_SIDE, "Width and height of references.", least=1)
    stability_sizes: tuple[int, ...] = internal(
        (384, 768),
        "The two working sizes whose results are compared; sketches are enlarged to the larger one for it.",
        least=1,
    )
    resamples: int = internal(
        1000, "Resamples of the pictures for confidence intervals of 95 per cent.", least=1
    )

    @property
    def protocols(self) -> tuple[Protocol, ...]:
        """The protocols that are gone through, in this order."""
        names = {str(choice) for choice in self.chosen}
        return tuple(kind for kind in Protocol if Choice.ALL in self.chosen or str(kind) in names)

    @property
    def steady_protocol(self) -> Protocol:
        """The protocol under which working sizes are compared."""
        return Protocol.NONE if Protocol.NONE in self.protocols else self.protocols[0]
