"""Telling that memory ran out from other errors, and giving back what is not needed."""

from __future__ import annotations

import gc
import sys

# What the libraries below say when an allocation fails; each has its own error, or none.
_SHORTAGES = (
    "out of memory",
    "not enough memory",
    "insufficient memory",
    "alloc_failed",
    "failed to allocate",
    "can't allocate memory",
)
_KINDS = ("RuntimeError", "DeviceError", "error")


def is_shortage(error: BaseException) -> bool:
    """Whether an error of PyTorch, CUDA, OpenCV or Python says that there is too little memory."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    message = str(error).lower()
    return type(error).__name__ in _KINDS and any(words in message for words in _SHORTAGES)


def let_go() -> None:
    """Give back what is held for nothing."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()
