"""What every colour network of ours takes and returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor, nn

if TYPE_CHECKING:
    from sketchcolor_cli.networks.config import ModelConfig


@dataclass(frozen=True)
class Prediction:
    """Everything a loss or a user of the network may need; nothing is left on the network itself.

    ``color`` is (N, C, h, w) in the network's own output space; ``extra`` is a rougher picture in the same
    space or None; ``logits`` is (N, Q, h, w) over quantised colours or None; ``z`` is (N, Z), the code of
    the reference, or None; ``sure`` is (N, 1, h, w) in [0, 1], how surely a hint tells the colour, or None.
    """

    color: Tensor
    extra: Tensor | None = None
    logits: Tensor | None = None
    z: Tensor | None = None
    sure: Tensor | None = None


class ColorNet(nn.Module):
    """Base class of the networks that colour a sketch.

    ``multiple`` is the number that width and height of the sketch must be divisible by; ``stride`` is the
    side of the square of sketch pixels that one pixel of ``Prediction.color`` covers; ``sheet_size`` is the
    side of the character sheets that it takes, 0 if it takes none; ``z_size`` is the length of
    the latent vector of its own, 0 if it has none; ``outer`` are the beginnings of the names of its layers
    between network and pictures.
    """

    config: ModelConfig
    multiple: int
    stride: int
    sheet_size: int = 0
    z_size: int = 0
    outer: tuple[str, ...] = ()

    def forward(
        self,
        sketch: Tensor,
        hint: Tensor,
        *,
        spread: Tensor | None = None,
        sheet: Tensor | None = None,
        z: Tensor | None = None,
    ) -> Prediction:
        """Colour a batch.

        ``sketch`` (N, 1, H, W), paper 1 and ink 0. ``hint`` (N, 4, H, W): RGB in [0, 1] and a mask that is 1
        where a colour was given; RGB is 0 where the mask is 0. ``spread`` (N, 4, H/4, W/4): the hint's
        colours spread inside the lines, and how sure that is. ``sheet`` (N, 4, S, S), RGB and mask like the
        hint, is another drawing in the right colours, such as a character sheet; a row that is 0 is none.
        ``z`` (N, Z) replaces what the network would read from the hint or the sheet about the picture as a
        whole.
        """
        raise NotImplementedError

    def latent_of(self, hint: Tensor, sheet: Tensor | None) -> Tensor:
        """Return the z, (N, Z), that :meth:`forward` reads where none is given."""
        raise NotImplementedError

    def lattice(self) -> Tensor | None:
        """Return the quantised colours of ``Prediction.logits``, (Q, 2) a*b*; None if it gives none."""
        return None

    def rgb(self, prediction: Prediction) -> Tensor:
        """Return the colours of ``prediction`` as (N, 3, h, w) RGB in [0, 1]."""
        raise NotImplementedError
