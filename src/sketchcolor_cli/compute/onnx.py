"""ONNX Runtime: one way to open a file, so that every network is computed alike."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from sketchcolor_cli.errors import CheckpointError, DeviceError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    import onnxruntime
    from numpy.typing import NDArray

KEY = "sketchcolor"
"""The key of a file's metadata under which it says what it is, as JSON."""

ABSENT = "--backend onnx: ONNX Runtime is not installed; pip install onnxruntime"
"""What is said where it is asked for and not there."""


def is_installed() -> bool:
    """Return whether ONNX Runtime is there; it is not imported for that."""
    return importlib.util.find_spec("onnxruntime") is not None


def session(
    source: Path | bytes,
    threads: int = 0,
    weights: Mapping[str, NDArray[np.float32]] | None = None,
    *,
    planned: bool = True,
) -> onnxruntime.InferenceSession:
    """Open an ONNX file on the CPU, or what would be in one.

    ``threads`` 0 are as many as there are cores. Waiting threads sleep, as those of torch do (see
    ``environment.prepare_process``). ``weights`` are used by the session as long as it is there. ``planned``
    says that memory of a pass is planned as a whole, which suits small pictures; large ones take two thirds
    where it is not.

    Raises:
        DeviceError: ONNX Runtime is not installed.
        CheckpointError: The file is missing, damaged, or not ONNX.
    """
    if not is_installed():
        raise DeviceError(ABSENT)
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    options.enable_mem_pattern = planned
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if weights:
        values = [onnxruntime.OrtValue.ortvalue_from_numpy(values) for values in weights.values()]
        options.add_external_initializers(list(weights), values)
    try:
        return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no common class
        reason = str(error).strip().splitlines()
        name = "graph" if isinstance(source, bytes) else source
        raise CheckpointError(
            f"{name}: not an ONNX file, or damaged ({reason[-1] if reason else ''})"
        ) from error
