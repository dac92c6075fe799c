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
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from sketchcolor_cli import __version__
from sketchcolor_cli.compute import graphs, onnx
from sketchcolor_cli.errors import CheckpointError
from sketchcolor_cli.files.atomic import atomic_write
from sketchcolor_cli.networks.base import ColorNet
from sketchcolor_cli.networks.checkpoint import load_model
from sketchcolor_cli.networks.config import config_to_plain
from sketchcolor_cli.networks.graph_files import only_for_training
from sketchcolor_cli.networks.matcher import Matcher

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


CLOSE = 1e-3
"""How far an answer of the file may be from the network's, in the units of each output (L*a*b*, logits)."""

_OPSET = 18
_SIDES = ((2, 3), (4, 5), (9, 6))  # of pictures that are compared, in multiples of what the network takes


@dataclass(frozen=True)
class Exportable:
    """A network as tensors in, tensors out.

    Attributes:
        module: Takes the inputs in their order, None for those that it does not have; returns a tuple.
        make: Returns inputs for a picture of ``height × width``; the last argument says whether what may be
            left out is there.
        multiple: What both sides of pictures are divisible by.
        scales: By input, how many pixels of the picture one of its own stands for; None for a fixed size.
        squares: By input of a fixed height, the side of the squares of which it has any number in a row.
        bare: The same without inputs that are seldom given; None where all of them always are.
        outputs: Names of what is returned.
        about: What the file says of itself, in JSON's types.
        many: Whether it takes any number of pictures at once.
    """

    module: nn.Module
    make: Callable[[int, int, bool], dict[str, Tensor]]
    multiple: int
    scales: Mapping[str, int | None]
    outputs: tuple[str, ...]
    about: dict[str, Any] = field(default_factory=dict)
    squares: Mapping[str, int] = field(default_factory=dict)
    bare: Exportable | None = None
    many: bool = False


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


class _Colors(nn.Module):
    """A colour network whose z is read where it is not a number."""

    def __init__(self, network: ColorNet) -> None:
        super().__init__()
        self.network = network

    def forward(
        self,
        sketch: Tensor,
        hint: Tensor,
        spread: Tensor | None = None,
        sheet: Tensor | None = None,
        z: Tensor | None = None,
    ) -> tuple[Tensor, ...]:
        if z is not None:
            z = torch.where(z.isnan(), self.network.latent_of(hint, sheet), z)
        seen = self.network(sketch, hint, spread=spread, sheet=sheet, z=z)
        given = [self.network.rgb(seen), seen.color]
        if seen.logits is not None:
            given.append(seen.logits.permute(0, 2, 3, 1))  # as it lies in memory
        if z is not None:
            given.append(seen.z)
        return tuple(given)


def of_colors(network: ColorNet, about: Mapping[str, Any]) -> Exportable:
    """Return a colour network as what is exported.

    Inputs are those of :class:`ColorNet` that it has a use for. A ``sheet`` of zeros is none, a ``z`` that is
    not a number (NaN) is read from hint or sheet. Outputs are ``rgb`` (N, 3, h, w), ``color`` (N, C, h, w) in
    the network's own space, ``logits`` (N, h, w, Q) and ``latent`` (N, Z), the z that counted, where it has
    them.
    """
    stride, sheet, colors = network.stride, network.sheet_size, network.lattice()
    length = network.z_size or (len(colors) if sheet and colors is not None else 0)

    def make(height: int, width: int, whole: bool) -> dict[str, Tensor]:
        random = torch.Generator().manual_seed(height)
        given = {"sketch": torch.rand(1, 1, height, width, generator=random)}
        given["hint"] = _layer(height, width, random)
        if stride > 1:
            given["spread"] = torch.rand(1, 4, height // stride, width // stride, generator=random)
        if sheet:
            count = 1 if height > 3 * network.multiple else 2
            given["sheet"] = _layer(sheet, count * sheet, random) * float(whole)
        if length:
            z = torch.rand(1, length, generator=random)
            given["z"] = z / z.sum(1, keepdim=True) if whole else z * torch.nan
        return given

    scales = {"sketch": 1, "hint": 1, "spread": stride, "sheet": None, "z": None}
    outputs = ["rgb", "color", *(["logits"] if colors is not None else []), *(["latent"] if length else [])]
    facts = {
        **about,
        "stride": stride,
        "multiple": network.multiple,
        "sheet_size": sheet,
        "z_size": network.z_size,
        "lattice": None if colors is None else colors.tolist(),
    }
    squares = {"sheet": sheet} if sheet else {}
    return Exportable(_Colors(network).eval(), make, network.multiple, scales, tuple(outputs), facts, squares)


class _ColorsAlone(nn.Module):
    """A colour network without a sheet, and with no z of its own."""

    def __init__(self, network: ColorNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, sketch: Tensor, hint: Tensor, spread: Tensor) -> tuple[Tensor, ...]:
        return _Colors(self.network)(sketch, hint, spread)  # type: ignore[no-any-return]


def _without_sheet(network: ColorNet, whole: Exportable) -> Exportable | None:
    """Return a network as it is without sheet and z; None where that is no less work."""
    if not network.sheet_size or network.z_size or network.stride == 1:
        return None

    def make(height: int, width: int, given: bool) -> dict[str, Tensor]:
        inputs = whole.make(height, width, given)
        return {name: inputs[name] for name in ("sketch", "hint", "spread")}

    outputs = tuple(name for name in whole.outputs if name != "latent")
    return Exportable(_ColorsAlone(network).eval(), make, whole.multiple, whole.scales, outputs)


class _Matching(nn.Module):
    """A matcher from lines and colours to what places look for and are found by."""

    def __init__(self, network: Matcher) -> None:
        super().__init__()
        self.network = network

    def forward(self, sketch: Tensor, colors: Tensor) -> tuple[Tensor, ...]:
        features = self.network(sketch, colors)
        return self.network.queries(features), self.network.keys(features)


def of_matcher(network: Matcher, about: Mapping[str, Any]) -> Exportable:
    """Return a matcher as what is exported: ``sketch`` and ``colors`` in, ``queries`` and ``keys`` out."""
    stride = network.config.stride

    def make(height: int, width: int, whole: bool) -> dict[str, Tensor]:
        random = torch.Generator().manual_seed(height)
        colors = _layer(height // stride, width // stride, random) * float(whole)
        return {"sketch": torch.rand(1, 1, height, width, generator=random), "colors": colors}

    facts = {
        **about,
        "stride": stride,
        "multiple": network.multiple,
        "cell": network.cell,
        "sharpness": float(network.sharpness.detach().exp()),
    }
    scales = {"sketch": 1, "colors": stride}
    return Exportable(_Matching(network).eval(), make, network.multiple, scales, ("queries", "keys"), facts)


def of_file(path: Path) -> Exportable:
    """Return the network of a model file as what is exported.

    Raises:
        CheckpointError: The file is missing or damaged, or its network is of use only in training.
    """
    network: Any
    network, info = load_model(path)
    exportable = of_network(
        network, {"licence": info.licence, "provenance": info.provenance, "version": __version__}
    )
    if exportable is None:
        raise only_for_training(path, info.architecture)
    return exportable


def of_network(network: Any, about: Mapping[str, Any]) -> Exportable | None:
    """Return a network as what is exported, with its shape; None where only training has a use for it."""
    if not isinstance(network, ColorNet | Matcher):
        return None
    shape = {"architecture": network.config.architecture, "config": config_to_plain(network.config)}
    of: Any = of_colors if isinstance(network, ColorNet) else of_matcher
    exportable: Exportable = of(network, {**shape, **about})
    if isinstance(network, ColorNet):
        return replace(exportable, bare=_without_sheet(network, exportable))
    return exportable


class Plain(nn.Module):
    """A network from one tensor to another."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, rgb: Tensor) -> tuple[Tensor]:
        """Return what the network gives, as the only one."""
        return (self.network(rgb),)


def of_pictures(network: nn.Module, multiple: int) -> Exportable:
    """Return a network of an extractor as what is exported: ``rgb`` (1, 3, H, W) in, ``logits`` out."""
    return Exportable(Plain(network).eval(), _colored, multiple, {"rgb": 1}, ("logits",))


def _colored(height: int, width: int, whole: bool) -> dict[str, Tensor]:
    """Return a picture, or a dark one."""
    random = torch.Generator().manual_seed(height)
    return {"rgb": torch.rand(1, 3, height, width, generator=random) * (1.0 if whole else 0.2)}


class _Drawing(nn.Module):
    """A sketcher, with the network in it as a part that the exporter sees."""

    def __init__(self, sketcher: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.sketcher = sketcher
        inside = getattr(sketcher, "network", None)
        if isinstance(inside, nn.Module):
            self.network = inside

    def forward(self, rgb: Tensor) -> tuple[Tensor]:
        return (self.sketcher(rgb),)


def of_sketcher(
    sketcher: Callable[[Tensor], Tensor], multiple: int, minimum: int, about: Mapping[str, Any]
) -> Exportable:
    """Return a loaded extractor as what is exported: ``rgb`` (1, 3, H, W) in, ``sketch`` (1, 1, H, W) out.

    Its parameters, as it was loaded, are part of it. ``multiple`` and ``minimum`` are those of its sizes.
    """
    multiple = multiple * -(-max(minimum, 16) // (2 * multiple))  # so that twice that is large enough
    return Exportable(_Drawing(sketcher).eval(), _colored, multiple, {"rgb": 1}, ("sketch",), dict(about))


def _layer(height: int, width: int, random: torch.Generator) -> Tensor:
    """Return colours and where they are given, in the left half."""
    mask = torch.zeros(1, 1, height, width)
    mask[..., : width // 2] = 1
    return torch.cat([torch.rand(1, 3, height, width, generator=random) * mask, mask], 1)
