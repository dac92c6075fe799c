"""Datasets: drawings by number, the pair that is made of each, and an order that can be taken up again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from sketchcolor_cli.errors import DataError
from sketchcolor_cli.images import on_paper, read_picture
from sketchcolor_cli.training.pairs import Drawing, Pair

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.random import Generator
    from numpy.typing import NDArray

PairMaker = Callable[["Generator", "Sequence[Drawing]", int], Pair]
Sketch = Callable[["NDArray[np.float32]"], "NDArray[np.float32]"]


class FolderDrawings(Sequence[Drawing]):
    """Pictures of a folder, each read when it is asked for, shorter side at most ``short_side`` pixels.

    ``sketches`` gives for each picture the file of its sketch.
    """

    def __init__(self, paths: Sequence[Path], short_side: int, sketches: Sequence[Path] | None = None) -> None:
        self.paths, self.short_side, self.sketches = paths, short_side, sketches

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN204
        if isinstance(index, slice):
            files = None if self.sketches is None else self.sketches[index]
            return FolderDrawings(self.paths[index], self.short_side, files)
        color = self._read(self.paths[index])
        line = None
        if self.sketches is not None:
            line = cv2.cvtColor(self._read(self.sketches[index]), cv2.COLOR_RGB2GRAY)
            line = cv2.resize(line, color.shape[1::-1], interpolation=cv2.INTER_AREA)
        return Drawing(str(self.paths[index]), color, line)

    def _read(self, path: Path) -> NDArray[np.uint8]:
        rgb = on_paper(read_picture(path))
        scale = self.short_side / min(rgb.shape[:2])
        if scale < 1:
            rgb = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        return (rgb * 255 + 0.5).astype(np.uint8)


class Subset(Sequence[Drawing]):
    """Some of the drawings of another sequence, by number."""

    def __init__(self, drawings: Sequence[Drawing], numbers: Sequence[int]) -> None:
        self.drawings, self.numbers = drawings, numbers

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, index):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN204
        if isinstance(index, slice):
            return Subset(self.drawings, self.numbers[index])
        return self.drawings[self.numbers[index]]


def split(drawings: Sequence[Drawing], valid_share: float, seed: int) -> tuple[Subset, Subset]:
    """Return training and validation drawings; at least one is held out.

    Raises:
        DataError: there are fewer than two pictures.
    """
    if len(drawings) < 2:
        raise DataError(f"{len(drawings)} picture(s) found; training needs at least 2, one of them to measure on")
    order = np.random.default_rng(seed).permutation(len(drawings)).tolist()
    held_out = max(1, round(len(drawings) * valid_share))
    return Subset(drawings, sorted(order[held_out:])), Subset(drawings, sorted(order[:held_out]))


def thesis_pair(size: int, sketch: Sketch | None) -> PairMaker:
    """Return a maker of the thesis's pairs: the whole picture as a square, and itself as its own reference.

    ``sketch`` draws the lines of a drawing that has none; (H, W, 3) to (H, W), float32 in [0, 1].
    """

    def make(_rng: Generator, drawings: Sequence[Drawing], index: int) -> Pair:
        drawing = drawn(drawings[index], sketch)
        truth = cv2.resize(drawing.color, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        line = cv2.resize(drawing.line, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        given = np.ones((size, size, 1), np.float32)
        return Pair(line, np.concatenate([truth, given], 2), np.zeros((size // 4, size // 4, 4), np.float32), truth)

    return make


def drawn(drawing: Drawing, sketch: Sketch | None) -> Drawing:
    """Return the drawing with lines, drawn by ``sketch`` when it was given."""
    if sketch is None:
        return drawing
    line = sketch(drawing.color.astype(np.float32) / 255)
    return replace(drawing, line=(line * 255 + 0.5).astype(np.uint8))


class PairDataset(Dataset[tuple[Tensor, ...]]):
    """Item (epoch, index): sketch (1,S,S), hint (4,S,S), spread (4,S/4,S/4), truth (3,S,S), sketch again.

    An item depends on seed, epoch and index alone. The sketch comes twice because losses need it too.
    """

    def __init__(self, drawings: Sequence[Drawing], maker: PairMaker, seed: int) -> None:
        self.drawings, self.maker, self.seed = drawings, maker, seed

    def __len__(self) -> int:
        return len(self.drawings)

    def __getitem__(self, place: tuple[int, int]) -> tuple[Tensor, ...]:
        epoch, index = place
        pair = self.maker(np.random.default_rng([self.seed, epoch, index]), self.drawings, index)
        planes = (pair.sketch[..., None], pair.hint, pair.spread, pair.truth)
        tensors = [torch.from_numpy(np.ascontiguousarray(plane.transpose(2, 0, 1))) for plane in planes]
        return (*tensors, tensors[0])


class EpochBatches(Sampler[list[tuple[int, int]]]):
    """Batches of (epoch, index), shuffled by seed and epoch; can begin in the middle of an epoch.

    Incomplete batches are left out when shuffled, as batch normalisation wants, unless there is no other.
    """

    def __init__(self, count: int, batch_size: int, seed: int, *, shuffled: bool) -> None:
        self.count, self.size, self.seed, self.shuffled = count, min(batch_size, count), seed, shuffled
        self.epoch, self.start = 0, 0

    def __len__(self) -> int:
        return self.count // self.size if self.shuffled else -(-self.count // self.size)

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        order = np.arange(self.count)
        if self.shuffled:
            np.random.default_rng([self.seed, self.epoch]).shuffle(order)
        for batch in range(self.start, len(self)):
            yield [(self.epoch, int(i)) for i in order[batch * self.size : (batch + 1) * self.size]]


def loader(dataset: PairDataset, batches: EpochBatches, workers: int) -> DataLoader[tuple[Tensor, ...]]:
    """Return a loader that takes nothing from the global random numbers, which belong to the training."""
    return DataLoader(
        dataset,
        batch_sampler=batches,
        num_workers=workers,
        worker_init_fn=_single_threaded,
        generator=torch.Generator().manual_seed(0),
        pin_memory=torch.cuda.is_available(),
    )


def _single_threaded(_worker: int) -> None:
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
