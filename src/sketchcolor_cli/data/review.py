"""Reviewing pictures that a model has not seen: the most suspicious first, to be ticked off by hand.

Cortés Méndez (2022) cleaned screenshots in this way: learn from the clean part, let the network judge the
next, look, repeat. A picture is suspicious when the model cannot colour it although it is shown its colours
at 96×96 pixels: text, photographs, collages, wrong line drawings, and all that is unlike what it knows.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any, Protocol

import cv2

from sketchcolor_cli.data.check import thumbnail
from sketchcolor_cli.data.pictures import none_read, to_unit
from sketchcolor_cli.errors import ImageError
from sketchcolor_cli.files import html
from sketchcolor_cli.imaging.picture import to_tensor
from sketchcolor_cli.imaging.resize import fitted
from sketchcolor_cli.metrics.pictures import colorfulness, delta_e

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from sketchcolor_cli.data.pictures import PictureSet
    from sketchcolor_cli.data.settings import ReviewSettings

    Array = NDArray[np.float32]


class Colors(Protocol):
    """What colours a page with a rough colouring; ``coloring.arrays.ArrayColorizer`` is one."""

    def __call__(self, page: Array, *, reference: Array | None = None) -> Array:
        """Return the coloured page (H, W, 3) for a page (H, W)."""


@dataclass(frozen=True)
class Score:
    """How suspicious the picture of a number is: the mean ΔE00 between it and what the model makes of it."""

    key: str
    score: float
    colorfulness: float
    index: int = -1


@dataclass
class Review:
    """The scores, the most suspicious first, and the pictures that cannot be read."""

    scores: list[Score] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Put the scores into plain types for json.dumps."""
        scores = [{"key": score.key, "score": round(score.score, 3)} for score in self.scores]
        return {"pictures": len(scores), "scores": scores}


def review(
    pictures: PictureSet,
    colors: Colors,
    sketch: Callable[[Array], Array],
    settings: ReviewSettings,
    *,
    report: Callable[[int, int], None] = lambda _done, _total: None,
) -> Review:
    """Score every picture; ``sketch`` draws the lines of (H, W, 3) as (H, W).

    Raises:
        DataError: no picture can be read.
    """
    found, side = Review(), settings.reference_side
    for index, key in enumerate(pictures.keys):
        report(index, len(pictures))
        try:
            rgb = fitted(to_unit(pictures.color(index)), settings.short_side)
        except ImageError as error:
            found.unreadable.append((key, str(error)))
            continue
        rough = cv2.resize(rgb, (side, side), interpolation=cv2.INTER_AREA)
        result = colors(sketch(rgb), reference=rough)
        compared = [to_tensor(picture) for picture in (result, rgb)]
        score, colorful = float(delta_e(*compared).mean()), float(colorfulness(compared[1]))
        found.scores.append(Score(key, score, colorful, index))
    report(len(pictures), len(pictures))
    if not found.scores:
        raise none_read(pictures)
    found.scores.sort(key=lambda score: (-score.score, score.key))
    return found


def scores_csv(found: Review) -> str:
    """Return the scores as a table."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("key", "score", "colorfulness"))
    writer.writerows((score.key, f"{score.score:.3f}", f"{score.colorfulness:.2f}") for score in found.scores)
    return text.getvalue()


def html_review(found: Review, pictures: PictureSet, settings: ReviewSettings) -> str:
    """Return the page with the most suspicious pictures and a checkbox for each, which saves the list."""
    cells = [
        f'<label class="pick"><img src="{html.embedded(thumbnail(pictures, score.index))}" alt="">'
        f'<span><input type="checkbox" value="{escape(score.key)}"> ΔE00 {score.score:.1f}</span>'
        f"<small>{escape(score.key)}</small></label>"
        for score in found.scores[: settings.shown]
    ]
    body = (
        '<p class="lead">Most suspicious first: what the model cannot colour although it sees its colours. '
        "Tick what shall not be learned from, and save the list for "
        "<code>sketchcolor dataset prepare --exclude exclude.txt</code>.</p>"
        f"<style>{_STYLE}</style>"
        '<div class="bar"><button id="save">Save exclude.txt</button> <span id="count">0 ticked</span></div>'
        f'<div class="picks">{"".join(cells)}</div>'
    )
    return html.page("Review", body, script=_SCRIPT.replace("NAME", json.dumps("exclude.txt")))


_STYLE = """
.bar{position:sticky;top:0;background:var(--ground);padding:10px 0;z-index:1}
button{font:inherit;padding:6px 16px;
border-radius:8px;border:1px solid var(--line);background:var(--s0);color:#fff}
.picks{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:10px}
.pick{display:block;background:var(--paper);border:1px solid var(--line);border-radius:10px;padding:8px}
.pick:has(:checked){outline:3px solid var(--bad)}
.pick img{width:100%;height:150px;object-fit:contain;display:block}
.pick small{display:block;color:var(--soft);overflow-wrap:anywhere}
"""

_SCRIPT = """
const ticked = () => [...document.querySelectorAll('.pick input:checked')].map(box => box.value);
document.addEventListener('change', () => {
  document.getElementById('count').textContent = ticked().length + ' ticked';
});
document.getElementById('save').addEventListener('click', () => {
  const link = document.createElement('a');
  const lines = ticked().map(key => key + '\\n').join('');
  link.href = URL.createObjectURL(new Blob([lines], {type: 'text/plain'}));
  link.download = NAME;
  link.click();
});
"""
