"""FID of two folders of 500 pictures, 256×256, on the CPU: pytorch-fid's command and ours, value and time.

The commands run as a user runs them, in turn and --times over. The pictures are drawn here, or they are the
first --count files of two folders. Medians are printed, of seconds and of processor time. Run it as
``python benchmarks/fid.py``, with the weights that ``sketchcolor weights`` keeps or with --weights FILE;
without any it says how to get them.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from scipy import linalg

from sketchcolor_cli.environment import weight_store
from sketchcolor_cli.evaluation.fid.statistics import read_statistics
from sketchcolor_cli.metrics.sets import frechet_distance
from sketchcolor_cli.weights.builtin import FID_INCEPTION

THEIR_FILE = "pt_inception-2015-12-05-6726825d.pth"


def main() -> None:
    """Print values, seconds and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, help="two folders of pictures of one size")
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--weights", type=Path)
    args = parser.parse_args()
    weights = args.weights or weight_store().find(FID_INCEPTION)
    with tempfile.TemporaryDirectory() as scratch:
        measure(Path(scratch), weights, args.folders, args.count, args.times)


def measure(scratch: Path, weights: Path, folders: list[Path], count: int, times: int) -> None:
    sides = [scratch / "real", scratch / "fake"]
    for number, side in enumerate(sides):
        if folders:
            take(folders[number], side, count)
        else:
            draw(side, count, number)
    hub = scratch / "torch" / "hub" / "checkpoints"
    hub.mkdir(parents=True)
    torch.save(whole(weights), hub / THEIR_FILE)
    env = {**os.environ, "TORCH_HOME": str(scratch / "torch"), "SKETCHCOLOR_CACHE": str(scratch / "cache")}
    ours = [sys.executable, "-m", "sketchcolor_cli", "fid", *map(str, sides)]
    ours += ["--weights", str(weights), "--device", "cpu", "--json"]
    theirs = [sys.executable, "-W", "ignore", "-m", "pytorch_fid", *map(str, sides), "--device", "cpu"]
    commands = {
        "pytorch-fid": theirs,
        **{f"fid, {name}": [*ours, "--backend", name, "--no-cache"] for name in ("torch", "onnx")},
    }
    runs = [{name: run(command, env) for name, command in commands.items()} for _ in range(times)]
    print(f"{count} and {count} pictures, {torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}")
    theirs_first = runs[0]["pytorch-fid"]
    base = typical([each["pytorch-fid"] for each in runs])
    for name, first in runs[0].items():
        wall, busy = typical([each[name] for each in runs])
        shift = abs(first.value / theirs_first.value - 1)
        print(
            f"{name:12} {first.value:12.6f} (off by {shift:.0e})  {wall:7.1f} s  {busy:7.1f} s busy", end=""
        )
        print(f"   ratios {base[0] / wall:.2f}, {base[1] / busy:.2f}")
        assert shift < 1e-5, "the values differ"
    from_cache(ours, env)
    distance_step(scratch / "cache" / "fid")


def from_cache(ours: list[str], env: dict[str, str]) -> None:
    found = json.loads(run(ours, env).printed)
    again, start = run(ours, env).wall, run([sys.executable, "-m", "sketchcolor_cli", "--help"], env).wall
    print(f"again, from cache   {again:7.1f} s, of which start-up {start:.1f} s")
    print(f"KID × 1000          {1000 * found['kid']:.3f} ± {1000 * found['kid_error']:.3f}")


def distance_step(cache: Path) -> None:
    first, second = (read_statistics(path).moments for path in sorted(cache.glob("*.npz")))
    start = time.perf_counter()
    ours = frechet_distance(first, second)
    middle = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        root = linalg.sqrtm(first.covariance @ second.covariance)
    end = time.perf_counter()
    step = first.mean - second.mean
    theirs = step @ step + np.trace(first.covariance + second.covariance - 2 * root.real)
    print(f"distance step: sqrtm {end - middle:.2f} s, ours {middle - start:.2f} s, ", end="")
    print(f"ratio {(end - middle) / (middle - start):.1f}, relative difference {abs(ours / theirs - 1):.1e}")


class Ran(NamedTuple):
    """A command that ran: seconds, seconds of processor time, and what it printed."""

    wall: float
    busy: float
    printed: str

    @property
    def value(self) -> float:
        """The distance."""
        theirs = re.findall(r"FID:\s+(\S+)", self.printed)
        return float(theirs[-1] if theirs else json.loads(self.printed)["fid"])


def typical(runs: list[Ran]) -> tuple[float, float]:
    """Return the medians of seconds and of processor time."""
    return median(ran.wall for ran in runs), median(ran.busy for ran in runs)


def run(command: list[str], env: dict[str, str]) -> Ran:
    before, start = processor_time(), time.perf_counter()
    printed = subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout
    return Ran(time.perf_counter() - start, processor_time() - before, printed)


def processor_time() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def whole(weights: Path) -> dict[str, torch.Tensor]:
    """Return the weights with the classifier that pytorch-fid loads and does not use."""
    from safetensors.torch import load_file

    tensors = (
        load_file(weights) if weights.suffix == ".safetensors" else torch.load(weights, weights_only=True)
    )
    counters = {
        name.replace("running_mean", "num_batches_tracked"): torch.tensor(0)
        for name in tensors
        if name.endswith("running_mean")
    }
    return {"fc.weight": torch.zeros(1008, 2048), "fc.bias": torch.zeros(1008), **counters, **tensors}


def take(folder: Path, target: Path, count: int) -> None:
    target.mkdir()
    for path in sorted(folder.iterdir())[:count]:
        shutil.copy(path, target)


def draw(target: Path, count: int, seed: int) -> None:
    """Draw pictures of coloured boxes; those of another seed have other colours."""
    rng = np.random.default_rng(seed)
    target.mkdir()
    for number in range(count):
        picture = np.full((256, 256, 3), rng.integers(128, 256, 3), np.uint8)
        for _ in range(30):
            top, left, high, wide = rng.integers(0, 200, 4)
            picture[top : top + high, left : left + wide] = rng.integers(0, 256 >> seed, 3)
        Image.fromarray(picture).save(target / f"{number:04d}.png")


if __name__ == "__main__":
    main()
