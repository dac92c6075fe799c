"""A colour network computed by torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from sketchcolor_cli.color import spaces
from sketchcolor_cli.compute.tensors import to_planes, to_tensor
from sketchcolor_cli.networks.forward import Possible

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from sketchcolor_cli.networks.base import ColorNet, Prediction
    from sketchcolor_cli.networks.config import ModelConfig
    from sketchcolor_cli.networks.forward import Inputs

    Array = NDArray[np.float32]


class TorchForward:
    """See :class:`sketchcolor_cli.networks.forward.Forward`.

    Attributes:
        network: The network itself, which is moved to the device.
    """

    def __init__(self, model: ColorNet, device: str) -> None:
        # In this order in memory, the CPU computes it in two thirds of the time.
        self.network = model.to(device).to(memory_format=torch.channels_last).eval()
        self.config: ModelConfig | None = getattr(model, "config", None)
        self.device = device
        self.stride, self.multiple = model.stride, model.multiple
        self.sheet_size, self.z_size = model.sheet_size, model.z_size
        lattice = model.lattice()
        self.colors: Array | None = None if lattice is None else lattice.cpu().numpy()

    @torch.inference_mode()
    def paint(self, inputs: Inputs, precision: str = "float32") -> Array:
        """See :class:`Forward`."""
        with torch.autocast(
            torch.device(self.device).type, getattr(torch, precision), enabled=precision != "float32"
        ):
            rgb = self.network.rgb(self._seen(inputs))
        lab = spaces.rgb_to_lab(rgb.float())
        return lab[0].permute(1, 2, 0).contiguous().cpu().numpy()

    @torch.inference_mode()
    def possible(self, inputs: Inputs) -> Possible:
        """See :class:`Forward`."""
        seen = self._seen(inputs)
        assert seen.logits is not None  # noqa: S101  (what has a lattice gives them)
        return Possible(_planes(seen.logits), _planes(seen.color)[0], _code(seen))

    @torch.inference_mode()
    def latent(self, inputs: Inputs) -> Array | None:
        """See :class:`Forward`."""
        return _code(self._seen(inputs))

    def _seen(self, inputs: Inputs) -> Prediction:
        z = None if inputs.z is None else to_tensor(inputs.z)[None]
        prediction: Prediction = self.network(
            self._batch(inputs.sketch[..., None]),
            self._batch(inputs.hint),
            spread=None if inputs.spread is None else self._batch(inputs.spread),
            sheet=None if inputs.sheet is None else self._batch(inputs.sheet),
            z=None if z is None else z.to(self.device),
        )
        return prediction

    def _batch(self, planes: Array) -> Tensor:
        return to_planes(planes)[None].to(self.device)


def _planes(batch: Tensor) -> Array:
    """Return a batch of one as an array."""
    return batch[0].float().cpu().numpy()


def _code(seen: Prediction) -> Array | None:
    return None if seen.z is None else _planes(seen.z)
