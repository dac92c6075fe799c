"""Runs on a Ray cluster of two nodes that lose a worker and a node meanwhile, beside undisturbed runs.

    python benchmarks/cluster.py [PAGES] [COMMAND…]       # default: 24 colorize prepare evaluate

Both nodes are on this machine, each with one processor. Small pages are coloured, packed into shards, and
coloured and measured: once without Ray, and once on the cluster. A third through, a worker is killed
(SIGKILL), and after two thirds a node with its worker. The results must be the same to the byte, but for the
times and the memory in an evaluation; and the journal of `colorize` must have each file finished once.

ONNX Runtime colours, and all runs have one thread of torch, as Ray gives a worker with one processor: by
torch, results depend in the last bit on the number of threads.
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
from contextlib import chdir
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
from kills import EXAMPLES, check, results
from PIL import Image
from ray.cluster_utils import Cluster

from sketchcolor_cli import DatasetPrepareRequest, EvaluateRequest, prepare_dataset
from sketchcolor_cli import evaluate as measure
from sketchcolor_cli.evaluation.settings import Choice, EvaluateSettings
from sketchcolor_cli.jobs.evaluate import DOCUMENT
from sketchcolor_cli.jobs.progress import Step

if TYPE_CHECKING:
    from collections.abc import Callable

_SIDE = 300  # of pictures to pack and to measure, in pixels


def make(source: Path, count: int) -> None:
    """Write small pages, each a little different."""
    source.mkdir()
    with Image.open(min(EXAMPLES.glob("*.png"))) as image:
        page = image.convert("L").resize((image.width // 2, image.height // 2))
    for number in range(count):
        page.putpixel((0, 0), number)
        page.save(source / f"{number:03}.png")


def make_colored(source: Path, count: int) -> None:
    """Write small pictures of coloured boxes in groups of four, some of them there twice."""
    random = np.random.default_rng(0)
    for number in range(count):
        rgb = np.full((_SIDE, _SIDE, 3), 255, np.uint8)
        for top, left in random.integers(0, _SIDE - 80, (9, 2)):
            rgb[top : top + 80, left : left + 80] = 0
            rgb[top + 2 : top + 78, left + 2 : left + 78] = random.integers(0, 256, 3)
        folder = source / f"{number // 4:03}"
        folder.mkdir(parents=True, exist_ok=True)
        for name in (number, *([f"{number} again"] if number % 8 == 0 else [])):
            Image.fromarray(rgb).save(folder / f"{name}.png")


def start(source: Path, output: Path, *more: str) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "sketchcolor_cli", "colorize", str(source), "-o", str(output), *more]
    return subprocess.Popen([*words, "--device", "cpu", "--backend", "onnx"])


def wait_for(output: Path, count: int, run: subprocess.Popen[bytes]) -> None:
    """Wait until so many results are there."""
    while len(results(output)) < count:
        assert run.poll() is None, "the run ended early"
        time.sleep(0.1)


def kill_a_worker() -> None:
    """Kill a process that holds networks."""
    workers = [
        process
        for process in psutil.process_iter(["cmdline"])
        if "ray::Worker" in " ".join(process.info["cmdline"] or [])
    ]
    os.kill(workers[0].pid, signal.SIGKILL)
    print("killed a worker", flush=True)


class TwoNodes:
    """A cluster of two nodes for the time of a block, of which the second can be killed."""

    def __enter__(self) -> TwoNodes:
        self._cluster = Cluster(
            initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
        )
        self._second = self._cluster.add_node(num_cpus=1)
        self._cluster.wait_for_nodes()
        self.address = self._cluster.address
        self._began = time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        print(f"two nodes, of which one was lost: {time.monotonic() - self._began:.0f} s", flush=True)
        self._cluster.shutdown()

    def kill_a_node(self) -> None:
        """Kill the second node, with its worker."""
        self._cluster.remove_node(self._second, allow_graceful=False)
        print("killed a node", flush=True)


class Losses:
    """A listener that kills a worker after a third of the work, and a node after two thirds."""

    def __init__(self, nodes: TwoNodes) -> None:
        self._losses = [kill_a_worker, nodes.kill_a_node]

    def __call__(self, happening: object) -> None:
        """See ``jobs.progress.Progress``."""
        if isinstance(happening, Step) and happening.total and self._losses:
            third = 3 - len(self._losses)
            if 3 * happening.done >= third * happening.total:
                self._losses.pop(0)()

    def all_happened(self) -> bool:
        """Whether both were killed while there was work left."""
        return not self._losses


def finished(output: Path) -> Counter[str]:
    """Return how often the journal says of each file that it is finished."""
    [journal] = (output / ".sketchcolor").glob("*.jsonl")
    records = map(json.loads, journal.read_text(encoding="utf-8").splitlines())
    return Counter(record["target"] for record in records if record.get("bytes", 0) > 0)


def colorize(scratch: Path, count: int) -> None:
    source, whole, shared = (scratch / name for name in ("in", "whole", "shared"))
    make(source, count)
    assert start(source, whole).wait() == 0
    with TwoNodes() as nodes:
        run = start(source, shared, "--ray", nodes.address, "--jobs", "2")
        wait_for(shared, count // 3, run)
        kill_a_worker()
        wait_for(shared, 2 * count // 3, run)
        nodes.kill_a_node()
        assert run.wait(timeout=600) == 0
    check(results(whole), results(shared))
    assert set(finished(shared).values()) == {1}, finished(shared)
    print(f"colorize: {count} pages are the same to the byte, and none was written twice")


def prepare(scratch: Path, count: int) -> None:
    source, whole, shared = (Path(name) for name in ("in", "whole", "shared"))
    with TwoNodes() as nodes, chdir(scratch):  # names are relative to a folder that the nodes do not know
        make_colored(source, count)
        asked = DatasetPrepareRequest.of(inputs=[source], output=whole, shard_size=5, lines=source)
        found = prepare_dataset(asked)
        assert found.dropped["duplicate"]
        losses = Losses(nodes)
        assert prepare_dataset(replace(asked, output=shared, ray=nodes.address), losses) == found
        assert losses.all_happened()
        check(results(whole), results(shared))
    print(f"prepare: {found.packed} pictures in {found.shards} shards are the same to the byte")


def evaluate(scratch: Path, count: int) -> None:
    source, whole, shared = (scratch / name for name in ("in", "whole", "shared"))
    make_colored(source, count)
    settings = EvaluateSettings(chosen=(Choice.NONE, Choice.OTHER), limit=count, stability_limit=1)
    asked = EvaluateRequest(str(source), whole, settings=settings, device="cpu", backend="onnx")
    measure(asked)
    with TwoNodes() as nodes:
        losses = Losses(nodes)
        found = measure(replace(asked, output=shared, ray=nodes.address), losses)
    assert losses.all_happened()
    assert len({(row.key, row.protocol) for row in found.rows}) == len(found.rows) == 2 * count
    documents = [json.loads((folder / DOCUMENT).read_bytes()) for folder in (whole, shared)]
    assert figures(documents[0]) == figures(documents[1])
    print(f"evaluate: the figures of {count} pictures are the same to the last digit")


def figures(document: dict[str, Any]) -> str:
    """Return a document without what depends on how fast and where it was made."""
    document["protocol"].pop("peak_memory_gb")
    for row in document["pictures"]:
        row["figures"].pop("seconds")
    for protocols in document["summaries"].values():
        for summary in protocols.values():
            summary.pop("seconds")
    return json.dumps(document)


COMMANDS: dict[str, Callable[[Path, int], None]] = {
    "colorize": colorize,
    "prepare": prepare,
    "evaluate": evaluate,
}


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 24
    os.environ["OMP_NUM_THREADS"] = "1"  # read when torch is imported
    os.environ.setdefault("RAY_worker_niceness", "0")  # or workers wait for every other program
    for name in sys.argv[2:] or COMMANDS:
        with tempfile.TemporaryDirectory() as scratch:
            COMMANDS[name](Path(scratch), count)


if __name__ == "__main__":
    main()
