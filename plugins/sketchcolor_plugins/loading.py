"""Networks of which the weights are published: built without numbers, then filled from a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import torch
from safetensors.torch import load_file
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torch import Tensor

    from sketchcolor_cli import Resources

_M = TypeVar("_M", bound=nn.Module)


def layout(build: Callable[[], nn.Module]) -> dict[str, Tensor]:
    """Return the names, shapes and types of a network's tensors, without their numbers."""
    with torch.device("meta"):
        return build().state_dict()


def load(build: Callable[[], _M], path: Path) -> _M:
    """Return a network with the weights of a safetensors file, whose names and shapes must be just its own.

    It is on the CPU, in float32, and ready for use, not for training.
    """
    with torch.device("meta"):
        network = build()
    network.load_state_dict(load_file(path), strict=True, assign=True)
    return network.float().eval().requires_grad_(False)


def place(network: _M, resources: Resources) -> _M:
    """Move a network to where it shall compute, in the number format and memory layout that suit it there."""
    dtype: torch.dtype = getattr(torch, resources.precision)
    return network.to(resources.device, dtype).to(memory_format=torch.channels_last)


def like(network: nn.Module, pictures: Tensor) -> Tensor:
    """Return pictures in the number format of a network's weights, and in its memory layout."""
    dtype = next(network.parameters()).dtype
    return pictures.to(dtype).contiguous(memory_format=torch.channels_last)
