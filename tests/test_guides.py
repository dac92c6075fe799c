"""The commands of the guides are given one after the other, in a folder with small drawings."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from sketchcolor_cli import environment
from sketchcolor_cli.cli.app import app

ROOT = Path(__file__).parents[1]
GUIDES = sorted((ROOT / "docs" / "guides").glob("*.md"))
# Those wait for requests or new files until they are stopped, and these need weights that are downloaded.
NOT_RUN = re.compile(r"sketchcolor (studio|serve|fid) |--watch|weights fetch|sketchcolor doctor")


def drawn(path: Path, *, hue: int = 0, lines: bool = True, side: int = 96) -> None:
    """Draw a house, in ink alone or in colours that differ with the hue."""
    page = np.full((side, side, 3), 255, np.uint8)
    parts = {0.55: np.array([[0.2, 0.5], [0.8, 0.5], [0.8, 0.9], [0.2, 0.9]])}
    parts[0.3] = np.array([[0.1, 0.5], [0.5, 0.1], [0.9, 0.5]])
    for shade, outline in parts.items():
        points = (outline * side).astype(np.int32)
        if not lines:
            hsv = np.uint8([[[(hue + 60 * shade) % 180, 160, 230]]])
            cv2.fillPoly(page, [points], cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)[0, 0].tolist())
        cv2.polylines(page, [points], True, (0, 0, 0), 2)
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), page)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Lay out what the guides say that the reader has."""
    monkeypatch.chdir(tmp_path)
    for variable in (environment.WEIGHTS, environment.MODELS, environment.CACHE):
        monkeypatch.setenv(variable, str(tmp_path / "data" / variable))
    for name in ("pages/page 1.png", "pages/page 2.png", "library/chapter 1/01.png"):
        drawn(Path(name))
    for number in range(8):
        drawn(Path(f"drawings/group {number % 2}/{number}.png"), hue=20 * number, lines=False)
    drawn(Path("hero.png"), lines=False)
    drawn(Path("rough.png"), lines=False, side=32)
    layer = np.zeros((96, 96, 4), np.uint8)
    layer[60:64, 40:60] = (40, 60, 200, 255)
    cv2.imwrite("strokes.png", layer)
    shutil.make_archive("chapter 1", "zip", "pages")
    Path("chapter 1.zip").rename("chapter 1.cbz")
    return tmp_path


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
def test_the_commands_of_a_guide_work_one_after_the_other(guide: Path, desk: Path) -> None:
    lines = re.findall(r"^    (sketchcolor .*)$", guide.read_text(encoding="utf-8"), re.MULTILINE)
    commands = [line for line in lines if not NOT_RUN.search(f"{line} ")]
    assert commands
    for line in commands:
        done = CliRunner().invoke(app, shlex.split(line)[1:])
        assert done.exit_code == 0, f"{line}\n{done.output}\n{done.stderr}"
        output = Path(shlex.split(line)[shlex.split(line).index("-o") + 1]) if "-o" in line else None
        assert output is None or output.exists(), line
