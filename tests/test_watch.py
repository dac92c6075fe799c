"""A watched folder: which files are complete, and the command that watches."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from typer.testing import CliRunner

from book_files import page, write_zip
from sketchcolor_cli.cli.app import app
from sketchcolor_cli.files.worklist import Job
from sketchcolor_cli.jobs import batch
from sketchcolor_cli.jobs.watch import Watcher

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest


def _nothing() -> None:
    """Leave all as it is."""


def _happens(monkeypatch: pytest.MonkeyPatch, *steps: Callable[[], None]) -> None:
    """Let one step happen in each pause of a watching command; after them Ctrl-C is pressed."""
    script = iter(steps)

    def sleep(_: float) -> None:
        try:
            next(script)()
        except StopIteration:
            raise KeyboardInterrupt from None

    monkeypatch.setattr(batch.time, "sleep", sleep)


def test_a_file_is_complete_when_it_stays_the_same(tmp_path: Path) -> None:
    watcher = Watcher()
    jobs = [Job(tmp_path / name, tmp_path / "out" / name) for name in ("a.png", "b.png", "gone.png")]
    a, b = jobs[0].source, jobs[1].source
    a.write_bytes(b"whole")
    b.write_bytes(b"beg")
    assert watcher.complete(jobs) == []  # seen for the first time
    b.write_bytes(b"begun")
    assert watcher.complete(jobs) == [jobs[0]]
    assert watcher.complete(jobs) == [jobs[1]]
    assert watcher.complete(jobs) == []
    a.write_bytes(b"newer")
    os.utime(a, (5, 5))
    assert watcher.complete(jobs) == []
    assert watcher.complete(jobs) == [jobs[0]]
    a.write_bytes(b"")  # as a copy begins
    assert watcher.complete(jobs) == watcher.complete(jobs) == []


def test_the_command_does_what_is_there_and_what_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, out = tmp_path / "scans", tmp_path / "out"
    folder.mkdir()
    whole = page(3)

    def half() -> None:
        (folder / "b.png").write_bytes(whole[: len(whole) // 2])

    def rest() -> None:
        (folder / "b.png").write_bytes(whole)

    def broken() -> None:
        (folder / "c.png").write_bytes(b"no picture")
        write_zip(folder / "d.cbz", {"1.png": page(4)})

    def first() -> None:
        (folder / "a.png").write_bytes(page(1))

    _happens(monkeypatch, first, _nothing, half, rest, _nothing, broken, _nothing, _nothing)
    result: Any = CliRunner().invoke(
        app, ["extract", "--watch", str(folder), "-o", str(out), "--verbose", "--device", "cpu"]
    )
    assert result.exit_code == 1, result.output  # one failed
    lines = result.stderr.splitlines()
    assert lines[0] == "watching; Ctrl-C ends it"
    assert [line.split("  ")[0].removeprefix(f"{out}/") for line in lines[1:3]] == ["a.png", "b.png"]
    assert sum("c.png: is not a PNG" in line for line in lines) == 1
    assert lines[-1].startswith("3 sketched, 1 failed in")
    assert sorted(path.name for path in out.iterdir()) == [".sketchcolor", "a.png", "b.png", "d.cbz"]


def test_a_folder_may_be_away_for_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, away, out = tmp_path / "share", tmp_path / "away", tmp_path / "out"
    folder.mkdir()
    (folder / "a.png").write_bytes(page(1))

    def back() -> None:
        away.rename(folder)
        (folder / "b.png").write_bytes(page(2))

    def leave() -> None:
        folder.rename(away)

    _happens(monkeypatch, _nothing, leave, _nothing, back, _nothing, _nothing)
    result: Any = CliRunner().invoke(
        app, ["extract", "--watch", str(folder), "-o", str(out), "-m", "gray", "--device", "cpu"]
    )
    assert result.exit_code == 0, result.output
    assert result.stderr.splitlines()[-1].startswith("2 sketched in")
    assert {path.name for path in out.iterdir()} == {".sketchcolor", "a.png", "b.png"}


def test_nothing_failed_is_success_and_a_missing_folder_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _happens(monkeypatch)
    run = ["extract", "--watch", str(tmp_path), "-o", str(tmp_path / "out")]
    assert CliRunner().invoke(app, run).exit_code == 0
    run[2] = str(tmp_path / "gone")
    result = CliRunner().invoke(app, run)
    assert result.exit_code == 1
    assert "gone: no such file or folder" in result.stderr
    result = CliRunner().invoke(app, [*run, "--dry-run"])
    assert (result.exit_code, result.stderr) == (2, "error: --watch and --dry-run exclude each other\n")
