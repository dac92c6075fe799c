"""Settings of the colouring engine; the only place where their defaults stand."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Protect(StrEnum):
    """What stays paper."""

    NONE = "none"
    GUTTERS = "gutters"
    BUBBLES = "bubbles"
    ALL = "all"


class ColoredPages(StrEnum):
    """What becomes of pages that are in colour already."""

    SKIP = "skip"
    REDO = "redo"


class Guess(StrEnum):
    """What areas get that nothing gives a colour."""

    AUTO = "auto"
    DRAW = "draw"
    MEAN = "mean"


class LayerFormat(StrEnum):
    """How layers are written: OpenRaster, Photoshop, or a folder of PNG files."""

    ORA = "ora"
    PSD = "psd"
    PNG = "png"


@dataclass(frozen=True)
class Parts:
    """What is made beside each coloured page."""

    masks: bool = False
    """A preview of what stays paper."""
    flats: bool = False
    """The page in flat colours, one for each region between its lines, without ink."""
    layers: LayerFormat | None = None
    """A file with ink, shading, flats and hints as layers."""

    @property
    def any(self) -> bool:
        """Return whether anything is."""
        return self.masks or self.flats or self.layers is not None


@dataclass(frozen=True)
class ColorizeSettings:
    """How a picture is coloured."""

    work_size: int = 576
    """Shorter side, in pixels, at which colours are drawn; a smaller picture is not enlarged."""
    base_size: int = 576
    """Shorter side at which the colours themselves are decided, whatever ``work_size`` is."""
    max_pixels: int = 3_000_000
    """About the most pixels the network sees at once; a longer strip is coloured in bands."""
    smooth: float = 12.0
    """How strongly colours are evened out inside the lines; 0 leaves them as the network gives them."""
    protect: Protect = Protect.ALL
    """What stays paper: gutters between panels and margins, speech bubbles and boxes of text, or both."""
    colored_pages: ColoredPages = ColoredPages.SKIP
    """Pages that are in colour already are given back as they are, or coloured anew."""
    descreen: bool = False
    """Whether screentone becomes an even grey in the result, too; the network is always shown it so."""
    palette_strength: float = 0.8
    """How far colours are pulled to a palette, if one is given: 0 leaves them, 1 allows no others."""
    saturation: float = 1.0
    """Factor on a*b* of the colours that the network gives."""
    guess: Guess = Guess.AUTO
    """What areas get that no hint gives a colour: one drawn of those that the network holds possible, or the
    cautious mean of all; auto draws on pages without any hint or reference."""
    seed: int = 3
    """Number by which they are drawn; another gives other pages."""
