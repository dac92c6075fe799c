"""What counts as too little memory."""

from __future__ import annotations

import weakref
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from sketchcolor_cli.compute.memory import is_shortage, let_go
from sketchcolor_cli.errors import DeviceError


def real(fail: Any) -> Exception:
    """Return what a library really raises."""
    try:
        fail()
    except Exception as error:
        return error
    raise AssertionError("there was memory for that")


@pytest.mark.parametrize(
    "fail",
    [
        lambda: np.empty((1 << 40, 1 << 10), np.float32),
        lambda: torch.empty((1 << 40, 1 << 10)),
        lambda: cv2.resize(np.zeros((4, 4, 3), np.float32), (1 << 29, 1 << 29)),
    ],
)
def test_what_the_libraries_raise_is_understood(fail: Any) -> None:
    assert is_shortage(real(fail))


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("MPS backend out of memory (MPS allocated: 18.00 GB)"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        DeviceError("xdog on cuda: not enough memory for 9×9 pixels"),
    ],
)
def test_what_is_a_shortage(error: Exception) -> None:
    assert is_shortage(error)


@pytest.mark.parametrize(
    "error", [RuntimeError("shapes do not match"), ValueError("out of memory"), OSError("No space left")]
)
def test_what_is_none(error: Exception) -> None:
    assert not is_shortage(error)


@pytest.mark.parametrize("gpu", [False, True])
def test_letting_go_frees_what_only_refers_to_itself_and_the_cache_of_a_gpu(
    monkeypatch: pytest.MonkeyPatch, gpu: bool
) -> None:
    class Ring:
        def __init__(self) -> None:
            self.itself = self

    emptied: list[bool] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: emptied.append(True))
    held = weakref.ref(Ring())
    let_go()
    assert held() is None
    assert emptied == [True] * gpu
