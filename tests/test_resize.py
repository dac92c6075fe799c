"""Making arrays smaller."""

from __future__ import annotations

import numpy as np

from sketchcolor_cli.imaging.resize import fitted, scaled_shape, shrink_by, shrink_to, shrink_to_width


def test_each_pixel_is_the_mean_of_those_it_stands_for() -> None:
    ramp = np.arange(16, dtype=np.float32).reshape(2, 8)
    assert shrink_by(ramp, 0.5).tolist() == [[4.5, 6.5, 8.5, 10.5]]
    assert shrink_to(ramp, 4).tolist() == [[4.5, 6.5, 8.5, 10.5]]
    assert shrink_to_width(ramp, 4).tolist() == [[4.5, 6.5, 8.5, 10.5]]
    assert fitted(ramp, 1).tolist() == [[4.5, 6.5, 8.5, 10.5]]


def test_nothing_is_enlarged_and_no_side_vanishes() -> None:
    line = np.ones((1, 300, 3), np.float32)
    assert shrink_by(line, 1.5) is line
    assert shrink_to(line, 300) is line
    assert shrink_to_width(line, 400) is line
    assert fitted(line, 1) is line
    assert shrink_to(line, 10).shape == (1, 10, 3)
    assert scaled_shape(line, 0.001) == (1, 1)
