"""The program as a process: Ctrl-C at any moment, closed and old outputs, documents of failures."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from book_files import page, strokes
from sketchcolor_cli.__main__ import main
from sketchcolor_cli.cli import interrupt, output

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = [sys.executable, "-m", "sketchcolor_cli"]


def test_ctrl_c_is_heeded_before_anything_that_takes_time_is_imported() -> None:
    code = (
        "import sys, signal; from sketchcolor_cli import __main__ as program; "
        "assert not {'typer', 'rich', 'numpy'} & set(sys.modules); "
        "program.interrupt.leave_until_ready(); signal.raise_signal(signal.SIGINT)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (ran.returncode, ran.stderr) == (130, b"")


def test_a_command_gives_ctrl_c_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    try:
        interrupt.leave_until_ready()
        interrupt.raise_from_now_on()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        interrupt.raise_from_now_on()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_stdout_that_is_closed_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(page())
    line = f"{shlex.join(COMMAND)} extract a.png -o out --method xdog --device cpu --json >&-"
    ran = subprocess.run(["sh", "-c", line], cwd=tmp_path, stderr=subprocess.PIPE, text=True, check=False)
    assert ran.returncode == 1
    assert "Traceback" not in ran.stderr
    assert "error: standard output is closed; what was done with files is done" in ran.stderr
    assert (tmp_path / "out/a.png").exists()


def test_an_output_that_nobody_reads_is_one_line(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    ran = subprocess.run([*COMMAND, "plugins", "--json"], stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert ran.returncode == 1
    assert ran.stderr.count(b"\n") == 1
    assert b"standard output cannot be written (Broken pipe)" in ran.stderr


def test_an_old_console_gets_stand_ins(tmp_path: Path) -> None:
    (tmp_path / "ä 絵.png").write_bytes(page())
    ran = subprocess.run(
        [*COMMAND, "extract", "ä 絵.png", "-o", "out", "--method", "xdog", "--dry-run"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": "cp1252"},
        capture_output=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout.decode("cp1252").splitlines()) == (
        0,
        ["do  ä \\u7d75.png -> out/ä \\u7d75.png"],
    )


@pytest.mark.parametrize(
    ("words", "code", "kind"),
    [
        (["extract", "gone.png", "-o", "out", "--json"], 1, "WorklistError"),
        (["extract", "gone.png", "-o", "out", "--json", "--jobs", "0"], 2, "UsageError"),
        (["extract", "--json", "--no-such-option"], 2, "UsageError"),
    ],
)
def test_failures_and_mistakes_have_their_document(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    code: int,
    kind: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["sketchcolor", *words])
    monkeypatch.setattr(output, "_count", [])  # as in a process that wrote nothing yet
    before = signal.getsignal(signal.SIGINT)
    try:
        with pytest.raises(SystemExit) as ended:
            main()
    finally:
        signal.signal(signal.SIGINT, before)
    ran = capsys.readouterr()
    told = json.loads(ran.out)["error"]
    assert (ended.value.code, told["exit_code"], told["kind"]) == (code, code, kind)
    assert ran.err


def test_ctrl_c_while_a_page_of_a_pdf_is_drawn(tmp_path: Path) -> None:
    strokes(tmp_path / "a.pdf", 3_000_000)  # over a minute's work
    words = ["extract", "a.pdf", "-o", "out", "--method", "xdog", "--device", "cpu", "--json"]
    with subprocess.Popen([*COMMAND, *words], cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        try:
            begun = time.monotonic()
            while not list(tmp_path.glob("out/.sketchcolor/books/*/*-in.tif")):  # is being filled
                assert process.poll() is None
                assert time.monotonic() < begun + 60
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            begun = time.monotonic()
            told, _ = process.communicate(timeout=30)
            assert time.monotonic() < begun + 15
        finally:
            process.kill()
    assert process.returncode == 130
    assert json.loads(told)["interrupted"]
