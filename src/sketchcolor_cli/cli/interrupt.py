"""Ctrl-C before a command begins: the process ends at once, without a traceback of half an import.

Imports next to nothing, as it is the first thing that is imported.
"""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

CODE = 130
"""The exit code after Ctrl-C."""


def leave_until_ready() -> None:
    """Let Ctrl-C end the process on the spot from now on, as nothing has been begun yet."""
    signal.signal(signal.SIGINT, _leave)


def raise_from_now_on() -> None:
    """Let Ctrl-C be what it usually is, if it ended the process until now."""
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _leave(_number: int, _frame: FrameType | None) -> None:
    os._exit(CODE)
