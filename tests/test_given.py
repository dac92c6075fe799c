"""What is given for a page, in several sizes."""

from __future__ import annotations

import numpy as np
import pytest

from sketchcolor_cli.coloring.guides.areas import PointAreas
from sketchcolor_cli.coloring.guides.given import Given
from sketchcolor_cli.coloring.guides.layer import Layer
from sketchcolor_cli.errors import UsageError
from sketchcolor_cli.imaging.picture import Picture

RED, GREEN, BLUE = np.eye(3, dtype=np.float32)


def layer(color: np.ndarray, alpha: np.ndarray) -> Picture:
    return Picture(
        np.broadcast_to(color, (*alpha.shape, 3)).astype(np.float32), alpha=alpha.astype(np.float32)
    )


def spot(color: np.ndarray, at: tuple[int, int] = (8, 8)) -> Picture:
    alpha = np.zeros((32, 32))
    alpha[at] = 1
    return layer(color, alpha)


def test_strokes_lie_over_references_and_the_first_of_several_counts() -> None:
    rough = layer(BLUE, np.ones((32, 32)))
    hint = Given(rough, (spot(RED), spot(GREEN))).hint_at((32, 32))
    assert np.array_equal(hint[8, 8], [*RED, 1])
    assert np.array_equal(hint[0, 0], [*BLUE, 1])


def test_the_thinnest_stroke_counts_at_any_size_and_a_sliver_of_a_reference_does_not() -> None:
    assert np.allclose(Given((), spot(RED)).hint_at((8, 8))[2, 2], [*RED, 1])
    assert not Given(spot(RED)).hint_at((8, 8)).any()


@pytest.mark.parametrize("shape", [(46, 38), (92, 76), (17, 76), (1, 1), (120, 30)])
def test_scattered_strokes_are_scaled_as_whole_pictures_are(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    picture = Picture(
        rng.random((92, 76, 3), np.float32), alpha=(rng.random((92, 76)) < 0.04).astype(np.float32)
    )
    layer = Layer(picture)
    layer._count = picture.alpha.size  # as if they were many
    whole = np.zeros((*shape, 4), np.float32)
    layer.lay(whole, 0)
    assert whole[..., 3].any()
    np.testing.assert_allclose(Given((), picture).hint_at(shape), whole, atol=1e-5)


def test_each_size_is_made_once_and_cannot_be_written_to() -> None:
    given = Given((), spot(RED))
    hint = given.hint_at((16, 16))
    assert given.hint_at((16, 16)) is hint
    assert given.strokes_at((16, 16)) is hint
    with pytest.raises(ValueError, match="read-only"):
        hint[0, 0] = 1


def test_strokes_can_be_had_without_the_references() -> None:
    given = Given(layer(BLUE, np.ones((32, 32))), spot(RED))
    assert np.array_equal(np.argwhere(given.strokes_at((32, 32))[..., 3]), [[8, 8]])
    assert given.has_strokes
    assert not given.has_strokes_alone


def test_areas_are_filled_once_for_a_page_and_anew_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    filled: list[PointAreas] = []
    fill = PointAreas.fill
    monkeypatch.setattr(PointAreas, "fill", lambda self, *given: (filled.append(self), fill(self, *given))[1])
    page = np.ones((32, 32), np.float32)
    first, second = PointAreas(page), PointAreas(page)
    given = Given((), spot(RED))
    assert np.array_equal(given.fill_at(first)((16, 16))[0, 0], [*RED, 1])
    given.fill_at(first)
    given.fill_at(second)
    assert filled == [first, second]


def test_nothing_is_nothing_and_strokes_need_transparent_parts() -> None:
    assert not Given()
    assert not Given().hint_at((4, 4)).any()
    with pytest.raises(UsageError, match="no transparent parts"):
        Given((), layer(RED, np.ones((4, 4))))
