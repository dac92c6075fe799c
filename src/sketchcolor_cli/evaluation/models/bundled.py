"""Features of pictures by the bundled perceptual network: a Fréchet distance without downloads.

Such a distance is never called FID: it can be compared with that of the same features alone.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import cv2
import torch

from sketchcolor_cli.color.spaces import rgb_to_xyv
from sketchcolor_cli.imaging.picture import to_tensor
from sketchcolor_cli.networks.loading import PERCEPTUAL, load_perceptual

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

SIDE = 256
"""Width and height that pictures are brought to, by area averaging."""


class BundledFeatures:
    """The last features of the perceptual network, averaged over the picture.

    Attributes:
        name: What the features are called, with the beginning of the file's checksum.
    """

    def __init__(self, path: Path = PERCEPTUAL) -> None:
        self.network = load_perceptual(path)
        checksum = hashlib.sha256(path.read_bytes()).hexdigest()
        self.name = f"last features of the perceptual network {checksum[:8]}, pictures at {SIDE}×{SIDE}"

    @torch.inference_mode()
    def __call__(self, rgb: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the features (D,) of a picture (H, W, 3) in [0, 1]."""
        small = cv2.resize(rgb, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        taps = self.network(rgb_to_xyv(to_tensor(small))).taps
        features: NDArray[np.float64] = taps[-1].mean((2, 3))[0].double().numpy()
        return features
