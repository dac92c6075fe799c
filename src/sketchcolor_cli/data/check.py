"""What is in a set: sizes, licences, sources, groups, lines, colourfulness, and what cannot be read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from sketchcolor_cli.data.pictures import none_read, to_bytes, to_unit
from sketchcolor_cli.errors import ImageError
from sketchcolor_cli.files import html
from sketchcolor_cli.imaging.picture import to_tensor
from sketchcolor_cli.imaging.resize import fitted
from sketchcolor_cli.metrics.pictures import colorfulness

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from sketchcolor_cli.data.pictures import PictureSet

_SHOWN_SIDE = 150


@dataclass
class Contents:
    """What was found.

    Attributes:
        pictures: How many can be read.
        unreadable: Those that cannot: key, and why.
        counts: By ``licence``, ``source`` and ``line``: how many pictures of each.
        groups: How many groups of three pictures or more there are.
        sides: Least, middle and greatest shorter side, in pixels.
        colors: Colourfulness by key.
        best: The most colourful: key and a small picture.
        worst: The least colourful.
    """

    pictures: int = 0
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    groups: int = 0
    sides: tuple[int, int, int] = (0, 0, 0)
    colors: dict[str, float] = field(default_factory=dict)
    best: list[tuple[str, NDArray[np.uint8]]] = field(default_factory=list, repr=False)
    worst: list[tuple[str, NDArray[np.uint8]]] = field(default_factory=list, repr=False)

    def to_json(self) -> dict[str, Any]:
        """Put everything but the pictures into plain types for json.dumps."""
        values = sorted(self.colors.values())
        return {
            "pictures": self.pictures,
            "unreadable": [{"key": key, "message": message} for key, message in self.unreadable],
            "short_side": dict(zip(("least", "median", "most"), self.sides, strict=True)),
            "groups_of_three": self.groups,
            "colorfulness": {
                name: round(float(np.quantile(values, share)), 2)
                for name, share in (("least", 0), ("quarter", 0.25), ("median", 0.5), ("most", 1))
            },
            **{name: dict(counter.most_common()) for name, counter in self.counts.items()},
            "most_colorful": [key for key, _ in self.best],
            "least_colorful": [key for key, _ in self.worst],
        }


def check(
    pictures: PictureSet,
    *,
    shown: int = 24,
    report: Callable[[int, int], None] = lambda _done, _total: None,
) -> Contents:
    """Read every picture once and say what is there, with ``shown`` of the most and the least colourful.

    Raises:
        DataError: no picture can be read.
    """
    found, sides, groups = Contents(), [], Counter[str]()
    found.counts = {name: Counter() for name in ("licence", "source", "line")}
    ranked: list[tuple[float, str, int]] = []
    for index, key in enumerate(pictures.keys):
        report(index, len(pictures))
        try:
            facts = pictures.about(index)
            rgb = to_unit(pictures.color(index))
        except ImageError as error:
            found.unreadable.append((key, str(error)))
            continue
        sides.append(min(rgb.shape[:2]))
        found.colors[key] = float(colorfulness(to_tensor(fitted(rgb, 256))))
        ranked.append((found.colors[key], key, index))
        for name, counter in found.counts.items():
            given = ("given" if pictures.has_line(index) else "none") if name == "line" else "unknown"
            counter[str(facts.get(name) or given)] += 1
        groups[pictures.group(index)] += 1
    report(len(pictures), len(pictures))
    if not sides:
        raise none_read(pictures)
    found.pictures = len(sides)
    found.groups = sum(count >= 3 for group, count in groups.items() if group)
    found.sides = (min(sides), sorted(sides)[len(sides) // 2], max(sides))
    ranked.sort()
    found.worst = [(key, thumbnail(pictures, index)) for _, key, index in ranked[:shown]]
    found.best = [(key, thumbnail(pictures, index)) for _, key, index in ranked[::-1][:shown]]
    return found


def thumbnail(pictures: PictureSet, index: int) -> NDArray[np.uint8]:
    """Return a picture as it stands on a contact sheet."""
    return to_bytes(fitted(to_unit(pictures.color(index)), _SHOWN_SIDE))


def html_contents(found: Contents, data: str) -> str:
    """Return the page that shows the set."""
    plain = found.to_json()
    facts = [("data", data), ("pictures", str(found.pictures)), ("not readable", str(len(found.unreadable)))]
    facts += [
        ("shorter side", " / ".join(map(str, found.sides)) + " pixels (least, median, most)"),
        ("groups of three or more", str(found.groups)),
        ("colourfulness", ", ".join(f"{name} {value}" for name, value in plain["colorfulness"].items())),
    ]
    facts += [
        (name, ", ".join(f"{what}: {count}" for what, count in counter.most_common(30)))
        for name, counter in found.counts.items()
    ]
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts)
    parts = [f"<dl>{rows}</dl>"]
    for title, chosen in (("The most colourful", found.best), ("The least colourful", found.worst)):
        cells = "".join(
            f'<figure><img src="{html.embedded(rgb)}" alt="{escape(key)}">'
            f"<figcaption>{escape(key)}<br>{found.colors[key]:.1f}</figcaption></figure>"
            for key, rgb in chosen
        )
        parts.append(f'<h2>{title}</h2><div class="case"><div class="row">{cells}</div></div>')
    return html.page("What is in the set", "".join(parts))
