"""Where the graph of a network without its weights lies, by the shape of the network; without torch."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from sketchcolor_cli.errors import CheckpointError
from sketchcolor_cli.networks.config import (
    GeneratorConfig,
    HintUNetConfig,
    MatcherConfig,
    config_from_plain,
    config_to_plain,
)
from sketchcolor_cli.networks.registry import BUNDLED, read_header

if TYPE_CHECKING:
    from pathlib import Path

GRAPHS = BUNDLED / "graphs"
"""Folder of the graphs that come with the package; tools/make_graphs.py writes them."""

_KINDS: dict[str, Any] = {
    kind.architecture: kind for kind in (GeneratorConfig, HintUNetConfig, MatcherConfig)
}


def only_for_training(model: Path, architecture: str) -> CheckpointError:
    """Return the error of a model that cannot be used outside of training."""
    return CheckpointError(f"{model}: holds a {architecture} network, which is of use only in training")


def graph_name(model: Path) -> str:
    """Return the name of the graph of a model; models of one shape share it.

    Raises:
        CheckpointError: The model cannot be read, or its network is of use only in training.
    """
    header = read_header(model)
    if header.architecture not in _KINDS:
        raise only_for_training(model, header.architecture)
    try:
        config = config_from_plain(_KINDS[header.architecture], header.config)
    except CheckpointError as error:
        raise CheckpointError(f"{model}: {error}") from error
    shape = json.dumps(config_to_plain(config), sort_keys=True)
    return f"{header.architecture}-{sha256(shape.encode()).hexdigest()[:12]}.zip"
