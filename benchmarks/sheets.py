"""How well a character sheet colours another picture of the same character, and what that was before.

    python benchmarks/sheets.py VALIDATION [--more SHARD …] [--half report] [--limit N] [-o FOLDER]

VALIDATION is a shard that nothing was trained on; of its groups, those of one half in validation_halves.txt
are taken. Four kinds of pairs, the page as lines alone and the sheet in colour:

* drawn: a figure drawn by code, in two poses with two expressions; characters that training never drew;
* bent: a drawing, and the same with parts of it moved, turned and cut out; icons are left out;
* turned: two drawings of a character from the shards of ``--more``, of a source that is kept from training;
* story: two pictures of one story.

For each kind: mean ΔE00 to the truth of blank paper, of no sheet, of the sheet as the painting network
alone looks at it, and as it is matched; the share of pairs that matching brings nearer; how much of what
is seen of the page is within ΔE00 12. Means over groups, and 95 % intervals by resampling groups. A sheet
*holds the colours* when 80 % of what is drawn on the page, in squares of 1/48, have one of them within a
distance of 12 in Lab.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sketchcolor_cli.color.spaces import rgb_to_lab
from sketchcolor_cli.coloring.colorizer import Colorizer
from sketchcolor_cli.data.pictures import to_unit
from sketchcolor_cli.data.shards import ShardSet
from sketchcolor_cli.environment import model_file
from sketchcolor_cli.evaluation.models.bootstrap import interval
from sketchcolor_cli.imaging.picture import Picture, to_tensor
from sketchcolor_cli.imaging.resize import shrink_to
from sketchcolor_cli.imaging.writing import write_picture
from sketchcolor_cli.jobs.sketches import array_sketcher
from sketchcolor_cli.metrics.pictures import delta_e00
from sketchcolor_cli.networks.base import ColorNet
from sketchcolor_cli.networks.checkpoint import load_model
from sketchcolor_cli.networks.loading import load_matcher
from sketchcolor_cli.training.loop.data import SetDrawings, readable
from sketchcolor_cli.training.pairs.figures import draw_pair
from sketchcolor_cli.training.pairs.pairs import Drawing, find_kin
from sketchcolor_cli.training.pairs.views import ViewRecipe, draw_map, see

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float32]

WAYS = ("blank", "none", "attention", "matched")
ICONS = {"mulberry_symbols_pairs", "openmoji_pairs", "streamline_emojis"}
KEPT = "morevna_characters"
NO_STORY = {"wesnoth_portraits"}
FIGURES = 48
SIDE = 384  # of bent pages, in pixels
BENT = ViewRecipe(parts=4, cropped=0.3)
SHOWN = 160  # pixels of a picture on the contact sheet


@dataclass(frozen=True, eq=False)
class Case:
    """A page (H, W), its truth (H, W, 3), and a sheet (h, w, 3); all in [0, 1]."""

    kind: str
    group: str
    page: Array
    truth: Array
    sheet: Array


def cases(drawings: Sequence[Drawing], more: Sequence[Drawing], limit: int, seed: int) -> Iterator[Case]:
    """Give at most so many pairs of each kind."""
    sketch = array_sketcher("xdog", "cpu")

    def case(kind: str, group: str, page: Drawing, sheet: Drawing) -> Case:
        truth = to_unit(page.color)
        line = sketch(truth) if page.line is None else to_unit(page.line)
        return Case(kind, group, line, truth, to_unit(sheet.color))

    for number in range(min(limit, FIGURES)):
        first, second = draw_pair(np.random.default_rng([seed, number]))
        yield case("drawn", f"figure {number}", first, second)
    plain = [drawing for drawing in drawings if drawing.source not in ICONS]
    for number, drawing in enumerate(plain[:: -(-len(plain) // limit)]):
        rng = np.random.default_rng([seed, 1, number])
        view = see(drawing, draw_map(rng, drawing, SIDE, BENT))
        line = None if view.line is None else as_bytes(view.line)
        bent = Drawing(drawing.key, as_bytes(view.color), line)
        yield case("bent", drawing.group or drawing.key, bent, drawing)
    for kind, given in (("turned", more), ("story", drawings)):
        kin = find_kin("" if drawing.source in NO_STORY else drawing.group for drawing in given)
        pairs = [(a, b) for members in kin.values() for a in members for b in members if a != b]
        chosen = np.random.default_rng([seed, 2]).permutation(len(pairs))[:limit]
        for first, second in (pairs[number] for number in sorted(chosen.tolist())):
            yield case(kind, given[first].group, given[first], given[second])


def as_bytes(unit: Array) -> NDArray[np.uint8]:
    return np.rint(unit * 255).astype(np.uint8)


def holds(case: Case) -> bool:
    """Return whether the sheet holds the colours of the page."""
    small = (cv2.resize(rgb, (48, 48), interpolation=cv2.INTER_AREA) for rgb in (case.truth, case.sheet))
    page, sheet = (cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB).reshape(-1, 3) for rgb in small)
    drawn = (page[:, 0] <= 96) | (np.hypot(page[:, 1], page[:, 2]) >= 4)
    near = np.linalg.norm(page[:, None] - sheet[None], axis=2).min(1) < 12
    return bool(near[drawn].mean() >= 0.8) if drawn.any() else True


class Bench:
    """The default model, and the matcher."""

    def __init__(self, matcher: Path | None) -> None:
        self.network, _ = load_model(model_file("default"), ColorNet)
        self.matcher = load_matcher(matcher)

    def results(self, case: Case) -> dict[str, Array]:
        """Return the page coloured in each way."""
        page = Picture(np.repeat(case.page[..., None], 3, axis=2), gray=True)
        sheets = [Picture(case.sheet)]
        none, attention, matched = (
            Colorizer(self.network, "cpu", **how)(page).rgb
            for how in ({}, {"sheets": sheets}, {"sheets": sheets, "matcher": self.matcher})
        )
        return dict(zip(WAYS, (page.rgb, none, attention, matched), strict=True))


def difference(first: Array, second: Array) -> Array:
    """Return the ΔE00 of each pixel."""
    found: Array = delta_e00(*(rgb_to_lab(to_tensor(picture)) for picture in (first, second)))[0].numpy()
    return found


def tell(kind: str, rows: Sequence[dict[str, float | str]]) -> None:
    """Print the figures of a kind of pairs."""
    groups = defaultdict(list)
    for row in rows:
        groups[row["group"]].append([float(row[name]) for name in (*WAYS, "within")])
    means = np.array([np.mean(group, axis=0) for group in groups.values()])
    figures = dict(zip((*WAYS, "within"), means.T, strict=True))
    print(f"\n{kind}: {len(rows)} pairs of {len(groups)} groups")
    print("  ΔE00 " + ", ".join(f"{way} {figures[way].mean():.2f}" for way in WAYS))
    print(f"  within ΔE00 12: {figures['within'].mean():.0%} of what is seen")
    for way in WAYS[:-1]:
        less = interval(figures["matched"] - figures[way], resamples=2000, seed=0)
        nearer = np.mean([float(row["matched"]) < float(row[way]) for row in rows])
        apart = f"{less.mean:+.2f} ({less.low:+.2f} … {less.high:+.2f})"
        print(f"  matched less {way}: {apart}; nearer on {nearer:.0%}")


def strip(case: Case, results: dict[str, Array]) -> Array:
    """Return a row of a contact sheet: lines, sheet, none, attention, matched, truth."""
    return strip_of([results["blank"], case.sheet, *(results[way] for way in WAYS[1:]), case.truth])


def strip_of(shown: Sequence[Array]) -> Array:
    """Return pictures side by side, small."""
    out = np.full((SHOWN, SHOWN * len(shown), 3), 0.8, np.float32)
    for number, picture in enumerate(shown):
        small = shrink_to(picture, SHOWN)
        height, width = small.shape[:2]
        out[:height, number * SHOWN : number * SHOWN + width] = small
    return out


def half_of(name: str) -> set[str]:
    """Return the groups of one half of the validation shard."""
    text = (Path(__file__).parent / "validation_halves.txt").read_text(encoding="utf-8")
    _, _, after = text.partition(f"[{name}]\n")
    return set(after.partition("\n\n")[0].splitlines())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("validation", type=Path)
    parser.add_argument("--more", type=Path, nargs="*", default=[])
    parser.add_argument("--half", choices=("tune", "report"), default="report")
    parser.add_argument("--limit", type=int, default=48, help="pairs of each kind")
    parser.add_argument("--matcher", type=Path, help="file of another matcher than the bundled one")
    parser.add_argument("-o", "--output", type=Path, help="folder for contact sheets and figures")
    options = parser.parse_args()
    half = half_of(options.half)
    found = readable(SetDrawings(ShardSet([options.validation]), 352))
    drawings = [drawing for drawing in found if (drawing.group or drawing.key) in half]
    kept = readable(SetDrawings(ShardSet(options.more), 352)) if options.more else ()
    more = [drawing for drawing in kept if drawing.source == KEPT]
    bench, rows, strips = Bench(options.matcher), defaultdict(list), defaultdict(list)
    for case in cases(drawings, more, options.limit, seed=1 if options.half == "tune" else 2):
        results = bench.results(case)
        errors = {way: difference(result, case.truth) for way, result in results.items()}
        row: dict[str, float | str] = {"group": case.group, "holds": float(holds(case))}
        row |= {way: float(error.mean()) for way, error in errors.items()}
        seen = case.page > 0.5
        row["within"] = float((errors["matched"][seen] < 12).mean()) if seen.any() else 1.0
        rows[case.kind].append(row)
        strips[case.kind].append(strip(case, results))
    for kind, found_rows in rows.items():
        tell(kind, found_rows)
        held = [row for row in found_rows if row["holds"]]
        if 0 < len(held) < len(found_rows):
            tell(f"{kind}, the sheet holds the colours", held)
            tell(f"{kind}, it does not", [row for row in found_rows if not row["holds"]])
    if options.output is not None:
        options.output.mkdir(parents=True, exist_ok=True)
        (options.output / "pairs.json").write_text(json.dumps(rows, indent=1), encoding="utf-8")
        for kind, pictures in strips.items():
            write_picture(options.output / f"{kind}.png", Picture(np.concatenate(pictures)))


if __name__ == "__main__":
    main()
