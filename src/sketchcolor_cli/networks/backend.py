"""Which library computes a colour network that only runs forward: torch, or ONNX Runtime."""

from __future__ import annotations

import json
import os
import platform
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING

import numpy as np

from sketchcolor_cli import __version__
from sketchcolor_cli.compute import onnx, slim
from sketchcolor_cli.errors import CheckpointError, DeviceError
from sketchcolor_cli.files.atomic import write_bytes, write_error
from sketchcolor_cli.networks.forward import Inputs
from sketchcolor_cli.networks.graph_files import GRAPHS, graph_name
from sketchcolor_cli.networks.onnx_forward import OnnxForward
from sketchcolor_cli.networks.onnx_match import OnnxMatch
from sketchcolor_cli.networks.registry import MATCHER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from sketchcolor_cli.networks.base import ColorNet
    from sketchcolor_cli.networks.forward import Forward
    from sketchcolor_cli.networks.matcher import Matcher

_WORTH = 1.5
"""Torch must be this much faster to be chosen: it takes seconds to be imported, and twice the memory."""
_TRIAL = 12, 9  # sides of the picture that is tried, in multiples of what the network takes
_TIMES = 3
_TIMED = "torch", "brief", "onnx"


@dataclass(frozen=True)
class Backends:
    """Colour networks, computed as is asked for or as a trial finds faster.

    Attributes:
        folder: Where graphs of models are kept, and what trials found; it need not exist.
        wanted: One of ``compute.settings.BACKENDS``. ``onnx`` makes the graph of a network at first use where
            it did not come with the package, which takes torch and about a minute; ``auto`` never waits for
            that, and takes torch then.
        note: Called with a line for the user.
        brief: Whether torch may be less exact where that is faster, which counts in the trial.
    """

    folder: Path
    wanted: str = "auto"
    note: Callable[[str], None] = lambda _line: None
    brief: bool = False

    def load(self, model: Path, device: str) -> ColorNet | Forward:
        """Return a colour network, ready to run forward on a device.

        Raises:
            CheckpointError: The model is missing, damaged or of another kind.
            DeviceError: What is wanted is not installed, or ``onnx`` for another device than the processor.
        """
        self.refuse_other_than(device)
        if self.wanted == "onnx":
            return OnnxForward(self._made(model), model)
        if self.wanted == "auto" and device == "cpu" and onnx.is_installed():
            found = self._chosen(model)
            if found is not None:
                self.note(f"{model.stem}: computed by ONNX Runtime")
                return found
        slim.require_torch(f"--backend {self.wanted}")
        return _torch(model)

    def refuse_other_than(self, device: str) -> None:
        """Refuse a device that ONNX Runtime is not for, and to do without it, where it is wanted.

        Raises:
            DeviceError: That is so.
        """
        if self.wanted == "onnx" and device != "cpu":
            raise DeviceError(f"--backend onnx is for the processor, not for {device}; use --device cpu")
        if self.wanted == "onnx" and not onnx.is_installed():
            raise DeviceError(onnx.ABSENT)

    def graph(self, model: Path) -> Path:
        """Return where the graph of a model lies, which may have to be made.

        Raises:
            CheckpointError: The model cannot be read.
        """
        name = graph_name(model)
        bundled = GRAPHS / name
        return bundled if bundled.is_file() else self.folder / __version__ / name

    def _made(self, model: Path) -> Path:
        """Return the graph of a model, which is made where it is not there."""
        file = self.graph(model)
        if not file.is_file():
            slim.require_torch(f"{model.stem}: to make its ONNX graph, once")
            self.note(f"{model.stem}: its ONNX graph is made, once; that takes about a minute")
            from sketchcolor_cli.networks.export import export_graph
            from sketchcolor_cli.networks.exportable import of_network

            with _alone(file):
                what = None if file.is_file() else of_network(_torch(model), {})
                if what is not None:  # another run may have made it meanwhile
                    export_graph(what, file)
        return file

    def _chosen(self, model: Path) -> OnnxForward | None:
        """Return the network of ONNX Runtime, or None where torch is faster or has to make the graph."""
        file = self.graph(model)
        if not file.is_file() and slim.has_torch():
            return None
        try:
            found = OnnxForward(self._made(model), model)
            chosen = self.is_chosen(file.stem, lambda: {**_torch_seconds(model), "onnx": _seconds(found)})
        except CheckpointError:
            if not slim.has_torch():
                raise
            return None  # torch reads it, or says better what is wrong with it
        return found if chosen else None

    def is_chosen(self, name: str, measure: Callable[[], Mapping[str, float]]) -> bool:
        """Return whether ONNX Runtime computes here: both are tried once, and the times are remembered.

        Torch is taken only where it is much faster, since it takes seconds to be imported.

        Args:
            name: Under which it is remembered, beginning with a letter.
            measure: Returns the times of ``torch``, of torch where it may be ``brief``, and of ``onnx``.
        """
        if self.wanted == "onnx" or not slim.has_torch():
            return True
        return self.prefers_onnx(self._tried(name, measure))

    def trial(self, model: Path) -> Mapping[str, float]:
        """Return the processor time of one pass by ``torch`` and by ``onnx``, tried once and remembered.

        Returns:
            Seconds; those of ``brief`` too, which is torch where it may be less exact.

        Raises:
            CheckpointError: The model is missing or damaged.
        """
        return self._tried(
            self.graph(model).stem,
            lambda: {**_torch_seconds(model), "onnx": _seconds(OnnxForward(self._made(model), model))},
        )

    def _tried(self, name: str, measure: Callable[[], Mapping[str, float]]) -> Mapping[str, float]:
        about, kept = machine(), self.folder / f"{name}.trial.json"
        with suppress(OSError, ValueError, KeyError, TypeError):
            found = json.loads(kept.read_bytes())
            if found["machine"] == about:
                return {key: float(found[key]) for key in _TIMED}
        seconds = measure()
        with suppress(CheckpointError):  # then it is tried again
            write_bytes(kept, json.dumps({"machine": about, **seconds}).encode(), CheckpointError)
        return seconds

    def prefers_onnx(self, seconds: Mapping[str, float]) -> bool:
        """Return whether ONNX Runtime is fast enough not to take torch."""
        torch = min(seconds["torch"], seconds["brief"]) if self.brief else seconds["torch"]
        return seconds["onnx"] < _WORTH * torch


def matcher_beside(network: ColorNet | Forward) -> Matcher | OnnxMatch:
    """Return the bundled matcher, for what computes a colour network.

    Raises:
        CheckpointError: Its file is damaged.
    """
    if isinstance(network, OnnxForward):
        return OnnxMatch(GRAPHS / graph_name(MATCHER), MATCHER)
    from sketchcolor_cli.networks.loading import load_matcher  # imports torch

    return load_matcher()


def machine() -> str:
    """Return what a trial depends on beside the network: the machine, and the versions of what computes."""
    versions = [metadata.version(name) for name in ("torch", "onnxruntime")]
    return f"{platform.node()} {platform.machine()} {os.cpu_count()} {' '.join(versions)}"


def _torch(model: Path) -> ColorNet:
    from sketchcolor_cli.networks.base import ColorNet  # imports torch
    from sketchcolor_cli.networks.checkpoint import load_model

    return load_model(model, ColorNet)[0]


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Wait until no other run makes the same file."""
    from filelock import FileLock

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(file.with_suffix(".lock"))
        lock.acquire()
    except OSError as error:
        raise write_error(file.parent, error, CheckpointError) from error
    try:
        yield
    finally:
        lock.release()


def _torch_seconds(model: Path) -> dict[str, float]:
    """Return the times of torch, as it is exact, and brief: in the number format that is fastest."""
    from sketchcolor_cli.compute import precision
    from sketchcolor_cli.networks.torch_forward import TorchForward

    network, fastest = TorchForward(_torch(model), "cpu"), precision.choose("cpu")
    exact = _seconds(network)
    return {"torch": exact, "brief": exact if fastest == "float32" else _seconds(network, fastest)}


def _seconds(network: Forward, precision: str = "float32") -> float:
    """Return the time of a network for a picture of middling size."""
    height, width = (side * network.multiple for side in _TRIAL)
    stride = network.stride
    spread = np.zeros((height // stride, width // stride, 4), np.float32) if stride > 1 else None
    shown = Inputs(np.ones((height, width), np.float32), np.zeros((height, width, 4), np.float32), spread)
    return best_time(lambda: network.paint(shown, precision))


def best_time(work: Callable[[], object]) -> float:
    """Return the best processor time of three, in seconds.

    Another program at work changes it little, and what is found is remembered.
    """
    times = []
    for _ in range(_TIMES):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)
