"""Settings of the dataset engine; the only place where their defaults stand."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PrepareSettings:
    """How pictures are packed into shards."""

    short_side: int = 512
    """Larger pictures are brought down to this shorter side, in pixels; smaller ones stay as they are."""
    min_side: int = 128
    """Pictures with a shorter side below this are dropped as tiny."""
    min_colorfulness: float = 4.0
    """Pictures less colourful than this (Hasler & Süsstrunk 2003) are dropped as grey."""
    duplicate_bits: int = 4
    """Of the 64 bits of their difference hashes, those that two pictures may differ in as duplicates."""
    duplicate_color: float = 4.0
    """Difference, in 8-bit steps, that two pictures of 8×8 pixels may have on average as duplicates."""
    shard_size: int = 1000
    """Pictures in a shard."""
    quality: int = 90
    """WebP quality of the pictures."""


@dataclass(frozen=True)
class ReviewSettings:
    """How pictures are reviewed."""

    short_side: int = 256
    """Pictures are brought down to this shorter side, in pixels."""
    shown: int = 300
    """Pictures on the page, the most suspicious first."""
