"""How many pictures a second training takes, against the plain recipe, and how fast pictures are loaded.

    python benchmarks/training.py [FOLDER] [--size 256] [--batch-size 10] [--rounds 3] [--steps 2]

A step is a whole one of the pixel stage: joint augmentation, forward, loss, backward, clipping, ranger. The
plain recipe is the same network and step in float32, contiguous, in fastai's loop as it comes. Both take
turns in one process, each for a few steps a round; the figures are medians over the rounds, so that what else
the machine does falls on both alike; on a busy machine processor time, with one thread, says more. Then pairs
are made without a network. Without FOLDER pictures are drawn.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
import torch

from sketchcolor_cli.compute import precision
from sketchcolor_cli.training import presets
from sketchcolor_cli.training.loop import callbacks
from sketchcolor_cli.training.loop.data import EpochBatches, loader
from sketchcolor_cli.training.loop.learner import _Loaders
from sketchcolor_cli.training.loop.wrappers import AutocastColorNet
from sketchcolor_cli.training.opening import open_drawings
from sketchcolor_cli.training.settings import TrainSettings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from fastai.callback.training import GradientClip
    from fastai.learner import Learner
    from fastai.optimizer import ranger

PICTURES = 40


def draw(folder: Path) -> None:
    rng = np.random.default_rng(0)
    for number in range(PICTURES):
        picture = np.full((400, 360, 3), 255, np.uint8)
        for _ in range(30):
            place = tuple(int(x) for x in rng.integers(0, 360, 2))
            cv2.circle(picture, place, int(rng.integers(8, 60)), rng.integers(0, 255, 3).tolist(), -1)
            cv2.circle(picture, place, int(rng.integers(8, 60)), (0, 0, 0), 2)
        cv2.imwrite(str(folder / f"{number}.png"), picture)


def lines_of(rgb: np.ndarray) -> np.ndarray:
    return np.asarray(1 - np.clip(4 * np.abs(cv2.Laplacian(rgb.mean(2), cv2.CV_32F)), 0, 1))


def learner(
    setup: presets.Setup, batches: list[Any], device: str, dtype: torch.dtype, layout: torch.memory_format
) -> Learner:
    data = _Loaders(batches, batches[:1])
    data.device, data.n_inp = torch.device(device), 3
    model = AutocastColorNet(setup.net, device, dtype).to(device).to(memory_format=layout)
    cbs = [GradientClip(1.0), callbacks.JointAugment()]
    learn = Learner(data, model, loss_func=setup.loss, opt_func=ranger, lr=1e-3, cbs=cbs)
    learn.remove_cbs([cb for cb in learn.cbs if type(cb).__name__ == "ProgressCallback"])
    learn._do_epoch_validate = lambda *_: None  # steps alone are measured
    return learn


def seconds(learn: Learner, device: str, steps: int) -> tuple[float, float]:
    """Return the time and the processor time of a step."""
    begun, worked = time.perf_counter(), time.process_time()
    with learn.no_logging():
        learn.fit(1)
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    return (time.perf_counter() - begun) / steps, (time.process_time() - worked) / steps


def compare(options: argparse.Namespace, data: str, run: Path) -> None:
    shape = {"widths": [32 // options.shape, 64 // options.shape, 128 // options.shape, 256 // options.shape]}
    config = TrainSettings.of(
        preset="thesis", size=options.size, batch_size=options.batch_size, workers=0, network=shape
    )
    drawings = open_drawings([data], run, config, lines_of)
    drawings.decode(lambda _: None)
    device = options.device
    chosen = options.precision if options.precision != "auto" else precision.choose(device)
    recipes = {}
    for name, dtype, layout in (
        ("plain", torch.float32, torch.contiguous_format),
        ("ours", getattr(torch, chosen), torch.channels_last),
    ):
        setup = presets.set_up(config, drawings, drawings, device)
        order = EpochBatches(len(drawings), options.batch_size, 0, shuffled=True, sizes=config.size)
        batches = list(loader(setup.train, order))[:1] * options.steps
        recipes[name] = learner(setup, batches, device, dtype, layout)
    for learn in recipes.values():
        seconds(learn, device, options.steps)  # warm up
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in recipes}
    for _ in range(options.rounds):
        for name, learn in recipes.items():
            times[name].append(seconds(learn, device, options.steps))
    rates = {name: options.batch_size / median(wall for wall, _ in each) for name, each in times.items()}
    print(f"{options.size} px, batch {options.batch_size}, {device}, {torch.get_num_threads()} thread(s)")
    print(f"plain, float32, contiguous:      {rates['plain']:8.3f} pictures/s")
    print(f"ours, {chosen}, channels last: {rates['ours']:8.3f} pictures/s")
    for place, what in enumerate(("time", "processor time")):
        each = [a[place] / b[place] for a, b in zip(times["plain"], times["ours"], strict=True)]
        shown = [round(ratio, 2) for ratio in each]
        print(f"plain over ours, {what}: median of rounds {median(each):.2f}; of each {shown}")


def load(options: argparse.Namespace, data: str, run: Path) -> None:
    for preset in ("thesis", "fast"):
        config = TrainSettings.of(preset=preset, size=options.size, batch_size=options.batch_size)
        drawings = open_drawings([data], run, config, lines_of if preset == "thesis" else None)
        drawings.decode(lambda _: None)
        setup = presets.set_up(config, drawings, drawings, "cpu")
        order = EpochBatches(len(drawings), options.batch_size, 0, shuffled=True, sizes=config.size)
        batches = loader(setup.train, order)
        rates = []
        for order.epoch in range(options.rounds):
            begun = time.perf_counter()
            count = sum(len(batch[0]) for batch in batches)
            rates.append(count / (time.perf_counter() - begun))
        print(f"pairs without a network, preset {preset}, one process: {median(rates):8.1f} pairs/s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--batch-size", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=2, help="steps of a recipe in a round")
    parser.add_argument("--only", choices=("steps", "pairs"), help="measure one of the two")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--shape", type=int, default=1, help="divide the network's widths by this")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        data = options.folder
        if data is None:
            data = f"{scratch}/drawn"
            Path(data).mkdir()
            draw(Path(data))
        if options.only != "steps":
            load(options, data, Path(scratch) / "run")
        if options.only != "pairs":
            compare(options, data, Path(scratch) / "run")


if __name__ == "__main__":
    main()
