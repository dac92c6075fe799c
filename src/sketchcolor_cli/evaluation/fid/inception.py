"""The FID Inception network: pytorch-fid's own modules, rearranged to give the same numbers sooner."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any

import pytorch_fid.inception
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchvision.models.inception import BasicConv2d

from sketchcolor_cli.errors import WeightError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SIDE = 299
"""Height and width of the pictures that the network sees."""

_CLASSES, _LAST = 1008, 2048
_BUILDING = Lock()


class FidInception(nn.Module):
    """Pictures (N, 3, 299, 299) in [−1, 1] to features (N, dims), in float32.

    Each batch norm is folded into its convolution, and tensors lie channels last; features differ from those
    of pytorch-fid by rounding, about 1e-5.
    """

    def __init__(self, tensors: Mapping[str, Tensor], dims: int) -> None:
        super().__init__()
        block = pytorch_fid.inception.InceptionV3.BLOCK_INDEX_BY_DIM[dims]
        network = _build(tensors, block)
        _fold(network)
        self.blocks = network.blocks.to(memory_format=torch.channels_last)
        self.dims = dims
        self.eval().requires_grad_(requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the features, averaged over the picture where the block gives a map."""
        x = x.contiguous(memory_format=torch.channels_last)
        for block in self.blocks:
            x = block(x)
        return x.mean((2, 3))


def load_inception(path: Path, dims: int, device: str) -> FidInception:
    """Load the network from a file of its weights: pytorch-fid's own (.pth), or .safetensors of these names.

    Raises:
        WeightError: the file is missing, damaged, or of another network.
    """
    try:
        if path.suffix == ".safetensors":
            tensors = load_file(path)
        else:
            tensors = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise WeightError(f"{path}: no such file; check the path of the weights") from error
    except MemoryError:
        raise
    except Exception as error:  # what torch raises for damaged files has no common base
        raise WeightError(f"{path}: cannot be read as weights; fetch them again") from error
    try:
        return FidInception(tensors, dims).to(device)
    except (RuntimeError, AttributeError, TypeError, KeyError, SafetensorError) as error:
        raise WeightError(f"{path}: not the weights of the FID Inception network") from error


def _build(tensors: Mapping[str, Tensor], last_block: int) -> Any:
    """Build pytorch-fid's network with these weights; its constructor would fetch them from the net."""
    whole = {
        "fc.weight": torch.zeros(_CLASSES, _LAST),  # the classifier, which features do not need
        "fc.bias": torch.zeros(_CLASSES),
        **tensors,
    }
    module = pytorch_fid.inception
    with _BUILDING:
        fetch = module.load_state_dict_from_url
        module.load_state_dict_from_url = lambda *_args, **_kwargs: _with_counters(whole)
        try:
            return module.InceptionV3([last_block]).eval()
        finally:
            module.load_state_dict_from_url = fetch


def _with_counters(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Add the counters of seen batches, which every batch norm has and none uses any more."""
    counters = {
        name.replace("running_mean", "num_batches_tracked"): torch.tensor(0)
        for name in tensors
        if name.endswith(".running_mean")
    }
    return {**counters, **tensors}


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
