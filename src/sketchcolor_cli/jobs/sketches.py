"""An extractor as a function of arrays, for journeys that draw their own sketches; it imports torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sketchcolor_cli import environment

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float32]


def array_sketcher(method: str, device: str) -> Callable[[Array], Array]:
    """Return what draws sketches of arrays, (H, W, 3) to (H, W), by an extractor.

    Raises:
        PluginError: There is no such extractor.
        WeightError: Its weights are not there.
    """
    from sketchcolor_cli.extraction.loader import Loader
    from sketchcolor_cli.imaging.picture import Picture
    from sketchcolor_cli.plugin.discovery import find_extractors

    extractors = find_extractors()
    store = environment.weight_store()
    store.require(extractors.weights(method, ()))
    drawer = Loader(extractors, device=device, find_weight=store.find).load(method)

    def draw(rgb: Array) -> Array:
        return drawer.sketch(Picture(rgb)).rgb[..., 0]

    return draw
