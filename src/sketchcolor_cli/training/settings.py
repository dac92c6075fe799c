"""Settings of a training run; the only place where their defaults stand."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields, replace
from math import inf
from typing import TYPE_CHECKING, Any

from sketchcolor_cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

STAGES = ("vgg", "pixel", "perceptual", "critic", "adversarial")
"""Stages that can be run, in the order in which they build on each other."""


@dataclass(frozen=True)
class TrainConfig:
    """What a run is told.

    The defaults are the thesis's recipe (Cortés Méndez 2022, training). A setting that is a table has a value
    for each stage.
    """

    preset: str = "thesis"
    """``thesis``, the U-Net with colour-reference encoder, or ``fast``, the default model's network."""
    stages: tuple[str, ...] = ("pixel", "perceptual")
    """Stages to run, in this order."""
    epochs: Mapping[str, int] = field(
        default_factory=lambda: {"vgg": 20, "pixel": 10, "perceptual": 3, "critic": 10, "adversarial": 3}
    )
    """Times that the network sees every picture, by stage."""
    lr: Mapping[str, float] = field(
        default_factory=lambda: {
            "vgg": 3e-3,
            "pixel": 3e-3,
            "perceptual": 2e-4,
            "critic": 3e-3,
            "adversarial": 1e-5,
        }
    )
    """Highest learning rate of the one cycle, by stage; of ``adversarial`` the generator's, all the time."""
    size: tuple[int, ...] = (256,)
    """Side of the square training pictures, in pixels; several for equal parts of a stage's epochs each."""
    batch_size: int = 10
    """Pictures in one step of one process; at least 2."""
    accumulate: int = 1
    """Batches whose gradients are added up for one step of the optimizer."""
    seed: int = 42
    """Decides the split, the order, the augmentation and the starting weights."""
    method: str = ""
    """Extractor that draws the sketches; empty: lines of the data, and where it has none the preset's way."""
    sketches: str = ""
    """Folder of sketches matched to the pictures by their relative path."""
    output_space: str = "hxhysv"
    """Colour space that the network of ``thesis`` predicts: hxhysv, xyv, rgb or lab."""
    from_model: str = ""
    """Model file to begin with instead of fresh weights; its network takes the place of the preset's."""
    network: Mapping[str, Any] = field(default_factory=dict)
    """Widths, depths and other shapes of the painting network that differ from the preset's."""
    critic_network: Mapping[str, Any] = field(default_factory=dict)
    """The same of the critic."""
    vgg_network: Mapping[str, Any] = field(default_factory=dict)
    """The same of the perceptual network."""
    finetune: bool = False
    """Learn gently from a few pictures, or one, seen again and again; the model file is in half precision."""
    classes: str = ""
    """Folder of pictures for ``vgg``, one subfolder per class; empty: the subfolders of the data."""
    perceptual: str = ""
    """Network whose features compare pictures; empty: that of the run's own ``vgg``, else the bundled."""
    valid_share: float = 0.02
    """Part of the pictures that is held out to measure on."""
    ema: float = 0.0
    """Decay per step of a moving average of the weights, which is then what counts; 0 for none."""
    precision: str = "auto"
    """``float32``, ``bfloat16``, ``float16`` with scaled losses, or ``auto``: bfloat16 where a short trial
    finds it faster."""
    compile: bool = False
    """Let torch.compile translate the network for the device; the first step then takes minutes."""
    workers: int = 1
    """Processes that make training pairs beside the one that trains; off Linux that one makes them."""
    checkpoint_minutes: float = 10.0
    """Minutes between two checkpoints within an epoch; there is one after each epoch anyway."""
    tensorboard: bool = False
    """Write the metrics for TensorBoard too; needs the extra ``tensorboard``."""
    critic: str = "thesis"
    """``thesis``, its critic of whole pictures, or ``patch``, PatchGAN's of patches (Isola et al. 2017)."""
    spectral_norm: bool = False
    """Keep the critic's layers 1-Lipschitz by spectral normalisation (Miyato et al. 2018)."""
    from_critic: str = ""
    """File of a critic to begin ``adversarial`` with when the run trains none."""
    gan_loss: str = "linear"
    """What the two play for: ``linear``, the thesis's −λ·mean(critic); ``bce``, as in its code; ``hinge``."""
    gan_weight: float = 0.003
    """λ, the weight of the critic's judgement in the generator's loss."""
    critic_lr: float = 5e-5
    """The critic's learning rate in ``adversarial``."""
    gan_decay: float = 1e-2
    """Weight decay of both optimizers in ``adversarial``."""
    r1: float = 0.0
    """Weight γ of the penalty γ/2·‖∇critic(drawing)‖² (Mescheder et al. 2018); 0 for none."""
    switch_batches: int = 1000
    """Batches after which the other player has its turn."""
    switch_loss: float = 0.0
    """Loss below which a turn ends before that; 0 for never."""
    watch_batches: int = 100
    """Batches between two looks at the generator in ``adversarial``."""
    patience: int = 3
    """Looks without a better generator after which ``adversarial`` stops and rolls back to the best."""
    slack: float = 0.05
    """How much worse the held-out pixel loss of a better generator may be, and how much paler it may be, as a
    share of those before the stage."""


PRESETS = {
    "thesis": TrainConfig(),
    "fast": replace(
        TrainConfig(preset="fast", batch_size=16, size=(192,), ema=0.999),
        lr=dict(TrainConfig().lr, pixel=2e-3),
    ),
}
"""Starting points by name."""

FINETUNE = {
    "stages": ("pixel",),
    "epochs": dict(TrainConfig().epochs, pixel=25),
    "lr": dict(TrainConfig().lr, pixel=2e-4),
    "batch_size": 4,
    "size": (192,),
}
"""What ``finetune`` has instead of the preset's values."""

NAMES = {"from_model": "from"}
"""Settings whose option has another name, a word that Python keeps to itself."""

SHAPES = ("network", "critic_network", "vgg_network")
"""Settings that are tables of a network's shape; whoever builds the network checks them."""

_LIMITS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "epochs": (lambda number: number >= 1, "at least 1"),
    "size": (lambda side: side >= 32 and side % 32 == 0, "a multiple of 32, at least 32"),
    "batch_size": (lambda number: number >= 2, "at least 2, which batch normalisation needs"),
    "accumulate": (lambda number: number >= 1, "at least 1"),
    "lr": (lambda rate: 0 < rate < inf, "above 0"),
    "critic_lr": (lambda rate: 0 < rate < inf, "above 0"),
    "seed": (lambda seed: seed >= 0, "at least 0"),
    "output_space": (lambda name: name in ("hxhysv", "xyv", "rgb", "lab"), "hxhysv, xyv, rgb or lab"),
    "valid_share": (lambda share: 0 < share < 1, "between 0 and 1"),
    "ema": (lambda decay: 0 <= decay < 1, "at least 0 and below 1"),
    "precision": (
        lambda name: name in ("auto", "float32", "bfloat16", "float16"),
        "auto, float32, bfloat16 or float16",
    ),
    "workers": (lambda number: number >= 0, "at least 0"),
    "checkpoint_minutes": (lambda minutes: minutes >= 0, "at least 0"),
    "critic": (lambda name: name in ("thesis", "patch"), "thesis or patch"),
    "gan_loss": (lambda name: name in ("linear", "bce", "hinge"), "linear, bce or hinge"),
    "gan_weight": (lambda weight: 0 <= weight < inf, "at least 0"),
    "gan_decay": (lambda weight: 0 <= weight < inf, "at least 0"),
    "r1": (lambda weight: 0 <= weight < inf, "at least 0"),
    "switch_batches": (lambda number: number >= 1, "at least 1"),
    "switch_loss": (lambda loss: 0 <= loss < inf, "at least 0"),
    "watch_batches": (lambda number: number >= 1, "at least 1"),
    "patience": (lambda number: number >= 1, "at least 1"),
    "slack": (lambda share: 0 <= share < inf, "at least 0"),
}

_KINDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


def configure(preset: str, **given: Any) -> TrainConfig:
    """Return the preset's settings with those that were given (not None) in their place.

    Epochs and learning rate may be one value for all stages, a mapping, or text: ``3``, ``pixel=3,critic=1``.

    Raises:
        UsageError: a name is unknown, or a value of the wrong kind or out of its range.
    """
    if preset not in PRESETS:
        raise UsageError(f"no preset {preset!r}; there are {', '.join(PRESETS)}")
    start = PRESETS[preset]
    if given.get("finetune"):
        start = replace(start, **FINETUNE)  # type: ignore[arg-type]
        if not given.get("from_model"):
            raise UsageError("--finetune: needs a model to begin with; name one, as in --from default")
    chosen = {name: value for name, value in given.items() if value is not None}
    for name in ("epochs", "lr"):
        if name in chosen:
            chosen[name] = _by_stage(name, chosen[name], getattr(start, name))
    if isinstance(chosen.get("size"), int) and not isinstance(chosen["size"], bool):
        chosen["size"] = (chosen["size"],)
    chosen = {name: tuple(value) if isinstance(value, list) else value for name, value in chosen.items()}
    config = replace(start, **chosen)
    for setting in fields(TrainConfig):
        _check(setting.name, getattr(config, setting.name), getattr(start, setting.name))
    _check_stages(config)
    if config.method and config.sketches:
        raise UsageError("--method and --sketches exclude each other: sketches come from one of them")
    return config


def option(name: str) -> str:
    """Return the option that a setting is given by."""
    return f"--{NAMES.get(name, name).replace('_', '-')}"


def to_plain(config: TrainConfig) -> dict[str, Any]:
    """Return the settings as they are written into model files (JSON types only)."""
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in asdict(config).items()
    }


def to_toml(config: TrainConfig) -> str:
    """Return the settings as a file that ``--config`` takes, every one of them."""
    lines = [
        f"{NAMES.get(name, name).replace('_', '-')} = {_toml(value)}"
        for name, value in to_plain(config).items()
    ]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + " }"
    # What JSON writes for texts, numbers, truth values and lists, TOML reads.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _by_stage(name: str, given: Any, start: Mapping[str, Any]) -> dict[str, Any]:
    """Return a value for each stage of what may be one value, a mapping, or text of either."""
    if isinstance(given, str):
        given = _parsed(name, given)
    if not isinstance(given, dict):
        return dict.fromkeys(start, given)
    unknown = [stage for stage in given if stage not in start]
    if unknown:
        raise UsageError(f"{option(name)}: no stage {unknown[0]!r}; there are {', '.join(STAGES)}")
    return {**start, **given}


def _parsed(name: str, text: str) -> Any:
    kind = int if name == "epochs" else float
    try:
        if "=" not in text:
            return kind(text)
        parts = (part.partition("=") for part in text.split(","))
        return {stage.strip(): kind(value) for stage, _, value in parts}
    except ValueError as error:
        raise UsageError(
            f"{option(name)} {text!r}: must be {_KINDS[kind]}, or one for each stage, as in pixel=3,critic=1"
        ) from error


def _check(name: str, value: Any, default: Any) -> None:
    if name in SHAPES:
        if not isinstance(value, dict):
            raise UsageError(f"{option(name)} {value!r}: must be a table")
        return
    if isinstance(default, dict | tuple):
        if type(value) is not type(default) or not value:
            raise UsageError(f"{option(name)} {value!r}: must be a list, not empty")
        parts = list(value.values() if isinstance(value, dict) else value)
        default = next(iter(default.values() if isinstance(default, dict) else default))
    else:
        parts = [value]
    for part in parts:
        if type(part) is not type(default) and (type(default), type(part)) != (float, int):
            raise UsageError(f"{option(name)} {part!r}: must be {_KINDS[type(default)]}")
        if name in _LIMITS and not _LIMITS[name][0](part):
            raise UsageError(f"{option(name)} {part}: must be {_LIMITS[name][1]}")


def _check_stages(config: TrainConfig) -> None:
    for stage in config.stages:
        if stage not in STAGES:
            raise UsageError(f"no stage {stage!r}; there are {', '.join(STAGES)}")
    order = [STAGES.index(stage) for stage in config.stages]
    if order != sorted(set(order)):
        raise UsageError(f"--stages {','.join(config.stages)}: each once, in the order {', '.join(STAGES)}")
    painting = {"pixel", "perceptual"} & {*config.stages}
    if {"critic", "adversarial"} & {*config.stages} and not painting and not config.from_model:
        raise UsageError(
            "--stages: critic and adversarial need a network that paints; put pixel before them, or name one "
            "with --from"
        )
    if "adversarial" in config.stages and "critic" not in config.stages and not config.from_critic:
        raise UsageError(
            "--stages: adversarial needs a critic; put critic before it, or name one with --from-critic"
        )
