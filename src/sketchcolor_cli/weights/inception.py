"""The Inception-v3 of the Fréchet inception distance: its tensors, and the files in which they are published.

The names are those that pytorch-fid gives them. Its file is a state dict with them; the other is an archive
of raw numbers, whose order is that of ``_convolutions``.
"""

from __future__ import annotations

import math
import re
import zipfile
from typing import TYPE_CHECKING

from sketchcolor_cli.errors import WeightError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from torch import Tensor

    Convolution = tuple[str, tuple[int, int, int, int]]

_UNUSED = re.compile(r"fc\..+|AuxLogits\..+|.+\.num_batches_tracked")


def layout() -> dict[str, Tensor]:
    """Return the 470 tensors of the 94 convolutions, each with its batch norm, on the "meta" device."""
    import torch

    shapes: dict[str, tuple[int, ...]] = {}
    for name, shape in _convolutions():
        shapes[f"{name}.conv.weight"] = shape
        for part in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"{name}.bn.{part}"] = shape[:1]
    return {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}


def without_classifier(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Leave out what no distance is measured on: the classifier, and counters of training."""
    return {name: tensor for name, tensor in tensors.items() if not _UNUSED.fullmatch(name)}


def read_archive(path: Path) -> dict[str, Tensor]:
    """Return the tensors of default_1.pt: numbers of float32, 4 stretches for each convolution.

    It is a TorchScript archive. Neither its code nor its pickle is looked at; what its stretches mean is
    known, as the file is known to the last bit. The batch norms have no weight, which is to say 1.

    Raises:
        WeightError: It is another file.
    """
    import torch

    tensors: dict[str, Tensor] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for index, (name, shape) in enumerate(_convolutions()):
                parts = ("conv.weight", "bn.bias", "bn.running_mean", "bn.running_var")
                for offset, part in enumerate(parts):
                    data = bytearray(archive.read(f"out_jit_module/data/{4 * index + offset}"))
                    due = shape if offset == 0 else shape[:1]
                    if len(data) != 4 * math.prod(due):
                        raise WeightError(f"{path}: not the Inception archive that is known")
                    tensors[f"{name}.{part}"] = torch.frombuffer(data, dtype=torch.float32).reshape(due)
                tensors[f"{name}.bn.weight"] = torch.ones(shape[0])
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise WeightError(f"{path}: not the Inception archive that is known") from error
    return tensors


def _convolutions() -> Iterator[Convolution]:
    """Give the name of each convolution and its shape: out, in, height, width."""
    yield from _stem()
    yield from _blocks_of_17()
    yield from _blocks_of_8()


def _stem() -> Iterator[Convolution]:
    """Give the convolutions down to maps of 35×35."""
    yield "Conv2d_1a_3x3", (32, 3, 3, 3)
    yield "Conv2d_2a_3x3", (32, 32, 3, 3)
    yield "Conv2d_2b_3x3", (64, 32, 3, 3)
    yield "Conv2d_3b_1x1", (80, 64, 1, 1)
    yield "Conv2d_4a_3x3", (192, 80, 3, 3)
    for block, width, pooled in (("Mixed_5b", 192, 32), ("Mixed_5c", 256, 64), ("Mixed_5d", 288, 64)):
        yield f"{block}.branch1x1", (64, width, 1, 1)
        yield f"{block}.branch5x5_1", (48, width, 1, 1)
        yield f"{block}.branch5x5_2", (64, 48, 5, 5)
        yield f"{block}.branch3x3dbl_1", (64, width, 1, 1)
        yield f"{block}.branch3x3dbl_2", (96, 64, 3, 3)
        yield f"{block}.branch3x3dbl_3", (96, 96, 3, 3)
        yield f"{block}.branch_pool", (pooled, width, 1, 1)


def _blocks_of_17() -> Iterator[Convolution]:
    """Give the convolutions on the way to maps of 17×17 and on them."""
    yield "Mixed_6a.branch3x3", (384, 288, 3, 3)
    yield "Mixed_6a.branch3x3dbl_1", (64, 288, 1, 1)
    yield "Mixed_6a.branch3x3dbl_2", (96, 64, 3, 3)
    yield "Mixed_6a.branch3x3dbl_3", (96, 96, 3, 3)
    for block, narrow in (("Mixed_6b", 128), ("Mixed_6c", 160), ("Mixed_6d", 160), ("Mixed_6e", 192)):
        yield f"{block}.branch1x1", (192, 768, 1, 1)
        yield f"{block}.branch7x7_1", (narrow, 768, 1, 1)
        yield f"{block}.branch7x7_2", (narrow, narrow, 1, 7)
        yield f"{block}.branch7x7_3", (192, narrow, 7, 1)
        yield f"{block}.branch7x7dbl_1", (narrow, 768, 1, 1)
        yield f"{block}.branch7x7dbl_2", (narrow, narrow, 7, 1)
        yield f"{block}.branch7x7dbl_3", (narrow, narrow, 1, 7)
        yield f"{block}.branch7x7dbl_4", (narrow, narrow, 7, 1)
        yield f"{block}.branch7x7dbl_5", (192, narrow, 1, 7)
        yield f"{block}.branch_pool", (192, 768, 1, 1)


def _blocks_of_8() -> Iterator[Convolution]:
    """Give the convolutions on the way to maps of 8×8 and on them."""
    yield "Mixed_7a.branch3x3_1", (192, 768, 1, 1)
    yield "Mixed_7a.branch3x3_2", (320, 192, 3, 3)
    yield "Mixed_7a.branch7x7x3_1", (192, 768, 1, 1)
    yield "Mixed_7a.branch7x7x3_2", (192, 192, 1, 7)
    yield "Mixed_7a.branch7x7x3_3", (192, 192, 7, 1)
    yield "Mixed_7a.branch7x7x3_4", (192, 192, 3, 3)
    for block, width in (("Mixed_7b", 1280), ("Mixed_7c", 2048)):
        yield f"{block}.branch1x1", (320, width, 1, 1)
        yield f"{block}.branch3x3_1", (384, width, 1, 1)
        yield f"{block}.branch3x3_2a", (384, 384, 1, 3)
        yield f"{block}.branch3x3_2b", (384, 384, 3, 1)
        yield f"{block}.branch3x3dbl_1", (448, width, 1, 1)
        yield f"{block}.branch3x3dbl_2", (384, 448, 3, 3)
        yield f"{block}.branch3x3dbl_3a", (384, 384, 1, 3)
        yield f"{block}.branch3x3dbl_3b", (384, 384, 3, 1)
        yield f"{block}.branch_pool", (192, width, 1, 1)
