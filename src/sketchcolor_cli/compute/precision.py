"""Choosing the number format that networks compute in, by trying."""

from __future__ import annotations

import platform
import time

import torch
from torch import nn

_INTEL = ("x86_64", "AMD64")
_WORTH = 1.15  # a lower precision must be this much faster to be chosen


def choose(device: str) -> str:
    """Return ``float32`` or ``bfloat16``, which of them is the better choice on the device.

    On a CPU that is the one that a short trial finds faster: a convolution, forward and backward, as the
    networks have many of. One that cannot multiply bfloat16 is not tried: it would take seconds to be slower.
    """
    kind = device.split(":")[0]
    if kind == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float32"
    if kind != "cpu":
        return "float32"
    if _lacks_bfloat16():
        return "float32"
    plain, brief = (_seconds(dtype) for dtype in (torch.float32, torch.bfloat16))
    return "bfloat16" if plain > _WORTH * brief else "float32"


def _lacks_bfloat16() -> bool:
    """Whether the processor is one of Intel's kind whose vectors are too short for bfloat16."""
    return platform.machine() in _INTEL and not torch.backends.cpu.get_cpu_capability().startswith("AVX512")


def _seconds(dtype: torch.dtype) -> float:
    """Return the best of three times of the trial, in seconds."""
    layer = nn.Conv2d(64, 64, 3, padding=1).to(memory_format=torch.channels_last)
    x = torch.ones(4, 64, 64, 64).contiguous(memory_format=torch.channels_last)
    times = []
    for _ in range(4):
        start = time.perf_counter()
        with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
            y = layer(x)
        y.float().sum().backward()
        times.append(time.perf_counter() - start)
    return min(times[1:])
