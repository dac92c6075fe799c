"""Settings of a training run: what each stage learns by, and the presets that they start from."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import inf
from typing import TYPE_CHECKING, Any, Self

from sketchcolor_cli.errors import UsageError
from sketchcolor_cli.settings import Settings, as_toml, build, leaves, nearest, setting

if TYPE_CHECKING:
    from collections.abc import Callable

STAGES = ("vgg", "pixel", "perceptual", "critic", "adversarial")
"""Stages that can be run, in the order in which they build on each other."""

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "thesis": {},
    "fast": {"batch_size": 16, "size": (192,), "ema": 0.999, "lr": {"pixel": 2e-3}},
    "default": {
        "stages": ("pixel",),
        "epochs": {"pixel": 60},
        "size": (128, 128, 192, 256),
        "batch_pixels": 24 * 128 * 128,
        "lr": {"pixel": 2e-3},
        "ema": 0.998,
        "optimizer": "muon",
        "schedule": "trapezoid",
        "clip": 2.0,
        "pairs": {"bare_share": 0.5, "sheet_share": 0.42},
        "hint_figures": True,
        "half": True,
    },
}
"""Starting points by name: what differs from the defaults of the fields, which are the thesis's recipe
(Cortés Méndez 2022, training). A table says of single stages what differs."""

FINETUNE: Mapping[str, Any] = {
    "stages": ("pixel",),
    "epochs": {"pixel": 25},
    "lr": {"pixel": 2e-4},
    "batch_size": 4,
    "batch_pixels": 0,
    "size": (192,),
    "optimizer": "ranger",
    "schedule": "one-cycle",
    "pairs": {},
}
"""What ``finetune`` has instead of the preset's values."""

_DATA, _RECIPE, _GAN = "Data and start", "Recipe", "Critic and adversarial stages"
_TABLES = ("epochs", "lr")  # settings with a value for each stage
_FREE_TABLES = ("network", "critic_network", "vgg_network", "pairs", "source_weights")


def _preset_setting(name: str, default: Any, help: str, **about: Any) -> Any:  # noqa: A002
    """Return a setting whose help shows the value of each preset that has its own."""
    changed = [f"{preset} {_shown(changes[name])}" for preset, changes in PRESETS.items() if name in changes]
    shown = "; ".join([f"thesis {_shown(default)}" if changed else _shown(default), *changed])
    value = (lambda: default) if isinstance(default, dict) else default
    return setting(value, help, shown=shown, **about)


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}={item}" for key, item in value.items())
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _by_stage(option: str, kind: type[int] | type[float]) -> Callable[[str], Any]:
    """Return what reads one value for all stages, or one for each: ``3``, ``pixel=3,critic=1``."""

    def parse(text: str) -> Any:
        try:
            if "=" not in text:
                return kind(text)
            parts = (part.partition("=") for part in text.split(","))
            return {stage.strip(): kind(value) for stage, _, value in parts}
        except ValueError as error:
            raise UsageError(
                f"{option} {text}: must be {_NUMBER[kind]}, or one for each stage, as in pixel=3,critic=1"
            ) from error

    return parse


_NUMBER: Mapping[type, str] = {int: "a whole number", float: "a number"}


def _sides(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(side) for side in text.split(","))
    except ValueError as error:
        raise UsageError(f"--size {text}: must be a whole number, or several with commas") from error


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(","))


def _table(text: str) -> Any:
    try:
        return tomllib.loads(f"table = {text}")["table"]
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{text}: must be a table of TOML, such as {{ widths = [16, 32] }}") from error


def _nothing() -> dict[str, Any]:
    return {}


def _shape_setting(help: str) -> Any:  # noqa: A002
    return setting(_nothing, help, parse=_table, metavar="{KEY=…}", panel=_RECIPE)


@dataclass(frozen=True)
class TrainSettings(Settings):
    """How a model is trained. A setting that is a table has a value for each stage."""

    preset: str = setting("thesis", "Recipe to start from.", choices=tuple(PRESETS), complete="presets")
    stages: tuple[str, ...] = _preset_setting(
        "stages",
        ("pixel", "perceptual"),
        f"Stages to run, in order, with commas: {', '.join(STAGES)}.",
        choices=STAGES, parse=_names, metavar="STAGE[,STAGE…]",
    )  # fmt: skip
    epochs: Mapping[str, int] = _preset_setting(
        "epochs",
        {"vgg": 20, "pixel": 10, "perceptual": 3, "critic": 10, "adversarial": 3},
        "Times that every picture is seen, in all stages or in each.",
        parse=_by_stage("--epochs", int), metavar="N|STAGE=N,…",
    )  # fmt: skip
    size: tuple[int, ...] = _preset_setting(
        "size",
        (256,),
        "Side of the training squares, in pixels; several for equal parts of each stage.",
        least=32, parse=_sides, metavar="N[,N…]",
    )  # fmt: skip
    batch_size: int = _preset_setting("batch_size", 10, "Pictures in a batch of one process.", least=2)
    lr: Mapping[str, float] = _preset_setting(
        "lr",
        {"vgg": 3e-3, "pixel": 3e-3, "perceptual": 2e-4, "critic": 3e-3, "adversarial": 1e-5},
        "Highest learning rate, in all stages or in each; adversarial keeps the generator at its own.",
        parse=_by_stage("--lr", float), metavar="X|STAGE=X,…",
    )  # fmt: skip
    batch_pixels: int = _preset_setting(
        "batch_pixels", 0, "Pixels of a batch instead of a number of pictures; 0 for none.",
        least=0,
    )  # fmt: skip
    seed: int = setting(42, "Seed of everything random: split, order, augmentation, first weights.", least=0)
    workers: int = setting(
        1, "Processes that prepare pictures, on Linux; elsewhere the training process does it.", least=0,
        matters=False,
    )  # fmt: skip
    tensorboard: bool = setting(
        False, "Also write metrics for TensorBoard, which is an extra.", matters=False
    )
    checkpoint_minutes: float = setting(
        10.0, "Minutes between two checkpoints within an epoch; there is one after each.", least=0,
        matters=False,
    )  # fmt: skip

    valid: tuple[str, ...] = setting(
        (), "Pictures to measure on, folder or tar shards, instead of a share of DATA.", metavar="PATH",
        panel=_DATA,
    )  # fmt: skip
    source_weights: Mapping[str, float] = setting(
        _nothing, "How often pictures of a source, as a shard's JSON names it, are drawn: "
        "twice as often for 2; 0 leaves them out, and others count 1.",
        parse=_table, metavar="{SOURCE=X…}", panel=_DATA,
    )  # fmt: skip
    licence: str = setting(
        "as the licences of the training pictures allow; stated by whoever trained it",
        "Terms under which the weights may be used, written into the model file.", panel=_DATA,
    )  # fmt: skip
    sketches: str = setting(
        "", "Folder of sketches with the names of the pictures.", shown="lines of the data", metavar="DIR",
        panel=_DATA,
    )  # fmt: skip
    method: str = setting(
        "",
        "Extractor that draws the sketches; `sketchcolor plugins` lists them. With several, each picture "
        "gets one (a,b) or a random mix (a+b). Not with --sketches.",
        complete="methods", panel=_DATA,
    )  # fmt: skip
    from_model: str = setting(
        "", "Model to begin with, a file or the name of one, instead of fresh weights.",
        name="from", metavar="MODEL", complete="models", panel=_DATA,
    )  # fmt: skip
    finetune: bool = setting(
        False, "Learn the colours of a character or series from a few pictures, or one; needs --from.",
        panel=_DATA,
    )  # fmt: skip
    classes: str = setting(
        "", "Folder for vgg with a subfolder of pictures for each class.", shown="that of DATA",
        metavar="DIR", panel=_DATA,
    )  # fmt: skip
    perceptual: str = setting(
        "", "Network that the perceptual stage compares pictures by.",
        shown="the run's own, else that of the package", metavar="FILE", panel=_DATA,
    )  # fmt: skip
    from_critic: str = setting(
        "", "Critic for the adversarial stage of a run that trains none.", metavar="FILE", panel=_DATA
    )
    valid_share: float = setting(
        0.02, "Share of the pictures that is held out to measure on.", above=0, below=1, panel=_DATA
    )

    output_space: str = setting(
        "hxhysv", "Colour space that the thesis network predicts.", choices=("hxhysv", "xyv", "rgb", "lab"),
        panel=_RECIPE,
    )  # fmt: skip
    network: Mapping[str, Any] = _shape_setting("Shape of the painting network where it differs.")
    critic_network: Mapping[str, Any] = _shape_setting("Shape of the critic where it differs.")
    vgg_network: Mapping[str, Any] = _shape_setting("Shape of the perceptual network where it differs.")
    pairs: Mapping[str, Any] = _preset_setting(
        "pairs", {}, "How pairs are made where it differs: shares such as bare_share, those without a hint.",
        parse=_table, metavar="{KEY=…}", panel=_RECIPE,
    )  # fmt: skip
    optimizer: str = _preset_setting(
        "optimizer", "ranger", "Optimizer of the painting network; muon has AdamW at its ends.",
        choices=("ranger", "muon"), panel=_RECIPE,
    )  # fmt: skip
    schedule: str = _preset_setting(
        "schedule", "one-cycle", "Learning rate of a stage that paints; a trapezoid rises, stays, falls.",
        choices=("one-cycle", "trapezoid"), panel=_RECIPE,
    )  # fmt: skip
    warm_up: int = setting(300, "Steps in which a trapezoid rises.", least=0, panel=_RECIPE)
    cool_down: float = setting(
        0.9, "Share of the steps in which a trapezoid falls.", least=0, most=1, panel=_RECIPE
    )
    clip: float = _preset_setting("clip", 1.0, "Largest norm of the gradients.", above=0, panel=_RECIPE)
    half: bool = setting(False, "Write model.safetensors in half precision.", panel=_RECIPE)
    hint_figures: bool = setting(
        False, "After each epoch, also measure and show what is painted with each kind of hint.",
        panel=_RECIPE,
    )  # fmt: skip
    accumulate: int = setting(1, "Batches whose gradients make one step.", least=1, panel=_RECIPE)
    ema: float = _preset_setting(
        "ema", 0.0, "Decay per step of a moving average of the weights; 0 for none.", least=0, below=1,
        panel=_RECIPE,
    )  # fmt: skip
    precision: str = setting(
        "auto", "Number format; auto takes bfloat16 where a short trial finds it faster.",
        choices=("auto", "float32", "bfloat16", "float16"), panel=_RECIPE,
    )  # fmt: skip
    compile: bool = setting(
        False, "Translate the network for the device by torch.compile; the first step takes minutes.",
        panel=_RECIPE,
    )  # fmt: skip

    critic: str = setting(
        "thesis", "Critic of whole pictures, thesis, or of patches, patch.", choices=("thesis", "patch"),
        panel=_GAN,
    )  # fmt: skip
    spectral_norm: bool = setting(
        False, "Normalise the critic's layers (spectral normalisation).", panel=_GAN
    )
    gan_loss: str = setting(
        "linear", "Adversarial loss; the thesis's text has linear, its code bce.",
        choices=("linear", "bce", "hinge"), panel=_GAN,
    )  # fmt: skip
    gan_weight: float = setting(
        0.003, "Weight λ of the critic's judgement in the generator's loss.", least=0, panel=_GAN
    )
    critic_lr: float = setting(5e-5, "The critic's learning rate in adversarial.", above=0, panel=_GAN)
    gan_decay: float = setting(1e-2, "Weight decay of both in adversarial.", least=0, panel=_GAN)
    r1: float = setting(0.0, "Weight of the critic's gradient penalty R1; 0 for none.", least=0, panel=_GAN)
    switch_batches: int = setting(1000, "Steps after which the other network learns.", least=1, panel=_GAN)
    switch_loss: float = setting(
        0.0, "Loss below which it does so earlier; 0 for never.", least=0, panel=_GAN
    )
    watch_batches: int = setting(
        100, "The generator's steps between two measurements of it.", least=1, panel=_GAN
    )
    patience: int = setting(
        3, "Measurements without a better generator before it stops, and goes back to the best.", least=1,
        panel=_GAN,
    )  # fmt: skip
    slack: float = setting(
        0.05, "Share by which a better generator's pixel loss or colourfulness may be worse.", least=0,
        panel=_GAN,
    )  # fmt: skip

    @classmethod
    def resolve(cls, given: Mapping[str, Any], stored: Mapping[str, Any] | None = None) -> Self:
        """Return the settings of values by name, on those of the preset that they name."""
        return build(cls, on_preset({**(stored or {}), **given}))

    def __post_init__(self) -> None:
        """Refuse values and combinations that make no sense.

        Raises:
            UsageError: There are some; the message names the option.
        """
        super().__post_init__()
        for name in _TABLES:
            _check_table(name, getattr(self, name))
        for name in _FREE_TABLES:
            if not isinstance(getattr(self, name), Mapping):
                raise UsageError(f"--{name.replace('_', '-')} {getattr(self, name)}: must be a table")
        for source, weight in self.source_weights.items():
            if not is_share(weight):
                raise UsageError(f"--source-weights: {source} must be a number of at least 0, not {weight!r}")
        for name in ("size", "stages"):
            if not getattr(self, name):
                raise UsageError(f"--{name}: must not be empty")
        for side in self.size:
            if side % 32:
                raise UsageError(f"--size {side}: must be a multiple of 32")
        if self.finetune and not self.from_model:
            raise UsageError("--finetune: needs a model to begin with; name one, as in --from default")
        if self.method and self.sketches:
            raise UsageError("--method and --sketches exclude each other: sketches come from one of them")
        _check_stages(self)

    def plain(self) -> dict[str, Any]:
        """Return the settings by field, in JSON's types, as model files and checkpoints have them."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()
        }

    def binding(self) -> dict[str, Any]:
        """Return of :meth:`plain` what the numbers of a run depend on."""
        free = {leaf.path[0] for leaf in leaves(type(self)) if not leaf.about.matters}
        return {name: value for name, value in self.plain().items() if name not in free}

    def toml(self) -> str:
        """Return all settings as a file that ``--config`` takes."""
        plain = self.plain()
        return "".join(f"{leaf.key} = {as_toml(plain[leaf.path[0]])}\n" for leaf in leaves(type(self)))


def on_preset(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of settings by name, on those of the preset that they name, and of fine-tuning.

    Epochs and learning rate may be one value for all stages, or a table of some of them.

    Raises:
        UsageError: There is no such preset, or no such stage.
    """
    preset = values.get("preset", TrainSettings.preset)
    if preset not in PRESETS:
        raise UsageError(
            f"--preset {preset}: must be one of {', '.join(PRESETS)}{nearest(str(preset), PRESETS)}"
        )
    layers = [PRESETS[preset], FINETUNE if values.get("finetune") else {}, values]
    merged: dict[str, Any] = {}
    for layer in layers:
        for name, value in layer.items():
            merged[name] = _staged(name, value, merged) if name in _TABLES else value
    return merged


def _staged(name: str, value: Any, below: Mapping[str, Any]) -> Any:
    """Return a table with a value for each stage, of one that may be a value for all or a table of some."""
    default = next(leaf.default for leaf in leaves(TrainSettings) if leaf.name == name)
    if not isinstance(value, Mapping):
        return dict.fromkeys(STAGES, value)
    return {**below.get(name, default), **value}


def is_share(value: object) -> bool:
    """Return whether a value of a table says how often something is drawn: a number, at least 0, finite."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < inf


def _check_table(name: str, table: Any) -> None:
    kind, fits, rule = _RULES[name]
    if not isinstance(table, Mapping):
        raise UsageError(f"--{name} {table}: must be a table with a value for each stage")
    for stage, value in table.items():
        if stage not in STAGES:
            raise UsageError(f"--{name}: unknown stage {stage!r}; the stages are {', '.join(STAGES)}")
        accepted = int if kind is int else (int, float)
        if isinstance(value, bool) or not isinstance(value, accepted):
            raise UsageError(f"--{name} {value}: must be {_NUMBER[kind]}")
        if not fits(value):
            raise UsageError(f"--{name} {value}: must be {rule}")


_RULES: Mapping[str, tuple[type, Callable[[Any], bool], str]] = {
    "epochs": (int, lambda number: number >= 1, "at least 1"),
    "lr": (float, lambda rate: 0 < rate < inf, "above 0"),
}


def _check_stages(settings: TrainSettings) -> None:
    order = [STAGES.index(stage) for stage in settings.stages]
    if order != sorted(set(order)):
        raise UsageError(f"--stages {','.join(settings.stages)}: each once, in the order {', '.join(STAGES)}")
    painting = {"pixel", "perceptual"} & {*settings.stages}
    if {"critic", "adversarial"} & {*settings.stages} and not painting and not settings.from_model:
        raise UsageError(
            "--stages: critic and adversarial need a network that paints; put pixel before them, or name one "
            "with --from"
        )
    if "adversarial" in settings.stages and "critic" not in settings.stages and not settings.from_critic:
        raise UsageError(
            "--stages: adversarial needs a critic; put critic before it, or name one with --from-critic"
        )
