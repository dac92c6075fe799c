"""What comes over HTTP: requests to the studio's server, each a first line, a type, and a body."""

from __future__ import annotations

import base64
import json
import re
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fuzzing.books import page, zips
from fuzzing.changes import decimals, lines, png, tree, words
from fuzzing.pictures import encoded
from fuzzing.reader import Reader

if TYPE_CHECKING:
    import random

    from fuzzing.changes import Change
    from fuzzing.reader import Seeds

_API = "/api/v1"
_BORDER = "xFRONTIERx"
_MANY = 300  # requests after which a new project is made
_STATE: dict[str, Any] = {"count": 0}


def _form(*parts: tuple[str, str, bytes]) -> bytes:
    body = b""
    for name, file, content in parts:
        filename = f'; filename="{file}"' if file else ""
        body += (
            f'--{_BORDER}\r\nContent-Disposition: form-data; name="{name}"{filename}\r\n\r\n'.encode()
            + content
            + b"\r\n"
        )
    return body + f"--{_BORDER}--\r\n".encode()


def _request(line: str, kind: str, body: bytes, match: str = "") -> tuple[str, bytes]:
    return ".http", f"{line}\n{kind}\n{match}\n".encode() + body


def requests() -> Seeds:
    form, plain = f"multipart/form-data; boundary={_BORDER}", "application/json"
    stroke = {"stroke": [[0.3, 0.5], [0.7, 0.5]], "color": "#e02020", "radius": 0.02}
    image = ("image", "1.png", page())
    points = ("points", "p.json", json.dumps([stroke]).encode())
    url = f"data:image/png;base64,{base64.b64encode(page()).decode()}"

    def document(content: object) -> bytes:
        return json.dumps(content).encode()

    return [
        _request(f"POST {_API}/colorize", form, _form(image, ("settings", "", b'{"seed": 3, "strength": 0.5}'))),
        _request(f"POST {_API}/colorize", form, _form(image, points, ("palette", "a.gpl", b"GIMP Palette\n255 0 0 Red\n"), ("seed", "", b"4"))),
        _request(f"POST {_API}/flats", form, _form(image, ("hints", "h.png", encoded("PNG", "RGBA")), ("mask", "m.png", encoded("PNG", "LA")))),
        _request(f"POST {_API}/extract", form, _form(image, ("method", "", b"gray"))),
        _request("POST /convert", form, _form(image)),
        _request("POST /colorize-image-data", plain, document({"imgData": url})),
        _request(f"PUT {_API}/pages/PAGE/marks", plain, document({"marks": [stroke, {"x": 0.5, "y": 0.2, "color": "#fff"}]}), "REVISION"),
        _request(f"PATCH {_API}/pages/PAGE", plain, document({"seed": 5, "done": True})),
        _request(f"PUT {_API}/pages/PAGE/rough", "image/png", encoded("PNG", "RGBA"), "REVISION"),
        _request(f"PUT {_API}/pages/PAGE/mask", "image/png", encoded("PNG", "RGBA"), "REVISION"),
        _request(f"PUT {_API}/project", plain, document({"settings": {"seed": 5, "smooth": True}, "swatches": [{"name": "a", "color": "#123456"}]}), "REVISION"),
        _request(f"POST {_API}/pages", form, _form(("file", "new.png", page()), ("file", "book.cbz", zips()[0][1]))),
        _request(f"POST {_API}/sheets", form, _form(("file", "sheet.png", encoded("PNG", "RGB")))),
        _request(f"POST {_API}/palettes", form, _form(("file", "a.ase", b"ASEF\0\1\0\0\0\0\0\1\0\1\0\0\0\x12\0\1\0\0RGB " + bytes(12) + b"\0\0"))),
        _request(f"POST {_API}/shelf", plain, document({"name": "new one"})),
        _request(f"POST {_API}/jobs", plain, document({"kind": "export", "pages": ["PAGE"], "format": "cbz", "settings": {}})),
        _request(f"POST {_API}/carry", plain, document({"from": "PAGE", "to": ["PAGE"]})),
        _request(f"GET {_API}/pages/PAGE/preview?width=100&x=0&y=0", "", b""),
        _request(f"GET {_API}/pages/PAGE/color?x=0.5&y=0.5", "", b""),
        _request(f"GET {_API}/drift", "", b""),
    ]  # fmt: skip


def _body(inner: Change) -> Change:
    """Return a change of a request's body alone."""

    def change(chance: random.Random, data: bytes) -> bytes:
        head, sep, body = (
            data.partition(b"\n\n") if b"\nREVISION\n" not in data else data.partition(b"\nREVISION\n")
        )
        return head + sep + inner(chance, body)

    return change


@cache
def _model() -> str:
    import torch

    from sketchcolor_cli.networks.checkpoint import save_model
    from sketchcolor_cli.networks.config import HintUNetConfig
    from sketchcolor_cli.networks.hint_unet import HintUNet

    torch.manual_seed(0)
    torch.set_num_threads(1)
    path = Path(tempfile.mkdtemp()) / "small.safetensors"
    save_model(
        path,
        HintUNet(HintUNetConfig(widths=(8, 16), depths=(1, 1), lab_step=24.0)),
        provenance={},
        licence="CC0-1.0",
    )
    return str(path)


def _client() -> Any:
    """Return a client of a server, with a new project after every so many requests."""
    if _STATE["count"] % _MANY == 0:
        if "client" in _STATE:
            _STATE["client"].__exit__(None, None, None)
            _STATE["home"].cleanup()
        home = _STATE["home"] = tempfile.TemporaryDirectory(dir="/dev/shm")
        client = _new_client(Path(home.name))
        _STATE["client"] = client.__enter__()
        _STATE["page"] = client.get(f"{_API}/project").json()["pages"][0]["id"]
    _STATE["count"] += 1
    return _STATE["client"]


def _new_client(home: Path) -> Any:
    """Return a client of a server whose one project has one page."""
    from starlette.testclient import TestClient

    from sketchcolor_cli.studio.engine import Engine, ThreadHost
    from sketchcolor_cli.studio.guard import LOOPBACK, Access
    from sketchcolor_cli.studio.job_queue import Queue
    from sketchcolor_cli.studio.job_runners import ThreadRunner
    from sketchcolor_cli.studio.limits import Limits
    from sketchcolor_cli.studio.project import Project
    from sketchcolor_cli.studio.server import application
    from sketchcolor_cli.studio.shelf import Shelf
    from sketchcolor_cli.studio.state import Studio

    folder = home / "pages"
    folder.mkdir()
    (folder / "1.png").write_bytes(page())
    limits, token = Limits(), "token-of-thirty-two-letters-here"
    queue = Queue(ThreadRunner, limits, "cpu")
    studio = Studio(Engine(ThreadHost()), Shelf(home / "projects"), queue, _model(), "cpu", limits=limits)
    studio.open(Project(folder, limits))
    doors = frozenset({"/convert", "/colorize-image-data"})
    access = Access(token, LOOPBACK | {"testserver"}, doors, limits, True)
    notes = _STATE["notes"] = []
    app = application(studio, access, with_page=True, note=notes.append)
    return TestClient(app, headers={"Authorization": f"Bearer {token}"}, raise_server_exceptions=False)


def _revision(client: Any, address: str) -> str:
    answer = client.get(address)
    document = answer.json() if "json" in answer.headers.get("content-type", "") else {}
    return str(answer.headers.get("etag") or document.get("revision", ""))


def ask(path: Path) -> None:
    """Send a request; the server must not answer that it is at fault."""
    from sketchcolor_cli.errors import DataError

    client = _client()
    head, kind, match, body = (*path.read_bytes().split(b"\n", 3), b"", b"", b"")[:4]
    method, _, address = head.decode("latin-1").replace("PAGE", _STATE["page"]).partition(" ")
    if not re.fullmatch(r"/(?!/)[\w/.?=&%-]{,9999}", address, re.ASCII) or not method.isalpha():
        raise DataError("no request")
    headers = {"content-type": kind.decode("latin-1").strip()}
    if match.strip() == b"REVISION":
        headers["if-match"] = _revision(client, address)
    if not all(header.isprintable() and header.isascii() for header in headers.values()):
        raise DataError("no header")
    answer = client.request(
        method, address, content=body.replace(b"PAGE", _STATE["page"].encode()), headers=headers
    )
    assert answer.status_code < 500 or answer.status_code == 503, "\n".join(
        map(str, [answer.text[:300], *_STATE["notes"][-3:]])
    )
    if answer.status_code >= 400:
        raise DataError(f"{answer.status_code}")


READERS = {
    "server": Reader(
        requests,
        ask,
        (
            _body(tree),
            _body(tree),
            _body(tree),
            _body(decimals),
            _body(lines),
            _body(png),
            _body(words("name=", "filename=", "image", "settings")),
        ),
    ),
}
