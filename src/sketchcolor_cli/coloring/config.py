"""Settings of the colouring engine; the only place where their defaults stand."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ColorizeSettings:
    """How a picture is coloured."""

    work_size: int = 576
    """Shorter side, in pixels, at which the network works; a smaller picture is not enlarged."""
    max_pixels: int = 3_000_000
    """About the most pixels the network sees at once; a long strip is brought down to this."""
    saturation: float = 1.0
    """Factor on a*b* of the colours that the network gives."""
