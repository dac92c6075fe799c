"""Arrays as tensors of torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from numpy.typing import NDArray


def to_tensor(array: NDArray[Any]) -> torch.Tensor:
    """Return an array of any shape and type as a contiguous tensor on the CPU that may be written.

    It shares memory with the array where that is contiguous and may be written.
    """
    return torch.from_numpy(np.require(array, requirements=["C", "W"]))


def to_planes(picture: NDArray[Any]) -> torch.Tensor:
    """H×W×C to (C, H, W), as :func:`to_tensor`."""
    return to_tensor(picture.transpose(2, 0, 1))
