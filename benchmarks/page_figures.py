"""What composition promises, measured: ink, colours at two working sizes, the seams of a strip, a huge scan.

    python benchmarks/page_figures.py [FOLDER…] [--reference FOLDER] [--huge]     # default: examples/pages

- ink: largest difference of luma between page and result on pixels of L* ≤ 35, in steps of 1/255
- 576 against 1152: mean CIEDE2000 between the results of both working sizes; pages are shown at 1152 at least
- strip: an 800×20 000 strip of two example pages in turn; how far the colours of one page differ between its
  places in the strip, and the largest step from one row to the next beside the median
- huge (with --huge): peak memory for a 6000×9000 scan of 16 bits, read to written
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from commands import measured

from sketchcolor_cli.color.luma import LUMA
from sketchcolor_cli.coloring.colorizer import Colorizer
from sketchcolor_cli.coloring.settings import ColorizeSettings
from sketchcolor_cli.environment import model_file
from sketchcolor_cli.files.worklist import IMAGE_SUFFIXES
from sketchcolor_cli.imaging.picture import on_paper, to_tensor
from sketchcolor_cli.imaging.reading import read_picture
from sketchcolor_cli.metrics.pictures import delta_e
from sketchcolor_cli.networks.base import ColorNet
from sketchcolor_cli.networks.checkpoint import load_model

EXAMPLES = Path(__file__).parent.parent / "examples"
INK = 82 / 255  # sRGB grey with L* 35


def luma(rgb: np.ndarray) -> np.ndarray:
    return rgb @ LUMA


def as_read(rgb: np.ndarray) -> np.ndarray:
    """Return the picture as it is after being written with 8 bits."""
    return np.asarray(np.rint(rgb * 255) / 255, np.float32)


def pages(folders: list[Path], references: Path | None) -> None:
    model, _ = load_model(model_file("default"), ColorNet)
    color = {size: Colorizer(model, "cpu", ColorizeSettings(work_size=size)) for size in (576, 1152)}
    worst_ink, all_apart = 0.0, []
    for folder in folders:
        for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES):
            page = read_picture(path)
            scale = max(1, 1152 / min(page.rgb.shape[:2]))
            if scale > 1:
                large = cv2.resize(page.rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
                page = replace(page, rgb=large.clip(0, 1), alpha=None)
            given = references / path.relative_to(folder).with_suffix(".png") if references else None
            rough = read_picture(given) if given and given.exists() else None
            results = {size: as_read(colorizer(page, rough).rgb) for size, colorizer in color.items()}
            before = luma(on_paper(page))
            ink = before <= INK
            off = max(
                255 * float(np.abs(luma(result) - before)[ink].max(initial=0)) for result in results.values()
            )
            apart = float(delta_e(to_tensor(results[576]), to_tensor(results[1152])).mean())
            worst_ink = max(worst_ink, off)
            all_apart.append(apart)
            hint = " with reference" if rough else ""
            print(
                f"ink off by at most {off:.2f}/255   576 against 1152: ΔE00 {apart:.2f}   {path.name}{hint}"
            )
    print(f"largest difference on ink: {worst_ink:.2f}/255")
    print(f"576 against 1152: mean ΔE00 {np.mean(all_apart):.2f}, largest of a page {max(all_apart):.2f}")


def strip() -> None:
    model, _ = load_model(model_file("default"), ColorNet)
    paths = sorted((EXAMPLES / "pages").glob("page*.png"))
    sheets = [cv2.resize(read_picture(path).rgb, (800, 1152), interpolation=cv2.INTER_AREA) for path in paths]
    page = replace(read_picture(paths[0]), rgb=np.concatenate((sheets * 9)[:18])[:20_000])
    result = Colorizer(model, "cpu")(page).rgb
    lab = cv2.cvtColor(cv2.resize(result, (200, 5000), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2LAB)
    per_row = np.linalg.norm(np.diff(lab[..., 1:], axis=0), axis=2).mean(1)
    same = lab[: 288 * 2 * 8].reshape(8, 576, 200, 3)
    drift = np.linalg.norm(same - same.mean(0), axis=3).mean()
    print(f"strip {result.shape[1]}×{result.shape[0]}: a page at 8 places differs by {drift:.2f} in Lab")
    print(f"step of a*b* from row to row: median {np.median(per_row):.2f}, largest {per_row.max():.2f}")


def huge() -> None:
    enlarge = (
        "import sys, cv2; from dataclasses import replace; from pathlib import Path;"
        "from sketchcolor_cli.imaging.reading import read_picture;"
        "from sketchcolor_cli.imaging.writing import write_picture;"
        "page = read_picture(Path(sys.argv[1]));"
        "large = cv2.resize(page.rgb, (6000, 9000), interpolation=cv2.INTER_CUBIC).clip(0, 1);"
        "write_picture(Path(sys.argv[2]), replace(page, rgb=large, bits=16))"
    )
    with tempfile.TemporaryDirectory() as scratch:
        source, target = Path(scratch) / "scan.png", Path(scratch) / "out" / "scan.png"
        example = min((EXAMPLES / "pages").glob("*.png"))
        subprocess.run([sys.executable, "-c", enlarge, str(example), str(source)], check=True)
        _, peak = measured(["colorize", source, "-o", target.parent])
        print(f"6000×9000 of {read_picture(target).bits} bits: peak memory {peak / 1024:.2f} GiB")


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("folders", nargs="*", type=Path, default=[EXAMPLES / "pages"])
    options.add_argument("--reference", type=Path)
    options.add_argument("--huge", action="store_true")
    given = options.parse_args()
    pages(given.folders, given.reference)
    strip()
    if given.huge:
        huge()


if __name__ == "__main__":
    main()
