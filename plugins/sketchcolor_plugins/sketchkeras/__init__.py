"""SketchKeras (lllyasviel 2017), for which users bring or fetch the weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sketchcolor_cli import Extractor, Parameter, SizeRule, WeightFile, WeightSource, hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from torch import Tensor

    from sketchcolor_cli import Resources, Sketcher


def _layout() -> Mapping[str, Tensor]:
    from sketchcolor_plugins.loading import layout
    from sketchcolor_plugins.sketchkeras.network import SketchKeras

    return layout(SketchKeras)


WEIGHTS = WeightFile(
    name="sketchkeras",
    licence="none stated for the weights; the PyTorch port that holds them is under Apache-2.0",
    sources=(
        WeightSource(
            "model.pth",
            urls=(
                (
                    "https://drive.usercontent.google.com/download"
                    "?id=1Zo88NmWoAitO7DnyBrRhKXPcHyMAZS97&export=download&confirm=t"
                ),
            ),
        ),
    ),
    layout=_layout,
)


@hookimpl
def sketchcolor_extractors() -> Iterable[Extractor]:
    """Declare the extractor "sketchkeras"."""
    return [
        Extractor(
            name="sketchkeras",
            summary="Fine pencil-like lines, also inside hair and cloth (SketchKeras); needs weights.",
            load=_load,
            weights=(WEIGHTS,),
            size=SizeRule(multiple=16, minimum=32, place="end"),
            parameters=(
                Parameter("threshold", 0.1, "Ink below this becomes paper, from 0 to 1; more is cleaner."),
            ),
            working_size=512,
        )
    ]


def _load(resources: Resources) -> Sketcher:
    from sketchcolor_plugins.loading import load, place
    from sketchcolor_plugins.sketchkeras.network import SketchKeras, SketchKerasSketcher

    threshold = resources.parameters["threshold"]
    if not 0 <= threshold <= 1:
        raise ValueError("threshold is from 0 to 1")
    network = load(SketchKeras, resources.weight_path(WEIGHTS)).folded()
    return SketchKerasSketcher(place(network, resources), threshold)
