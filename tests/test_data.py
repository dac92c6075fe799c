import signal
import sys

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sketchcolor_cli.data.folder import FolderSet, PictureFile
from sketchcolor_cli.errors import DataError, ImageError
from sketchcolor_cli.imaging.picture import Picture
from sketchcolor_cli.imaging.writing import write_picture
from sketchcolor_cli.training.loop.data import (
    DrawingsWithSketches,
    EpochBatches,
    PairDataset,
    SetDrawings,
    Subset,
    loader,
    split,
    thesis_pair,
)
from sketchcolor_cli.training.pairs.pairs import Drawing, Pair


def drawings(count, *, lines=True):
    rng = np.random.default_rng(0)
    return [
        Drawing(
            f"{number}.png",
            rng.integers(0, 256, (20, 30, 3), dtype=np.uint8),
            rng.integers(0, 256, (20, 30), dtype=np.uint8) if lines else None,
        )
        for number in range(count)
    ]


def noisy_pair(rng, given, index, _size):
    """Draw something random, so that it shows what an item depends on."""
    shade = np.float32(given[index].color.mean() / 255)
    sketch = rng.random((8, 8)).astype(np.float32)
    truth = np.full((8, 8, 3), shade, np.float32)
    return Pair(sketch, np.zeros((8, 8, 4), np.float32), np.zeros((2, 2, 4), np.float32), truth)


# Pictures


def drawings_of(*paths, line=None):
    lines = {path.name: PictureFile(line) for path in paths} if line else {}
    return SetDrawings(FolderSet({path.name: PictureFile(path) for path in paths}, lines), 40)


def test_a_large_picture_comes_down_to_the_short_side_and_a_small_one_stays(tmp_path):
    write_picture(tmp_path / "large.png", Picture(np.full((60, 90, 3), 0.5, np.float32)))
    write_picture(tmp_path / "small.png", Picture(np.full((7, 5, 3), 0.5, np.float32)))
    large, small = drawings_of(tmp_path / "large.png", tmp_path / "small.png")
    assert large.color.shape == (40, 60, 3)
    assert small.color.shape == (7, 5, 3)
    assert large.color.dtype == np.uint8
    assert (large.color == 128).all()
    assert large.line is None
    assert large.key == str(tmp_path / "large.png")


def test_what_is_transparent_is_paper(tmp_path):
    rgb, alpha = np.zeros((4, 4, 3), np.float32), np.zeros((4, 4), np.float32)
    alpha[:2] = 1
    write_picture(tmp_path / "a.png", Picture(rgb, alpha=alpha))
    color = drawings_of(tmp_path / "a.png")[0].color
    assert (color[:2] == 0).all()
    assert (color[2:] == 255).all()


def test_a_sketch_is_brought_to_the_size_of_its_picture(tmp_path):
    write_picture(tmp_path / "a.png", Picture(np.full((10, 16, 3), 0.5, np.float32)))
    lines = np.ones((20, 32, 3), np.float32)
    lines[:, 16:] = 0
    write_picture(tmp_path / "lines.png", Picture(lines))
    line = drawings_of(tmp_path / "a.png", line=tmp_path / "lines.png")[0].line
    assert line is not None
    assert (line == np.repeat([[255, 0]], 10, 0).repeat(8, 1)).all()


def test_a_picture_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "bad.png").write_bytes(b"broken")
    with pytest.raises(ImageError, match=r"bad\.png"):
        drawings_of(tmp_path / "bad.png")[0]


def test_an_extractor_draws_when_asked_and_sees_colours_between_0_and_1():
    seen = []

    def sketch(rgb):
        seen.append(rgb)
        return rgb[..., 1]

    sketched = DrawingsWithSketches(drawings(2, lines=False), sketch)
    assert (len(sketched), seen) == (2, [])
    drawing = sketched[1]
    assert (drawing.line == drawing.color[..., 1]).all()
    assert seen[0].dtype == np.float32
    assert seen[0].max() <= 1


# Splitting


@given(st.integers(3, 400), st.floats(0.001, 0.999), st.integers(0, 5))
def test_every_picture_is_either_learnt_from_or_held_out(count, share, seed):
    learning, held_out = split(range(count), share, seed)
    assert sorted([*learning, *held_out]) == list(range(count))
    assert len(learning) >= 2
    assert len(held_out) >= 1
    assert abs(len(held_out) - share * count) <= 2


def test_the_seed_decides_the_split():
    first, again, other = (list(split(range(200), 0.1, seed)[1]) for seed in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_pictures_are_refused(count):
    with pytest.raises(DataError, match=rf"{count} picture\(s\) found; training needs 3 or more"):
        split(range(count), 0.5, 0)


def test_a_subset_counts_by_its_own_numbers():
    assert list(Subset("abcdef", [1, 4])) == ["b", "e"]


# Pairs


def test_a_pair_of_the_thesis_is_the_whole_picture_as_its_own_reference():
    color = np.zeros((20, 40, 3), np.uint8)
    color[:, :20] = (255, 0, 51)
    line = np.full((20, 40), 255, np.uint8)
    line[:10] = 102
    pair = thesis_pair(np.random.default_rng(0), [Drawing("a", color, line)], 0, 8)
    left = np.array([1, 0, 0.2], np.float32)
    truth = np.stack([left, np.zeros(3, np.float32)]).repeat(4, 0)[None].repeat(8, 0)
    np.testing.assert_allclose(pair.truth, truth)
    np.testing.assert_allclose(pair.sketch, np.repeat([0.4, 1], 4)[:, None].repeat(8, 1), rtol=1e-6)
    np.testing.assert_array_equal(pair.hint[..., :3], pair.truth)
    assert (pair.hint[..., 3] == 1).all()
    assert pair.spread.shape == (2, 2, 4)
    assert not pair.spread.any()


def test_a_pair_of_the_thesis_needs_lines():
    with pytest.raises(DataError, match=r"0\.png: has no sketch; name an extractor with --method or"):
        thesis_pair(np.random.default_rng(0), drawings(1, lines=False), 0, 8)


def test_an_item_has_its_channels_first_and_the_sketch_twice():
    pairs = PairDataset(drawings(2), thesis_pair, seed=1)
    shapes = [tuple(part.shape) for part in pairs[0, 1, 16]]
    assert shapes == [(1, 16, 16), (4, 16, 16), (4, 4, 4), (3, 16, 16), (1, 16, 16)]
    assert {part.dtype for part in pairs[0, 1, 16]} == {torch.float32}
    assert torch.equal(pairs[0, 1, 16][0], pairs[0, 1, 16][4])
    assert len(pairs) == 2


def test_an_item_depends_on_seed_epoch_and_number_alone():
    def sketch(seed, epoch, index):
        return PairDataset(drawings(3), noisy_pair, seed)[epoch, index, 8][0]

    assert torch.equal(sketch(1, 2, 0), sketch(1, 2, 0))
    for other in ((2, 2, 0), (1, 3, 0), (1, 2, 1)):
        assert not torch.equal(sketch(1, 2, 0), sketch(*other))


# Order

counts = st.tuples(st.integers(1, 60), st.integers(2, 20), st.integers(0, 3), st.integers(0, 4))


@given(counts)
def test_an_epoch_of_training_sees_each_picture_at_most_once_in_whole_batches(place):
    count, size, seed, epoch = place
    batches = EpochBatches(count, size, seed, shuffled=True, sizes=(8,))
    batches.epoch = epoch
    given_out = list(batches)
    seen = [index for batch in given_out for _, index, _ in batch]
    assert len(given_out) == len(batches)
    assert len(set(seen)) == len(seen) > count - size
    assert set(seen) <= set(range(count))
    assert {len(batch) for batch in given_out} == {min(size, count)}
    assert {number for batch in given_out for number, _, _ in batch} == {epoch}


@given(counts, st.data())
def test_an_epoch_that_is_taken_up_again_goes_on_with_the_same_batches(place, data):
    count, size, seed, epoch = place
    batches = EpochBatches(count, size, seed, shuffled=True, sizes=(8,))
    batches.epoch = epoch
    whole = list(batches)
    batches.start = data.draw(st.integers(0, len(whole)))
    assert list(batches) == whole[batches.start :]
    assert len(batches) == len(whole)


def test_every_epoch_and_seed_has_an_order_of_its_own():
    def order(seed, epoch):
        batches = EpochBatches(50, 50, seed, shuffled=True, sizes=(8,))
        batches.epoch = epoch
        return [index for _, index, _ in next(iter(batches))]

    assert order(1, 0) == order(1, 0)
    assert order(1, 0) != order(1, 1)
    assert order(1, 0) != order(2, 0)


@given(st.integers(1, 60), st.integers(2, 20))
def test_measuring_sees_all_pictures_in_their_order(count, size):
    batches = list(EpochBatches(count, size, 0, shuffled=False, sizes=(8,)))
    assert [index for batch in batches for _, index, _ in batch] == list(range(count))


def sizes_of(sizes, epochs):
    batches = EpochBatches(4, 2, 0, shuffled=True, sizes=sizes, epochs=epochs)
    found = []
    for batches.epoch in range(epochs):
        [(number, side)] = {(number, side) for batch in batches for number, _, side in batch}
        assert number == batches.epoch
        found.append(side)
    return found


def test_sizes_have_equal_parts_of_the_epochs_and_none_is_left_out_where_there_are_enough():
    assert sizes_of((64,), 3) == [64, 64, 64]
    assert sizes_of((64, 96), 4) == [64, 64, 96, 96]
    assert sizes_of((64, 96, 128), 4) == [64, 64, 96, 128]
    assert sizes_of((64, 96, 128), 2) == [64, 96]


def test_the_epochs_of_items_are_counted_from_the_first():
    batches = EpochBatches(4, 2, 0, shuffled=True, sizes=(8,), first_epoch=700)
    batches.epoch = 3
    assert {number for batch in batches for number, _, _ in batch} == {703}


# Loading


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # from Python 3.12 on
def test_a_worker_changes_nothing_and_global_random_numbers_stay_untouched():
    before = torch.get_rng_state(), np.random.get_state()[1].tolist()  # noqa: NPY002
    pairs, batches = PairDataset(drawings(9), noisy_pair, 3), EpochBatches(9, 4, 3, shuffled=True, sizes=(8,))
    alone, helped = (list(loader(pairs, batches, workers=workers)) for workers in (0, 1))
    assert len(alone) == len(helped) == 2
    for first, second in zip(alone, helped, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert torch.equal(before[0], torch.get_rng_state())
    assert before[1] == np.random.get_state()[1].tolist()  # noqa: NPY002


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # from Python 3.12 on
@pytest.mark.skipif(sys.platform != "linux", reason="only there workers are used")
def test_a_worker_can_use_opencv_after_the_parent_did_in_threads():
    """Where this goes wrong the worker waits for ever for threads that it does not have."""
    large = np.random.default_rng(0).random((1500, 1500, 3)).astype(np.float32)

    def maker(rng, given, index, size):
        cv2.resize(cv2.GaussianBlur(large, (0, 0), 2), (500, 500), interpolation=cv2.INTER_AREA)
        return noisy_pair(rng, given, index, size)

    def give_up(_number, _frame):
        raise TimeoutError

    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(30)
    cv2.setNumThreads(2)
    try:
        maker(np.random.default_rng(0), drawings(2), 0, 8)
        batches = EpochBatches(2, 2, 0, shuffled=False, sizes=(8,))
        [batch] = loader(PairDataset(drawings(2), maker, 0), batches, workers=1)
    finally:
        cv2.setNumThreads(1)
        signal.alarm(0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
    assert batch[0].shape == (2, 1, 8, 8)
