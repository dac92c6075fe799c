"""The process that reads inputs one after the other: python -m fuzzing.child READER SEED FIRST FOLDER [--once]."""

from __future__ import annotations

import gc
import os
import random
import resource
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from fuzzing.reader import damaged
from fuzzing.readers import READERS

if TYPE_CHECKING:
    from fuzzing.reader import Reader

SECONDS = 5.0  # of processor time
MEMORY = 2**30  # bytes above what there was
_LIMIT = 6 * 2**30  # bytes above what there was at the start, where the system says no


def main() -> None:
    name, seed, first, out, *once = sys.argv[1:]
    says = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print goes elsewhere
    reader = READERS[name]
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as scratch:  # noqa: S108
        folder = Path(scratch)
        seeds = reader.seeds()
        _warm(reader, folder, seeds)
        size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + _LIMIT, size + _LIMIT))
        number, known = int(first), set[str]()
        while True:
            says.write(f"begin {number}\n")
            chance = random.Random(f"{name} {seed} {number}")  # noqa: S311
            suffix, data = damaged(reader, seeds, chance)
            finding, text = _tried(reader, folder, suffix, data)
            if not finding:
                says.write("read\n")
            elif finding != "refused":
                says.write(f"finding {finding}\n")
                if finding not in known:
                    known.add(finding)
                    _keep(Path(out), f"{name}-{seed}-{number}{suffix}", data, f"{finding}\n{text}")
            if once:
                sys.stderr.write(f"{finding or 'read'}\n{text}\n")
                return
            number += 1


def _warm(reader: Reader, folder: Path, seeds: list[tuple[str, bytes]]) -> None:
    """Read the sound inputs, so that libraries are loaded; each must be read."""
    for suffix, data in seeds:
        finding, text = _tried(reader, folder, suffix, data, warm=True)
        if finding:
            sys.stderr.write(f"a sound input {suffix} is not read: {finding}\n{text}\n")


def _tried(reader: Reader, folder: Path, suffix: str, data: bytes, *, warm: bool = False) -> tuple[str, str]:
    """Read an input and return what became of it: nothing, "refused", or a finding, with its traceback."""
    place = folder / "work"
    place.mkdir()
    path = place / f"in{suffix}"
    path.write_bytes(data)
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted again
    before, began = _peak(), time.process_time()
    finding = text = ""
    try:
        reader.use(path)
    except reader.expected as error:
        finding, text = "refused", f"{type(error).__name__}: {error}"
        if not str(error):
            finding = f"no message, at {_where(error)}"
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        finding, text = f"{type(error).__name__} at {_where(error)}", traceback.format_exc()
    if (spent := time.process_time() - began) > SECONDS and not warm:
        finding, text = f"took {spent:.0f} s", text
    if _peak() - before > MEMORY and not warm:
        finding = f"took {(_peak() - before) / 2**30:.1f} GiB"
        gc.collect()
    shutil.rmtree(place, ignore_errors=True)
    return finding, text


def _where(error: BaseException) -> str:
    """Return the innermost line of ours, and the innermost of all."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "sketchcolor" in frame.filename] or frames
    parts = [f"{Path(frame.filename).name}:{frame.name}" for frame in (ours[-1], frames[-1])]
    return " < ".join(dict.fromkeys(parts))


def _peak() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def _keep(out: Path, name: str, data: bytes, text: str) -> None:
    (out / name).write_bytes(data)
    (out / f"{name}.txt").write_text(text)


if __name__ == "__main__":
    main()
