"""A web server on this computer that behaves as badly as a test asks it to."""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Web:
    """What each path answers, and what was asked: pairs of path and Range header."""

    def __init__(self) -> None:
        self.answers: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.headers: list[dict[str, str]] = []
        self.address = ""
        self.leave = threading.Event()

    def file(
        self,
        path: str,
        data: bytes,
        *,
        cuts: list[int] | None = None,
        ranges: bool = True,
        tag: str | None = '"one"',
        kind: str = "application/octet-stream",
        length: bool = True,
    ) -> str:
        """Serve data and return its URL.

        Each number in ``cuts`` is after how many bytes one answer, from the first on, breaks off.
        """
        remaining = list(cuts or [])

        def answer(request: BaseHTTPRequestHandler) -> None:
            asked = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
            start = int(asked[1]) if asked and ranges else 0
            if start and request.headers.get("If-Range", tag) != tag:
                start = 0
            if asked and ranges and start >= len(data):
                request.send_error(416)
                return
            request.send_response(206 if start else 200)
            if start:
                request.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            if length:
                request.send_header("Content-Length", str(len(data) - start))
            if tag:
                request.send_header("ETag", tag)
            request.send_header("Content-Type", kind)
            request.end_headers()
            end = start + remaining.pop(0) if remaining else len(data)
            request.wfile.write(data[start:end])

        return self.serve(path, answer)

    def serve(self, path: str, answer: Callable[[BaseHTTPRequestHandler], None]) -> str:
        """Let a path be answered by a function, and return its URL."""
        self.answers[path] = answer
        return f"{self.address}{path}"


@contextmanager
def serving() -> Iterator[Web]:
    """Yield a web whose unknown paths are not found, on 127.0.0.1."""
    web = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            web.asked.append((self.path, self.headers.get("Range")))
            web.headers.append(dict(self.headers))
            web.answers.get(self.path, lambda request: request.send_error(404))(self)

        def log_message(self, *_args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_args: Any) -> None:
            pass  # the client went away, which is what some tests are about

    server = Server(("127.0.0.1", 0), Handler)
    web.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield web
    finally:
        web.leave.set()
        server.shutdown()
        server.server_close()
        thread.join()
