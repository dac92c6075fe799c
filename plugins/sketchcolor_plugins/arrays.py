"""What extractors share that draw without torch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

LUMA = 0.2126, 0.7152, 0.0722
"""Parts of red, green and blue in luma (Rec. 709, on sRGB-encoded values)."""


class OnArrays(ABC):
    """A sketcher of arrays, which takes tensors too."""

    def __call__(self, rgb: Tensor) -> Tensor:
        """Turn (N, 3, H, W) in [0, 1] on any device into (N, 1, H, W) in [0, 1] there; works on the CPU."""
        import numpy as np
        import torch

        drawn = self.draw_array(rgb.detach().cpu().numpy())
        return torch.from_numpy(np.require(drawn, requirements="W")).to(rgb.device)

    @abstractmethod
    def draw_array(self, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        """Turn (N, 3, H, W) in [0, 1] into (N, 1, H, W) in [0, 1]."""
