"""The studio's worker with ONNX Runtime: no torch, passes that end, exports as of the command line."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sketchcolor_cli.compute import onnx
from sketchcolor_cli.imaging.reading import read_picture
from sketchcolor_cli.jobs.colorize import colorize
from sketchcolor_cli.jobs.requests import ColorizeRequest
from sketchcolor_cli.networks.onnx_forward import OnnxForward
from sketchcolor_cli.studio.live import Desk
from sketchcolor_cli.studio.look import Look, PageFiles, PaintRequest
from sketchcolor_cli.studio.turns import CancelledError, Wish
from studio_server import STROKE, draw, served
from tiny_model import GRAPH, MODEL

if TYPE_CHECKING:
    from pathlib import Path

    from sketchcolor_cli.networks.forward import Inputs


pytestmark = pytest.mark.skipif(not onnx.is_installed(), reason="the extra onnx is not installed")


def test_the_worker_paints_without_torch(tmp_path: Path) -> None:
    page = draw(tmp_path / "page.png")
    code = (
        "import json, sys\n"
        "from sketchcolor_cli.studio.frames import packed, unpacked\n"
        "from sketchcolor_cli.studio.worker import Worker\n"
        "import threading; over = threading.Event(); parts = []\n"
        "def heard(frame):\n"
        "    header, _ = unpacked(frame); parts.append(header.get('stage') or header)\n"
        "    if header['event'] != 'part': over.set()\n"
        "worker = Worker(heard)\n"
        "look = {'model': sys.argv[1], 'backend': 'onnx', 'device': 'auto'}\n"
        "asked = json.loads(sys.argv[2])\n"
        "for kind in ('warm', 'open', 'paint', 'colorize'):\n"
        "    over.clear(); worker.take(packed({'id': 1, 'kind': kind, 'look': look, **asked}))\n"
        "    assert over.wait(60)\n"
        "    assert parts[-1]['event'] == 'done', parts\n"
        "assert {'spread', 'quick', 'final'} <= {part for part in parts if isinstance(part, str)}\n"
        "print(sorted({'torch', 'torchvision'} & set(sys.modules)))"
    )
    asked = {
        "page": {"path": str(page)},
        "marks": [STROKE],
        "width": 80,
        "stages": ["spread", "quick", "final"],
        "image": str(page),
        "target": str(tmp_path / "out.png"),
    }
    done = subprocess.run(
        [sys.executable, "-c", code, MODEL, json.dumps(asked)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


def test_a_pass_ends_when_nobody_wants_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk, wish, stopped = Desk(), Wish(), []
    look, page = Look(str(MODEL), backend="onnx"), PageFiles(draw(tmp_path / "page.png"))
    run = OnnxForward.paint

    def paint(network: OnnxForward, inputs: Inputs, how: str = "float32") -> object:
        wish.cancel()  # while it goes on
        return run(network, inputs, how)

    monkeypatch.setattr(OnnxForward, "paint", paint)
    monkeypatch.setattr(OnnxForward, "stop", lambda network: stopped.append(network))
    with pytest.raises(CancelledError):
        list(desk.stages(PaintRequest(page, look, [STROKE], 80, wish), ["final"]))
    assert len(stopped) == 1


def test_variants_look_once_at_what_no_seed_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    possible = OnnxForward.possible
    monkeypatch.setattr(
        OnnxForward, "possible", lambda network, inputs: looked.append(1) or possible(network, inputs)
    )
    page, look = PageFiles(draw(tmp_path / "page.png")), Look(str(MODEL), backend="onnx")
    shown = list(Desk().variants(PaintRequest(page, look, [STROKE], 80), range(1, 7)))
    assert [one.seed for one in shown] == [1, 2, 3, 4, 5, 6]
    assert len(looked) == 1


def test_stopping_ends_what_is_computed_in_another_thread() -> None:
    network = OnnxForward(GRAPH, MODEL)
    inputs = _large(network)
    failed: list[Exception] = []

    def work() -> None:
        try:
            network.paint(inputs)
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    while thread.is_alive():
        network.stop()
        time.sleep(0.001)
    assert "terminate" in str(failed)


def _large(network: OnnxForward) -> Inputs:
    from sketchcolor_cli.networks.forward import Inputs

    side, stride = 32 * network.multiple, network.stride
    spread = np.zeros((side // stride, side // stride, 4), np.float32)
    return Inputs(np.ones((side, side), np.float32), np.zeros((side, side, 4), np.float32), spread)


def test_an_export_with_strokes_is_what_the_command_line_makes(tmp_path: Path) -> None:
    page = draw(tmp_path / "pages/page.png", (180, 240))  # two boxes that look alike
    with served(page.parent, MODEL, tmp_path, backend="onnx") as client:
        [about] = client.get("/api/v1/project").json()["pages"]
        marks = [{"stroke": [[0.4, 0.25], [0.6, 0.25]], "color": "#c02020", "radius": 0.02}]
        address = f"/api/v1/pages/{about['id']}/marks"
        assert client.put(address, json={"marks": marks}, headers={"If-Match": '"0"'}).status_code == 200
        job = client.post("/api/v1/jobs", json={}).json()["id"]
        client.when(f"/api/v1/jobs/{job}", lambda job: job["state"] == "done")
    exported = tmp_path / "pages.colored/page.png"
    colorize(
        ColorizeRequest.of(inputs=[page.parent], output=tmp_path / "own", model=str(MODEL), backend="onnx")
    )
    assert exported.read_bytes() == (tmp_path / "own/page.png").read_bytes()
    rgb = read_picture(exported).rgb
    assert np.ptp(rgb[60, 90]) > 0.5
    assert np.abs(rgb[150, 90] - rgb[60, 90]).max() < 0.1  # the box without a stroke


def test_exports_and_answers_are_those_of_the_command_line_to_the_last_byte(tmp_path: Path) -> None:
    page = draw(tmp_path / "pages/page.png")
    own = tmp_path / "own"
    colorize(ColorizeRequest.of(inputs=[page.parent], output=own, model=str(MODEL), backend="onnx", seed=5))
    due = (own / "page.png").read_bytes()
    with served(page.parent, MODEL, tmp_path, backend="onnx") as client:
        client.patch("/api/v1/project", json={"settings": {"seed": 5}})
        sent = [("image", (page.name, page.read_bytes()))]
        assert client.post("/api/v1/colorize", files=sent, data={"seed": "5"}).content == due
        profile = page.parent / "series.toml"
        profile.write_text("seed = 5\n")
        job = client.post("/api/v1/jobs", json={}).json()["id"]
        done = client.when(f"/api/v1/jobs/{job}", lambda job: job["state"] not in ("waiting", "running"))
        assert done["state"] == "done", done
    assert (tmp_path / "pages.colored/page.png").read_bytes() == due
