"""What all tests share."""

import gc
import json
import os
import shutil
import sys
import tempfile
from contextlib import suppress
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from hypothesis import settings

from sketchcolor_cli import __version__
from sketchcolor_cli.networks.backend import machine
from sketchcolor_cli.networks.graph_files import GRAPHS
from tiny_model import GRAPH

# Nobody's own config file, cache or weights: tests neither read nor fill them.
_FOLDERS = tempfile.TemporaryDirectory(prefix="sketchcolor-tests-")
for _name in ("CACHE", "CONFIG", "DATA"):
    os.environ[f"XDG_{_name}_HOME"] = str(Path(_FOLDERS.name) / _name.lower())

# What computes faster is tried once, which takes seconds, and on a busy machine either may win. Tests that do
# not say by what they compute do so by torch.
_TRIALS = Path(_FOLDERS.name) / "cache/sketchcolor/onnx"
_MADE = _TRIALS / __version__
_MADE.mkdir(parents=True)
shutil.copy(GRAPH, _MADE)  # as if it had been made, which takes a minute
for _graph in (GRAPH, *GRAPHS.iterdir()):
    with suppress(PackageNotFoundError):  # ONNX Runtime is an extra
        _found = {"machine": machine(), "torch": 1.0, "brief": 1.0, "onnx": 9.0}
        (_TRIALS / f"{_graph.stem}.trial.json").write_text(json.dumps(_found))

# Dozens of processes are started here. Where no bytecode is kept, each would compile all of ours again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# No test can tell what outlasts a power cut, and some files would wait longer for the disk than they compute.
os.fsync = lambda _file: None

# A busy machine makes single examples slow; that is not a failure.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

_LONG = (
    "test_training_run", "test_studio_browser_jobs", "test_studio_browser", "test_stages", "test_fid",
    "test_studio_server", "test_colored", "test_studio_api", "test_guides", "test_evaluation",
    "test_carrying", "test_default_training", "test_slim", "test_learner", "test_every_extractor",
    "test_rows", "test_strips", "test_books", "test_bad_input", "test_backend", "test_studio_worker",
    "test_studio_command", "test_example_plugin", "test_bundled_matcher", "test_studio_books",
    "test_finetune", "test_cli_end_to_end", "test_paper_mask", "test_cli_books", "test_environment",
    "test_flats", "test_thesis_unet", "test_matching", "test_lpips", "test_colorizer",
    "test_project_colorize", "test_release", "test_colored_ink", "test_interrupt", "test_library",
    "test_stroke_width", "test_studio_access", "test_checkpoint", "test_extraction", "test_studio_page",
    "test_linework", "test_default_model", "test_cli", "test_anime2sketch", "test_server_recipes",
    "test_troubleshooting", "test_killed", "test_ranks", "test_studio_backend", "test_strokes",
    "test_sketchkeras", "test_weights_cli",
)  # fmt: skip
"""Files that take long begin first, so that no worker is left with one at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put long files first, in the order that stands above, and let each worker be one thread.

    Small tensors gain nothing from threads, and on a busy machine waiting for one another costs them dearly.
    The process that only hands out tests never comes by here, and so need not load torch.
    """
    import cv2
    import torch

    torch.set_num_threads(1)
    torch.set_warn_always(True)  # not in the first test of a process alone
    cv2.setNumThreads(1)
    place = {name: number for number, name in enumerate(_LONG)}
    items.sort(key=lambda item: place.get(item.path.stem, len(_LONG)))


def pytest_collection_finish() -> None:
    """Let no collection of garbage look through what was imported: of that nothing goes, and it is a lot.

    It took a quarter of the processor time of whole files.
    """
    gc.collect()
    gc.freeze()
