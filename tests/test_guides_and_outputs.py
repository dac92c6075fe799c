"""Which guides a page has, and where it and its extras are written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sketchcolor_cli.coloring.extras.layers import Layer
from sketchcolor_cli.coloring.extras.outputs import Colored
from sketchcolor_cli.coloring.page.stays import Stays
from sketchcolor_cli.coloring.settings import Extras, LayerFormat
from sketchcolor_cli.errors import DataError
from sketchcolor_cli.files.worklist import Job
from sketchcolor_cli.imaging.picture import Picture
from sketchcolor_cli.imaging.reading import read_picture
from sketchcolor_cli.imaging.writing import write_picture
from sketchcolor_cli.jobs.guides import PageGuides
from sketchcolor_cli.jobs.outputs import extras_place, write_page
from sketchcolor_cli.jobs.requests import ColorizeRequest

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
def test_extras_go_beside_the_page(tmp_path: Path, kind: LayerFormat, written: list[str]) -> None:
    out = tmp_path / "out"
    layer = Layer("paper", np.full((6, 8, 3), 255, np.uint8))
    done = Colored(WHITE, masks=WHITE, flats=WHITE, layers=(layer,))
    job = Job(tmp_path / "in/a/1.jpg", out / "a/1.jpg")
    extras = Extras(flats=True, layers=kind)
    request = ColorizeRequest((tmp_path,), out, beside=extras, debug_masks=tmp_path / "masks")
    assert write_page(job, done, request) is None
    assert names(out) == sorted(["a/1.jpg", "a/1.flats.png", *written])
    assert names(tmp_path / "masks") == ["a/1.png"]


def test_extras_of_a_books_pages_go_beside_the_book() -> None:
    out = Path("out")
    job = Job(Path("in/b.cbz/ch 1/2.png"), out / "b.cbz/ch 1/2.png")
    assert extras_place(job, out) == out / "b.parts/ch 1/2.png"
    assert extras_place(Job(Path("in/2.png"), out / "2.png"), out) == out / "2.png"


@pytest.mark.parametrize("why", Stays)
def test_a_page_that_stays_is_copied_byte_for_byte(tmp_path: Path, why: Stays) -> None:
    write_picture(tmp_path / "1.png", WHITE)
    job = Job(tmp_path / "1.png", tmp_path / "out/1.png")
    request = ColorizeRequest((tmp_path,), tmp_path / "out")
    said = write_page(job, Colored(WHITE, stays=why), request)
    assert said == {"kept": why.value}
    assert (tmp_path / "out/1.png").read_bytes() == (tmp_path / "1.png").read_bytes()
    job = Job(tmp_path / "1.png", tmp_path / "out/1.webp")
    write_page(job, Colored(WHITE, stays=why), request)
    assert read_picture(tmp_path / "out/1.webp").format == "WEBP"


@pytest.mark.parametrize("result", ["1.png", "red.png"])
def test_a_result_of_another_name_has_the_guides_of_its_page(tmp_path: Path, result: str) -> None:
    (tmp_path / "hints").mkdir()
    (tmp_path / "hints/1.json").write_text('[{"x": 2, "y": 1, "color": "#f00", "radius": 0}]')
    job, out = Job(tmp_path / "1.png", tmp_path / result), tmp_path
    guides = PageGuides.given("hints", [tmp_path / "hints"])
    assert not guides.missing([job], out)
    [layer] = guides.reader(out, read_picture)(job, WHITE)
    assert layer.alpha is not None
    assert layer.alpha[1, 2] > 0


def test_points_and_pictures_are_read_for_their_page(tmp_path: Path) -> None:
    (tmp_path / "points.json").write_text('[{"page": "1", "x": 2, "y": 1, "color": "#f00", "radius": 0}]')
    layer = Picture(rgb=np.zeros((6, 8, 3), np.float32), alpha=np.zeros((6, 8), np.float32))
    write_picture(tmp_path / "strokes.png", layer)
    guides = PageGuides.given("hints", [tmp_path / "strokes.png", tmp_path / "points.json"])
    read = guides.reader(tmp_path / "out", read_picture)
    first, second = (Job(tmp_path / f"{n}.png", tmp_path / f"out/{n}.png") for n in (1, 2))
    points, strokes = read(first, WHITE)
    assert points.rgb[1, 2].tolist() == [1, 0, 0]
    assert strokes.alpha is not None
    assert len(read(second, WHITE)) == 1
    assert len(guides.files_of(first, tmp_path / "out")) == 2


def test_a_page_of_a_book_finds_its_guide_with_the_book_or_without(tmp_path: Path) -> None:
    out, rough = tmp_path / "out", tmp_path / "rough"
    for name in ("b/ch 1/2.jpg", "3.png", "a.png", "a.jpg"):
        write_picture(rough / name, WHITE)
    guides = PageGuides.given("reference", [rough])

    def found(place: str) -> list[Path | str | None]:
        return guides.files_of(Job(tmp_path / "in" / place, out / place), out)

    assert found("b.cbz/ch 1/2.png") == [rough / "b/ch 1/2.jpg"]
    assert found("b.cbz/3.png") == [rough / "3.png"]
    assert found("b/3.png") == [None]
    assert found("a.webp") == [rough / "a.jpg"]  # the first in natural order


def test_a_folder_may_hold_points_and_a_seed_for_each_page(tmp_path: Path) -> None:
    out, hints = tmp_path / "out", tmp_path / "hints"
    (hints / "a").mkdir(parents=True)
    (hints / "a/1.json").write_text('{"seed": 7, "points": [{"x": 2, "y": 1, "color": "#f00", "radius": 0}]}')
    guides = PageGuides.given("hints", [hints])
    first, second = (Job(tmp_path / f"a/{n}.png", out / f"a/{n}.png") for n in (1, 2))
    read = guides.reader(out, read_picture)
    assert read(first, WHITE)[0].rgb[1, 2].tolist() == [1, 0, 0]
    assert read(second, WHITE) == ()
    assert [guides.seed_of(source, out) for source in (first, second)] == [7, None]
    assert hints / "a/1.json" in guides.files_of(first, out)
    assert guides.missing([first, second], out) == [f"{hints}: no hints for 1 of 2 pages, such as 2.png"]
    (hints / "a/1.json").write_text('{"seed": -7, "points": []}')
    with pytest.raises(DataError, match="must be a whole number"):
        guides.seed_of(first, out)
