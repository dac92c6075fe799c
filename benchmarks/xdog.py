"""How much longer XDoG takes than the two blurs and the tanh that it cannot do without.

Both are timed in turn on a page of 2000×3000 pixels, so that other work on the machine weighs on both alike.
Run it as ``python benchmarks/xdog.py``; it fails when the ratio of the medians is above its limit.
"""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch

from sketchcolor_cli import Resources
from sketchcolor_cli.plugin.discovery import find_extractors

if TYPE_CHECKING:
    from collections.abc import Callable

HEIGHT, WIDTH = 3000, 2000
ROUNDS = 31
LIMIT = 1.6


def main() -> None:
    """Print the medians in milliseconds for both layouts in memory, and their ratios to the bare blurs."""
    extractor = find_extractors().get("xdog")
    values = extractor.defaults()
    xdog = extractor.load(Resources(parameters=values))

    planes = torch.rand(1, 3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(0))
    pixels = planes.contiguous(memory_format=torch.channels_last)  # as picture files come
    gray = planes[0, 0].numpy().copy()

    def bare() -> None:
        cv2.GaussianBlur(gray, (0, 0), values["sigma"])
        cv2.GaussianBlur(gray, (0, 0), values["sigma"] * values["k"])
        np.tanh(gray)

    floor, *ours = medians(bare, lambda: xdog(planes), lambda: xdog(pixels))
    print(f"{WIDTH}×{HEIGHT} pixels, {cv2.getNumThreads()} threads, median of {ROUNDS} rounds")
    print(f"two blurs and tanh    {floor:6.1f} ms")
    for layout, median in zip(("planes", "pixels"), ours, strict=True):
        print(f"XDoG, RGB as {layout}   {median:6.1f} ms   ratio {median / floor:.2f}")
    assert max(ours) <= LIMIT * floor, f"the ratio is above {LIMIT}"


def medians(*tasks: Callable[[], object]) -> list[float]:
    """Return the median time of each task in milliseconds, the tasks done in turn."""
    for task in tasks:
        task()
    times: list[list[float]] = [[] for _ in tasks]
    for _ in range(ROUNDS):
        for task, spent in zip(tasks, times, strict=True):
            start = time.perf_counter()
            task()
            spent.append(1000 * (time.perf_counter() - start))
    return [statistics.median(spent) for spent in times]


if __name__ == "__main__":
    main()
