"""What a preset is made of: its network, its way to make pairs, and its loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor

from sketchcolor_cli.color.compositing import paint_under
from sketchcolor_cli.color.spaces import rgb_to_lab, rgb_to_xyv
from sketchcolor_cli.errors import CheckpointError, TrainingError, UsageError
from sketchcolor_cli.networks.base import ColorNet
from sketchcolor_cli.networks.checkpoint import load_model
from sketchcolor_cli.networks.config import (
    CriticConfig,
    GeneratorConfig,
    HintUNetConfig,
    NetworkConfig,
    PatchCriticConfig,
    config_from_plain,
    config_to_plain,
)
from sketchcolor_cli.networks.critic import Critic, PatchCritic
from sketchcolor_cli.networks.hint_unet import HintUNet
from sketchcolor_cli.networks.lattice import lab_grid, lattice_shares
from sketchcolor_cli.networks.spaces import SPACES
from sketchcolor_cli.networks.thesis_unet import Generator
from sketchcolor_cli.training.loop.data import PairDataset, Subset, group_of, source_of, thesis_pair
from sketchcolor_cli.training.losses import color_rarity, paint_loss, pixel_loss
from sketchcolor_cli.training.pairs.pairs import Drawing, Inputs, Pair, PairRecipe, find_kin, make_pair
from sketchcolor_cli.training.pairs.strokes import KINDS
from sketchcolor_cli.training.results import page_lightness, result_rgb
from sketchcolor_cli.training.settings import is_share

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.random import Generator as NumpyGenerator

    from sketchcolor_cli.networks.base import Prediction
    from sketchcolor_cli.training.pairs.pairs import Kin
    from sketchcolor_cli.training.settings import TrainSettings

    Loss = Callable[[Prediction, Tensor, Tensor], Tensor]

_MEASURED = 48  # held-out drawings that are measured with each kind of hint
_COUNTED = 300  # pairs from which the rarity of colours is counted
_UNSEEN_EPOCH = 2**31  # pairs of epochs from here on are never trained on


_C = TypeVar("_C", bound=NetworkConfig)


FINETUNING = PairRecipe(
    hint_kinds={"none": 0.6, "points": 0.2, "strokes": 0.2},
    page_share=0,
    bubble_share=0,
    recolor_share=0,
    sheet_share=0,
    vary_colors=False,
)
"""Pairs from which the colours of a few pictures are learnt: as they are, and mostly without hints."""


@dataclass(frozen=True)
class Setup:
    """A painting network with the data and losses to train it on."""

    net: Generator | HintUNet
    train: PairDataset
    valid: PairDataset
    loss: Loss
    """Loss of the pixel stage: (prediction, truth, sketch) to a number."""
    later_loss: Loss
    """The part of the later stages' losses that compares pixels, with its weights there."""
    to_xyv: Callable[[Prediction, Tensor], Tensor]
    """Prediction and sketch to what critic and perceptual network see, (N, 3, H, W)."""
    inputs: int
    """Parts of a pair that go into the network: sketch, hint, spread, and the sheet where there is one."""
    augments_batches: bool
    shares: Sequence[float] | None = None
    """How often each pair is drawn, in proportion; None: each once in an epoch."""
    by_hint: Mapping[str, PairDataset] = field(default_factory=dict)
    """Held-out pairs with each kind of hint, where figures of each are wanted."""


def shaped(start: _C, given: Mapping[str, Any], option: str) -> _C:
    """Return a network's configuration with what ``given`` says instead.

    Raises:
        UsageError: it has no such key, or no network can have this shape; ``option`` is named.
    """
    try:
        return config_from_plain(type(start), {**config_to_plain(start), **given})
    except CheckpointError as error:
        raise UsageError(f"{option}: {error}") from error


def set_up(config: TrainSettings, train: Sequence[Drawing], valid: Sequence[Drawing], device: str) -> Setup:
    """Build what the preset of ``config`` needs; weights start from ``config.seed`` or a model file.

    Raises:
        CheckpointError: the model file cannot be read.
        DataError: the preset needs sketches, and the drawings have none.
        TrainingError: the model file holds another network than the preset trains.
    """
    torch.manual_seed(config.seed)
    build = _thesis if config.preset == "thesis" else _fast
    return replace(build(config, train, valid, device), shares=_shares(config, train))


def set_up_critic(config: TrainSettings) -> Critic | PatchCritic:
    """Return a fresh critic; weights start from ``config.seed``.

    Raises:
        UsageError: the configuration describes no critic.
    """
    torch.manual_seed(config.seed)
    option = "--config, critic-network"
    if config.critic == "patch":
        patches = PatchCriticConfig(spectral_norm=config.spectral_norm)
        return PatchCritic(shaped(patches, config.critic_network, option))
    return Critic(shaped(CriticConfig(spectral_norm=config.spectral_norm), config.critic_network, option))


def _begun(config: TrainSettings, fresh: Generator | HintUNet) -> Any:
    """Return the network to begin with: a fresh one, or that of the model file."""
    if not config.from_model:
        return fresh
    net, _ = load_model(Path(config.from_model), ColorNet)
    if net.config.architecture != fresh.config.architecture:
        raise TrainingError(
            f"{config.from_model}: holds a {net.config.architecture} network, and --preset {config.preset} "
            f"trains a {fresh.config.architecture}; use the preset it was trained with"
        )
    space = getattr(net.config, "output_space", config.output_space)
    if space != config.output_space:
        raise TrainingError(f"{config.from_model}: its network paints in {space}; add --output-space {space}")
    return net.train()


def _thesis(config: TrainSettings, train: Sequence[Drawing], valid: Sequence[Drawing], _device: str) -> Setup:
    if config.pairs or config.hint_figures:
        raise UsageError("--pairs and --hint-figures: preset thesis makes its pairs in one way only")
    shape = GeneratorConfig(output_space=config.output_space)  # type: ignore[arg-type]  # checked before
    net = _begun(config, Generator(shaped(shape, config.network, "--config, network")))
    space = SPACES[net.config.output_space]
    learning = PairDataset(train, thesis_pair, config.seed)
    _ = learning[0, 0, config.size[-1]]  # without sketches this says so, before anything else begins

    def loss(prediction: Prediction, truth: Tensor, _sketch: Tensor) -> Tensor:
        return pixel_loss(prediction, truth, space, antialias=net.config.antialias)

    def later_loss(prediction: Prediction, truth: Tensor, _sketch: Tensor) -> Tensor:
        antialias = net.config.antialias
        return pixel_loss(prediction, truth, space, weight=4, extra_weight=2, antialias=antialias)

    def to_xyv(prediction: Prediction, _sketch: Tensor) -> Tensor:
        return space.to_xyv(prediction.color)

    held_out = PairDataset(valid, thesis_pair, config.seed)
    return Setup(net, learning, held_out, loss, later_loss, to_xyv, inputs=3, augments_batches=True)


def _fast(config: TrainSettings, train: Sequence[Drawing], valid: Sequence[Drawing], device: str) -> Setup:
    net = _begun(config, HintUNet(shaped(HintUNetConfig(), config.network, "--config, network")))

    recipe = pair_recipe(config)
    with_sheets = net.sheet_size > 0 and recipe.sheet_share > 0
    plain = PairRecipe(page_share=0, bubble_share=0, augment=False)
    if config.finetune:  # what is asked is what the network paints when it is given nothing
        plain = replace(plain, hint_kinds={"none": 1})
    paired = partial(_paired, Inputs(net.stride, net.sheet_size), config.seed, with_sheets)
    learning = paired(train, recipe)
    a, b = lab_grid(net.config.lab_step)
    rarity = _count_colors(learning, config.size[-1], net.stride, (a, b)).to(device)
    lattice = a.to(device), b.to(device)

    def loss(prediction: Prediction, truth: Tensor, sketch: Tensor) -> Tensor:
        if config.finetune:  # what is painted without any hint is what shall be right
            prediction = replace(prediction, sure=None)
        return paint_loss(prediction, page_lightness(sketch), rgb_to_lab(truth), lattice, rarity)["total"]

    def later_loss(prediction: Prediction, truth: Tensor, sketch: Tensor) -> Tensor:
        return 4 * loss(prediction, truth, sketch)

    def to_xyv(prediction: Prediction, sketch: Tensor) -> Tensor:
        return rgb_to_xyv(result_rgb(net, prediction, sketch))

    by_hint = {}
    if config.hint_figures:
        by_hint = {kind: paired(*of_kind(valid, plain, kind)) for kind in _kinds(valid, with_sheets)}
    return Setup(
        net, learning, paired(valid, plain), loss, later_loss, to_xyv,
        inputs=4 if with_sheets else 3, augments_batches=False, by_hint=by_hint,
    )  # fmt: skip


def _paired(
    inputs: Inputs, seed: int, with_sheets: bool, drawings: Sequence[Drawing], recipe: PairRecipe
) -> PairDataset:
    if not with_sheets:
        return PairDataset(drawings, partial(_without_sheet, inputs, replace(recipe, sheet_share=0)), seed)
    kin = find_kin(group_of(drawings, index) for index in range(len(drawings)))
    return PairDataset(drawings, partial(_with_sheet, inputs, recipe, kin), seed)


def pair_recipe(config: TrainSettings) -> PairRecipe:
    """Return how pairs are made: the preset's way, changed by the table ``pairs``.

    Its keys are those of :class:`PairRecipe`, and ``bare_share``, the share of pairs without a hint.

    Raises:
        UsageError: A key is unknown, or a value is not a share.
    """
    recipe = FINETUNING if config.finetune else PairRecipe()
    known = {key.name for key in fields(PairRecipe)}
    given = dict(config.pairs)
    bare = given.pop("bare_share", None)
    if unknown := given.keys() - known:
        listed = ", ".join(sorted([*known, "bare_share"]))
        raise UsageError(f"--pairs: unknown key {min(unknown)}; valid keys: {listed}")
    for name, value in {**given, **({} if bare is None else {"bare_share": bare})}.items():
        if name.endswith("share") and not (isinstance(value, int | float) and 0 <= value <= 1):
            raise UsageError(f"--pairs: {name} must be a share from 0 to 1, not {value}")
        if isinstance(getattr(recipe, name, None), bool) and not isinstance(value, bool):
            raise UsageError(f"--pairs: {name} must be true or false, not {value!r}")
    recipe = replace(recipe, **given)
    _check_kinds(recipe.hint_kinds)
    if bare is None:
        return recipe
    helped = {kind: share for kind, share in recipe.hint_kinds.items() if kind != "none"}
    if bare == 1 or not sum(helped.values()):
        return replace(recipe, hint_kinds={"none": 1.0})
    return replace(recipe, hint_kinds={"none": bare / (1 - bare) * sum(helped.values()), **helped})


def _check_kinds(kinds: object) -> None:
    """Refuse kinds of hints that there are not, and frequencies that none can be drawn by."""
    if not isinstance(kinds, Mapping):
        raise UsageError(
            f"--pairs: hint_kinds must be a table such as {{ none = 1, points = 2 }}, not {kinds!r}"
        )
    if unknown := set(kinds) - set(KINDS):
        raise UsageError(f"--pairs: unknown kind of hint {min(unknown)}; there are {', '.join(KINDS)}")
    if not all(map(is_share, kinds.values())) or not sum(kinds.values()):
        raise UsageError("--pairs: hint_kinds must be numbers of at least 0, one of them above 0")


def _shares(config: TrainSettings, train: Sequence[Drawing]) -> list[float] | None:
    """Return how often each drawing is drawn by the weight of its source; None where all weigh the same."""
    if not config.source_weights:
        return None
    return [config.source_weights.get(source_of(train, index), 1.0) for index in range(len(train))]


def _kinds(valid: Sequence[Drawing], with_sheets: bool) -> list[str]:
    """Return the kinds of hints that held-out drawings are shown with."""
    kin = find_kin(group_of(valid, index) for index in range(len(valid)))
    return ["none", "points", "painting", *(["sheet"] if with_sheets and kin else [])]


def of_kind(valid: Sequence[Drawing], plain: PairRecipe, kind: str) -> tuple[Subset, PairRecipe]:
    """Return some held-out drawings, and the recipe that shows them with this kind of hint.

    With ``sheet`` there is no hint, but another drawing of the same group, of drawings that have one.
    """
    places = list(range(len(valid)))
    if kind == "sheet":
        kin = find_kin(group_of(valid, index) for index in places)
        places = [index for index in places if group_of(valid, index) in kin]
        return Subset(valid, places), replace(plain, hint_kinds={"none": 1.0}, sheet_share=1, kin_share=1)
    few = places[:: max(1, len(places) // _MEASURED)]
    return Subset(valid, few), replace(plain, hint_kinds={kind: 1.0}, sheet_share=0)


def _with_sheet(
    inputs: Inputs, recipe: PairRecipe, kin: Kin,
    rng: NumpyGenerator, drawings: Sequence[Drawing], index: int, size: int,
) -> Pair:  # fmt: skip
    return make_pair(rng, drawings, index, size, recipe, inputs, kin)


def _without_sheet(
    inputs: Inputs, recipe: PairRecipe,
    rng: NumpyGenerator, drawings: Sequence[Drawing], index: int, size: int,
) -> Pair:  # fmt: skip
    return replace(make_pair(rng, drawings, index, size, recipe, inputs), sheet=None)


def _count_colors(pairs: PairDataset, size: int, stride: int, lattice: tuple[Tensor, Tensor]) -> Tensor:
    """Return the rarity of each lattice colour in pairs that training itself will not see."""
    counts = torch.zeros(len(lattice[0]) * len(lattice[1]))
    for number in range(min(_COUNTED, 4 * len(pairs))):
        again, index = divmod(number, len(pairs))
        *_, truth, sketch = (part[None] for part in pairs[_UNSEEN_EPOCH + again, index, size])
        paint, seen = paint_under(page_lightness(sketch), rgb_to_lab(truth), stride)
        corners, shares = lattice_shares(paint[:, 1:], *lattice)
        counts.index_add_(0, corners.flatten(), (shares * seen[:, 1:2]).flatten())
    return color_rarity(counts)
