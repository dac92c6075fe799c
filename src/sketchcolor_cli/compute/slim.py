"""What a slim installation leaves out, and what is said where a library is needed that cannot be had."""

from __future__ import annotations

import importlib.util
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sketchcolor_cli.errors import DeviceError

if TYPE_CHECKING:
    from collections.abc import Iterator

LEFT_OUT = ("torch", "torchvision", "fastai", "fastcore", "pytorch_fid")
"""Modules of packages that are declared, and that pages do without where ONNX Runtime is."""

WITH_TORCH = "pip install torch torchvision fastai pytorch-fid"
"""What adds them."""

WITHOUT_DESKTOP = "pip uninstall --yes opencv-python && pip install opencv-python-headless"
"""What replaces OpenCV by its build that needs no libraries of a desktop."""


def has_torch() -> bool:
    """Return whether torch is installed; it is not imported for that."""
    return importlib.util.find_spec("torch") is not None


def require_torch(what: str) -> None:
    """Refuse to go on without torch; ``what`` needs it.

    Raises:
        DeviceError: It is not installed.
    """
    if not has_torch():
        raise DeviceError(f"{what}: torch is not installed; {WITH_TORCH}")


@contextmanager
def naming_what_is_missing() -> Iterator[None]:
    """Turn the lack of what a slim installation leaves out, or OpenCV needs, into an expected error.

    Raises:
        DeviceError: One of them is not installed, or OpenCV finds no libraries of a desktop.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        if name not in LEFT_OUT:
            raise
        raise DeviceError(f"this needs {name}, which is not installed; {WITH_TORCH}") from error
    except ImportError as error:
        if error.name != "cv2":
            raise
        raise DeviceError(
            f"OpenCV cannot be loaded ({error}); without a desktop: {WITHOUT_DESKTOP}"
        ) from error
