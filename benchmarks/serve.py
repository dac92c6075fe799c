"""Pages a minute over HTTP at 1, 4 and 16 clients, beside the command line on the same pages.

    python benchmarks/serve.py [PAGES]

The pages are an example page enlarged to 1600×2300, each a little different. The command line and the
server colour them in turn, so that other load on the machine meets both; the ratio is printed, and how
long a client waits.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from studio import TOKEN, make_pages, wait_until_ready

if TYPE_CHECKING:
    from collections.abc import Iterator

CLIENTS = (1, 4, 16)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 16
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; {count} pages of 1600×2300")
    with tempfile.TemporaryDirectory() as folder, served() as address:
        for clients in CLIENTS:
            home = Path(folder) / str(clients)
            home.mkdir()
            pages = sorted(make_pages(home / "pages", count).glob("*.png"))
            for number, page in enumerate(pages):  # other pages than the last ones, whose answers are known
                page.write_bytes(page.read_bytes() + bytes([clients, number]))
            alone = on_the_command_line(home)
            minutes, waits = over_http(address, pages, clients)
            high = sorted(waits)[min(len(waits) - 1, int(0.95 * len(waits)))]
            print(
                f"{clients:3} clients: {count / minutes:6.1f} pages a minute, alone {count / alone:6.1f}, "
                f"ratio {alone / minutes:.2f}; waited {statistics.median(waits):.2f} s, 95 %: {high:.2f} s"
            )


@contextmanager
def served() -> Iterator[str]:
    command = [sys.executable, "-m", "sketchcolor_cli", "serve", "--token", TOKEN]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        try:
            wait_until_ready(address)
            yield address
        finally:
            server.terminate()


def on_the_command_line(home: Path) -> float:
    """Return the minutes that the pages themselves take; loading the network is the server's, too."""
    done: list[float] = []
    command = [
        sys.executable,
        "-m",
        "sketchcolor_cli",
        "colorize",
        str(home / "pages"),
        "-o",
        str(home / "out"),
    ]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL):
        pages = len(list((home / "pages").glob("*.png")))
        while len(done) < pages:
            done += [time.perf_counter()] * (len(list(home.glob("out/*.png"))) - len(done))
            time.sleep(0.01)
    return (done[-1] - done[0]) / 60 * pages / (pages - 1)


def over_http(address: str, pages: list[Path], clients: int) -> tuple[float, list[float]]:
    """Return the minutes that all take, and the seconds that each waited."""

    def color(page: Path) -> float:
        start = time.perf_counter()
        headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "image/png"}
        files = {"image": (page.name, page.read_bytes())}
        answer = httpx.post(f"{address}api/v1/colorize", headers=headers, files=files, timeout=600)
        answer.raise_for_status()
        return time.perf_counter() - start

    start = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        waits = list(pool.map(color, pages))
    return (time.perf_counter() - start) / 60, waits


if __name__ == "__main__":
    main()
