"""Workers on Ray: on this machine, or on a cluster that sees the same folders.

Each worker loads what it needs once and is given a part of the work at a time. One that is lost is replaced,
and what it was given is given out again.
"""

from __future__ import annotations

import os
import re
import socket
from collections import deque
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sketchcolor_cli.errors import SketchcolorError, UsageError, WorkerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")
R = TypeVar("R")

LOCAL = "local"
"""Stands for an address: workers on this machine."""
_TRIES = 3
_PATIENCE = 10  # seconds


@contextmanager
def joined(address: str, workers: int) -> Iterator[Any]:
    """Yield Ray, joined to a cluster until the end of the block.

    Args:
        address: LOCAL, or a cluster's as ray.init takes it: auto, HOST:6379, ray://HOST:10001.
        workers: How many workers there will be, for LOCAL.

    Raises:
        UsageError: Ray is not installed, or there is no cluster at this address.
    """
    try:
        import ray
    except ImportError as error:
        raise UsageError("--ray needs Ray; install it with: pip install ray") from error
    _join(ray, address, workers)
    try:
        yield ray
    finally:
        ray.shutdown()


def _join(ray: Any, address: str, workers: int) -> None:
    quiet = {"log_to_driver": False, "logging_level": "error", "configure_logging": True}
    try:
        if address == LOCAL:
            ray.init(num_cpus=workers, include_dashboard=False, **quiet)
        else:
            # Ray tries for minutes, and then ends the process.
            if place := re.fullmatch(r"(?:ray://)?(.+):(\d+)", address):
                socket.create_connection((place[1], int(place[2])), timeout=_PATIENCE).close()
            ray.init(address=address, **quiet)
    except (OSError, OverflowError, ValueError, RuntimeError) as error:
        raise UsageError(f"--ray {address}: no cluster answers at this address ({error})") from error


class Worker:
    """Holds what is needed for the work; lives in a process of its own."""

    def __init__(self, load: Callable[[], Callable[[Any], Any]], folder: Path) -> None:
        self._load, self._folder = load, folder

    def load(self) -> None:
        """Load what is needed."""
        with suppress(OSError):  # paths may be relative to where the command was given
            os.chdir(self._folder)
        self._do = self._load()

    def do(self, part: Any) -> Any:
        """Do a part of the work."""
        return self._do(part)


@dataclass(frozen=True)
class Lost:
    """Stands for the result of a part that is given up: as often as not it takes too much memory.

    Attributes:
        why: How often its worker was lost, and how.
    """

    why: str


class Workers(Generic[T, R]):
    """Workers of one kind, which share one work."""

    def __init__(
        self, ray: Any, load: Callable[[], Callable[[list[T]], R]], count: int, *, gpus: bool = True
    ) -> None:
        """Hire nobody yet.

        Args:
            ray: Ray, joined.
            load: Called by each worker once; returns what is done with a part.
            count: The most workers, each with a processor of its own.
            gpus: Whether each takes a GPU as well, where the cluster has any.
        """
        gpu = 1 if gpus and ray.cluster_resources().get("GPU") else 0
        self._ray = ray
        self._kind: Any = ray.remote(Worker).options(num_cpus=1, num_gpus=gpu)
        self._given = load, Path.cwd()
        self._count = count
        # A worker may wait for a processor long: it stands for one of a node that is lost. So what is to be
        # done is given only to one that has come.
        self._coming: dict[Any, Any] = {}
        self._idle: list[Any] = []
        self._busy: dict[Any, tuple[Any, list[T], int]] = {}
        self._waiting: deque[tuple[list[T], int]] = deque()
        self._lost = 0  # in a row, before they had loaded
        self._stopped = False

    def results(self, take: Callable[[], list[T]]) -> Iterator[tuple[list[T], R | Lost]]:
        """Give each part with its result, as they are done; a part that was lost comes thing by thing.

        Args:
            take: Returns the next part; none while nothing is to be given out, which ends the work if
                nothing is under way.

        Raises:
            SketchcolorError: A worker raised it.
            WorkerError: Workers are lost while they load.
        """
        while self._has_more(take) or self._busy:
            while self._idle and self._has_more(take):
                worker, (part, tries) = self._idle.pop(), self._waiting.popleft()
                self._busy[worker.do.remote(part)] = worker, part, tries
            while self._waiting and len(self._coming) + len(self._busy) < self._count:
                worker = self._kind.remote(*self._given)
                self._coming[worker.load.remote()] = worker
            [ready], _ = self._ray.wait([*self._coming, *self._busy], num_returns=1)
            if ready in self._coming:
                self._welcome(ready)
            else:
                yield from self._take_in(ready)

    def stop(self) -> None:
        """Give nothing out any more; what is under way comes to its end."""
        self._stopped = True

    def _has_more(self, take: Callable[[], list[T]]) -> bool:
        if not self._waiting and not self._stopped and (part := take()):
            self._waiting.append((part, 1))
        return bool(self._waiting) and not self._stopped

    def _welcome(self, ready: Any) -> None:
        worker = self._coming.pop(ready)
        error = self._get(ready)[1]
        if error is None:
            self._lost = 0
            self._idle.append(worker)
            return
        self._lost += 1
        if self._lost >= _TRIES * self._count:
            kind = type(error).__name__
            raise WorkerError(f"--ray: workers are lost while they load, {self._lost} in a row ({kind})")

    def _take_in(self, ready: Any) -> Iterator[tuple[list[T], R | Lost]]:
        worker, part, tries = self._busy.pop(ready)
        result, error = self._get(ready)
        if error is None:
            self._idle.append(worker)
            yield part, result
        elif tries < _TRIES:
            self._waiting.extend(([thing], tries + 1) for thing in part)
        else:
            yield part, Lost(f"its worker was lost {tries} times ({type(error).__name__})")

    def _get(self, ready: Any) -> tuple[Any, Exception | None]:
        """Return what a worker returned, or how it was lost.

        Raises:
            Exception: The worker raised it.
        """
        try:
            return self._ray.get(ready), None
        except self._ray.exceptions.RayTaskError as error:
            cause = getattr(error, "cause", None)  # whose text is one line, where Ray's has the traceback
            raise cause if isinstance(cause, SketchcolorError) else error.as_instanceof_cause() from None
        except self._ray.exceptions.RayError as error:
            return None, error
