"""Results come in order, and never more than so many ahead of their use."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from sketchcolor_cli.compute.ahead import map_ahead

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_results_come_in_order_whoever_is_done_first() -> None:
    def work(number: int) -> int:
        time.sleep(0.02 if number % 2 else 0)
        return number * number

    assert list(map_ahead(work, range(9), workers=3, most=4)) == [number * number for number in range(9)]
    assert list(map_ahead(work, [], workers=2, most=2)) == []


def test_no_more_is_taken_than_may_wait() -> None:
    taken: list[int] = []

    def things() -> Iterator[int]:
        for number in range(20):
            taken.append(number)
            yield number

    results = map_ahead(lambda number: number, things(), workers=2, most=3)
    for used in range(1, 10):
        next(results)
        assert len(taken) <= used + 3


def test_an_error_comes_where_its_result_would() -> None:
    started = threading.Event()

    def work(number: int) -> int:
        started.set()
        if number == 2:
            raise ValueError("two")
        return number

    results = map_ahead(work, range(5), workers=2, most=2)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match="two"):
        next(results)
