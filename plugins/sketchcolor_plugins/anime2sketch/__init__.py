"""Anime2Sketch (Xiang et al. 2021), both published variants, for which users fetch the weights."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from sketchcolor_cli import Extractor, Parameter, SizeRule, WeightFile, WeightSource, hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from torch import Tensor

    from sketchcolor_cli import Resources, Sketcher

_DRIVE = "https://drive.usercontent.google.com/download?id={}&export=download&confirm=t"


def _layout(*, improved: bool) -> Mapping[str, Tensor]:
    from sketchcolor_plugins.anime2sketch.network import Anime2Sketch
    from sketchcolor_plugins.loading import layout

    return layout(partial(Anime2Sketch, improved=improved))


WEIGHTS = WeightFile(
    name="anime2sketch",
    licence="MIT; Xiaoyu Xiang and others",
    sources=(
        WeightSource(
            "netG.pth",
            size=217_631_959,
            sha256="ccabdcc3f5cf3c07cf65d58776acb21df7dfda825cdc70c9766a93fd62bfc488",
            urls=(
                "https://huggingface.co/lllyasviel/Annotators/resolve/main/netG.pth",
                _DRIVE.format("1RILKwUdjjBBngB17JHwhZNBEaW4Mr-Ml"),
            ),
        ),
    ),
    layout=partial(_layout, improved=False),
)
IMPROVED_WEIGHTS = WeightFile(
    name="anime2sketch-improved",
    licence="MIT; Xiaoyu Xiang and others",
    sources=(
        WeightSource(
            "improved.bin",
            size=191_927_595,
            sha256="d2913793286bdeb32f340e2f64e54154ab291daf43f5a352f73543cd3a5a3248",
            urls=(_DRIVE.format("1cf90_fPW-elGOKu5mTXT5N1dum-XY_46"),),
        ),
    ),
    layout=partial(_layout, improved=True),
)


@hookimpl
def sketchcolor_extractors() -> Iterable[Extractor]:
    """Declare the extractors "anime2sketch" and "anime2sketch-improved"."""
    return [
        _extractor(
            "anime2sketch",
            "Clean, even lines as in animation (Anime2Sketch); needs weights.",
            WEIGHTS,
        ),
        _extractor(
            "anime2sketch-improved",
            "Anime2Sketch without its chequered traces, also for dark pictures; needs weights.",
            IMPROVED_WEIGHTS,
        ),
    ]


def _extractor(name: str, summary: str, weights: WeightFile) -> Extractor:
    return Extractor(
        name=name,
        summary=summary,
        load=partial(_load, weights),
        weights=(weights,),
        size=SizeRule(multiple=256, pad="reflect"),
        parameters=(
            Parameter(
                "clahe", 0.0, "Limit of contrast in equalising it first; 0 is off, 2 to 4 help dark pictures."
            ),
        ),
        working_size=512,
    )


def _load(weights: WeightFile, resources: Resources) -> Sketcher:
    from sketchcolor_plugins.anime2sketch.network import Anime2Sketch, Anime2SketchSketcher
    from sketchcolor_plugins.loading import load, place

    clahe = resources.parameters["clahe"]
    if clahe < 0:
        raise ValueError("clahe is at least 0")
    network = load(
        partial(Anime2Sketch, improved=weights is IMPROVED_WEIGHTS), resources.weight_path(weights)
    )
    return Anime2SketchSketcher(place(network, resources), clahe)
