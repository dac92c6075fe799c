"""Painting: strokes come up a socket, pictures go down, and the newest stroke wins."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocketDisconnect

from sketchcolor_cli.errors import SketchcolorError
from sketchcolor_cli.studio.asking import parsed
from sketchcolor_cli.studio.engine import ReplacedError
from sketchcolor_cli.studio.frames import packed
from sketchcolor_cli.studio.guard import PROTOCOL
from sketchcolor_cli.studio.marks import checked
from sketchcolor_cli.studio.problems import ProblemError, problem_of

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

    from sketchcolor_cli.studio.project import Page
    from sketchcolor_cli.studio.state import Studio

UNKNOWN, CLOSED = 4404, 4409
"""Codes with which a socket is closed: there is no such page; another project was opened."""

_STAGES = ("spread", "quick", "final")
_WIDTHS = 64, 4096
_SEEDS = 9
_BEHIND = 64  # messages that are being answered at one time
_AHEAD = 4  # pages that a window may ask to prepare at one time
_QUIET = 0.6  # seconds without a stroke after which there is time for pages that may be opened next
_NUMBERS = itertools.count(1)


def routes() -> list[WebSocketRoute]:
    """Return what is answered here."""
    return [WebSocketRoute("/api/v1/pages/{id}/live", live)]


async def live(socket: WebSocket) -> None:
    """Serve one open page."""
    studio: Studio = socket.app.state.studio
    await socket.accept(PROTOCOL if PROTOCOL in socket.scope.get("subprotocols", ()) else None)
    if studio.open_sockets >= studio.limits.sockets:
        await socket.close(1013, "too many pages are open; close some windows")
        return
    studio.open_sockets += 1
    try:
        await _serve(socket, studio)
    finally:
        studio.open_sockets -= 1


async def _serve(socket: WebSocket, studio: Studio) -> None:
    try:
        page = await asyncio.to_thread(studio.project.page, socket.path_params["id"])
    except ProblemError as problem:
        await socket.close(UNKNOWN, problem.detail[:100])
        return
    session = _Session(socket, studio, page)
    studio.sockets.add(session)
    try:
        await session.run()
    finally:
        studio.sockets.discard(session)
        await session.end()


class _Session:
    """One socket."""

    def __init__(self, socket: WebSocket, studio: Studio, page: Page) -> None:
        self._socket, self._studio, self._page = socket, studio, page
        self._project = studio.project
        self._lane = f"live {next(_NUMBERS)}"
        self._tasks: set[asyncio.Task[None]] = set()
        self._sending = asyncio.Lock()
        self._newest = 0
        self._showing, self._shown_at = 0, 0.0

    async def run(self) -> None:
        """Take messages until the socket is closed."""
        self._begin(self._prepare())
        try:
            while True:
                message = await self._socket.receive()
                if message["type"] == "websocket.disconnect":
                    return
                text = message.get("text")
                if text is None or len(text) > self._studio.limits.document:
                    code = 1003 if text is None else 1009
                    await self._socket.close(code, "messages are JSON of at most 8 MiB")
                    return
                if await self._close_if_behind() or not await self._take(text):
                    return
        except WebSocketDisconnect:
            return

    async def end(self) -> None:
        """Take back what was asked for."""
        for task in self._tasks:
            task.cancel()
        with suppress(ProblemError, ReplacedError):
            await self._studio.engine.ask_once("cancel", lane=self._lane)

    async def restarted(self) -> None:
        """Say that the worker was started again."""
        await self._send({"type": "restarted"})

    async def close(self) -> None:
        """Say that another project was opened."""
        with suppress(RuntimeError):
            await self._socket.close(CLOSED, "another project was opened")

    async def _take(self, text: str) -> bool:
        """Begin with what a message asks for; False if it breaks the protocol."""
        try:
            asked = parsed(text)
        except ProblemError as problem:
            await self._socket.close(1008, problem.detail[:100])
            return False
        kind = asked.get("type")
        if kind in ("paint", "variants"):
            number = asked.get("number")
            if isinstance(number, bool) or not isinstance(number, int):
                await self._socket.close(1008, "number is a whole number that grows")
                return False
            self._newest = number
            self._begin(self._show(asked, number))
        elif kind == "cancel":
            self._newest = 0
            self._begin(self._cancel())
        elif kind == "neighbours":
            pages = asked.get("pages")
            if not isinstance(pages, list):
                await self._socket.close(1008, "pages is a list of pages")
                return False
            self._begin(self._ahead([str(page) for page in pages[:_AHEAD]]))
        else:
            await self._socket.close(1008, f"there is no message {str(kind)[:40]!r}")
            return False
        return True

    async def _close_if_behind(self) -> bool:
        """Close a socket that asks for more and more and takes nothing."""
        if len(self._tasks) <= _BEHIND:
            return False
        await self._socket.close(1008, "take what was asked for before you ask for more")
        return True

    def _begin(self, what: Any) -> None:
        task = asyncio.get_running_loop().create_task(what)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _prepare(self) -> None:
        try:
            about = await self._studio.prepare(self._page, urgent=True)
        except (ProblemError, SketchcolorError) as error:
            await self._send({"type": "error", "number": 0, "problem": problem_of(error).document()})
            return
        except ReplacedError:
            return
        size = {"width": about["width"], "height": about["height"]}
        await self._send({"type": "ready", **size, "ms": about["ms"]})
        self._shown_at = time.monotonic()
        await self._ahead([page.id for page in await asyncio.to_thread(self._studio.neighbours, self._page)])

    async def _ahead(self, pages: list[str]) -> None:
        """Prepare pages that may be opened next, while nobody paints."""
        for page in pages:
            while self._showing or time.monotonic() - self._shown_at < _QUIET:
                await asyncio.sleep(_QUIET / 4)
            with suppress(ProblemError, SketchcolorError, ReplacedError):
                await self._studio.prepare(await asyncio.to_thread(self._project.page, page))

    async def _cancel(self) -> None:
        with suppress(ProblemError, ReplacedError):
            await self._studio.engine.ask_once("cancel", lane=self._lane)

    async def _show(self, asked: dict[str, Any], number: int) -> None:
        """Send the pictures that were asked for, each as it is there."""
        self._showing += 1
        try:
            kind, request = await self._request(asked)
            async for header, data in self._studio.engine.ask(kind, lane=self._lane, **request):
                if number != self._newest:
                    await self._send({"type": "cancelled", "number": number})
                    return
                if header["last"]:
                    await self._send({"type": "done", "number": number, "ms": header["ms"]})
                else:
                    await self._send_picture(number, header, data)
        except ReplacedError:
            await self._send({"type": "cancelled", "number": number})
        except (ProblemError, SketchcolorError) as error:
            await self._send({"type": "error", "number": number, "problem": problem_of(error).document()})
        finally:
            self._showing -= 1
            self._shown_at = time.monotonic()

    async def _request(self, asked: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Return what the worker is asked.

        Raises:
            ProblemError: The message makes no sense.
        """
        studio = self._studio
        if studio.project is not self._project:
            await self.close()
            raise ReplacedError
        common = {
            "page": studio.page_files(self._page),
            "look": await asyncio.to_thread(studio.look),
            "marks": await asyncio.to_thread(checked, asked.get("marks", []), studio.limits),
            "width": _whole(asked.get("width", 1200), *_WIDTHS, "width"),
        }
        if asked["type"] == "variants":
            seeds = asked.get("seeds", list(range(1, _SEEDS + 1)))
            if not isinstance(seeds, list) or not 0 < len(seeds) <= _SEEDS:
                raise ProblemError(422, f"seeds are at most {_SEEDS} whole numbers")
            return "variants", common | {"seeds": [_whole(seed, 0, 2**53, "a seed") for seed in seeds]}
        stages = asked.get("stages", list(_STAGES))
        if not isinstance(stages, list) or not set(map(str, stages)) <= set(_STAGES):
            raise ProblemError(422, f"stages are {', '.join(_STAGES)}")
        seed = asked.get("seed")
        if seed is None:
            seed = (await asyncio.to_thread(self._project.describe, self._page))["seed"]
        checked_seed = None if seed is None else _whole(seed, 0, 2**53, "the seed")
        return "paint", common | {"stages": stages, "seed": checked_seed}

    async def _send(self, message: dict[str, Any]) -> None:
        async with self._sending:
            with suppress(RuntimeError, WebSocketDisconnect):  # it was closed meanwhile
                await self._socket.send_text(json.dumps(message))

    async def _send_picture(self, number: int, header: dict[str, Any], data: bytes) -> None:
        kind = "variant" if header["stage"] == "variant" else "picture"
        about = {name: value for name, value in header.items() if name not in ("last", "id")}
        if header["stage"] == "final":
            self._studio.latest.keep(self._page.path, data)
        async with self._sending:
            with suppress(RuntimeError, WebSocketDisconnect):
                await self._socket.send_bytes(packed({"type": kind, "number": number, **about}, data))


def _whole(value: Any, least: int, most: int, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise ProblemError(422, f"{name} must be a whole number from {least} to {most}")
    return int(value)
