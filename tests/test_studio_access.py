"""Who may ask the server, for what, how much, and how slowly: each rule of docs/server.md with a test."""

from __future__ import annotations

import io
import json
import re
import socket
import struct
import time
import zlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image
from starlette.websockets import WebSocketDisconnect

from sketchcolor_cli.errors import UsageError
from sketchcolor_cli.studio import running
from sketchcolor_cli.studio.guard import LOOPBACK, Access
from sketchcolor_cli.studio.limits import Limits
from sketchcolor_cli.studio.server import application
from studio_server import STROKE, TOKEN, Client, draw, listening, save_small_model, served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

PROJECT = "/api/v1/project"
LET_IN = f"Authorization: Bearer {TOKEN}"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_small_model(tmp_path_factory.mktemp("model") / "small.safetensors")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pages = tmp_path_factory.mktemp("project") / "pages"
    draw(pages / "1.png")
    return pages


@pytest.fixture(scope="module")
def client(folder: Path, model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    limits = Limits(body=2**20, document=2**16, silence=0.3, connections=50, sockets=3, parts=4)
    with served(folder, model, tmp_path_factory.mktemp("home"), limits=limits) as found:
        yield found


def page_id(client: Client) -> str:
    found: str = client.get(PROJECT).json()["pages"][0]["id"]
    return found


# 1. It binds this computer; elsewhere only when asked to, and then with a token.


def test_only_this_computer_unless_there_is_a_token() -> None:
    assert len(running.checked_token(None, "127.0.0.1")) >= 32
    assert running.checked_token(None, "::1") != running.checked_token(None, "::1")
    for host in ("0.0.0.0", "192.168.1.5", "::", "my-nas"):  # noqa: S104
        with pytest.raises(UsageError, match="--token"):
            running.checked_token(None, host)
    assert running.checked_token("a" * 16, "0.0.0.0") == "a" * 16  # noqa: S104
    for bad in ("short", "with spaces in it, long", "ümläutümläutümläut"):
        with pytest.raises(UsageError, match="at least 16"):
            running.checked_token(bad, "127.0.0.1")


def test_a_port_that_is_taken_is_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UsageError, match="choose another --port"):
            running.bound("127.0.0.1", taken.getsockname()[1])


# 2. It answers to its own names alone, before anything else.


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "localhost.", "[::2]:80"])
def test_a_foreign_host_is_refused_even_with_the_token(client: Client, host: str) -> None:
    for address in (PROJECT, "/", "/healthz"):
        answer = client.get(address, headers={"Host": host})
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "LOCALHOST:1", "[::1]:8000"])
def test_its_own_names_are_taken(client: Client, host: str) -> None:
    assert client.get(PROJECT, headers={"Host": host}).status_code == 200


def test_a_host_is_allowed_by_name() -> None:
    assert running.allowed_hosts("0.0.0.0", ("Studio.local",)) == LOOPBACK | {"studio.local"}  # noqa: S104
    assert running.allowed_hosts("192.168.1.5", ()) == LOOPBACK | {"192.168.1.5"}


# 3. Nobody else's page may ask.


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://testserver.evil.example"},
        {"Origin": "http://localhost:3000"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_foreign_page_is_refused_and_told_nothing_by_cors(client: Client, headers: dict[str, str]) -> None:
    for answer in (client.get(PROJECT, headers=headers), client.options(PROJECT, headers=headers)):
        assert answer.status_code == 403
        assert not [name for name in answer.headers if name.startswith("access-control")]
    own = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
    assert client.get(PROJECT, headers=own).status_code == 200


def test_a_socket_is_refused_as_requests_are(client: Client) -> None:
    address = f"/api/v1/pages/{page_id(client)}/live"
    good = ["sketchcolor.v1", f"token.{TOKEN}"]
    for protocols, headers in (
        (["sketchcolor.v1"], {}),
        (["sketchcolor.v1", "token.wrong"], {}),
        (good, {"Host": "evil.example"}),
        (good, {"Origin": "https://evil.example"}),
    ):
        with (
            pytest.raises(WebSocketDisconnect),
            client.websocket_connect(address, subprotocols=protocols, headers=headers),
        ):
            pytest.fail("it was let in")


# 4. Every request names the token, but those for the page's own files.


@pytest.mark.parametrize(
    "value", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer ü"]
)
def test_without_the_token_nothing_is_told(client: Client, value: str) -> None:
    answer = client.get(PROJECT, headers={"Authorization": value.encode("latin-1")})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "set-cookie" not in answer.headers


def test_every_route_asks_for_the_token_but_those_that_tell_nothing(client: Client) -> None:
    document = client.get("/openapi.json").json()
    for path, methods in document["paths"].items():
        address = re.sub(r"{\w+}", "x", path)
        for method, about in methods.items():
            answer = client.request(method, address, headers={"Authorization": ""})
            assert (answer.status_code == 401) == ("security" not in about), (method, path)
    open_ones = {
        path for path, methods in document["paths"].items() if "security" in next(iter(methods.values()))
    }
    assert open_ones == {"/", "/healthz", "/readyz", "/openapi.json", "/favicon.ico"}


# 5. No path comes from a client.


@pytest.mark.parametrize(
    "name", ["../../../etc/passwd", "..%2f..%2fsecret", "%2e%2e/secret", "....//secret", "a\\..\\b", "x%00y"]
)
def test_no_address_leads_out_of_a_folder(client: Client, folder: Path, name: str) -> None:
    (folder.parent / "secret").write_text("secret")
    for address in (f"/page/{name}", f"/api/v1/pages/{name}/original", f"/api/v1/sheets/{name}"):
        answer = client.get(address)
        assert answer.status_code in (404, 405)
        assert b"secret" not in answer.content or name.encode() in answer.content


# 6. No address is ever fetched: see the door of Manga-Colorizer in test_serve.py.

# 7. Limits.


def test_too_large_a_body_is_refused_before_it_is_read_and_while_it_comes(client: Client) -> None:
    address = f"/api/v1/pages/{page_id(client)}/rough"
    headers = {"If-Match": '"0"', "Content-Type": "image/png"}
    assert client.put(address, content=b"x" * (2**20 + 1), headers=headers).status_code == 413

    def endless() -> Iterator[bytes]:
        for _ in range(64):
            yield b"x" * 2**16

    assert client.put(address, content=endless(), headers=headers).status_code == 413
    marks = {"marks": [STROKE] * 2000}
    answer = client.put(f"/api/v1/pages/{page_id(client)}/marks", json=marks, headers={"If-Match": '"0"'})
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("length", ["-5", "1e9", "ten"])
def test_a_length_that_is_no_number_is_refused(client: Client, length: str) -> None:
    assert client.post("/api/v1/jobs", content=b"{}", headers={"Content-Length": length}).status_code == 400


@pytest.mark.parametrize(
    ("method", "address", "kind"),
    [
        ("PUT", "marks", "text/plain"),
        ("PUT", "marks", ""),
        ("PUT", "rough", "application/json"),
        ("PUT", "rough", "image/svg+xml"),
        ("PATCH", "", "application/x-www-form-urlencoded"),
    ],
)
def test_another_type_than_asked_for_is_refused(client: Client, method: str, address: str, kind: str) -> None:
    path = f"/api/v1/pages/{page_id(client)}/{address}".rstrip("/")
    headers = {"Content-Type": kind, "If-Match": '"0"'}
    assert client.request(method, path, content=b"{}", headers=headers).status_code == 415
    assert client.post("/api/v1/pages", content=b"{}", headers={"Content-Type": kind}).status_code == 415


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[1]",
        b'{"marks": NaN}',
        b'{"marks": [{"x": 0.5, "y": 0.5, "color": "#fff", "radius": 1' + b"0" * 400 + b"}]}",
        b"\xff\xfe",
        b"[" * 50_000,
        b'"a"',
    ],
)
def test_json_that_is_none_is_refused(client: Client, body: bytes) -> None:
    headers = {"Content-Type": "application/json", "If-Match": '"0"'}
    path = f"/api/v1/pages/{page_id(client)}/marks"
    answer = client.put(path, content=body, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["status"] == 422


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--x\r\n",
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\nhalf',
        b"no form at all",
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n\r\n--x--\r\n',
    ],
)
def test_a_form_that_is_none_is_a_problem_and_leaves_nothing(
    client: Client, folder: Path, body: bytes
) -> None:
    before = sorted(folder.rglob("*"))
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = client.post("/api/v1/pages", content=body, headers=headers)
    assert answer.status_code in (400, 422)
    assert sorted(folder.rglob("*")) == before


def test_too_many_parts_are_refused(client: Client) -> None:
    files = [("file", (f"{number}.png", b"x")) for number in range(5)]
    assert client.post("/api/v1/pages", files=files).status_code == 413


def lying(width: int, height: int) -> bytes:
    """Return a small PNG that says to be this large."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 99))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    "size", [(2**31 - 1, 2**31 - 1), (100_000, 100_000), (20_000, 20_000), (0, 5), (300, 300)]
)
def test_a_picture_that_lies_about_its_size_is_refused(
    client: Client, folder: Path, size: tuple[int, int]
) -> None:
    before = sorted(folder.rglob("*"))
    headers = {"Content-Type": "image/png", "If-Match": '"0"'}
    answer = client.put(f"/api/v1/pages/{page_id(client)}/mask", content=lying(*size), headers=headers)
    assert answer.status_code in (413, 422)
    sent = client.post("/api/v1/pages", files=[("file", ("a.png", lying(*size)))])
    assert sent.status_code == 422
    assert sorted(folder.rglob("*")) == before


def test_too_many_sockets_are_refused(client: Client) -> None:
    address, protocols = f"/api/v1/pages/{page_id(client)}/live", ["sketchcolor.v1", f"token.{TOKEN}"]

    def connect() -> Any:
        return client.websocket_connect(address, subprotocols=protocols)

    with connect(), connect(), connect(), connect() as fourth:
        assert fourth.receive()["code"] == 1013


def test_a_full_queue_says_so(folder: Path, model: Path, tmp_path: Path) -> None:
    with served(folder, model, tmp_path, limits=Limits(queue=1)) as client:
        answers = [client.post("/api/v1/jobs", json={}).status_code for _ in range(12)]
    assert 429 in answers
    assert set(answers) <= {202, 429}


# 8. and 9. What browsers are told; what comes from a client is never served as it came.


def test_every_answer_says_what_browsers_are_to_keep_to(client: Client) -> None:
    for address in ("/", PROJECT, "/api/v1/nothing", "/page/nothing.js"):
        headers = client.get(address).headers
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
    assert client.get(PROJECT).headers["cache-control"] == "no-store"


def test_the_page_has_no_inline_script_and_no_foreign_address(client: Client) -> None:
    page = client.get("/").text
    assert re.findall(r"<script(?![^>]*\bsrc=)", page) == []
    assert re.findall(r"\son\w+=", page) == []
    assert re.findall(r"""(?:src|href)=["'](?:https?:)?//""", page) == []
    sources = re.findall(r"""(?:src|href)=["'](/page/[^"']+)""", page)
    assert len(sources) > 4
    for source in sources:
        assert client.get(source).status_code == 200


def test_files_of_the_page_are_kept_for_good_under_what_changes_with_each_of_them(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def main() -> str:
        [found] = re.findall(r'src="(/page/[^"]+/main.js)"', client.get("/").text)
        return str(found)

    first = main()
    assert main() == first
    assert "immutable" in client.get(first).headers["cache-control"]
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read(path) + b"\n" * (path.name == "theme.css"))
    assert main() != first
    assert client.get(first).headers["cache-control"] == "no-cache"
    assert client.get("/").headers["cache-control"] == "no-cache"


def test_a_picture_is_encoded_anew(client: Client, folder: Path) -> None:
    buffer = io.BytesIO()
    Image.new("L", (30, 30), 255).save(buffer, "PNG")
    (folder / "2.png").write_bytes(buffer.getvalue() + b"<script>alert(1)</script>")
    try:
        [page] = [page for page in client.get(PROJECT).json()["pages"] if page["name"] == "2.png"]
        for name in ("original", "original?width=20", "thumbnail"):
            assert b"script" not in client.get(f"/api/v1/pages/{page['id']}/{name}").content
    finally:
        (folder / "2.png").unlink()


# 10. Models only by the names that the program knows.


@pytest.mark.parametrize("model_name", ["/etc/passwd", "../default", "gone", 5, None])
def test_a_model_is_a_name_of_the_shelf(client: Client, model_name: Any) -> None:
    project = client.get(PROJECT)
    answer = client.put(
        PROJECT, json={"settings": {"model": model_name}}, headers={"If-Match": project.headers["etag"]}
    )
    assert answer.status_code == 422


# Over the network: clients that are slow, silent or many.


def listened(limits: Limits, client: Client) -> AbstractContextManager[tuple[str, int]]:
    """Serve the client's studio over the network."""
    app = application(client.studio, Access(TOKEN, limits=limits), with_page=True, note=lambda _line: None)
    return listening(app, limits, "off")


def said(link: socket.socket, request: bytes) -> bytes:
    """Send a request and return all that comes until the server closes or is silent."""
    link.settimeout(10)
    link.sendall(request)
    found = b""
    while piece := link.recv(65536):
        found += piece
    return found


def test_clients_that_are_slow_half_done_or_many_take_nothing_from_others(client: Client) -> None:
    limits = Limits(body=2**20, silence=0.5, connections=40)
    with listened(limits, client) as place:
        health = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        running.take_more_files()
        many = [socket.create_connection(place) for _ in range(1000)]  # they say nothing
        try:
            until = time.monotonic() + 20
            # Those beyond the limit are closed at once, and the others when they were silent for long.
            while True:
                with socket.create_connection(place) as link:
                    try:
                        answer = said(link, health)
                    except ConnectionError:
                        answer = b""
                if answer.startswith(b"HTTP/1.1 200"):
                    break
                assert time.monotonic() < until
                time.sleep(0.1)
        finally:
            for link in many:
                link.close()
        head = f"PUT /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\n{LET_IN}\r\n"
        with socket.create_connection(place) as link:  # half a body
            half = f"POST{head[3:]}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"
            assert said(link, half.encode()).startswith(b"HTTP/1.1 408")
        with socket.create_connection(place) as link:  # half a head
            assert said(link, b"GET /healthz HTTP/1.1\r\nHo") == b""
        with socket.create_connection(place) as link:  # half a head on a connection that was kept
            assert said(link, health.replace(b"Connection: close\r\n", b"") + b"GET /hea").endswith(b'"ok"}')
        with socket.create_connection(place) as link:  # empty lines for ever
            assert trickled(link, b"", b"\r\n") == b""
        with socket.create_connection(place) as link:  # no HTTP
            assert said(link, b"\x16\x03\x01\x02\x00\x01\r\n\r\n")[:12] in (
                b"HTTP/1.1 400",
                b"",
            )
        with socket.create_connection(place) as link:
            assert said(link, health).startswith(b"HTTP/1.1 200")


def test_who_opens_many_connections_and_says_nothing_keeps_nobody_out(client: Client) -> None:
    health = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with listened(Limits(silence=60, connections=10), client) as place:
        many = [socket.create_connection(place) for _ in range(30)]
        try:
            for kept in many[-5:]:  # these are answered, and then kept without a word
                kept.settimeout(10)
                kept.sendall(health)
                assert kept.recv(12) == b"HTTP/1.1 200"
            with socket.create_connection(place) as link:
                assert (
                    said(link, health.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))[:12]
                    == b"HTTP/1.1 200"
                )
        finally:
            for kept in many:
                kept.close()


def trickled(link: socket.socket, request: bytes, piece: bytes) -> bytes:
    """Send a request and then piece after piece, until the server answers or closes; return what it says."""
    link.settimeout(0.1)
    link.sendall(request)
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with suppress(TimeoutError):
            return link.recv(65536)
        try:
            link.sendall(piece)
        except ConnectionError:
            return b""
    raise AssertionError("the server waits for ever")


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x", "image/png"])
def test_a_body_that_comes_too_slowly_is_not_waited_for(client: Client, kind: str) -> None:
    limits = Limits(silence=5, request_seconds=0.5)
    address = "/api/v1/pages" if "form" in kind else f"/api/v1/pages/{page_id(client)}/rough"
    method = "POST" if "form" in kind else "PUT"
    if "json" in kind:
        address = address.replace("rough", "marks")
    head = f'{method} {address} HTTP/1.1\r\nHost: localhost\r\n{LET_IN}\r\nIf-Match: "0"\r\n'
    begun = (
        '--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
        if "form" in kind
        else ""
    )
    with listened(limits, client) as place, socket.create_connection(place) as link:
        request = f"{head}Content-Type: {kind}\r\nContent-Length: 90000\r\n\r\n{begun}".encode()
        assert trickled(link, request, b"x").startswith(b"HTTP/1.1 408")


def test_who_takes_nothing_of_an_answer_is_let_go(client: Client, folder: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1500, 1500, 3), np.uint8)
    Image.fromarray(noise).save(folder / "noise.png")  # larger than what systems keep for a connection
    try:
        [page] = [page["id"] for page in client.get(PROJECT).json()["pages"] if page["name"] == "noise.png"]
        with listened(Limits(silence=0.4), client) as place, socket.socket() as link:
            link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            link.connect(place)
            head = f"GET /api/v1/pages/{page}/original HTTP/1.1\r\nHost: localhost\r\n{LET_IN}\r\n\r\n"
            link.settimeout(20)
            link.sendall(head.encode())
            assert link.recv(8) == b"HTTP/1.1"
            time.sleep(1.5)
            got = 0
            with suppress(ConnectionResetError):
                got = sum(map(len, iter(lambda: link.recv(65536), b"")))
            assert got < noise.size / 2
    finally:
        (folder / "noise.png").unlink()


def test_events_come_as_they_happen(client: Client) -> None:
    with listened(Limits(), client) as place, socket.create_connection(place) as link:
        link.settimeout(10)
        link.sendall(f"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n{LET_IN}\r\n\r\n".encode())
        found = b""
        while b"event: hello" not in found:
            found += link.recv(65536)
        assert b"text/event-stream" in found
        [data] = re.findall(rb"event: hello\r?\n?.*?data: (.*?)\n", found, re.DOTALL)
        assert json.loads(data)["worker"] in ("ready", "starting")
