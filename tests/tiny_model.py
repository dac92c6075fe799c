"""A colour network of random numbers, with its graph: processes that use it need no torch.

That takes seconds to be imported. conftest.py puts the graph where they look for it.
"""

from __future__ import annotations

from pathlib import Path

from sketchcolor_cli.compute import onnx
from sketchcolor_cli.networks.graph_files import graph_name

DATA = Path(__file__).parent / "data"
MODEL = DATA / "tiny.safetensors"
GRAPH = DATA / graph_name(MODEL)
BACKEND = "onnx" if onnx.is_installed() else "torch"
"""Which of both computes sooner, counted from the start of a process; neither is tried out."""
