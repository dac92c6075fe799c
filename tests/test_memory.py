"""What counts as too little memory, and what is tried then."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
import torch

from sketchcolor_cli.compute.memory import Ladder, is_shortage, let_go
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


def short(_: str) -> str:
    raise torch.cuda.OutOfMemoryError("CUDA out of memory")


def test_the_first_way_that_has_memory_is_taken_and_told() -> None:
    notes: list[str] = []
    ladder = Ladder(
        [("as asked", short), ("in bands", short), ("on the processor", str.upper), ("never", short)],
        note=notes.append,
    )
    assert ladder("page", "a.png") == "PAGE"
    assert notes == ["a.png: memory was too short, so it was done on the processor"]
    easy: Ladder[str, str] = Ladder([("as asked", str.upper), ("in bands", short)], note=notes.append)
    assert easy("page", "a.png") == "PAGE"
    assert len(notes) == 1


def test_other_errors_come_through_at_once() -> None:
    def broken(_: str) -> str:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        Ladder([("as asked", broken), ("in bands", str.upper)])("page", "a.png")


def test_where_no_way_has_memory_its_own_words_or_a_memory_error_come_out() -> None:
    def told(_: str) -> str:
        raise DeviceError("faint on cpu: not enough memory; use a smaller --size")

    with pytest.raises(MemoryError):
        Ladder([("as asked", short), ("in bands", short)])("page", "a.png")
    with pytest.raises(DeviceError, match="use a smaller --size"):
        Ladder([("as asked", short), ("on the processor", told)])("page", "a.png")
    let_go()
