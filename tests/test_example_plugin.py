"""The example distribution for plugin authors: built, installed from its wheel, listed, used, tested."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw
from typer.testing import CliRunner

from sketchcolor_cli.cli.app import app
from sketchcolor_cli.weights.wheels import has_pip

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "plugin"
pytest.importorskip("hatchling", reason="builds the example's wheel; pip install -e '.[dev]' brings it")
if not has_pip():
    pytest.skip("needs pip, which installs the example's wheel", allow_module_level=True)


# One process for several commands and the example's tests, as loading torch takes longer than all of them.
COMMANDS = """
import json, os, sys
import pytest
from typer.testing import CliRunner
from sketchcolor_cli.cli.app import app

lines, source = json.load(sys.stdin)
done = [CliRunner().invoke(app, line) for line in lines]
print(json.dumps([[ran.exit_code, ran.stdout, ran.stderr] for ran in done]), flush=True)
os.chdir(source)
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", "tests"]))
"""


def run(*args: str | Path, path: Path | None = None, cwd: Path | None = None, given: str = "") -> str:
    """Run Python with what is installed at a path besides, given this on stdin; return what it prints."""
    paths = [str(path), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | ({"PYTHONPATH": os.pathsep.join(filter(None, paths))} if path else {})
    done = subprocess.run(
        [sys.executable, *map(str, args)],
        input=given,
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        cwd=cwd,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The example's folder as an author has it, and where its wheel is installed; nothing is downloaded."""
    folder = tmp_path_factory.mktemp("plugin")
    shutil.copytree(EXAMPLE, folder / "source")
    offline = ("--no-index", "--no-deps", "--disable-pip-version-check", "--quiet")
    run("-m", "pip", "wheel", *offline, "--no-build-isolation", "-w", folder / "dist", folder / "source")
    [wheel] = (folder / "dist").glob("sketchcolor_edges-0.1.0-*.whl")
    run("-m", "pip", "install", *offline, "--target", folder / "site", wheel)
    return folder / "source", folder / "site"


def found(listings: str) -> list[dict[str, Any]]:
    """Return the example among what `plugins --json` lists."""
    return [listing for listing in json.loads(listings) if listing["name"] == "edges"]


def test_it_is_listed_with_its_distribution_once_it_is_installed_draws_and_mixes_by_its_name_and_is_tested(
    built: tuple[Path, Path], tmp_path: Path
) -> None:
    source, site = built
    page = Image.new("RGB", (40, 30), "white")
    ImageDraw.Draw(page).rectangle((10, 8, 29, 21), fill="navy")
    page.save(tmp_path / "page.png")
    lines = [
        "plugins --json",
        "extract page.png -o alone --method edges",
        "extract page.png -o mixed --mix edges=1,gray=1",
    ]
    given = json.dumps([lines, str(source)])
    first, tested = run("-c", COMMANDS, path=site, cwd=tmp_path, given=given).split("\n", 1)
    told = json.loads(first)
    assert [code for code, _, _ in told] == [0] * 3, told

    assert found(CliRunner().invoke(app, ["plugins", "--json"]).stdout) == []
    [listing] = found(told[0][1])
    assert (listing["distribution"], listing["version"]) == ("sketchcolor-edges", "0.1.0")
    assert listing["ready"]

    alone, mixed, gray = (
        np.asarray(Image.open(path).convert("L"), float)
        for path in (tmp_path / "alone/page.png", tmp_path / "mixed/page.png", tmp_path / "page.png")
    )
    assert (alone[0] == 255).all()
    assert alone[8, 20] == 0
    assert np.abs(mixed - (alone + gray) / 2).max() <= 4  # Pillow weighs blue more than gray does
    assert "3 passed" in tested


def test_the_guide_shows_its_files_as_they_are() -> None:
    guide = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
    shown = dict(re.findall(r"^`(\S+)`:\n\n```\w+\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL))
    assert sorted(shown) == ["pyproject.toml", "sketchcolor_edges.py", "tests/test_sketchcolor_edges.py"]
    assert shown == {name: (EXAMPLE / name).read_text(encoding="utf-8") for name in shown}


def test_it_touches_no_file_of_ours() -> None:
    ours = [*(ROOT / "src").rglob("*.py"), *(ROOT / "plugins").rglob("*.py"), ROOT / "pyproject.toml"]
    assert not [path for path in ours if "sketchcolor_edges" in path.read_text(encoding="utf-8")]
