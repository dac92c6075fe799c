"""A 1600×2300 page from file to file, beside the network's own forward pass at the default working size.

    python benchmarks/page_speed.py [ROUNDS]

Both run in turn, so that other load on the machine meets both; the medians and their ratio are printed, and
how the time of a page divides. The page is an example page enlarged; the network is the bundled model, and
"forward" is nothing but its own call, on a sketch of 576×832 pixels; "page" is all from file to file, without
the look before it at which a page that is given nothing gets colours drawn; what that takes is told beside.
"page, masks and tone known" leaves out finding what stays paper and where screentone is, which in a batch is
done for the next page meanwhile.
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

from sketchcolor_cli.environment import prepare_process

if TYPE_CHECKING:
    from collections.abc import Callable

    from sketchcolor_cli.coloring.colorizer import Colorizer, Prepared

EXAMPLES = Path(__file__).parent.parent / "examples"


class Stopwatch:
    """Collects how long named steps take, by the clock and by processor time of all threads."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[tuple[float, float]]] = {}

    def __call__(self, name: str, step: Callable[..., Any], *given: Any, **named: Any) -> Any:
        """Do a step and take its time."""
        start = time.perf_counter(), time.process_time()
        result = step(*given, **named)
        self.since(name, start)
        return result

    def since(self, name: str, start: tuple[float, float]) -> None:
        """Keep the time since a start as that of a step."""
        spent = time.perf_counter() - start[0], time.process_time() - start[1]
        self.seconds.setdefault(name, []).append(spent)

    def medians(self, name: str) -> tuple[float, float]:
        """Return the median times of a step, in seconds; the first is left out, where memory is set up."""
        clock, processor = zip(*self.seconds[name][1:], strict=True)
        return statistics.median(clock), statistics.median(processor)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    prepare_process()  # as the command does, before torch is imported
    watch = measured(rounds)
    print("  clock  processor")
    for name in watch.seconds:
        clock, processor = watch.medians(name)
        print(f"{clock:7.3f} {processor:7.3f} s  {name}")
    for whole in ("page", "page, masks and tone known"):
        clock, processor = (
            page / bare for page, bare in zip(watch.medians(whole), watch.medians("forward"), strict=True)
        )
        print(f"{whole} / forward: {clock:.2f} by the clock, {processor:.2f} by processor time")


def measured(rounds: int) -> Stopwatch:
    """Return the times of the network's pass, and of a page from file to file."""
    import torch

    from sketchcolor_cli.coloring.colorizer import Colorizer
    from sketchcolor_cli.coloring.settings import ColorizeSettings, Guess
    from sketchcolor_cli.environment import model_file
    from sketchcolor_cli.imaging.reading import read_picture
    from sketchcolor_cli.imaging.writing import write_picture
    from sketchcolor_cli.networks.base import ColorNet
    from sketchcolor_cli.networks.checkpoint import load_model

    model, _ = load_model(model_file("default"), ColorNet)
    color, drawing = (
        Colorizer(model, "cpu", ColorizeSettings(guess=guess)) for guess in (Guess.MEAN, Guess.DRAW)
    )
    page = read_picture(min((EXAMPLES / "pages").glob("*.png")))
    large = cv2.resize(page.rgb, (1600, 2300), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    side = model.multiple
    sketch = torch.ones(1, 1, -(-828 // side) * side, -(-576 // side) * side)
    hint = torch.zeros(1, 4, *sketch.shape[2:])
    spread = torch.zeros(1, 4, sketch.shape[2] // model.stride, sketch.shape[3] // model.stride)
    watch = Stopwatch()
    with tempfile.TemporaryDirectory() as scratch:
        source, target = Path(scratch) / "page.png", Path(scratch) / "out.png"
        write_picture(source, replace(page, rgb=large))
        for _ in range(rounds + 1):
            with torch.inference_mode():
                watch("forward", model, sketch, hint, spread=spread)
            prepared = color_page(watch, "page", color, source, target)
            color_page(watch, "page, masks and tone known", color, source, target, prepared)
            watch("  paint, colours drawn before", drawing.paint, read_picture(source), prepared=prepared)
    return watch


def color_page(
    watch: Stopwatch,
    name: str,
    color: Colorizer,
    source: Path,
    target: Path,
    prepared: Prepared | None = None,
) -> Prepared:
    """Colour a page from file to file; return what is known of it before it is painted."""
    from sketchcolor_cli.imaging.reading import read_picture
    from sketchcolor_cli.imaging.writing import write_picture

    start = time.perf_counter(), time.process_time()
    page = watch("  read", read_picture, source)
    if prepared is None:
        painted = watch("  paint, with masks and tone", color.paint, page)
    else:
        painted = watch("  paint", color.paint, page, prepared=prepared)
    rgb = watch("  lay the ink over it", painted.rgb)
    watch("  write", write_picture, target, replace(page, rgb=rgb, gray=False))
    watch.since(name, start)
    if prepared is None:
        prepared = watch("  of which masks and tone", color.prepare, page)
    return prepared


if __name__ == "__main__":
    main()
