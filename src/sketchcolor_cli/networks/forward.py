"""A colour network that only runs forward: arrays in, arrays out, whatever library computes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sketchcolor_cli.networks.config import ModelConfig

    Array = NDArray[np.float32]


class Inputs(NamedTuple):
    """What a network is shown; see :class:`sketchcolor_cli.networks.base.ColorNet`.

    Attributes:
        sketch: (H, W), paper 1 and ink 0, sides divisible by the network's ``multiple``.
        hint: (H, W, 4), RGB and mask.
        spread: (H/stride, W/stride, 4), the hint spread inside the lines; None without a stride.
        sheet: (S, k·S, 4), sheets side by side; None for none.
        z: (Z,); None to have it read.
    """

    sketch: Array
    hint: Array
    spread: Array | None = None
    sheet: Array | None = None
    z: Array | None = None


class Possible(NamedTuple):
    """What a network holds possible.

    Attributes:
        logits: (Q, h, w) over its lattice.
        lightness: (h, w), L* of its answer.
        z: (Z,), the code that counted; None if it has none.
    """

    logits: Array
    lightness: Array
    z: Array | None


class MatchForward(Protocol):
    """A matcher, ready to run; see :class:`sketchcolor_cli.networks.matcher.Matcher`.

    Attributes:
        stride: How many pixels a place of colours stands for, on each side.
        multiple, cell: Those of the network.
        sharpness: What the cosine of query and key is multiplied by.
    """

    stride: int
    multiple: int
    cell: int
    sharpness: float

    def queries(self, lines: Array, colors: Array) -> Array:
        """Return what places look for, (P, C), by lines (H, W) and colours (H/stride, W/stride, 4)."""
        ...

    def keys(self, lines: Array, colors: Array) -> Array:
        """Return what places are found by, (P, C), as :meth:`queries`."""
        ...


class Forward(Protocol):
    """A colour network, ready to run.

    Attributes:
        config: Its shape, where it has one as data.
        device: Where it computes, as torch names it.
        stride, multiple, sheet_size, z_size: Those of :class:`sketchcolor_cli.networks.base.ColorNet`.
        colors: (Q, 2), the a*b* of its lattice; None if it has none.
    """

    config: ModelConfig | None
    device: str
    stride: int
    multiple: int
    sheet_size: int
    z_size: int
    colors: Array | None

    def paint(self, inputs: Inputs, precision: str = "float32") -> Array:
        """Return Lab paint (h, w, 3) in sRGB's gamut, computed in a number format as torch names it."""
        ...

    def possible(self, inputs: Inputs) -> Possible:
        """Return what it holds possible, in float32; only where it has a lattice."""
        ...

    def latent(self, inputs: Inputs) -> Array | None:
        """Return the code z, (Z,), that it reads; None if it has none."""
        ...
