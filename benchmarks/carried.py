"""How far the colours of a figure move over a book in which each page is a sheet for those after it.

    python benchmarks/carried.py [--books 4] [--pages 8] [--last 2] [-o FOLDER]

Figures drawn by code, the first page in colour and the others as lines, coloured as `colorize --carry`
does. A swatch is a colour of the figure; on a page it is the mean of the result where the truth has it. For
each swatch: how far it is on a page from its mean over the pages, in ΔE00, on average and where it is
farthest, and how far from the truth.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from sketchcolor_cli.color.spaces import rgb_to_lab
from sketchcolor_cli.coloring.colorizer import Colorizer, Sheet
from sketchcolor_cli.coloring.settings import ColorizeSettings, Protect
from sketchcolor_cli.data.pictures import to_unit
from sketchcolor_cli.environment import model_file
from sketchcolor_cli.imaging.picture import Picture
from sketchcolor_cli.imaging.writing import write_picture
from sketchcolor_cli.jobs import carrying
from sketchcolor_cli.metrics.pictures import delta_e00
from sketchcolor_cli.networks.base import ColorNet
from sketchcolor_cli.networks.checkpoint import load_model
from sketchcolor_cli.networks.loading import load_matcher
from sketchcolor_cli.training.pairs import figures

if TYPE_CHECKING:
    from sketchcolor_cli.training.pairs.pairs import Drawing

Array = np.ndarray
Row = tuple[str, int, float, float, float]
NEAR = 3  # difference in 8 bits up to which a pixel has a swatch
PART = 0.002  # of a page that a swatch must have to be on it


def draw_book(seed: int, pages: int) -> tuple[figures.Character, list[Drawing]]:
    """Return a character and drawings of it by one hand."""
    rng = np.random.default_rng([3, seed])
    character = figures.draw_character(rng)
    pen = int(rng.integers(1, 4))
    poses = [figures.draw_pose(rng) for _ in range(pages)]
    views = [figures.draw_view(rng, character, pose) for pose in poses]
    return character, [
        figures.draw(character, pose, view, pen, 0.0) for pose, view in zip(poses, views, strict=True)
    ]


def colored(color: Colorizer, pages: list[Drawing], last: int) -> list[Array]:
    """Return the pages, (H, W, 3) in [0, 1]: the first as drawn, the others by their lines."""
    done = [to_unit(pages[0].color)]
    sheets: list[Sheet] = [color.sheet_of(Picture(done[0]))]
    for page in pages[1:]:
        assert page.line is not None
        gray = np.repeat(to_unit(page.line)[..., None], 3, axis=2)
        shown = [sheets[0], *(sheets[1:][-last:] if last else [])]
        done.append(color.with_sheets(shown)(Picture(gray, gray=True)).rgb)
        sheets.append(color.sheet_of(Picture(done[-1])))
    return done


def apart(first: Array, second: Array) -> float:
    """Return ΔE00 of two colours, RGB in [0, 1]."""
    lab = (
        rgb_to_lab(torch.tensor(color, dtype=torch.float32)[None, :, None, None]) for color in (first, second)
    )
    return float(delta_e00(*lab)[0])


def swatches(character: figures.Character, pages: list[Drawing], done: list[Array]) -> list[Row]:
    """Return of each swatch its name, on how many pages it is, mean and largest drift, and mean error."""
    found, seen = [], set()
    for name, rgb in character.colors.items():
        if rgb in seen:
            continue
        seen.add(rgb)
        means = []
        for page, result in zip(pages, done, strict=True):
            own = np.abs(page.color.astype(int) - rgb).max(2) <= NEAR
            if own.mean() >= PART:
                means.append(result[own].mean(0))
        if len(means) < 2:
            continue
        middle = np.mean(means, axis=0)
        drift = [apart(mean, middle) for mean in means]
        error = [apart(mean, np.array(rgb) / 255) for mean in means]
        found.append((name, len(means), float(np.mean(drift)), max(drift), float(np.mean(error))))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--books", type=int, default=4)
    parser.add_argument("--pages", type=int, default=8)
    parser.add_argument("--last", type=int, default=carrying._LAST, help="pages before one that are sheets")
    parser.add_argument("-o", "--output", type=Path, help="folder for contact sheets")
    options = parser.parse_args()
    network, _ = load_model(model_file("default"), ColorNet)
    # No page has bubbles, and a white shirt with buttons would now and then be taken for one.
    color = Colorizer(network, "cpu", ColorizeSettings(protect=Protect.NONE), matcher=load_matcher())
    every = []
    for seed in range(options.books):
        character, pages = draw_book(seed, options.pages)
        done = colored(color, pages, options.last)
        rows = swatches(character, pages, done)
        every += rows
        for name, count, mean, worst, error in rows:
            figures_of = f"drift {mean:5.2f}, at most {worst:5.2f}; off {error:5.2f}"
            print(f"book {seed} {name:8} on {count} pages: {figures_of}")
        if options.output is not None:
            options.output.mkdir(parents=True, exist_ok=True)
            truth = [to_unit(page.color) for page in pages]
            strip = np.concatenate([np.concatenate(truth, 1), np.concatenate(done, 1)])
            write_picture(options.output / f"book {seed}.png", Picture(strip[::2, ::2]))
    near = sum(mean <= 3 for _, _, mean, _, _ in every)
    always = sum(worst <= 3 for _, _, _, worst, _ in every)
    drift = np.mean([mean for _, _, mean, _, _ in every])
    off = np.mean([error for *_, error in every])
    print(f"{near} of {len(every)} swatches drift by 3 or less, {always} on every page")
    print(f"mean drift {drift:.2f}, off {off:.2f}")


if __name__ == "__main__":
    main()
