"""Pages that were cut out of one picture are found, and coloured as one."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import cv2
import numpy as np
import pytest
from PIL import Image

from book_files import write_zip
from sketchcolor_cli.coloring.page.strips import Cut, Edges, cut_between, run_around
from sketchcolor_cli.files.worklist import Job
from sketchcolor_cli.imaging import reading
from sketchcolor_cli.jobs import colorize, strips
from sketchcolor_cli.jobs.outputs import write_page
from sketchcolor_cli.jobs.requests import ColorizeRequest
from test_cli_books import inside, pixels, run, tiny  # noqa: F401  (a fixture)

if TYPE_CHECKING:
    from pathlib import Path


QUICK = ("--work-size", "128", "--guess", "mean")


def strip(height: int = 1600, width: int = 400) -> np.ndarray:
    """Figures one below the other, white between them."""
    gray = np.full((height, width), 255, np.uint8)
    for middle in range(250, height, 500):
        cv2.circle(gray, (200, middle), 150, 0, 4, cv2.LINE_AA)
        cv2.line(gray, (100, middle - 60), (300, middle + 90), 0, 4, cv2.LINE_AA)
        cv2.rectangle(gray, (10, middle - 200), (390, middle + 200), 0, 4)
    return gray


def cut(gray: np.ndarray, *rows: int) -> list[np.ndarray]:
    return np.split(gray, rows)


def edges(gray: np.ndarray) -> Edges:
    return Edges.of(gray.astype(np.float32) / 255)


def test_a_cut_through_a_drawing_goes_on_below_and_one_between_drawings_is_blank() -> None:
    first, second, third = map(edges, cut(strip(), 300, 500))
    assert cut_between(first, second) is Cut.BELOW
    assert cut_between(second, third) is Cut.BLANK
    assert cut_between(first, third) is Cut.NONE


def test_pages_of_two_widths_do_not_go_on() -> None:
    first, second = cut(strip(), 300)
    assert cut_between(edges(first), edges(cv2.resize(second, None, fx=0.5, fy=0.5))) is Cut.NONE


@pytest.mark.parametrize("order", [1, -1])
def test_the_halves_of_a_spread_go_on_to_either_side(order: int) -> None:
    halves = np.split(strip(600, 400), 2, axis=1)[::order]
    assert cut_between(*map(edges, halves)) is (Cut.RIGHT if order == 1 else Cut.LEFT)


def test_drawings_that_run_off_their_pages_do_not_go_on_in_each_other() -> None:
    rng = np.random.default_rng(0)
    pages = []
    for _ in range(12):
        gray = np.full((600, 400), 255, np.uint8)
        for _ in range(25):
            ends = [(int(x), int(y)) for x, y in rng.integers(-50, 650, (2, 2))]
            cv2.line(gray, *ends, 0, 3, cv2.LINE_AA)
        pages.append(edges(gray))
    assert {cut_between(a, b) for a in pages for b in pages if a is not b} == {Cut.NONE}


def runs(cuts: list[Cut], length: float = 1.5) -> list[tuple[int, int]]:
    found = [
        run_around(page, len(cuts) + 1, lambda at: cuts[at], lambda _: length)
        for page in range(len(cuts) + 1)
    ]
    return list(dict.fromkeys((run.first, run.count) for run in found))


B, W, N, R = Cut.BELOW, Cut.BLANK, Cut.NONE, Cut.RIGHT


@pytest.mark.parametrize(
    ("cuts", "expected"),
    [
        ([N, N], [(0, 1), (1, 1), (2, 1)]),
        ([W, W, W], [(0, 1), (1, 1), (2, 1), (3, 1)]),
        ([B, N, B], [(0, 2), (2, 2)]),
        ([B, W, B], [(0, 4)]),
        ([B, W, W, W, N], [(0, 3), (3, 1), (4, 1), (5, 1)]),
        ([R, N, R], [(0, 2), (2, 2)]),
        ([R, R], [(0, 2), (2, 1)]),
    ],
)
def test_runs_of_pages(cuts: list[Cut], expected: list[tuple[int, int]]) -> None:
    assert runs(cuts) == expected


def test_a_strip_that_is_too_long_is_parted_where_it_is_blank_if_anywhere() -> None:
    assert runs([B] * 30) == [(0, 18), (18, 13)]
    assert runs([B] * 9 + [W] + [B] * 20) == [(0, 10), (10, 18), (28, 3)]


def png(gray: np.ndarray) -> bytes:
    data = io.BytesIO()
    Image.fromarray(gray).save(data, "PNG")
    return data.getvalue()


def test_slices_have_the_colours_of_the_whole_in_a_book_and_in_a_folder(tmp_path: Path, tiny: Path) -> None:  # noqa: F811
    parts = {f"{number}.png": png(part) for number, part in enumerate(cut(strip(), 300, 500, 820, 1250))}
    (tmp_path / "in/slices").mkdir(parents=True)
    write_zip(tmp_path / "in/chapter.cbz", parts)
    for name, data in parts.items():
        (tmp_path / "in/slices" / name).write_bytes(data)
    (tmp_path / "in/whole.png").write_bytes(png(strip()))
    words = (tmp_path / "in", "--model", tiny, *QUICK)
    assert run("colorize", *words, "-o", tmp_path / "out").exit_code == 0
    whole = pixels((tmp_path / "out/whole.png").read_bytes())
    book = inside(tmp_path / "out/chapter.cbz")
    for name in parts:
        assert book[name] == (tmp_path / "out/slices" / name).read_bytes()
    joined = np.concatenate([pixels(book[name]) for name in sorted(parts)])
    assert run("colorize", *words, "-o", tmp_path / "apart", "--no-strips").exit_code == 0
    apart = np.concatenate(
        [pixels((tmp_path / "apart/slices" / name).read_bytes()) for name in sorted(parts)]
    )
    off, off_apart = (np.abs(made.astype(int) - whole).mean() for made in (joined, apart))
    assert off < min(0.5, off_apart / 3)


@pytest.mark.parametrize(("count", "reads"), [(1, ["0.png"]), (2, ["0.png", "1.png", "0.png"])])
def test_huge_pages_are_held_one_at_a_time(
    tmp_path: Path,
    tiny: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    count: int,
    reads: list[str],
) -> None:
    monkeypatch.setattr(strips, "_LARGE", 0)
    held: WeakSet[Any] = WeakSet()
    read, begun = reading.read_picture, []

    def watched(path: Path, name: Path | None = None) -> Any:
        assert not held
        begun.append(path.name)
        picture = read(path, name)
        held.add(picture)
        return picture

    monkeypatch.setattr(reading, "read_picture", watched)
    for number, part in enumerate((strip(600), strip(600, 500))):  # two that are no strip
        (tmp_path / f"{number}.png").write_bytes(png(part))
    jobs = [Job(tmp_path / f"{number}.png", tmp_path / f"out/{number}.png") for number in range(count)]
    request = ColorizeRequest.of(inputs=[tmp_path], output=tmp_path / "out", model=str(tiny))
    pages = colorize.PageColorizer(colorize.ColorizeWork(request), "cpu", print)
    pages.announce(jobs)
    pages.read(jobs[0])
    assert begun == reads


def test_a_book_that_was_interrupted_comes_out_as_if_it_had_not(
    tmp_path: Path,
    tiny: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "in").mkdir()
    write_zip(
        tmp_path / "in/a.cbz", {f"{n}.png": png(part) for n, part in enumerate(cut(strip(), 300, 820, 1250))}
    )
    words = (tmp_path / "in", "--model", tiny, *QUICK, "-o")
    assert run("colorize", *words, tmp_path / "first").exit_code == 0
    written = []

    def two_pages(*given: Any) -> Any:
        written.append(given)
        if len(written) > 2:
            raise KeyboardInterrupt
        return write_page(*given)

    with monkeypatch.context() as patch:
        patch.setattr(colorize, "write_page", two_pages)
        assert run("colorize", *words, tmp_path / "second").exit_code == 130
    assert run("colorize", *words, tmp_path / "second").exit_code == 0
    assert inside(tmp_path / "second/a.cbz") == inside(tmp_path / "first/a.cbz")


def test_a_page_with_its_own_hints_is_coloured_by_itself(tmp_path: Path, tiny: Path) -> None:  # noqa: F811
    for number, part in enumerate(cut(strip(), 300)):
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / f"in/{number}.png").write_bytes(png(part))
    (tmp_path / "rough").mkdir()
    Image.new("RGB", (40, 30), "blue").save(tmp_path / "rough/0.png")
    words = (tmp_path / "in", "--model", tiny, "--reference", tmp_path / "rough", *QUICK, "-o")
    assert run("colorize", *words, tmp_path / "out").exit_code == 0
    assert run("colorize", *words, tmp_path / "apart", "--no-strips").exit_code == 0
    for name in ("0.png", "1.png"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "apart" / name).read_bytes()


def in_folder(folder: Path, parts: list[np.ndarray]) -> None:
    folder.mkdir(exist_ok=True)
    for number, part in enumerate(parts):
        (folder / f"{number}.png").write_bytes(png(part))


def test_a_slice_that_was_changed_has_those_of_its_strip_done_again(tmp_path: Path, tiny: Path) -> None:  # noqa: F811
    alone = cv2.resize(strip(500), (300, 400))
    parts = [*cut(strip(), 300, 820, 1250), alone]
    in_folder(tmp_path / "in", parts)
    words = ("colorize", tmp_path / "in", "--model", tiny, *QUICK, "-o", tmp_path / "out", "--json")
    assert run(*words).exit_code == 0
    names = sorted(path.name for path in (tmp_path / "out").glob("*.png"))
    before = {name: (tmp_path / "out" / name).read_bytes() for name in names}
    assert len(json.loads(run(*words).stdout)["skipped"]) == len(names)
    cv2.circle(parts[1], (200, 250), 100, 0, -1)
    in_folder(tmp_path / "in", parts)
    refused = run(*words)
    assert (refused.exit_code, "4 of 5 results are already there" in refused.stderr) == (1, True)
    told = json.loads(run(*words, "--resume").stdout)
    assert len(told["done"]) == 4
    assert [skipped["source"] for skipped in told["skipped"]] == [str(tmp_path / "in/4.png")]
    assert run(*words[:-2], tmp_path / "new").exit_code == 0
    after = {name: (tmp_path / "out" / name).read_bytes() for name in names}
    assert after == {name: (tmp_path / "new" / name).read_bytes() for name in names}
    assert {name for name in names if after[name] != before[name]} >= {"0.png", "1.png", "2.png"}


@pytest.mark.parametrize("order", [1, -1])
def test_the_halves_of_a_spread_have_the_colours_of_the_whole(tmp_path: Path, tiny: Path, order: int) -> None:  # noqa: F811
    spread = cv2.rotate(strip(900, 600), cv2.ROTATE_90_CLOCKWISE)
    in_folder(tmp_path / "in", np.split(spread, [450], 1)[::order])
    in_folder(tmp_path / "whole", [spread])
    words = ("--model", tiny, *QUICK, "-o")
    off = {}
    for name, more in (("out", ()), ("apart", ("--no-strips",))):
        assert run("colorize", tmp_path / "in", *words, tmp_path / name, *more).exit_code == 0
        halves = [pixels((tmp_path / name / f"{number}.png").read_bytes()) for number in (0, 1)]
        off[name] = np.concatenate(halves[::order], 1).astype(int)
    assert run("colorize", tmp_path / "whole", *words, tmp_path / "one").exit_code == 0
    whole = pixels((tmp_path / "one/0.png").read_bytes())
    error = {name: np.abs(made - whole).mean() for name, made in off.items()}
    assert error["out"] < min(0.5, error["apart"] / 3)
