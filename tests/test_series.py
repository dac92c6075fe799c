"""Profiles of a series, and the drift of its colours."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from sketchcolor_cli.cli.app import app
from sketchcolor_cli.coloring.guides.drift import drift
from sketchcolor_cli.coloring.settings import ColorizeSettings, Protect
from sketchcolor_cli.errors import DataError
from sketchcolor_cli.imaging.picture import Picture
from sketchcolor_cli.imaging.writing import write_picture
from sketchcolor_cli.jobs import colorize as colorize_jobs
from sketchcolor_cli.jobs.outcome import Note, Outcome
from sketchcolor_cli.jobs.requests import ColorizeRequest, Guides
from sketchcolor_cli.jobs.series import drifts, read_series, template, write_series
from sketchcolor_cli.settings import leaves

if TYPE_CHECKING:
    from pathlib import Path

RUNNER = CliRunner()


def run(*args: str | Path) -> tuple[int, str, str]:
    result = RUNNER.invoke(app, [str(word) for word in args])
    return result.exit_code, result.stdout, result.stderr


def test_init_writes_a_profile_that_check_takes(tmp_path: Path) -> None:
    (tmp_path / "sheets").mkdir()
    (tmp_path / "rough").mkdir()
    write_picture(tmp_path / "sheets" / "hero.png", Picture(rgb=np.ones((4, 4, 3), np.float32)))
    (tmp_path / "colors.gpl").write_text("GIMP Palette\n200 40 30 coat\n")
    (tmp_path / "points.json").write_text('[{"x": 0.5, "y": 0.5, "color": "#fff"}]')
    assert run("series", "init", tmp_path)[0] == 0
    request = ColorizeRequest.of(inputs=[tmp_path], output="out")
    assert request.guides == Guides(
        references=(tmp_path / "rough",),
        hints=(tmp_path / "points.json",),
        sheets=(tmp_path / "sheets/hero.png",),
        palette=tmp_path / "colors.gpl",
        series=tmp_path / "series.toml",
    )
    assert (request.model, request.colors) == ("default", ColorizeSettings())
    assert run("series", "check", tmp_path)[0] == 0
    code, _, said = run("series", "init", tmp_path)
    assert code == 1
    assert "is there already" in said


@pytest.mark.skipif(os.name == "nt" or sys.platform == "darwin", reason="such names are not possible there")
def test_init_writes_any_name_that_toml_can_say_and_nothing_where_it_cannot(tmp_path: Path) -> None:
    (tmp_path / "sheets").mkdir()
    odd = tmp_path / "sheets" / 'a "b"\n\x7f\\.png'
    odd.touch()
    write_series(ColorizeRequest, tmp_path)
    assert read_series(ColorizeRequest, tmp_path / "series.toml")["sheet"] == (odd,)
    (tmp_path / "series.toml").unlink()
    (tmp_path / "sheets" / os.fsdecode(b"\xe9.png")).touch()
    with pytest.raises(DataError, match="its name is not Unicode; rename it"):
        write_series(ColorizeRequest, tmp_path)
    assert not (tmp_path / "series.toml").exists()


def test_an_empty_template_is_a_profile(tmp_path: Path) -> None:
    (tmp_path / "series.toml").write_text(template(ColorizeRequest))
    request = ColorizeRequest.of(inputs=["elsewhere"], output="out", series=tmp_path)
    assert request.colors == ColorizeSettings()


def test_the_template_has_every_setting_of_the_colours_with_its_help() -> None:
    text = template(ColorizeRequest)
    words = " ".join(text.replace("#", " ").split())
    for leaf in leaves(ColorizeSettings):
        line = f"\n{leaf.key} = " if leaf.default is not None else f"\n# {leaf.key} = "
        assert (line in text) is not leaf.about.internal
        assert (" ".join(leaf.about.help.split()) in words) is not leaf.about.internal


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x", "not valid TOML"),
        ("colour = 1", "unknown key colour; valid keys: backend, carry, colored-pages"),
        ('palette = "gone.gpl"', "names 'gone.gpl', which is not there"),
        ('sheets = ["a.png"]', "sheet names 'a.png', which is not there"),
        ('protect = "some"', "--protect some: must be one of none, gutters, bubbles, all"),
        ("palette-strength = 2", "--palette-strength 2.0: must be from 0 to 1"),
        ("saturation = 11", "--saturation 11.0: must be from 0 to 10"),
        ("work-size = 1.5", "--work-size 1.5: must be a whole number, at least 64"),
        ('output = "x"', "unknown key output"),
    ],
)
def test_what_makes_no_sense_is_told(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "series.toml").write_text(text)
    with pytest.raises(DataError, match=said):
        read_series(ColorizeRequest, tmp_path / "series.toml")


def test_options_take_precedence_over_the_profile_and_it_over_the_config_file(tmp_path: Path) -> None:
    write_picture(tmp_path / "hero.png", Picture(rgb=np.ones((4, 4, 3), np.float32)))
    (tmp_path / "m.safetensors").touch()
    text = 'model = "m.safetensors"\nprotect = "none"\nsaturation = 1.5\nsheets = ["hero.png"]\n'
    (tmp_path / "series.toml").write_text(text)
    given = {"inputs": (tmp_path,), "output": tmp_path / "out"}
    stored = {"saturation": 0.1, "seed": 9}
    request = ColorizeRequest.resolve({**given, "saturation": 0.5}, stored)
    assert request.model == str(tmp_path / "m.safetensors")
    assert request.colors == ColorizeSettings(protect=Protect.NONE, saturation=0.5, seed=9)
    assert request.guides == Guides(sheets=(tmp_path / "hero.png",), series=tmp_path / "series.toml")
    request = ColorizeRequest.resolve({**given, "model": "other"}, stored)
    assert (request.model, request.colors.saturation) == ("other", 1.5)
    assert ColorizeRequest.of(inputs=[tmp_path / "hero.png"], output="out").guides.series is None


def colored(*labs: tuple[float, float, float]) -> Picture:
    stripes = np.repeat(np.array(labs, np.float32)[None], 60, 0)
    return Picture(rgb=cv2.cvtColor(np.repeat(stripes, 40, 1), cv2.COLOR_LAB2RGB).clip(0, 1))


def test_drift_is_how_far_a_colour_moves() -> None:
    red, green = (50, 50, 30), (60, -40, 40)
    pages = {"a": colored(red, green), "b": colored((50, 58, 30), green), "c": colored((90, 0, 0), green)}
    palette = colored(red, green).rgb[0, [0, 79]]
    moved, still = drift(pages, palette)
    assert (moved.pages, still.pages) == (2, 3)
    assert moved.worst == pytest.approx(4, abs=0.3)
    assert moved.mean == pytest.approx(4, abs=0.3)
    assert still.worst < 0.1
    assert moved.worst_page in ("a", "b")


def test_grey_pages_have_no_drift() -> None:
    assert drift({"a": colored((50, 0, 0)), "b": colored((90, 0, 0))}) == []
    assert drift({}) == []


def test_check_reports_the_drift_as_json(tmp_path: Path) -> None:
    (tmp_path / "series.toml").write_text("")
    for name, shift in (("a", 0), ("b", 10)):
        write_picture(tmp_path / "out" / f"{name}.png", colored((50, 50 + shift, 30), (60, -40, 40)))
    code, out, _ = run("series", "check", tmp_path, "--colored", tmp_path / "out", "--json")
    assert code == 0
    report = json.loads(out)["drift"]
    assert report[0]["pages"] == 2
    assert report[0]["worst"] == pytest.approx(5, abs=0.6)


def test_colorize_reports_the_drift_of_a_series(tmp_path: Path) -> None:
    (tmp_path / "pages" / "series.toml").parent.mkdir()
    (tmp_path / "pages" / "series.toml").write_text("")
    gray = np.ones((96, 64, 3), np.float32)
    gray[40:44] = 0
    for name in "ab":
        write_picture(tmp_path / "pages" / f"{name}.png", Picture(gray, gray=True))
    code, out, _ = run("colorize", tmp_path / "pages", "-o", tmp_path / "out", "--device", "cpu", "--json")
    assert code == 0
    document = json.loads(out)
    assert len(document["done"]) == 2
    assert isinstance(document["drift"], list)
    (tmp_path / "pages" / "series.toml").unlink()
    again = run("colorize", tmp_path / "pages", "-o", tmp_path / "out", "--resume", "--json")
    assert "drift" not in json.loads(again[1])


def test_a_foreign_file_among_results_takes_no_outcome_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "series.toml").write_text("")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "foreign.png").write_bytes(b"no picture")
    monkeypatch.setattr(colorize_jobs, "run_batch_over", lambda *_: Outcome(device="cpu"))
    told: list[object] = []
    request = ColorizeRequest.of(inputs=[tmp_path], output=tmp_path / "out", series=tmp_path)
    outcome = colorize_jobs.colorize(request, told.append)
    assert (outcome.device, outcome.drift) == ("cpu", None)
    [note] = told
    assert isinstance(note, Note)
    assert "how far colours move is not known" in note.message
    assert "foreign.png" in note.message


def test_flats_and_layers_beside_pages_are_no_pages_of_the_drift(tmp_path: Path) -> None:
    page, other = colored((50, 50, 30), (60, -40, 40)), colored((50, 80, 30), (60, -40, 40))
    for name in ("a.png", "b.png"):
        write_picture(tmp_path / name, page)
    for name in (
        "a.flats.png",
        "a.layers/1 paper.png",
        "book.parts/1.flats.png",
        "book.parts/1.layers/2.png",
    ):
        write_picture(tmp_path / name, other)
    assert {drift.pages for drift in drifts(tmp_path, None)} == {2}
    assert all(drift.worst < 0.1 for drift in drifts(tmp_path, None))
