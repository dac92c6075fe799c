"""What a command says on standard error, and in its log."""

from __future__ import annotations

import errno
import os
import re
import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from sketchcolor_cli.cli import console, printing, tables
from sketchcolor_cli.cli.app import app, main

if TYPE_CHECKING:
    from click.testing import Result

STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ")


@pytest.fixture
def drawings(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    cv2.imwrite(str(folder / "good.png"), np.full((40, 40, 3), 200, np.uint8))
    (folder / "bad.png").write_bytes(b"no picture")
    return folder


def extract(drawings: Path, *options: str) -> Result:
    output = drawings.parent / "out"
    return CliRunner().invoke(
        app, ["extract", str(drawings), "-o", str(output), "--method", "gray", *options]
    )


def test_quiet_says_what_failed_and_nothing_else(drawings: Path) -> None:
    loud, quiet = extract(drawings), extract(drawings, "--overwrite", "--quiet")
    assert (loud.exit_code, quiet.exit_code) == (1, 1)
    assert "1 sketched" in loud.stderr
    lines = quiet.stderr.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("failed: ")
    assert "bad.png" in lines[0]


def test_the_log_has_every_file_also_where_the_screen_has_none(drawings: Path) -> None:
    log = drawings.parent / "log 記録.txt"
    extract(drawings, "-q", "--log-file", str(log))
    first = log.read_text(encoding="utf-8").splitlines()
    assert all(STAMP.match(line) for line in first)
    text = "\n".join(first)
    assert "good.png" in text
    assert "failed: " in text
    assert "1 sketched, 1 failed" in text
    extract(drawings, "--overwrite", "--log-file", str(log))
    assert log.read_text(encoding="utf-8").splitlines()[: len(first)] == first  # it grows


def test_an_error_of_the_whole_command_is_logged(tmp_path: Path) -> None:
    log = tmp_path / "log"
    run = CliRunner().invoke(app, ["weights", "show", "nothing", "--log-file", str(log)])
    assert run.exit_code != 0
    assert "error: nothing" in log.read_text(encoding="utf-8")


def test_a_log_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    run = CliRunner().invoke(app, ["plugins", "--log-file", str(tmp_path / "gone" / "log")])
    assert run.exit_code == 1
    assert run.stderr.count("\n") == 1
    assert "the log cannot be written" in run.stderr
    assert not run.stdout


def test_a_trace_is_logged_whole(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "log"
    with console.wanted(quiet=False, log_file=log):
        console.Console().say("Traceback\n  line 1", shown=False)
        printing.note("shown \udce9")
    assert [STAMP.sub("", line) for line in log.read_text(encoding="utf-8").splitlines()] == [
        "Traceback",
        "  line 1",
        "shown \\udce9",
    ]
    assert "Traceback" not in capfd.readouterr().err
    assert not console.quiet()


@pytest.mark.parametrize("command", ["", "colorize", "train", "dataset prepare", "weights fetch"])
def test_help_shows_no_types_of_python(command: str) -> None:
    shown = CliRunner().invoke(app, [*command.split(), "--help"], env={"COLUMNS": "120"}).stdout
    assert "--help" in shown
    assert not re.search(r"<\w+>|list\[|\bbool\b|\bstr\b", shown)


@pytest.mark.parametrize("command", ["plugins", "models list", "weights list"])
@pytest.mark.parametrize("width", [40, 120])
def test_tables_fit_a_narrow_screen(command: str, width: int) -> None:
    shown = CliRunner().invoke(app, command.split(), env={"COLUMNS": str(width)}).stdout
    lines = shown.splitlines()
    assert max(map(len, lines)) <= width
    assert ("┃" in shown) == (width == 120)
    assert sum(len(line) > 8 for line in lines) > len(lines) / 2  # not one word below the other


def test_a_log_whose_disk_is_full_ends_and_the_command_does_not(
    drawings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_log: object, _text: str) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(console, "_log", full)
    run = extract(drawings, "--log-file", str(drawings.parent / "log"))
    assert "1 sketched" in run.stderr
    assert run.stderr.count("the log ends here, it cannot be written (No space left on device)") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has it")
def test_a_log_that_is_closed_after_a_full_disk_complains_no_more() -> None:
    with console.wanted(quiet=False, log_file=Path("/dev/full")):
        printing.note("one")
        printing.note("two")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has it")
@pytest.mark.parametrize("command", [["plugins"], ["dataset", "rules"]])
def test_results_that_cannot_be_written_are_one_line(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        monkeypatch.setattr(sys, "argv", ["sketchcolor", *command])
        with pytest.raises(SystemExit) as end:
            main()
    assert end.value.code == 1
    said = capfd.readouterr().err
    assert said.startswith("error: standard output cannot be written (No space left on device)")
    assert said.count("\n") == 1


def test_tables_are_drawn_with_signs_that_the_console_has(monkeypatch: pytest.MonkeyPatch) -> None:
    console = TextIOWrapper(BytesIO(), "ascii")
    monkeypatch.setattr(sys, "stdout", console)
    tables.show(("KID × 1000", "名"), [("1 ± 2", "x")])
    console.seek(0)
    text = console.read()
    assert "| KID x 1000 |" in text
    assert "1 \\xb1 2" in text
