"""Features of pictures by a network that comes with the package: a Fréchet distance without downloads.

Such a distance is never called FID: it can be compared with that of the same features alone.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import torch

from sketchcolor_cli.color import luma, rgb_to_xyv
from sketchcolor_cli.images import to_tensor
from sketchcolor_cli.model.checkpoint import load_model
from sketchcolor_cli.model.hint_unet import HintUNet
from sketchcolor_cli.model.perceptual import Perceptual

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

SIDE = 256
"""Width and height that pictures are brought to, by area averaging."""

_MODELS = Path(__file__).parent.parent / "models"
PERCEPTUAL = _MODELS / "perceptual" / "perceptual.safetensors"
"""The perceptual network, whose features are taken where it is there."""
DEFAULT = _MODELS / "default.safetensors"
"""The default colour network, whose encoder is taken otherwise."""


class BundledFeatures:
    """The last features of a bundled network, averaged over the picture.

    Attributes:
        name: What the features are called, with the beginning of the file's checksum.
    """

    def __init__(self, path: Path | None = None) -> None:
        path = path or (PERCEPTUAL if PERCEPTUAL.is_file() else DEFAULT)
        network: torch.nn.Module = load_model(path)[0]
        network.requires_grad_(requires_grad=False)
        what, self._see = _seen_by(network)
        checksum = hashlib.sha256(path.read_bytes()).hexdigest()
        self.name = f"{what} of {path.stem} {checksum[:8]}, pictures at {SIDE}×{SIDE}"

    @torch.inference_mode()
    def __call__(self, rgb: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the features (D,) of a picture (H, W, 3) in [0, 1]."""
        small = cv2.resize(rgb, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        features: NDArray[np.float64] = self._see(to_tensor(small)).mean((2, 3))[0].double().numpy()
        return features


def _seen_by(network: torch.nn.Module) -> tuple[str, Callable[[torch.Tensor], torch.Tensor]]:
    """Return what the features are, and what gives them as a map."""
    if isinstance(network, Perceptual):
        return "last features", lambda rgb: network(rgb_to_xyv(rgb)).taps[-1]
    if not isinstance(network, HintUNet):
        raise TypeError(f"no features are known of {type(network).__name__}")
    caught: list[torch.Tensor] = []
    network.bottom[-1].register_forward_hook(lambda _module, _given, out: caught.append(out))

    def see(rgb: torch.Tensor) -> torch.Tensor:
        caught.clear()
        network(luma(rgb), torch.cat([rgb, torch.ones_like(rgb[:, :1])], 1))
        return caught[-1]

    return "deepest features", see
