"""Kill the real command at random moments, and see whether anything is lost.

    python benchmarks/kills.py [KILLS]       # default: 20

Colours small example pages as a folder, a CBZ and a PDF with the default model: once undisturbed, and once
killed (SIGKILL) again and again at random moments and started again with the same words. The results must be
the same to the byte.
"""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from PIL import Image

EXAMPLES = Path(__file__).parent.parent / "examples" / "pages"


def start(source: Path, output: Path) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "sketchcolor_cli", "colorize", str(source), "-o", str(output)]
    return subprocess.Popen([*words, "--device", "cpu"], stderr=subprocess.DEVNULL)


def results(output: Path) -> dict[str, bytes]:
    found = (path for path in output.rglob("*") if path.is_file() and ".sketchcolor" not in path.parts)
    return {path.relative_to(output).as_posix(): path.read_bytes() for path in found if path.suffix != ".tmp"}


def make(source: Path) -> int:
    """Make a folder, a CBZ and a PDF of small copies, so that there is much to interrupt, and count pages."""
    loose = source / "loose"
    loose.mkdir(parents=True)
    for page in sorted(EXAMPLES.glob("*.png")):
        with Image.open(page) as image:
            small = image.convert("L").resize((image.width // 3, image.height // 3))
        for number in range(3):
            small.save(loose / f"{number} {page.name}")
    pages = sorted(loose.iterdir())
    with zipfile.ZipFile(source / "book.cbz", "w") as book:
        for page in pages:
            book.write(page, page.name)
        book.writestr("ComicInfo.xml", "<ComicInfo/>")
    images = [Image.open(page) for page in pages]
    images[0].save(source / "book.pdf", save_all=True, append_images=images[1:])
    return 3 * len(pages)


def main() -> None:
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    chance = random.Random(0)  # noqa: S311 - a seed is what is wanted
    with tempfile.TemporaryDirectory() as scratch:
        source, whole, broken = (Path(scratch, name) for name in ("in", "whole", "broken"))
        pages = make(source)
        began = time.monotonic()
        assert start(source, whole).wait() == 0
        seconds = time.monotonic() - began
        print(f"{pages} pages in a folder, a CBZ and a PDF: {seconds:.0f} s undisturbed")
        done = 0
        while done < kills:
            process = start(source, broken)
            try:
                code = process.wait(timeout=chance.uniform(seconds / 4, seconds))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
                done += 1
                left = len(results(broken))
                print(f"killed {done} times, {left} results are there", flush=True)
            else:
                assert code == 0
                check(results(whole), results(broken))
                shutil.rmtree(broken)  # from the beginning, as kills are left
        assert start(source, broken).wait() == 0
        check(results(whole), results(broken))
        print(f"{done} kills: all results are the same to the byte")


def check(whole: dict[str, bytes], broken: dict[str, bytes]) -> None:
    assert whole.keys() == broken.keys(), whole.keys() ^ broken.keys()
    different = [name for name in whole if whole[name] != broken[name]]
    assert not different, different


if __name__ == "__main__":
    main()
