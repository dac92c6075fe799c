"""How much faster the networks draw as they are loaded, eight pictures at once, than plainly one by one.

Plainly means: the same network with the same weights, in float32, contiguous, one picture of 512×512 at a
time, its forward alone. As loaded means: the whole extractor, with what it does before and after, in the
number format that the engine chooses on this machine. Both take turns, so that other work on the machine
weighs on both alike; weights are random. Run it as ``python benchmarks/extractors.py``; it fails when a ratio
is below its limit on a machine where bfloat16 is chosen, and below 1 elsewhere. On a machine busy with
other things, ``--processor-time`` counts what the process itself has spent instead of what the clock says.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import save_file

from sketchcolor_cli import Resources
from sketchcolor_cli.compute import precision
from sketchcolor_cli.plugin.discovery import find_extractors
from sketchcolor_plugins.anime2sketch.network import Anime2Sketch
from sketchcolor_plugins.loading import load
from sketchcolor_plugins.sketch_simplification.network import build as sketch_simplification
from sketchcolor_plugins.sketchkeras.network import SketchKeras

if TYPE_CHECKING:
    from collections.abc import Callable

SIZE, BATCH = 512, 8
LIMIT = 1.8
# How a network is built, and how many channels and pictures of them it takes for one picture.
NETWORKS: dict[str, tuple[Callable[[], torch.nn.Module], int, int]] = {
    "sketchkeras": (SketchKeras, 1, 3),
    "anime2sketch": (Anime2Sketch, 3, 1),
    "anime2sketch-improved": (lambda: Anime2Sketch(improved=True), 3, 1),
    "sketch-simplification": (sketch_simplification, 1, 1),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=list(NETWORKS), help="extractors to measure")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=int, default=SIZE, help="side in pixels; the limit is for the default")
    parser.add_argument("--processor-time", action="store_true")
    options = parser.parse_args()
    chosen = precision.choose("cpu")
    clock = time.process_time if options.processor_time else time.perf_counter
    size = options.size
    print(f"{size}×{size} pixels, {torch.get_num_threads()} threads, {chosen}, {options.rounds} rounds")
    ratios = {name: measure(name, chosen, size, options.rounds, clock) for name in options.names}
    limit = LIMIT if chosen == "bfloat16" else 1.0
    slow = [name for name, ratio in ratios.items() if ratio < limit]
    assert not slow, f"below {limit}: {', '.join(slow)}"


@torch.no_grad()
def measure(name: str, chosen: str, size: int, rounds: int, clock: Callable[[], float]) -> float:
    """Print medians in milliseconds for a picture, and return their ratio."""
    build, channels, count = NETWORKS[name]
    declared = find_extractors().get(name)
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "weights.safetensors"
        save_file(build().state_dict(), file)
        plain = load(build, file)
        fast = declared.load(
            Resources("cpu", declared.defaults(), find_weight=lambda _: file, precision=chosen)
        )
    rgb = torch.rand(BATCH, 3, size, size)
    picture = torch.rand(count, channels, size, size)
    times: dict[str, list[float]] = {"plain": [], "fast": []}
    for number in range(rounds + 1):
        for way, task in (("plain", lambda: plain(picture)), ("fast", lambda: fast(rgb))):
            spent = seconds(task, clock) / (BATCH if way == "fast" else 1)
            if number:  # the first round warms up
                times[way].append(1000 * spent)
    slow, quick = (statistics.median(times[way]) for way in ("plain", "fast"))
    print(
        f"{name:24} plain {slow:8.0f} ms   as loaded {quick:8.0f} ms   ratio {slow / quick:.2f}", flush=True
    )
    return slow / quick


def seconds(task: Callable[[], Any], clock: Callable[[], float]) -> float:
    start = clock()
    task()
    return clock() - start


if __name__ == "__main__":
    main()
