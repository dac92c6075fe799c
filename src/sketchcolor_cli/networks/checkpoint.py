"""Networks to files and back: safetensors, with all that rebuilds the network in the header.

Under the header's one metadata key ``sketchcolor`` stands a JSON object: ``format`` (a version number),
``architecture``, ``config``, ``provenance``, ``licence``. One key, since safetensors writes several in no
fixed order, and a file should be the same, byte for byte, when written twice.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from sketchcolor_cli.compute.graphs import not_finite, not_safetensors
from sketchcolor_cli.compute.uninitialized import uninitialized
from sketchcolor_cli.errors import CheckpointError
from sketchcolor_cli.files.atomic import write_bytes
from sketchcolor_cli.networks.config import (
    CriticConfig,
    GeneratorConfig,
    HintUNetConfig,
    MatcherConfig,
    NetworkConfig,
    PatchCriticConfig,
    PerceptualConfig,
    config_from_plain,
    config_to_plain,
)
from sketchcolor_cli.networks.critic import Critic, PatchCritic
from sketchcolor_cli.networks.hint_unet import HintUNet
from sketchcolor_cli.networks.matcher import Matcher
from sketchcolor_cli.networks.perceptual import Perceptual
from sketchcolor_cli.networks.registry import refuse_foreign
from sketchcolor_cli.networks.thesis_unet import Generator

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    Network = Generator | HintUNet | Matcher | Critic | PatchCritic | Perceptual

FORMAT = 1
"""Version of the file format that this program writes, and the newest that it reads."""

_KEY = "sketchcolor"

_NETWORKS: dict[str, tuple[type[NetworkConfig], Any]] = {
    config.architecture: (config, network)
    for config, network in (
        (GeneratorConfig, Generator),
        (HintUNetConfig, HintUNet),
        (MatcherConfig, Matcher),
        (CriticConfig, Critic),
        (PatchCriticConfig, PatchCritic),
        (PerceptualConfig, Perceptual),
    )
}

_KINDS = {True: "floats", False: "integers"}
_FLOATS = frozenset({"F64", "F32", "F16", "BF16"})  # as safetensors calls them

_M = TypeVar("_M", bound=nn.Module)


@dataclass(frozen=True)
class CheckpointInfo:
    """What a model file says of itself."""

    format: int
    """Version of the file format."""
    architecture: str
    """Name of the kind of network."""
    config: NetworkConfig
    """Shape of the network."""
    provenance: dict[str, Any]
    """Where the weights come from: data, steps, program version; whatever training wrote."""
    licence: str
    """Terms under which the weights may be used."""


def save_model(
    path: Path, model: Network, *, provenance: dict[str, Any], licence: str, half: bool = False
) -> None:
    """Write a network to a file, whole or not at all.

    ``provenance`` must be JSON. With ``half`` the weights proper are stored in float16 and only the vectors
    (biases, batch-norm statistics) in float32: half the size.

    Raises:
        CheckpointError: the file cannot be written.
    """
    header = {
        "format": FORMAT,
        "architecture": model.config.architecture,
        "config": config_to_plain(model.config),
        "provenance": provenance,
        "licence": licence,
    }
    tensors = {
        name: (tensor.half() if half and tensor.dim() > 1 else tensor).detach().cpu().contiguous()
        for name, tensor in model.state_dict().items()
    }
    data = save(tensors, {_KEY: json.dumps(header, ensure_ascii=False, sort_keys=True)})
    write_bytes(path, data, CheckpointError)


def load_model(path: Path, kind: type[_M] = nn.Module) -> tuple[_M, CheckpointInfo]:  # type: ignore[assignment]
    """Return the network that :func:`save_model` wrote, on the CPU, in float32, in eval mode.

    It is rebuilt from the file's own configuration, and every tensor must be there in its shape. ``kind`` is
    the class of networks that the caller has a use for.

    Raises:
        CheckpointError: there is no such file; it is damaged, foreign, or newer than this program; or the
            network in it is of another kind.
    """
    try:
        refuse_foreign(path)
        with safe_open(path, "pt", device="cpu") as file:
            info = _read_header(file.metadata() or {})
            shapes = {name: _shape(file.get_slice(name)) for name in file.keys()}  # noqa: SIM118  (not a dict)
            _compare(info, shapes)  # before anything of the size that the file claims is made
            tensors = {name: file.get_tensor(name) for name in shapes}
        network = _filled(info, tensors)
    except FileNotFoundError as error:
        raise CheckpointError(f"{path}: no such file; check the path of the model") from error
    except (OSError, SafetensorError) as error:
        raise not_safetensors(path, error) from error
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {str(error).removeprefix(f'{path}: ')}") from error
    if not isinstance(network, kind):
        raise CheckpointError(f"{path}: holds a {info.architecture} network, which cannot be used here")
    return network, info


def load_critic(path: Path) -> Critic | PatchCritic:
    """Return the critic of a file, of either kind; as :func:`load_model`."""
    network, info = load_model(path, nn.Module)
    if not isinstance(network, Critic | PatchCritic):
        raise CheckpointError(f"{path}: holds a {info.architecture} network, which is not a critic")
    return network


def _read_header(metadata: dict[str, str]) -> CheckpointInfo:
    if _KEY not in metadata:
        raise CheckpointError("not a model of sketchcolor; its header lacks the description of a network")
    try:
        header = json.loads(metadata[_KEY])
        version, name = header["format"], header["architecture"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CheckpointError("its header is damaged; fetch or export the model again") from error
    if type(version) is not int or version < 1:
        raise CheckpointError(f"its header is damaged (format {version!r}); fetch or export the model again")
    if version > FORMAT:
        raise CheckpointError(f"its file format {version} is newer than this program's {FORMAT}; update it")
    if not isinstance(name, str) or name not in _NETWORKS:
        raise CheckpointError(f"unknown architecture {name!r}; this program knows {', '.join(_NETWORKS)}")
    provenance, licence = header.get("provenance"), header.get("licence")
    if not isinstance(provenance, dict) or not isinstance(licence, str):
        raise CheckpointError("its header lacks provenance or licence; fetch or export the model again")
    config = config_from_plain(_NETWORKS[name][0], header.get("config"))
    return CheckpointInfo(version, name, config, provenance, licence)


def _shape(tensor: Any) -> tuple[bool, tuple[int, ...]]:
    """Return of a tensor that is not read yet whether it is of floats, and its shape."""
    return tensor.get_dtype() in _FLOATS, tuple(tensor.get_shape())


def _compare(info: CheckpointInfo, found: dict[str, tuple[bool, tuple[int, ...]]]) -> None:
    """Refuse a file whose tensors are not those of the network that it describes."""
    expected = _layout(info.config)
    for problem, names in (
        ("lacks", expected.keys() - found),
        ("has unexpected", found.keys() - expected),
    ):
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            raise CheckpointError(f"{problem} tensor {min(names)}{more}; it does not fit its own description")
    for name, (is_float, shape) in found.items():
        if (is_float, shape) != expected[name]:
            have, want = (f"{_KINDS[kind]} {size}" for kind, size in ((is_float, shape), expected[name]))
            raise CheckpointError(f"tensor {name} is {have}, not {want}; it does not fit its own description")


@lru_cache(maxsize=16)  # an evaluation or a chain of stages loads networks of one configuration again
def _layout(config: NetworkConfig) -> dict[str, tuple[bool, tuple[int, ...]]]:
    """Return of each tensor of a network whether it is of floats, and its shape."""
    with torch.device("meta"), uninitialized():  # shapes alone, without memory
        network: nn.Module = _NETWORKS[config.architecture][1](config)
    return {
        name: (tensor.is_floating_point(), tuple(tensor.shape))
        for name, tensor in network.state_dict().items()
    }


def _filled(info: CheckpointInfo, tensors: dict[str, Tensor]) -> nn.Module:
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            raise CheckpointError(not_finite(name))
    with uninitialized():
        network: nn.Module = _NETWORKS[info.architecture][1](info.config)
    network.load_state_dict(tensors)
    return network.eval()
