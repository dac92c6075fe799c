"""The commands studio and serve: what they refuse, what they print, and that Ctrl-C ends them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from typer.testing import CliRunner

from sketchcolor_cli.cli.app import app
from studio_server import TOKEN, draw
from tiny_model import BACKEND, MODEL

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNNER = CliRunner()


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("studio gone", 1, "gone: no such file or folder"),
        ("studio empty", 1, "no pictures in this folder"),
        ("studio page.png", 1, "name the folder it is in"),
        ("studio pages --host 0.0.0.0", 2, "set a token with --token"),
        ("studio pages --token short", 2, "at least 16 letters"),
        ("studio pages --port 99999", 2, "--port"),
        ("studio pages --model gone", 1, "gone: neither a model file nor the name of a model"),
        ("serve --door back", 2, "must be one of convert, colorize-image-data"),
    ],
)
def test_mistakes_are_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, code: int, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SKETCHCOLOR_PROJECTS", str(tmp_path / "home"))
    draw(Path("page.png"))
    draw(Path("pages/1.png"))
    Path("empty").mkdir()
    result: Any = RUNNER.invoke(app, line.split())
    assert result.exit_code == code, result.stderr
    assert said in " ".join(result.stderr.split())
    assert len(result.stderr.splitlines()) == 1


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Any]:
    """Start commands, and end those that are left."""
    running: list[subprocess.Popen[str]] = []

    def start(*args: str) -> subprocess.Popen[str]:
        home = {**os.environ, "SKETCHCOLOR_PROJECTS": str(tmp_path / "home")}
        command = [sys.executable, "-m", "sketchcolor_cli", *args, "--token", TOKEN]
        running.append(
            subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env=home,
                start_new_session=True,
            )
        )
        return running[-1]

    yield start
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.mark.timeout(180)
@pytest.mark.skipif(os.name != "posix", reason="sends signals to a group of processes")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_the_studio_prints_its_address_with_the_token_and_a_signal_ends_it(
    tmp_path: Path, started: Any, sent: signal.Signals
) -> None:
    draw(tmp_path / "pages/1.png")
    words = ["--no-browser", "--model", str(MODEL), "--backend", BACKEND]
    server = started("studio", str(tmp_path / "pages"), *words)
    address, _, token = server.stdout.readline().strip().partition("#")
    assert token == TOKEN
    assert address.startswith("http://127.0.0.1:")
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with httpx.Client(base_url=address) as client:  # one, as each reads all certificates
        page = client.get("/")
        assert page.headers["content-type"].startswith("text/html")
        assert TOKEN not in page.text
        assert client.get("/api/v1/project", headers=headers).json()["name"] == "pages"
        foreign = {**headers, "Host": "evil.example"}
        assert client.get("/api/v1/project", headers=foreign).status_code == 400
        while client.get("/readyz").status_code != 200:
            time.sleep(0.1)
    os.killpg(server.pid, sent)  # as a terminal or systemd does, to the worker as well
    _, said = server.communicate(timeout=60)
    assert server.returncode in (0, 130, -sent)
    assert said.splitlines() == ["Ctrl-C ends it"]
    assert sorted(path.name for path in (tmp_path / "pages").iterdir()) == ["1.png"]
