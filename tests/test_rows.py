"""Huge pictures, of which only the samples are held: pages come out the same, and are never made whole."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image, ImageCms

from sketchcolor_cli.coloring.colorizer import Colorizer
from sketchcolor_cli.coloring.extras.outputs import Colored
from sketchcolor_cli.coloring.page import colored as page_colors
from sketchcolor_cli.coloring.page import colored_ink
from sketchcolor_cli.coloring.page.line_layer import with_paper
from sketchcolor_cli.coloring.paint import composite
from sketchcolor_cli.imaging import png, rows
from sketchcolor_cli.imaging.reading import read_picture
from sketchcolor_cli.imaging.rows import Rows
from test_colored import drawing
from test_colorizer import Witness

if TYPE_CHECKING:
    from pathlib import Path

OWN = {"deep alpha": "OwnColors", "profile": "OwnColors", "cmyk": "OwnColors"}
OWN |= {"blue": "ColoredInk", "grey": "NoneType", "layer": "NoneType"}


def page_file(folder: Path, kind: str) -> Path:
    """Return the file of a page: with a stamp, in blue ink, or without colour; stored in some way."""
    page = np.rint(255 * drawing()).astype(np.uint8)
    if kind == "blue":
        page = (255 - (255 - page.astype(int)) * (200, 170, 40) // 255).astype(np.uint8)
    elif kind == "grey":  # of a scanner, no channel like another
        page = np.maximum(page, 1) - np.eye(3, dtype=np.uint8)[np.indices(page.shape[:2]).sum(0) % 3]
    elif kind == "layer":
        page = np.concatenate([0 * page, 255 - page[..., :1]], 2)
    else:
        page[100:180, 470:550] = (200, 30, 40)
    path = folder / ("page.tif" if kind == "cmyk" else "page.png")
    if kind == "deep alpha":
        deep = np.full((*page.shape[:2], 4), 65535, np.uint16)
        deep[..., :3], deep[:, :20, 3] = page.astype(np.uint16) * 257, 0
        path.write_bytes(png.encode([deep], len(deep), None, None))
        return path
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # With red and green changed places it is another profile.
    swapped = srgb.replace(b"rXYZ", b"tXYZ").replace(b"gXYZ", b"rXYZ").replace(b"tXYZ", b"gXYZ")
    image = Image.fromarray(page)
    image = image.convert("CMYK") if kind == "cmyk" else image
    image.save(path, icc_profile=swapped if kind == "profile" else None)
    return path


def colored(path: Path) -> Colored:
    page, color = read_picture(path), Colorizer(Witness(), "cpu")
    assert not color.stays(page)
    page = with_paper(page)
    return Colored(page, color.paint(page))


@pytest.mark.parametrize("kind", OWN)
def test_a_huge_page_comes_out_as_any_other_and_is_never_made_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    # Copies that are looked at are smaller than the page, as those of huge pages are.
    monkeypatch.setattr(page_colors, "_RULES", replace(page_colors._RULES, fine_side=600))
    monkeypatch.setattr(colored_ink, "_RULES", replace(colored_ink._RULES, side=600))
    path = page_file(tmp_path, kind)
    done = colored(path)
    due = {ending: done.encoded(tmp_path / ending) for ending in ("a.png", "a.jpg")}
    taken, take = [], Rows.__getitem__

    def counted(rows: Rows, some: slice) -> np.ndarray:
        values = take(rows, some)
        taken.append(len(values))
        return values

    monkeypatch.setattr(Rows, "__getitem__", counted)
    monkeypatch.setattr(rows, "_HUGE_PAGE", 1000)
    monkeypatch.setattr(composite, "_BAND", 200_000)
    huge = colored(path)
    assert {ending: huge.encoded(tmp_path / ending) for ending in due} == due
    assert max(taken) < 800 / 2
    assert huge.painted is not None
    assert type(huge.painted.own).__name__ == OWN[kind]
    assert np.array_equal(huge.page.rgb, done.page.rgb)
