"""The FID Inception network, ready to run: arrays in, arrays out, whatever library computes it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Protocol

import numpy as np

from sketchcolor_cli.compute import onnx, slim
from sketchcolor_cli.networks.backend import best_time

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from numpy.typing import NDArray

    from sketchcolor_cli.networks.backend import Backends

    Array = NDArray[np.float32]

SIDE = 299
"""Height and width of the pictures that the network sees."""

_TRIAL = 4  # pictures by which a trial is made


class FeatureNetwork(Protocol):
    """Pictures (N, 3, 299, 299) in [−1, 1] to features (N, dims).

    Attributes:
        most: How many pictures it is best shown at once, at most; None where more are never slower.
    """

    most: int | None

    def __call__(self, pictures: Array) -> Array:
        """Return the features."""
        ...

    def side_by_side(self) -> AbstractContextManager[int]:
        """Share the cores among calls of several threads; yields how many threads there should be."""
        ...


def open_network(
    path: Path, dims: int, device: str = "cpu", backends: Backends | None = None, *, threads: int = 1
) -> FeatureNetwork:
    """Open the network with the weights of a file, computed as ``backends`` say, or by torch.

    ``threads`` are those of one call by ONNX Runtime: 1 where calls go side by side, 0 for all cores.

    Raises:
        WeightError: The file is missing, damaged, or of another network.
        DeviceError: What is to compute is not installed, or not for this device.
    """
    if backends is not None:
        backends.refuse_other_than(device)
    if backends is None or not _may_be_onnx(path, device, backends):
        slim.require_torch(f"--backend {backends.wanted if backends else 'torch'}")
        return _by_torch(path, dims, device)
    from sketchcolor_cli.evaluation.fid.onnx_inception import OnnxInception

    found = OnnxInception(path, dims, threads)
    other = cache(lambda: _by_torch(path, dims, device))
    return found if backends.is_chosen(found.name, lambda: _times(found, other())) else other()


def _may_be_onnx(path: Path, device: str, backends: Backends) -> bool:
    """Return whether ONNX Runtime may compute; other files than safetensors take torch to be read."""
    if backends.wanted != "auto":
        return backends.wanted == "onnx"
    needs_torch = path.suffix != ".safetensors" and slim.has_torch()
    return device == "cpu" and onnx.is_installed() and not needs_torch


def _by_torch(path: Path, dims: int, device: str) -> FeatureNetwork:
    from sketchcolor_cli.evaluation.fid.inception import load_inception  # imports torch

    return load_inception(path, dims, device)


def _times(by_onnx: FeatureNetwork, by_torch: FeatureNetwork) -> dict[str, float]:
    exact = _seconds(by_torch)
    return {"torch": exact, "brief": exact, "onnx": _seconds(by_onnx)}


def _seconds(network: FeatureNetwork) -> float:
    pictures = np.ones((_TRIAL, 3, SIDE, SIDE), np.float32)
    with network.side_by_side():
        return best_time(lambda: network(pictures))
