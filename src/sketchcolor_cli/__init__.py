"""Turn coloured drawings into sketches, and sketches and manga pages into coloured drawings.

Here are the functions of the library, one for each journey, each with the request that it takes, and what
authors of plugins need; see docs/plugins.md. Journeys are imported when they are first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sketchcolor_cli.imaging.sizes import SizeRule
from sketchcolor_cli.plugin.contract import Extractor, Parameter, Resources, Sketcher
from sketchcolor_cli.plugin.hooks import hookimpl
from sketchcolor_cli.weights.spec import WeightFile, WeightSource, Wheel

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
    "Wheel",
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
