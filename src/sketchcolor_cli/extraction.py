"""Drawing sketches: an extractor is loaded with what it asks for, and pictures of any size go through it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import torch

from sketchcolor_cli.errors import PluginError, UsageError
from sketchcolor_cli.extractor import Resources, parse_parameters
from sketchcolor_cli.images import on_paper, to_array, to_tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from sketchcolor_cli.extractor import Sketcher
    from sketchcolor_cli.images import Picture
    from sketchcolor_cli.plugins import Extractors
    from sketchcolor_cli.sizes import SizeRule
    from sketchcolor_cli.weightfile import WeightFile


def load_sketcher(
    extractors: Extractors,
    name: str,
    *,
    device: str = "cpu",
    settings: Iterable[str] = (),
    find_weight: Callable[[WeightFile], Path] | None = None,
) -> Sketcher:
    """Load an extractor.

    Args:
        extractors: Where it and those that it is made of are found.
        name: Its name.
        device: Where it shall work, as torch names it.
        settings: The user's parameters, each ``name=value``.
        find_weight: Returns where a weight file lies.

    Raises:
        PluginError: There is no such extractor, or it is made of itself.
        UsageError: A parameter is unknown or its value makes no sense.
    """

    def load(name: str, settings: Iterable[str], within: tuple[str, ...]) -> Sketcher:
        if name in within:
            raise PluginError(f"{' → '.join((*within, name))}: an extractor cannot be made of itself")
        extractor = extractors.get(name)

        def part(other: str) -> Sketcher:
            sketcher = load(other, (), (*within, name))
            return partial(sketch, sketcher, extractors.get(other).size)

        resources = Resources(device, parse_parameters(extractor, settings), find_weight, part)
        try:
            return extractor.load(resources)
        except ValueError as error:
            raise UsageError(f"{name}: {error}") from error

    return load(name, settings, ())


@torch.no_grad()
def sketch(sketcher: Sketcher, rule: SizeRule, rgb: torch.Tensor) -> torch.Tensor:
    """Draw pictures of any size: pad them as the rule asks, draw, cut the padding off again.

    Args:
        sketcher: A loaded extractor.
        rule: That extractor's size rule.
        rgb: (N, 3, H, W) float32 in [0, 1], on the sketcher's device.

    Returns:
        (N, 1, H, W) float32 in [0, 1] on the same device: paper 1, ink 0.

    Raises:
        PluginError: The sketch has another shape than the padded picture.
    """
    plan = rule.plan(rgb.shape[2], rgb.shape[3])
    fitting = rgb if plan.empty else rgb[:, :, plan.rows][..., plan.columns]
    drawn = sketcher(fitting)
    due = (len(fitting), 1, *fitting.shape[2:])
    if drawn.shape != due:
        raise PluginError(
            f"the extractor gave a sketch of shape {tuple(drawn.shape)} where {due} was due; tell its author"
        )
    return drawn[..., *plan.crop]


def sketch_picture(sketcher: Sketcher, rule: SizeRule, picture: Picture, *, device: str = "cpu") -> Picture:
    """Return a picture's sketch: grey, of the same size, depth, resolution and format; transparent is paper.

    Raises:
        PluginError: The sketch has the wrong shape.
    """
    rgb = to_tensor(on_paper(picture)).to(device)
    return replace(picture, rgb=to_array(sketch(sketcher, rule, rgb)), alpha=None, gray=True, icc=None)
