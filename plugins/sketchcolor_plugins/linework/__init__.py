"""Our own extractor: a small network that was trained on artists' lines and comes with its weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sketchcolor_cli import Extractor, Parameter, SizeRule, hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sketchcolor_cli import Resources, Sketcher

MARGIN = 128
"""How far, in pixels, the network sees."""


@hookimpl
def sketchcolor_extractors() -> Iterable[Extractor]:
    """Declare the extractor "linework"."""
    return [
        Extractor(
            name="linework",
            summary="Crisp black lines as an artist would ink them; its small network comes along.",
            load=_load,
            size=SizeRule(multiple=16, minimum=32),
            parameters=(
                Parameter(
                    "detail",
                    0.5,
                    "How unsure a line may be and still be drawn, above 0 and below 1; more draws more.",
                ),
            ),
            margin=MARGIN,
        )
    ]


def _load(resources: Resources) -> Sketcher:
    from sketchcolor_plugins.linework.network import Procedure, load_shipped
    from sketchcolor_plugins.loading import place

    detail = resources.parameters["detail"]
    if not 0 < detail < 1:
        raise ValueError("detail is above 0 and below 1")
    return Procedure(place(load_shipped(), resources), detail)
