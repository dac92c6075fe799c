"""A matcher computed by ONNX Runtime; without torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sketchcolor_cli.compute.graphs import Network, read_tensors

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Array = NDArray[np.float32]


class OnnxMatch:
    """See :class:`sketchcolor_cli.networks.forward.MatchForward`.

    Raises:
        DeviceError: ONNX Runtime is not installed.
        CheckpointError: The graph or the model is damaged.
    """

    def __init__(self, graph: Path, model: Path) -> None:
        tensors = read_tensors(model)
        self._network = Network(graph, tensors)
        about = self._network.about
        self.stride, self.multiple, self.cell = (int(about[name]) for name in ("stride", "multiple", "cell"))
        self.sharpness = float(np.exp(tensors["sharpness"][0]))

    def queries(self, lines: Array, colors: Array) -> Array:
        """See :class:`MatchForward`."""
        return self._described("queries", lines, colors)

    def keys(self, lines: Array, colors: Array) -> Array:
        """See :class:`MatchForward`."""
        return self._described("keys", lines, colors)

    def _described(self, name: str, lines: Array, colors: Array) -> Array:
        planes = np.ascontiguousarray(colors.transpose(2, 0, 1), np.float32)
        given = {"sketch": np.ascontiguousarray(lines, np.float32)[None, None], "colors": planes[None]}
        found: Array = self._network.run([name], given)[0][0]
        return found
