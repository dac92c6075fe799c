"""Draw the picture in the matcher's card: characters drawn by code, each page coloured from another drawing.

    python tools/matcher_sheet.py [PICTURE] [--seeds 1,2,3,5]

From left: the sheet, the page, the page without the sheet, the page with it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from sketchcolor_cli.coloring.arrays import ArrayColorizer
from sketchcolor_cli.data.pictures import to_unit
from sketchcolor_cli.environment import model_file
from sketchcolor_cli.imaging.picture import Picture
from sketchcolor_cli.imaging.settings import Saving
from sketchcolor_cli.imaging.writing import write_picture
from sketchcolor_cli.networks.base import ColorNet
from sketchcolor_cli.networks.checkpoint import load_model
from sketchcolor_cli.networks.registry import BUNDLED
from sketchcolor_cli.training.pairs.figures import draw_pair

SCALE = 2 / 3  # of the drawings in the picture


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("picture", type=Path, nargs="?", default=BUNDLED / "matcher/matcher.webp")
    parser.add_argument("--seeds", default="1,2,3,5", help="of the characters, one to a row")
    options = parser.parse_args()
    color = ArrayColorizer(load_model(model_file("default"), ColorNet)[0])
    rows = []
    for seed in options.seeds.split(","):
        drawn, other = draw_pair(np.random.default_rng([2, int(seed)]))
        if drawn.line is None:
            raise SystemExit("a figure has no lines")
        sheet, page = to_unit(other.color), to_unit(drawn.line)
        lines = np.repeat(page[..., None], 3, axis=2)
        rows.append(np.concatenate([sheet, lines, color(page), color(page, sheet=sheet)], 1))
    sheet = cv2.resize(np.concatenate(rows), None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_AREA)
    write_picture(options.picture, Picture(sheet), Saving(quality=80))


if __name__ == "__main__":
    main()
