"""Where a job runs: in a process of its own, or in a thread."""

from __future__ import annotations

import json
import multiprocessing
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from sketchcolor_cli.studio import exporting

if TYPE_CHECKING:
    from collections.abc import Callable

    Heard = Callable[[bytes | None], None]


class Runner(Protocol):
    """Where a job runs."""

    def start(self, asked: str, heard: Heard) -> None:
        """Start one; ``heard`` is called, in any thread, with each frame, and with None at its end."""

    def stop(self) -> None:
        """End it."""


class ProcessRunner:
    """Runs a job in a process of its own."""

    def __init__(self) -> None:
        self._process: Any = None

    def start(self, asked: str, heard: Heard) -> None:
        """Start a process."""
        context = multiprocessing.get_context("spawn")
        pipe, far = context.Pipe(duplex=False)
        process = context.Process(
            target=exporting.run, args=(far, asked), name="sketchcolor-job", daemon=True
        )
        process.start()
        far.close()
        self._process = process

        def listen() -> None:
            with suppress(EOFError, OSError):
                while True:
                    heard(pipe.recv_bytes())
            heard(None)

        threading.Thread(target=listen, daemon=True).start()

    def stop(self) -> None:
        """End the process; files are whole or absent, and the journal knows."""
        if self._process is not None:
            self._process.terminate()
            self._process.join(5)


class ThreadRunner:
    """Runs a job in a thread; what tests use."""

    def __init__(self) -> None:
        self._stopped = False

    def start(self, asked: str, heard: Heard) -> None:
        """Start a thread."""

        def send(frame: bytes) -> None:
            if self._stopped:
                raise KeyboardInterrupt
            heard(frame)

        def work() -> None:
            with suppress(KeyboardInterrupt):
                exporting.work(json.loads(asked), send)
            heard(None)

        threading.Thread(target=work, daemon=True).start()

    def stop(self) -> None:
        """Let it end at its next word."""
        self._stopped = True
