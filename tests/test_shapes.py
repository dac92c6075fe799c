"""Connected components, measured by the runs they are made of, beside OpenCV's, measured pixel by pixel."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from sketchcolor_cli.coloring.page.shapes import components


@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("share", [0.02, 0.4, 0.7])
@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (61, 70)])
def test_components_are_those_of_opencv(shape: tuple[int, int], share: float, connectivity: int) -> None:
    mask = np.random.default_rng(5).random(shape) < share
    number, labels, stats, centers = cv2.connectedComponentsWithStats(
        mask.view(np.uint8), connectivity=connectivity
    )
    found = components(mask, connectivity)
    assert found.number == number
    np.testing.assert_array_equal(found.labels, labels)
    np.testing.assert_array_equal(found.boxes[1:], stats[1:, :4])
    np.testing.assert_array_equal(found.areas[1:], stats[1:, cv2.CC_STAT_AREA])
    np.testing.assert_array_equal(found.centers(np.arange(number) > 0), centers[1:])


@pytest.mark.parametrize("filled", [False, True])
def test_the_background_has_no_size(filled: bool) -> None:
    found = components(np.full((5, 7), filled), 4)
    assert found.boxes.tolist() == [[0, 0, 0, 0]] + [[0, 0, 7, 5]] * filled
    assert found.areas.tolist() == [0] + [35] * filled


def test_a_mask_may_be_a_part_of_another_or_lie_on_its_side() -> None:
    mask = np.zeros((20, 30), np.bool_)
    mask[3:9, 5:25] = True
    for part, box in ((mask[2:12, 4:28], [1, 1, 20, 6]), (mask.T, [3, 5, 6, 20])):
        assert components(part, 8).boxes[1].tolist() == box
