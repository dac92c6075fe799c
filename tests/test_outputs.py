"""What comes beside a coloured page."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from sketchcolor_cli.coloring.colorizer import Colorizer, Painted
from sketchcolor_cli.coloring.extras.outputs import Colored, with_extras
from sketchcolor_cli.coloring.page.stays import Stays
from sketchcolor_cli.coloring.settings import Extras, LayerFormat
from sketchcolor_cli.errors import ImageError
from sketchcolor_cli.files.worklist import Job
from sketchcolor_cli.imaging.picture import Picture, gray_as_rgb
from sketchcolor_cli.imaging.writing import write_picture
from sketchcolor_cli.jobs.outputs import write_page
from sketchcolor_cli.jobs.requests import ColorizeRequest
from test_colorizer import RED, REDO, Witness, strokes

if TYPE_CHECKING:
    from pathlib import Path


def page() -> Picture:
    rgb = np.ones((96, 80, 3), np.float32)
    rgb[:, 39:42] = 0
    return Picture(rgb=rgb, gray=True)


def finished(color: Colorizer, extras: Extras, *hints: Picture) -> Colored:
    paint = color.paint(page(), (), hints)
    return with_extras(page(), paint, hints, extras, color.painter.palette)


def test_nothing_else_is_made_when_nothing_is_asked_for() -> None:
    color = Colorizer(Witness(), "cpu", REDO)
    done = finished(color, Extras())
    assert np.array_equal(done.picture.rgb, color(page()).rgb)
    assert (done.masks, done.flats, done.layers) == (None, None, ())


def test_all_extras() -> None:
    color = Colorizer(Witness(), "cpu", REDO)
    hint = strokes(96, 80, np.s_[10:20, 10:20], RED)
    done = finished(color, Extras(shown_masks=True, flats=True, layers=LayerFormat.ORA), hint)
    assert np.array_equal(done.picture.rgb, color(page(), (), (hint,)).rgb)
    assert done.masks is not None
    assert done.flats is not None
    assert np.allclose(done.flats.rgb[:, :39], (1, 0, 0), atol=0.02)  # asked for, though it is a margin
    assert (done.flats.rgb[:, 42:] == 1).all()
    assert [layer.name for layer in done.layers] == ["paper", "flats", "shading", "ink", "hints"]
    assert not done.layers[-1].visible
    assert done.layers[-1].image[15, 15].tolist() == [255, 0, 0, 255]


def test_the_layers_together_look_like_the_page() -> None:
    done = finished(Colorizer(Witness(), "cpu", REDO), Extras(layers=LayerFormat.ORA))
    shown = np.ones((96, 80, 3))
    for layer in done.layers:
        if layer.visible:
            image = layer.image[..., :3] / 255
            shown = shown * image if layer.multiply else image
    assert np.abs(shown - done.picture.rgb).max() < 0.03


@pytest.mark.parametrize("ending", ["png", "jpg", "tif"])
def test_a_page_written_row_by_row_is_the_page(tmp_path: Path, ending: str) -> None:
    done = finished(Colorizer(Witness(), "cpu", REDO), Extras())
    done.write(tmp_path / f"rows.{ending}")
    write_picture(tmp_path / f"whole.{ending}", done.picture)
    assert (tmp_path / f"rows.{ending}").read_bytes() == (tmp_path / f"whole.{ending}").read_bytes()


def test_a_huge_page_is_never_whole_in_memory_as_numbers(tmp_path: Path) -> None:
    gray = np.ones((3000, 3000), np.float32)
    gray[:, ::50] = 0
    small = cv2.resize(gray, (300, 300), interpolation=cv2.INTER_AREA)
    painted = Painted(gray, small, np.full((75, 75, 3), (60, 20, 20), np.float32))
    done = Colored(Picture(gray_as_rgb(gray), gray=True), painted)
    tracemalloc.start()
    done.write(tmp_path / "page.png")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 0.9 * 12 * gray.size


def test_a_page_that_stays_and_is_gone_when_it_is_copied_is_no_fault_of_the_program(tmp_path: Path) -> None:
    job = Job(tmp_path / "gone.png", tmp_path / "out" / "gone.png")
    request = ColorizeRequest.of(inputs=[tmp_path], output=tmp_path / "out")
    with pytest.raises(ImageError, match=r"gone\.png: cannot be read any more \(No such file or directory\)"):
        write_page(job, Colored(page(), stays=Stays.COLORED), request)
