"""Where a coloured page and the parts beside it are written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sketchcolor_cli.cli.aids import Aids
from sketchcolor_cli.cli.page_options import parts_place, write_page
from sketchcolor_cli.coloring.extras.layers import Layer
from sketchcolor_cli.coloring.extras.outputs import Colored
from sketchcolor_cli.coloring.settings import LayerFormat, Parts
from sketchcolor_cli.files.worklist import Job
from sketchcolor_cli.imaging.images import Picture, read_picture, write_picture
from sketchcolor_cli.imaging.settings import Saving

WHITE = Picture(rgb=np.ones((6, 8, 3), np.float32))


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        (LayerFormat.ORA, ["a/1.ora"]),
        (LayerFormat.PNG, ["a/1.layers/1 paper.png"]),
    ],
)
def test_parts_go_beside_the_page(tmp_path: Path, kind: LayerFormat, written: list[str]) -> None:
    out = tmp_path / "out"
    layer = Layer("paper", np.full((6, 8, 3), 255, np.uint8))
    done = Colored(WHITE, masks=WHITE, flats=WHITE, layers=(layer,))
    job = Job(tmp_path / "in/a/1.jpg", out / "a/1.jpg")
    parts = Parts(masks=True, flats=True, layers=kind)
    assert write_page(job, done, out, Saving(), parts, tmp_path / "masks") is None
    assert names(out) == sorted(["a/1.jpg", "a/1.flats.png", *written])
    assert names(tmp_path / "masks") == ["a/1.png"]


def test_parts_of_a_books_pages_go_beside_the_book() -> None:
    out = Path("out")
    job = Job(Path("in/b.cbz/ch 1/2.png"), out / "b.cbz/ch 1/2.png")
    assert parts_place(job, out) == out / "b.parts/ch 1/2.png"
    assert parts_place(Job(Path("in/2.png"), out / "2.png"), out) == out / "2.png"


def test_a_page_that_stays_is_copied_byte_for_byte(tmp_path: Path) -> None:
    write_picture(tmp_path / "1.png", WHITE)
    job = Job(tmp_path / "1.png", tmp_path / "out/1.png")
    said = write_page(job, Colored(WHITE, kept=True), tmp_path / "out", Saving(), Parts(), None)
    assert said == {"kept": "in colour already"}
    assert (tmp_path / "out/1.png").read_bytes() == (tmp_path / "1.png").read_bytes()
    job = Job(tmp_path / "1.png", tmp_path / "out/1.webp")
    write_page(job, Colored(WHITE, kept=True), tmp_path / "out", Saving(), Parts(), None)
    assert read_picture(tmp_path / "out/1.webp").format == "WEBP"


def test_points_and_pictures_are_read_for_their_page(tmp_path: Path) -> None:
    (tmp_path / "points.json").write_text('[{"page": "1", "x": 2, "y": 1, "color": "#f00", "radius": 0}]')
    layer = Picture(rgb=np.zeros((6, 8, 3), np.float32), alpha=np.zeros((6, 8), np.float32))
    write_picture(tmp_path / "strokes.png", layer)
    aids = Aids.given("hints", [tmp_path / "strokes.png", tmp_path / "points.json"])
    read = aids.reader(tmp_path / "out", read_picture)
    first, second = (Job(tmp_path / f"{n}.png", tmp_path / f"out/{n}.png") for n in (1, 2))
    points, strokes = read(first, WHITE)
    assert points.rgb[1, 2].tolist() == [1, 0, 0]
    assert strokes.alpha is not None
    assert len(read(second, WHITE)) == 1
    assert len(aids.files_of(first, tmp_path / "out")) == 2
