"""A stranger's walk from the command to the paint, and on to the pixels, never goes back up."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from typer.testing import CliRunner

import sketchcolor_cli
from sketchcolor_cli.cli.app import app
from sketchcolor_cli.coloring import colorizer
from sketchcolor_cli.coloring.painter import Painter
from sketchcolor_cli.imaging.picture import Picture
from sketchcolor_cli.imaging.writing import write_picture
from sketchcolor_cli.networks.checkpoint import save_model
from sketchcolor_cli.networks.config import HintUNetConfig
from sketchcolor_cli.networks.hint_unet import HintUNet
from test_architecture import row_of

if TYPE_CHECKING:
    from types import FrameType

    import pytest

ROOT = Path(__file__).parents[1]
SOURCE = Path(sketchcolor_cli.__file__).parent  # of the package that is tested, installed or not
WRAPPERS = {"cli/options.py", "cli/request.py"}  # what every command is wrapped in, before it begins


def crossed() -> list[str]:
    """Return the files of ours on the way to the caller, in the order in which they are entered."""
    frame: FrameType | None = sys._getframe(1)
    files: list[str] = []
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(SOURCE):
            files.insert(0, path.relative_to(SOURCE).as_posix())
        frame = frame.f_back
    return [name for name in dict.fromkeys(files) if name not in WRAPPERS]


def test_the_walk_from_the_command_to_the_pixels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ways: list[list[str]] = []
    paint, bands = Painter.__call__, colorizer.Painted.bands

    def painted(*given: Any, **named: Any) -> Any:
        ways.append([*crossed(), "coloring/painter.py"])
        return paint(*given, **named)

    def laid(given: Any) -> Any:  # row by row, while the page is written
        ways.append([*crossed(), "coloring/colorizer.py", "coloring/paint/composite.py"])
        return bands(given)

    monkeypatch.setattr(Painter, "__call__", painted)
    monkeypatch.setattr(colorizer.Painted, "bands", laid)
    model, page = tmp_path / "model.safetensors", tmp_path / "page.png"
    network = HintUNet(HintUNetConfig(widths=(8, 16), depths=(1, 1), stride=4, lab_step=24.0))
    save_model(model, network, provenance={"data": "none"}, licence="CC0-1.0")
    rgb = np.ones((96, 80, 3), np.float32)
    rgb[:, 39:42] = 0
    write_picture(page, Picture(rgb, gray=True))
    words = ["colorize", str(page), "-o", str(tmp_path / "colored"), "--model", str(model), "--device", "cpu"]
    ran = CliRunner().invoke(app, [*words, "--work-size", "64", "--colored-pages", "redo"])
    assert ran.exit_code == 0, ran.output
    to_the_paint = next(way for way in ways if way[-1] == "coloring/painter.py")
    assert ways[-1][-1] == "coloring/paint/composite.py"
    assert max(map(len, ways)) <= 8, ways
    for way in ways:
        rows = [row_of(name.removesuffix(".py").replace("/", ".")) for name in way]
        assert rows == sorted(rows, reverse=True), way
    # The page on the house tells this walk, in this order.
    told = re.findall(r"^\d\. `(\S+\.py)`", (ROOT / "docs" / "design.md").read_text("utf-8"), re.MULTILINE)
    assert sorted(to_the_paint) == sorted(told[:7])
    assert told[7] == ways[-1][-1]
