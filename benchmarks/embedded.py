"""A page coloured inside another program that imported torch first, while neighbours keep the machine busy.

    python benchmarks/embedded.py [ROUNDS]

Each round starts a process of each kind in turn, which colours a small page several times by the bundled
model: "spinning", where threads wait as torch has it by itself; "embedded", where torch is imported first and
the library sees to it; "prepared", where OMP_WAIT_POLICY was set before. As many processes as there are
processors do nothing but count meanwhile. Medians by the clock and of processor time are printed, and how
many times those of "embedded" they are.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "examples" / "pages" / "page 1.png"
KINDS = "spinning", "embedded", "prepared"
_PAGES = 3


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    times: dict[str, list[tuple[float, float]]] = {kind: [] for kind in KINDS}
    with ExitStack() as stack:
        for _ in range(os.cpu_count() or 1):
            stack.enter_context(busy())
        for _ in range(rounds):
            for kind in KINDS:
                times[kind].append(asked(kind))
                print(f"{kind}: {times[kind][-1]}", flush=True)
    clock, work = (
        {kind: statistics.median(pair[at] for pair in pairs) for kind, pairs in times.items()}
        for at in (0, 1)
    )
    print(f"{rounds} rounds, {os.cpu_count()} processors, as many busy neighbours; seconds a page")
    for kind in KINDS:
        print(
            f"{kind:10} clock {clock[kind]:6.2f} ({clock[kind] / clock['embedded']:.2f}×)"
            f"   processor {work[kind]:6.2f} ({work[kind] / work['embedded']:.2f}×)"
        )


@contextmanager
def busy() -> Iterator[None]:
    """Keep one processor busy."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def asked(kind: str) -> tuple[float, float]:
    """Return seconds a page by the clock and of processor time, in a process of this kind."""
    env = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    if kind == "prepared":
        env["OMP_WAIT_POLICY"] = "PASSIVE"
    done = subprocess.run([sys.executable, __file__, "--as", kind], env=env, capture_output=True, check=True)
    clock, work = json.loads(done.stdout)
    return clock, work


def paint(kind: str) -> None:
    """Colour pages as a program would that embeds the library, and print the median times of one."""
    import torch  # first, as such programs do

    from sketchcolor_cli import environment
    from sketchcolor_cli.coloring.colorizer import Colorizer
    from sketchcolor_cli.imaging.picture import Picture
    from sketchcolor_cli.imaging.reading import read_picture
    from sketchcolor_cli.imaging.resize import shrink_by
    from sketchcolor_cli.networks.base import ColorNet
    from sketchcolor_cli.networks.checkpoint import load_model

    torch.ones(2**20).add_(1)  # its threads are there
    if kind == "spinning":
        environment.prepare_process = lambda **_: None
    page = read_picture(PAGE)
    small = Picture(shrink_by(page.rgb, 0.5), gray=page.gray)
    color = Colorizer(load_model(environment.model_file("default"), ColorNet)[0], "cpu")
    color(small)
    times = []
    for _ in range(_PAGES):
        start = time.perf_counter(), time.process_time()
        color(small)
        times.append((time.perf_counter() - start[0], time.process_time() - start[1]))
    print(json.dumps([statistics.median(pair[at] for pair in times) for at in (0, 1)]))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--as"]:
        paint(sys.argv[2])
    else:
        main()
