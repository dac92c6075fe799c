"""Which library computes a colour network that only runs forward: torch, or ONNX Runtime."""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import file_digest, sha256
from importlib import metadata
from typing import TYPE_CHECKING

import numpy as np

from sketchcolor_cli import __version__
from sketchcolor_cli.compute import onnx
from sketchcolor_cli.errors import CheckpointError, DeviceError
from sketchcolor_cli.files.atomic import write_bytes, write_error
from sketchcolor_cli.networks.forward import Inputs
from sketchcolor_cli.networks.onnx_forward import OnnxForward

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from sketchcolor_cli.networks.base import ColorNet
    from sketchcolor_cli.networks.forward import Forward

_WORTH = 1.15  # torch must be this much faster to be chosen
_TRIAL = 12, 9  # sides of the picture that is tried, in multiples of what the network takes
_TIMES = 3


@dataclass(frozen=True)
class Backends:
    """Colour networks, computed as is asked for or as a trial finds faster.

    Attributes:
        folder: Where ONNX files of models are kept, and what trials found; it need not exist.
        wanted: One of ``compute.settings.BACKENDS``. ``onnx`` makes a model's file at first use, which takes
            about a minute; ``auto`` never waits for that, and takes torch where there is none.
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
            DeviceError: ``onnx`` is wanted, and not installed, or the device is another than the processor.
        """
        if self.wanted == "onnx":
            if device != "cpu":
                raise DeviceError(f"--backend onnx is for the processor, not for {device}; use --device cpu")
            if not onnx.is_installed():
                raise DeviceError(onnx.ABSENT)
            return OnnxForward(self._made(model))
        if self.wanted == "auto" and device == "cpu" and onnx.is_installed():
            file = self.file(model)
            if file.is_file():
                with suppress(CheckpointError):  # what is faster is not worth a failure
                    other = OnnxForward(file)
                    if self._is_chosen(file, model, other):
                        self.note(f"{model.stem}: computed by ONNX Runtime")
                        return other
        return _torch(model)

    def file(self, model: Path) -> Path:
        """Return where the ONNX file of a model lies once it is made; another for each version of ours.

        Raises:
            CheckpointError: The model cannot be read.
        """
        try:
            with model.open("rb") as file:
                content = file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise CheckpointError(f"{model}: cannot be read ({error.strerror}); check the path") from error
        return self.folder / f"{sha256(f'{__version__} {content}'.encode()).hexdigest()[:32]}.onnx"

    def _made(self, model: Path) -> Path:
        """Return the ONNX file of a model, which is made where it is not there."""
        file = self.file(model)
        if not file.is_file():
            from sketchcolor_cli.networks.export import export, of_file

            self.note(f"{model.stem}: its ONNX file is made, once; that takes about a minute")
            with _alone(file):
                if not file.is_file():  # another run may have made it meanwhile
                    export(of_file(model), file)
        return file

    def _is_chosen(self, file: Path, model: Path, other: Forward) -> bool:
        """Return whether ONNX Runtime is no slower than torch on this machine: tried once, and remembered.

        Where both are about as fast it is ONNX Runtime, since torch takes two seconds to be imported.
        """
        if importlib.util.find_spec("torch") is None:
            return True
        about = machine()
        kept = self.folder / f"{file.stem}.trial.json"
        with suppress(OSError, ValueError, KeyError, TypeError):
            found = json.loads(kept.read_bytes())
            if found["machine"] == about:
                return self._is_faster(found)
        seconds = {**_torch_seconds(model), "onnx": _seconds(other)}
        with suppress(CheckpointError):  # then it is tried again
            write_bytes(kept, json.dumps({"machine": about, **seconds}).encode(), CheckpointError)
        return self._is_faster(seconds)

    def _is_faster(self, seconds: Mapping[str, float]) -> bool:
        """Return whether the time of ONNX Runtime is no reason to take torch."""
        torch = min(seconds["torch"], seconds["brief"]) if self.brief else seconds["torch"]
        return seconds["onnx"] < _WORTH * torch


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
    """Return the best processor time of a network for a picture of middling size.

    Another program at work changes it little, and what is found is remembered.
    """
    height, width = (side * network.multiple for side in _TRIAL)
    stride, times = network.stride, []
    spread = np.zeros((height // stride, width // stride, 4), np.float32) if stride > 1 else None
    shown = Inputs(np.ones((height, width), np.float32), np.zeros((height, width, 4), np.float32), spread)
    for _ in range(_TIMES):
        start = time.process_time()
        network.paint(shown, precision)
        times.append(time.process_time() - start)
    return min(times)
