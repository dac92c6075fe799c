"""A run on a Ray cluster of two nodes that loses a worker and a node meanwhile, beside an undisturbed run.

    python benchmarks/cluster.py [PAGES]       # default: 24

Both nodes are on this machine, each with one processor. Small pages are coloured once without Ray, and once
on the cluster: a third through, a worker is killed (SIGKILL), and after two thirds a node with its worker.
The results must be the same to the byte, and the journal must have each file finished once. ONNX Runtime
computes, since by torch results depend in the last bit on the number of threads, which Ray makes another.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil
from kills import EXAMPLES, check, results
from PIL import Image
from ray.cluster_utils import Cluster


def make(source: Path, count: int) -> None:
    """Write small pages, each a little different."""
    source.mkdir()
    with Image.open(min(EXAMPLES.glob("*.png"))) as image:
        page = image.convert("L").resize((image.width // 2, image.height // 2))
    for number in range(count):
        page.putpixel((0, 0), number)
        page.save(source / f"{number:03}.png")


def start(source: Path, output: Path, *more: str) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "sketchcolor_cli", "colorize", str(source), "-o", str(output), *more]
    return subprocess.Popen([*words, "--device", "cpu", "--backend", "onnx"])


def wait_for(output: Path, count: int, run: subprocess.Popen[bytes]) -> None:
    """Wait until so many results are there."""
    while len(results(output)) < count:
        assert run.poll() is None, "the run ended early"
        time.sleep(0.1)


def workers() -> list[psutil.Process]:
    """Return the processes that hold a network."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if "ray::Worker" in " ".join(process.info["cmdline"] or [])
    ]


def finished(output: Path) -> Counter[str]:
    """Return how often the journal says of each file that it is finished."""
    [journal] = (output / ".sketchcolor").glob("*.jsonl")
    records = map(json.loads, journal.read_text(encoding="utf-8").splitlines())
    return Counter(record["target"] for record in records if record.get("bytes", 0) > 0)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 24
    with tempfile.TemporaryDirectory() as scratch:
        source, whole, shared = (Path(scratch, name) for name in ("in", "whole", "shared"))
        make(source, count)
        os.environ.setdefault("RAY_worker_niceness", "0")  # or workers wait for every other program
        assert start(source, whole).wait() == 0
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        second = cluster.add_node(num_cpus=1)
        cluster.wait_for_nodes()
        began = time.monotonic()
        run = start(source, shared, "--ray", cluster.address, "--jobs", "2")
        wait_for(shared, count // 3, run)
        os.kill(workers()[0].pid, signal.SIGKILL)
        print("killed a worker", flush=True)
        wait_for(shared, 2 * count // 3, run)
        cluster.remove_node(second, allow_graceful=False)
        print("killed a node", flush=True)
        assert run.wait(timeout=600) == 0
        print(f"{count} pages on two nodes, of which one was lost: {time.monotonic() - began:.0f} s")
        check(results(whole), results(shared))
        assert set(finished(shared).values()) == {1}, finished(shared)
        print("all results are the same to the byte, and none was written twice")
        cluster.shutdown()


if __name__ == "__main__":
    main()
