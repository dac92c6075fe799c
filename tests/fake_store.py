"""A store of random weights, and our networks made narrow for it, so that every extractor runs in tests."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import save_file

from sketchcolor_cli.weights.fetch import import_file
from sketchcolor_cli.weights.store import WeightStore
from sketchcolor_plugins.anime2sketch import network as anime2sketch
from sketchcolor_plugins.sketch_simplification import network as sketch_simplification
from sketchcolor_plugins.sketchkeras import network as sketchkeras

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import pytest

    from sketchcolor_cli import WeightFile


def make_networks_narrow(patch: pytest.MonkeyPatch) -> None:
    """Give our networks a few channels instead of hundreds; all else about them stays."""
    widths = (2, 2, 3, 3, 4, 4, 4, 4)
    patch.setattr(anime2sketch, "Anime2Sketch", partial(anime2sketch.Anime2Sketch, widths=widths))
    patch.setattr(sketchkeras, "SketchKeras", partial(sketchkeras.SketchKeras, 2))
    thin = [(-(-a // 16), -(-b // 16), size, change) for a, b, size, change in sketch_simplification._LAYERS]
    patch.setattr(sketch_simplification, "_LAYERS", tuple(thin))


def fill_store(folder: Path, files: Iterable[WeightFile]) -> WeightStore:
    """Import random weights for these files into a store, as a user imports a copy of his own."""
    store, own = WeightStore(folder / "store"), folder / "own.safetensors"
    for file in dict.fromkeys(files):
        assert file.layout, f"{file.name} declares no layout to make weights for"
        save_file(random_weights(file.layout()), own)
        import_file(store, file, own, accept=True)
    return store


def random_weights(layout: Mapping[str, Any], seed: int = 0) -> dict[str, torch.Tensor]:
    """Return random numbers that keep signals in size: variances above 0, and means of their own."""
    generator = torch.Generator().manual_seed(seed)

    def fill(name: str, like: torch.Tensor) -> torch.Tensor:
        if not like.is_floating_point():
            return torch.ones(like.shape, dtype=like.dtype)
        value = torch.rand(like.shape, generator=generator)
        if name.endswith(("running_var", "kernel")) or (name.endswith("weight") and like.ndim == 1):
            return (value + 0.5) / max(1, like.numel() if name.endswith("kernel") else 1)
        return (value - 0.5) * 2 * (math.sqrt(6 / like[0].numel()) if like.ndim > 1 else 0.2)

    return {name: fill(name, like) for name, like in layout.items()}
