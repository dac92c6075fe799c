"""Pages a minute over HTTP at 1, 4 and 16 clients, beside the command line on the same pages.

    python benchmarks/serve.py [PAGES [CLIENTS…]]

The pages are an example page enlarged to 1600×2300, each a little different. The command line and the
server colour them in turn, so that other load on the machine meets both; the ratio is printed, and how
long a client waits. The processor time of a page is printed for both, too: other load hardly changes it,
and on a busy machine it says more than the clock.
"""

from __future__ import annotations

import os
import resource
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

from studio import TOKEN, make_pages, processor_seconds, wait_until_ready

if TYPE_CHECKING:
    from collections.abc import Iterator

CLIENTS = (1, 4, 16)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 16
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; {count} pages of 1600×2300")
    with tempfile.TemporaryDirectory() as folder, served() as (address, server):
        (Path(folder) / "one").mkdir()
        make_pages(Path(folder) / "one/pages", 1)
        _, loading = on_the_command_line(Path(folder) / "one")
        for clients in [int(number) for number in sys.argv[2:]] or CLIENTS:
            home = Path(folder) / str(clients)
            home.mkdir()
            pages = sorted(make_pages(home / "pages", count).glob("*.png"))
            for number, page in enumerate(pages):  # other pages than the last ones, whose answers are known
                page.write_bytes(page.read_bytes() + bytes([clients, number]))
            alone, spent_alone = on_the_command_line(home)
            spent_alone = (spent_alone - loading) / (count - 1)
            spent = processor_seconds(server)
            minutes, waits = over_http(address, pages, clients)
            spent = (processor_seconds(server) - spent) / count
            high = sorted(waits)[min(len(waits) - 1, int(0.95 * len(waits)))]
            print(
                f"{clients:3} clients: {count / minutes:6.1f} pages a minute, alone {count / alone:6.1f}, "
                f"ratio {alone / minutes:.2f}; waited {statistics.median(waits):.2f} s, 95 %: {high:.2f} s; "
                f"processor {spent:.2f} s a page, alone {spent_alone:.2f}",
                flush=True,
            )


@contextmanager
def served() -> Iterator[tuple[str, int]]:
    """Yield the address of a server and the number of its process."""
    command = [sys.executable, "-m", "sketchcolor_cli", "serve", "--token", TOKEN]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        try:
            wait_until_ready(address)
            yield address, server.pid
        finally:
            server.terminate()


def on_the_command_line(home: Path) -> tuple[float, float]:
    """Return the minutes that the pages themselves take, and the processor seconds of the whole command.

    By the clock, loading the network does not count, as the server has done it, too.
    """
    done: list[float] = []
    words = ["colorize", str(home / "pages"), "-o", str(home / "out")]
    before = sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
    with subprocess.Popen([sys.executable, "-m", "sketchcolor_cli", *words], stderr=subprocess.DEVNULL):
        pages = len(list((home / "pages").glob("*.png")))
        while len(done) < pages:
            done += [time.perf_counter()] * (len(list(home.glob("out/*.png"))) - len(done))
            time.sleep(0.01)
    spent = sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2]) - before
    return (done[-1] - done[0]) / 60 * pages / max(1, pages - 1), spent


def over_http(address: str, pages: list[Path], clients: int) -> tuple[float, list[float]]:
    """Return the minutes that all take, and the seconds that each waited."""

    def color(page: Path) -> float:
        start = time.perf_counter()
        headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "image/png"}
        files = {"image": (page.name, page.read_bytes())}
        answer = client.post(f"{address}api/v1/colorize", headers=headers, files=files)
        answer.raise_for_status()
        return time.perf_counter() - start

    # Connections are kept, as programs do it: a new client loads its certificates each time.
    with httpx.Client(timeout=600) as client, ThreadPoolExecutor(clients) as pool:
        start = time.perf_counter()
        waits = list(pool.map(color, pages))
        return (time.perf_counter() - start) / 60, waits


if __name__ == "__main__":
    main()
