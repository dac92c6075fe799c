"""Networks as tensors in, tensors out: what is exported, and pictures to try it with."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from sketchcolor_cli import __version__
from sketchcolor_cli.networks.base import ColorNet
from sketchcolor_cli.networks.checkpoint import load_model
from sketchcolor_cli.networks.config import config_to_plain
from sketchcolor_cli.networks.graph_files import only_for_training
from sketchcolor_cli.networks.matcher import Matcher

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Exportable:
    """A network as tensors in, tensors out.

    Attributes:
        module: Takes the inputs in their order, None for those that it does not have; returns a tuple.
        make: Returns inputs for a picture of ``height × width``; the last argument says whether what may be
            left out is there.
        multiple: What both sides of pictures are divisible by.
        scales: By input, how many pixels of the picture one of its own stands for; None for a fixed size.
        squares: By input of a fixed height, the side of the squares of which it has any number in a row.
        bare: The same without inputs that are seldom given; None where all of them always are.
        outputs: Names of what is returned.
        about: What the file says of itself, in JSON's types.
        many: Whether it takes any number of pictures at once.
    """

    module: nn.Module
    make: Callable[[int, int, bool], dict[str, Tensor]]
    multiple: int
    scales: Mapping[str, int | None]
    outputs: tuple[str, ...]
    about: dict[str, Any] = field(default_factory=dict)
    squares: Mapping[str, int] = field(default_factory=dict)
    bare: Exportable | None = None
    many: bool = False


class _Colors(nn.Module):
    """A colour network whose z is read where it is not a number."""

    def __init__(self, network: ColorNet) -> None:
        super().__init__()
        self.network = network

    def forward(
        self,
        sketch: Tensor,
        hint: Tensor,
        spread: Tensor | None = None,
        sheet: Tensor | None = None,
        z: Tensor | None = None,
    ) -> tuple[Tensor, ...]:
        if z is not None:
            z = torch.where(z.isnan(), self.network.latent_of(hint, sheet), z)
        seen = self.network(sketch, hint, spread=spread, sheet=sheet, z=z)
        given = [self.network.rgb(seen), seen.color]
        if seen.logits is not None:
            given.append(seen.logits.permute(0, 2, 3, 1))  # as it lies in memory
        if z is not None:
            given.append(seen.z)
        return tuple(given)


def of_colors(network: ColorNet, about: Mapping[str, Any]) -> Exportable:
    """Return a colour network as what is exported.

    Inputs are those of :class:`ColorNet` that it has a use for. A ``sheet`` of zeros is none, a ``z`` that is
    not a number (NaN) is read from hint or sheet. Outputs are ``rgb`` (N, 3, h, w), ``color`` (N, C, h, w) in
    the network's own space, ``logits`` (N, h, w, Q) and ``latent`` (N, Z), the z that counted, where it has
    them.
    """
    stride, sheet, colors = network.stride, network.sheet_size, network.lattice()
    length = network.z_size or (len(colors) if sheet and colors is not None else 0)

    def make(height: int, width: int, whole: bool) -> dict[str, Tensor]:
        random = torch.Generator().manual_seed(height)
        given = {"sketch": torch.rand(1, 1, height, width, generator=random)}
        given["hint"] = _layer(height, width, random)
        if stride > 1:
            given["spread"] = torch.rand(1, 4, height // stride, width // stride, generator=random)
        if sheet:
            count = 1 if height > 3 * network.multiple else 2
            given["sheet"] = _layer(sheet, count * sheet, random) * float(whole)
        if length:
            z = torch.rand(1, length, generator=random)
            given["z"] = z / z.sum(1, keepdim=True) if whole else z * torch.nan
        return given

    scales = {"sketch": 1, "hint": 1, "spread": stride, "sheet": None, "z": None}
    outputs = ["rgb", "color", *(["logits"] if colors is not None else []), *(["latent"] if length else [])]
    facts = {
        **about,
        "stride": stride,
        "multiple": network.multiple,
        "sheet_size": sheet,
        "z_size": network.z_size,
        "lattice": None if colors is None else colors.tolist(),
    }
    squares = {"sheet": sheet} if sheet else {}
    return Exportable(_Colors(network).eval(), make, network.multiple, scales, tuple(outputs), facts, squares)


class _ColorsAlone(nn.Module):
    """A colour network without a sheet, and with no z of its own."""

    def __init__(self, network: ColorNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, sketch: Tensor, hint: Tensor, spread: Tensor) -> tuple[Tensor, ...]:
        return _Colors(self.network)(sketch, hint, spread)  # type: ignore[no-any-return]


def _without_sheet(network: ColorNet, whole: Exportable) -> Exportable | None:
    """Return a network as it is without sheet and z; None where that is no less work."""
    if not network.sheet_size or network.z_size or network.stride == 1:
        return None

    def make(height: int, width: int, given: bool) -> dict[str, Tensor]:
        inputs = whole.make(height, width, given)
        return {name: inputs[name] for name in ("sketch", "hint", "spread")}

    outputs = tuple(name for name in whole.outputs if name != "latent")
    return Exportable(_ColorsAlone(network).eval(), make, whole.multiple, whole.scales, outputs)


class _Matching(nn.Module):
    """A matcher from lines and colours to what places look for and are found by."""

    def __init__(self, network: Matcher) -> None:
        super().__init__()
        self.network = network

    def forward(self, sketch: Tensor, colors: Tensor) -> tuple[Tensor, ...]:
        features = self.network(sketch, colors)
        return self.network.queries(features), self.network.keys(features)


def of_matcher(network: Matcher, about: Mapping[str, Any]) -> Exportable:
    """Return a matcher as what is exported: ``sketch`` and ``colors`` in, ``queries`` and ``keys`` out."""
    stride = network.config.stride

    def make(height: int, width: int, whole: bool) -> dict[str, Tensor]:
        random = torch.Generator().manual_seed(height)
        colors = _layer(height // stride, width // stride, random) * float(whole)
        return {"sketch": torch.rand(1, 1, height, width, generator=random), "colors": colors}

    facts = {
        **about,
        "stride": stride,
        "multiple": network.multiple,
        "cell": network.cell,
        "sharpness": float(network.sharpness.detach().exp()),
    }
    scales = {"sketch": 1, "colors": stride}
    return Exportable(_Matching(network).eval(), make, network.multiple, scales, ("queries", "keys"), facts)


def of_file(path: Path) -> Exportable:
    """Return the network of a model file as what is exported.

    Raises:
        CheckpointError: The file is missing or damaged, or its network is of use only in training.
    """
    network: Any
    network, info = load_model(path)
    exportable = of_network(
        network, {"licence": info.licence, "provenance": info.provenance, "version": __version__}
    )
    if exportable is None:
        raise only_for_training(path, info.architecture)
    return exportable


def of_network(network: Any, about: Mapping[str, Any]) -> Exportable | None:
    """Return a network as what is exported, with its shape; None where only training has a use for it."""
    if not isinstance(network, ColorNet | Matcher):
        return None
    shape = {"architecture": network.config.architecture, "config": config_to_plain(network.config)}
    of: Any = of_colors if isinstance(network, ColorNet) else of_matcher
    exportable: Exportable = of(network, {**shape, **about})
    if isinstance(network, ColorNet):
        return replace(exportable, bare=_without_sheet(network, exportable))
    return exportable


class Plain(nn.Module):
    """A network from one tensor to another."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, rgb: Tensor) -> tuple[Tensor]:
        """Return what the network gives, as the only one."""
        return (self.network(rgb),)


def of_pictures(network: nn.Module, multiple: int) -> Exportable:
    """Return a network of an extractor as what is exported: ``rgb`` (1, 3, H, W) in, ``logits`` out."""
    return Exportable(Plain(network).eval(), _colored, multiple, {"rgb": 1}, ("logits",))


def _colored(height: int, width: int, whole: bool) -> dict[str, Tensor]:
    """Return a picture, or a dark one."""
    random = torch.Generator().manual_seed(height)
    return {"rgb": torch.rand(1, 3, height, width, generator=random) * (1.0 if whole else 0.2)}


class _Drawing(nn.Module):
    """A sketcher, with the network in it as a part that the exporter sees."""

    def __init__(self, sketcher: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.sketcher = sketcher
        inside = getattr(sketcher, "network", None)
        if isinstance(inside, nn.Module):
            self.network = inside

    def forward(self, rgb: Tensor) -> tuple[Tensor]:
        return (self.sketcher(rgb),)


def of_sketcher(
    sketcher: Callable[[Tensor], Tensor], multiple: int, minimum: int, about: Mapping[str, Any]
) -> Exportable:
    """Return a loaded extractor as what is exported: ``rgb`` (1, 3, H, W) in, ``sketch`` (1, 1, H, W) out.

    Its parameters, as it was loaded, are part of it. ``multiple`` and ``minimum`` are those of its sizes.
    """
    multiple = multiple * -(-max(minimum, 16) // (2 * multiple))  # so that twice that is large enough
    return Exportable(_Drawing(sketcher).eval(), _colored, multiple, {"rgb": 1}, ("sketch",), dict(about))


def _layer(height: int, width: int, random: torch.Generator) -> Tensor:
    """Return colours and where they are given, in the left half."""
    mask = torch.zeros(1, 1, height, width)
    mask[..., : width // 2] = 1
    return torch.cat([torch.rand(1, 3, height, width, generator=random) * mask, mask], 1)
