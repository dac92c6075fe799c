"""As much of Ray as a run needs, in one process: workers that are hired, lost, and hired again."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(eq=False)
class Promise:
    """Stands for what a worker will have returned."""

    worker: Hired
    name: str
    given: tuple[Any, ...]


@dataclass(eq=False)
class Hired:
    """A worker; its methods are called when somebody asks for what they return."""

    real: Any

    def __getattr__(self, name: str) -> Any:
        return SimpleNamespace(remote=lambda *given: Promise(self, name, given))


class FakeRay:
    """Ray with room for so many workers.

    The one that is ready is always the one that was asked last, so that results come in another order than
    that of the plan. What goes to workers and comes back is pickled, if that is asked for.
    """

    class exceptions:  # noqa: N801  (as Ray names it)
        """Its errors."""

        RayError = type("RayError", (Exception,), {})

        class RayTaskError(RayError):
            """What a worker raised."""

            def __init__(self, cause: Exception) -> None:
                super().__init__("a traceback\nof many lines")
                self.cause = cause

            def as_instanceof_cause(self) -> Exception:
                return self.cause

    def __init__(
        self,
        room: int = 2,
        *,
        is_lost: Callable[[Promise], bool] = lambda _: False,
        nodes_are_lost: bool = False,
        pickled: bool = False,
    ) -> None:
        """Say which promises are never kept, as their worker is lost; and whether its room is lost, too."""
        self.room, self.is_lost, self.nodes_are_lost = room, is_lost, nodes_are_lost
        self.hired: list[Hired] = []
        self.kept: list[Promise] = []
        self.options: dict[str, Any] = {}
        self._across = (lambda value: pickle.loads(pickle.dumps(value))) if pickled else lambda value: value  # noqa: S301

    def remote(self, kind: type) -> Any:
        def hire(*given: Any) -> Hired:
            self.hired.append(Hired(kind(*self._across(given))))
            return self.hired[-1]

        def options(**wanted: Any) -> Any:
            self.options = wanted
            return SimpleNamespace(remote=hire)

        return SimpleNamespace(options=options)

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": self.room, "GPU": 1}

    def wait(self, promises: list[Promise], num_returns: int) -> Any:
        ready = [promise for promise in promises if promise.worker in self.hired[: self.room]]
        assert ready, "the run waits for a worker that no node has room for"
        return ready[-num_returns:], ready[:-num_returns]

    def get(self, promise: Promise) -> Any:
        if self.is_lost(promise):
            self.hired.remove(promise.worker)
            self.room -= self.nodes_are_lost
            raise self.exceptions.RayError
        self.kept.append(promise)
        try:
            result = getattr(promise.worker.real, promise.name)(*self._across(promise.given))
        except Exception as error:
            raise self.exceptions.RayTaskError(error) from error
        return self._across(result)
