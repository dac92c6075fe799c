"""Reading the tensors of Torch7's binary files, ``.t7``: little-endian, as Lua on 64-bit machines wrote them.

A file is one object. Each begins with a number that says of what kind it is; tables and Torch's own objects
have an index, and are written out the first time only. Nothing is run, and every length is checked against
what is left of the file. The known library for this takes shapes and strides from the file unchecked.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

_NIL, _NUMBER, _STRING, _TABLE, _TORCH, _BOOLEAN = range(6)
_FUNCTION = 6
_RECURSIVE_FUNCTIONS = (7, 8)
_STORAGES = {
    "Byte": np.uint8,
    "Char": np.int8,
    "Short": np.int16,
    "Int": np.int32,
    "Long": np.int64,
    "Float": np.float32,
    "Double": np.float64,
    "Half": np.float16,
}
_MOST_DIMENSIONS = 16
_TENSORS = ("weight", "bias", "running_mean", "running_var")


@dataclass(eq=False)
class _Object:
    """An object of a Torch class: its name, and its fields."""

    kind: str
    fields: dict[Any, Any] = field(default_factory=dict)


def read_torch7(path: Path) -> dict[str, torch.Tensor]:
    """Return the tensors of the network in a file, named by its layers' places: ``0.weight``, ``2.bias``.

    The network is the file's object itself, or stands in its table under ``model``.

    Raises:
        OSError: It cannot be read.
        ValueError: It is not a Torch7 file, is damaged, or has no network.
    """
    try:
        content = _Reader(path.read_bytes()).read()
        network = content.get("model") if isinstance(content, dict) else content
        found = dict(_tensors(network, (), set())) if isinstance(network, _Object) else None
    except (
        ValueError,
        KeyError,
        IndexError,
        TypeError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        raise ValueError(f"not a Torch7 file, or damaged: {error}") from error
    if found is None:
        raise ValueError("has no network, neither by itself nor as 'model'")
    return {name: torch.from_numpy(array) for name, array in found.items()}


def _tensors(layer: _Object, place: tuple[str, ...], above: set[int]) -> Iterator[tuple[str, NDArray[Any]]]:
    if id(layer) in above:
        return
    for name in _TENSORS:
        value = layer.fields.get(name)
        if isinstance(value, np.ndarray) and value.size:
            yield ".".join((*place, name)), _as_kernels(layer.fields, value) if name == "weight" else value
    parts = layer.fields.get("modules")
    numbered = parts if isinstance(parts, dict) else {}
    for number in sorted(key for key in numbered if isinstance(key, float)):  # Lua counts from 1
        if isinstance(numbered[number], _Object):
            yield from _tensors(numbered[number], (*place, str(int(number) - 1)), above | {id(layer)})


def _as_kernels(fields: dict[Any, Any], weight: NDArray[Any]) -> NDArray[Any]:
    """Return a convolution's weight with four axes; some kinds of layers keep it as a matrix."""
    height, width = fields.get("kH"), fields.get("kW")
    if weight.ndim == 2 and isinstance(height, float) and isinstance(width, float):
        return weight.reshape(len(weight), -1, int(height), int(width))
    return weight


class _Reader:
    """Reads one object after another from bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.known: dict[int, Any] = {}

    def read(self) -> Any:
        kind = self.integer()
        if kind == _NIL:
            return None
        if kind == _NUMBER:
            return struct.unpack("<d", self.take(8))[0]
        if kind == _BOOLEAN:
            return self.integer() == 1
        if kind == _STRING:
            return self.string()
        if kind == _FUNCTION:
            return self.function()
        if kind not in (_TABLE, _TORCH, *_RECURSIVE_FUNCTIONS):
            raise ValueError(f"unknown kind of object {kind}")
        index = self.integer()
        if index not in self.known:
            self.known[index] = None
            if kind == _TABLE:
                self.table(index)
            elif kind == _TORCH:
                self.torch(index)
            else:
                self.function()
        return self.known[index]

    def function(self) -> None:
        """Step over a function's code, and over what it encloses."""
        self.take(self.integer())
        self.read()

    def table(self, index: int) -> None:
        table = self.known[index] = {}  # before its content, which may mention it
        for _ in range(self.integer()):
            key, value = self.read(), self.read()
            if isinstance(key, float | str | bool):
                table[key] = value

    def torch(self, index: int) -> None:
        kind = self.string()
        if kind.startswith("V "):  # a version comes first since 2012
            kind = self.string()
        name = kind.removeprefix("torch.").removeprefix("Cuda")
        if kind.startswith("torch.") and kind.endswith("Tensor"):
            self.known[index] = self.tensor()
        elif kind.startswith("torch.") and kind.endswith("Storage"):
            number = np.dtype(_STORAGES[name.removesuffix("Storage") or "Float"]).newbyteorder("<")
            data = bytearray(self.take(self.long() * number.itemsize))  # a tensor must be writable
            self.known[index] = np.frombuffer(data, number)
        else:
            found = self.known[index] = _Object(kind)
            fields = self.read()
            found.fields = fields if isinstance(fields, dict) else {}

    def tensor(self) -> NDArray[Any]:
        axes = self.integer()
        if not 0 <= axes <= _MOST_DIMENSIONS:
            raise ValueError(f"a tensor of {axes} axes")
        shape = [self.long() for _ in range(axes)]
        steps = [self.long() for _ in range(axes)]
        first, storage = self.long() - 1, self.read()
        if storage is None or not shape or 0 in shape:
            return np.empty(0, np.float32)
        last = first + sum((size - 1) * step for size, step in zip(shape, steps, strict=True))
        if min(first, *shape) < 0 or min(steps) < 0 or last >= len(storage):
            raise ValueError("a tensor reaches beyond its numbers")
        if math.prod(shape) > len(storage):
            raise ValueError("a tensor has more numbers than are stored")
        strides = [step * storage.itemsize for step in steps]
        return np.lib.stride_tricks.as_strided(storage[first:], shape, strides).copy()

    def string(self) -> str:
        return self.take(self.integer()).decode("latin-1")

    def integer(self) -> int:
        return int.from_bytes(self.take(4), "little", signed=True)

    def long(self) -> int:
        return int.from_bytes(self.take(8), "little", signed=True)

    def take(self, count: int) -> bytes:
        if not 0 <= count <= len(self.data) - self.at:
            raise ValueError(f"{count} bytes wanted, {len(self.data) - self.at} left")
        self.at += count
        return self.data[self.at - count : self.at]
