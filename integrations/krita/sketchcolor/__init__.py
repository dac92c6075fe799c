"""A plugin of Krita that colours the line art of a document from a layer of strokes."""

from krita import Krita

from .extension import SketchcolorExtension

Krita.instance().addExtension(SketchcolorExtension(Krita.instance()))
