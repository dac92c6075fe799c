"""Graphs of networks without weights, and networks of them, computed by ONNX Runtime.

A graph is a ZIP archive of ``graph.onnx``, in which the trained numbers are missing, and ``about.json``,
which says what it is and which tensors belong into it. The numbers come out of the safetensors file that
torch reads, too. So there is one copy of them, and only making a graph needs torch. Beside ``graph.onnx`` may
lie ``bare.onnx``, the same without inputs that are seldom given, and without what is computed for them.
"""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

from sketchcolor_cli.compute import onnx
from sketchcolor_cli.errors import CheckpointError
from sketchcolor_cli.files.atomic import atomic_write

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Array = NDArray[np.float32]

INSIDE = "network."
"""What the names of tensors begin with in a graph, whose network is a part of what was exported."""

WHOLE, BARE = "graph.onnx", "bare.onnx"
"""Names of graphs in an archive: of all inputs, and of those that are always given."""

_ABOUT = "about.json"


class Network:
    """A graph filled with the tensors of a model.

    Args:
        graph: Its file.
        tensors: The numbers, by their names.
        part: The name of the graph in the archive.
        threads: How many compute; 0 for as many as there are cores.
        planned: Whether memory is planned as a whole, as suits small pictures (see ``onnx.session``).

    Attributes:
        about: What the graph says of itself.
        inputs: The shape of each input, by name.
        outputs: Names of what it returns.

    Raises:
        DeviceError: ONNX Runtime is not installed.
        CheckpointError: The graph is missing or damaged, or the tensors are not those of its network.
    """

    def __init__(
        self,
        graph: Path,
        tensors: Mapping[str, Array],
        part: str = WHOLE,
        threads: int = 0,
        *,
        planned: bool = True,
    ) -> None:
        self.about, data = _read_graph(graph, part)
        self._weights = _fitting(self.about, tensors, part)  # ONNX Runtime reads them where they are
        self._session = onnx.session(data, threads, self._weights, planned=planned)
        self._options: Any = None
        self.inputs = {given.name: given.shape for given in self._session.get_inputs()}
        self.outputs = [answer.name for answer in self._session.get_outputs()]

    def run(self, wanted: Sequence[str], given: Mapping[str, Array]) -> list[Array]:
        """Return what is wanted of the outputs, each with an axis for pictures."""
        import onnxruntime

        self._options = onnxruntime.RunOptions()
        found: list[Array] = self._session.run(list(wanted), dict(given), self._options)
        return found

    def stop(self) -> None:
        """End what is computed in another thread, which raises an error of ONNX Runtime there."""
        if self._options is not None:
            self._options.terminate = True


def not_safetensors(path: Path, error: Exception) -> CheckpointError:
    """Return the error of a file that is not what a model is kept in."""
    reason = " ".join(str(error).split())
    return CheckpointError(
        f"{path}: not a safetensors file, or damaged ({reason}); fetch or export the model again"
    )


def not_finite(tensor: str) -> str:
    """Return what is wrong with a model one of whose tensors, by name, holds NaN or infinity."""
    return f"tensor {tensor} has values that are not finite numbers; train or export it again"


def read_tensors(path: Path) -> dict[str, Array]:
    """Return the numbers of a safetensors file, in 32 bits.

    Raises:
        CheckpointError: It is missing or damaged, or numbers are not finite.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as file:
            found = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a dict)
    except (OSError, SafetensorError, TypeError) as error:
        raise not_safetensors(path, error) from error
    tensors = {
        name: np.ascontiguousarray(values, np.float32)
        for name, values in found.items()
        if values.dtype.kind == "f"
    }
    for name, values in tensors.items():
        if not np.isfinite(values).all():
            raise CheckpointError(f"{path}: {not_finite(name)}")
    return tensors


def parts(graph: Path) -> Collection[str]:
    """Return the names of the graphs in an archive, ``WHOLE`` and perhaps ``BARE``.

    Raises:
        CheckpointError: It is missing or damaged.
    """
    return list(read_about(graph)["filled"])


def write_graph(path: Path, about: Mapping[str, Any], made: Mapping[str, bytes]) -> None:
    """Write graphs of these names, whole or not at all; the same graphs give the same bytes.

    Raises:
        CheckpointError: The file cannot be written.
    """
    with (
        atomic_write(path, CheckpointError) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
    ):
        for name, data in ((_ABOUT, json.dumps(about, sort_keys=True).encode()), *made.items()):
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)


def read_about(path: Path) -> dict[str, Any]:
    """Return what a graph says of itself.

    Raises:
        CheckpointError: It is missing or damaged.
    """
    return _read_graph(path, WHOLE)[0]


def _read_graph(path: Path, part: str) -> tuple[dict[str, Any], bytes]:
    try:
        with zipfile.ZipFile(path) as archive:
            about = json.loads(archive.read(_ABOUT))
            if not isinstance(about, dict) or not {"tensors", "filled"} <= about.keys():
                raise ValueError("does not say what it is")  # noqa: TRY301
            return about, archive.read(part)
    except MemoryError:
        raise
    except Exception as error:  # damaged archives make zipfile and zlib raise nearly anything
        raise CheckpointError(f"{path}: not the graph of a network, or damaged") from error


def _fitting(about: Mapping[str, Any], tensors: Mapping[str, Array], part: str) -> dict[str, Array]:
    """Return the tensors that a graph is filled with, by their names in it."""
    shapes = {name: tuple(shape) for name, shape in about["tensors"].items()}
    if missing := shapes.keys() - tensors.keys():
        raise CheckpointError(f"lacks tensor {min(missing)}; it does not fit its own description")
    if more := tensors.keys() - shapes.keys():
        raise CheckpointError(f"has unexpected tensor {min(more)}; it does not fit its own description")
    for name, shape in shapes.items():
        if tensors[name].shape != shape:
            raise CheckpointError(
                f"tensor {name} is {tensors[name].shape}, not {shape}; it does not fit its own description"
            )
    return {INSIDE + name: tensors[name] for name in about["filled"][part]}
