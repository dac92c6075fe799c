"""Linework: our own small network for lines, with its weights in the package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sketchcolor_cli import Extractor, Parameter, SizeRule, hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sketchcolor_cli import Resources, Sketcher


@hookimpl
def sketchcolor_extractors() -> Iterable[Extractor]:
    """Declare the extractor "linework"."""
    return [
        Extractor(
            name="linework",
            summary="The lines an artist would draw, by a small network that comes along; needs no weights.",
            load=_load,
            size=SizeRule(multiple=16, minimum=32),
            parameters=(
                Parameter("strength", 1.0, "More than 1 draws faint lines darker, less leaves them out."),
                Parameter("black", 0.1, "What is darker, from 0 to 1, becomes solid ink; 0 for nothing."),
            ),
            margin=128,
            line_width=3,
        )
    ]


def _load(resources: Resources) -> Sketcher:
    from sketchcolor_plugins.linework.arrays import GRAPH, WEIGHTS, LineworkArrays

    strength, black = (resources.parameters[name] for name in ("strength", "black"))
    if not strength > 0:
        raise ValueError("strength is above 0")
    if not 0 <= black <= 1:
        raise ValueError("black is from 0 to 1")
    found = resources.graph(GRAPH, WEIGHTS)
    if found is not None:
        return LineworkArrays(found, strength, black)
    from sketchcolor_plugins.linework.network import Linework, LineworkSketcher
    from sketchcolor_plugins.loading import load, place

    return LineworkSketcher(place(load(Linework, WEIGHTS), resources), strength, black)
