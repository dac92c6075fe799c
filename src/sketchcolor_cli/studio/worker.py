"""The process that owns the network: it is asked in frames, answers in frames, and may die without harm."""

from __future__ import annotations

import gc
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from sketchcolor_cli.environment import prepare_process
from sketchcolor_cli.studio.frames import packed, unpacked
from sketchcolor_cli.studio.problems import problem_of
from sketchcolor_cli.studio.turns import ASKED, LIVE, CancelledError, Wish

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from multiprocessing.connection import Connection

    from sketchcolor_cli.studio.live import Desk

Answer = tuple[dict[str, Any], bytes]

_LIVE_THREADS, _OTHER_THREADS = 6, 4  # of the others one reads, one paints, and two write


def run(pipe: Connection) -> None:
    """Serve one end of a pipe until the other is closed; what a new process begins with."""
    prepare_process(small_matrices=True)  # before torch is imported
    # A group of processes gets these signals together. They are for the server, which closes the pipe;
    # a worker that ended before would look as if it had died.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    lock = threading.Lock()

    def send(frame: bytes) -> None:
        with lock:
            pipe.send_bytes(frame)

    worker = Worker(send, owns_process=True)
    try:
        while True:
            worker.take(pipe.recv_bytes())
    except (EOFError, OSError):
        return


class Worker:
    """Takes requests and answers each with frames that bear its number.

    The last answer of a request has ``event`` done, error or cancelled. Requests of one ``lane`` replace each
    other: a newer one takes the older back.

    Args:
        send: Is given each frame, in any thread.
        owns_process: Whether nothing else goes on in this process.
    """

    def __init__(self, send: Callable[[bytes], None], *, owns_process: bool = False) -> None:
        self._send, self._owns_process = send, owns_process
        self._live = ThreadPoolExecutor(_LIVE_THREADS, thread_name_prefix="live")
        self._other = ThreadPoolExecutor(_OTHER_THREADS, thread_name_prefix="other")
        self._lanes: dict[str, Wish] = {}
        self._lock = threading.Lock()
        self._desk: Desk | None = None
        self._loading = threading.Lock()

    @property
    def desk(self) -> Desk:
        """The pages at hand; torch is imported when it is first asked for."""
        with self._loading:
            if self._desk is None:
                from sketchcolor_cli.studio.live import Desk

                self._desk = Desk()
            return self._desk

    def take(self, frame: bytes) -> None:
        """Begin with a request; returns at once."""
        request, data = unpacked(frame)
        kind, lane = request["kind"], request.get("lane")
        wish = Wish()
        if lane is not None:
            with self._lock:
                if (older := self._lanes.pop(lane, None)) is not None:
                    older.cancel()
                if kind != "cancel":
                    self._lanes[lane] = wish
        if kind == "cancel":
            self._send(packed({"id": request["id"], "event": "done"}))
            return
        pool = self._live if kind in ("paint", "variants") else self._other
        pool.submit(self._answer, request, data, wish)

    def _answer(self, request: dict[str, Any], data: bytes, wish: Wish) -> None:
        start = time.perf_counter()
        number = {"id": request["id"]}
        try:
            wish.check()
            for header, found in self._answers(request, data, wish):
                wish.check()
                self._send(packed({**number, "event": "part", **header, "ms": _since(start)}, found))
            self._send(packed({**number, "event": "done", "ms": _since(start)}))
        except CancelledError:
            self._send(packed({**number, "event": "cancelled"}))
        except Exception as error:  # what one request does must not end the others
            problem = problem_of(error)
            bug = "" if problem.status != 500 else _told(error)
            self._send(packed({**number, "event": "error", "problem": problem.document(), "bug": bug}))

    def _answers(self, request: dict[str, Any], data: bytes, wish: Wish) -> Iterator[Answer]:
        from sketchcolor_cli.studio import single
        from sketchcolor_cli.studio.known import SMALL
        from sketchcolor_cli.studio.look import Look, PageFiles
        from sketchcolor_cli.studio.screen import masks_picture

        kind = request["kind"]
        look = Look.of(request["look"])
        if kind == "warm":
            self.desk.colorizers.get(look)
            self.desk.colorizers.get(look, work_size=SMALL, base_size=SMALL)
            if self._owns_process:
                gc.collect()
                gc.freeze()  # of what was imported nothing goes; looking through it takes 0.1 s each time
            yield {}, b""
        elif kind in ("open", "masks"):
            known = self.desk.open(PageFiles.of(request["page"]), look)
            if kind == "open":
                known.expect_strokes(self.desk.colorizers.get(look))
            header = {
                "height": known.size[0],
                "width": known.size[1],
                "colored": known.stays[False] is not None,
            }
            yield header, masks_picture(known) if kind == "masks" else b""
        elif kind in ("paint", "variants"):
            yield from self._pictures(request, wish, look)
        elif kind == "colorize":
            yield single.colorized(self.desk, look, request, wish)
        elif kind == "extract":
            yield single.extracted(request, self.desk.turns)
        else:
            raise AssertionError(kind)

    def _pictures(self, request: Mapping[str, Any], wish: Wish, look: Any) -> Iterator[Answer]:
        from sketchcolor_cli.studio.look import PageFiles, PaintRequest

        urgency = ASKED if request.get("lane") is None else LIVE
        painting = PaintRequest(
            PageFiles.of(request["page"]),
            look,
            request["marks"],
            request["width"],
            wish,
            request.get("seed"),
            urgency,
        )
        if request["kind"] == "variants":
            pictures = self.desk.variants(painting, request["seeds"])
        else:
            pictures = self.desk.stages(painting, request["stages"])
        for picture in pictures:
            width, height = picture.size
            header = {"stage": picture.stage, "media": picture.media, "width": width, "height": height}
            yield header | ({} if picture.seed is None else {"seed": picture.seed}), picture.data


def _since(start: float) -> float:
    return round(1000 * (time.perf_counter() - start), 1)


def _told(error: Exception) -> str:
    import traceback

    return "".join(traceback.format_exception(error))
