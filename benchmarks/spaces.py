"""Which output space paints more colourfully? The thesis's network in each, on the same pictures and seeds.

    python benchmarks/spaces.py DATA RUNS_FOLDER [--valid VAL] [--seeds 3] [--config run.toml]
        [--spaces hxhysv,xyv,rgb,lab]

Each run is the pixel stage of `sketchcolor train --output-space SPACE`. On the pictures of VAL, else on those
that the run held out, the same for all spaces of a seed, are measured: PSNR; colourfulness (Hasler &
Süsstrunk 2003) and mean saturation of the results over those of the truths; and the mean distance of the
colours, ΔE00. The references are the truths themselves, as the thesis trains, and once more plain white,
where a network has only the sketch to go by. The table has means over the seeds with 95 % intervals
(Student's t), and each space less the first of the list, seed by seed, with the interval of that difference.
The first pictures go into RUNS_FOLDER/sheet-SEED.png: sketches, truths, and of each space results with
reference and without. Seeds take turns before spaces do, so that a table of what is finished is there early.
A run that is there already is not done again, and one that was stopped is resumed.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from statistics import mean, stdev
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from scipy.stats import t as student

from sketchcolor_cli.color.spaces import rgb_to_hsv
from sketchcolor_cli.imaging.picture import Picture, to_array
from sketchcolor_cli.imaging.writing import write_picture
from sketchcolor_cli.jobs.train import TrainRequest
from sketchcolor_cli.metrics.pictures import colorfulness, delta_e, psnr
from sketchcolor_cli.networks.base import ColorNet
from sketchcolor_cli.networks.checkpoint import load_model
from sketchcolor_cli.training import presets
from sketchcolor_cli.training.loop.data import EpochBatches, loader
from sketchcolor_cli.training.material import open_pictures
from sketchcolor_cli.training.results import result_rgb
from sketchcolor_cli.training.run import Run, train

if TYPE_CHECKING:
    from sketchcolor_cli.training.settings import TrainSettings

SHOWN = 10  # pictures on the sheet


def lines_of(rgb: np.ndarray) -> np.ndarray:
    """Draw lines with nothing that must be fetched: a difference of Gaussians of the grey picture."""
    grey = rgb.mean(2)
    drop = cv2.GaussianBlur(grey, (0, 0), 2) - cv2.GaussianBlur(grey, (0, 0), 0.6)
    return np.asarray(1 - np.clip(drop * 12, 0, 1), np.float32)


def measured_on(
    options: argparse.Namespace, run: Path, config: TrainSettings
) -> list[tuple[torch.Tensor, ...]]:
    """Return batches of sketch, hint, spread, truth of the pictures to measure on."""
    if options.valid:
        config = replace(config, valid=(options.valid,))
    pictures = open_pictures([options.data], run, config, lines_of)  # divided as for training
    setup = presets.set_up(config, pictures.learning, pictures.held_out, "cpu")
    order = EpochBatches(len(setup.valid), 16, 0, shuffled=False, sizes=config.size[-1:])
    return list(loader(setup.valid, order))


@torch.no_grad()
def figures(net: ColorNet, batches: list[tuple[torch.Tensor, ...]]) -> tuple[dict[str, float], torch.Tensor]:
    """Return the figures of a network, and its first results, (2, N, 3, H, W): with reference and without."""
    sums: dict[str, list[torch.Tensor]] = {}
    first = []
    for sketch, hint, spread, truth, _ in batches:
        for given, ending in ((hint, ""), (torch.zeros_like(hint), ", white reference")):
            result = result_rgb(net, net(sketch, given, spread=spread), sketch)
            first.append(result[:SHOWN])
            for name, values in (
                ("PSNR in dB", psnr(result, truth)),
                ("ΔE00", delta_e(result, truth).mean((1, 2))),
                ("colourfulness", torch.stack([colorfulness(result), colorfulness(truth)], 1)),
                ("saturation", torch.stack([saturation(result), saturation(truth)], 1)),
            ):
                sums.setdefault(name + ending, []).append(values)
    means = {name: torch.cat(values).mean(0) for name, values in sums.items()}
    return (
        {name: float(value[0] / value[1] if value.ndim else value) for name, value in means.items()},
        torch.stack(first[:2]),
    )


def saturation(rgb: torch.Tensor) -> torch.Tensor:
    return rgb_to_hsv(rgb)[:, 1].mean((1, 2))


def interval(values: list[float], digits: int = 2) -> str:
    """Return the mean with half of its 95 % interval."""
    if len(values) < 2:
        return f"{values[0]:.{digits}f}"
    half = float(student.ppf(0.975, len(values) - 1)) * stdev(values) / len(values) ** 0.5
    return f"{mean(values):.{digits}f} ± {half:.{digits}f}"


def show(rows: dict[str, list[dict[str, float]]]) -> None:
    """Print the table of what is there so far, and the differences from the first space."""
    first, *others = rows
    names = list(rows[first][0])
    print(f"\n| {len(rows[first])} seed(s) | {' | '.join(names)} |\n|---|{'---|' * len(names)}")
    for space, found in rows.items():
        print(f"| {space} | {' | '.join(interval([each[name] for each in found]) for name in names)} |")
    for space in others:
        pairs = list(zip(rows[space], rows[first], strict=True))
        cells = (interval([a[name] - b[name] for a, b in pairs]) for name in names)
        print(f"| {space} less {first} | {' | '.join(cells)} |")
    print(flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("runs", type=Path)
    parser.add_argument("--valid", help="pictures to measure on, folder or shards")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--config", type=Path)
    parser.add_argument("--spaces", default="hxhysv,xyv,rgb,lab")
    options = parser.parse_args()
    rows: dict[str, list[dict[str, float]]] = {space: [] for space in options.spaces.split(",")}
    for seed in range(options.seeds):
        sheet: list[torch.Tensor] = []
        for space, found in rows.items():
            run = options.runs / f"{space}-{seed}"
            config = TrainRequest.of(
                data=(options.data,), output=run, preset="thesis", stages=("pixel",), output_space=space,
                seed=seed, **({"config": options.config} if options.config else {}),
            ).settings  # fmt: skip
            if not (run / "model.safetensors").exists():
                train(
                    Run([options.data], run, config, device="cpu", sketch=lines_of),
                    resume=(run / "checkpoint.pt").exists(), report=lambda _: None, stop=lambda: False,
                )  # fmt: skip
            net, _ = load_model(run / "model.safetensors", ColorNet)
            batches = measured_on(options, run, config)
            measured, results = figures(net.eval(), batches)
            found.append(measured)
            print(space, seed, {name: round(value, 3) for name, value in measured.items()}, flush=True)
            if not sheet:
                sketch, _, _, truth, _ = batches[0]
                sheet += [sketch[:SHOWN].expand(-1, 3, -1, -1), truth[:SHOWN]]
            sheet += list(results)
        shown = torch.cat([torch.cat(list(part), 2) for part in sheet], 1)
        write_picture(options.runs / f"sheet-{seed}.png", Picture(to_array(shown[None].clamp(0, 1))))
        show(rows)


if __name__ == "__main__":
    main()
