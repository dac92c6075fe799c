"""Settings of the colouring engine; the only place where their defaults, bounds and help stand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from sketchcolor_cli.errors import UsageError
from sketchcolor_cli.settings import Settings, internal, setting

_PAPER = "Paper and pages"
_BESIDE = "Files beside"
_SEED = 3  # of colours that are drawn where nobody names one


class Protect(StrEnum):
    """What stays paper."""

    NONE = "none"
    GUTTERS = "gutters"
    BUBBLES = "bubbles"
    ALL = "all"


class ColoredPages(StrEnum):
    """What becomes of pages that are in colour already, and of those without a drawing."""

    SKIP = "skip"
    REDO = "redo"


class Guess(StrEnum):
    """What areas get that nothing gives a colour."""

    AUTO = "auto"
    DRAW = "draw"
    SURE = "sure"
    MEAN = "mean"


class LayerFormat(StrEnum):
    """How layers are written: OpenRaster, Photoshop, or a folder of PNG files."""

    ORA = "ora"
    PSD = "psd"
    PNG = "png"


@dataclass(frozen=True)
class Extras(Settings):
    """What is made beside each coloured page."""

    flats: bool = setting(
        False,
        "Also write NAME.flats.png: one flat colour for each region between the lines, grown under them, "
        "without ink and not anti-aliased.",
        panel=_BESIDE,
    )
    layers: LayerFormat | None = setting(
        None,
        "Also write ink, shading, flats and hints as layers: NAME.ora (OpenRaster), NAME.psd, or PNG files "
        "in NAME.layers.",
        panel=_BESIDE,
    )
    shown_masks: bool = internal(False, "Also make a preview of what stays paper.")


@dataclass(frozen=True)
class ColorizeSettings(Settings):
    """How a page is coloured."""

    work_size: int = setting(
        576,
        "Shorter side, in pixels, at which the network works; results keep the page's own size, and smaller "
        "pages are not enlarged.",
        least=64,
    )
    base_size: int = internal(
        576, "Shorter side at which the colours are decided, whatever the working size is.", least=64
    )
    max_pixels: int = internal(
        3_000_000, "About the most pixels the network sees at once; longer strips are done in bands.", least=1
    )
    smooth: float = internal(
        12.0, "How strongly colours are evened out inside the lines; 0 leaves them alone.", least=0
    )
    protect: Protect = setting(
        Protect.ALL,
        "What stays paper: gutters (with margins), bubbles (with boxes of text), all or none.",
        panel=_PAPER,
    )
    colored_pages: ColoredPages = setting(
        ColoredPages.SKIP,
        "Pages that are in colour already, and pages without a drawing (blank, title, text): skip copies "
        "them unchanged, redo colours them. Tinted paper does not count as colour.",
        panel=_PAPER,
    )
    strips: bool = setting(
        True,
        "Colour pages that were cut out of one picture together: slices of a long strip, halves of a spread.",
        panel=_PAPER,
    )
    descreen: bool = setting(
        False, "Turn screentone into an even grey in the result, where it is found.", panel=_PAPER
    )
    palette_strength: float = setting(
        0.8,
        "How far colours are pulled to the palette: 0 leaves them alone, 1 allows no others.",
        least=0,
        most=1,
    )
    saturation: float = setting(
        1.0, "Factor on how colourful the result is; 0 gives greys.", least=0, most=10
    )
    guess: Guess = setting(
        Guess.AUTO,
        "Colours of areas without a hint: sure takes the one with the smallest expected error, grey where "
        "the hue is open, draw one at random from those the model finds likely, mean their average; auto "
        "is sure on pages without hints and references, or draw where there is a --seed, and mean on others.",
    )
    seed: int | None = setting(
        None, "Seed by which colours are drawn; the same seed gives the same colours again.", least=0
    )

    own_seed: bool = internal(
        False, "Whether the page was given its seed, so that auto draws beside hints.", matters=False
    )

    def guess_of(self, *, guided: bool) -> Guess:
        """Return what areas without a hint get on a page; ``guided``: whether it has hints or a reference."""
        if self.guess is not Guess.AUTO:
            return self.guess
        if self.own_seed:
            return Guess.DRAW
        if guided:
            return Guess.MEAN
        return Guess.SURE if self.seed is None else Guess.DRAW

    @property
    def drawn_by(self) -> int:
        """The seed of colours that are drawn."""
        return _SEED if self.seed is None else self.seed

    def in_seed(self, seed: int | None) -> ColorizeSettings:
        """Return the settings for a page that was given this seed as its own; None for one without.

        Who chooses a seed for a page wants its colours, so they are drawn beside hints as well.
        """
        if seed is None:
            return self
        return replace(self, seed=seed, own_seed=True)


def parse_directions(text: str) -> tuple[int, int]:
    """Read ``3,17``: two positions in a latent vector.

    Raises:
        UsageError: It is something else.
    """
    try:
        first, second = (int(part) for part in text.split(","))
    except ValueError as error:
        raise UsageError(f"--directions {text}: write two whole numbers, such as 3,17") from error
    return first, second


@dataclass(frozen=True)
class ExploreSettings(Settings):
    """Which colourings of one page a grid shows."""

    directions: tuple[int, ...] | None = setting(
        None,
        "Two positions in the latent vector, such as 3,17; without it, two directions chosen by the seed.",
        metavar="N,N",
        parse=parse_directions,
        least=0,
    )
    steps: int = setting(5, "Pictures in a row and in a column.", least=1)
    span: float = setting(1.0, "How far the latent vector moves to each side; its values are from -1 to 1.")
    size: int = setting(256, "Longest side of each picture, in pixels.", least=16)
    seed: int = setting(
        0,
        "The first seed of the grid; for models with a latent vector, the seed of the directions.",
        least=0,
    )
