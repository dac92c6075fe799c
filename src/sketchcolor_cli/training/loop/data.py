"""Datasets: drawings by number, the pair that is made of each, and an order that can be taken up again."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from sketchcolor_cli.compute.tensors import to_planes
from sketchcolor_cli.data.pictures import to_bytes, to_unit
from sketchcolor_cli.data.shards import ShardSet
from sketchcolor_cli.errors import DataError, ImageError
from sketchcolor_cli.imaging.resize import fitted
from sketchcolor_cli.training.pairs.pairs import Drawing, Pair

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from sketchcolor_cli.data.pictures import PictureSet

PairMaker = Callable[["Generator", "Sequence[Drawing]", int, int], Pair]
"""Makes a pair of the drawing of this number, of this many pixels a side, with the other drawings at hand."""

Sketch = Callable[["NDArray[np.float32]"], "NDArray[np.float32]"]
"""Draws the lines of a picture: (H, W, 3) to (H, W), both in [0, 1]."""


class Drawings(Sequence[Drawing]):
    """Drawings by number, each made when it is asked for; what can be known without that is."""

    def group(self, index: int) -> str:
        """Return the group of a drawing, empty for none."""
        return self[index].group

    def source(self, index: int) -> str:
        """Return where a drawing is from, empty where nothing is known."""
        return self[index].source


class SetDrawings(Drawings):
    """The pictures of a set, each read when it is asked for, shorter side at most ``short_side`` pixels.

    Lines are brought to the size of their picture. A picture that cannot be read raises ImageError.
    """

    def __init__(self, pictures: PictureSet, short_side: int) -> None:
        self.pictures, self.short_side = pictures, short_side

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> Drawing:  # type: ignore[override]  # nobody asks for slices
        facts = self.pictures.about(index)
        color = to_bytes(fitted(to_unit(self.pictures.color(index)), self.short_side))
        line = self.pictures.line(index)
        if line is not None and line.shape != color.shape[:2]:
            size = color.shape[1::-1]
            line = to_bytes(cv2.resize(to_unit(line), size, interpolation=cv2.INTER_AREA))
        source = str(facts.get("source") or "")
        return Drawing(self.key(index), color, line, source, self.group(index))

    def key(self, index: int) -> str:
        """Return the name of a picture: its key in a shard, or its file."""
        return self.pictures.keys[index] if self._in_shards else self.pictures.place(index)

    def group(self, index: int) -> str:
        """Return the group that a shard names; a folder belongs to none, as it may mean anything."""
        return self.pictures.group(index) if self._in_shards else ""

    def source(self, index: int) -> str:
        """Return where a picture of a shard is from."""
        return self.pictures.source(index) if self._in_shards else ""

    @property
    def _in_shards(self) -> bool:
        return isinstance(self.pictures, ShardSet)


class DrawingsWithSketches(Drawings):
    """The drawings of another sequence, with lines that ``sketch`` draws when they are asked for."""

    def __init__(self, drawings: Sequence[Drawing], sketch: Sketch) -> None:
        self.drawings, self.sketch = drawings, sketch

    def __len__(self) -> int:
        return len(self.drawings)

    def __getitem__(self, index: int) -> Drawing:  # type: ignore[override]
        drawing = self.drawings[index]
        return replace(drawing, line=to_bytes(self.sketch(to_unit(drawing.color))))

    def group(self, index: int) -> str:
        """Return the group of a drawing, empty for none."""
        return group_of(self.drawings, index)

    def source(self, index: int) -> str:
        """Return where a drawing is from, empty where nothing is known."""
        return source_of(self.drawings, index)


class Subset(Drawings):
    """Some of the drawings of another sequence, by number.

    In the place of one that cannot be read stands the next of these that can: never one of another part of
    the sequence, such as the drawings that are held out. Which it is depends on the files alone, so a run can
    still be repeated.
    """

    drawings: Sequence[Drawing]
    numbers: Sequence[int]

    def __init__(self, drawings: Sequence[Drawing], numbers: Sequence[int]) -> None:
        self.drawings, self.numbers = drawings, numbers
        if isinstance(drawings, Subset):  # so that the next one is one of these numbers
            self.drawings, self.numbers = drawings.drawings, [drawings.numbers[number] for number in numbers]

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, index: int) -> Drawing:  # type: ignore[override]
        return self.next_readable(index)[1]

    def next_readable(self, index: int) -> tuple[int, Drawing]:
        """Return the first drawing from this place on, round and round, that can be read, and its place.

        Raises:
            IndexError: There is no such place.
            DataError: None of them can be read.
        """
        first = range(len(self))[index]
        for place in (*range(first, len(self)), *range(first)):
            try:
                return place, self.drawings[self.numbers[place]]
            except ImageError:
                continue
        raise DataError(
            f"none of the {len(self)} pictures to learn from, or to measure on, can be read; skipped.txt in "
            "the run's folder says why"
        )

    def group(self, index: int) -> str:
        """Return the group of a drawing, empty for none."""
        return group_of(self.drawings, self.numbers[index])

    def source(self, index: int) -> str:
        """Return where a drawing is from, empty where nothing is known."""
        return source_of(self.drawings, self.numbers[index])


def group_of(drawings: Sequence[Drawing], index: int) -> str:
    """Return the group of a drawing, empty for none, without decoding it where that can be had."""
    return drawings.group(index) if isinstance(drawings, Drawings) else drawings[index].group


def source_of(drawings: Sequence[Drawing], index: int) -> str:
    """Return where a drawing is from, without decoding it where that can be had."""
    return drawings.source(index) if isinstance(drawings, Drawings) else drawings[index].source


def readable(drawings: Sequence[Drawing]) -> Iterator[Drawing]:
    """Give the drawings one after the other, without those that cannot be read."""
    for index in range(len(drawings)):
        try:
            yield drawings[index]
        except ImageError:
            continue


def split(drawings: Sequence[Drawing], valid_share: float, seed: int) -> tuple[Subset, Subset]:
    """Return training and validation drawings; at least one is held out, and two are left to learn from.

    Raises:
        DataError: there are fewer than three pictures.
    """
    if len(drawings) < 3:
        raise DataError(
            f"{len(drawings)} picture(s) found; training needs 3 or more, one of them to measure on"
        )
    order = np.random.default_rng(seed).permutation(len(drawings)).tolist()
    held_out = min(max(1, round(len(drawings) * valid_share)), len(drawings) - 2)
    return Subset(drawings, sorted(order[held_out:])), Subset(drawings, sorted(order[:held_out]))


def repeat(drawings: Sequence[Drawing], least: int) -> Subset:
    """Return the drawings as often one after the other as it takes to have ``least`` of them."""
    times = -(-least // len(drawings))
    return Subset(drawings, [*range(len(drawings))] * times)


def thesis_pair(_rng: Generator, drawings: Sequence[Drawing], index: int, size: int) -> Pair:
    """Return the thesis's pair: the whole picture as a square, and itself as its own reference.

    Raises:
        DataError: the drawing has no lines.
    """
    drawing = drawings[index]
    if drawing.line is None:
        raise DataError(f"{drawing.key}: has no sketch; name an extractor with --method or give --sketches")

    def square(plane: NDArray[np.uint8]) -> NDArray[np.float32]:
        return to_unit(cv2.resize(plane, (size, size), interpolation=cv2.INTER_AREA))

    truth = square(drawing.color)
    given, nothing = np.ones((size, size, 1), np.float32), np.zeros((size // 4, size // 4, 4), np.float32)
    return Pair(square(drawing.line), np.concatenate([truth, given], 2), nothing, truth)


class PairDataset(Dataset[tuple[Tensor, ...]]):
    """Item (epoch, index, S): sketch (1,S,S), hint (4,S,S), spread (4,S/4,S/4), truth (3,S,S), sketch again.

    Where the maker's pairs have sheets, one of them, (4,R,R), comes before the truth. An item depends on seed
    and place alone. The sketch comes twice because losses need it too.
    """

    def __init__(self, drawings: Sequence[Drawing], maker: PairMaker, seed: int) -> None:
        self.drawings, self.maker, self.seed = drawings, maker, seed

    def __len__(self) -> int:
        return len(self.drawings)

    def __getitem__(self, place: tuple[int, int, int]) -> tuple[Tensor, ...]:
        epoch, index, size = place
        pair = self.maker(np.random.default_rng([self.seed, epoch, index]), self.drawings, index, size)
        return to_tensors(pair)


def to_tensors(pair: Pair) -> tuple[Tensor, ...]:
    """Return sketch, hint, spread, the sheet where there is one, truth, and the sketch again: (C, H, W)."""
    sheet = () if pair.sheet is None else (pair.sheet,)
    planes = (pair.sketch[..., None], pair.hint, pair.spread, *sheet, pair.truth)
    tensors = [to_planes(plane) for plane in planes]
    return (*tensors, tensors[0])


@dataclass(eq=False)
class EpochBatches(Sampler[list[tuple[int, int, int]]]):
    """Batches of (epoch, index, size), shuffled by seed and epoch; can begin in the middle of an epoch."""

    count: int
    """Items of the dataset."""
    batch_size: int
    seed: int
    _: KW_ONLY
    shuffled: bool
    """Incomplete batches are then left out, as batch normalisation wants, unless there is no other."""
    sizes: Sequence[int]
    """Sides of pictures; each has an equal part of the epochs, the last what is left over."""
    epochs: int = 1
    first_epoch: int = 0
    """The number from which the epochs of items are counted."""
    rank: int = 0
    ranks: int = 1
    """Of so many processes each, by its rank, has other batches."""
    pixels: int = 0
    """A batch has as many items as have so many pixels, at least four; 0: ``batch_size`` of them."""
    shares: Sequence[float] | None = None
    """Items are drawn in proportion to these, as many in an epoch as there are; None: each once."""
    epoch: int = field(default=0, init=False)
    """The present one."""
    start: int = field(default=0, init=False)
    """The batch of the present epoch to begin with."""

    @property
    def side(self) -> int:
        """Side of the present epoch's pictures."""
        return self.sizes[min(self.epoch * len(self.sizes) // self.epochs, len(self.sizes) - 1)]

    @property
    def size(self) -> int:
        """Items of a batch of the present epoch."""
        wanted = max(4, self.pixels // self.side**2) if self.pixels else self.batch_size
        return min(wanted, self.count)

    def __len__(self) -> int:
        """Return the batches of the whole present epoch of one process, wherever this one begins."""
        together = self.size * self.ranks
        return self.count // together if self.shuffled else -(-self.count // together)

    def __iter__(self) -> Iterator[list[tuple[int, int, int]]]:
        number, side, size = self.first_epoch + self.epoch, self.side, self.size
        order = self._order(number)
        for step in range(self.start, len(self)):
            batch = step * self.ranks + self.rank
            yield [(number, int(i), side) for i in order[batch * size : (batch + 1) * size]]

    def _order(self, number: int) -> NDArray[np.int64]:
        rng, order = np.random.default_rng([self.seed, number]), np.arange(self.count)
        if self.shares is not None:
            shares = np.asarray(self.shares, float)
            return rng.choice(self.count, self.count, p=shares / shares.sum())
        if self.shuffled:
            rng.shuffle(order)
        return order


def loader(
    dataset: Dataset[Any], batches: EpochBatches, *, workers: int = 0, pinned: bool = False
) -> DataLoader[tuple[Tensor, ...]]:
    """Return a loader that takes nothing from the global random numbers, which belong to the training."""
    # Extractors of plugins can seldom be pickled, and only Linux starts processes safely without that.
    workers = workers if sys.platform == "linux" else 0
    return DataLoader(
        dataset,
        batch_sampler=batches,
        num_workers=workers,
        multiprocessing_context="fork" if workers else None,
        worker_init_fn=_begin_worker,
        generator=torch.Generator().manual_seed(0),
        pin_memory=pinned,
    )


def _begin_worker(_worker: int) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):  # these reach all processes; the one that trains decides
        signal.signal(number, signal.SIG_IGN)
    cv2.setNumThreads(0)  # its threads were not forked with the process
