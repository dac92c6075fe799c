"""Turn coloured drawings into sketches, and sketches and manga pages into coloured drawings.

The functions of the library are here, one for each journey, each with the request that it takes; they are
imported when they are first used, see docs/library.md.

Authors of plugins begin with four names: a function under ``hookimpl`` declares an ``Extractor``, which makes
a ``Sketcher`` and says in a ``SizeRule`` what size that wants. ``Parameter``, ``Resources``, ``WeightFile``
and ``WeightSource`` are for extractors with settings or trained weights; see docs/plugins.md.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sketchcolor_cli.coloring.colorizer import Colorizer
    from sketchcolor_cli.files.books.opening import open_book
    from sketchcolor_cli.imaging.sizes import SizeRule
    from sketchcolor_cli.jobs.colorize import colorize
    from sketchcolor_cli.jobs.dataset import (
        DatasetCheckRequest,
        DatasetPrepareRequest,
        DatasetReviewRequest,
        check_dataset,
        prepare_dataset,
        review_dataset,
    )
    from sketchcolor_cli.jobs.evaluate import EvaluateRequest, evaluate
    from sketchcolor_cli.jobs.explore import explore
    from sketchcolor_cli.jobs.extract import extract
    from sketchcolor_cli.jobs.fid import FidRequest, fid
    from sketchcolor_cli.jobs.outcome import Outcome
    from sketchcolor_cli.jobs.requests import ColorizeRequest, ExploreRequest, ExtractRequest
    from sketchcolor_cli.jobs.train import TrainRequest, train
    from sketchcolor_cli.plugin.contract import Extractor, Resources, Sketcher
    from sketchcolor_cli.plugin.hooks import hookimpl
    from sketchcolor_cli.plugin.parameters import Parameter
    from sketchcolor_cli.weights.spec import WeightFile, WeightSource

__all__ = [
    "ColorizeRequest",
    "Colorizer",
    "DatasetCheckRequest",
    "DatasetPrepareRequest",
    "DatasetReviewRequest",
    "EvaluateRequest",
    "ExploreRequest",
    "ExtractRequest",
    "Extractor",
    "FidRequest",
    "Outcome",
    "Parameter",
    "Resources",
    "SizeRule",
    "Sketcher",
    "TrainRequest",
    "WeightFile",
    "WeightSource",
    "check_dataset",
    "colorize",
    "evaluate",
    "explore",
    "extract",
    "fid",
    "hookimpl",
    "open_book",
    "prepare_dataset",
    "review_dataset",
    "train",
]

__version__ = "1.0.0"

_HOMES = {
    "ColorizeRequest": "jobs.requests",
    "Colorizer": "coloring.colorizer",
    "DatasetCheckRequest": "jobs.dataset",
    "DatasetPrepareRequest": "jobs.dataset",
    "DatasetReviewRequest": "jobs.dataset",
    "check_dataset": "jobs.dataset",
    "prepare_dataset": "jobs.dataset",
    "review_dataset": "jobs.dataset",
    "EvaluateRequest": "jobs.evaluate",
    "ExploreRequest": "jobs.requests",
    "ExtractRequest": "jobs.requests",
    "Extractor": "plugin.contract",
    "FidRequest": "jobs.fid",
    "Outcome": "jobs.outcome",
    "Parameter": "plugin.parameters",
    "Resources": "plugin.contract",
    "SizeRule": "imaging.sizes",
    "Sketcher": "plugin.contract",
    "TrainRequest": "jobs.train",
    "WeightFile": "weights.spec",
    "WeightSource": "weights.spec",
    "colorize": "jobs.colorize",
    "evaluate": "jobs.evaluate",
    "explore": "jobs.explore",
    "extract": "jobs.extract",
    "fid": "jobs.fid",
    "hookimpl": "plugin.hooks",
    "open_book": "files.books.opening",
    "train": "jobs.train",
}
"""The modules of the names that are imported when they are first used."""


def __getattr__(name: str) -> Any:
    """Return a name that is imported when it is first used.

    Raises:
        AttributeError: There is none of this name.
    """
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """Return the public names, whether they are imported or not."""
    return sorted(__all__)
