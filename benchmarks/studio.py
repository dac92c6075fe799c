"""How long the studio takes from a request to the last byte of its answer; whether its memory stays flat.

    python benchmarks/studio.py [ROUNDS] [--pages N]

A page of 1600×2300 (an example page, enlarged) with 16 strokes, asked for over the network as a browser
does, in a server of its own. For each stage the median and the 95th percentile are printed beside what
the design allows on two idle cores, and the median of the processor time that the server and its worker
took until then, which other work on the machine hardly changes; its load comes first. With ``--pages`` so
many pages are opened one after the other, and the memory of all of the server's processes is printed
meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import httpx
from websockets.sync.client import connect
from websockets.typing import Subprotocol

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).parent.parent / "examples/pages/page 1.png"
SIZE = 1600, 2300
TOKEN = "benchmark-benchmark-benchmark"  # noqa: S105
ALLOWED = {"open": 700, "ready": 1000, "spread": 100, "quick": 350, "final": 650, "variants": 2000}
"""Milliseconds."""

Spent = list[tuple[float, float]]  # by the clock, by the processors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rounds", nargs="?", type=int, default=20)
    parser.add_argument("--pages", type=int, default=0)
    asked = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        pages = make_pages(Path(folder) / "pages", max(asked.rounds, asked.pages, 3))
        with served(pages) as (address, process):
            listed = api(address, "project").json()["pages"]
            report(measured(address, listed, asked.rounds, process))
            if asked.pages:
                remember(address, listed[: asked.pages], process)


def make_pages(folder: Path, count: int) -> Path:
    """Draw pages that differ in a few pixels, so that no answer is known from the page before."""
    folder.mkdir()
    page = cv2.resize(cv2.imread(str(PAGE)), SIZE, interpolation=cv2.INTER_LINEAR)
    for number in range(count):
        page[:4, :4] = number % 256
        cv2.imwrite(str(folder / f"{number:03d}.png"), page)
    return folder


@contextmanager
def served(pages: Path) -> Iterator[tuple[str, int]]:
    """Yield the address of a studio and the number of its process."""
    command = [
        sys.executable,
        "-m",
        "sketchcolor_cli",
        "studio",
        str(pages),
        "--no-browser",
        "--token",
        TOKEN,
    ]
    home = {**os.environ, "SKETCHCOLOR_PROJECTS": str(pages.parent / "home")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=home) as server:
        assert server.stdout is not None
        address = server.stdout.readline().partition("#")[0]
        try:
            wait_until_ready(address)
            yield address, server.pid
        finally:
            server.terminate()


def wait_until_ready(address: str) -> None:
    while httpx.get(f"{address}readyz").status_code != 200:
        time.sleep(0.2)


def api(address: str, name: str) -> httpx.Response:
    answer = httpx.get(f"{address}api/v1/{name}", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60)
    return answer.raise_for_status()


def strokes(rng: random.Random) -> list[dict[str, Any]]:
    """Return 16 short strokes."""
    marks = []
    for _ in range(16):
        x, y = rng.uniform(0.1, 0.85), rng.uniform(0.1, 0.9)
        color = "#" + "".join(f"{rng.randrange(256):02x}" for _ in range(3))
        marks.append({"stroke": [[x, y], [x + 0.04, y + 0.01]], "color": color, "radius": 0.004})
    return marks


def measured(address: str, pages: list[dict[str, Any]], rounds: int, process: int) -> dict[str, Spent]:
    """Return what each stage took, in milliseconds."""
    rng, watch = random.Random(0), Watch(process)  # noqa: S311
    for number in range(rounds):
        page = pages[number % len(pages)]["id"]
        watch.start()
        api(address, f"pages/{page}/original?width=1200")
        watch.stop("open")
        with live(address, page) as socket:
            received(socket, "ready")
            watch.stop("ready")
            watch.start()
            socket.send(json.dumps({"type": "paint", "number": 1, "marks": strokes(rng), "width": 1200}))
            for stage in ("spread", "quick", "final"):
                received(socket, stage)
                watch.stop(stage)
            watch.start()
            socket.send(json.dumps({"type": "variants", "number": 2, "marks": [], "width": 320}))
            received(socket, "done", number=2)
            watch.stop("variants")
    return watch.spent


class Watch:
    """Takes the time of stages, by the clock and by the processors of a process and those that it started."""

    def __init__(self, process: int) -> None:
        self.spent: dict[str, Spent] = {name: [] for name in ALLOWED}
        self._process = process

    def start(self) -> None:
        """Begin a request."""
        self._begun = time.perf_counter(), processor_seconds(self._process)

    def stop(self, stage: str) -> None:
        """Keep the time since then as that of a stage."""
        clock, processor = self._begun
        taken = time.perf_counter() - clock, processor_seconds(self._process) - processor
        self.spent[stage].append((1000 * taken[0], 1000 * taken[1]))


def live(address: str, page: str) -> Any:
    url = f"{address.replace('http', 'ws', 1)}api/v1/pages/{page}/live"
    return connect(
        url,
        subprotocols=[Subprotocol("sketchcolor.v1"), Subprotocol(f"token.{TOKEN}")],
        max_size=None,
        proxy=None,
    )


def received(socket: Any, what: str, number: int | None = None) -> None:
    """Wait for a picture of this stage, or a message of this type."""
    while True:
        message = socket.recv()
        if isinstance(message, bytes):
            length = int.from_bytes(message[:4])
            header = json.loads(message[4 : 4 + length])
        else:
            header = json.loads(message)
        assert header["type"] != "error", header
        if what in (header["type"], header.get("stage")) and number in (None, header.get("number")):
            return


def report(spent: dict[str, Spent]) -> None:
    print(f"{'':10}{'median':>8}{'95 %':>8}{'allowed':>9}{'processor':>11}", end="   ")
    print(f"ms, {len(spent['final'])} rounds but the first")
    for name, found in spent.items():
        clock, processor = zip(*(found[1:] or found), strict=True)
        known = sorted(clock)
        high = known[min(len(known) - 1, int(0.95 * len(known)))]
        middle, busy = statistics.median(known), statistics.median(processor)
        print(f"{name:10}{middle:8.0f}{high:8.0f}{ALLOWED[name]:9}{busy:11.0f}")


def remember(address: str, pages: list[dict[str, Any]], process: int) -> None:
    """Open pages one after the other, and print the memory that all processes together take."""
    marks = strokes(random.Random(1))  # noqa: S311
    for number, page in enumerate(pages, start=1):
        api(address, f"pages/{page['id']}/original?width=1200")
        with live(address, page["id"]) as socket:
            socket.send(
                json.dumps({"type": "paint", "number": 1, "marks": marks, "width": 1200, "stages": ["quick"]})
            )
            received(socket, "done")
        if number in (5, 10, 20, 50, 100, 150, 200) or number == len(pages):
            print(f"after {number:3} pages: {memory(process):6.0f} MB")


def memory(process: int) -> float:
    """Return the megabytes that a process and those it started keep in memory."""
    size = subprocess.run(
        ["ps", "-o", "rss=", "-p", ",".join(map(str, family(process)))],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return sum(map(int, size.split())) / 1024


def processor_seconds(process: int) -> float:
    """Return the processor time that a process and those it started have taken, on Linux."""
    # What clock_getcpuclockid gives for a process.
    return sum(time.clock_gettime((~process_id << 3) | 2) for process_id in family(process))


def family(process: int) -> set[int]:
    """Return a process and those that it started, and those that they did."""
    found, due = set(), {process}
    while due:
        found |= due
        due = {child for parent in due for child in _children(parent)} - found
    return found


def _children(process: int) -> set[int]:
    found: set[int] = set()
    for task in Path(f"/proc/{process}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # a thread ended meanwhile
            found.update(map(int, (task / "children").read_text().split()))
    return found


if __name__ == "__main__":
    assert shutil.which("ps")
    main()
