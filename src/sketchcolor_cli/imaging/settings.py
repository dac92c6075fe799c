"""How pictures are written; the only place where these defaults stand."""

from __future__ import annotations

from dataclasses import dataclass

from sketchcolor_cli.errors import UsageError

SUBSAMPLINGS = ("444", "422", "420")


@dataclass(frozen=True)
class Saving:
    """What JPEG, WebP and AVIF, which leave something out, are to keep."""

    quality: int = 95
    """0 to 100; a WebP of 100 is without loss."""
    subsampling: str = "444"
    """Resolution of colour in JPEG and AVIF: 444 full, 422 half across, 420 half both ways; WebP has 420.
    Less than full bleeds across the sharp edges of line art."""

    def __post_init__(self) -> None:
        """Refuse what makes no sense.

        Raises:
            UsageError: a value is out of its range.
        """
        if not 0 <= self.quality <= 100:
            raise UsageError("--quality must be from 0 to 100")
        if self.subsampling not in SUBSAMPLINGS:
            raise UsageError(f"--subsampling must be one of {', '.join(SUBSAMPLINGS)}")
