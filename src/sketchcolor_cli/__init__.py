"""Turn coloured drawings into sketches, and sketches and manga pages into coloured drawings.

The functions of the library are here, one for each journey, each with the request that it takes; they are
imported when they are first asked for.

Authors of plugins begin with four names: a function under ``hookimpl`` declares an ``Extractor``, which makes
a ``Sketcher`` and says in a ``SizeRule`` what size that wants. ``Parameter``, ``Resources``, ``WeightFile``
and ``WeightSource`` are for extractors with settings or trained weights; see docs/plugins.md.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sketchcolor_cli.imaging.sizes import SizeRule
from sketchcolor_cli.plugin.contract import Extractor, Resources, Sketcher
from sketchcolor_cli.plugin.hooks import hookimpl
from sketchcolor_cli.plugin.parameters import Parameter
from sketchcolor_cli.weights.spec import WeightFile, WeightSource

if TYPE_CHECKING:
    from sketchcolor_cli.jobs.evaluate import EvaluateRequest, evaluate
    from sketchcolor_cli.jobs.fid import FidRequest, fid
    from sketchcolor_cli.jobs.train import TrainRequest, train

__all__ = [
    "EvaluateRequest",
    "Extractor",
    "FidRequest",
    "Parameter",
    "Resources",
    "SizeRule",
    "Sketcher",
    "TrainRequest",
    "WeightFile",
    "WeightSource",
    "evaluate",
    "fid",
    "hookimpl",
    "train",
]

__version__ = "0.1.0"

_JOURNEYS = {
    "EvaluateRequest": "jobs.evaluate",
    "FidRequest": "jobs.fid",
    "TrainRequest": "jobs.train",
    "evaluate": "jobs.evaluate",
    "fid": "jobs.fid",
    "train": "jobs.train",
}
"""Where each name is that is imported when it is asked for."""


def __getattr__(name: str) -> Any:
    """Return a journey's function or request.

    Raises:
        AttributeError: There is none of this name.
    """
    if name not in _JOURNEYS:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    return getattr(import_module(f"{__name__}.{_JOURNEYS[name]}"), name)
