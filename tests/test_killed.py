"""A run that is killed with SIGKILL at random moments, and run again until it ends, gives the same bytes.

Its steps work on bytes, so that the process starts quickly; benchmarks/kills.py kills the real command.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from book_files import write_tar, write_zip

if TYPE_CHECKING:
    from pathlib import Path

RUN = """
import sys, time
from pathlib import Path
from sketchcolor_cli.jobs.pipeline import Steps
from sketchcolor_cli.jobs.settings import Existing
from sketchcolor_cli.files.books.opening import open_book
from sketchcolor_cli.jobs.journal import Journal
from sketchcolor_cli.jobs.plan import Planner
from sketchcolor_cli.jobs.run import Runner
from sketchcolor_cli.files.settings import Container
from sketchcolor_cli.files.worklist import build_worklist

source, output = map(Path, sys.argv[1:])

def compute(texts):
    time.sleep(0.02)
    return [text[::-1] for text in texts]

def write(job, text):
    job.writes.parent.mkdir(parents=True, exist_ok=True)
    draft = job.writes.with_name(f".{job.writes.name}.tmp")
    with draft.open("wb") as file:
        for start in range(0, len(text), 20_000):
            file.write(text[start : start + 20_000])
            time.sleep(0.001)
    draft.replace(job.writes)

print("ready", flush=True)
with Journal(output) as journal:
    jobs = build_worklist([source], output, books=Container.SAME)
    plan = Planner(output, journal, Existing.ERROR, lambda job: "settings", open_book).plan(jobs)
    journal.begin()
    steps = Steps(read=lambda job: job.reads.read_bytes(), compute=compute, write=write, writers=2)
    result = Runner(output, steps, open_book, journal.add, lambda event: None).run(plan)
sys.exit(1 if result.failed else 0)
"""


def results(output: Path) -> dict[str, bytes]:
    found = (path for path in output.rglob("*") if path.is_file())
    return {
        path.relative_to(output).as_posix(): path.read_bytes()
        for path in found
        if ".sketchcolor" not in path.parts and path.suffix != ".tmp"
    }


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL there")
def test_killed_at_random_moments_nothing_is_lost(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    chance = random.Random(0)  # noqa: S311 - a seed is what is wanted
    for number in range(8):
        (source / f"{number}.png").write_bytes(chance.randbytes(100_000))
    entries = {f"p{number}.png": chance.randbytes(100_000) for number in range(8)}
    write_zip(source / "a.cbz", {**entries, "ComicInfo.xml": b"<x/>"})
    write_tar(source / "b.cbt", entries)

    def start(output: Path) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", RUN, str(source), str(output)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        return process

    began = time.monotonic()
    with start(tmp_path / "whole") as process:
        assert process.wait(timeout=60) == 0
    whole = time.monotonic() - began
    expected = results(tmp_path / "whole")
    assert len(expected) == 10

    kills = 0
    for _ in range(30):
        with start(tmp_path / "out") as process:
            try:
                code = process.wait(timeout=chance.uniform(0.02, max(whole / 4, 0.1)))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                code = process.wait()
        if code == -signal.SIGKILL:
            kills += 1
            continue
        assert code == 0  # it may have ended just before it was killed
        break
    else:
        with start(tmp_path / "out") as process:
            assert process.wait(timeout=60) == 0
    assert kills
    assert results(tmp_path / "out") == expected
