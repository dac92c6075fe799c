"""The shape of every network of ours, as data that goes into its file. Standard library only.

The defaults of generator, critic and perceptual network are the thesis's (Cortés Méndez 2022, in the sections
of these names).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from math import isfinite
from typing import Any, ClassVar, Literal, TypeVar, get_args, get_origin, get_type_hints

from sketchcolor_cli.errors import CheckpointError

OutputSpace = Literal["hxhysv", "xyv", "rgb", "lab"]

_MOST = 16_384  # channels, places, pixels of a side
_MOST_BLOCKS, _MOST_ENTRIES = 512, 16  # of one part of a network; sizes that it has
_FINEST, _COARSEST = 1.0, 100.0  # steps on the lattice of colours, in units of CIELAB; it needs two each way

Version = Literal[1, 2]
"""Version of the thesis's residual block (``sketchcolor_cli.networks.blocks``): 2, as its author has it; 1 in
files written before there were two, whose weights mean something only to that block."""

_CHANNELS: dict[OutputSpace, int] = {"hxhysv": 4, "xyv": 3, "rgb": 3, "lab": 3}


@dataclass(frozen=True)
class GeneratorConfig:
    """The thesis's generator: U-Net, encoder of the colour reference, decoder of its code.

    A depth counts the blocks of one width that follow the block, or the upsampling, that leads to it.
    """

    architecture: ClassVar[str] = "thesis-unet"
    unsaid: ClassVar[dict[str, Any]] = {"block": 1, "antialias": True}
    """What a file means that was written before these settings were there."""

    output_space: OutputSpace = "hxhysv"
    """Colour space of what the network predicts, and of the targets it is trained on."""
    widths: tuple[int, ...] = (32, 64, 128, 256)
    """Channels of the U-Net at 1/2, 1/4, 1/8 and 1/16 of the sketch's size."""
    encoder1_depths: tuple[int, ...] = (3, 3)
    """Blocks of the first encoder, at 1/2 and 1/4; its result is what skips to the second decoder."""
    encoder2_depths: tuple[int, ...] = (2, 3, 2)
    """Blocks of the second encoder, at 1/4, 1/8 and 1/16."""
    decoder1_depths: tuple[int, ...] = (2, 3, 1)
    """Blocks of the first decoder, at 1/16, 1/8 and 1/4."""
    decoder2_depths: tuple[int, ...] = (2, 4, 1)
    """Blocks of the second decoder, at 1/4, 1/2 and full size."""
    decoder3_depths: tuple[int, ...] = (2, 3, 1)
    """Blocks of the third decoder, all at full size: as wide as the U-Net at 1/2, half that, the output."""
    z_size: int = 64
    """Numbers in the code z that the colour reference becomes, each in (-1, 1)."""
    reference_size: int = 96
    """Side in pixels of the square that the colour reference is resized to."""
    hue_dropout: float = 0.5
    """In training a share of the reference's pixels, drawn per picture between 0 and this, turns white."""
    reference_widths: tuple[int, ...] = (8, 16, 32, 64, 128)
    """Channels of the reference encoder at 1, 1/2, 1/2, 1/4 and 1/8 of the reference's size."""
    reference_depths: tuple[int, ...] = (1, 1, 4, 2, 2)
    """Blocks of the reference encoder at each of these widths."""
    seed_size: int = 8
    """Side of the square of features that z is first unfolded to."""
    seed_channels: int = 4
    """Channels of that square."""
    z_widths: tuple[int, ...] = (16, 32)
    """Channels of the code's decoder; the last are concatenated to the bottom of the U-Net."""
    z_depths: tuple[int, ...] = (1, 2)
    """Blocks of the code's decoder at each of these widths."""
    block: Version = 2
    """Version of the residual blocks."""
    antialias: bool = False
    """Whether the reference, and the target of the rough output, are antialiased when they are resized."""

    @property
    def channels(self) -> int:
        """Channels of the output space."""
        return _CHANNELS[self.output_space]

    def __post_init__(self) -> None:
        _need_lengths(self, widths=4, encoder1_depths=2, encoder2_depths=3, decoder1_depths=3)
        _need_lengths(self, decoder2_depths=3, decoder3_depths=3, reference_widths=5, reference_depths=5)
        _need_lengths(self, z_depths=len(self.z_widths))
        _need_at_least(2, self, "widths")  # the third decoder halves the first of them
        _need_at_least(1, self, "reference_widths", "z_widths", "z_size", "seed_size", "seed_channels")
        _need_at_least(16, self, "reference_size")
        _need_at_least(0, self, "encoder1_depths", "encoder2_depths", "reference_depths", "z_depths")
        _need_at_least(0, self, "decoder1_depths", "decoder2_depths", "decoder3_depths", "hue_dropout")
        if self.hue_dropout > 1:
            raise ValueError(f"hue_dropout is a share, not {self.hue_dropout}")
        if not self.z_widths or self.z_widths[-1] < self.channels:
            raise ValueError(f"z_widths must end on {self.channels} or more, for the extra output")


@dataclass(frozen=True)
class HintUNetConfig:
    """The network behind the default model; see ``sketchcolor_cli.networks.hint_unet``."""

    architecture: ClassVar[str] = "hint-unet"
    unsaid: ClassVar[dict[str, Any]] = {"sheet_width": 0, "sheet_size": 128}
    """What a file means that was written before these settings were there."""

    widths: tuple[int, ...] = (48, 96, 160, 224)
    """Channels at 1, 1/2, 1/4 … of the folded sketch's size."""
    depths: tuple[int, ...] = (2, 3, 3, 4)
    """Residual blocks at each of these sizes, on the way down and again on the way up."""
    stride: int = 4
    """Side of the square of sketch pixels that is folded into one place."""
    sheet_width: int = 160
    """Channels of the tokens that a character sheet becomes, a multiple of 4; 0: it takes no sheets."""
    sheet_size: int = 128
    """Side in pixels of the square that a character sheet is brought to; a multiple of 8."""
    lab_step: float = 12.0
    """Distance of neighbouring colours on the a*b* lattice, in units of CIELAB."""
    temperature: float = 0.4
    """Annealing of the mean over the lattice: 1 gives the mean, towards 0 the mode."""

    def __post_init__(self) -> None:
        _need_lengths(self, depths=len(self.widths))
        _need_at_least(1, self, "widths", "stride")
        _need_at_least(0, self, "depths")
        _need_at_least(0, self, "sheet_width")
        _need_at_least(8, self, "sheet_size")
        if self.widths and self.widths[-1] % 4:
            raise ValueError("the last width must be a multiple of 4, for the heads of attention")
        if self.sheet_width and len(self.widths) < 2:
            raise ValueError("a network with sheets needs at least two widths")
        if self.sheet_width % 4 or self.sheet_size % 8:  # four heads of attention; one token sees 8×8 pixels
            raise ValueError("sheet_width must be a multiple of 4, sheet_size of 8")
        if not self.widths or not _FINEST <= self.lab_step <= _COARSEST or self.temperature <= 0:
            raise ValueError(
                f"widths must not be empty; lab_step must be from {_FINEST:g} to {_COARSEST:g}, temperature "
                "above 0"
            )


@dataclass(frozen=True)
class CriticConfig:
    """The thesis's critic, which tells drawings from the generator's work."""

    architecture: ClassVar[str] = "critic"
    unsaid: ClassVar[dict[str, Any]] = {"block": 1}

    widths: tuple[int, ...] = (64, 128, 256, 512)
    """Channels at 1, 1/2, 1/4 and 1/8 of the picture's size."""
    depths: tuple[int, ...] = (2, 2, 2)
    """Residual blocks at 1, 1/2 and 1/4."""
    spectral_norm: bool = False
    """Whether every layer is kept 1-Lipschitz by spectral normalisation (Miyato et al. 2018)."""
    block: Version = 2
    """Version of the residual blocks."""

    def __post_init__(self) -> None:
        _need_lengths(self, widths=4, depths=3)
        _need_at_least(1, self, "widths")
        _need_at_least(0, self, "depths")


@dataclass(frozen=True)
class PatchCriticConfig:
    """PatchGAN's critic, which judges each patch of a picture for itself (Isola et al. 2017)."""

    architecture: ClassVar[str] = "patch-critic"

    widths: tuple[int, ...] = (64, 128, 256, 512)
    """Channels after each 4×4 convolution; all but the last halve the size. Four give patches of 70×70."""
    spectral_norm: bool = False
    """Whether every layer is kept 1-Lipschitz by spectral normalisation (Miyato et al. 2018)."""

    def __post_init__(self) -> None:
        _need_at_least(1, self, "widths")
        if len(self.widths) < 2:
            raise ValueError("widths must have 2 entries or more")


@dataclass(frozen=True)
class PerceptualConfig:
    """The thesis's perceptual network, a small classifier whose features compare pictures."""

    architecture: ClassVar[str] = "perceptual"
    unsaid: ClassVar[dict[str, Any]] = {"block": 1}

    widths: tuple[int, ...] = (48, 64, 96, 128, 192, 256)
    """Channels after the first convolution, and after each block or convolution that widens."""
    classes: int = 1000
    """Classes that it learns to tell apart."""
    block: Version = 2
    """Version of the residual blocks; with 1 the 3×3 convolutions between them have a bias, too."""

    def __post_init__(self) -> None:
        _need_lengths(self, widths=6)
        _need_at_least(1, self, "widths", "classes")
        if any(width % 4 for width in self.widths[4:]):
            raise ValueError("the last two widths must be multiples of 4, for blocks of two groups")


@dataclass(frozen=True)
class MatcherConfig:
    """The network that finds the places of a page on a character sheet; see ``networks.matcher``."""

    architecture: ClassVar[str] = "matcher"

    widths: tuple[int, ...] = (48, 96, 160, 224)
    """Channels at 1, 1/2, 1/4 … of the folded sketch's size; features are those at 1/2."""
    down_depths: tuple[int, ...] = (2, 3, 2, 1)
    """Residual blocks at each of these sizes on the way down."""
    up_depths: tuple[int, ...] = (2, 1)
    """Residual blocks at 1/2, 1/4 … on the way up."""
    attentions: int = 2
    """Layers of self-attention at the smallest size."""
    stride: int = 4
    """Side of the square of sketch pixels that is folded into one place."""
    features: int = 96
    """Numbers that describe a place, as query and as key."""

    def __post_init__(self) -> None:
        if len(self.widths) < 3:
            raise ValueError("widths must have 3 entries or more")
        _need_lengths(self, down_depths=len(self.widths), up_depths=len(self.widths) - 2)
        _need_at_least(1, self, "widths", "stride", "features")
        _need_at_least(0, self, "down_depths", "up_depths", "attentions")
        if self.attentions and self.widths[-1] % 4:
            raise ValueError("the last width must be a multiple of 4, for the heads of attention")


ModelConfig = GeneratorConfig | HintUNetConfig
"""Configurations of networks that colour a sketch."""

NetworkConfig = (
    GeneratorConfig | HintUNetConfig | MatcherConfig | CriticConfig | PatchCriticConfig | PerceptualConfig
)
"""Configurations of every network that has a file of its own."""

_C = TypeVar("_C", bound=NetworkConfig)


def config_to_plain(config: NetworkConfig) -> dict[str, Any]:
    """Return the configuration in JSON's types."""
    plain = asdict(config)
    return {name: list(value) if isinstance(value, tuple) else value for name, value in plain.items()}


def config_from_plain(kind: type[_C], plain: object) -> _C:
    """Return the configuration that :func:`config_to_plain` wrote.

    Raises:
        CheckpointError: a key is unknown or missing, a type is wrong, or no network can have this shape.
    """
    if not isinstance(plain, dict):
        raise CheckpointError(f"the configuration is {type(plain).__name__}, not an object")
    names = {field.name for field in fields(kind)}
    plain = {**getattr(kind, "unsaid", {}), **plain}
    for problem, keys in (("unknown", plain.keys() - names), ("missing", names - plain.keys())):
        if keys:
            listed = ", ".join(sorted(map(str, keys)))
            raise CheckpointError(f"the configuration has {problem} keys: {listed}")
    hints = get_type_hints(kind)
    for name, value in plain.items():
        _refuse_absurd(name, value)
    try:
        return kind(**{name: _checked(name, plain[name], hints[name]) for name in names})
    except (ValueError, OverflowError) as error:
        raise CheckpointError(f"the configuration does not describe a network: {error}") from error


def _refuse_absurd(name: str, value: object) -> None:
    """Refuse what no network of ours comes near, before anything is made of it."""
    values = value if isinstance(value, list) else [value]
    numbers = [value for value in values if isinstance(value, int | float)]
    deep = name.endswith("depths") and sum(numbers) > _MOST_BLOCKS
    if len(values) > _MOST_ENTRIES or deep or any(number > _MOST for number in numbers):
        raise CheckpointError(f"the configuration's {name} is larger than any network is made")


def _checked(name: str, value: object, hint: Any) -> Any:
    """Return a JSON value as what the annotation says, without guessing."""
    if get_origin(hint) is tuple and type(value) is list and all(type(item) is int for item in value):
        return tuple(value)
    if get_origin(hint) is Literal and any(
        type(value) is type(choice) and value == choice for choice in get_args(hint)
    ):
        return value
    if hint is float and isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value):
        return float(value)
    if hint in (int, bool) and type(value) is hint:
        return value
    raise CheckpointError(f"the configuration's {name} cannot be {value!r}")


def _need_lengths(config: object, **lengths: int) -> None:
    for name, length in lengths.items():
        if len(getattr(config, name)) != length:
            raise ValueError(f"{name} must have {length} entries, not {len(getattr(config, name))}")


def _need_at_least(least: int, config: object, *names: str) -> None:
    for name in names:
        value = getattr(config, name)
        if min(value if isinstance(value, tuple) else (value,), default=least) < least:
            raise ValueError(f"{name} must be at least {least}, not {value}")
