"""Serving over the network: the address, the token, and connections of strange clients."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import math
import os
import secrets
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sketchcolor_cli.errors import UsageError
from sketchcolor_cli.studio.guard import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp

    from sketchcolor_cli.studio.limits import Limits

_TOKEN_BYTES = 24
_SHORTEST = 16  # letters of a token that somebody chose
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")


def new_token() -> str:
    """Return a token that nobody guesses."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def checked_token(given: str | None, host: str) -> str:
    """Return the token to use: the one that was given, or a new one.

    Raises:
        UsageError: It is too short or has letters that addresses do not take, or there is none and the server
            would be reached from elsewhere.
    """
    if given is None:
        if not is_local(host):
            raise UsageError(
                f"--host {host} lets other computers in; set a token with --token, such as {new_token()}"
            )
        return new_token()
    if len(given) < _SHORTEST or not set(given) <= _LETTERS:
        raise UsageError(
            f"--token needs at least {_SHORTEST} letters, digits, '-' and '_', such as {new_token()}"
        )
    return given


def is_local(host: str) -> bool:
    """Return whether only this computer reaches a server that is bound to this address."""
    if host in LOOPBACK:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def allowed_hosts(host: str, allowed: tuple[str, ...]) -> frozenset[str]:
    """Return the names by which the server may be called."""
    own = {host.lower()} if host not in ("0.0.0.0", "::") else set()  # noqa: S104  (which are not names)
    return LOOPBACK | own | {name.lower() for name in allowed}


def bound(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to an address; port 0 takes a free one.

    Raises:
        UsageError: The address is not this computer's, or the port is taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    if os.name == "posix":  # or the port rests a while after each end; Windows would share a port in use
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
    except OSError as error:
        found.close()
        raise UsageError(
            f"{host}:{port} cannot be listened on ({error.strerror}); choose another --port, or 0 for any"
        ) from error
    return found


def address(listening: socket.socket, host: str) -> str:
    """Return the address that a browser opens."""
    port = listening.getsockname()[1]
    name = "127.0.0.1" if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host  # noqa: S104
    return f"http://{name}:{port}/"


class Patient(HttpToolsProtocol):
    """HTTP on so many connections at most; those on which nothing goes on are closed.

    A head has to come whole within a time, on connections that are kept, too; who takes nothing of an
    answer for as long is let go. Where there are too many, a new one takes the place of the one that has
    been silent longest without an answer due, so that who opens many and says nothing keeps nobody out.
    """

    limits: Limits
    _head: asyncio.TimerHandle | None = None
    _look: asyncio.TimerHandle | None = None
    _heard = 0.0  # when something came last
    _unread = 0  # bytes of answers that waited for the client at the last look

    def connection_made(self, transport: Any) -> None:
        """Take a connection, unless there are too many."""
        if len(self.connections) >= self.limits.connections and not self._make_room():
            transport.close()
            return
        super().connection_made(transport)
        self._heard = self.loop.time()
        self._await_head()
        self._look = self.loop.call_later(self.limits.silence, self._look_at_reader)

    def _make_room(self) -> bool:
        """Close the connection that has been silent longest; False where an answer is due on each."""
        silent = [
            connection
            for connection in self.connections
            if isinstance(connection, Patient) and connection._is_idle()
        ]
        if not silent:
            return False
        min(silent, key=lambda connection: connection._heard).transport.abort()
        return True

    def _is_idle(self) -> bool:
        due = self.cycle is not None and not self.cycle.response_complete
        return not (due or self.transport.is_closing())

    def connection_lost(self, exc: Exception | None) -> None:
        """Let a connection go."""
        if self._look is None:  # it was refused
            return
        self._look.cancel()
        self._end_head()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what comes on a connection that was not refused."""
        if self._look is None:
            return
        self._heard = self.loop.time()
        super().data_received(data)
        if self._head is None and (self.cycle is None or self.cycle.response_complete):
            self._await_head()

    def on_headers_complete(self) -> None:
        """Begin with a request."""
        self._end_head()
        super().on_headers_complete()

    def _await_head(self) -> None:
        self._head = self.loop.call_later(self.limits.silence, self._let_go)

    def _end_head(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None

    def _let_go(self) -> None:
        if not self._is_socket():
            self.transport.close()

    def _look_at_reader(self) -> None:
        unread = self.transport.get_write_buffer_size()
        if unread and unread == self._unread:
            self.transport.abort()
        elif not self._is_socket():  # which sees to this by itself
            self._unread = unread
            self._look = self.loop.call_later(self.limits.silence, self._look_at_reader)

    def _is_socket(self) -> bool:
        return self.transport.get_protocol() is not self


class Server(uvicorn.Server):
    """A server that says when it listens."""

    def __init__(self, config: uvicorn.Config, listening: Callable[[], None]) -> None:
        super().__init__(config)
        self._listening = listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        if self.started:
            self._listening()


def server_of(app: ASGIApp, limits: Limits, begun: Callable[[], None]) -> Server:
    """Return a server of an application; ``begun`` is called as soon as requests are taken."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        http=type("LimitedHttp", (Patient,), {"limits": limits}),
        ws="websockets-sansio",
        ws_max_size=limits.document,
        ws_per_message_deflate=False,  # pictures are compressed already
        timeout_keep_alive=math.ceil(limits.silence),
        timeout_graceful_shutdown=3,
        server_header=False,
        lifespan="on",
        backlog=256,
    )
    return Server(config, begun)


def serve(app: ASGIApp, listening: socket.socket, limits: Limits, begun: Callable[[], None]) -> None:
    """Serve until Ctrl-C; ``begun`` is called as soon as requests are taken."""
    take_more_files()
    logging.getLogger("python_multipart").setLevel(
        logging.ERROR
    )  # clients are told what is wrong with a form
    with suppress(KeyboardInterrupt, asyncio.CancelledError):
        asyncio.run(server_of(app, limits, begun).serve(sockets=[listening]))


def take_more_files() -> None:
    """Let the process have as many files open as it may, since each connection is one."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
