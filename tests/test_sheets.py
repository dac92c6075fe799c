"""How character sheets are laid out."""

from __future__ import annotations

import numpy as np
import pytest

from sketchcolor_cli.networks.sheets import lay_out


def picture(height: int, width: int, value: float) -> np.ndarray:
    shown = np.full((height, width, 4), value, np.float32)
    shown[..., 3] = 1
    return shown


def test_one_picture_fills_its_longer_side_and_stands_in_the_middle() -> None:
    sheet = lay_out([picture(20, 40, 0.5)], 64)
    assert sheet.shape == (64, 64, 4)
    assert (sheet[16:48] == np.float32((0.5, 0.5, 0.5, 1))).all()
    assert not sheet[:16].any()
    assert not sheet[48:].any()


def test_up_to_four_stand_in_quarters() -> None:
    sheet = lay_out([picture(9, 9, value) for value in (0.1, 0.2, 0.3)], 32)
    quarters = [sheet[:16, :16], sheet[:16, 16:], sheet[16:, :16], sheet[16:, 16:]]
    for quarter, value in zip(quarters, (0.1, 0.2, 0.3, 0), strict=True):
        assert quarter[..., 0] == pytest.approx(np.float32(value))
    assert not quarters[3].any()


def test_nothing_gives_an_empty_sheet() -> None:
    assert not lay_out([], 32).any()


def test_a_needle_of_a_picture_is_still_there() -> None:
    assert lay_out([picture(1000, 1, 0.5)], 32)[..., 3].sum() == pytest.approx(32)
