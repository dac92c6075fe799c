"""The command line, run by itself as a user runs it: how long it takes, and its peak memory."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# From a small process: the peak memory of a child begins with that of the process which starts it.
_RUNNER = """
import resource, subprocess, sys, time
start = time.perf_counter()
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def measured(words: Sequence[object]) -> tuple[float, int]:
    """Run ``sketchcolor`` with these words, and return seconds and peak memory in MiB.

    Raises:
        SystemExit: It failed.
    """
    command = [sys.executable, "-m", "sketchcolor_cli", *map(str, words)]
    runner = [sys.executable, "-I", "-c", _RUNNER, *command]
    ran = subprocess.run(runner, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise SystemExit(f"failed: {' '.join(command[2:])}\n{ran.stderr}")
    seconds, peak = ran.stdout.split()
    return float(seconds), int(peak) // 1024
