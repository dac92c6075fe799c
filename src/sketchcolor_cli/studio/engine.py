"""The server's side of the worker: asks, gives answers out, and starts another worker when one dies."""

from __future__ import annotations

import asyncio
import multiprocessing
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, Protocol

from sketchcolor_cli.studio import worker
from sketchcolor_cli.studio.frames import packed, unpacked
from sketchcolor_cli.studio.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    Heard = Callable[[bytes | None], None]

_DEATHS = 5  # in a row, without an answer between them, after which no other worker is started
_PAUSE = 0.2  # seconds before another is started, times the number of deaths in a row


class Host(Protocol):
    """Where a worker runs."""

    def start(self, heard: Heard) -> None:
        """Start one; ``heard`` is called, in any thread, with each frame, and with None at its end."""

    def send(self, frame: bytes) -> None:
        """Give it a frame; may wait.

        Raises:
            OSError: There is none any more.
        """

    def stop(self) -> None:
        """End it."""


class ProcessHost:
    """A worker in a process of its own."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._lock = threading.Lock()
        self._pipe: Any = None
        self._process: Any = None

    def start(self, heard: Heard) -> None:
        """Start a process."""
        self._pipe, far = self._context.Pipe()
        self._process = self._context.Process(
            target=worker.run, args=(far,), name="sketchcolor-worker", daemon=True
        )
        self._process.start()
        far.close()
        threading.Thread(target=_listen, args=(self._pipe, heard), daemon=True).start()

    def send(self, frame: bytes) -> None:
        """Write a frame to the pipe."""
        with self._lock:
            self._pipe.send_bytes(frame)

    def stop(self) -> None:
        """Close the pipe and end the process, which has nothing to keep."""
        if self._process is None:
            return
        with suppress(OSError):
            self._pipe.close()
        self._process.kill()
        self._process.join(5)


def _listen(pipe: Any, heard: Heard) -> None:
    try:
        while True:
            heard(pipe.recv_bytes())
    except (EOFError, OSError, TypeError):  # closed there, or here
        heard(None)


class ThreadHost:
    """A worker in threads of this process; what tests and notebooks use."""

    def __init__(self) -> None:
        self._worker: worker.Worker | None = None

    def start(self, heard: Heard) -> None:
        """Make one."""
        self._worker = worker.Worker(heard)

    def send(self, frame: bytes) -> None:
        """Hand a frame over."""
        assert self._worker is not None  # noqa: S101  (it was started)
        self._worker.take(frame)

    def stop(self) -> None:
        """Nothing holds it but this."""
        self._worker = None


@dataclass
class _Asked:
    """A request on its way."""

    answers: asyncio.Queue[tuple[dict[str, Any], bytes]] = field(default_factory=asyncio.Queue)


class Engine:
    """Asks a worker, of which there is always one.

    Args:
        host: Where workers run.
        tell: Called with a state, starting, ready, restarted or failed, and what there is to say of it.
    """

    def __init__(self, host: Host, tell: Callable[[str, str], None] = lambda _state, _detail: None) -> None:
        self._host, self.tell = host, tell
        self._asked: dict[int, _Asked] = {}
        self._numbers = count(1)
        self._deaths = 0
        self._stopped = False
        self._generation = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._warm: dict[str, Any] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.state = "starting"
        self.bugs: Callable[[str], None] = lambda _text: None

    async def start(self, look: dict[str, Any]) -> None:
        """Start a worker, and let it load the network for this look."""
        self._loop, self._warm = asyncio.get_running_loop(), look
        self._begin()

    async def stop(self) -> None:
        """End the worker."""
        self._stopped = True
        await asyncio.to_thread(self._host.stop)

    async def ask(
        self, kind: str, data: bytes = b"", **request: Any
    ) -> AsyncIterator[tuple[dict[str, Any], bytes]]:
        """Give the answers to a request as they come; none if it was replaced by a newer one of its lane.

        Raises:
            ProblemError: It cannot be answered, or the worker died over it.
        """
        if self.state == "failed":
            raise ProblemError(503, "the worker cannot be started; see what the server printed")
        number, mine = next(self._numbers), _Asked()
        self._asked[number] = mine
        try:
            frame = packed({"id": number, "kind": kind, **request}, data)
            try:
                await asyncio.to_thread(self._host.send, frame)
            except (OSError, ValueError) as error:
                raise _lost() from error
            while True:
                header, found = await mine.answers.get()
                event = header.pop("event")
                if event == "error":
                    if header.get("bug"):
                        self.bugs(header["bug"])
                    about = header["problem"]
                    raise _lost() if about.get("again") else ProblemError(about["status"], about["detail"])
                if event == "cancelled":
                    raise asyncio.CancelledError if self._stopped else ReplacedError
                yield header | {"last": event == "done"}, found
                if event == "done":
                    return
        finally:
            self._asked.pop(number, None)

    async def ask_once(self, kind: str, data: bytes = b"", **request: Any) -> tuple[dict[str, Any], bytes]:
        """Return the one answer to a request.

        Raises:
            ProblemError: It cannot be answered, or the worker died over it.
        """
        answer: tuple[dict[str, Any], bytes] = {}, b""
        async for header, found in self.ask(kind, data, **request):
            if not header["last"]:
                answer = header, found
        return answer

    def _begin(self) -> None:
        self._generation += 1
        generation, loop = self._generation, self._loop
        assert loop is not None  # noqa: S101  (start sets it)

        def heard(frame: bytes | None) -> None:
            with suppress(RuntimeError):  # the loop is closed: the server has ended
                loop.call_soon_threadsafe(self._hear, frame, generation)

        self._host.start(heard)
        task = loop.create_task(self._warm_up())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _warm_up(self) -> None:
        try:
            await self.ask_once("warm", look=self._warm)
        except ProblemError as problem:
            if problem.status == 503:
                return  # it died over it, and another is being started
            self.tell("failed", problem.detail)  # but another model may do
        self._deaths = 0
        self.tell("ready" if self.state == "starting" else "restarted", "")
        self.state = "ready"

    def _hear(self, frame: bytes | None, generation: int) -> None:
        if generation != self._generation or self._stopped:
            return
        if frame is None:
            self._bury()
            return
        header, data = unpacked(frame)
        if (asked := self._asked.get(header.pop("id"))) is not None:
            asked.answers.put_nowait((header, data))

    def _bury(self) -> None:
        """Say to all that wait that the worker has died, and start another."""
        for asked in self._asked.values():
            asked.answers.put_nowait(({"event": "error", "problem": _lost().document()}, b""))
        self._deaths += 1
        if self._deaths > _DEATHS:
            self.state = "failed"
            self.tell("failed", "the worker ended again and again")
            return
        self.state = "restarting"
        self.tell("restarting", "")
        assert self._loop is not None  # noqa: S101  (start sets it)
        self._loop.call_later(_PAUSE * self._deaths, self._again)

    def _again(self) -> None:
        if not self._stopped:
            self._host.stop()
            self._begin()


class ReplacedError(Exception):
    """A newer request of the same lane was made."""


def _lost() -> ProblemError:
    return ProblemError(503, "the worker was started again; ask once more", again=True)
