"""Settings of the dataset engine; the only place where their defaults and sentences stand."""

from __future__ import annotations

from dataclasses import dataclass

from sketchcolor_cli.settings import Settings, internal, setting

REFERENCE_SIDE = 96
"""Width and height of the rough colouring with which the thesis measured."""


@dataclass(frozen=True)
class PrepareSettings(Settings):
    """How pictures are packed into shards."""

    short_side: int = setting(
        512, "Larger pictures are brought down to this shorter side, in pixels; none is enlarged.", least=1
    )
    min_side: int = setting(128, "Pictures with a shorter side below this are dropped as tiny.", least=1)
    min_colorfulness: float = setting(
        4.0,
        "Pictures less colourful than this (Hasler & Süsstrunk 2003) are dropped as grey; 0 keeps all.",
        least=0,
    )
    duplicate_bits: int = internal(
        4,
        "Of the 64 bits of their difference hashes, those that two pictures may differ in as duplicates.",
        least=0,
        most=64,
    )
    duplicate_color: float = internal(
        4.0,
        "Difference, in 8-bit steps, that two pictures of 8×8 pixels may have on average as duplicates.",
        least=0,
    )
    shard_size: int = setting(1000, "Pictures in a shard.", least=1)
    quality: int = internal(90, "WebP quality of the pictures.", least=1, most=100)


@dataclass(frozen=True)
class ReviewSettings(Settings):
    """How pictures are reviewed."""

    shown: int = setting(300, "Pictures on the page, the most suspicious first.", least=1)
    short_side: int = internal(256, "Pictures are brought down to this shorter side, in pixels.", least=1)
    reference_side: int = internal(
        REFERENCE_SIDE, "Width and height of the rough colouring that the model sees.", least=1
    )
