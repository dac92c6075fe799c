"""What a model learns of a book from one coloured page, and how it then paints the others.

    python benchmarks/finetune.py DATA GROUP [--lr X …] [--runs FOLDER]

DATA are shards with lines by the artist, of which GROUP is one book. The first picture of it is learnt by
``sketchcolor train --finetune`` from the default model, once for each learning rate; all others are painted
from their lines alone, as ``--guess mean`` does, and by the default model as it is both ways. Means over
these pictures. ``--runs`` keeps the models; those that are there are not trained again.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from sketchcolor_cli.coloring.arrays import ArrayColorizer
from sketchcolor_cli.coloring.settings import ColorizeSettings, Guess
from sketchcolor_cli.data.opening import open_pictures
from sketchcolor_cli.environment import model_file
from sketchcolor_cli.evaluation.models.samples import Sample, Samples
from sketchcolor_cli.imaging.picture import Picture, to_tensor
from sketchcolor_cli.imaging.writing import write_picture
from sketchcolor_cli.metrics.pictures import colorfulness, delta_e, psnr
from sketchcolor_cli.networks.base import ColorNet
from sketchcolor_cli.networks.checkpoint import load_model

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray


def no_lines(_: NDArray[np.float32]) -> NDArray[np.float32]:
    raise SystemExit("the pictures have no lines by their artist")


def learn(page: Path, run: Path, rate: str) -> Path:
    """Return the file of a model that has learnt a page."""
    file = run / "model.safetensors"
    if not file.exists():
        words = [sys.executable, "-m", "sketchcolor_cli", "train", str(page), "-o", str(run), "--lr", rate]
        subprocess.run([*words, "--from", "default", "--finetune"], check=True)
    return file


def tell(name: str, model: str, guess: Guess, others: Sequence[Sample]) -> None:
    """Print how near a model comes to the colours of the other pages."""
    color = ArrayColorizer(load_model(model_file(model), ColorNet)[0], settings=ColorizeSettings(guess=guess))
    totals = [0.0] * 4
    for sample in others:
        result, truth = to_tensor(color(sample.sketch)), to_tensor(sample.truth)
        figures = (
            delta_e(result, truth).mean(),
            psnr(result, truth),
            colorfulness(result),
            colorfulness(truth),
        )
        totals = [total + float(figure) for total, figure in zip(totals, figures, strict=True)]
    off, ratio, ours, theirs = (total / len(others) for total in totals)
    print(f"| {name} | {off:.1f} | {ratio:.1f} dB | {ours / theirs:.2f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("group")
    parser.add_argument("--lr", nargs="+", default=["2e-4", "1e-3", "3e-3"])
    parser.add_argument("--runs", type=Path)
    options = parser.parse_args()
    samples = Samples(open_pictures([str(options.data)]), no_lines, 512)
    book = [number for number, group in enumerate(samples.groups) if group == options.group]
    if len(book) < 2:
        raise SystemExit(
            f"{options.data}: {len(book)} pictures of the group {options.group}; at least two are needed"
        )
    first, *others = (samples.load(number) for number in sorted(book, key=lambda n: samples.keys[n]))
    print(f"{first.key}, and {len(others)} other pages: ΔE00, PSNR, colourfulness as a share of the truth")
    tell("default, nothing drawn", "default", Guess.MEAN, others)
    tell("default, colours drawn", "default", Guess.DRAW, others)
    with tempfile.TemporaryDirectory() as scratch:
        page = Path(scratch) / "page.png"
        write_picture(page, Picture(first.truth))
        runs = options.runs or Path(scratch)
        for rate in options.lr:
            tell(f"lr {rate}", str(learn(page, runs / f"{options.group}-{rate}", rate)), Guess.MEAN, others)


if __name__ == "__main__":
    main()
