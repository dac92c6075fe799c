"""A matcher computed by torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from sketchcolor_cli.compute.tensors import to_planes

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from sketchcolor_cli.networks.matcher import Matcher

    Array = NDArray[np.float32]


class TorchMatch:
    """See :class:`sketchcolor_cli.networks.forward.MatchForward`."""

    def __init__(self, network: Matcher, device: str) -> None:
        self._network = network.to(device).to(memory_format=torch.channels_last).eval()  # as in TorchForward
        self._device = device
        self.stride, self.multiple, self.cell = network.config.stride, network.multiple, network.cell
        self.sharpness = float(network.sharpness.detach().exp())

    def queries(self, lines: Array, colors: Array) -> Array:
        """See :class:`MatchForward`."""
        return self._described(self._network.queries, lines, colors)

    def keys(self, lines: Array, colors: Array) -> Array:
        """See :class:`MatchForward`."""
        return self._described(self._network.keys, lines, colors)

    @torch.inference_mode()
    def _described(self, of: Callable[[Tensor], Tensor], lines: Array, colors: Array) -> Array:
        found: Array = of(self._network(self._batch(lines[..., None]), self._batch(colors)))[0].cpu().numpy()
        return found

    def _batch(self, planes: Array) -> Tensor:
        return to_planes(planes)[None].to(self._device)
