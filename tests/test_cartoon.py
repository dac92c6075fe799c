import cv2
import numpy as np

from sketchcolor_cli.training.pairs.cartoon import Cartoon, any_look, cartoonise


def a_photo(size=64):
    rng = np.random.default_rng(0)
    photo = np.full((size, size, 3), (0.8, 0.5, 0.4), np.float32)
    cv2.circle(photo, (size // 2, size // 2), size // 4, (0.2, 0.3, 0.6), -1)
    return np.clip(photo + rng.normal(0, 0.03, photo.shape), 0, 1).astype(np.float32)


def test_shape_kind_and_range_stay():
    for shape in ((7, 5, 3), (64, 48, 3)):
        drawn = cartoonise(np.random.default_rng(0).random(shape, np.float32))
        assert drawn.shape == shape
        assert drawn.dtype == np.float32
        assert drawn.min() >= 0
        assert drawn.max() <= 1


def test_areas_become_smooth_and_edges_stay():
    photo = a_photo()
    drawn = cartoonise(photo, Cartoon(smoothing=0.2, tones=64, ink=0))
    inside, outside = (slice(28, 36), slice(28, 36)), (slice(2, 8), slice(2, 8))
    for place in (inside, outside):
        assert drawn[place].std((0, 1)).max() < 0.5 * photo[place].std((0, 1)).min()
    step = np.abs(drawn[inside].mean((0, 1)) - drawn[outside].mean((0, 1)))
    assert (step > 0.15).all()


def test_lightness_has_few_tones():
    ramp = np.repeat(np.linspace(0, 1, 128, dtype=np.float32)[None, :, None], 3, 2).repeat(32, 0)
    drawn = cartoonise(ramp, Cartoon(smoothing=0.01, tones=5, ink=0))
    lightness = cv2.cvtColor(drawn, cv2.COLOR_RGB2LAB)[..., 0]
    assert np.unique(lightness.round()).tolist() == [0, 25, 50, 75, 100]


def test_ink_is_drawn_along_edges_on_their_dark_side():
    photo = a_photo()
    plain, inked = cartoonise(photo, Cartoon(ink=0)), cartoonise(photo, Cartoon(ink=1))
    line = (plain - inked).sum(2) > 0.1
    distance = np.hypot(*(np.mgrid[:64, :64] - 31.5))
    assert line.mean() > 0.01
    assert (distance[line] > 10).all()
    assert (distance[line] < 18).all()


def test_a_look_is_that_of_its_random_numbers():
    first, again, other = (any_look(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first == again != other
