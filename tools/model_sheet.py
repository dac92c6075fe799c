"""Draw the contact sheet of the model card from the example pages.

    python tools/model_sheet.py [MODEL] [PICTURE]

A row for each page: the page, what the model makes of it alone, the rough reference, what it makes of both.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

from sketchcolor_cli.coloring.colorizer import Colorizer
from sketchcolor_cli.environment import model_file
from sketchcolor_cli.imaging.picture import Picture
from sketchcolor_cli.imaging.reading import read_picture
from sketchcolor_cli.imaging.settings import Saving
from sketchcolor_cli.imaging.writing import write_picture
from sketchcolor_cli.networks.base import ColorNet
from sketchcolor_cli.networks.checkpoint import load_model
from sketchcolor_cli.networks.registry import BUNDLED

EXAMPLES = Path(__file__).parent.parent / "examples"
WIDTH = 460


def main() -> None:
    name = sys.argv[1] if len(sys.argv) > 1 else "default"
    target = Path(sys.argv[2]) if len(sys.argv) > 2 else BUNDLED / "default.webp"
    color = Colorizer(load_model(model_file(name), ColorNet)[0], "cpu")
    rows = []
    for path in sorted((EXAMPLES / "pages").glob("*.png")):
        page, reference = read_picture(path), read_picture(EXAMPLES / "reference" / path.name)
        pictures = [page.rgb, color(page).rgb, reference.rgb, color(page, reference).rgb]
        size = WIDTH, round(WIDTH * page.rgb.shape[0] / page.rgb.shape[1])
        small = [cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for picture in pictures]
        rows.append(np.hstack([np.pad(x, ((6, 6), (6, 6), (0, 0)), constant_values=1) for x in small]))
    write_picture(target, Picture(np.vstack(rows)), Saving(quality=80))


if __name__ == "__main__":
    main()
