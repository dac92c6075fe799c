"""A command that lacks weights offers to get them, and then does what it was asked for."""

from __future__ import annotations

import hashlib
import sys
from typing import TYPE_CHECKING, Any

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from typer.testing import CliRunner

from sketchcolor_cli import Extractor, WeightFile, WeightSource
from sketchcolor_cli.cli import fetching, weights
from sketchcolor_cli.cli.app import app
from sketchcolor_cli.cli.console import Console
from sketchcolor_cli.jobs import extract as extracting
from sketchcolor_cli.plugin.discovery import Extractors, Listing
from web import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=[False, True], ids=["free", "non-commercial"])
def pictures(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A folder with a picture; the only method, "shade", needs weights that a server has."""
    monkeypatch.setenv("SKETCHCOLOR_WEIGHTS", str(tmp_path / "kept"))
    for name in ("http_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    torch.save({"shade": torch.tensor(0.5)}, tmp_path / "shade.pth")
    data = (tmp_path / "shade.pth").read_bytes()
    with serving() as web:
        source = WeightSource(
            "shade.pth", len(data), hashlib.sha256(data).hexdigest(), urls=(web.file("/shade.pth", data),)
        )
        file = WeightFile("shade", "for research", (source,), non_commercial=request.param)

        def load(resources: Any) -> Any:
            shade = load_file(resources.weight_path(file))["shade"]
            return lambda rgb: rgb[:, :1] * 0 + shade

        found = Extractors([Listing("shade", "demo", "1.0", Extractor("shade", "Grey.", load, (file,)))])
        monkeypatch.setattr(weights, "find_extractors", lambda: found)
        monkeypatch.setattr(extracting, "find_extractors", lambda: found)
        (tmp_path / "in").mkdir()
        Image.new("RGB", (8, 6), "red").save(tmp_path / "in/a.png")
        yield tmp_path / "in"


def extract(pictures: Path, *more: str, answer: str = "") -> Any:
    words = ["extract", str(pictures), "-o", str(pictures.parent / "out"), "-m", "shade", *more]
    return CliRunner().invoke(app, words, input=answer)


def drawn(pictures: Path) -> tuple[int, int] | None:
    path = pictures.parent / "out/a.png"
    return Image.open(path).convert("L").getextrema() if path.exists() else None  # type: ignore[return-value]


def on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "_is_terminal", lambda: True)


def test_fetch_says_yes_and_goes_on_to_the_sketches(pictures: Path) -> None:
    ran = extract(pictures, "--fetch")
    assert ran.exit_code == 0, ran.stderr
    assert drawn(pictures) == (128, 128)
    assert "shade: for research" in ran.stderr
    assert extract(pictures, "--fetch", "--overwrite").exit_code == 0


def test_in_a_script_without_it_one_line_says_how(pictures: Path) -> None:
    ran = extract(pictures)
    assert (ran.exit_code, ran.stderr.count("\n")) == (1, 1)
    assert "get them by: sketchcolor weights fetch shade" in ran.stderr
    assert drawn(pictures) is None


def test_on_a_terminal_licence_and_size_are_shown_and_one_is_asked(
    pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_a_terminal(monkeypatch)
    ran = extract(pictures, answer="n\n")
    assert ran.exit_code == 1
    assert "shade: for research, " in ran.stderr
    assert "ownload? [y/N]" in ran.stderr
    assert drawn(pictures) is None
    ran = extract(pictures, answer="y\n")
    assert ran.exit_code == 0, ran.stderr
    assert drawn(pictures) == (128, 128)


def test_a_download_that_fails_is_told_and_nothing_is_drawn(
    pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> fetching.Fetched:
        return fetching.Fetched(failed=[{"name": "shade"}])

    monkeypatch.setattr(fetching, "fetch_all", fail)
    assert extract(pictures, "--fetch").exit_code == 1
    assert drawn(pictures) is None


def test_evaluate_gets_what_it_could_do_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKETCHCOLOR_WEIGHTS", str(tmp_path / "none"))
    asked: list[list[str]] = []

    def fail(files: Any, **_: Any) -> fetching.Fetched:
        asked.append([file.name for file in files])
        return fetching.Fetched(failed=[{}])

    monkeypatch.setattr(fetching, "fetch_all", fail)
    for more in ([], ["--no-fid"]):
        CliRunner().invoke(app, ["evaluate", "--data", "gone", "-o", str(tmp_path / "o"), "--fetch", *more])
    assert asked == [["fid-inception", "lpips-alexnet", "lpips-heads"], ["lpips-alexnet", "lpips-heads"]]


def test_a_pipe_is_not_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    assert not Console().is_terminal
    assert not fetching._is_terminal()
