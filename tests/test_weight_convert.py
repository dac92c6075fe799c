from __future__ import annotations

import io
import pickle
import tempfile
import time
import zipfile
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from safetensors.torch import load, save_file

from sketchcolor_cli.errors import WeightError
from sketchcolor_cli.weights.convert import convert, read_tensors
from sketchcolor_cli.weights.format import Record, write_weights
from sketchcolor_cli.weights.spec import WeightFile, WeightSource

NETWORK = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
STATE = {name: tensor.detach().clone() for name, tensor in NETWORK.state_dict().items()}


def layout():
    with torch.device("meta"):
        return torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4)).state_dict()


NET = WeightFile("net", "MIT", layout=layout)


def stored(converted):
    """Return what safetensors reads of the file in which the converted tensors are stored."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.safetensors"
        write_weights(path, converted, Record("net", "MIT", "net.pth", (), verified=False, origin="here"))
        return load(path.read_bytes())


def same(converted, expected=STATE):
    found = stored(converted)
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor)


@pytest.mark.parametrize("name", ["net.pth", "net.pt", "net.bin", "net.ckpt", "NET.PTH"])
@pytest.mark.parametrize("zipped", [True, False])
def test_checkpoints_of_torch_are_read(tmp_path, name, zipped):
    torch.save(STATE, tmp_path / name, _use_new_zipfile_serialization=zipped)
    same(convert(NET, tmp_path / name))


def test_safetensors_are_read(tmp_path):
    save_file(STATE, tmp_path / "net.safetensors", {"by": "someone"})
    same(convert(NET, tmp_path / "net.safetensors"))


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: {f"module.{name}": tensor for name, tensor in state.items()},
        lambda state: {"state_dict": state, "epoch": 7},
        lambda state: {"model": state, "optimizer": {}},
        lambda state: {"state_dict": {f"module.{name}": tensor for name, tensor in state.items()}},
        lambda state: OrderedDict(state),
        lambda state: dict(reversed(state.items())),
        lambda state: {
            name: torch.nn.Parameter(tensor) if tensor.is_floating_point() else tensor
            for name, tensor in state.items()
        },
    ],
)
def test_the_ways_in_which_state_dicts_are_published(tmp_path, wrap):
    torch.save(wrap(STATE), tmp_path / "net.pth")
    same(convert(NET, tmp_path / "net.pth"))


def test_half_precision_becomes_what_the_network_has(tmp_path):
    halves = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in STATE.items()}
    torch.save(halves, tmp_path / "net.pth")
    same(convert(NET, tmp_path / "net.pth"), {name: halves[name].to(STATE[name].dtype) for name in STATE})


def test_tensors_that_share_memory_are_kept_apart(tmp_path):
    shared = torch.arange(12.0)
    torch.save({"a": shared[:6].reshape(2, 3), "b": shared.reshape(3, 4).T}, tmp_path / "net.pth")
    same(convert(WeightFile("net", "MIT"), tmp_path / "net.pth"),
         {"a": shared[:6].reshape(2, 3), "b": shared.reshape(3, 4).T.contiguous()})  # fmt: skip


def test_names_are_translated_after_the_prefix_is_gone(tmp_path):
    def translate(tensors):
        return {name.replace("old.", ""): tensor for name, tensor in tensors.items() if name != "fc"}

    old = {f"module.old.{name}": tensor for name, tensor in STATE.items()}
    torch.save(old | {"module.fc": torch.ones(1)}, tmp_path / "net.pth")
    same(convert(WeightFile("net", "MIT", layout=layout, convert=translate), tmp_path / "net.pth"))


def test_a_source_may_say_how_it_is_read(tmp_path):
    (tmp_path / "net.raw").write_bytes(b"1234")
    source = WeightSource("net.raw", read=lambda path: {"a": torch.tensor(list(path.read_bytes()))})
    same(convert(WeightFile("net", "MIT", (source,)), tmp_path / "net.raw", source),
         {"a": torch.tensor([49, 50, 51, 52])})  # fmt: skip
    with pytest.raises(WeightError, match=r"end in \.raw are not read; only \.pth, .* and \.safetensors are"):
        convert(NET, tmp_path / "net.raw")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"0.weight": None}, "not the weights of net; it lacks 0.weight"),
        ({"0.weight": None, "1.bias": None}, "lacks 0.weight and 1 more"),
        ({"2.bias": torch.ones(1)}, "has beside it 2.bias"),
        (
            {"0.weight": torch.ones(4, 3, 1, 1)},
            "0.weight is torch.float32 (4, 3, 1, 1), not torch.float32",
        ),
        ({"0.bias": torch.ones(4, dtype=torch.int64)}, "0.bias is torch.int64 (4,), not torch.float32 (4,)"),
        ({"0.bias": torch.tensor([0, torch.nan, 0, 0])}, "0.bias has values that are not finite"),
        ({"0.bias": torch.tensor([0, torch.inf, 0, 0])}, "0.bias has values that are not finite"),
    ],
)
def test_weights_of_another_network_are_refused(tmp_path, change, said):
    torch.save({k: v for k, v in (STATE | change).items() if v is not None}, tmp_path / "net.pth")
    with pytest.raises(WeightError) as told:
        convert(NET, tmp_path / "net.pth")
    assert said in str(told.value)


def test_a_translation_that_fails_is_one_line(tmp_path):
    torch.save({"a": torch.ones(1)}, tmp_path / "net.pth")
    with pytest.raises(WeightError, match=r"not the weights of net \(KeyError\('b'\)\)"):
        convert(WeightFile("net", "MIT", convert=lambda tensors: {"a": tensors["b"]}), tmp_path / "net.pth")


@pytest.mark.parametrize(
    ("tensor", "said"),
    [(torch.ones(2, dtype=torch.complex64), "complex64"), (torch.eye(2).to_sparse(), "sparse")],
)
def test_tensors_of_odd_kinds_are_not_kept(tmp_path, tensor, said):
    torch.save({"a": tensor}, tmp_path / "net.pth")
    with pytest.raises(WeightError, match=f"a is .*{said}.*not kept"):
        convert(WeightFile("net", "MIT"), tmp_path / "net.pth")


class Trap:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_file_that_would_run_code_is_refused_and_runs_nothing(tmp_path, zipped):
    torch.save({"a": torch.ones(1), "b": Trap(tmp_path / "ran")}, tmp_path / "net.pth",
               _use_new_zipfile_serialization=zipped)  # fmt: skip
    with pytest.raises(WeightError, match="holds more than tensors, which is not read"):
        read_tensors(tmp_path / "net.pth")
    assert not (tmp_path / "ran").exists()
    (tmp_path / "plain.pth").write_bytes(pickle.dumps(Trap(tmp_path / "ran")))
    with pytest.raises(WeightError):
        read_tensors(tmp_path / "plain.pth")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("zipped", [True, False])
def test_a_whole_model_is_named_with_what_helps(tmp_path, zipped):
    torch.save(torch.nn.Linear(2, 2), tmp_path / "net.pth", _use_new_zipfile_serialization=zipped)
    with pytest.raises(
        WeightError, match=r"torch\.nn\.modules\.linear\.Linear, as in a whole model; .*state_dict"
    ):
        read_tensors(tmp_path / "net.pth")


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("cut", [True, False])
def test_a_name_without_end_takes_no_long_time(tmp_path, zipped, cut):
    whole = pickle.dumps(1, 2)
    named = b"\x80\x02c" + b"x" * 100_000 + (b"" if cut else b"\nx\n.")
    if zipped:
        with zipfile.ZipFile(tmp_path / "net.pth", "w") as archive:
            archive.writestr("net/data.pkl", named)
            archive.writestr("net/version", "3")
    else:
        start = io.BytesIO()
        torch.save(STATE, start, _use_new_zipfile_serialization=False)
        head = start.getvalue()
        ends = [place + 1 for place in range(len(head)) if head[place : place + 2] == b".\x80"][:3]
        (tmp_path / "net.pth").write_bytes(head[: ends[2]] + named + whole)
    begun = time.process_time()
    with pytest.raises(WeightError, match="damaged, or holds more than tensors"):
        read_tensors(tmp_path / "net.pth")
    assert time.process_time() - begun < 5


def broken_zip(path):
    torch.save(STATE, path)
    path.write_bytes(path.read_bytes()[:-100])


def other_zip(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme", "nothing")


@pytest.mark.parametrize(
    ("name", "write", "said"),
    [
        ("net.pth", lambda path: path.write_bytes(b""), "damaged"),
        ("net.pth", lambda path: path.write_bytes(b"<html>Not found</html>"), "damaged"),
        ("net.pth", broken_zip, "damaged"),
        ("net.pth", other_zip, "damaged"),
        ("net.pth", lambda path: torch.save([torch.ones(1)], path), "holds no tensors by name"),
        ("net.pth", lambda path: torch.save({}, path), "holds no tensors by name"),
        ("net.pth", lambda path: torch.save(torch.ones(1), path), "holds no tensors by name"),
        ("net.pth", lambda path: torch.save({"a": 1}, path), "'a' in it is not a tensor"),
        ("net.pth", lambda path: torch.save({3: torch.ones(1)}, path), "3 in it is not a tensor"),
        ("net.safetensors", lambda path: path.write_bytes(b"no header"), "cannot be read"),
        ("net.h5", lambda path: path.write_bytes(b"\x89HDF"), r"end in \.h5 are not read"),
        ("net", lambda path: path.write_bytes(b"?"), "end in nothing are not read"),
        ("net.pth", lambda path: path.mkdir(), "no such file"),
        ("net.pth", lambda _: None, "no such file"),
    ],
)
def test_files_without_tensors_are_one_line(tmp_path, name, write, said):
    write(tmp_path / name)
    with pytest.raises(WeightError, match=said) as told:
        read_tensors(tmp_path / name)
    assert str(tmp_path / name) in str(told.value)
    assert "\n" not in str(told.value)
