"""The stages of training (Cortés Méndez 2022, training recipe): what each fits, by what loss, and shows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from sketchcolor_cli.color.spaces import rgb_to_xyv
from sketchcolor_cli.metrics import pictures as measures
from sketchcolor_cli.networks.base import ColorNet
from sketchcolor_cli.networks.checkpoint import load_critic, load_model
from sketchcolor_cli.networks.loading import load_perceptual
from sketchcolor_cli.training import presets, results
from sketchcolor_cli.training.gan import adversary, alternating, early_stopping, fakes
from sketchcolor_cli.training.gan.modules import AutocastCritic, CriticOutput, GeneratorAndCritic
from sketchcolor_cli.training.loop import callbacks, metrics
from sketchcolor_cli.training.loop.data import EpochBatches, loader
from sketchcolor_cli.training.loop.learner import Work
from sketchcolor_cli.training.loop.muon import MuonAndAdamW
from sketchcolor_cli.training.loop.wrappers import AutocastClassifier, AutocastColorNet
from sketchcolor_cli.training.pairs import classes
from sketchcolor_cli.training.perception import feature_extractor, perceptual_loss

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sketchcolor_cli.networks.base import Prediction
    from sketchcolor_cli.networks.perceptual import Perceptual
    from sketchcolor_cli.training.loop.context import Context
    from sketchcolor_cli.training.material import Material
    from sketchcolor_cli.training.presets import Loss, Setup

_SHEET_ROWS = 8
_MEASURED = (measures.psnr, measures.delta_e, metrics.colorfulness_ratio)  # of results, after each epoch


@dataclass(frozen=True)
class Stage:
    """How a stage is run: ``build`` makes its work, which is fitted; ``finish`` has the last word."""

    build: Callable[[Context, Material], Work]
    paints: bool = True
    """Whether it teaches the painting network, which later stages go on with."""
    finish: Callable[[Context, Material], None] | None = None


def build_vgg(context: Context, material: Material) -> Work:
    """Teach the perceptual network to tell classes of cartoons apart; top-1 and top-5 are measured."""
    data = material.classes
    if context.config.compile:
        data.net.compile()
    model = AutocastClassifier(data.net, context.device, context.dtype)
    sample = fakes.first_of(data.valid, classes.SHEET, context.config.size[-1])

    def sheet(path: Path) -> None:
        was_training = model.training
        model.eval()
        classes.class_sheet(lambda rgb: model(rgb.to(context.device)), sample, path)
        model.train(was_training)

    return Work(
        "vgg", model, {"net": data.net}, data.net, data.train, data.valid, F.cross_entropy, inputs=1,
        facts={"names_of_classes": data.names}, metrics=(top1, top5), sheet=sheet,
    )  # fmt: skip


def top1(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the share of pictures whose class is thought the most probable."""
    return (logits.argmax(1) == labels).float().mean()


def top5(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the share of pictures whose class is among the five thought most probable."""
    best = logits.topk(min(5, logits.shape[1]), 1).indices
    return (best == labels[:, None]).any(1).float().mean()


def build_pixel(context: Context, material: Material) -> Work:
    """Teach the network to paint what is there, pixel by pixel."""
    return _painting(context, material.setup, "pixel", material.setup.loss)


def build_perceptual(context: Context, material: Material) -> Work:
    """Teach the network to paint what looks the same to the perceptual network."""
    features = feature_extractor(perceptual_network(context), context.device, context.dtype)
    return _painting(context, material.setup, "perceptual", perceived(material.setup, features))


def perceptual_network(context: Context) -> Perceptual:
    """Return the network whose features compare pictures: a given one, the run's own, or the bundled."""
    if context.config.perceptual:
        return load_perceptual(Path(context.config.perceptual))
    return load_perceptual(context.network("vgg") if "vgg" in context.config.stages else None)


def perceived(setup: Setup, features: Callable[[Tensor], tuple[Tensor, ...]]) -> Loss:
    """Return the loss of the perceptual stage: pixels, weighted as there, and what is seen."""

    def loss(prediction: Prediction, truth: Tensor, sketch: Tensor) -> Tensor:
        with torch.no_grad():
            wanted = features(rgb_to_xyv(truth))
        seen = features(setup.to_xyv(prediction, sketch))
        return setup.later_loss(prediction, truth, sketch) + perceptual_loss(seen, wanted)

    return loss


def build_critic(context: Context, material: Material) -> Work:
    """Teach the critic to tell drawings from what the network paints, which is saved first."""
    config, size = context.config, context.config.size[-1]
    critic = presets.set_up_critic(config)
    data = _paint_fakes(context, material.setup)
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

    return Work(
        "critic", model, {"critic": critic}, critic, data["train"], data["valid"], loss, inputs=2,
        metrics=(accuracy,), batch_size=max(1, config.batch_size // 2), sheet=sheet,
    )  # fmt: skip


def _paint_fakes(context: Context, setup: Setup) -> dict[str, fakes.RealAndFake]:
    """Save what the network paints for all pairs; return drawings and generated pictures of both parts."""
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
        generated = fakes.Fakes(context.run / "generated" / part, size)
        if context.ranks.first:
            generated.claim(net)
        context.ranks.wait()
        mine = fakes.share_of(len(pairs), context.ranks.rank, context.ranks.count)
        generated.paint(
            pairs, mine, paint, config.batch_size,
            progress=partial(context.busy, "painting for the critic", len(mine)), stop=context.stop,
        )  # fmt: skip
        context.ranks.wait()
        data[part] = fakes.RealAndFake(pairs, generated, config.seed, varied=part == "train")
    return data


def build_adversarial(context: Context, material: Material) -> Work:
    """Let generator and critic learn by turns; ``best.safetensors`` is the generator to hand on."""
    config, device, setup = context.config, context.device, material.setup
    critic = load_critic(Path(config.from_critic or context.network("critic"))).train()
    players: dict[str, nn.Module] = {alternating.GENERATOR: setup.net, alternating.CRITIC: critic}
    features = feature_extractor(perceptual_network(context), device, context.dtype)
    base = perceived(setup, features)
    work = _painting(context, setup, "adversarial", base)
    generator = AutocastColorNet(setup.net, device, context.dtype)
    judge = AutocastCritic(critic, config.r1, device, context.dtype)
    turns = alternating.AlternatingUpdates(players, config)

    def loss(prediction: Prediction, truth: Tensor, sketch: Tensor) -> Tensor:
        fake = setup.to_xyv(prediction, sketch)
        if turns.turn == alternating.CRITIC and torch.is_grad_enabled():
            judged = judge.compare(rgb_to_xyv(truth), fake.detach())
            return adversary.critic_loss(config.gan_loss, *judged[:2]) + config.r1 * judged.penalty
        wish = adversary.generator_term(config.gan_loss, judge.judge(fake))
        return base(prediction, truth, sketch) + config.gan_weight * wish

    held_out = EpochBatches(
        len(setup.valid), config.batch_size, config.seed, shuffled=False, sizes=config.size[-1:]
    )

    def measured() -> early_stopping.Figures:
        batches = loader(setup.valid, held_out)
        return early_stopping.measure(setup.net, generator, batches, setup.loss, features, device)

    rates = {alternating.GENERATOR: config.lr["adversarial"], alternating.CRITIC: config.critic_lr}
    monitor = alternating.GeneratorMonitor(context, turns, measured, setup.net)
    return replace(
        work,
        model=GeneratorAndCritic(generator, judge),
        nets={"net": setup.net, "critic": critic},
        loss=loss,
        keeps_best=False,
        callbacks=[*work.callbacks, turns, monitor],
        schedule="fixed",
        optimizer=lambda: alternating.GanOptimizer(players, rates, config.gan_decay),
    )


def take_best(context: Context, material: Material) -> None:
    """Go back to the generator that was best, and show it."""
    setup = material.setup
    best = load_model(context.run / "best.safetensors", ColorNet)[0]
    setup.net.load_state_dict(best.state_dict())
    sample = fakes.first_of(setup.valid, _SHEET_ROWS, context.config.size[-1])
    results.contact_sheet(setup.net, sample, context.run / "sheets" / "adversarial-best.png")


def _painting(context: Context, setup: Setup, stage: str, loss: Loss) -> Work:
    """Return the work of a stage that fits the painting network by ``loss``(prediction, truth, sketch)."""
    config, net = context.config, setup.net
    if config.compile:
        net.compile()
    sample = fakes.first_of(setup.valid, _SHEET_ROWS, config.size[-1])
    by_hint = results.ByHint(net, setup.by_hint, config.size[-1], context.device, context.dtype)
    # float16 has too few exponents for the squares of a gradient.
    iteration_format = torch.bfloat16 if context.dtype == torch.bfloat16 else torch.float32

    def pictures(prediction: Prediction, truth: Tensor, sketch: Tensor) -> tuple[Tensor, Tensor]:
        return results.result_rgb(net, prediction, sketch), truth

    return Work(
        stage,
        AutocastColorNet(net, context.device, context.dtype),
        {"net": net},
        net,
        setup.train,
        setup.valid,
        loss,
        inputs=setup.inputs,
        idle=net.sheet_size > 0,
        metrics=[metrics.PictureMetric(figure, pictures=pictures) for figure in _MEASURED],
        figures=by_hint.figures if setup.by_hint else None,
        shares=setup.shares,
        sheet=by_hint.sheet if setup.by_hint else partial(results.contact_sheet, net, sample),
        callbacks=[
            *([callbacks.JointAugment()] if setup.augments_batches else []),
            *([callbacks.FrozenNorms(net)] if config.finetune else []),
        ],
        schedule=config.schedule,
        optimizer=partial(MuonAndAdamW, net, config.lr[stage], net.outer, iteration_format)
        if config.optimizer == "muon"
        else None,
    )


STAGES: Mapping[str, Stage] = {
    "vgg": Stage(build_vgg, paints=False),
    "pixel": Stage(build_pixel),
    "perceptual": Stage(build_perceptual),
    "critic": Stage(build_critic, paints=False),
    "adversarial": Stage(build_adversarial, finish=take_best),
}
"""The stages by name, in the order in which they build on each other."""
