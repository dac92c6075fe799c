"""ONNX Runtime: one way to open a file, so that every network is computed alike."""

from __future__ import annotations

import importlib.util
import json
from typing import TYPE_CHECKING, Any

from sketchcolor_cli.errors import CheckpointError, DeviceError

if TYPE_CHECKING:
    from pathlib import Path

    import onnxruntime

KEY = "sketchcolor"
"""The key of a file's metadata under which it says what it is, as JSON."""


ABSENT = "--backend onnx: ONNX Runtime is not installed; pip install 'sketchcolor-cli[onnx]'"
"""What is said where it is asked for and not there."""


def is_installed() -> bool:
    """Return whether ONNX Runtime is there; it is not imported for that."""
    return importlib.util.find_spec("onnxruntime") is not None


def session(path: Path, threads: int = 0) -> onnxruntime.InferenceSession:
    """Open an ONNX file on the CPU.

    ``threads`` 0 are as many as there are cores. Waiting threads sleep, as those of torch do (see
    ``environment.prepare_process``).

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
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no common class
        reason = str(error).strip().splitlines()
        raise CheckpointError(f"{path}: no ONNX file, or damaged ({reason[-1] if reason else ''})") from error


def run_options() -> onnxruntime.RunOptions:
    """Return what a pass may be ended by while it goes on."""
    import onnxruntime

    return onnxruntime.RunOptions()


def about(opened: onnxruntime.InferenceSession) -> dict[str, Any]:
    """Return what a file says of itself; nothing for one that is not ours."""
    try:
        said = json.loads(opened.get_modelmeta().custom_metadata_map[KEY])
    except (KeyError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}
