"""What a preset is made of: its network, its way to make pairs, and its loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from sketchcolor_cli.color import rgb_to_lab
from sketchcolor_cli.compositing import paint_under
from sketchcolor_cli.errors import DataError
from sketchcolor_cli.model.generator import Generator
from sketchcolor_cli.model.hint_unet import HintUNet, lab_grid
from sketchcolor_cli.model.spaces import SPACES
from sketchcolor_cli.training.data import PairDataset, Sketch, drawn, thesis_pair
from sketchcolor_cli.training.losses import color_rarity, lattice_shares, paint_loss, pixel_loss
from sketchcolor_cli.training.pairs import Drawing, Pair, PairRecipe, make_pair
from sketchcolor_cli.training.results import page_lightness

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sketchcolor_cli.model.base import ColorNet, Prediction
    from sketchcolor_cli.training.config import TrainConfig
    from sketchcolor_cli.training.data import PairMaker, Subset

    Loss = Callable[[Prediction, Tensor, Tensor], Tensor]

_COUNTED = 300  # pairs from which the rarity of colours is counted


@dataclass(frozen=True)
class Setup:
    """A network with the data and loss to train it on; ``loss(prediction, truth, sketch)``."""

    net: ColorNet
    train: PairDataset
    valid: PairDataset
    loss: Loss
    augments_batches: bool


def set_up(config: TrainConfig, train: Subset, valid: Subset, sketch: Sketch | None, device: str) -> Setup:
    """Build what the preset of ``config`` needs; weights start from ``config.seed``."""
    torch.manual_seed(config.seed)
    if config.preset == "thesis":
        return _thesis(config, train, valid, sketch)
    return _fast(config, train, valid, sketch, device)


def _thesis(config: TrainConfig, train: Subset, valid: Subset, sketch: Sketch | None) -> Setup:
    if sketch is None and train[0].line is None:
        raise DataError("the pictures come without sketches; name an extractor with --method or give --sketches")
    net = Generator()
    space = SPACES[net.config.output_space]
    maker = thesis_pair(config.size, sketch)

    def loss(prediction: Prediction, truth: Tensor, _sketch: Tensor) -> Tensor:
        return pixel_loss(prediction, truth, space)

    return Setup(
        net, PairDataset(train, maker, config.seed), PairDataset(valid, maker, config.seed), loss, augments_batches=True
    )


def _fast(config: TrainConfig, train: Subset, valid: Subset, sketch: Sketch | None, device: str) -> Setup:
    net = HintUNet()

    def maker(recipe: PairRecipe) -> PairMaker:
        def make(rng: np.random.Generator, drawings: Sequence[Drawing], index: int) -> Pair:
            with_lines = _Drawn(drawings, sketch) if sketch else drawings
            return make_pair(rng, with_lines, index, config.size, recipe, stride=net.stride)

        return make

    learning = PairDataset(train, maker(PairRecipe()), config.seed)
    plain = PairRecipe(page_share=0, bubble_share=0, augment=False)
    lattice = tuple(part.to(device) for part in lab_grid(net.config.lab_step))
    rarity = _count_colors(learning, net.stride, lab_grid(net.config.lab_step)).to(device)

    def loss(prediction: Prediction, truth: Tensor, lines: Tensor) -> Tensor:
        parts = paint_loss(prediction, page_lightness(lines), rgb_to_lab(truth), (lattice[0], lattice[1]), rarity)
        return parts["total"]

    return Setup(
        net, learning, PairDataset(valid, maker(plain), config.seed), loss, augments_batches=False
    )


@dataclass(frozen=True)
class _Drawn:
    """Drawings whose lines are drawn when they are asked for."""

    drawings: Sequence[Drawing]
    sketch: Sketch

    def __len__(self) -> int:
        return len(self.drawings)

    def __getitem__(self, index: int) -> Drawing:
        return drawn(self.drawings[index], self.sketch)


def _count_colors(pairs: PairDataset, stride: int, lattice: tuple[Tensor, Tensor]) -> Tensor:
    """Return the rarity of each lattice colour in pairs that training itself will not see."""
    counts = torch.zeros(len(lattice[0]) * len(lattice[1]))
    for number in range(min(_COUNTED, 4 * len(pairs))):
        lines, _, _, truth, _ = (part[None] for part in pairs[2**31, number % len(pairs)])
        paint, seen = paint_under(page_lightness(lines), rgb_to_lab(truth), stride)
        corners, shares = lattice_shares(paint[:, 1:], *lattice)
        counts.index_add_(0, corners.flatten(), (shares * seen[:, 1:2]).flatten())
    return color_rarity(counts)


