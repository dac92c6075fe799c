"""A picture as it is worked on, as arrays and tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from sketchcolor_cli.imaging.rows import Rows, mapped

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float32]


class _Values:
    """A field of values; an array for all who ask, though of a huge picture only its samples are held."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, picture: Picture | None, owner: type) -> Any:
        if picture is not None:
            held = vars(picture)[self._name]
            return held[:] if isinstance(held, Rows) else held
        if self._name == "alpha":
            return None  # its default
        raise AttributeError(self._name)

    def __set__(self, picture: Picture, held: FloatArray | Rows | None) -> None:
        vars(picture)[self._name] = held


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture as it is worked on.

    Attributes:
        rgb: H×W×3 float32 in [0, 1], sRGB-encoded, not premultiplied by alpha. Not to be written to: of a
            page without colour the channels may be the same memory, and of one in colour with more than 64
            million pixels it is made each time.
        alpha: H×W float32 in [0, 1], 1 opaque; None where the file has no transparency. Likewise.
        gray: Whether the file is grey. The three channels are then equal, and one of them is written.
        bits: Depth per channel, 8 or 16.
        icc: The profile to write the picture with, to which its values, sRGB here, are then converted: that
            of the file where it is of RGB and can be converted to, sRGB where it was another. None where the
            file has none.
        dpi: Dots per inch across and down, or None.
        format: Pillow's name of the format: PNG, JPEG, WEBP, AVIF, TIFF, BMP, GIF, PSD, HEIF, JXL, JPEG2000.
    """

    rgb: FloatArray = _Values()  # type: ignore[assignment]
    alpha: FloatArray | None = _Values()  # type: ignore[assignment]
    gray: bool = False
    bits: int = 8
    icc: bytes | None = None
    dpi: tuple[float, float] | None = None
    format: str = "PNG"

    @property
    def nbytes(self) -> int:
        """How many bytes of memory its samples take."""
        return self.rgb_rows.nbytes + (0 if self.alpha_rows is None else self.alpha_rows.nbytes)

    @property
    def shape(self) -> tuple[int, int]:
        """Its height and width."""
        height, width = self.rgb_rows.shape[:2]
        return height, width

    @property
    def rgb_rows(self) -> FloatArray | Rows:
        """``rgb``, of which some rows can be taken without making all."""
        return vars(self)["rgb"]  # type: ignore[no-any-return]

    @property
    def alpha_rows(self) -> FloatArray | Rows | None:
        """``alpha``, likewise."""
        return vars(self)["alpha"]  # type: ignore[no-any-return]

    def but(self, **changes: Any) -> Picture:
        """Return the same with some fields changed; unlike ``replace`` it makes no values of the others."""
        return Picture(**(vars(self) | changes))


def gray_as_rgb(gray: FloatArray) -> FloatArray:
    """Show grey (H, W) as (H, W, 3), three times the same memory, which is then not to be written to."""
    # Not numpy's broadcast_to, whose result torch takes with a warning only.
    return as_strided(gray, (*gray.shape, 3), (*gray.strides, 0))


def has_one_plane(rgb: FloatArray | Rows) -> bool:
    """Whether three channels are the same memory, as of a picture that was found to be without colour."""
    return not isinstance(rgb, Rows) and rgb.strides[-1] == 0


def on_paper(picture: Picture) -> FloatArray:
    """Lay the picture on white paper: H×W×3 colours, mixed as encoded (which is how viewers mix them).

    Without alpha this is picture.rgb itself, not a copy.
    """
    rgb = rows_on_paper(picture)
    return rgb[:] if isinstance(rgb, Rows) else rgb


def rows_on_paper(picture: Picture) -> FloatArray | Rows:
    """Do the same, of which some rows can be taken without making all."""
    rgb, alpha = picture.rgb_rows, picture.alpha_rows
    return rgb if alpha is None else mapped(over_white, rgb, alpha)


def over_white(rgb: FloatArray, alpha: FloatArray) -> FloatArray:
    """Lay colours (H, W, 3) of such an opacity, (H, W) in [0, 1], on white."""
    opaque = alpha[..., None]
    return rgb * opaque + (1 - opaque)


def to_tensor(rgb: FloatArray) -> torch.Tensor:
    """H×W×3 to (1, 3, H, W) float32 on the CPU; shares memory with the array where that is writable."""
    import torch

    return torch.from_numpy(np.require(rgb, np.float32, ["C", "W"])).permute(2, 0, 1)[None]


def to_array(tensor: torch.Tensor) -> FloatArray:
    """(1, 3, H, W), or (1, 1, H, W) shown in all three channels, to H×W×3 float32.

    Shares memory with a float32 tensor on the CPU.
    """
    array: FloatArray = tensor.detach()[0].float().cpu().expand(3, -1, -1).permute(1, 2, 0).numpy()
    return array
