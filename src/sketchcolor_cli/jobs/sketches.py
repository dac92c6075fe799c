"""An extractor as a function of arrays, for journeys that draw their own sketches; it imports torch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from sketchcolor_cli import environment
from sketchcolor_cli.compute import devices

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from sketchcolor_cli.extraction.drawer import Drawer

    Array = NDArray[np.float32]


def array_sketcher(method: str, device: str) -> Callable[[Array], Array]:
    """Return what draws sketches of arrays, (H, W, 3) to (H, W), by an extractor.

    Raises:
        PluginError: There is no such extractor.
        WeightError: Its weights are not there.
    """
    from sketchcolor_cli.plugin.discovery import find_extractors

    environment.weight_store().require(find_extractors().weights(method, ()))
    return _ArraySketcher(method, device)


@dataclass(frozen=True)
class _ArraySketcher:
    """Two names, from which any process can load the extractor; that happens at its first picture."""

    method: str
    device: str

    def __call__(self, rgb: Array) -> Array:
        from sketchcolor_cli.imaging.picture import Picture

        return self._drawer.sketch(Picture(rgb)).rgb[..., 0]

    @cached_property
    def _drawer(self) -> Drawer:
        from sketchcolor_cli.extraction.loader import Loader
        from sketchcolor_cli.plugin.discovery import find_extractors

        device, find = devices.resolve(self.device), environment.weight_store().find
        return Loader(find_extractors(), device=device, find_weight=find).load(self.method)
