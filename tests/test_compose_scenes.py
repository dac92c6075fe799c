"""Composed scenes: what is a part, how it is cut out and hides what is behind it, and the shards."""

from __future__ import annotations

import csv
import io
import json
import sys
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from sketchcolor_cli.data.shards import ShardSet
from sketchcolor_cli.errors import DataError
from sketchcolor_cli.files import webdataset

TOOLS = Path(__file__).parents[1] / "tools"
sys.path.insert(0, str(TOOLS))
try:
    import attribution
    import compose_scenes
    from scenes import canvas, compose, parts, people, places
finally:
    sys.path.remove(str(TOOLS))

SKIN, HAIR = (235, 180, 140), (110, 70, 40)


def figure(color: tuple[int, int, int], size: int = 96) -> tuple[np.ndarray, np.ndarray]:
    """Draw a disc with a white middle, with lines, on white."""
    rgb, line = np.full((size, size, 3), 255, np.uint8), np.full((size, size), 255, np.uint8)
    middle = size // 2, size // 2
    cv2.circle(rgb, middle, size // 3, color, -1)
    cv2.circle(rgb, middle, size // 10, (255, 255, 255), -1)
    for plane, ink in ((rgb, (0, 0, 0)), (line, 0)):
        cv2.circle(plane, middle, size // 3, ink, 4)
        cv2.circle(plane, middle, size // 10, ink, 3)
    return rgb, line


def part(color: tuple[int, int, int] = SKIN) -> parts.Part:
    found = parts.cut_out("key", {}, *figure(color))
    assert found is not None
    return found


def shard(path: Path, licence: str = "CC-BY-SA-4.0") -> Path:
    """Write a shard with a head, an animal, a tree and two that scenes must not take."""
    with tarfile.open(path, "w") as tar:
        for source, name, color in (
            ("gen_dicebear_adventurer", "0001", SKIN),
            ("openmoji_more", "1f404-cow", HAIR),
            ("openmoji_more", "1f333-deciduous-tree", (60, 140, 60)),
            ("openmoji_more", "1f1ea-flag-spain", (200, 40, 40)),
            ("gcompris", "cow", (200, 40, 200)),
        ):
            rgb, line = figure(color)
            about = {"source": source, "author": f"{source}'s", "licence": licence, "origin": "drawn"}
            files = {
                "color.png": cv2.imencode(".png", rgb[..., ::-1])[1].tobytes(),
                "line.png": cv2.imencode(".png", line)[1].tobytes(),
                "json": json.dumps(about).encode(),
            }
            webdataset.append_sample(tar, f"{source.replace('_', '-')}-{name}", files)
    return path


@pytest.mark.parametrize(
    ("source", "key", "kinds"),
    [
        ("openmoji_more", "openmoji-more-1f404-cow", ["animal"]),
        ("openmoji_more", "openmoji-more-1f468-1f3ff-200d-1f3a8-man-artist-dark-skin-tone", ["bust"]),
        ("openmoji_more", "openmoji-more-1f468-200d-1f3a8-man-artist", []),  # yellow
        ("openmoji_more", "openmoji-more-1f43b-bear", []),  # a head alone
        ("openmoji_pairs", "openmoji-pairs-0288-cow-c", ["animal"]),
        ("mulberry_more", "mulberry-more-farmer-1b", ["bust"]),
        ("mulberry_more", "mulberry-more-football-kit-spurs", []),
        ("openclipart_more", "openclipart-more-animals-mammals-bunny-01", ["animal"]),
        ("openclipart_more", "openclipart-more-animals-mammals-monkey-head-nicu-buculei-01", []),
        ("gen_facesjs", "gen-facesjs-0302-0151-c", ["avatar"]),
        ("openmoji_more", "openmoji-more-1f6b6-1f3ff-person-walking-dark-skin-tone", []),  # bare
        ("emoji_noto", "emoji-noto-winking-face", []),
        ("wesnoth_portraits", "wesnoth-portraits-cow", []),
    ],
)
def test_names_tell_what_a_picture_is(source: str, key: str, kinds: list[str]) -> None:
    assert parts.kinds_of(source, key) == kinds


def test_every_kind_that_a_place_asks_for_is_in_the_table() -> None:
    rng, known = np.random.default_rng(0), set(parts.TABLE["by-name"])
    known |= {kind for kinds in parts.TABLE["by-source"].values() for kind in kinds} | {"drawn-person"}
    for draw, _ in places.KINDS.values():
        place = draw(rng, canvas.Canvas(360, 360, 3))
        assert {kind for slot in place.slots for kind in slot.kinds} <= known


def test_the_ground_goes_and_inner_whites_stay() -> None:
    found = part()
    height, width = found.mask.shape
    assert (height, width) == pytest.approx((68, 68), abs=3)
    assert found.mask[0, 0] == 0
    assert found.mask[height // 2, width // 2] == 255
    assert found.line_width == pytest.approx(4, abs=1.5)


def test_what_stands_on_no_white_is_no_part() -> None:
    rgb, line = figure(SKIN)
    rgb[rgb.min(2) > 250] = (120, 180, 240)
    assert parts.cut_out("key", {}, rgb, line) is None
    assert parts.cut_out("key", {}, np.full_like(rgb, 255), np.full_like(line, 255)) is None


def test_a_part_hides_paint_and_lines_behind_it() -> None:
    scene = canvas.Canvas(200, 200, 4)
    scene.shape(canvas.rectangle(-9, -9, 218, 218), (120, 180, 240), pen=None)
    scene.strokes([np.array([(0, y), (200, y)]) for y in range(4, 200, 8)])
    scene.part(part(), 40, 40, 120, 120, mirror=False)
    color, line = scene.finish((0, 0, 0))
    assert color.shape == (100, 100, 3)
    assert line[50, 50] == 255  # the white middle
    assert line[38, 50] > 250  # the skin around it
    assert np.abs(color[34, 50].astype(int) - SKIN).max() < 12
    assert line[10:90, 8].min() < 100  # beside it the lines are there
    assert line[20:24, 50].min() < 60  # its own outline


def test_a_part_may_stand_over_the_edge() -> None:
    scene = canvas.Canvas(60, 60, 3)
    for x, y in ((-50, -50), (40, 40), (-500, 0), (500, 500)):
        scene.part(part(), x, y, 80, 80, mirror=True)
    assert scene.finish((0, 0, 0))[1].shape == (30, 30)


def test_a_body_has_the_skin_of_its_head() -> None:
    assert people.skin_of(part()) == SKIN
    assert people.skin_of(part((40, 200, 60))) is None


def test_scenes_depend_on_seed_and_number_alone(tmp_path: Path) -> None:
    shards = [shard(tmp_path / "train-000000.tar")]
    compose_scenes.compose(shards, tmp_path / "a", range(4), 3)
    compose_scenes.compose(shards, tmp_path / "b", range(4), 3)
    first = (tmp_path / "a" / "scenes-000000.tar").read_bytes()
    assert first == (tmp_path / "b" / "scenes-000000.tar").read_bytes()
    scenes = ShardSet([tmp_path / "a" / "scenes-000000.tar"])
    assert len(scenes) == 4
    used = set()
    for index in range(4):
        about, color, line = scenes.about(index), scenes.color(index), scenes.line(index)
        assert line is not None
        assert color.shape[:2] == line.shape == (about["height"], about["width"])
        assert 176 <= min(line.shape) <= 256
        assert (about["source"], about["line"]) == ("scenes", "derived")
        assert about["licence"] == ("CC BY-SA 4.0" if about["parts"] else "CC0 1.0")
        used |= {part["key"] for part in about["parts"]}
    assert used <= {
        "gen-dicebear-adventurer-0001",
        "openmoji-more-1f404-cow",
        "openmoji-more-1f333-deciduous-tree",
    }
    assert used


def test_the_table_is_as_attribution_py_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    compose_scenes.compose([shard(tmp_path / "train-000000.tar")], tmp_path, range(3), 1)
    text = (tmp_path / "attribution.csv").read_text(encoding="utf-8")
    assert [row["split"] for row in csv.DictReader(io.StringIO(text))] == ["train"] * 3
    monkeypatch.setattr(sys, "argv", ["attribution.py", str(tmp_path / "attribution.csv")])
    attribution.main()
    table = capsys.readouterr().out
    assert "| scenes | 3 | " in table
    assert "gcompris" not in table


def test_numbers_may_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compose_scenes, "PER_SHARD", 2)
    shards = [shard(tmp_path / "train-000000.tar")]
    compose_scenes.compose(shards, tmp_path / "whole", range(4), 3)
    compose_scenes.compose(shards, tmp_path / "parts", range(2), 3)
    compose_scenes.compose(shards, tmp_path / "parts", range(2, 4), 3)
    names = sorted(path.name for path in (tmp_path / "whole").iterdir())
    assert names == ["attribution.csv", "scenes-000000.tar", "scenes-000001.tar"]
    for name in names:
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "parts" / name).read_bytes()


def test_held_out_pictures_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="held out"):
        compose_scenes.compose([shard(tmp_path / "val-000000.tar")], tmp_path, range(1), 0)


def test_parts_under_the_gpl_are_not_taken(tmp_path: Path) -> None:
    library = parts.Library([shard(tmp_path / "train-000000.tar", "GPL-2+")], [])
    assert library.draw(np.random.default_rng(0), ["animal", "head"]) is None


def test_licences_join() -> None:
    assert compose_scenes.licence_of([]) == "CC0 1.0"
    assert compose_scenes.licence_of(["MIT", "CC-BY-SA-3.0"]) == "CC BY-SA 4.0"
    assert compose_scenes.licence_of(["MIT", "CC BY 4.0", "MIT"]) == "CC BY 4.0; CC0 1.0; MIT"


def test_panels_stand_apart_on_white(tmp_path: Path) -> None:
    library = parts.Library([shard(tmp_path / "train-000000.tar")], [])
    for seed in range(60):
        made = compose.scene(np.random.default_rng(seed), library)
        if "+" in made.kind:
            break
    white = (made.color.min(2) > 250) & (made.line > 250)
    assert white.mean(0).max() > 0.9 or white.mean(1).max() > 0.9
