"""Pages that are sheets for others: those done before (--carry), frames in colour around (--sequence)."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from sketchcolor_cli.errors import UsageError
from sketchcolor_cli.files.worklist import Job
from sketchcolor_cli.imaging.picture import Picture
from sketchcolor_cli.imaging.reading import read_picture
from sketchcolor_cli.imaging.writing import write_picture
from sketchcolor_cli.jobs import carrying
from sketchcolor_cli.jobs.carrying import Around, CarriedSheets
from sketchcolor_cli.jobs.colorize import colorize
from sketchcolor_cli.jobs.reading_order import ReadingOrder
from sketchcolor_cli.jobs.requests import ColorizeRequest
from sketchcolor_cli.networks.checkpoint import save_model
from sketchcolor_cli.networks.config import HintUNetConfig
from sketchcolor_cli.networks.hint_unet import HintUNet
from sketchcolor_cli.training.pairs.figures import draw, draw_character, draw_pose

if TYPE_CHECKING:
    from pathlib import Path


QUICK = {"strips": False, "work_size": 128}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untaught network that paints its hints, faintly."""
    torch.manual_seed(0)
    network = HintUNet(HintUNetConfig(widths=(8, 16), depths=(1, 1), lab_step=24.0, sheet_width=8))
    torch.nn.init.normal_(network.palette.weight)
    path = tmp_path_factory.mktemp("model") / "small.safetensors"
    save_model(path, network, provenance={"data": "none"}, licence="CC0-1.0")
    return path


def frames(folder: Path, count: int, in_color: set[int]) -> Path:
    """Draw a character in as many poses; those in colour by their number, the others as lines."""
    folder.mkdir()
    rng = np.random.default_rng(4)
    character = draw_character(rng)
    for number in range(count):
        drawn = draw(character, draw_pose(rng), (-0.08, -0.08, 1.16), 2, 0.0)
        assert drawn.line is not None
        lines = np.repeat(drawn.line[..., None], 3, 2)
        rgb = drawn.color if number in in_color else lines
        write_picture(folder / f"{number}.png", Picture(rgb.astype(np.float32) / 255))
    return folder


def jobs(folder: Path, count: int) -> list[Job]:
    return [Job(folder / f"{n}.png", folder / "out" / f"{n}.png") for n in range(count)]


def colored(folder: Path, output: Path, model: Path, **more: Any) -> dict[str, bytes]:
    values = {**QUICK, **more}
    outcome = colorize(
        ColorizeRequest.of(inputs=[folder], output=output, model=str(model), device="cpu", **values)
    )
    assert not outcome.failed
    return {path.name: path.read_bytes() for path in sorted(output.glob("*.png"))}


class Seer:
    """Makes of each picture a sheet that can be told from others."""

    class painter:  # noqa: N801
        device = "cpu"

    def sheet_of(self, picture: Picture) -> bytes:
        return picture.rgb.tobytes()


def test_frames_in_colour_are_sheets_for_those_before_and_after_up_to_the_next(tmp_path: Path) -> None:
    row = jobs(frames(tmp_path / "in", 6, {1, 4}), 6)
    found = [[key.name for key in carrying._keys(row, number)] for number in range(len(row))]
    assert found == [["1.png"], ["4.png"], ["1.png", "4.png"], ["1.png", "4.png"], ["1.png"], ["4.png"]]


def test_the_first_page_and_the_last_two_that_are_done_and_in_colour_are_carried(tmp_path: Path) -> None:
    row = jobs(frames(tmp_path / "in", 6, {0, 2, 3, 4}), 6)
    row = [Job(job.source, job.source) for job in row]  # as if they were done
    sheets = CarriedSheets(lambda _: None, carry=True, sequence=False)
    sheets.announce(row)
    seer: Any = Seer()
    every = [seer.sheet_of(picture) if (picture := carrying._read(job.writes)) else None for job in row]
    assert sheets.of(row[0], seer) == []
    assert sheets.of(row[1], seer) == [every[0]]
    assert sheets.of(row[5], seer) == [every[0], every[4], every[3]]
    row[0].writes.unlink()
    again = CarriedSheets(lambda _: None, carry=True, sequence=False)
    again.announce(row)
    assert again.of(row[5], seer) == [every[2], every[4], every[3]]


def test_pages_of_other_folders_are_not_carried(tmp_path: Path) -> None:
    order = ReadingOrder()
    first, second = (Job(tmp_path / name / "1.png", tmp_path / "out" / name / "1.png") for name in "ab")
    assert order.add([first, second]) == [[first], [second]]
    assert order.of(second) == ([second], 0)


def test_a_page_depends_on_those_before_it_and_a_frame_on_its_keys(tmp_path: Path) -> None:
    row = jobs(frames(tmp_path / "in", 4, {1}), 4)
    settings = dict.fromkeys(row, "as ever")

    def found() -> tuple[list[str], list[str]]:
        around = Around(row, settings.__getitem__)
        return around.before(row[2], lambda _: True), around.keys(row[2])

    before, keys = found()
    assert (len(before), len(keys)) == (2, 1)
    settings[row[0]] = "changed"
    assert found()[0][0] != before[0]
    assert found()[0][1] == before[1]
    row[3].source.write_bytes(b"another")
    assert found()[1] == keys
    row[1].source.write_bytes((tmp_path / "in/0.png").read_bytes())  # no longer in colour
    assert found()[1] == []


def test_carried_pages_are_the_same_when_a_run_is_taken_up_again(tmp_path: Path, model: Path) -> None:
    pages = frames(tmp_path / "in", 4, {0})
    whole = colored(pages, tmp_path / "whole", model, carry=True)
    alone = colored(pages, tmp_path / "alone", model)
    assert whole["0.png"] == (pages / "0.png").read_bytes()
    assert whole["1.png"] != alone["1.png"]
    assert whole["3.png"] != alone["3.png"]
    (tmp_path / "whole/2.png").unlink()
    (tmp_path / "whole/3.png").unlink()
    assert colored(pages, tmp_path / "whole", model, carry=True) == whole


def test_pages_after_a_changed_one_are_done_again(tmp_path: Path, model: Path) -> None:
    pages = frames(tmp_path / "in", 3, {0})
    first = colored(pages, tmp_path / "out", model, carry=True)
    page = read_picture(pages / "0.png")
    write_picture(pages / "0.png", Picture(page.rgb[..., ::-1].copy()))
    second = colored(pages, tmp_path / "out", model, carry=True, update=True)
    assert all(first[name] != second[name] for name in first)


def test_pages_of_a_book_are_carried_too(tmp_path: Path, model: Path) -> None:
    pages = frames(tmp_path / "in", 2, {0})
    with zipfile.ZipFile(tmp_path / "book.cbz", "w") as book:
        for path in sorted(pages.iterdir()):
            book.write(path, path.name)
    values = {"inputs": [tmp_path / "book.cbz"], "model": str(model), "device": "cpu", **QUICK}
    for name, carry in (("a", True), ("b", False)):
        assert not colorize(ColorizeRequest.of(output=tmp_path / name, carry=carry, **values)).failed
    found = [zipfile.ZipFile(tmp_path / name / "book.cbz").read("1.png") for name in "ab"]
    expected = colored(pages, tmp_path / "c", model, carry=True)["1.png"]
    assert found[0] == expected
    assert found[1] != expected


def test_frames_keep_to_the_frames_in_colour_and_without_one_it_is_said(tmp_path: Path, model: Path) -> None:
    pages = frames(tmp_path / "in", 3, {2})
    alone = colored(pages, tmp_path / "alone", model)
    around = colored(pages, tmp_path / "around", model, sequence=True)
    assert around["2.png"] == (pages / "2.png").read_bytes()
    assert around["0.png"] != alone["0.png"]
    (pages / "2.png").unlink()
    said: list[str] = []
    request = ColorizeRequest.of(
        inputs=[pages], output=tmp_path / "none", model=str(model), device="cpu", sequence=True, **QUICK
    )
    colorize(request, lambda event: said.append(getattr(event, "message", "")))
    assert any("no frame is in colour" in line for line in said)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"carry": True, "watch": True}, "--carry and --watch exclude each other"),
        ({"carry": True, "ray": "local"}, "--carry and --ray exclude each other"),
        ({"sequence": True, "watch": True}, "--sequence and --watch exclude each other"),
        ({"sequence": True, "colored_pages": "redo"}, "frames in colour stay"),
    ],
)
def test_what_does_not_go_together(values: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        ColorizeRequest.of(inputs=["in"], output="out", **values)
