"""What the critic learns from: drawings, and as many pictures that the generator has painted and saved."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from sketchcolor_cli.compute.tensors import to_planes
from sketchcolor_cli.imaging.picture import Picture, on_paper, to_array
from sketchcolor_cli.imaging.reading import read_picture
from sketchcolor_cli.imaging.writing import write_picture
from sketchcolor_cli.training.files import write_text
from sketchcolor_cli.training.loop.data import EpochBatches, loader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from torch import nn

    from sketchcolor_cli.training.loop.data import PairDataset

_EPOCH = 2**30  # the pairs that are painted are those of this epoch: the same whenever they are asked for


@dataclass(frozen=True)
class Fakes:
    """Pictures of ``size``×``size`` pixels that the generator paints, one for each pair, in a folder."""

    folder: Path
    size: int

    def file(self, number: int) -> Path:
        """Return the file of the picture for this pair."""
        return self.folder / f"{number // 1000:04d}" / f"{number:07d}.png"

    def claim(self, generator: nn.Module) -> None:
        """Empty the folder unless its pictures are by this generator, at this size.

        Raises:
            TrainingError: it cannot be written.
        """
        digest = hashlib.sha256(str(self.size).encode())
        for name, tensor in generator.state_dict().items():
            digest.update(name.encode() + tensor.cpu().contiguous().numpy().tobytes())
        owner = self.folder / "painted-by.txt"
        if not owner.exists() or owner.read_text() != digest.hexdigest():
            shutil.rmtree(self.folder, ignore_errors=True)
            write_text(owner, digest.hexdigest())

    def paint(
        self,
        pairs: PairDataset,
        numbers: Sequence[int],
        painted: Callable[[tuple[Tensor, ...]], Tensor],
        batch_size: int,
        *,
        progress: Callable[[int], None],
        stop: Callable[[], bool],
    ) -> None:
        """Save what the generator paints for the pairs of these numbers; what is there stays.

        ``painted`` turns a batch of the dataset into RGB pictures (N, 3, S, S) in [0, 1]. A picture is whole
        or absent, so painting can be stopped at any moment and taken up again. How often ``stop`` is asked
        depends on the count of numbers alone: processes answer it together.

        Raises:
            KeyboardInterrupt: ``stop`` said so.
            ImageError: a picture cannot be written.
        """
        for start in range(0, len(numbers), batch_size):
            if stop():
                raise KeyboardInterrupt
            batch = numbers[start : start + batch_size]
            missing = [number for number in batch if not self.file(number).exists()]
            if missing:
                items = [pairs[_EPOCH, number, self.size] for number in missing]
                pictures = painted(tuple(map(torch.stack, zip(*items, strict=True))))
                for number, picture in zip(missing, pictures, strict=True):
                    write_picture(self.file(number), Picture(to_array(picture[None])))
            progress(start + len(batch))


def share_of(count: int, rank: int, ranks: int) -> list[int]:
    """Return which of ``count`` pairs one of several processes paints: as many as each other one.

    Where they do not divide evenly, a few are painted twice.
    """
    return [number % count for number in range(rank, -(-count // ranks) * ranks, ranks)]


class RealAndFake(Dataset[tuple[Tensor, ...]]):
    """Item (epoch, index, S): a drawing and a generated picture, each (3, S, S) RGB, and a number to ignore.

    The drawing is that of a pair; the generated picture is of another one, drawn from seed and place alone,
    so that what is in a picture says nothing of whether it is real. With ``varied`` each is mirrored at
    random. Both have passed through eight bits, for else the one that has not would give itself away.
    """

    def __init__(self, pairs: PairDataset, fakes: Fakes, seed: int, *, varied: bool) -> None:
        self.pairs, self.fakes, self.seed, self.varied = pairs, fakes, seed, varied

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, place: tuple[int, int, int]) -> tuple[Tensor, ...]:
        epoch, index, _ = place
        rng = np.random.default_rng([self.seed, epoch, index])
        other = int(rng.integers(len(self)))
        truth = self.pairs[_EPOCH, index, self.fakes.size][-2]
        real = (truth * 255 + 0.5).floor() / 255
        painted = on_paper(read_picture(self.fakes.file(other)))
        fake = to_planes(painted)
        if self.varied:
            real, fake = (part.flip(2) if rng.random() < 0.5 else part for part in (real, fake))
        return real, fake, torch.tensor(0.0)


@torch.no_grad()
def critic_sheet(judge: Callable[[Tensor], Tensor], sample: tuple[Tensor, ...], path: Path) -> None:
    """Write a picture of two rows, drawings and generated ones; a bar below each says how real it is thought.

    The bar is as long as the probability of being a drawing; green where the critic is right, else red.
    """
    rows = []
    for pictures, is_real in zip(sample[:2], (True, False), strict=True):
        shares = torch.sigmoid(judge(pictures).flatten(1).mean(1)).cpu()
        marked = []
        for picture, share in zip(pictures, shares.tolist(), strict=True):
            bar = torch.ones(3, max(6, picture.shape[1] // 16), picture.shape[2])
            right = (share > 0.5) == is_real
            color = torch.tensor((0.1, 0.7, 0.2) if right else (0.9, 0.15, 0.1)).view(3, 1, 1)
            bar[:, 1:-1, : round(share * picture.shape[2])] = color
            marked.append(torch.cat([picture, bar], 1))
        rows.append(torch.cat(marked, 2))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_picture(path, Picture(to_array(torch.cat(rows, 1)[None].clamp(0, 1))))


def first_of(dataset: Dataset[tuple[Tensor, ...]], count: int, size: int) -> tuple[Tensor, ...]:
    """Return the first items of a dataset as a batch, to be shown."""
    shown = EpochBatches(len(dataset), count, 0, shuffled=False, sizes=(size,))  # type: ignore[arg-type]
    return next(iter(loader(dataset, shown)))
