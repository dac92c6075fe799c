"""What a release holds: every file of the package and nothing else, the same bytes whenever it is built."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

import pytest

builders = pytest.importorskip("hatchling.builders.wheel", reason="pip install -e '.[dev]' brings hatchling")

ROOT = Path(__file__).parents[1]
PACKAGES = {"sketchcolor_cli": ROOT / "src", "sketchcolor_plugins": ROOT / "plugins"}
MOST_BYTES = 40e6  # of weights and all


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("dist")
    [path] = builders.WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    return zipfile.ZipFile(path)


def test_it_holds_every_file_of_the_package_and_no_other(wheel: zipfile.ZipFile) -> None:
    there = {
        path.relative_to(above).as_posix()
        for name, above in PACKAGES.items()
        for path in (above / name).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    held = {name for name in wheel.namelist() if name.partition("/")[0] in PACKAGES}
    assert held == there
    beside = {name.partition("/")[2] for name in wheel.namelist() if ".d" in name.partition("/")[0]}
    assert {"data/share/man/man1/sketchcolor.1", "licenses/LICENSE", "entry_points.txt"} <= beside


@pytest.mark.parametrize(
    "kind", [".safetensors", "NOTICE.md", "default.md", "page/index.html", "messages/ja.json", "py.typed"]
)
def test_it_holds_weights_cards_notices_and_the_studio(wheel: zipfile.ZipFile, kind: str) -> None:
    assert any(name.endswith(kind) for name in wheel.namelist())


def test_the_source_holds_what_builds_tests_and_explains_it(tmp_path: Path) -> None:
    sdist = pytest.importorskip("hatchling.builders.sdist")
    [path] = sdist.SdistBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with tarfile.open(path) as source:
        members = source.getmembers()
    held = {member.name.partition("/")[2] for member in members}
    assert {"pyproject.toml", "LICENSE", "Makefile", "requirements/slim.txt", "docs/design.md"} <= held
    assert {f"tests/{file.name}" for file in (ROOT / "tests").glob("test_*.py")} <= held
    assert not {
        name for name in held if name.startswith(("build/", ".git/", ".venv/")) or name.endswith(".pyc")
    }
    assert len({member.mtime for member in members}) == 1  # and knows nothing of when


def test_it_is_small_and_knows_nothing_of_when_it_was_built(wheel: zipfile.ZipFile) -> None:
    assert sum(info.compress_size for info in wheel.infolist()) < MOST_BYTES
    assert len({info.date_time for info in wheel.infolist()}) == 1
    assert wheel.infolist()[0].date_time[0] < 2026  # a fixed date, not that of today
