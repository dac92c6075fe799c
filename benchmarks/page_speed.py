"""A 1600×2300 page from file to file, beside the network's own forward pass at the default working size.

    python benchmarks/page_speed.py [ROUNDS]

Both run in turn, so that other load on the machine meets both; the medians and their ratio are printed, and
how the time of a page divides. The page is an example page enlarged; the network is the bundled model.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import torch

from sketchcolor_cli.coloring import protect, tone
from sketchcolor_cli.coloring.colorizer import Colorizer
from sketchcolor_cli.coloring.models import load_color_model
from sketchcolor_cli.images import read_picture, write_picture

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLES = Path(__file__).parent.parent / "examples"


class Stopwatch:
    """Collects how long named steps take."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = {}

    def __call__(self, name: str, step: Callable[..., Any], *given: Any, **named: Any) -> Any:
        """Do a step and take its time."""
        start = time.perf_counter()
        made = step(*given, **named)
        self.seconds.setdefault(name, []).append(time.perf_counter() - start)
        return made

    def median(self, name: str) -> float:
        """Return the median time of a step, in seconds."""
        return statistics.median(self.seconds[name])


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    model, _ = load_color_model("default")
    color = Colorizer(model, "cpu")
    page = read_picture(min((EXAMPLES / "pages").glob("*.png")))
    large = cv2.resize(page.rgb, (1600, 2300), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    watch = Stopwatch()
    with tempfile.TemporaryDirectory() as scratch:
        source, target = Path(scratch) / "page.png", Path(scratch) / "out.png"
        write_picture(source, replace(page, rgb=large))
        side = model.multiple
        sketch = torch.ones(1, 1, -(-828 // side) * side, -(-576 // side) * side)
        hint = torch.zeros(1, 4, *sketch.shape[2:])
        spread = torch.zeros(1, 4, sketch.shape[2] // model.stride, sketch.shape[3] // model.stride)
        for _ in range(rounds + 1):
            with torch.inference_mode():
                watch("forward", model, sketch, hint, spread=spread)
            start = time.perf_counter()
            read = watch("  read", read_picture, source)
            painted = watch("  paint, with masks and tone", color.paint, read)
            rgb = watch("  lay the ink over it", painted.rgb)
            watch("  write", write_picture, target, replace(read, rgb=rgb, gray=False))
            watch.seconds.setdefault("page", []).append(time.perf_counter() - start)
            watch("  of which masks", protect.find, painted.gray, color.settings.protect)
            watch("  of which tone", tone.descreened, painted.gray)
    for name, seconds in watch.seconds.items():
        watch.seconds[name] = seconds[1:]  # the first time, memory and threads are set up
        print(f"{watch.median(name):7.3f} s  {name}")
    print(f"page / forward: {watch.median('page') / watch.median('forward'):.2f}")


if __name__ == "__main__":
    main()
