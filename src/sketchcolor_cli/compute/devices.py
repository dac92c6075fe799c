"""Which device to compute on."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from sketchcolor_cli.compute.slim import has_torch, require_torch
from sketchcolor_cli.errors import DeviceError, UsageError

# What Linux calls the devices of NVIDIA, of AMD, and of either in WSL.
_GPUS = "/dev/nvidiactl", "/dev/nvidia0", "/dev/nvhost-ctrl-gpu", "/dev/kfd", "/dev/dxg"


def may_have_gpu() -> bool:
    """Return whether there may be a GPU that torch can use; only torch knows for sure."""
    return sys.platform != "linux" or any(Path(path).exists() for path in _GPUS)


def for_backend(wanted: str, backend: str) -> str:
    """Return the device that is asked for beside a backend: ONNX Runtime is for the processor."""
    return "cpu" if backend == "onnx" and wanted == "auto" else wanted


def resolve(wanted: str) -> str:
    """Return the device as torch names it; ``auto`` takes CUDA, then Apple's MPS, then the CPU.

    Raises:
        UsageError: the name is none of auto, cpu, cuda, cuda:N, mps.
        DeviceError: this machine has no such device.
    """
    if not re.fullmatch(r"auto|cpu|cuda(:(0|[1-9][0-9]*))?|mps", wanted):
        raise UsageError(f"--device {wanted}: use auto, cpu, cuda, cuda:N or mps")
    if wanted == "cpu" or (wanted == "auto" and not (may_have_gpu() and has_torch())):
        return "cpu"
    require_torch(f"--device {wanted}")
    import torch  # seconds to import; naming the CPU must not cost them

    cuda, mps = torch.cuda.device_count(), torch.backends.mps.is_available()
    if wanted == "auto":
        return "cuda" if cuda else "mps" if mps else "cpu"
    if wanted == "mps" and not mps:
        raise DeviceError("--device mps: torch finds no Apple GPU here; use --device cpu")
    if wanted.startswith("cuda") and int(wanted[5:] or 0) >= cuda:
        found = f"{cuda} CUDA device(s)" if cuda else "no CUDA device"
        raise DeviceError(f"--device {wanted}: torch finds {found} here; use --device cpu or auto")
    return wanted
