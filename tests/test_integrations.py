"""Plugins of other programs: their client, what is packed, and the nodes of ComfyUI on a stub of it."""

from __future__ import annotations

import ast
import asyncio
import importlib
import io
import json
import os
import stat
import sys
import threading
import tomllib
import types
import zipfile
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock

import numpy as np
import pytest
import torch
from PIL import Image

from sketchcolor_cli import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
HOME = ROOT / "integrations"
FILES = sorted(HOME.rglob("*.py"))
ALLOWED = {
    "krita": {"krita", "PyQt5", "PyQt6"},
    "gimp": {"gi"},
    "comfyui": {"comfy_api", "torch", "numpy", "PIL"},  # which ComfyUI brings; none is required by us
}
TOKEN = "token-of-the-test"  # noqa: S105


def png(color: tuple[int, ...], size: tuple[int, int] = (6, 4)) -> bytes:
    packed = io.BytesIO()
    Image.new("RGB" if len(color) == 3 else "RGBA", size, color).save(packed, "PNG")
    return packed.getvalue()


class Fake(BaseHTTPRequestHandler):
    """A server that answers a picture and keeps what it was asked."""

    asked: list[tuple[str, dict[str, str], bytes]]
    problem: tuple[int, bytes] | None = None

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).asked.append((self.path, dict(self.headers), body))
        status, answer = self.problem or (200, png((9, 120, 240)))
        self.send_response(status)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Fake]]:
    handler = type("Kept", (Fake,), {"asked": []})
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    monkeypatch.setenv("SKETCHCOLOR_SERVER", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("SKETCHCOLOR_TOKEN", TOKEN)
    yield handler
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    monkeypatch.syspath_prepend(str(HOME))
    return importlib.import_module("sketchcolor_client")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HOME)))
def test_a_plugin_needs_its_program_and_the_standard_library_alone(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))
    program = path.relative_to(HOME).parts[0]
    allowed = ALLOWED.get(program, set()) | set(sys.stdlib_module_names) | {"sketchcolor_client"}
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        assert {name.partition(".")[0] for name in names} <= allowed


def test_the_client_sends_pictures_and_settings_and_names_the_token(
    client: types.ModuleType, fake: type[Fake]
) -> None:
    server = client.Server(os.environ["SKETCHCOLOR_SERVER"], TOKEN)
    answer = server.colorize(png((1, 2, 3)), hints=png((0, 0, 0, 0)), sheet=[png((4, 4, 4))] * 2, seed=5)
    assert answer == png((9, 120, 240))
    [(place, headers, body)] = fake.asked
    assert place == "/api/v1/colorize"
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert body.count(b'name="sheet"; filename="sheet.png"') == 2
    assert body.count(b'name="hints"') == 1
    assert b'name="mask"' not in body
    assert json.dumps({"seed": 5}).encode() in body


@pytest.mark.parametrize(
    ("problem", "told"),
    [
        ((422, json.dumps({"detail": "image: is empty (0 bytes)"}).encode()), r"image: is empty \(0 bytes\)"),
        ((502, b"<html>"), "the server answers 502"),
        ((500, b"[]"), "the server answers 500"),
    ],
)
def test_a_problem_of_the_server_is_a_sentence(
    client: types.ModuleType, fake: type[Fake], problem: tuple[int, bytes], told: str
) -> None:
    fake.problem = problem
    with pytest.raises(client.SketchcolorError, match=told):
        client.Server(os.environ["SKETCHCOLOR_SERVER"], TOKEN).flats(png((1, 2, 3)))


def test_no_server_and_no_command_are_sentences(client: types.ModuleType, tmp_path: Path) -> None:
    with pytest.raises(client.SketchcolorError, match="cannot be reached"):
        client.Server("http://127.0.0.1:9", TOKEN).extract(b"")
    with pytest.raises(client.SketchcolorError, match="is not an address"):
        client.Server("file:///etc", TOKEN)
    with pytest.raises(client.SketchcolorError, match="gone cannot be started"):
        client.Server.start([str(tmp_path / "gone")])
    with pytest.raises(client.SketchcolorError, match="does not begin: no such command"):
        client.Server.start([sys.executable, "-c", "raise SystemExit('no such command')"])


def test_a_server_that_is_started_says_where_it_is_and_is_ended(client: types.ModuleType) -> None:
    said = "print('http://127.0.0.1:1', flush=True); print('token: abc', flush=True)"
    code = f"import sys, time; assert sys.argv[1:] == ['serve', '--port', '0']; {said}; time.sleep(60)"
    with client.Server.start([sys.executable, "-c", code]) as server:
        process = server._process
        assert (server.address, server._token, process.poll()) == ("http://127.0.0.1:1", "abc", None)
    assert process.wait(10) != 0


@pytest.mark.parametrize("name", ["sketch color", "C:\\new\\sketchcolor.exe"])
def test_a_path_of_the_command_may_have_spaces_and_backslashes(
    client: types.ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    said = "echo http://127.0.0.1:1; echo token: abc; exec sleep 60"
    (tmp_path / name).write_text(f"#!/bin/sh\n{said}\n", encoding="utf-8")
    (tmp_path / name).chmod(0o755)
    monkeypatch.delenv("SKETCHCOLOR_SERVER", raising=False)
    monkeypatch.setenv("SKETCHCOLOR_COMMAND", str(tmp_path / name))
    with client.Server.chosen() as server:
        assert server.address == "http://127.0.0.1:1"


@pytest.fixture
def nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """ComfyUI's pack as it is installed, on a stub of ``comfy_api.latest``."""

    def made(kind: str) -> types.SimpleNamespace:
        def slot(*names: Any, **about: Any) -> types.SimpleNamespace:
            return types.SimpleNamespace(kind=kind, name=names[0], **about)

        return types.SimpleNamespace(Input=slot, Output=slot)

    stub = types.ModuleType("comfy_api.latest")
    stub.ComfyExtension = object  # type: ignore[attr-defined]
    stub.io = types.SimpleNamespace(  # type: ignore[attr-defined]
        ComfyNode=object,
        Schema=lambda **about: types.SimpleNamespace(**about),
        NodeOutput=lambda *values: values,
        **{kind: made(kind) for kind in ("Image", "Mask", "Int", "Float", "Combo")},
    )
    monkeypatch.setitem(sys.modules, "comfy_api", types.ModuleType("comfy_api"))
    monkeypatch.setitem(sys.modules, "comfy_api.latest", stub)
    packed(tmp_path, "comfyui").extractall(tmp_path / "custom_nodes")
    monkeypatch.syspath_prepend(str(tmp_path / "custom_nodes"))
    for name in (
        "sketchcolor",
        "sketchcolor.nodes",
        "sketchcolor.pictures",
        "sketchcolor.sketchcolor_client",
    ):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return importlib.import_module("sketchcolor.nodes")


def test_the_nodes_ask_for_what_they_take_and_turn_batches_into_batches(
    nodes: types.ModuleType, fake: type[Fake]
) -> None:
    package = importlib.import_module("sketchcolor")
    found = asyncio.run(asyncio.run(package.comfy_entrypoint()).get_node_list())
    schemas = {node: node.define_schema() for node in found}
    assert len({schema.node_id for schema in schemas.values()}) == 3
    page = torch.rand(2, 4, 6, 3)
    for node, schema in schemas.items():
        given = {
            field.name: getattr(field, "default", page)
            for field in schema.inputs
            if not getattr(field, "optional", False)
        }
        (batch,) = node.execute(**given)
        assert batch.shape == (2, 4, 6, 3)
        np.testing.assert_allclose(batch[1, 0, 0].numpy() * 255, (9, 120, 240), atol=1e-3)
    assert [place for place, _, _ in fake.asked] == [
        f"/api/v1/{name}" for name in ("colorize", "colorize", "flats", "flats", "extract", "extract")
    ]


def test_hints_are_opaque_where_their_mask_is(nodes: types.ModuleType) -> None:
    hints, mask = torch.ones(1, 4, 6, 3), torch.zeros(1, 4, 6)
    hints[0, 1, 2] = torch.tensor([1.0, 0, 0])
    mask[0, 3, 5] = 1
    for given, place in ((None, (1, 2)), (mask, (3, 5))):
        alpha = np.asarray(Image.open(io.BytesIO(nodes._hints(hints, given))))[..., 3]
        assert [tuple(at) for at in np.argwhere(alpha == 255)] == [place]


def started(client: Any, code: str = "time.sleep(60)") -> Any:
    """Return what the client holds of a server that runs this once it has begun."""
    said = "print('http://127.0.0.1:9', flush=True); print('token: abc', flush=True)"
    return client.Server.start([sys.executable, "-c", f"import time; {said}; {code}"])


def test_the_nodes_start_another_server_when_theirs_has_ended(
    nodes: types.ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = sys.modules["sketchcolor.sketchcolor_client"]
    first, second = started(client, "pass"), started(client)
    first._process.wait(10)
    chosen = iter([first, second])
    monkeypatch.setattr(client.Server, "chosen", lambda: next(chosen))
    assert nodes.server() is first
    assert nodes.server() is nodes.server() is second
    second.close()


@pytest.fixture
def krita(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """Krita's plugin as it is installed, on stubs of Krita and Qt."""
    for name in ("krita", "PyQt6", "PyQt6.QtCore", "PyQt6.QtGui", "PyQt6.QtWidgets"):
        monkeypatch.setitem(sys.modules, name, MagicMock())
    sys.modules["krita"].Extension = type("Extension", (), {"__init__": lambda self, parent: None})  # type: ignore[attr-defined]
    packed(tmp_path, "krita").extractall(tmp_path / "pykrita")
    monkeypatch.syspath_prepend(str(tmp_path / "pykrita"))
    for name in [name for name in sys.modules if name.partition(".")[0] == "sketchcolor"]:
        monkeypatch.delitem(sys.modules, name)
    return importlib.import_module("sketchcolor.extension")


def test_krita_keeps_one_server_through_refusals_and_ends_it_with_itself(
    krita: types.ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers = [started(krita, code) for code in ("time.sleep(60)", "pass")]
    chosen = iter([*servers[::-1]])
    monkeypatch.setattr(krita.Server, "chosen", lambda: next(chosen))
    plugin = krita.SketchcolorExtension(None)
    plugin.setup()
    servers[1]._process.wait(10)
    for _ in range(3):  # the first has ended; nobody listens where the second is said to be
        answer: dict[str, Any] = {}
        plugin._ask("flats", b"", (), (), answer)
        assert "cannot be reached" in answer["problem"]
    process = servers[0]._process
    assert process.poll() is None
    [[ended], _] = krita.QCoreApplication.instance().aboutToQuit.connect.call_args
    ended()
    assert process.wait(10) != 0


def packed(folder: Path, program: str) -> zipfile.ZipFile:
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        from make_integrations import pack
    finally:
        sys.path.pop(0)
    return zipfile.ZipFile(pack(program, folder))


@pytest.mark.parametrize("program", ["krita", "gimp", "comfyui"])
def test_an_archive_is_one_folder_with_the_client_and_the_licence(tmp_path: Path, program: str) -> None:
    archive = packed(tmp_path, program)
    names = set(archive.namelist())
    assert {"sketchcolor/sketchcolor_client.py", "sketchcolor/LICENSE"} <= names
    assert names - {"sketchcolor.desktop"} == {name for name in names if name.startswith("sketchcolor/")}
    assert (program == "krita") == ("sketchcolor.desktop" in names)
    if program == "gimp":  # which starts it as a program of the folder's name
        mode = archive.getinfo("sketchcolor/sketchcolor.py").external_attr >> 16
        assert mode & stat.S_IXUSR


def test_comfyui_is_asked_for_nothing_that_breaks_others() -> None:
    project = tomllib.loads((HOME / "comfyui" / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["dependencies"] == []
    assert project["project"]["version"] == __version__
    assert project["tool"]["comfy"]["DisplayName"]
