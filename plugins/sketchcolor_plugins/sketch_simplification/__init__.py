"""Sketch simplification (Simo-Serra, Iizuka and Ishikawa 2016, 2018); users bring their own weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sketchcolor_cli import Extractor, Parameter, SizeRule, WeightFile, WeightSource, hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from torch import Tensor

    from sketchcolor_cli import Resources, Sketcher

_LICENCE = "non-commercial research only, no redistribution; Simo-Serra, Iizuka and Ishikawa"
_HOME = "https://esslab.jp/~ess/data/"


def _layout() -> Mapping[str, Tensor]:
    from sketchcolor_plugins.loading import layout
    from sketchcolor_plugins.sketch_simplification.network import build

    return layout(build)


def _read(path: Path) -> Mapping[str, Tensor]:
    from sketchcolor_plugins.sketch_simplification.torch7 import read_torch7

    return read_torch7(path)


def _weights(variant: str, md5: str) -> WeightFile:
    file = f"sketch_{variant}.t7"
    return WeightFile(
        name=f"sketch-simplification-{variant}",
        licence=_LICENCE,
        sources=(WeightSource(file, md5=md5, urls=(_HOME + file,), read=_read),),
        non_commercial=True,
        layout=_layout,
    )


WEIGHTS = {
    "gan": _weights("gan", "3a5b4088f2490ca4b8140a374e80c878"),
    "mse": _weights("mse", "12317df9a0a2a7220629f5f361b45b82"),
}
"""The published networks by variant: trained with a critic as well (2018), and without (2016)."""


@hookimpl
def sketchcolor_extractors() -> Iterable[Extractor]:
    """Declare the extractor "sketch-simplification"."""
    return [
        Extractor(
            name="sketch-simplification",
            summary="Rough pencil sketches to clean lines (sketch simplification); needs weights.",
            load=_load,
            weights=tuple(WEIGHTS.values()),
            size=SizeRule(multiple=8, pad="replicate", place="end"),
            parameters=(
                Parameter("variant", "gan", "Which published network: gan, which is crisper, or mse."),
            ),
            margin=MARGIN,
            needs=lambda parameters: [_chosen(parameters)],
        )
    ]


MARGIN = 104
"""How far, in pixels, the network sees."""


def _chosen(parameters: Mapping[str, Any]) -> WeightFile:
    variant = parameters["variant"]
    if variant not in WEIGHTS:
        raise ValueError(f"variant is {' or '.join(WEIGHTS)}, not {variant!r}")
    return WEIGHTS[variant]


def _load(resources: Resources) -> Sketcher:
    from sketchcolor_plugins.loading import load, place
    from sketchcolor_plugins.sketch_simplification.network import SimplificationSketcher, build

    network = load(build, resources.weight_path(_chosen(resources.parameters)))
    return SimplificationSketcher(place(network, resources))
