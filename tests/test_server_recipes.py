"""The recipes of docs/server.md, word for word, on a server of our own; only port and token are put in."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from sketchcolor_cli.studio.guard import Access
from sketchcolor_cli.studio.limits import Limits
from sketchcolor_cli.studio.server import application
from studio_server import STROKE, TOKEN, draw, listening, studio_of

if TYPE_CHECKING:
    from collections.abc import Iterator

DOC = (Path(__file__).parent.parent / "docs/server.md").read_text(encoding="utf-8")
BLOCKS = ["\n".join(re.findall(r"^    (.*)$", block, re.MULTILINE)) for block in re.split(r"\n\n(?=\S)", DOC)]
CURL = [block for block in BLOCKS if "curl " in block]
PYTHON = [block for block in BLOCKS if re.search(r"^import .*httpx$", block, re.MULTILINE)]
DOORS = frozenset({"/convert", "/colorize-image-data"})


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a server with both doors open."""
    home = tmp_path_factory.mktemp("recipes")
    limits = Limits()
    studio, access = studio_of(None, "default", home, limits), Access(TOKEN, doors=DOORS)
    app = application(studio, access, with_page=False, note=lambda _line: None)
    with listening(app, limits) as place:
        yield place[1]


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with the files that the recipes name."""
    for name in ("page.png", "rough.png", "hero.png"):
        draw(tmp_path / name)
    (tmp_path / "points.json").write_text(json.dumps([STROKE]))
    return tmp_path


def run(words: list[str], desk: Path) -> str:
    done = subprocess.run(words, cwd=desk, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def is_picture(data: bytes, kind: str) -> bool:
    with Image.open(io.BytesIO(data)) as image:
        return (image.format, image.size) == (kind, (90, 120))


def test_there_are_recipes_for_each_door_and_for_scripts() -> None:
    assert len(PYTHON) == 2
    for address in ("/api/v1/colorize", "/convert", "/colorize-image-data"):
        assert any(address in block for block in CURL)
    assert all(f"--door {name[1:]}" in DOC for name in DOORS)


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize("recipe", CURL, ids=range(len(CURL)))
def test_a_recipe_with_curl(recipe: str, port: int, desk: Path) -> None:
    script = re.sub(r":(8765|5000)/", f":{port}/", recipe.replace("TOKEN=…", f"TOKEN={TOKEN}"))
    said = run(["sh", "-ec", script], desk)
    if "colorize-image-data" in recipe:
        assert json.loads(said)["colorImgData"].startswith("data:image/png;base64,")
    else:
        names = re.findall(r"-o (\S+)", recipe)
        assert names
        for name in names:
            assert is_picture((desk / name).read_bytes(), "WEBP" if name.endswith("webp") else "PNG"), name


@pytest.mark.parametrize("recipe", PYTHON, ids=range(len(PYTHON)))
def test_a_recipe_in_python(recipe: str, port: int, desk: Path) -> None:
    script = re.sub(r":(8765|5000)/", f":{port}/", f"token = {TOKEN!r}\n{recipe}")
    run([sys.executable, "-c", script], desk)
    assert is_picture((desk / "colored.png").read_bytes(), "PNG")
    assert (desk / "colored.png").read_bytes() != (desk / "page.png").read_bytes()
