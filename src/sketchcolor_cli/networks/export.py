"""Networks as ONNX files, for programs in other languages; as graphs without weights, for ``--backend onnx``.

A file takes one picture at a time, of every size that the network takes. Before it is kept, its answers are
compared with the network's, at several sizes, with and without what may be left out: the exporter can succeed
and be wrong.
"""

from __future__ import annotations

import importlib.util
import json
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from sketchcolor_cli.compute import graphs, onnx
from sketchcolor_cli.errors import CheckpointError
from sketchcolor_cli.files.atomic import atomic_write

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from sketchcolor_cli.networks.exportable import Exportable


CLOSE = 1e-3
"""How far an answer of the file may be from the network's, in the units of each output (L*a*b*, logits)."""

_OPSET = 18
_SIDES = ((2, 3), (4, 5), (9, 6))  # of pictures that are compared, in multiples of what the network takes


def require() -> None:
    """Refuse to go on without what writes ONNX files.

    Raises:
        CheckpointError: It is not installed.
    """
    for name in ("onnx", "onnxscript", "onnxruntime"):
        if importlib.util.find_spec(name) is None:
            raise CheckpointError(
                f"ONNX files need {name}, which is not installed; pip install onnx onnxruntime onnxscript"
            )


def export(what: Exportable, path: Path, *, half: bool = False) -> float:
    """Write a network as an ONNX file, whole and verified or not at all.

    With ``half``, weights are rounded to 16 bits, and stored so where they are in the file as they are: some
    become one with the normalisation beside them. It still computes in 32.

    Returns:
        The greatest difference of its answers from the network's.

    Raises:
        CheckpointError: What writes ONNX files is missing, the network cannot be exported, the file answers
            otherwise than the network, or cannot be written.
    """
    require()
    if half:
        _round_weights(what.module)
    with atomic_write(path, CheckpointError) as temporary:
        _write(what, temporary, half=half)
        off = difference(what, onnx.session(temporary).run)
        _refuse_other(path, off)
    return off


def export_graph(what: Exportable, path: Path) -> float:
    """Write the graph of a network, without its weights, whole and verified or not at all.

    Returns and raises as :func:`export`.
    """
    require()
    with atomic_write(path, CheckpointError) as temporary:
        tensors = tensors_of(what)
        parts = {graphs.WHOLE: what, graphs.BARE: what.bare}
        some = {name: part for name, part in parts.items() if part is not None}
        models = {name: _converted(part, optimize=False) for name, part in some.items()}
        about = {
            "tensors": {name: tensor.shape for name, tensor in tensors.items()},
            "filled": {name: _take_out(model, tensors) for name, model in models.items()},
        }
        facts = {name: value for name, value in what.about.items() if name not in tensors}
        data = {name: model.SerializeToString(deterministic=True) for name, model in models.items()}
        graphs.write_graph(temporary, {**facts, **about}, data)
        off = max(
            difference(part, graphs.Network(temporary, tensors, name).run) for name, part in some.items()
        )
        _refuse_other(path, off)
    return off


def _refuse_other(path: Path, off: float) -> None:
    if not off <= CLOSE:
        raise CheckpointError(
            f"{path}: not kept, since its answers differ from the network's by {off:.2g}, more than {CLOSE:g}"
        )


def tensors_of(what: Exportable) -> dict[str, NDArray[np.float32]]:
    """Return the weights of a network that is exported, by their names in its file."""
    return {
        name.removeprefix(graphs.INSIDE): np.ascontiguousarray(tensor.float().numpy())
        for name, tensor in what.module.state_dict().items()
        if name.startswith(graphs.INSIDE) and tensor.is_floating_point()
    }


def _take_out(model: Any, tensors: Mapping[str, NDArray[np.float32]]) -> list[str]:
    """Take the tensors out of a graph; return the names of those that were in it."""
    from onnx import TensorProto

    filled = []
    for tensor in model.graph.initializer:
        name = tensor.name.removeprefix(graphs.INSIDE)
        if name == tensor.name or name not in tensors:
            continue
        filled.append(name)
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (("location", "model"), ("offset", "0"), ("length", str(tensors[name].nbytes))):
            entry = tensor.external_data.add()
            entry.key, entry.value = key, value
    return sorted(filled)


Run = Callable[[list[str], dict[str, Any]], Sequence[Any]]
"""Returns the outputs of these names for these inputs."""


def difference(what: Exportable, run: Run) -> float:
    """Return the greatest difference between the answers of a network and those of ``run``."""
    worst = 0.0
    for down, across in _SIDES:
        for whole in (True, False):
            given = what.make(down * what.multiple, across * what.multiple, whole)
            with torch.inference_mode():
                due = what.module(*given.values())
            answers = run(list(what.outputs), {name: tensor.numpy() for name, tensor in given.items()})
            for tensor, answer in zip(due, answers, strict=True):
                if tuple(tensor.shape) != answer.shape:
                    return float("inf")
                worst = max(worst, float(np.abs(tensor.numpy() - answer).max(initial=0)))
    return worst


def shapes(path: Path) -> tuple[dict[str, list[int | str]], dict[str, list[int | str]]]:
    """Return the shapes of what a file takes and of what it returns, by name."""
    opened = onnx.session(path)
    given, returned = (
        {side.name: list(side.shape) for side in sides}
        for sides in (opened.get_inputs(), opened.get_outputs())
    )
    return given, returned


def _write(what: Exportable, path: Path, *, half: bool) -> None:
    import onnx as files

    model = _converted(what, optimize=True)
    if half:
        _halve(model)
    entry = model.metadata_props.add()
    entry.key, entry.value = onnx.KEY, json.dumps(what.about, ensure_ascii=False, sort_keys=True)
    files.save_model(model, str(path))


def _converted(what: Exportable, *, optimize: bool) -> Any:
    """Return a network as ONNX has it; optimized, weights become one with what is beside them.

    Raises:
        CheckpointError: It cannot be exported.
    """
    inputs = what.make(2 * what.multiple, 3 * what.multiple, True)
    shapes = _free_sides(what, inputs)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # of the exporter's own code, which users cannot mend
        try:
            traced = torch.export.export(
                what.module, tuple(inputs.values()), dynamic_shapes=tuple(shapes), strict=False
            )
            program = torch.onnx.export(
                traced,
                dynamo=True,
                input_names=list(inputs),
                output_names=list(what.outputs),
                opset_version=_OPSET,
                optimize=optimize,
                verbose=False,
            )
        except Exception as error:  # the exporter has many kinds of them, and each means this
            reason = str(error).strip().splitlines()
            raise CheckpointError(
                f"this network cannot be exported as ONNX ({reason[0] if reason else type(error).__name__})"
            ) from error
    assert program is not None  # noqa: S101  (it is, with dynamo)
    model = program.model_proto
    for node in model.graph.node:
        del node.metadata_props[:]  # where in which file of ours it comes from
    del model.graph.value_info[:]
    plane = next((name for name, scale in what.scales.items() if scale == 1), None)
    if plane is not None:
        _name_sides(model, plane, what.multiple)
    return model


def _free_sides(what: Exportable, inputs: Iterable[str]) -> list[Any]:
    """Return which sides of each input may have any length, as torch.export takes it."""
    down, across = (torch.export.Dim(name, min=2, max=4096) for name in ("rows", "columns"))
    shapes: list[Any] = []
    for name in inputs:
        scale = what.scales[name]
        cells = what.multiple // scale if scale else 0
        row = (
            {3: what.squares[name] * torch.export.Dim(f"{name}s", min=1, max=64)}
            if name in what.squares
            else None
        )
        free = {2: cells * down, 3: cells * across} if cells else row
        shapes.append({0: torch.export.Dim("pictures", min=1), **(free or {})} if what.many else free)
    return shapes


def _name_sides(model: Any, of: str, multiple: int) -> None:
    """Call the symbols of height and width ``rows`` and ``columns``, in multiples of what is taken."""
    [shape] = [value.type.tensor_type.shape.dim for value in model.graph.input if value.name == of]
    symbols = [shape[axis].dim_param.removeprefix(f"{multiple}*") for axis in (2, 3)]
    for value in (*model.graph.input, *model.graph.output):
        for side in value.type.tensor_type.shape.dim:
            for symbol, name in zip(symbols, ("rows", "columns"), strict=True):
                if side.dim_param.split("*")[-1] == symbol:
                    side.dim_param = side.dim_param.removesuffix(symbol) + name


@torch.no_grad()
def _round_weights(module: nn.Module) -> None:
    """Round weights as a model file of 16 bits does: matrices and kernels, not vectors."""
    for tensor in module.parameters():
        if tensor.dim() > 1:
            tensor.copy_(tensor.half())


def _halve(model: Any) -> None:
    """Store in 16 bits what loses nothing by it; a node in front of its use makes 32 bits of it again."""
    from onnx import TensorProto, helper, numpy_helper

    nodes = []
    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or len(tensor.dims) < 2:
            continue
        values = numpy_helper.to_array(tensor)
        with np.errstate(over="ignore"):
            short = values.astype(np.float16)
        if not np.array_equal(short.astype(np.float32), values):
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(short, f"{name}.half"))
        nodes.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    rest = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*nodes, *rest])
