"""What the perceptual network learns from: pictures by class, as cartoons (Cortés Méndez 2022)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from sketchcolor_cli.compute.tensors import to_planes
from sketchcolor_cli.data.pictures import to_unit
from sketchcolor_cli.errors import DataError
from sketchcolor_cli.imaging.picture import Picture, to_array
from sketchcolor_cli.imaging.writing import write_picture
from sketchcolor_cli.networks.config import PerceptualConfig
from sketchcolor_cli.networks.perceptual import Perceptual
from sketchcolor_cli.training.loop.data import Subset
from sketchcolor_cli.training.pairs.cartoon import any_look, cartoonise
from sketchcolor_cli.training.presets import shaped

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.random import Generator
    from numpy.typing import NDArray

    from sketchcolor_cli.training.pairs.pairs import Drawing
    from sketchcolor_cli.training.settings import TrainSettings

_LEAST_SHARE = 0.35  # of the picture's area that a crop shows
_SHOWN = 6  # pictures in a row of the contact sheet
_ROWS = 4
_RIGHT, _WRONG = (0.1, 0.7, 0.2), (0.9, 0.15, 0.1)


@dataclass(frozen=True)
class Classes:
    """The perceptual network with the data to train it on."""

    net: Perceptual
    train: Cartoons
    valid: Cartoons
    names: list[str]
    """The classes, in the order of the logits."""


def set_up_classes(
    config: TrainSettings, drawings: Sequence[Drawing], names: Sequence[str], learning: Sequence[int],
    held_out: Sequence[int],
) -> Classes:  # fmt: skip
    """Build what the stage vgg needs; weights start from ``config.seed``.

    ``names`` has the class of each drawing; ``learning`` and ``held_out`` are numbers of drawings, and others
    are left out.

    Raises:
        DataError: there is only one class.
    """
    known = sorted({names[number] for number in (*learning, *held_out)})
    if len(known) < 2:
        raise DataError(f"{len(known)} class of pictures found; telling classes apart needs 2 or more")
    number = {name: place for place, name in enumerate(known)}
    torch.manual_seed(config.seed)
    shape = shaped(PerceptualConfig(), {**config.vgg_network, "classes": len(known)}, "--config, vgg-network")

    def cartoons(numbers: Sequence[int], *, varied: bool) -> Cartoons:
        labels = [number[names[index]] for index in numbers]
        return Cartoons(Subset(drawings, numbers), labels, config.seed, varied=varied)

    return Classes(
        Perceptual(shape), cartoons(learning, varied=True), cartoons(held_out, varied=False), known
    )


class Cartoons(Dataset[tuple[Tensor, ...]]):
    """Item (epoch, index, size S): a cartoon (3, S, S), RGB in [0, 1], and its class.

    With ``varied``, crop, mirror and the cartoon's look are random, from seed and place alone; else the whole
    picture in the default look.
    """

    def __init__(self, drawings: Subset, labels: Sequence[int], seed: int, *, varied: bool) -> None:
        self.drawings, self.labels, self.seed, self.varied = drawings, labels, seed, varied

    def __len__(self) -> int:
        return len(self.drawings)

    def __getitem__(self, item: tuple[int, int, int]) -> tuple[Tensor, ...]:
        epoch, index, size = item
        place, drawing = self.drawings.next_readable(index)
        color, look = drawing.color, None
        if self.varied:
            rng = np.random.default_rng([self.seed, epoch, index])
            color, look = _cropped(rng, color), any_look(rng)
        square = to_unit(cv2.resize(color, (size, size), interpolation=cv2.INTER_AREA))
        drawn = to_planes(cartoonise(square, look))
        return drawn, torch.tensor(self.labels[place])


def _cropped(rng: Generator, color: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = color.shape[:2]
    side = np.sqrt(rng.uniform(_LEAST_SHARE, 1))
    h, w = max(1, round(height * side)), max(1, round(width * side))
    top, left = int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1))
    part = color[top : top + h, left : left + w]
    return part[:, ::-1] if rng.random() < 0.5 else part


@torch.no_grad()
def class_sheet(classify: Callable[[Tensor], Tensor], sample: tuple[Tensor, ...], path: Path) -> None:
    """Write a picture of cartoons, each framed green where its class was found and red where it was not."""
    pictures, labels = sample
    found = classify(pictures).argmax(1).cpu() == labels
    framed = pictures.clone()
    for picture, right in zip(framed, found, strict=True):
        edge = max(2, picture.shape[1] // 32)
        color = torch.tensor(_RIGHT if right else _WRONG).view(3, 1, 1)
        for rows, columns in (
            (slice(edge), slice(None)), (slice(-edge, None), slice(None)),
            (slice(None), slice(edge)), (slice(None), slice(-edge, None)),
        ):  # fmt: skip
            picture[:, rows, columns] = color
    empty = -len(framed) % _SHOWN
    framed = torch.cat([framed, framed.new_ones(empty, *framed.shape[1:])])
    rows_of = [torch.cat(list(row), 2) for row in torch.split(framed, _SHOWN)]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_picture(path, Picture(rgb=to_array(torch.cat(rows_of, 1)[None].clamp(0, 1))))


SHEET = _SHOWN * _ROWS
"""Pictures on a contact sheet."""
