"""What is tried when memory runs out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from sketchcolor_cli.errors import DeviceError
from sketchcolor_cli.jobs.fallbacks import Fallbacks

if TYPE_CHECKING:
    from collections.abc import Callable

    Way = Callable[[str], str]


def done(*ways: tuple[str, Way], note: Callable[[str], None] = lambda _: None) -> str:
    for attempt in Fallbacks(ways, note).attempts("a.png"):
        with attempt as way:
            return way("page")
    raise AssertionError("the attempts end without an error")


def short(_: str) -> str:
    raise torch.cuda.OutOfMemoryError("CUDA out of memory")


def test_the_first_way_that_has_memory_is_taken_and_told() -> None:
    notes: list[str] = []
    ways = ("as asked", short), ("in bands", short), ("on the processor", str.upper), ("never", short)
    assert done(*ways, note=notes.append) == "PAGE"
    assert notes == ["a.png: there was not enough memory, so it was done on the processor"]
    assert done(("as asked", str.upper), ("in bands", short), note=notes.append) == "PAGE"
    assert len(notes) == 1


def test_other_errors_come_through_at_once() -> None:
    def broken(_: str) -> str:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        done(("as asked", broken), ("in bands", str.upper))


def test_where_no_way_has_memory_its_own_words_or_a_memory_error_come_out() -> None:
    def told(_: str) -> str:
        raise DeviceError("faint on cpu: not enough memory; use a smaller --size")

    with pytest.raises(MemoryError):
        done(("as asked", short), ("in bands", short))
    with pytest.raises(DeviceError, match="use a smaller --size"):
        done(("as asked", short), ("on the processor", told))
