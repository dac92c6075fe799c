"""The functions behind the commands, as a notebook calls them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

import sketchcolor_cli
from sketchcolor_cli import ColorizeRequest, ExtractRequest, colorize, extract
from sketchcolor_cli.cli.app import app
from sketchcolor_cli.errors import UsageError, WorklistError
from sketchcolor_cli.jobs.outcome import Begun, Event, EventKind, Loading, Note

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[1]
HEAVY = {"cv2", "numpy", "rich", "torch", "typer"}


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """Two sketches and a file that is none."""
    folder = tmp_path / "pages"
    folder.mkdir()
    for number in (1, 2):
        page = np.full((96, 64), 255, np.uint8)
        cv2.circle(page, (32, 40), 10 * number, 0, 2)
        cv2.imwrite(str(folder / f"{number}.png"), page)
    (folder / "3.png").write_bytes(b"not a picture")
    return folder


def kinds(happened: Sequence[Any]) -> list[Any]:
    return [event.kind if isinstance(event, Event) else type(event) for event in happened]


def test_importing_loads_nothing_heavy_and_every_name_is_there() -> None:
    ask = "import json, sys, sketchcolor_cli; print(json.dumps([m.partition('.')[0] for m in sys.modules]))"
    ran = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert not HEAVY.intersection(json.loads(ran.stdout))
    assert dir(sketchcolor_cli) == sorted(sketchcolor_cli.__all__)
    for name in sketchcolor_cli.__all__:
        assert getattr(sketchcolor_cli, name).__doc__, name
    with pytest.raises(AttributeError, match="has no attribute 'colourise'"):
        _ = sketchcolor_cli.colourise


def test_pages_are_coloured_and_what_happens_is_reported(pages: Path, tmp_path: Path) -> None:
    happened: list[Any] = []
    request = ColorizeRequest.of(inputs=[pages], output=tmp_path / "out", device="cpu", work_size=64, jobs=1)
    outcome = colorize(request, happened.append)
    assert [done.job.name for done in outcome.done] == ["1.png", "2.png"]
    [failure] = outcome.failed
    assert failure.message.startswith(f"{pages / '3.png'}: is not a PNG")
    assert (outcome.device, outcome.is_whole, outcome.plan, outcome.drift) == ("cpu", False, None, None)
    assert happened[0] == Loading()
    assert happened[1] == Begun("default on cpu", 3)
    assert sorted(kinds(happened[2:])) == ["failed", "finished", "finished", "started", "started"]
    assert cv2.imread(str(tmp_path / "out/1.png")).shape == (96, 64, 3)

    happened.clear()
    (pages / "3.png").unlink()
    outcome = colorize(request, happened.append)
    assert [job.name for job in outcome.skipped] == ["1.png", "2.png"]
    assert outcome.is_whole
    assert kinds(happened) == [Begun, EventKind.SKIPPED, EventKind.SKIPPED]


def test_pages_in_colour_are_kept_and_counted(tmp_path: Path) -> None:
    page = np.full((60, 60, 3), 255, np.uint8)
    page[:20], page[20:40] = (0, 0, 255), (0, 128, 0)
    cv2.imwrite(str(tmp_path / "page.png"), page)
    outcome = colorize(
        ColorizeRequest.of(inputs=[tmp_path / "page.png"], output=tmp_path / "out", device="cpu", flats=True)
    )
    assert [kept.facts for kept in outcome.kept] == [{"kept": "in colour already"}]
    assert sorted(path.name for path in (tmp_path / "out").glob("*.png")) == ["page.png"]
    assert (tmp_path / "out/page.png").read_bytes() == (tmp_path / "page.png").read_bytes()


def test_a_plan_does_nothing(pages: Path, tmp_path: Path) -> None:
    request = ExtractRequest.of(inputs=[pages], output=tmp_path / "out", method="xdog", dry_run=True)
    outcome = extract(request)
    assert outcome.plan is not None
    assert [str(planned.action) for planned in outcome.plan] == ["do", "do", "do"]
    assert outcome.to_json()["plan"][0]["source"] == str(pages / "1.png")
    assert not (tmp_path / "out").exists()


def test_sketches_are_drawn_and_missing_guides_are_noted(pages: Path, tmp_path: Path) -> None:
    rough = tmp_path / "rough"
    (pages / "3.png").unlink()
    outcome = extract(ExtractRequest.of(inputs=[pages], output=rough, method="xdog", invert=True))
    assert len(outcome.done) == 2
    assert cv2.imread(str(rough / "1.png"))[0, 0].tolist() == [0, 0, 0]
    (rough / "2.png").unlink()
    happened: list[Any] = []
    colorize(
        ColorizeRequest.of(inputs=[pages], output=tmp_path / "out", reference=[rough], device="cpu"),
        happened.append,
    )
    assert Note(f"{rough}: no reference for 1 of 2 pages, such as 2.png") in happened


def test_what_cannot_be_done_is_raised(tmp_path: Path) -> None:
    with pytest.raises(WorklistError, match="gone: no such file or folder"):
        colorize(ColorizeRequest.of(inputs=[tmp_path / "gone"], output=tmp_path / "out"))
    with pytest.raises(UsageError, match="--mix and --method gray exclude each other"):
        ExtractRequest.of(inputs=["a"], output="out", method="gray", mix="random")
    with pytest.raises(UsageError, match="--output out: must be a path"):
        ColorizeRequest((tmp_path,), "out")  # type: ignore[arg-type]


def test_the_page_of_the_docs_runs(pages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (pages / "3.png").unlink()
    pages.rename(tmp_path / "drawings")
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs/library.md").read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    for place, block in enumerate(blocks):
        code = block.replace("page 1", "1").replace('output=Path("colored")', 'output=Path("again")')
        exec(compile(code, f"docs/library.md, block {place + 1}", "exec"), names)  # noqa: S102
    assert len(blocks) == 5
    assert {path.name for path in Path("colored").glob("*.png")} == {
        "1.png",
        "1.flats.png",
        "2.png",
        "2.flats.png",
    }
    assert Path("1 colored.png").is_file()


def test_the_last_line_says_why_pages_were_kept(tmp_path: Path) -> None:
    page = np.full((60, 60, 3), 255, np.uint8)
    cv2.imwrite(str(tmp_path / "blank.png"), page)
    page[:20], page[20:40] = (0, 0, 255), (0, 128, 0)
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(tmp_path / name), page)
    words = ["colorize", str(tmp_path), "-o", str(tmp_path / "out"), "--device", "cpu"]
    said = CliRunner().invoke(app, words).stderr
    assert said.startswith("0 colorized, 2 kept (in colour already), 1 kept (nothing is drawn on it) in ")
