"""Which output space paints more colourfully? The thesis's network in each, on the same pictures and seeds.

    python benchmarks/spaces.py DATA RUNS_FOLDER [--seeds 3] [--config run.toml] [--spaces hxhysv,xyv,rgb,lab]

Each run is the pixel stage of `sketchcolor train --output-space SPACE`; its held-out pictures are the same
for all spaces of a seed. On them are measured: PSNR, colourfulness (Hasler & Süsstrunk 2003) of the results
over that of the truths, and the mean saturation over that of the truths; means over the seeds with the
standard deviation. A run that is there already is not done again, so that the table can grow.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import mean, stdev

import cv2
import numpy as np
import torch

from sketchcolor_cli.cli.train import configure_run
from sketchcolor_cli.color import rgb_to_hsv
from sketchcolor_cli.measures import colorfulness, psnr
from sketchcolor_cli.model.base import ColorNet
from sketchcolor_cli.model.checkpoint import load_model
from sketchcolor_cli.training import presets
from sketchcolor_cli.training.data import EpochBatches, loader, split
from sketchcolor_cli.training.opening import open_drawings
from sketchcolor_cli.training.results import result_rgb
from sketchcolor_cli.training.run import train


def lines_of(rgb: np.ndarray) -> np.ndarray:
    """Draw lines with nothing that must be fetched: a difference of Gaussians of the grey picture."""
    grey = rgb.mean(2)
    drop = cv2.GaussianBlur(grey, (0, 0), 2) - cv2.GaussianBlur(grey, (0, 0), 0.6)
    return 1 - np.clip(drop * 12, 0, 1).astype(np.float32)


@torch.no_grad()
def figures(data: str, run: Path, config) -> dict[str, float]:
    net, _ = load_model(run / "model.safetensors", ColorNet)
    drawings = open_drawings([data], run, config, lines_of)
    learning, held_out = split(drawings, config.valid_share, config.seed)
    setup = presets.set_up(config, learning, held_out, "cpu")
    order = EpochBatches(len(setup.valid), 16, 0, shuffled=False, sizes=config.size[-1:])
    sums: dict[str, list[torch.Tensor]] = {}
    for sketch, hint, spread, truth, _ in loader(setup.valid, order):
        result = result_rgb(net, net(sketch, hint, spread=spread), sketch)
        for name, values in (
            ("psnr", psnr(result, truth)),
            ("colour", colorfulness(result)), ("colour of truth", colorfulness(truth)),
            ("saturation", rgb_to_hsv(result)[:, 1].mean((1, 2))),
            ("saturation of truth", rgb_to_hsv(truth)[:, 1].mean((1, 2))),
        ):  # fmt: skip
            sums.setdefault(name, []).append(values)
    means = {name: float(torch.cat(values).mean()) for name, values in sums.items()}
    return {
        "PSNR in dB": means["psnr"],
        "colourfulness, share of truth": means["colour"] / means["colour of truth"],
        "saturation, share of truth": means["saturation"] / means["saturation of truth"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("runs", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--config", type=Path)
    parser.add_argument("--spaces", default="hxhysv,xyv,rgb,lab")
    options = parser.parse_args()
    rows = {}
    for space in options.spaces.split(","):
        found = []
        for seed in range(options.seeds):
            config = configure_run(
                options.config, preset="thesis", stages=("pixel",), output_space=space, seed=seed
            )
            run = options.runs / f"{space}-{seed}"
            if not (run / "model.safetensors").exists():
                train(
                    [options.data], run, config, device="cpu", resume=(run / "checkpoint.pt").exists(),
                    sketch=lines_of, report=lambda _: None, stop=lambda: False,
                )  # fmt: skip
            found.append(figures(options.data, run, config))
            print(space, seed, {name: round(value, 3) for name, value in found[-1].items()}, flush=True)
        rows[space] = found
    names = list(next(iter(rows.values()))[0])
    print(f"\n| output space | {' | '.join(names)} |\n|---|{'---|' * len(names)}")
    for space, found in rows.items():
        cells = []
        for name in names:
            values = [each[name] for each in found]
            spread = f" ± {stdev(values):.2f}" if len(values) > 1 else ""
            cells.append(f"{mean(values):.2f}{spread}")
        print(f"| {space} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
