"""Memory: used again where it can be, given back where it is not needed, and told where it ran out."""

from __future__ import annotations

import ctypes
import gc
import sys

# Of glibc's mallopt. Arrays as large as a page's planes are taken from memory that was used before instead of
# fresh from the system, which has to clear it. One heap for all threads, or each would keep its own.
_MALLOC = {-3: 2**26, -1: 2**29}  # M_MMAP_THRESHOLD, M_TRIM_THRESHOLD
_ONE_HEAP = {-8: 1}  # M_ARENA_MAX

_HUGE = 100_000_000  # samples

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


def use_again(*, one_heap: bool) -> None:
    """Let this process keep the memory that it frees; only glibc can be told so."""
    if sys.platform == "linux" and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)):
        for option, value in (_MALLOC | _ONE_HEAP if one_heap else _MALLOC).items():
            mallopt(option, value)


def give_back_after(samples: int) -> None:
    """Give what was freed back to the system if so many samples were decoded; only glibc can be told so.

    The decoder of a huge page leaves far more room than is used again.
    """
    if samples <= _HUGE:
        return
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)):
        trim(0)


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
