"""How near a page with nothing given comes to the truth: as blank paper, a wash, quiet tones, drawn colours.

    python benchmarks/guesses.py VALIDATION [--half report] [--limit N] [--ways sure,draw,mean]
                                 [--model NAME] [--compare NAME] [--tones] [-o FOLDER]

VALIDATION is a shard that nothing was trained on; of its groups, those of one half in validation_halves.txt
are taken. Pictures without a line drawing are drawn by Linework. For each way, over groups: error in a*b*
and ΔE00 to the truth, and differences to blank paper and to drawn colours with 95 % intervals by resampling
groups. With --compare the ways of a second model stand beside them, as "old sure". With --tones pages are
shaded in three greys, as comics are, and there is a further way, "rough": with a blurred colouring. With -o
also a row for each picture: its lines, a wash, each way, the truth.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from sheets import difference, half_of, strip_of

from sketchcolor_cli.color.spaces import rgb_to_lab
from sketchcolor_cli.coloring.colorizer import Colorizer
from sketchcolor_cli.coloring.settings import ColoredPages, ColorizeSettings, Guess
from sketchcolor_cli.data.pictures import to_unit
from sketchcolor_cli.data.shards import ShardSet
from sketchcolor_cli.environment import model_file
from sketchcolor_cli.evaluation.models.bootstrap import interval
from sketchcolor_cli.imaging.picture import Picture, to_tensor
from sketchcolor_cli.imaging.writing import write_picture
from sketchcolor_cli.jobs.sketches import array_sketcher
from sketchcolor_cli.networks.base import ColorNet
from sketchcolor_cli.networks.checkpoint import load_model
from sketchcolor_cli.training.loop.data import SetDrawings, readable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float32]

CREAM = to_unit(np.array([255, 244, 224], np.uint8))
TONES = (0.35, 0.45), (0.65, 0.7), (0.85, 0.87)
"""How light a place is at most, and the grey that it gets then."""
ROUGH = 6  # pixels of blur
COLORS = ColorizeSettings(colored_pages=ColoredPages.REDO)


def results(
    networks: dict[str, ColorNet], page: Array, ways: Sequence[Guess], rough: Picture | None
) -> dict[str, Array]:
    """Return a page (H, W) without colour, washed, and coloured by each network in each way.

    With a ``rough`` colouring it is coloured from that, too.
    """
    shown = Picture(np.repeat(page[..., None], 3, axis=2), gray=True)
    out: dict[str, Array] = {"blank": shown.rgb, "wash": shown.rgb * CREAM}
    for name, network in networks.items():
        for way in ways:
            color = Colorizer(network, "cpu", replace(COLORS, guess=way))
            out[f"{name}{way.value}"] = color(shown).rgb
        if rough is not None:
            out[f"{name}rough"] = Colorizer(network, "cpu", COLORS)(shown, rough).rgb
    return out


def shaded(page: Array, truth: Array) -> Array:
    """Return a page (H, W) under grey tones, the darker the truth (H, W, 3) is."""
    light = cv2.cvtColor(truth, cv2.COLOR_RGB2GRAY)
    light = to_unit(cv2.medianBlur(np.rint(255 * light).astype(np.uint8), 9))
    tones = np.select([light < dark for dark, _ in TONES], [tone for _, tone in TONES], 1)
    return page * tones.astype(np.float32)


def errors(result: Array, truth: Array) -> tuple[float, float]:
    """Return the mean error in a*b*, and the mean ΔE00."""
    apart = rgb_to_lab(to_tensor(result)) - rgb_to_lab(to_tensor(truth))
    return float(apart[:, 1:].norm(dim=1).mean()), float(difference(result, truth).mean())


def tell(rows: dict[str, dict[str, list[tuple[float, float]]]]) -> None:
    """Print the figures, of ways by groups."""
    means = {way: np.array([np.mean(figures, axis=0) for figures in rows[way].values()]) for way in rows}
    for way, own in means.items():
        print(f"{way:9} error in a*b* {own[:, 0].mean():6.2f}   ΔE00 {own[:, 1].mean():6.2f}")
    for way in [name for name in means if name not in ("blank", "wash", "draw")]:
        for other in ("blank", "draw", f"old {way}"):
            if other not in means:
                continue
            differences = []
            for name, column in (("a*b*", 0), ("ΔE00", 1)):
                less = interval((means[way] - means[other])[:, column], resamples=2000, seed=0)
                usual = means[other][:, column].mean() / 100
                ends = f"{less.low / usual:+.1f} … {less.high / usual:+.1f}"
                differences.append(f"{name} {less.mean / usual:+.1f} % ({ends})")
            print(f"{way} less {other}: {', '.join(differences)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("validation", type=Path)
    parser.add_argument("--half", choices=("tune", "report"), default="report")
    parser.add_argument("--limit", type=int, default=10_000, help="pictures, evenly spread")
    parser.add_argument("--ways", default="sure,draw", help="of --guess")
    parser.add_argument("--model", default="default")
    parser.add_argument("--compare", help="a second model")
    parser.add_argument("--tones", action="store_true", help="shade the pages in grey")
    parser.add_argument("-o", "--output", type=Path, help="folder for rows of pictures")
    options = parser.parse_args()
    half, sketch = half_of(options.half), array_sketcher("linework", "cpu")
    found = readable(SetDrawings(ShardSet([options.validation]), 352))
    drawings = [drawing for drawing in found if (drawing.group or drawing.key) in half]
    drawings = drawings[:: -(-len(drawings) // options.limit)]
    models = {"": options.model, "old ": options.compare}
    networks = {name: load_model(model_file(model), ColorNet)[0] for name, model in models.items() if model}
    rows: dict[str, dict[str, list[tuple[float, float]]]] = defaultdict(lambda: defaultdict(list))
    for drawing in drawings:
        truth = to_unit(drawing.color)
        page = sketch(truth) if drawing.line is None else to_unit(drawing.line)
        rough = None
        if options.tones:
            page, rough = shaded(page, truth), Picture(cv2.GaussianBlur(truth, (0, 0), ROUGH))
        pages = results(networks, page, [Guess(way) for way in options.ways.split(",")], rough)
        for way, result in pages.items():
            rows[way][drawing.group or drawing.key].append(errors(result, truth))
        if options.output is not None:
            options.output.mkdir(parents=True, exist_ok=True)
            write_picture(options.output / f"{drawing.key}.png", Picture(strip_of([*pages.values(), truth])))
    print(f"{len(drawings)} pictures in {len(rows['blank'])} groups")
    tell(rows)


if __name__ == "__main__":
    main()
