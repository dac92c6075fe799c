"""The stages of training (Cortés Méndez 2022, training recipe): what each fits, by what loss, and shows."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from sketchcolor_cli.color.spaces import rgb_to_xyv
from sketchcolor_cli.metrics import pictures as measures
from sketchcolor_cli.networks.hint_unet import HintUNet
from sketchcolor_cli.training import results
from sketchcolor_cli.training.gan import adversary, alternating, early_stopping, fakes
from sketchcolor_cli.training.loop import callbacks, metrics
from sketchcolor_cli.training.loop.data import EpochBatches, loader
from sketchcolor_cli.training.loop.learner import Work, fit
from sketchcolor_cli.training.pairs import classes
from sketchcolor_cli.training.pairs.palette_conditioning import sheet_and_palette
from sketchcolor_cli.training.perception import feature_extractor, perceptual_loss

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sketchcolor_cli.networks.base import ColorNet, Prediction
    from sketchcolor_cli.networks.critic import Critic, PatchCritic
    from sketchcolor_cli.networks.perceptual import Perceptual
    from sketchcolor_cli.training.loop.learner import Context
    from sketchcolor_cli.training.pairs.classes import Classes
    from sketchcolor_cli.training.presets import Loss, Setup
    from sketchcolor_cli.training.settings import TrainSettings

_SHEET_ROWS = 8
_MEASURED = (measures.psnr, measures.delta_e, metrics.colorfulness_ratio)  # of results, after each epoch


class AutocastColorNet(nn.Module):
    """A network as fastai calls it; it works in a lower precision, its results and the loss do not.

    In training it sees of some sheets the palette alone, which makes the mood count without the rest.
    """

    def __init__(self, net: ColorNet, device: str, dtype: torch.dtype) -> None:
        super().__init__()
        self.net, self.device_type, self.dtype = net, torch.device(device).type, dtype

    def forward(
        self, sketch: Tensor, hint: Tensor, spread: Tensor, sheet: Tensor | None = None
    ) -> Prediction:
        """See :class:`ColorNet`."""
        z = None
        if sheet is not None and self.net.training and isinstance(self.net, HintUNet):
            sheet, z = sheet_and_palette(self.net, sheet)
        with torch.autocast(self.device_type, self.dtype, enabled=self.dtype != torch.float32):
            prediction = self.net(sketch, hint, spread=spread, sheet=sheet, z=z)
        parts = {name: part.float() for name, part in vars(prediction).items() if part is not None}
        return replace(prediction, **parts)  # type: ignore[no-any-return]


class AutocastClassifier(nn.Module):
    """The perceptual network as a classifier of RGB pictures (N, 3, H, W) in [0, 1]."""

    def __init__(self, net: Perceptual, device: str, dtype: torch.dtype) -> None:
        super().__init__()
        self.net, self.device_type, self.dtype = net, torch.device(device).type, dtype

    def forward(self, rgb: Tensor) -> Tensor:
        """Return logits (N, classes)."""
        xyv = rgb_to_xyv(rgb)
        with torch.autocast(self.device_type, self.dtype, enabled=self.dtype != torch.float32):
            return self.net(xyv).logits.float()  # type: ignore[no-any-return]


def fit_vgg(context: Context, data: Classes, *, keep: Callable[[Path], None]) -> None:
    """Teach the perceptual network to tell classes of cartoons apart; top-1 and top-5 are measured."""
    net, valid = data.net, data.valid
    if context.config.compile:
        net.compile()
    model = AutocastClassifier(net, context.device, context.dtype)
    sample = fakes.first_of(valid, classes.SHEET, context.config.size[-1])

    def sheet(path: Path) -> None:
        was_training = model.training
        model.eval()
        classes.class_sheet(lambda rgb: model(rgb.to(context.device)), sample, path)
        model.train(was_training)

    fit(
        context,
        Work(
            "vgg", model, {"net": net}, data.train, valid, F.cross_entropy, inputs=1,
            metrics=(top1, top5), sheet=sheet, keep=keep,
        ),
    )  # fmt: skip


def top1(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the share of pictures whose class is thought the most probable."""
    return (logits.argmax(1) == labels).float().mean()


def top5(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the share of pictures whose class is among the five thought most probable."""
    best = logits.topk(min(5, logits.shape[1]), 1).indices
    return (best == labels[:, None]).any(1).float().mean()


def fit_pixel(context: Context, setup: Setup, *, keep: Callable[[Path], None]) -> None:
    """Teach the network to paint what is there, pixel by pixel."""
    fit(context, painting(context, setup, "pixel", setup.loss, keep))


def fit_perceptual(
    context: Context, setup: Setup, network: Perceptual, *, keep: Callable[[Path], None]
) -> None:
    """Teach the network to paint what looks the same to the perceptual network."""
    loss = perceived(setup, feature_extractor(network, context.device, context.dtype))
    fit(context, painting(context, setup, "perceptual", loss, keep))


def perceived(setup: Setup, features: Callable[[Tensor], tuple[Tensor, ...]]) -> Loss:
    """Return the loss of the perceptual stage: pixels, weighted as there, and what is seen."""

    def loss(prediction: Prediction, truth: Tensor, sketch: Tensor) -> Tensor:
        with torch.no_grad():
            wanted = features(rgb_to_xyv(truth))
        seen = features(setup.to_xyv(prediction, sketch))
        return setup.later_loss(prediction, truth, sketch) + perceptual_loss(seen, wanted)

    return loss


def fit_critic(
    context: Context,
    setup: Setup,
    critic: Critic | PatchCritic,
    *,
    progress: Callable[[int, int], None],  # told how many pictures there are, and how many are painted
    keep: Callable[[Path], None],
) -> None:
    """Teach the critic to tell drawings from what the network paints, which is saved first."""
    config, size = context.config, context.config.size[-1]
    net = setup.net.to(torch.device(context.device)).to(memory_format=torch.channels_last)
    autocast = AutocastColorNet(net, context.device, context.dtype)
    net.eval()

    @torch.no_grad()
    def paint(batch: tuple[Tensor, ...]) -> Tensor:
        *given, _, sketch = (part.to(context.device) for part in batch)
        return results.result_rgb(net, autocast(*given), sketch).cpu()

    data = {}
    for part, pairs in (("train", setup.train), ("valid", setup.valid)):
        folder = context.run / "generated" / part
        if context.ranks.first:
            fakes.claim(folder, net, size)
        context.ranks.wait()
        mine = range(context.ranks.rank, len(pairs), context.ranks.count)
        fakes.paint_all(
            pairs, mine, paint, folder, size, config.batch_size,
            progress=partial(progress, len(mine)), stop=context.stop,
        )  # fmt: skip
        context.ranks.wait()
        data[part] = fakes.RealAndFake(pairs, folder, size, config.seed, varied=part == "train")

    model = AutocastCritic(critic, config.r1, context.device, context.dtype)
    sample = fakes.first_of(data["valid"], _SHEET_ROWS, size)

    def sheet(path: Path) -> None:
        was_training = critic.training
        critic.eval()
        fakes.critic_sheet(lambda rgb: model.judge(rgb_to_xyv(rgb.to(context.device))), sample, path)
        critic.train(was_training)

    def loss(judged: CriticOutput, _: Tensor) -> Tensor:
        return adversary.critic_loss(config.gan_loss, judged.real, judged.fake) + config.r1 * judged.penalty

    def accuracy(judged: CriticOutput, _: Tensor) -> Tensor:
        return adversary.accuracy(judged.real, judged.fake)

    fit(
        context,
        Work(
            "critic", model, {"critic": critic}, data["train"], data["valid"], loss, inputs=2,
            metrics=(accuracy,), batch_size=max(1, config.batch_size // 2), sheet=sheet, keep=keep,
        ),
    )  # fmt: skip


class CriticOutput(NamedTuple):
    """The critic's logits for drawings and generated pictures, and how steep it is at the drawings."""

    real: Tensor
    fake: Tensor
    penalty: Tensor


class AutocastCritic(nn.Module):
    """The critic as fastai calls it, on RGB pictures (N, 3, H, W) in [0, 1]."""

    def __init__(self, critic: nn.Module, r1: float, device: str, dtype: torch.dtype) -> None:
        super().__init__()
        self.critic, self.r1 = critic, r1
        self.device_type, self.dtype = torch.device(device).type, dtype

    def forward(self, real: Tensor, fake: Tensor) -> CriticOutput:
        """Judge as many drawings as generated pictures."""
        return self.judged(rgb_to_xyv(real), rgb_to_xyv(fake))

    def judged(self, real: Tensor, fake: Tensor) -> CriticOutput:
        """Judge both, in XYV, in one batch, so that norms see them alike."""
        of_real, of_fake = self.judge(torch.cat([real, fake])).chunk(2)
        penalty = of_real.new_zeros(())
        if self.r1 and torch.is_grad_enabled():
            penalty = adversary.gradient_penalty(self.critic, real)
        return CriticOutput(of_real, of_fake, penalty)

    def judge(self, xyv: Tensor) -> Tensor:
        """Return logits, in float32, of pictures in XYV."""
        with torch.autocast(self.device_type, self.dtype, enabled=self.dtype != torch.float32):
            logits: Tensor = self.critic(xyv.contiguous(memory_format=torch.channels_last))
        return logits.float()


class GeneratorAndCritic(nn.Module):
    """Generator and critic as fastai calls them; what the turn asks of the critic is in the loss."""

    def __init__(self, autocast: AutocastColorNet, judge: AutocastCritic) -> None:
        super().__init__()
        self.autocast, self.judge = autocast, judge

    def forward(self, *given: Tensor) -> Prediction:
        """Paint; without a graph while the generator waits."""
        learning = any(parameter.requires_grad for parameter in self.autocast.parameters())
        with torch.set_grad_enabled(learning and torch.is_grad_enabled()):
            return self.autocast(*given)  # type: ignore[no-any-return]


def fit_adversarial(
    context: Context,
    setup: Setup,
    network: Perceptual,
    critic: Critic | PatchCritic,
    *,
    keep: Callable[[Path], None],
) -> None:
    """Let generator and critic play by turns, and watch; ``best.safetensors`` is the generator to hand on."""
    config, device = context.config, context.device
    players: dict[str, nn.Module] = {alternating.GENERATOR: setup.net, alternating.CRITIC: critic}
    features = feature_extractor(network, device, context.dtype)
    base = perceived(setup, features)
    work = painting(context, setup, "adversarial", base, keep)
    autocast = AutocastColorNet(setup.net, device, context.dtype)
    judge = AutocastCritic(critic, config.r1, device, context.dtype)
    turns = alternating.AlternatingUpdates(players, config)

    def loss(prediction: Prediction, truth: Tensor, sketch: Tensor) -> Tensor:
        fake = setup.to_xyv(prediction, sketch)
        if turns.turn == alternating.CRITIC and torch.is_grad_enabled():
            judged = judge.judged(rgb_to_xyv(truth), fake.detach())
            return adversary.critic_loss(config.gan_loss, *judged[:2]) + config.r1 * judged.penalty
        wish = adversary.generator_term(config.gan_loss, judge.judge(fake))
        return base(prediction, truth, sketch) + config.gan_weight * wish

    held_out = EpochBatches(
        len(setup.valid), config.batch_size, config.seed, shuffled=False, sizes=config.size[-1:]
    )

    def measured() -> early_stopping.Figures:
        return early_stopping.measure(
            setup.net, autocast, loader(setup.valid, held_out), setup.loss, features, device
        )

    rates = {alternating.GENERATOR: config.lr["adversarial"], alternating.CRITIC: config.critic_lr}
    watching = alternating.GeneratorMonitor(context.run, config, turns, measured, keep, context.report)
    fit(
        context,
        replace(
            work,
            model=GeneratorAndCritic(autocast, judge),
            nets={"net": setup.net, "critic": critic},
            loss=loss,
            keep=None,
            callbacks=[*work.callbacks, turns, watching],
            one_cycle=False,
            optimizer=lambda: alternating.GanOptimizer(players, rates, config.gan_decay),
        ),
    )


def painting(
    context: Context,
    setup: Setup,
    stage: str,
    loss: Loss,
    keep: Callable[[Path], None],
) -> Work:
    """Return the work of a stage that fits the painting network by ``loss``(prediction, truth, sketch)."""
    config = context.config
    if config.compile:
        setup.net.compile()
    sample = fakes.first_of(setup.valid, _SHEET_ROWS, config.size[-1])

    def pictures(prediction: Prediction, truth: Tensor, sketch: Tensor) -> tuple[Tensor, Tensor]:
        return results.result_rgb(setup.net, prediction, sketch), truth

    return Work(
        stage,
        AutocastColorNet(setup.net, context.device, context.dtype),
        {"net": setup.net},
        setup.train,
        setup.valid,
        loss,
        inputs=setup.inputs,
        idle=setup.net.sheet_size > 0,
        metrics=[metrics.PictureMetric(one, pictures=pictures) for one in _MEASURED],
        sheet=lambda path: results.contact_sheet(setup.net, sample, path),
        keep=keep,
        callbacks=[
            *([callbacks.JointAugment()] if setup.augments_batches else []),
            *([callbacks.FrozenNorms()] if config.finetune else []),
        ],
    )


def show(setup: Setup, config: TrainSettings, path: Path) -> None:
    """Write a contact sheet of the painting network as it is."""
    results.contact_sheet(setup.net, fakes.first_of(setup.valid, _SHEET_ROWS, config.size[-1]), path)
