"""A studio for tests: its worker and its jobs run in threads, with a small network of random weights."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import torch
from PIL import Image, ImageDraw
from starlette.testclient import TestClient

from sketchcolor_cli.networks.checkpoint import save_model
from sketchcolor_cli.networks.config import HintUNetConfig
from sketchcolor_cli.networks.hint_unet import HintUNet
from sketchcolor_cli.studio import running
from sketchcolor_cli.studio.engine import Engine, ThreadHost
from sketchcolor_cli.studio.guard import LOOPBACK, Access
from sketchcolor_cli.studio.job_queue import Queue
from sketchcolor_cli.studio.job_runners import ThreadRunner
from sketchcolor_cli.studio.limits import Limits
from sketchcolor_cli.studio.project import Project
from sketchcolor_cli.studio.server import application
from sketchcolor_cli.studio.shelf import Shelf
from sketchcolor_cli.studio.state import Studio

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.types import ASGIApp

TOKEN = "test-token-of-thirty-two-letters"  # noqa: S105
STROKE = {"stroke": [[0.3, 0.5], [0.7, 0.5]], "color": "#e02020", "radius": 0.02}


def save_small_model(path: Path) -> Path:
    """Write the file of a small colour network."""
    torch.manual_seed(0)
    network = HintUNet(HintUNetConfig(widths=(8, 16), depths=(1, 1), lab_step=24.0))
    torch.nn.init.normal_(network.palette.weight)
    save_model(path, network, provenance={"data": "none"}, licence="CC0-1.0")
    return path


def draw(path: Path, size: tuple[int, int] = (90, 120)) -> Path:
    """Draw a page: boxes one below the other on white paper, with a face in the corner of each."""
    page = Image.new("L", size, 255)
    pen, (width, height) = ImageDraw.Draw(page), size
    for top in range(10, max(11, height - 50), 90):
        pen.rectangle((10, top, width - 11, min(top + 90, height - 11)), outline=0, width=3)
        pen.ellipse((16, top + 6, 32, top + 24), outline=0, width=2)
        pen.line((18, top + 24, 22, top + 30, 28, top + 26, 34, top + 32), fill=0, width=2)
    path.parent.mkdir(parents=True, exist_ok=True)
    page.save(path)
    return path


class Client(TestClient):
    """A client that knows the token.

    Attributes:
        studio: What the server holds.
        notes: What it told the terminal.
    """

    studio: Studio
    notes: list[str]

    def when(self, address: str, found: Any, seconds: float = 30) -> Any:
        """Ask until the answer's JSON is as wanted, and return it."""
        until = time.monotonic() + seconds
        while True:
            answer = self.get(address).json()
            if found(answer):
                return answer
            assert time.monotonic() < until, answer
            time.sleep(0.02)


def studio_of(
    folder: Path | None, model: Path | str, home: Path, limits: Limits, backend: str = "auto"
) -> Studio:
    """Return what a server holds, with the project of a folder."""
    queue = Queue(ThreadRunner, limits, "cpu", backend)
    studio = Studio(
        Engine(ThreadHost()), Shelf(home / "projects"), queue, str(model), "cpu", backend, limits=limits
    )
    if folder is not None:
        studio.open(Project(folder, limits))
    return studio


@contextmanager
def listening(
    app: ASGIApp, limits: Limits, lifespan: Literal["on", "off"] = "on"
) -> Iterator[tuple[str, int]]:
    """Serve an application over the network, and yield its address and port."""
    bound = running.bound("127.0.0.1", 0)
    begun = threading.Event()
    server = running.server_of(app, limits, begun.set)
    server.config.lifespan = lifespan
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[bound])), daemon=True)
    thread.start()
    assert begun.wait(20)
    try:
        yield bound.getsockname()
    finally:
        server.should_exit = True
        thread.join(20)


@contextmanager
def served(
    folder: Path | None,
    model: Path | str,
    home: Path,
    *,
    doors: frozenset[str] = frozenset(),
    limits: Limits | None = None,
    local: bool = True,
    with_page: bool = True,
    backend: str = "auto",
) -> Iterator[Client]:
    """Yield a client of a server with the project of a folder."""
    allowed = limits or Limits()
    studio = studio_of(folder, model, home, allowed, backend)
    notes: list[str] = []
    access = Access(TOKEN, LOOPBACK | {"testserver"}, doors, allowed, local)
    app = application(studio, access, with_page=with_page, note=notes.append)
    with Client(app, headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        client.studio, client.notes = studio, notes
        yield client
