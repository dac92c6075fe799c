"""Threads that wait for each other: they sleep, also where torch was imported before that could be said."""

from __future__ import annotations

import ctypes
import os
import re
import sys
import threading
from contextlib import suppress
from pathlib import Path

_MAPS = Path("/proc/self/maps")
_done: set[str] = set()
_lock = threading.Lock()


def calm() -> None:
    """Let threads of GNU's OpenMP wait asleep, in libraries that are loaded by now; Linux only.

    OMP_WAIT_POLICY is read while such a library is loaded. After that, threads spin for milliseconds, unless
    there are more of them than processors: then they spin for a microsecond (``do_spin`` in libgomp's
    config/linux/wait.h). So a thread of ours holds as many as there are processors, and one more; all sleep.
    """
    if sys.platform != "linux":
        return
    with _lock:
        for path in _loaded() - _done:
            _done.add(path)
            ready = threading.Event()
            threading.Thread(target=_hold, args=(path, ready), name="sketchcolor-calm", daemon=True).start()
            ready.wait(5)


def _loaded() -> set[str]:
    """Return the paths of the OpenMP libraries of this process."""
    with suppress(OSError):
        return set(re.findall(r"\S*/libgomp[^/\s]*$", _MAPS.read_text(encoding="utf-8"), re.MULTILINE))
    return set()


def _hold(path: str, ready: threading.Event) -> None:
    """Begin a team of threads in a library, which lasts as long as this thread."""
    with suppress(OSError, AttributeError):  # one that was taken away, or of another make
        library = ctypes.CDLL(path)
        work = ctypes.cast(library.omp_get_num_threads, ctypes.c_void_p)  # anything that takes no time
        library.GOMP_parallel.argtypes = ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint
        library.GOMP_parallel(work, None, (os.cpu_count() or 1) + 1, 0)
    ready.set()
    threading.Event().wait()
