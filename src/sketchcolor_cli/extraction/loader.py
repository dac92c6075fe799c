"""Loading extractors, each with those that it is made of, ready to draw pictures of any size."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache as cached
from typing import TYPE_CHECKING, Any

import numpy as np

from sketchcolor_cli.compute import onnx
from sketchcolor_cli.compute.graphs import Network, read_tensors
from sketchcolor_cli.errors import DeviceError, PluginError, UsageError
from sketchcolor_cli.extraction.drawer import Drawer, draws_arrays
from sketchcolor_cli.extraction.settings import NATIVE, Sketching
from sketchcolor_cli.networks.backend import best_time
from sketchcolor_cli.plugin.contract import Resources
from sketchcolor_cli.plugin.parameters import parse_parameters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from sketchcolor_cli.networks.backend import Backends
    from sketchcolor_cli.plugin.contract import Extractor, Sketcher
    from sketchcolor_cli.plugin.discovery import Extractors
    from sketchcolor_cli.weights.spec import WeightFile

_TRIAL = 512  # side of the picture by which a trial is made


@dataclass(frozen=True)
class Loader:
    """What extractors are loaded with.

    Attributes:
        extractors: Where they are found.
        device: Where they shall work, as torch names it.
        find_weight: Returns where a weight file lies.
        precision: The number format that networks may compute in, as torch names it.
        sketching: The size and the number of pictures at once. The size is that of the extractor, or where it
            is made of others, that of each of them.
        tell: Called with an informational message.
        backends: Whether ONNX Runtime may compute, on the processor; None for torch alone.
    """

    extractors: Extractors
    device: str = "cpu"
    find_weight: Callable[[WeightFile], Path] | None = None
    precision: str = "float32"
    sketching: Sketching = field(default_factory=Sketching)
    tell: Callable[[str], None] = lambda _line: None
    backends: Backends | None = None

    def load(self, name: str, settings: Iterable[str] = ()) -> Drawer:
        """Load an extractor and those that it is made of; ``settings`` are parameters, each ``name=value``.

        Raises:
            PluginError: There is no such extractor, or it is made of itself.
            UsageError: A parameter is unknown or its value makes no sense.
            DeviceError: ONNX Runtime is wanted, and it cannot compute this extractor.
        """
        backends = self.backends
        if backends is None or backends.wanted == "torch" or not self._may_have_graph(backends):
            return self._load(name, settings, ())
        graphs: list[Path] = []

        def find(graph: Path, weights: Path) -> Network:
            graphs.append(graph)
            return Network(graph, read_tensors(weights), planned=False)

        drawer = self._load(name, settings, (), find)
        if not graphs:
            if backends.wanted == "onnx" and not draws_arrays(drawer.sketcher):
                raise DeviceError(f"--backend onnx: {name} is computed by torch alone; use --backend torch")
            return drawer
        other = cached(lambda: self._load(name, settings, ()))
        chosen = backends.is_chosen(
            f"{name}-{graphs[0].stem}", lambda: _times(drawer.sketcher, other().sketcher)
        )
        return drawer if chosen else other()

    def _may_have_graph(self, backends: Backends) -> bool:
        """Return whether ONNX Runtime can compute what is asked for.

        Raises:
            DeviceError: It is wanted, and is not there or not for this device.
        """
        backends.refuse_other_than(self.device)
        return self.device == "cpu" and self.precision == "float32" and onnx.is_installed()

    def _load(
        self,
        name: str,
        settings: Iterable[str],
        within: tuple[str, ...],
        find_graph: Callable[[Path, Path], Network] | None = None,
    ) -> Drawer:
        if name in within:
            raise PluginError(f"{' → '.join((*within, name))}: an extractor cannot be made of itself")
        extractor = self.extractors.get(name)
        parts: list[Drawer] = []

        def part(other: str) -> Drawer:
            parts.append(self._load(other, (), (*within, name)))
            return parts[-1]

        values = parse_parameters(extractor.name, extractor.parameters, settings)
        sketcher = _sketcher(
            extractor, Resources(self.device, values, self.find_weight, part, self.precision, find_graph)
        )
        if extractor.working_size and extractor.margin is None and self.sketching.size == NATIVE:
            self.tell(
                f"{name} looks at the whole picture, so large ones are not cut into tiles and take much "
                f"memory; it was made for {extractor.working_size} pixels"
            )
        return Drawer(
            extractor,
            sketcher,
            device=self.device,
            sketching=self.sketching,
            tell=self.tell,
            scales=not parts,
        )


def _times(by_onnx: Any, by_torch: Any) -> dict[str, float]:
    """Return the times of two sketchers for a picture of middling size."""
    import torch

    picture = np.ones((1, 3, _TRIAL, _TRIAL), np.float32)
    with torch.inference_mode():
        exact = best_time(lambda: by_torch(torch.from_numpy(picture)))
    return {"torch": exact, "brief": exact, "onnx": best_time(lambda: by_onnx.draw_array(picture))}


def _sketcher(extractor: Extractor, resources: Resources) -> Sketcher:
    try:
        return extractor.load(resources)
    except ValueError as error:
        raise UsageError(f"{extractor.name}: {error}") from error
    except SystemExit as error:
        raise PluginError(
            f"{extractor.name}: ends the program (sys.exit) while it loads; tell its authors"
        ) from error
