"""A colour network computed by ONNX Runtime: a graph filled with a model's weights; without torch."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from sketchcolor_cli.color.lab import rgb_to_lab
from sketchcolor_cli.compute import graphs
from sketchcolor_cli.errors import CheckpointError
from sketchcolor_cli.networks.config import GeneratorConfig, HintUNetConfig, config_from_plain
from sketchcolor_cli.networks.forward import Possible

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from sketchcolor_cli.networks.config import ModelConfig
    from sketchcolor_cli.networks.forward import Inputs

    Array = NDArray[np.float32]


class OnnxForward:
    """See :class:`sketchcolor_cli.networks.forward.Forward`; it computes on the processor, in float32.

    Where there is neither sheet nor z, it does without what is computed for them alone.

    Raises:
        DeviceError: ONNX Runtime is not installed.
        CheckpointError: The graph or the model is damaged, or not that of a colour network.
    """

    device = "cpu"

    def __init__(self, graph: Path, model: Path) -> None:
        self._graph, self._tensors = graph, graphs.read_tensors(model)
        part = graphs.BARE if graphs.BARE in graphs.parts(graph) else graphs.WHOLE
        try:
            self._usual = graphs.Network(graph, self._tensors, part)
        except CheckpointError as error:
            raise CheckpointError(f"{model}: {error}") from error
        about = self._usual.about
        kinds: dict[str, Any] = {kind.architecture: kind for kind in (GeneratorConfig, HintUNetConfig)}
        try:
            self.config: ModelConfig | None = config_from_plain(kinds[about["architecture"]], about["config"])
            self.stride, self.multiple = int(about["stride"]), int(about["multiple"])
            self.sheet_size, self.z_size = int(about["sheet_size"]), int(about["z_size"])
            lattice = about["lattice"]
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"{graph}: not the graph of a colour network") from error
        self.colors: Array | None = None if lattice is None else np.array(lattice, np.float32)

    def paint(self, inputs: Inputs, precision: str = "float32") -> Array:
        """See :class:`Forward`; the precision is float32."""
        [rgb] = self._run(inputs, "rgb")
        return rgb_to_lab(np.ascontiguousarray(rgb[0].transpose(1, 2, 0)))

    def possible(self, inputs: Inputs) -> Possible:
        """See :class:`Forward`."""
        network = self._network_for(inputs)
        color, logits, *latent = self._run(inputs, "color", "logits", *({"latent"} & {*network.outputs}))
        return Possible(logits[0].transpose(2, 0, 1), color[0, 0], latent[0][0] if latent else None)

    def latent(self, inputs: Inputs) -> Array | None:
        """See :class:`Forward`."""
        return self._run(inputs, "latent")[0][0] if "latent" in self._network_for(inputs).outputs else None

    def stop(self) -> None:
        """End the pass that goes on in another thread, which raises an error of ONNX Runtime."""
        for network in {self._usual, self.__dict__.get("_whole", self._usual)}:
            network.stop()

    @cached_property
    def _whole(self) -> graphs.Network:
        """What takes sheet and z as well; opened when one of them is first given."""
        usual = self._usual
        return usual if "sheet" in usual.inputs else graphs.Network(self._graph, self._tensors)

    def _network_for(self, inputs: Inputs) -> graphs.Network:
        return self._usual if inputs.sheet is None and inputs.z is None else self._whole

    def _run(self, inputs: Inputs, *wanted: str) -> list[Array]:
        given = inputs._replace(sketch=inputs.sketch[..., None])._asdict()
        network = self._network_for(inputs)
        return network.run(
            wanted, {name: self._fed(name, given[name], shape) for name, shape in network.inputs.items()}
        )

    def _fed(self, name: str, given: Array | None, shape: Sequence[Any]) -> Array:
        if given is None and name == "sheet":
            return np.zeros((1, 4, self.sheet_size, self.sheet_size), np.float32)
        if given is None:
            return np.full(shape, np.nan, np.float32)
        planes = given if given.ndim == 1 else given.transpose(2, 0, 1)
        return np.ascontiguousarray(planes, np.float32)[None]
