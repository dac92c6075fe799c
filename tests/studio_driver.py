"""A studio that runs, and a browser that looks at it; for the tests of test_studio_browser*.py."""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import httpx
import numpy as np
import torch

from sketchcolor_cli.metrics.pictures import delta_e
from tiny_model import BACKEND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Page, Route

# The first is Chromium without its own windows, which takes a fifth less.
_BROWSERS = "chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"
CHROMIUM = next(filter(None, map(shutil.which, _BROWSERS)), None)
GREEN, BLUE = "#3f9a4d", "#3566c0"
SIZE = 360, 480  # width and height of the pages that are drawn here
PATIENCE = 150  # seconds that anything may take on a busy machine


def draw_page(path: Path, number: int = 0, scale: float = 1) -> Path:
    """Draw a page with a frame, a disc, a box and a small black square, and return its path."""
    width, height = SIZE
    page = np.full((height, width), 255, np.uint8)
    cv2.rectangle(page, (16, 16), (width - 17, height - 17), 0, 3)
    cv2.circle(page, (120, 140), 70, 0, 3)
    cv2.rectangle(page, (60, 260), (300, 440), 0, 3)
    cv2.rectangle(page, (250, 90), (258, 98), 0, cv2.FILLED)
    cv2.putText(page, str(number), (265, 60), cv2.FONT_HERSHEY_PLAIN, 2, 0, 2)
    path.parent.mkdir(parents=True, exist_ok=True)
    page = cv2.resize(page, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    data = cv2.imencode(path.suffix, page)[1]
    path.write_bytes(data.tobytes())
    return path


def waited(condition: Callable[[], Any], what: str) -> Any:
    """Return what a condition gives once it gives something true."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {PATIENCE} s")


class Studio:
    """`sketchcolor studio` in a process of its own.

    Args:
        data: Where it keeps the list of projects, and new ones.
        target: What it opens.
        model: The model that colours projects which name none.

    Attributes:
        first: What it told of the project that it began with.
    """

    first: dict[str, Any]

    def __init__(self, data: Path, target: Path | None = None, model: str | Path = "default") -> None:
        self.data, self.target, self.model = data, target, str(model)
        self.token = secrets.token_hex(16)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.origin = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """What it says."""
        return self.data / "studio.log"

    @property
    def address(self) -> str:
        """What the studio prints when it starts."""
        return f"{self.origin}/#{self.token}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        target = [] if self.target is None else [str(self.target)]
        words = ["--no-browser", "--port", str(self.port), "--token", self.token]
        words += ["--device", "cpu", "--backend", BACKEND, "--model", self.model]
        self.data.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "sketchcolor_cli", "studio", *target, *words],
                env={**os.environ, "XDG_DATA_HOME": str(self.data)},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        waited(self._answers, "the studio starts")

    def _answers(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"the studio ended: {self.log.read_text()}")
        try:
            with urllib.request.urlopen(f"{self.origin}/readyz", timeout=2) as answer:  # noqa: S310
                return bool(answer.status == 200)
        except OSError:
            return False

    def kill(self) -> None:
        """End it and its workers at once, as a crash would."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def kill_worker(self) -> None:
        """End the process that owns the network at once, as a lack of memory would."""
        assert self.process is not None
        begun = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        [worker] = [
            number for number in begun if b"spawn_main" in Path(f"/proc/{number}/cmdline").read_bytes()
        ]
        os.kill(int(worker), signal.SIGKILL)

    def get(self, path: str) -> Any:
        """Ask the API."""
        headers = {"Authorization": f"Bearer {self.token}"}
        request = urllib.request.Request(f"{self.origin}/api/v1{path}", headers=headers)  # noqa: S310
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.load(answer)

    def _client(self) -> httpx.Client:
        """Return a client of the API, which reads no certificates: that takes longer than a request."""
        return httpx.Client(
            base_url=f"{self.origin}/api/v1",
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=PATIENCE,
            verify=False,  # noqa: S501
        )

    def take(self, files: list[Path], model: str | Path | None = None, work_size: int = 64) -> dict[str, Any]:
        """Open a project of its own with these pages, whose series names this model; return all about it.

        The network works at the least size there is, which takes half the time, unless told otherwise.
        """
        series = f"work-size = {work_size}\n"
        if model is not None:
            series += f"model = {json.dumps(str(model))}\n"
        with self._client() as client:
            made: dict[str, Any] = client.post("/shelf", json={"name": files[0].stem}).json()
            (Path(made["folder"]) / "series.toml").write_text(series, encoding="utf-8")
            sent = [("file", (path.name, path.read_bytes())) for path in files]
            for at in range(0, len(sent), 20):
                assert client.post("/pages", files=sent[at : at + 20]).status_code == 201
            found: dict[str, Any] = client.get("/project").json()
        return found

    def open(self, project: dict[str, Any]) -> None:
        """Open a project that was open before."""
        with self._client() as client:
            assert client.post(f"/shelf/{project['id']}/open").status_code == 200

    def mark(self, project: dict[str, Any], marks: list[dict[str, Any]]) -> None:
        """Store what is painted on the first page of the project that is open, on which nothing is yet."""
        with self._client() as client:
            address = f"/pages/{project['pages'][0]['id']}/marks"
            put = client.put(address, json={"marks": marks}, headers={"If-Match": '"0"'})
        assert put.status_code == 200, put.text

    def marks(self, number: int = 0) -> list[dict[str, Any]]:
        """Return what is stored of what was painted on a page of the project that is open."""
        page = self.get("/project")["pages"][number]["id"]
        found: list[dict[str, Any]] = self.get(f"/pages/{page}/marks")["marks"]
        return found


class Driver:
    """What a user does in one window."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.canvas = page.locator("canvas.strokes")

    def idle(self) -> None:
        """Wait until nothing is computed and all is saved."""
        self.page.locator('.live-state[data-state="idle"]').wait_for()
        self.saved()

    def saved(self) -> None:
        """Wait until all is saved."""
        self.page.locator('.save-state[data-state="saved"]').wait_for()

    @contextmanager
    def holding(self, address: str, method: str) -> Iterator[Callable[[str], Any]]:
        """Hold requests back until the end of the context; gives what waits until one is held."""
        held: list[Route] = []
        self.page.route(
            address, lambda route: held.append(route) if route.request.method == method else route.continue_()
        )
        yield lambda what: waited(lambda: self.page.wait_for_timeout(50) or held, what)
        for route in held:
            route.continue_()
        self.page.unroute(address)

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Return where on the screen a place of the page is, given in its pixels, while it is shown whole."""
        box = self.canvas.bounding_box()
        assert box is not None
        margin = min(24, box["width"] / 12, box["height"] / 12)
        scale = min((box["width"] - 2 * margin) / SIZE[0], (box["height"] - 2 * margin) / SIZE[1])
        left = box["x"] + (box["width"] - SIZE[0] * scale) / 2
        top = box["y"] + (box["height"] - SIZE[1] * scale) / 2
        return left + x * scale, top + y * scale

    def stroke(self, *places: tuple[float, float]) -> None:
        """Paint a line over places of the page, given in its pixels."""
        first, *others = [self.place(*place) for place in places]
        self.page.mouse.move(*first)
        self.page.mouse.down()
        for place in others:
            self.page.mouse.move(*place, steps=6)
        self.page.mouse.up()

    def color(self, color: str) -> None:
        """Choose a colour, ``#rrggbb``."""
        field = self.page.locator("input.hex")
        field.fill(color)
        field.press("Enter")
        self.canvas.focus()

    def layer(self, name: str) -> np.ndarray:
        """Return one of the canvas's layers, page, result or strokes, as (height, width, RGBA)."""
        number = ("page", "result", "strokes").index(name)
        url = (
            self.page.locator("canvas.layer").nth(number).evaluate("canvas => canvas.toDataURL('image/png')")
        )
        data = np.frombuffer(base64.b64decode(url.partition(",")[2]), np.uint8)
        return cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_UNCHANGED), cv2.COLOR_BGRA2RGBA)

    def pixels(self, name: str, left: int, top: int, width: int = 1, height: int = 1) -> np.ndarray:
        """Return a part of a layer, (height, width, RGBA); which is asked again and again at less cost."""
        number = ("page", "result", "strokes").index(name)
        data = (
            self.page.locator("canvas.layer")
            .nth(number)
            .evaluate(
                "(canvas, part) => Array.from(canvas.getContext('2d').getImageData(...part).data)",
                [left, top, width, height],
            )
        )
        return np.array(data, np.uint8).reshape(height, width, 4)

    def shown(self, x: float, y: float) -> np.ndarray:
        """Return the RGB of the result where a place of the page is, given in its pixels."""
        box = self.canvas.bounding_box()
        assert box is not None
        left, top = self.place(x, y)
        column, row = round(left - box["x"]), round(top - box["y"])
        return self.pixels("result", column - 1, row - 1, 3, 3)[..., :3].reshape(-1, 3).mean(0)

    def pen(self, *samples: tuple[float, float, float]) -> None:
        """Paint with a pen: places of the page in its pixels, and the pressure at each."""
        session = self.page.context.new_cdp_session(self.page)
        for at, (x, y, force) in enumerate(samples):
            left, top = self.place(x, y)
            kind = "mousePressed" if at == 0 else "mouseMoved"
            event = {"x": left, "y": top, "button": "left", "buttons": 1, "force": force, "clickCount": 1}
            session.send("Input.dispatchMouseEvent", {"type": kind, "pointerType": "pen", **event})
        event = {"x": left, "y": top, "button": "left", "buttons": 0, "clickCount": 1}
        session.send("Input.dispatchMouseEvent", {"type": "mouseReleased", "pointerType": "pen", **event})

    def touch(self, *moments: list[tuple[float, float]]) -> None:
        """Touch the canvas: at each moment, where on the screen each finger is."""
        session = self.page.context.new_cdp_session(self.page)
        for at, fingers in enumerate(moments):
            points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(fingers)]
            kind = "touchStart" if at == 0 or len(fingers) > len(moments[at - 1]) else "touchMove"
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    @property
    def zoom(self) -> float:
        """The zoom that is shown, in percent."""
        found = re.search(r"\d+", self.page.locator(".zoom-text").inner_text())
        assert found is not None
        return float(found[0])


def shown(driver: Driver) -> Driver:
    """Wait until a window shows a page in its colours."""
    driver.page.locator(".canvas-area").wait_for()
    driver.idle()
    return driver


def far(shown: np.ndarray, color: str) -> float:
    """ΔE00 of a shown colour and one that was asked for."""
    both = shown, rgb_of(color)
    return float(
        delta_e(*(torch.tensor(color / 255, dtype=torch.float32).reshape(1, 3, 1, 1) for color in both))
    )


def rgb_of(color: str) -> np.ndarray:
    """The numbers of ``#rrggbb``."""
    return np.array([int(color[at : at + 2], 16) for at in (1, 3, 5)])
