"""What a preset is made of: its network, its way to make pairs, and its loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from sketchcolor_cli.color import rgb_to_lab
from sketchcolor_cli.compositing import paint_under
from sketchcolor_cli.model.generator import Generator
from sketchcolor_cli.model.hint_unet import HintUNet
from sketchcolor_cli.model.lattice import lab_grid, lattice_shares
from sketchcolor_cli.model.spaces import SPACES
from sketchcolor_cli.training.data import PairDataset, thesis_pair
from sketchcolor_cli.training.losses import color_rarity, paint_loss, pixel_loss
from sketchcolor_cli.training.pairs import Drawing, Pair, PairRecipe, make_pair
from sketchcolor_cli.training.results import page_lightness

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.random import Generator as NumpyGenerator

    from sketchcolor_cli.model.base import Prediction
    from sketchcolor_cli.training.config import TrainConfig
    from sketchcolor_cli.training.data import PairMaker

    Loss = Callable[[Prediction, Tensor, Tensor], Tensor]

_COUNTED = 300  # pairs from which the rarity of colours is counted
_UNSEEN_EPOCH = 2**31  # pairs of epochs from here on are never trained on


@dataclass(frozen=True)
class Setup:
    """A network with the data and loss to train it on; ``loss(prediction, truth, sketch)``."""

    net: Generator | HintUNet
    train: PairDataset
    valid: PairDataset
    loss: Loss
    augments_batches: bool


def set_up(config: TrainConfig, train: Sequence[Drawing], valid: Sequence[Drawing], device: str) -> Setup:
    """Build what the preset of ``config`` needs; weights start from ``config.seed``.

    Raises:
        DataError: the preset needs sketches, and the drawings have none.
    """
    torch.manual_seed(config.seed)
    return {"thesis": _thesis, "fast": _fast}[config.preset](config, train, valid, device)


def _thesis(config: TrainConfig, train: Sequence[Drawing], valid: Sequence[Drawing], _device: str) -> Setup:
    net = Generator()
    space = SPACES[net.config.output_space]
    maker = thesis_pair(config.size)
    learning = PairDataset(train, maker, config.seed)
    _ = learning[0, 0]  # where there are no sketches this says so, before anything else begins

    def loss(prediction: Prediction, truth: Tensor, _sketch: Tensor) -> Tensor:
        return pixel_loss(prediction, truth, space)

    return Setup(net, learning, PairDataset(valid, maker, config.seed), loss, augments_batches=True)


def _fast(config: TrainConfig, train: Sequence[Drawing], valid: Sequence[Drawing], device: str) -> Setup:
    net = HintUNet()

    def maker(recipe: PairRecipe) -> PairMaker:
        def make(rng: NumpyGenerator, drawings: Sequence[Drawing], index: int) -> Pair:
            return make_pair(rng, drawings, index, config.size, recipe, stride=net.stride)

        return make

    learning = PairDataset(train, maker(PairRecipe(sheet_share=0)), config.seed)
    plain = PairRecipe(page_share=0, bubble_share=0, sheet_share=0, augment=False)
    a, b = lab_grid(net.config.lab_step)
    rarity = _count_colors(learning, net.stride, (a, b)).to(device)
    lattice = a.to(device), b.to(device)

    def loss(prediction: Prediction, truth: Tensor, sketch: Tensor) -> Tensor:
        return paint_loss(prediction, page_lightness(sketch), rgb_to_lab(truth), lattice, rarity)["total"]

    return Setup(net, learning, PairDataset(valid, maker(plain), config.seed), loss, augments_batches=False)


def _count_colors(pairs: PairDataset, stride: int, lattice: tuple[Tensor, Tensor]) -> Tensor:
    """Return the rarity of each lattice colour in pairs that training itself will not see."""
    counts = torch.zeros(len(lattice[0]) * len(lattice[1]))
    for number in range(min(_COUNTED, 4 * len(pairs))):
        again, index = divmod(number, len(pairs))
        sketch, _, _, truth, _ = (part[None] for part in pairs[_UNSEEN_EPOCH + again, index])
        paint, seen = paint_under(page_lightness(sketch), rgb_to_lab(truth), stride)
        corners, shares = lattice_shares(paint[:, 1:], *lattice)
        counts.index_add_(0, corners.flatten(), (shares * seen[:, 1:2]).flatten())
    return color_rarity(counts)
