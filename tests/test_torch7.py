"""Torch7's format, written here once more from its description, and read back."""

from __future__ import annotations

import struct
from contextlib import suppress

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sketchcolor_cli.errors import WeightError
from sketchcolor_cli.weights.convert import convert
from sketchcolor_plugins.sketch_simplification import WEIGHTS
from sketchcolor_plugins.sketch_simplification.torch7 import read_torch7


def integer(value):
    return struct.pack("<i", value)


def longs(*values):
    return struct.pack(f"<{len(values)}q", *values)


def text(value):
    return integer(len(value)) + value.encode()


class Writer:
    """Writes Lua values: numbers, texts, booleans, None, dicts as tables, arrays as tensors, and objects."""

    def __init__(self, *, version=True):
        self.seen = {}
        self.kept = []
        self.version = version

    def value(self, value):
        if value is None:
            return integer(0)
        if isinstance(value, bool):
            return integer(5) + integer(value)
        if isinstance(value, int | float):
            return integer(1) + struct.pack("<d", value)
        if isinstance(value, str):
            return integer(2) + text(value)
        if id(value) in self.seen:
            return integer(self.seen[id(value)][0]) + integer(self.seen[id(value)][1])
        kind = 3 if isinstance(value, dict) else 4
        index = len(self.seen) + 1
        self.seen[id(value)] = kind, index
        self.kept.append(value)
        head = integer(kind) + integer(index)
        if isinstance(value, dict):
            pairs = b"".join(self.value(key) + self.value(entry) for key, entry in value.items())
            return head + integer(len(value)) + pairs
        if isinstance(value, np.ndarray):
            return head + self.name("torch.FloatTensor") + self.tensor(value)
        if isinstance(value, Storage):
            return head + self.name(value.kind) + longs(len(value.numbers)) + value.numbers.tobytes()
        return head + self.name(value.kind) + self.value(value.fields)

    def name(self, kind):
        return (text("V 1") if self.version else b"") + text(kind)

    def tensor(self, array):
        steps = [step // array.itemsize for step in array.strides]
        storage = Storage(np.ascontiguousarray(array if array.base is None else array.base).reshape(-1))
        if not array.size:
            return integer(0) + longs(1) + self.value(None)
        return integer(array.ndim) + longs(*array.shape) + longs(*steps) + longs(1) + self.value(storage)


class Storage:
    def __init__(self, numbers, kind="torch.FloatStorage"):
        self.numbers, self.kind = numbers, kind


class Layer:
    def __init__(self, kind, **fields):
        self.kind, self.fields = kind, fields


def numbers(*shape):
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


NONE = np.empty(0, np.float32)
KERNELS, BIAS, UP = numbers(4, 3, 3, 3), numbers(4), numbers(4, 2, 4, 4) + 7
NETWORK = Layer(
    "nn.Sequential",
    modules={
        1: Layer("nn.SpatialConvolution", weight=KERNELS, bias=BIAS, kW=3, kH=3, gradWeight=NONE),
        2: Layer("cudnn.ReLU", inplace=True),
        3: Layer("nn.SpatialFullConvolution", weight=UP),
        4: Layer("nn.Sequential", modules={1: Layer("nn.BatchNorm", running_mean=BIAS, running_var=BIAS)}),
    },
    train=False,
)  # fmt: skip
DUE = {"0.weight": KERNELS, "0.bias": BIAS, "2.weight": UP, "3.0.running_mean": BIAS, "3.0.running_var": BIAS}


def read(tmp_path, data):
    (tmp_path / "net.t7").write_bytes(data)
    return read_torch7(tmp_path / "net.t7")


def same(found, due):
    assert found.keys() == due.keys()
    for name, array in due.items():
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize("version", [True, False])
def test_a_network_is_read_with_its_layers_counted_from_nought(tmp_path, version):
    same(read(tmp_path, Writer(version=version).value(NETWORK)), DUE)


def test_a_network_in_a_table_is_found(tmp_path):
    same(read(tmp_path, Writer().value({"mean": 0.96, "std": 0.08, "model": NETWORK})), DUE)


def test_layers_come_in_the_order_of_their_numbers(tmp_path):
    turned = Layer("nn.Sequential", modules=dict(reversed(NETWORK.fields["modules"].items())))
    same(read(tmp_path, Writer().value(turned)), DUE)


def test_kernels_that_are_kept_as_a_matrix_get_their_axes(tmp_path):
    flat = Layer("nn.SpatialConvolutionMM", weight=KERNELS.reshape(4, 27), kW=3, kH=3)
    same(read(tmp_path, Writer().value(Layer("nn.Sequential", modules={1: flat}))), {"0.weight": KERNELS})


def test_a_tensor_may_be_a_view_with_steps_of_its_own(tmp_path):
    turned = Layer("nn.Linear", weight=numbers(3, 5).T)
    same(
        read(tmp_path, Writer().value(Layer("nn.Sequential", modules={1: turned}))),
        {"0.weight": numbers(3, 5).T},
    )


def test_functions_are_stepped_over(tmp_path):
    function = integer(8) + integer(1000) + text("bytecode") + integer(0)
    plain = integer(6) + text("bytecode") + integer(0)
    writer = Writer()
    table = integer(3) + integer(99) + integer(3)
    for key, value in (("a", function), ("b", plain), ("model", writer.value(NETWORK))):
        table += writer.value(key) + value
    same(read(tmp_path, table), DUE)


def test_a_network_that_contains_itself_ends(tmp_path):
    loop = Layer("nn.Sequential", modules={1: Layer("nn.Linear", weight=BIAS)})
    loop.fields["modules"][2] = loop
    same(read(tmp_path, Writer().value(loop)), {"0.weight": BIAS})


def test_numbers_without_a_shape_are_a_tensor_that_may_be_written(tmp_path):
    bare = Layer("nn.Linear", weight=Storage(numbers(5)))
    found = read(tmp_path, Writer().value(Layer("nn.Sequential", modules={1: bare})))
    same(found, {"0.weight": numbers(5)})
    found["0.weight"][0] = 7


HEAD = integer(4) + integer(1) + text("V 1") + text("torch.FloatTensor")
STORAGE = integer(4) + integer(2) + text("V 1") + text("torch.FloatStorage") + longs(4) + bytes(16)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "4 bytes wanted, 0 left"),
        (integer(99), "unknown kind of object 99"),
        (integer(2) + integer(10**9), "1000000000 bytes wanted"),
        (integer(2) + integer(-1), "-1 bytes wanted"),
        (integer(4) + integer(1) + text("V 1") + text("torch.FloatStorage") + longs(2**60), "bytes wanted"),
        (integer(4) + integer(1) + text("V 1") + text("torch.OddStorage") + longs(1), "Odd"),
        (HEAD + integer(1) + longs(5, 1, 1) + STORAGE, "reaches beyond its numbers"),
        (HEAD + integer(1) + longs(4, 1, 2) + STORAGE, "reaches beyond its numbers"),
        (HEAD + integer(1) + longs(4, 1, 0) + STORAGE, "reaches beyond its numbers"),
        (HEAD + integer(1) + longs(2, -1, 2) + STORAGE, "reaches beyond its numbers"),
        (HEAD + integer(1) + longs(-2, 1, 1) + STORAGE, "reaches beyond its numbers"),
        (HEAD + integer(1) + longs(2**62, 2**62, 1) + STORAGE, "reaches beyond its numbers"),
        (HEAD + integer(10**6), "a tensor of 1000000 axes"),
        (HEAD + integer(1) + longs(4, 1, 1) + integer(5) + integer(1), "damaged"),
        (b"".join(integer(3) + integer(n) + integer(1) for n in range(9000)), "recursion"),
        (Writer().value(Layer("nn.Sequential", modules={float("inf"): Layer("nn.Linear")})), "infinity"),
        (Writer().value(Layer("nn.Linear", weight=KERNELS.reshape(4, 27), kW=float("inf"), kH=3)), "infin"),
        (Writer().value({"a": 1}), "has no network"),
        (Writer().value(3.5), "has no network"),
    ],
)  # fmt: skip
def test_damaged_and_hostile_files_are_one_line(tmp_path, data, said):
    with pytest.raises(ValueError, match=said):
        read(tmp_path, data)


def test_repeated_numbers_are_no_bomb(tmp_path):
    """A step of 0 repeats one number as often as a shape says; that is more than any network is."""
    huge = HEAD + integer(2) + longs(2**40, 2**20, 0, 0, 1) + STORAGE
    with pytest.raises(ValueError, match="more numbers than are stored"):
        read(tmp_path, huge)


GOOD = Writer().value(NETWORK)


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_a_changed_byte_never_ends_in_anything_but_tensors_or_one_line(tmp_path_factory, position, change):
    data = bytearray(GOOD)
    data[position] ^= change
    path = tmp_path_factory.getbasetemp() / "changed.t7"
    path.write_bytes(data)
    with suppress(ValueError):
        assert all(isinstance(tensor, torch.Tensor) for tensor in read_torch7(path).values())


@pytest.mark.parametrize("source", [None, WEIGHTS["gan"].sources[0]])
def test_the_store_reads_such_files_through_the_plugin(tmp_path, source):
    """Also one that nobody published, by its ending."""
    path = tmp_path / "mine.t7"
    path.write_bytes(GOOD)
    with pytest.raises(
        WeightError, match=r"mine\.t7: not the weights of sketch-simplification-gan; it lacks"
    ):
        convert(WEIGHTS["gan"], path, source)
    path.write_bytes(b"")
    with pytest.raises(
        WeightError, match=r"mine\.t7: cannot be read \(not a Torch7 file, or damaged: 4 bytes"
    ):
        convert(WEIGHTS["gan"], path, source)
    with pytest.raises(WeightError, match=r"gone\.t7: cannot be read \(No such file"):
        convert(WEIGHTS["gan"], tmp_path / "gone.t7", source)
