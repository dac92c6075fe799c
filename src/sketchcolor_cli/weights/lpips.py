"""The two parts of LPIPS, a trunk and its heads: their tensors, and the files in which they are published."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sketchcolor_cli.errors import WeightError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor

TRUNK = {
    "features.0": (64, 3, 11, 11),
    "features.3": (192, 64, 5, 5),
    "features.6": (384, 192, 3, 3),
    "features.8": (256, 384, 3, 3),
    "features.10": (256, 256, 3, 3),
}
"""AlexNet's convolutions by torchvision's names: out, in, height, width."""

# Where in alexnet.ckpt the numbers of each convolution begin.
_KERNELS = (210, 93_510, 1_323_186, 3_979_040, 7_519_118)
_BIASES = (93_188, 1_322_351, 3_977_436, 7_518_026, 9_878_456)


def trunk_layout() -> dict[str, Tensor]:
    """Return the 10 tensors of AlexNet's convolutions, on the "meta" device."""
    import torch

    shapes: dict[str, tuple[int, ...]] = {}
    for name, shape in TRUNK.items():
        shapes |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    return {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}


def heads_layout() -> dict[str, Tensor]:
    """Return the weight of each channel of each of the five convolutions, on the "meta" device."""
    import torch

    widths = [shape[0] for shape in TRUNK.values()]
    return {
        f"lin{number}.model.1.weight": torch.empty((1, width, 1, 1), device="meta")
        for number, width in enumerate(widths)
    }


def without_classifier(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Leave out the classifier, which LPIPS does not look at, and which is most of the file."""
    return {name: tensor for name, tensor in tensors.items() if not re.match(r"classifier\.", name)}


def read_dump(path: Path) -> dict[str, Tensor]:
    """Return the convolutions in alexnet.ckpt: numbers of float32, kernels as height, width, in, out.

    It is a pickle, which could run anything and is not unpickled: as the file is known to the last bit, so is
    where its numbers lie.

    Raises:
        WeightError: It is another file.
    """
    import torch

    try:
        data = bytearray(path.read_bytes())
    except OSError as error:
        raise WeightError(f"{path}: cannot be read ({error.strerror})") from error
    tensors: dict[str, Tensor] = {}
    places = zip(TRUNK.items(), _KERNELS, _BIASES, strict=True)
    for (name, (outs, ins, height, width)), kernel, bias in places:
        count = outs * ins * height * width
        if len(data) < max(kernel + 4 * count, bias + 4 * outs):
            raise WeightError(f"{path}: not the AlexNet dump that is known")
        flat = torch.frombuffer(data[kernel : kernel + 4 * count], dtype=torch.float32)
        tensors[f"{name}.weight"] = flat.reshape(height, width, ins, outs).permute(3, 2, 0, 1)
        tensors[f"{name}.bias"] = torch.frombuffer(data[bias : bias + 4 * outs], dtype=torch.float32)
    return tensors
