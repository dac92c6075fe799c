"""The FID Inception network: pytorch-fid's own blocks, arranged to give the same numbers sooner."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from pytorch_fid.inception import FIDInceptionA, FIDInceptionC, FIDInceptionE_1, FIDInceptionE_2
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchvision.models import inception_v3
from torchvision.models.inception import BasicConv2d

from sketchcolor_cli.compute.tensors import to_tensor
from sketchcolor_cli.compute.uninitialized import uninitialized
from sketchcolor_cli.errors import WeightError
from sketchcolor_cli.weights import pickled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float32]

_CLASSES = 1008
_PARTS = {
    64: ("Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "maxpool1"),
    192: ("Conv2d_3b_1x1", "Conv2d_4a_3x3", "maxpool2"),
    768: ("Mixed_5b", "Mixed_5c", "Mixed_5d", "Mixed_6a", "Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"),
    2048: ("Mixed_7a", "Mixed_7b", "Mixed_7c", "avgpool"),
}
"""The parts of the network in order, in torchvision's names, by the features that they end with."""


class FidInception(nn.Module):
    """Pictures (N, 3, 299, 299) in [−1, 1] to features (N, dims), in float32.

    Each batch norm is folded into its convolution, and tensors lie channels last; features differ from those
    of pytorch-fid by rounding, about 1e-5.
    """

    def __init__(self, tensors: Mapping[str, Tensor], dims: int) -> None:
        """Build what leads to so many features, with weights by pytorch-fid's names."""
        super().__init__()
        self.blocks = _parts(dims)
        self.blocks.load_state_dict(_of(self.blocks, tensors), assign=True)
        self.eval().requires_grad_(requires_grad=False)
        _fold(self)
        self.to(memory_format=torch.channels_last)
        self.dims = dims

    def forward(self, x: Tensor) -> Tensor:
        """Return the features, averaged over the picture where the block gives a map."""
        x = x.contiguous(memory_format=torch.channels_last)
        for block in self.blocks:
            x = block(x)
        return x.mean((2, 3))


class TorchInception:
    """See :class:`sketchcolor_cli.evaluation.fid.network.FeatureNetwork`."""

    def __init__(self, network: FidInception, device: str) -> None:
        self.network, self.device = network.to(device), torch.device(device)
        self.most: int | None = 8 if self.device.type == "cpu" else None

    def __call__(self, pictures: Array) -> Array:
        """See :class:`FeatureNetwork`."""
        with torch.inference_mode():  # holds for one thread
            batch = to_tensor(pictures).to(self.device)
            features: Array = self.network(batch).cpu().numpy()
        return features

    @contextmanager
    def side_by_side(self) -> Iterator[int]:
        """See :class:`FeatureNetwork`; cores that share a call wait for one another after every layer."""
        cores = torch.get_num_threads() if self.device.type == "cpu" else 1
        if cores == 1:
            yield 1
            return
        torch.set_num_threads(1)
        try:
            yield cores
        finally:
            torch.set_num_threads(cores)


def load_inception(path: Path, dims: int, device: str) -> TorchInception:
    """Load the network from a file of its weights: pytorch-fid's own (.pth), or .safetensors of these names.

    Raises:
        WeightError: the file is missing, damaged, or of another network.
    """
    tensors = read_weights(path)
    try:
        return TorchInception(FidInception(tensors, dims), device)
    except (RuntimeError, AttributeError, TypeError, KeyError, SafetensorError) as error:
        raise WeightError(f"{path}: not the weights of the FID Inception network") from error


def read_weights(path: Path) -> Mapping[str, Tensor]:
    """Return the tensors of a file of weights.

    Raises:
        WeightError: It is missing or damaged.
    """
    try:
        return _read(path)
    except FileNotFoundError as error:
        raise WeightError(f"{path}: no such file; check the path of the weights") from error
    except MemoryError:
        raise
    except Exception as error:  # what torch raises for damaged files has no common base
        raise WeightError(f"{path}: cannot be read as weights; fetch them again") from error


def _read(path: Path) -> Mapping[str, Tensor]:
    if path.suffix != ".safetensors":
        tensors: Mapping[str, Tensor] = pickled.load(path)
        return tensors
    with safe_open(path, "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (it is not a mapping)


def _parts(dims: int) -> nn.Sequential:
    """Return the parts of pytorch-fid's network, without weights, that lead to so many features."""
    with torch.device("meta"), uninitialized():
        network: Any = inception_v3(num_classes=_CLASSES, aux_logits=False, weights=None, init_weights=False)
        network.Mixed_5b = FIDInceptionA(192, pool_features=32)
        network.Mixed_5c = FIDInceptionA(256, pool_features=64)
        network.Mixed_5d = FIDInceptionA(288, pool_features=64)
        network.Mixed_6b = FIDInceptionC(768, channels_7x7=128)
        network.Mixed_6c = FIDInceptionC(768, channels_7x7=160)
        network.Mixed_6d = FIDInceptionC(768, channels_7x7=160)
        network.Mixed_6e = FIDInceptionC(768, channels_7x7=192)
        network.Mixed_7b = FIDInceptionE_1(1280)
        network.Mixed_7c = FIDInceptionE_2(2048)
    chosen = nn.Sequential()
    for reached, names in _PARTS.items():
        for name in names:
            chosen.add_module(name, getattr(network, name))
        if reached == dims:
            break
    return chosen


def _of(parts: nn.Sequential, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors of these parts, with the counters of training, which nothing uses any more."""
    names = set(parts.state_dict())
    found = {name: tensor.float() for name, tensor in tensors.items() if name in names}
    counters = {name: torch.tensor(0) for name in names if name.endswith(".num_batches_tracked")}
    return {**counters, **found}


class _Convolution(nn.Module):
    """A convolution with its batch norm folded in, and a rectifier."""

    def __init__(self, block: BasicConv2d) -> None:
        super().__init__()
        self.conv = fuse_conv_bn_eval(block.conv, block.bn)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu_(self.conv(x))


def _fold(module: nn.Module) -> None:
    for name, child in module.named_children():
        if isinstance(child, BasicConv2d):
            setattr(module, name, _Convolution(child))
        else:
            _fold(child)
