"""The FID Inception network by ONNX Runtime: a graph, and how a file of weights fills it; without torch."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sketchcolor_cli.compute import graphs, slim
from sketchcolor_cli.errors import CheckpointError, WeightError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    Array = NDArray[np.float32]

_EPSILON = 1e-3  # of the batch norms
_PARTS = "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var"


def graph_file(dims: int) -> Path:
    """Return the network that leads to so many features, without its weights; see tools/make_graphs.py."""
    return Path(__file__).with_name("graphs") / f"inception-{dims}.zip"


class OnnxInception:
    """See :class:`sketchcolor_cli.evaluation.fid.network.FeatureNetwork`; it computes on the processor.

    Args:
        path: The file of weights.
        dims: How many features it gives.
        threads: Of one call; 0 for as many as there are cores.

    Raises:
        WeightError: The file is missing, damaged, or of another network.
        DeviceError: ONNX Runtime is not installed; or torch, which reads what is not in safetensors.
    """

    most: int | None = 8  # of more, what lies between layers does not stay in the caches

    def __init__(self, path: Path, dims: int, threads: int = 1) -> None:
        graph, self._threads = graph_file(dims), threads
        self.name = graph.stem
        tensors = _read(path)
        try:
            due = graphs.read_about(graph)["tensors"]
            inside = {name: tensor for name, tensor in folded(tensors).items() if name in due}
            self._network = graphs.Network(graph, inside, threads=threads)
        except (CheckpointError, KeyError, ValueError) as error:
            raise WeightError(f"{path}: not the weights of the FID Inception network") from error

    def __call__(self, pictures: Array) -> Array:
        """See :class:`FeatureNetwork`."""
        return self._network.run(["features"], {"pictures": pictures})[0]

    @contextmanager
    def side_by_side(self) -> Iterator[int]:
        """See :class:`FeatureNetwork`."""
        yield (os.cpu_count() or 1) if self._threads == 1 else 1


def folded(tensors: Mapping[str, Array]) -> dict[str, Array]:
    """Return the convolutions with their batch norms folded in, by their names in the graphs.

    Raises:
        KeyError: A tensor is missing.
        ValueError: Two do not fit together.
    """
    found = {}
    for name, kernel in tensors.items():
        if not name.endswith(".conv.weight"):
            continue
        stem = name.removesuffix("conv.weight")
        scale, shift, mean, variance = (tensors[stem + part] for part in _PARTS)
        factor = scale / np.sqrt(variance + np.float32(_EPSILON))
        found[f"blocks.{stem}conv.weight"] = kernel * factor[:, None, None, None]
        found[f"blocks.{stem}conv.bias"] = shift - mean * factor
    return found


def _read(path: Path) -> dict[str, Array]:
    if not path.is_file():
        raise WeightError(f"{path}: no such file; check the path of the weights")
    if path.suffix == ".safetensors":
        try:
            return graphs.read_tensors(path)
        except CheckpointError as error:
            raise WeightError(f"{path}: cannot be read as weights; fetch them again") from error
    slim.require_torch(path.name)
    from sketchcolor_cli.evaluation.fid.inception import read_weights  # imports torch

    return {name: tensor.float().numpy() for name, tensor in read_weights(path).items()}
