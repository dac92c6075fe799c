"""Turn coloured drawings into sketches, and sketches and manga pages into coloured drawings.

The names here are what plugin authors need; see docs/plugins.md.
"""

from sketchcolor_cli.imaging.sizes import SizeRule
from sketchcolor_cli.plugin.contract import Extractor, Parameter, Resources, Sketcher
from sketchcolor_cli.plugin.hooks import hookimpl
from sketchcolor_cli.weights.spec import WeightFile, WeightSource, Wheel

__all__ = [
    "Extractor",
    "Parameter",
    "Resources",
    "SizeRule",
    "Sketcher",
    "WeightFile",
    "WeightSource",
    "Wheel",
    "hookimpl",
]

__version__ = "0.1.0"
