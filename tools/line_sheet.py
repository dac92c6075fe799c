"""Draw pictures by several methods side by side: a row per picture, first the picture itself.

python tools/line_sheet.py sheet.png examples/colored/*.png --method xdog --method xdog:sigma=0.8
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from score_lines import drawer

from sketchcolor_cli.imaging.picture import Picture, on_paper, to_tensor
from sketchcolor_cli.imaging.reading import read_picture
from sketchcolor_cli.imaging.resize import shrink_to, shrink_to_width
from sketchcolor_cli.imaging.writing import write_picture


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sheet", type=Path, help="picture to write")
    parser.add_argument("pictures", nargs="+", type=Path)
    parser.add_argument("--method", action="append", default=[], help="NAME or NAME:PARAMETER=VALUE,…")
    parser.add_argument(
        "--width", type=int, default=420, help="of a column, in pixels; larger is scaled down"
    )
    parser.add_argument("--most", type=int, default=1200, help="longest side in pixels before drawing")
    options = parser.parse_args()
    draws = [drawer(method) for method in options.method]
    rows = []
    for path in options.pictures:
        rgb = on_paper(read_picture(path))
        rgb = shrink_to(rgb, options.most)
        sketches = [draw(to_tensor(rgb))[0, 0].numpy() for draw in draws]
        columns = [rgb, *(np.repeat(sketch[..., None], 3, 2) for sketch in sketches)]
        rows.append(
            np.concatenate(
                [framed(shrink_to_width(column, options.width), options.width) for column in columns], 1
            )
        )
    write_picture(options.sheet, Picture(np.concatenate(rows).clip(0, 1)))


def framed(rgb: np.ndarray, width: int) -> np.ndarray:
    """Return the picture in the middle of a column, with a little room around."""
    left = (width - rgb.shape[1]) // 2 + 4
    right = width + 8 - left - rgb.shape[1]
    return np.pad(rgb, ((4, 4), (left, right), (0, 0)), constant_values=0.8)


if __name__ == "__main__":
    main()
