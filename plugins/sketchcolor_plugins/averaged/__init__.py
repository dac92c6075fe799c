"""Mixtures of other extractors, ours and strangers': a picture's sketch is the mean of theirs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sketchcolor_cli import Extractor, Parameter, hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sketchcolor_cli import Resources, Sketcher

MIX = "sketchkeras=0.5,anime2sketch=0.5"
"""The mixture of the thesis that this project follows."""

_RANDOM = "random"
_MOST_SEED = 2**63


@hookimpl
def sketchcolor_extractors() -> Iterable[Extractor]:
    """Declare the extractor "avg"."""
    return [
        Extractor(
            name="avg",
            summary="The mean of other extractors' sketches, at first SketchKeras and Anime2Sketch.",
            load=_load,
            parameters=(
                Parameter(
                    "mix",
                    MIX,
                    'Extractors and their shares, "random" for new shares for each picture, or '
                    '"random:NAME,NAME" for that with others.',
                ),
                Parameter("seed", 0, "Which shares are drawn where they are random; at least 0."),
            ),
            parts=tuple(read_mix(MIX)),
            needs=lambda parameters: read_mix(parameters["mix"]),
        )
    ]


def read_mix(text: str) -> dict[str, float | None]:
    """Return the share of each extractor in a mixture, together 1; None where shares are random.

    Args:
        text: ``NAME=SHARE,NAME=SHARE…``, where shares need not add up to 1; ``NAME,NAME…`` for equal shares;
            ``random`` or ``random:NAME,NAME…``. Extractors without a share are left out.

    Raises:
        ValueError: It has not one of these forms, a name comes twice, or nobody has a share.
    """
    kind, colon, members = text.partition(":")
    random = kind.strip() == _RANDOM
    if random:
        members = members if colon else ",".join(read_mix(MIX))
    shares: dict[str, float] = {}
    for member in (members if random else text).split(","):
        name, equals, share = (part.strip() for part in member.partition("="))
        if not name or (random and equals):
            raise ValueError(f"mix {text!r}: write it as NAME=SHARE,NAME=SHARE, or as random:NAME,NAME")
        if name in shares:
            raise ValueError(f"mix {text!r}: {name} comes twice")
        shares[name] = _share(text, share) if equals else 1.0
    total = sum(shares.values())
    if not 0 < total < math.inf:
        raise ValueError(f"mix {text!r}: the shares add up to {total:g}; some must be above 0")
    return {name: None if random else share / total for name, share in shares.items() if share}


def _share(text: str, share: str) -> float:
    try:
        value = float(share)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise ValueError(f"mix {text!r}: a share is a number of at least 0, not {share!r}")
    return value


def _load(resources: Resources) -> Sketcher:
    from sketchcolor_plugins.averaged.mixture import Mixture

    shares, seed = read_mix(resources.parameters["mix"]), resources.parameters["seed"]
    if not 0 <= seed < _MOST_SEED:
        raise ValueError("seed is at least 0")
    return Mixture({name: resources.extractor(name) for name in shares}, shares, seed)
