"""Feed damaged files to each reader of outside bytes, and see whether any is met by more than one clear line.

    python benchmarks/fuzz.py [READER ...] [--minutes 10] [--seed 0] [--from 0] [--patience 60] [--out FOLDER]

Inputs are made from sound ones, drawn by our own code, by random changes; the seed and an input's number say
which, so that ``READER --seed S --only NUMBER`` makes one again and shows what happens. They are read in a
process of their own, which is started again where one ends it. Minutes are of that process's processor
time, so that a busy machine tries as much as an idle one; after four times as long by the clock it stops
all the same. Findings are: an exception that is not of the
tree of expected errors, more than 5 s of processor time, more than 1 GiB of memory above what there was, the
end of the process, and a wrong outcome that nobody is told of. Each is kept once, with its input, in FOLDER.
"""

from __future__ import annotations

import argparse
import os
import select
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

SECONDS = 5.0  # of processor time, for one input
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Tally:
    """What became of a reader's inputs."""

    inputs: int = 0
    read: int = 0
    busy: float = 0.0  # seconds of processor time
    findings: Counter[str] = field(default_factory=Counter)

    def row(self, name: str) -> str:
        """Return the reader's line of the table."""
        share = self.read / max(1, self.inputs)
        counts = f"{self.inputs:8} inputs {share:6.1%} read {len(self.findings):3} findings"
        return f"{name:12} {self.busy / 60:5.1f} min {counts}"


class Child:
    """The process that reads inputs; what it says is read line by line."""

    def __init__(self, name: str, seed: int, first: int, out: Path) -> None:
        command = [sys.executable, "-m", "fuzzing.child", name, str(seed), str(first), str(out)]
        here = Path(__file__).parent
        paths = os.pathsep.join([str(here), os.environ.get("PYTHONPATH", "")])
        with (out / f"{name}.stderr").open("ab") as noise:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=noise, env={**os.environ, "PYTHONPATH": paths}
            )
        self._rest = b""

    def lines(self, patience: float) -> list[str] | None:
        """Return the lines that came within so many seconds; None when the process has ended."""
        assert self.process.stdout is not None
        if not select.select([self.process.stdout], [], [], patience)[0]:
            return []
        piece = os.read(self.process.stdout.fileno(), 65536)
        if not piece:
            return None
        *whole, self._rest = (self._rest + piece).split(b"\n")
        return [line.decode() for line in whole]

    def busy(self) -> float:
        """Return how many seconds of processor time it has taken."""
        try:
            words = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has ended, which is noticed when nothing comes of it
            return 0.0
        return (int(words[11]) + int(words[12])) / _TICKS

    def end(self) -> int:
        """End it, and return how it ended."""
        self.process.kill()
        return self.process.wait()


def fuzz(name: str, seconds: float, seed: int, first: int, patience: float, out: Path) -> Tally:
    tally, until, number, started = Tally(), time.monotonic() + 4 * seconds, first, False
    child = Child(name, seed, number, out)
    begun, spent, ended = time.monotonic(), child.busy(), 0.0
    while time.monotonic() < until and tally.busy < seconds:
        tally.busy = ended + child.busy()
        lines = child.lines(0.5)
        if lines is None:
            tally.findings[f"the process ended ({child.end()}) at {number}"] += 1
        for line in lines or ():
            begun, started = time.monotonic(), True
            spent = child.busy()
            what, _, more = line.partition(" ")
            if what == "begin":
                number = int(more)
                tally.inputs += 1
            elif what == "read":
                tally.read += 1
            else:
                tally.findings[more] += 1
        late = ""
        if started and not lines:
            if child.busy() - spent > SECONDS:
                late = f"over {SECONDS:g} s of processor time"
            elif time.monotonic() - begun > patience:
                late = f"nothing for {patience:g} s by the clock"
        if late:
            tally.findings[f"{late}, at {number}"] += 1
            child.end()
        if late or lines is None:
            if len(tally.findings) > 40:
                break
            child, started = Child(name, seed, number + 1, out), False
            begun, spent, ended = time.monotonic(), 0.0, tally.busy
    child.end()
    return tally


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("readers", nargs="*")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--patience", type=float, default=60, help="seconds by the clock for one input")
    parser.add_argument("--only", type=int)
    parser.add_argument("--out", type=Path, default=Path("fuzz-findings"))
    asked = parser.parse_args()
    from fuzzing.readers import READERS

    if unknown := sorted(set(asked.readers) - READERS.keys()):
        parser.error(f"no reader is called {', '.join(unknown)}; there are {', '.join(READERS)}")
    asked.out.mkdir(parents=True, exist_ok=True)
    for name in asked.readers or READERS:
        if asked.only is not None:
            command = [
                "-m",
                "fuzzing.child",
                name,
                str(asked.seed),
                str(asked.only),
                str(asked.out),
                "--once",
            ]
            paths = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
            subprocess.run([sys.executable, *command], env={**os.environ, "PYTHONPATH": paths}, check=False)
            continue
        tally = fuzz(name, asked.minutes * 60, asked.seed, asked.first, asked.patience, asked.out)
        print(tally.row(name), flush=True)
        for what, count in tally.findings.most_common():
            print(f"    {count} × {what}", flush=True)


if __name__ == "__main__":
    main()
