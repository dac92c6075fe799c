"""What reading and writing files adds to the network's own time, and whether memory grows with their number.

    python benchmarks/extract.py [METHOD] [--images 100] [--rounds 3]

Time: the command over a folder of pictures of 512×512, as it says it itself, against the same network on the
same pictures, eight at a time, with nothing read or written. Both take turns, so that other work on the
machine weighs on both alike; weights are random. Processor seconds are printed too, those of loading taken
off: they say what the work around the network costs, whatever the machine does besides. It fails when the
ratio of the medians is above its limit, with ``--processor-time`` when that of the processor seconds is.

Memory: the most that the command takes over 40 and over 120 pages of 1000×1400, by xdog. How much is in
flight at the worst moment varies by some percent from run to run.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch
from commands import measured
from safetensors.torch import save_file
from typer.testing import CliRunner

from sketchcolor_cli.cli.app import app
from sketchcolor_cli.extraction.loader import Loader
from sketchcolor_cli.imaging.picture import Picture, on_paper
from sketchcolor_cli.imaging.reading import read_picture
from sketchcolor_cli.imaging.writing import write_picture
from sketchcolor_cli.plugin.discovery import find_extractors
from sketchcolor_cli.weights.fetch import import_file
from sketchcolor_cli.weights.store import WeightStore

if TYPE_CHECKING:
    from sketchcolor_cli.extraction.drawer import Drawer

EXAMPLES = Path(__file__).parent.parent / "examples" / "colored"
SIDE, BATCH, LIMIT = 512, 8, 1.15
PAGE, FEW, MANY, GROWTH = (1400, 1000), 40, 120, 1.1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("method", nargs="?", default="anime2sketch")
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--processor-time", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        room = Path(scratch)
        growth = measure_memory(room)  # first: a child's peak is never below what its parent took
        ratios = measure_time(room, options.method, options.images, options.rounds)
    assert ratios[options.processor_time] <= LIMIT, f"the ratio is above {LIMIT}"
    assert growth <= GROWTH, f"memory grows by more than {GROWTH - 1:.0%}"


def measure_time(room: Path, method: str, images: int, rounds: int) -> list[float]:
    """Print seconds for all pictures, and return the ratios of medians: by the clock, by processor time."""
    draw_pictures(room / "pictures", images, (SIDE, SIDE))
    draw_pictures(room / "one", 1, (SIDE, SIDE))
    extractors, store = find_extractors(), WeightStore(room / "weights")
    for file in extractors.weights(method):
        assert file.layout is not None
        save_file(random_weights(dict(file.layout())), room / "own.safetensors")
        import_file(store, file, room / "own.safetensors", accept=True)
    drawer = Loader(extractors, find_weight=store.find).load(method)
    batches = batches_of(drawer, room / "pictures")
    command = partial(time_command, method, store, room / "out")
    print(f"{method}, {images} pictures of {SIDE}×{SIDE}, {torch.get_num_threads()} threads, {rounds} rounds")
    command(room / "one")  # warms up
    loading = command(room / "one")[1]
    alone, whole = [], []
    for _ in range(rounds):
        alone.append(time_network(drawer, batches))
        clock, spent = command(room / "pictures")
        whole.append((clock, (spent - loading) * images / (images - 1)))  # loading had one of the pictures
        print(f"  network {alone[-1][0]:6.1f} s   command {whole[-1][0]:6.1f} s", flush=True)
    ratios = []
    for place, what in enumerate(("clock", "processor")):
        bare, full = (statistics.median(run[place] for run in times) for times in (alone, whole))
        ratios.append(full / bare)
        print(f"{what}: network {bare:.1f} s, command {full:.1f} s, ratio {ratios[-1]:.2f}")
    return ratios


def batches_of(drawer: Drawer, folder: Path) -> list[torch.Tensor]:
    """Return the pictures of a folder as the network sees them, (N, 3, H, W) each."""
    pictures = [drawer.prepare(read_picture(path)).rgb for path in sorted(folder.iterdir())]
    return [
        torch.from_numpy(np.stack(pictures[first : first + BATCH])).permute(0, 3, 1, 2)
        for first in range(0, len(pictures), BATCH)
    ]


@torch.no_grad()
def time_network(drawer: Drawer, batches: list[torch.Tensor]) -> tuple[float, float]:
    """Return the seconds of the network alone: by the clock, and of processor time."""
    start, spent = time.perf_counter(), time.process_time()
    for batch in batches:
        drawer.sketcher(batch)
    return time.perf_counter() - start, time.process_time() - spent


def time_command(method: str, store: WeightStore, output: Path, folder: Path) -> tuple[float, float]:
    """Return the seconds of the command: by its own clock, and of processor time."""
    line: list[Any] = ["extract", folder, "-o", output, "--method", method, "--overwrite", "--json"]
    line += ["--batch-size", BATCH, "--device", "cpu"]
    spent = time.process_time()
    environment = {"SKETCHCOLOR_WEIGHTS": str(store.folder)}
    done = CliRunner().invoke(app, [str(word) for word in line], env=environment)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)["seconds"], time.process_time() - spent


def measure_memory(room: Path) -> float:
    """Print the most memory over few and over many pages, and return how much more the many take."""
    peaks = {}
    for count in (FEW, MANY):
        draw_pictures(room / f"{count}", count, PAGE)
        words = ["extract", room / f"{count}", "-o", room / f"{count} out", "--method", "xdog"]
        _, peaks[count] = measured([*words, "--device", "cpu"])
        print(f"{count} pages of {PAGE[1]}×{PAGE[0]}: peak memory {peaks[count]} MiB")
    return peaks[MANY] / peaks[FEW]


def draw_pictures(folder: Path, count: int, size: tuple[int, int]) -> None:
    """Write pictures cut out of the examples, each another one."""
    pages = [on_paper(read_picture(path)) for path in sorted(EXAMPLES.iterdir())]
    generator = np.random.default_rng(0)
    for number in range(count):
        page = pages[number % len(pages)]
        scale = max(1.0, 1.2 * max(size[0] / page.shape[0], size[1] / page.shape[1]))
        page = cv2.resize(page, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC).clip(0, 1)
        top, left = (int(generator.integers(0, page.shape[axis] - size[axis] + 1)) for axis in (0, 1))
        rgb = page[top : top + size[0], left : left + size[1]].copy()
        write_picture(folder / f"{number:03}.png", Picture(rgb))


def random_weights(layout: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return random numbers of these shapes that keep signals in size."""
    generator = torch.Generator().manual_seed(0)

    def fill(name: str, like: torch.Tensor) -> torch.Tensor:
        if not like.is_floating_point():
            return torch.ones(like.shape, dtype=like.dtype)
        value = torch.rand(like.shape, generator=generator)
        if name.endswith("running_var"):
            return value + 0.5
        return (value - 0.5) * 2 * (math.sqrt(6 / like[0].numel()) if like.ndim > 1 else 0.2)

    return {name: fill(name, like) for name, like in layout.items()}


if __name__ == "__main__":
    main()
