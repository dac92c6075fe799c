"""Readers of numbers: model files, statistics, published weights, Torch7's files, states of training."""

from __future__ import annotations

import io
import json
import struct
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fuzzing.changes import blind, decimals, safetensors, tree, words, zip_parts
from fuzzing.reader import Reader

if TYPE_CHECKING:
    import random

    from fuzzing.reader import Seeds


@cache
def models() -> Seeds:
    """A small network of each kind whose file is read."""
    import torch

    from sketchcolor_cli.networks import config as shapes
    from sketchcolor_cli.networks.checkpoint import _NETWORKS, save_model

    torch.manual_seed(0)
    small: dict[type, dict[str, Any]] = {
        shapes.HintUNetConfig: {"widths": (8, 16), "depths": (1, 1), "lab_step": 24.0}
    }
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for config, network in _NETWORKS.values():
            path = Path(folder) / "model.safetensors"
            model: Any = network(config(**small.get(config, {})))
            if sum(tensor.numel() for tensor in model.parameters()) > 3_000_000:
                continue
            save_model(path, model, provenance={"data": "none"}, licence="CC0-1.0", half=True)
            found.append((".safetensors", path.read_bytes()))
    return found


def read_model(path: Path) -> None:
    from sketchcolor_cli.errors import CheckpointError
    from sketchcolor_cli.networks.checkpoint import load_model
    from sketchcolor_cli.networks.registry import read_header

    try:
        header = read_header(path)
        json.dumps([header.architecture, header.parameters, header.provenance, header.config])
    except CheckpointError:
        header = None
    network: Any = load_model(path)[0]
    assert header is not None, "the one reader refuses what the other takes"
    assert all(bool(tensor.isfinite().all()) for tensor in network.state_dict().values())


def statistics() -> Seeds:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(20, 16)).astype(np.float32)
    plain = {"mu": features.mean(0).astype(np.float64), "sigma": np.cov(features.T)}
    ours = {
        **plain,
        "count": np.array(20),
        "looking_otherwise": np.array(0),
        "about": np.array('{"network": "x"}'),
        "features": features,
    }
    found = []
    for arrays, write in ((plain, np.savez), (ours, np.savez), (ours, np.savez_compressed)):
        file = io.BytesIO()
        write(file, **arrays)
        found.append((".npz", file.getvalue()))
    return found


def npy(chance: random.Random, data: bytes) -> bytes:
    """Change the header of an array, its length right."""
    if data[:6] != b"\x93NUMPY":
        return blind(chance, data)
    length = int.from_bytes(data[8:10], "little")
    head = data[10 : 10 + length]
    head = chance.choice(
        (
            decimals,
            words("<f8", "|O", "<U9", "|V8", "<c16", "|b1", ">i2", "<M8", "True", "()", "(3,)", "(", ","),
        )
    )(chance, head)
    head = head.rstrip() + b" " * (-len(head.rstrip()) % 64 - 11) + b"\n"
    return data[:8] + min(len(head), 65535).to_bytes(2, "little") + head + data[10 + length :]


def read_statistics(path: Path) -> None:
    from sketchcolor_cli.evaluation.fid.statistics import read_statistics

    found = read_statistics(path)
    assert found.moments.covariance.shape == (len(found.moments.mean),) * 2
    assert found.features is None or found.features.dtype != object


@cache
def published() -> Seeds:
    """State dicts as torch and safetensors write them, and a file of the store."""
    import torch
    from safetensors.torch import save

    from sketchcolor_cli.weights.convert import pack
    from sketchcolor_cli.weights.format import Record, write_weights

    tensors = {
        "a.weight": torch.arange(24.0).reshape(2, 3, 2, 2),
        "a.bias": torch.ones(2),
        "n": torch.tensor(3),
    }
    found = [(".safetensors", save(tensors))]
    for content, zipped in (
        (tensors, True),
        (tensors, False),
        ({"state_dict": {f"module.{name}": tensor for name, tensor in tensors.items()}, "epoch": 3}, True),
    ):
        file = io.BytesIO()
        torch.save(content, file, _use_new_zipfile_serialization=zipped)
        found.append((".pth", file.getvalue()))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.safetensors"
        record = Record("x", "CC0", "x.pth", ("sha256:ab",), False, "a file of the user")
        write_weights(path, {name: pack(path, name, tensor) for name, tensor in tensors.items()}, record)
        found.append((".stored.safetensors", path.read_bytes()))
    return found


def read_weights(path: Path) -> None:
    from sketchcolor_cli.weights.convert import pack, read_tensors
    from sketchcolor_cli.weights.format import check_digest, read_record

    if path.name.endswith(".stored.safetensors"):
        read_record(path)
        check_digest(path)
        return
    for name, tensor in read_tensors(path).items():
        pack(path, name, tensor)


class _Torch7:
    """Writes objects in the form of Torch7, each with a number of its own."""

    def __init__(self) -> None:
        self._count = iter(range(1, 99))

    def object(self, name: str, body: bytes) -> bytes:
        return struct.pack("<ii", 4, next(self._count)) + _text("V 1") + _text(name) + body

    def table(self, *entries: bytes) -> bytes:
        return struct.pack("<iii", 3, next(self._count), len(entries)) + b"".join(entries)

    def tensor(self, *shape: int) -> bytes:
        size = int(np.prod(shape))
        steps = [int(np.prod(shape[axis + 1 :])) for axis in range(len(shape))]
        numbers = np.arange(size, dtype="<f4").tobytes()
        storage = self.object("torch.FloatStorage", struct.pack("<q", size) + numbers)
        head = struct.pack(f"<i{2 * len(shape)}qq", len(shape), *shape, *steps, 1)
        return self.object("torch.FloatTensor", head + storage)


def _text(value: str) -> bytes:
    return struct.pack("<i", len(value)) + value.encode()


def _entry(key: str, value: bytes) -> bytes:
    return struct.pack("<i", 2) + _text(key) + value


def torch7() -> Seeds:
    """A network of two layers as Torch7 writes it."""
    writer, number = _Torch7(), struct.pack("<id", 1, 3.0)
    layers = [
        writer.object(
            "nn.SpatialConvolution",
            writer.table(
                _entry("weight", writer.tensor(2, 9)), _entry("bias", writer.tensor(2)), _entry("kH", number),
                _entry("kW", number),
            ),
        )
        for _ in range(2)
    ]  # fmt: skip
    modules = writer.table(
        *(struct.pack("<id", 1, place + 1.0) + layer for place, layer in enumerate(layers))
    )
    entries = _entry("modules", modules), _entry("train", struct.pack("<ii", 5, 0))
    network = writer.object("nn.Sequential", writer.table(*entries))
    return [(".t7", network), (".t7", writer.table(_entry("model", network)))]


def read_torch7(path: Path) -> None:
    from sketchcolor_cli.errors import WeightError
    from sketchcolor_cli.weights.convert import _read_by
    from sketchcolor_plugins.sketch_simplification.torch7 import read_torch7

    if not _read_by(read_torch7, path):
        raise WeightError(f"{path}: holds no tensors")


@cache
def states() -> Seeds:
    import torch

    from sketchcolor_cli.training.files import STATE

    file = io.BytesIO()
    torch.save({name: {"x": torch.ones(3)} if name in ("model", "optimizer") else 3 for name in STATE}, file)
    return [(".pt", file.getvalue())]


def read_state(path: Path) -> None:
    from sketchcolor_cli.training.files import load_state

    load_state(path)


_PICKLED = words(
    "collections OrderedDict",
    "torch._utils _rebuild_tensor_v2",
    "builtins eval",
    "os system",
    "FloatStorage",
    "cpu",
)
READERS = {
    "models": Reader(models, read_model, (safetensors, safetensors, safetensors, decimals)),
    "npz": Reader(statistics, read_statistics, (zip_parts(npy), zip_parts(npy), zip_parts(tree))),
    "weights": Reader(
        published, read_weights, (safetensors, zip_parts(blind), zip_parts(_PICKLED), _PICKLED)
    ),
    "torch7": Reader(torch7, read_torch7),
    "states": Reader(states, read_state, (zip_parts(blind), zip_parts(_PICKLED))),
}
