"""How long a page takes, how much memory, and whether its ink was left alone.

    python benchmarks/colorize.py [FOLDER…]       # default: examples/pages

Runs the command as a user would, on 1600×2300 pages (an example page enlarged) and on the folders. Ink pixels
are those of the page with L* ≤ 35; the difference of luma between page and result is in steps of 1/255.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from sketchcolor_cli.imaging.picture import on_paper
from sketchcolor_cli.imaging.reading import read_picture
from sketchcolor_cli.imaging.writing import write_picture

EXAMPLES = Path(__file__).parent.parent / "examples" / "pages"
INK = 82 / 255  # sRGB grey with L* 35


def colorize(*arguments: str | Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "sketchcolor_cli", "colorize", *map(str, arguments), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def luma(path: Path) -> np.ndarray:
    return np.asarray(cv2.cvtColor(on_paper(read_picture(path)), cv2.COLOR_RGB2GRAY))


def main() -> None:
    folders = [Path(name) for name in sys.argv[1:]] or [EXAMPLES]
    with tempfile.TemporaryDirectory() as scratch:
        room = Path(scratch)
        page = read_picture(min(EXAMPLES.glob("*.png")))
        for number in range(3):
            large = cv2.resize(page.rgb, (1600, 2300), interpolation=cv2.INTER_CUBIC).clip(0, 1)
            write_picture(room / "large" / f"{number}.png", replace(page, rgb=large))
        result = colorize(room / "large", "-o", room / "large-out")
        seconds = [page["seconds"] for page in result["done"]]
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        times = ", ".join(f"{spent:.1f}" for spent in seconds)
        print(f"1600×2300 page, read to written: {times} s; peak memory {peak:.0f} MiB")

        result = colorize(*folders, "-o", room / "out")
        print(f"{len(result['done'])} pages done, {len(result['failed'])} failed, {result['seconds']:.0f} s")
        worst = 0.0
        for done in result["done"]:
            before, after = luma(Path(done["source"])), luma(Path(done["target"]))
            assert before.shape == after.shape, done["source"]
            ink = before <= INK
            difference = 255 * float(np.abs(after - before)[ink].mean()) if ink.any() else 0.0
            worst = max(worst, difference)
            name, share = Path(done["source"]).name, ink.mean()
            print(f"{difference:6.3f}/255 on {share:5.1%} ink  {done['seconds']:5.1f} s  {name}")
        print(f"largest mean difference on ink: {worst:.3f}/255")


if __name__ == "__main__":
    main()
