"""What the environment says, and what is said to it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from sketchcolor_cli.environment import cache_folder, prepare_process, process_ranks
from sketchcolor_cli.errors import UsageError

# How much processor time threads take that work now and then, and how much where they sleep in between.
CALM = """
import time, torch
torch.set_num_threads(2)
values = torch.ones(2**20)

def seconds():
    values.add_(1)
    start = time.process_time()
    for _ in range(25):
        values.add_(1)
        time.sleep(0.01)
    return time.process_time() - start

print(seconds())
from sketchcolor_cli.environment import prepare_process
prepare_process(ours=False)
print(seconds())
"""


def test_threads_that_wait_sleep_unless_the_user_wants_it_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    prepare_process()
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    prepare_process()
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"


def test_small_matrices_are_multiplied_in_one_thread_unless_the_user_wants_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    prepare_process(small_matrices=True)
    assert os.environ["OPENBLAS_NUM_THREADS"] == "2"
    monkeypatch.delenv("OPENBLAS_NUM_THREADS")
    prepare_process()
    assert "OPENBLAS_NUM_THREADS" not in os.environ
    prepare_process(small_matrices=True)
    assert os.environ["OPENBLAS_NUM_THREADS"] == "1"


def test_it_can_be_said_before_numpy_reads_it() -> None:
    """A worker and the command line know it before they import what computes."""
    names = (
        "sketchcolor_cli.studio.worker",
        "sketchcolor_cli.studio.exporting",
        "sketchcolor_cli.cli.colorize",
    )
    code = f"import sys, {', '.join(names)}; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.skipif(sys.platform != "linux" or (os.cpu_count() or 1) < 2, reason="threads of GNU's OpenMP")
def test_they_sleep_also_where_torch_was_imported_before() -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_"))}

    def gain() -> float:
        done = subprocess.run([sys.executable, "-c", CALM], env=env, capture_output=True, check=True)
        as_it_is, calm = map(float, done.stdout.split())
        return as_it_is / calm

    assert any(gain() > 2 for _ in range(3))  # on a busy machine, threads that spin hardly get to it


def test_values_that_make_no_sense_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKETCHCOLOR_CACHE", "~nobody-of-this-name/cache")
    with pytest.raises(
        UsageError, match=r"SKETCHCOLOR_CACHE: .*: there is no such user; write the whole path"
    ):
        cache_folder()
    monkeypatch.setenv("RANK", "first")
    with pytest.raises(UsageError, match="RANK: first: must be a whole number"):
        process_ranks()
