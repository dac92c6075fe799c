"""Which device is taken, and how one that is not there is refused."""

from __future__ import annotations

import pytest
import torch

from sketchcolor_cli.compute import devices
from sketchcolor_cli.errors import DeviceError, UsageError


def machine(monkeypatch: pytest.MonkeyPatch, *, cuda: int, mps: bool) -> None:
    monkeypatch.setattr(devices, "may_have_gpu", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


@pytest.mark.parametrize(
    ("cuda", "mps", "taken"), [(0, False, "cpu"), (0, True, "mps"), (1, False, "cuda"), (2, True, "cuda")]
)
def test_auto(monkeypatch: pytest.MonkeyPatch, cuda: int, mps: bool, taken: str) -> None:
    machine(monkeypatch, cuda=cuda, mps=mps)
    assert devices.resolve("auto") == taken


@pytest.mark.parametrize("name", ["cpu", "cuda", "cuda:0", "cuda:1", "mps"])
def test_what_is_there_keeps_its_name(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    machine(monkeypatch, cuda=2, mps=True)
    assert devices.resolve(name) == name
    torch.device(name)  # torch takes it


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cuda", "--device cuda: torch finds no CUDA device here; use --device cpu or auto"),
        ("cuda:0", "--device cuda:0: torch finds no CUDA device here; use --device cpu or auto"),
        ("mps", "--device mps: torch finds no Apple GPU here; use --device cpu"),
    ],
)
def test_what_is_not_there(monkeypatch: pytest.MonkeyPatch, name: str, message: str) -> None:
    machine(monkeypatch, cuda=0, mps=False)
    with pytest.raises(DeviceError) as problem:
        devices.resolve(name)
    assert str(problem.value) == message


def test_a_number_too_high(monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, cuda=2, mps=False)
    with pytest.raises(DeviceError, match=r"cuda:2: torch finds 2 CUDA device\(s\) here"):
        devices.resolve("cuda:2")


@pytest.mark.parametrize(
    "name", ["", "gpu", "CPU", "cpu:0", "cuda:", "cuda:-1", "cuda:01", "cuda:１", "cuda:1\n", "mps:0", " cpu"]
)
def test_no_device_is_called_that(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    machine(monkeypatch, cuda=20, mps=True)
    with pytest.raises(UsageError, match="use auto, cpu, cuda, cuda:N or mps"):
        devices.resolve(name)


def test_where_no_gpu_can_be_torch_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, cuda=1, mps=True)
    monkeypatch.setattr(devices, "may_have_gpu", lambda: False)
    assert devices.resolve("auto") == "cpu"
    assert devices.resolve("cuda") == "cuda"
