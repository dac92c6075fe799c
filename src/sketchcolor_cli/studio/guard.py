"""What every request passes before anything else looks at it: host, origin, token, size, and time.

Rules 1 to 4 and 7 to 8 of docs/server.md. Written on bare ASGI, so that it covers sockets as well, and
answers before a body is read.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from sketchcolor_cli.studio.limits import Limits
from sketchcolor_cli.studio.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

PROTOCOL = "sketchcolor.v1"
"""Subprotocol of live sockets; beside it the client names its token, as ``token.TOKEN``."""

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
"""Hosts that only this computer reaches."""

POLICY = (
    "default-src 'self'; img-src 'self' blob:; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
_OPEN = frozenset({"/", "/healthz", "/readyz", "/openapi.json", "/favicon.ico"})
_FROM_HERE = frozenset({"same-origin", "none"})  # what Sec-Fetch-Site says of our page and of the user


@dataclass(frozen=True)
class Access:
    """Who may ask.

    Attributes:
        token: What every request has to name.
        hosts: Names and addresses by which the server may be called, without port.
        doors: Paths that were opened to other programs: they need no token on loopback, and any origin.
        limits: How much may be asked.
        local: Whether only this computer reaches the server.
    """

    token: str
    hosts: frozenset[str] = LOOPBACK
    doors: frozenset[str] = frozenset()
    limits: Limits = field(default_factory=Limits)
    local: bool = True

    def knows(self, token: str) -> bool:
        """Whether this is the token; takes as long for a wrong one, whatever is wrong with it."""
        return hmac.compare_digest(token.encode(errors="surrogateescape"), self.token.encode())


class Guard:
    """Refuses what breaks a rule; the application behind it sees the rest."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = _headers(scope)
        try:
            self._check(scope, headers)
        except ProblemError as problem:
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008, "reason": problem.detail[:100]})
            else:
                await problem.response()(scope, receive, _with_headers(scope["path"], send))
            return
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        body = _Body(receive, self._access.limits)
        await self._app(scope, body.receive, _with_headers(scope["path"], send))

    def _check(self, scope: Scope, headers: Mapping[str, str]) -> None:
        host, path, access = headers.get("host", ""), scope["path"], self._access
        if _name_of(host) not in access.hosts:
            raise ProblemError(
                400, f"this server is not called {host[:80]!r}; start it with --allow-host to allow that name"
            )
        _check_length(headers, access.limits)
        if path in access.doors:
            self._check_door(scope)
            return
        origin = headers.get("origin")
        if origin is not None and origin.split("://")[-1] != host:
            raise ProblemError(403, "requests of other web pages are refused")
        if headers.get("sec-fetch-site", "none") not in _FROM_HERE:
            raise ProblemError(403, "requests of other web pages are refused")
        if not (path in _OPEN or path.startswith("/page/")) and not access.knows(_token(scope, headers)):
            raise ProblemError(
                401,
                "this needs the token that was printed at the start",
                headers={"WWW-Authenticate": "Bearer"},
            )

    def _check_door(self, scope: Scope) -> None:
        """Let programs in that know no token; those from elsewhere name it in the address."""
        named = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [""])[0]
        if not self._access.local and not self._access.knows(named):
            raise ProblemError(401, "name the token in the address: ?token=TOKEN")


def _check_length(headers: Mapping[str, str], limits: Limits) -> None:
    length = headers.get("content-length", "0")
    if not length.isascii() or not length.isdecimal():
        raise ProblemError(400, "the length of the request is not a number")
    if int(length) > limits.body:
        raise _too_large(limits)


class _Body:
    """A request's body, of which neither too much nor too slowly comes."""

    def __init__(self, receive: Receive, limits: Limits) -> None:
        self._receive, self._limits = receive, limits
        self._size, self._over = 0, False
        self._until = time.monotonic() + limits.request_seconds

    async def receive(self) -> Message:
        """Return the next message.

        Raises:
            ProblemError: More came than is allowed, or nothing for too long.
        """
        if self._over:  # what comes now is that the client has gone, and may come at any time
            return await self._receive()
        left = max(0.0, min(self._limits.silence, self._until - time.monotonic()))
        try:
            message = await asyncio.wait_for(self._receive(), left)
        except TimeoutError as error:
            raise ProblemError(
                408, "the request took too long to arrive", headers={"Connection": "close"}
            ) from error
        self._size += len(message.get("body", b""))
        self._over = not message.get("more_body", False)
        if self._size > self._limits.body:
            raise _too_large(self._limits)
        return message


def _too_large(limits: Limits) -> ProblemError:
    return ProblemError(
        413,
        f"the request is larger than {limits.body // 2**20} MiB; send fewer or smaller files",
        headers={"Connection": "close"},
    )


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def _name_of(host: str) -> str:
    """Return the name of a Host header, without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.rpartition(":")[0].lower() if ":" in host else host.lower()


def _token(scope: Scope, headers: Mapping[str, str]) -> str:
    if scope["type"] == "websocket":
        named = [protocol for protocol in scope.get("subprotocols", ()) if protocol.startswith("token.")]
        return named[0].removeprefix("token.") if named else ""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _with_headers(path: str, send: Send) -> Send:
    """Add to each answer what browsers are to keep to."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = {name.lower() for name, _ in message["headers"]}
            more = dict(_HEADERS)
            if path.startswith("/api/"):
                more["cache-control"] = "no-store"
            pairs = [(name.encode(), value.encode()) for name, value in more.items()]
            message["headers"] = [*message["headers"], *(pair for pair in pairs if pair[0] not in given)]
        await send(message)

    return sending
