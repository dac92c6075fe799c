"""Score extractors by how well they find the lines that an artist drew.

    python tools/score_lines.py SHARDS_FOLDER --method xdog --method xdog:sigma=0.8,tau=0.9
    python tools/score_lines.py SHARDS_FOLDER --tune xdog

For each held-out coloured picture of which the line drawing is known (``val-*.tar``), ink of the sketch and
ink of the line drawing, both darker than mid-grey, are compared. Precision is the share of the sketch's ink
that lies within 2 pixels of the artist's, recall the share of the artist's that lies within 2 pixels of the
sketch's; the F-score is their harmonic mean. The table has the means over pictures, and the share of sketch
pixels that are neither ink nor paper, which is how soft the lines are. Each further method is compared with
the first, picture by picture.

With ``--tune`` random settings of a method are tried on training pairs instead, and the best is shown.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from train_linework import line_score

from sketchcolor_cli.data.pictures import to_unit
from sketchcolor_cli.data.shards import ShardSet
from sketchcolor_cli.extraction.drawer import sketch
from sketchcolor_cli.extraction.loader import Loader
from sketchcolor_cli.plugin.discovery import find_extractors
from sketchcolor_cli.training.loop.data import SetDrawings, readable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from sketchcolor_cli.training.pairs.pairs import Drawing


INK = 0.5  # darker is ink
# Drawn by an artist as a line version of the picture; all others are exact, from the same vector file.
BY_ARTIST = {"african_storybook_pairs", "openclipart_pairs", "openmoji_pairs"}
TRIES, TUNED_ON = 40, 40  # settings and pictures in tuning
# What tuning tries, from and to; widths and steepness on a logarithmic scale.
RANGES = {
    "sigma": (0.3, 1.6),
    "k": (1.3, 6.0),
    "tau": (0.7, 0.995),
    "epsilon": (-0.1, 0.06),
    "phi": (5.0, 1e3),
}


def score(draw: Callable[[torch.Tensor], torch.Tensor], drawings: Sequence[Drawing]) -> NDArray[np.float64]:
    """Return F-score, precision, recall and softness for each drawing."""
    rows = []
    for drawing in drawings:
        assert drawing.line is not None
        rgb = torch.from_numpy(to_unit(drawing.color).transpose(2, 0, 1)[None])
        drawn = draw(rgb)[0, 0].numpy()
        soft = float(((drawn > 0.1) & (drawn < 0.9)).mean())
        rows.append((*line_score(drawn < INK, drawing.line < 255 * INK), soft))
    return np.array(rows)


def bootstrap(gains: NDArray[np.float64]) -> tuple[float, float]:
    """Return the interval in which the mean lies with 95 %, by drawing pictures again 10 000 times."""
    rng = np.random.default_rng(0)
    means = gains[rng.integers(len(gains), size=(10_000, len(gains)))].mean(1)
    low, high = np.percentile(means, (2.5, 97.5))
    return float(low), float(high)


def drawer(method: str) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return what draws by a method, written as NAME or NAME:PARAMETER=VALUE,PARAMETER=VALUE."""
    name, _, settings = method.partition(":")
    extractors = find_extractors()
    sketcher = Loader(extractors).load(name, [setting for setting in settings.split(",") if setting]).sketcher
    rule = extractors.get(name).size
    return lambda rgb: sketch(sketcher, rule, rgb)


def tune(name: str, drawings: Sequence[Drawing]) -> None:
    """Try random settings; print the best so far whenever there is one."""
    rng = np.random.default_rng(0)
    best = -1.0
    chosen = [drawings[index] for index in rng.permutation(len(drawings))[:TUNED_ON]]
    for number in range(TRIES):
        values: dict[str, Any] = {}
        for parameter, (low, high) in RANGES.items():
            value = rng.uniform(np.log(low), np.log(high)) if low > 0 else rng.uniform(low, high)
            values[parameter] = float(np.exp(value) if low > 0 else value)
        settings = ",".join(f"{parameter}={value:.4g}" for parameter, value in values.items())
        reached = score(drawer(f"{name}:{settings}"), chosen)[:, 0].mean()
        if reached > best:
            best = float(reached)
            print(f"try {number}: F {best:.3f}  {name}:{settings}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with val-*.tar, for tuning train-*.tar")
    parser.add_argument("--method", action="append", default=[], help="NAME or NAME:PARAMETER=VALUE,…")
    parser.add_argument("--tune", metavar="NAME", help="try settings of this method on training pairs")
    options = parser.parse_args()
    split = "train" if options.tune else "val"
    found = readable(SetDrawings(ShardSet(sorted(options.data.glob(f"{split}-*.tar"))), 352))
    drawings = [drawing for drawing in found if drawing.line is not None]
    if options.tune:
        tune(options.tune, [drawing for drawing in drawings if drawing.source in BY_ARTIST])
        return
    kinds = {
        "artist": np.array([drawing.source in BY_ARTIST for drawing in drawings]),
        "of them books": np.array([drawing.source == "african_storybook_pairs" for drawing in drawings]),
        "derived": np.array([drawing.source not in BY_ARTIST for drawing in drawings]),
    }
    print(", ".join(f"{name}: {int(mask.sum())} pictures" for name, mask in kinds.items()))
    print("method | " + " | ".join(f"{name}: F, precision, recall" for name in kinds) + " | soft")
    first: NDArray[np.float64] | None = None
    for method in options.method:
        rows = score(drawer(method), drawings)
        cells = [" ".join(f"{value:.3f}" for value in rows[mask, :3].mean(0)) for mask in kinds.values()]
        print(f"{method} | " + " | ".join(cells) + f" | {100 * rows[:, 3].mean():.1f} %", flush=True)
        if first is None:
            first = rows
            continue
        for name, mask in kinds.items():
            gain = (rows - first)[mask, 0]
            low, high = bootstrap(gain)
            won = (gain > 0).mean()
            print(
                f"    {name}: F {gain.mean():+.3f} against {options.method[0]}, 95 % interval "
                f"{low:+.3f} to {high:+.3f}, better on {100 * won:.0f} % of pictures"
            )


if __name__ == "__main__":
    main()
