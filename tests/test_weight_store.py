from __future__ import annotations

import errno
import json
from dataclasses import replace

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save

from sketchcolor_cli.errors import WeightError
from sketchcolor_cli.weights import format as stored_files
from sketchcolor_cli.weights.convert import pack
from sketchcolor_cli.weights.format import Record, read_record, write_weights
from sketchcolor_cli.weights.spec import WeightFile, WeightSource
from sketchcolor_cli.weights.store import State, WeightStore

SHA = "ab" * 32
NET = WeightFile("net", "MIT", (WeightSource("net.pth", 12_345_678, SHA, urls=("https://example.org/n",)),))
OWN = WeightFile("own", "none stated")
TENSORS = {
    "a.weight": torch.arange(6.0).reshape(2, 3),
    "a.count": torch.tensor(7),
    "b": torch.zeros(0),
    "half": torch.arange(3.0).half(),
    "brain": torch.arange(3.0).bfloat16(),
    "byte": torch.arange(3, dtype=torch.uint8),
    "truth": torch.tensor([True, False]),
    "wide": torch.arange(4, dtype=torch.float64)[::2],
    "turned": torch.arange(6.0).reshape(2, 3).T,
}
PLAIN = {"a": torch.zeros(3)}


def put(store, file, **changes):
    record = Record(file.name, file.licence, "net.pth", (f"sha256:{SHA}",), True, "https://example.org/n")
    packed = {name: pack(store.folder, name, tensor) for name, tensor in TENSORS.items()}
    return write_weights(store.path(file), packed, replace(record, **changes))


@pytest.fixture
def store(tmp_path):
    return WeightStore(tmp_path / "weights")


def test_what_is_stored_is_found_and_is_plain_safetensors(store):
    record = put(store, NET)
    assert store.state(NET) is State.READY
    assert store.record(NET) == store.verify(NET) == record
    found = load_file(store.find(NET))
    assert found.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor)
    assert [path.name for path in store.folder.iterdir()] == ["net.safetensors"]


def test_the_same_weights_are_the_same_file(store):
    put(store, NET)
    before = store.path(NET).read_bytes()
    put(store, NET)
    assert store.path(NET).read_bytes() == before


def test_missing_weights_are_one_line_with_licence_size_and_the_command(store):
    bound = replace(NET, name="bound", licence="research only", non_commercial=True)
    with pytest.raises(WeightError) as told:
        store.require([NET, OWN, NET, bound])
    assert str(told.value) == (
        "weights that are needed are not on this computer: net (MIT, 12 MB), own (none stated), "
        "bound (research only, 12 MB); get them by: sketchcolor weights fetch net bound --accept-licence ; "
        "sketchcolor weights import own FILE"
    )
    put(store, NET)
    put(store, bound)
    with pytest.raises(
        WeightError, match=r"computer: own \(none stated\); get them by: sketchcolor weights imp"
    ):
        store.find(OWN)
    store.require([NET, bound])
    assert not store.path(OWN).exists()


@pytest.mark.parametrize("position", [0, 9, 200, -1])
def test_one_changed_byte_is_found(store, position):
    put(store, NET)
    data = bytearray(store.path(NET).read_bytes())
    data[position] ^= 4
    store.path(NET).write_bytes(data)
    with pytest.raises(WeightError, match=r"net.*sketchcolor weights fetch net$"):
        store.find(NET)


@pytest.mark.parametrize("cut", [0, 5, 100, -1])
def test_a_file_that_is_cut_off_is_damaged_at_a_glance(store, cut):
    put(store, NET)
    store.path(NET).write_bytes(store.path(NET).read_bytes()[:cut])
    assert store.state(NET) is State.DAMAGED
    with pytest.raises(WeightError, match=r"net \(damaged; MIT, 12 MB\)"):
        store.require([NET])


def test_foreign_and_newer_files_are_told_apart(store):
    store.folder.mkdir()
    store.path(NET).write_bytes(save(PLAIN))
    with pytest.raises(WeightError, match="not written by sketchcolor; import it"):
        store.record(NET)
    put(store, NET)
    with safe_open(store.path(NET), "pt") as file:
        [text] = file.metadata().values()
    newer = json.dumps(json.loads(text) | {"format": 2})
    store.path(NET).write_bytes(save(PLAIN, {"sketchcolor_weights": newer}))
    with pytest.raises(WeightError, match="format 2 is newer than this program's 1"):
        store.record(NET)


def test_verified_weights_that_are_published_no_more_are_outdated_and_imported_ones_stay(store):
    put(store, NET)
    newer = replace(NET, sources=(replace(NET.sources[0], sha256="cd" * 32),))
    assert store.state(newer) is State.OUTDATED
    with pytest.raises(WeightError, match=r"net \(outdated; MIT"):
        store.find(newer)
    put(store, NET, verified=False)
    assert store.state(newer) is State.READY


def test_weights_under_anothers_name_are_not_taken(store):
    put(store, NET)
    store.path(NET).rename(store.path(OWN))
    assert store.state(OWN) is State.OUTDATED


def test_what_is_removed_is_gone(store):
    put(store, NET)
    store.find(NET)
    assert store.remove(NET)
    assert not store.remove(NET)
    with pytest.raises(WeightError, match="not on this computer"):
        store.find(NET)


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "weights").write_text("a file, no folder")
    with pytest.raises(WeightError, match=r"net\.safetensors: cannot be written .*SKETCHCOLOR_WEIGHTS"):
        put(WeightStore(tmp_path / "weights"), NET)


def test_the_header_is_aligned_for_any_reader(store):
    put(store, NET, origin="é" * 3)
    assert int.from_bytes(store.path(NET).read_bytes()[:8], "little") % 8 == 0
    assert read_record(store.path(NET)).origin == "ééé"


def test_a_disk_that_cannot_be_read_is_one_line(store, monkeypatch):
    put(store, NET)

    def broken(*_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(stored_files, "_digest", broken)
    with pytest.raises(WeightError, match=r"cannot be read \(Input/output error\); check its permissions"):
        store.find(NET)
