"""Turn coloured drawings into sketches, and sketches and manga pages into coloured drawings.

The names here are what plugin authors need; see docs/plugins.md.
"""

from sketchcolor_cli.extractor import Extractor, Parameter, Resources, Sketcher, WeightFile
from sketchcolor_cli.hookspecs import hookimpl
from sketchcolor_cli.sizes import SizeRule

__all__ = ["Extractor", "Parameter", "Resources", "SizeRule", "Sketcher", "WeightFile", "hookimpl"]

__version__ = "0.1.0"
