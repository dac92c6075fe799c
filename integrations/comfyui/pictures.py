"""Pictures of ComfyUI, tensors (H, W, C) in [0, 1], as PNG files and back."""

from __future__ import annotations

import io

import numpy as np
import torch
from PIL import Image


def to_png(image: torch.Tensor, alpha: torch.Tensor | None = None) -> bytes:
    """Return a picture (H, W, 3), and a mask (h, w) as its opacity, as PNG."""
    picture = Image.fromarray(_bytes(image[..., :3]))
    if alpha is not None:
        mask = Image.fromarray(_bytes(alpha))
        picture.putalpha(mask.resize(picture.size, Image.Resampling.NEAREST))
    packed = io.BytesIO()
    picture.save(packed, "PNG", compress_level=1)
    return packed.getvalue()


def from_png(files: list[bytes]) -> torch.Tensor:
    """Return PNG files of one size as a batch (B, H, W, 3)."""
    pictures = [np.asarray(Image.open(io.BytesIO(file)).convert("RGB"), np.float32) / 255 for file in files]
    return torch.from_numpy(np.stack(pictures))


def _bytes(values: torch.Tensor) -> np.ndarray:
    return (values.detach().cpu().clamp(0, 1) * 255).round().byte().numpy()
