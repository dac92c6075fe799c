"""What is tried when memory runs out."""

from __future__ import annotations

import pytest
import torch

from sketchcolor_cli.errors import DeviceError
from sketchcolor_cli.jobs.fallbacks import Fallbacks


def short(_: str) -> str:
    raise torch.cuda.OutOfMemoryError("CUDA out of memory")


def test_the_first_way_that_has_memory_is_taken_and_told() -> None:
    notes: list[str] = []
    paint = Fallbacks(
        [("as asked", short), ("in bands", short), ("on the processor", str.upper), ("never", short)],
        note=notes.append,
    )
    assert paint("page", "a.png") == "PAGE"
    assert notes == ["a.png: memory was too short, so it was done on the processor"]
    easy: Fallbacks[str, str] = Fallbacks([("as asked", str.upper), ("in bands", short)], note=notes.append)
    assert easy("page", "a.png") == "PAGE"
    assert len(notes) == 1


def test_other_errors_come_through_at_once() -> None:
    def broken(_: str) -> str:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        Fallbacks([("as asked", broken), ("in bands", str.upper)])("page", "a.png")


def test_where_no_way_has_memory_its_own_words_or_a_memory_error_come_out() -> None:
    def told(_: str) -> str:
        raise DeviceError("faint on cpu: not enough memory; use a smaller --size")

    with pytest.raises(MemoryError):
        Fallbacks([("as asked", short), ("in bands", short)])("page", "a.png")
    with pytest.raises(DeviceError, match="use a smaller --size"):
        Fallbacks([("as asked", short), ("on the processor", told)])("page", "a.png")
