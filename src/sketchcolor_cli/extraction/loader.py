"""Loading extractors, each with those that it is made of, ready to draw pictures of any size."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sketchcolor_cli.errors import PluginError, UsageError
from sketchcolor_cli.extraction.drawer import Drawer
from sketchcolor_cli.extraction.settings import NATIVE, Sketching
from sketchcolor_cli.plugin.contract import Resources
from sketchcolor_cli.plugin.parameters import parse_parameters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from sketchcolor_cli.plugin.contract import Extractor, Sketcher
    from sketchcolor_cli.plugin.discovery import Extractors
    from sketchcolor_cli.weights.spec import WeightFile


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
    """

    extractors: Extractors
    device: str = "cpu"
    find_weight: Callable[[WeightFile], Path] | None = None
    precision: str = "float32"
    sketching: Sketching = field(default_factory=Sketching)
    tell: Callable[[str], None] = lambda _line: None

    def load(self, name: str, settings: Iterable[str] = ()) -> Drawer:
        """Load an extractor and those that it is made of; ``settings`` are parameters, each ``name=value``.

        Raises:
            PluginError: There is no such extractor, or it is made of itself.
            UsageError: A parameter is unknown or its value makes no sense.
        """
        return self._load(name, settings, ())

    def _load(self, name: str, settings: Iterable[str], within: tuple[str, ...]) -> Drawer:
        if name in within:
            raise PluginError(f"{' → '.join((*within, name))}: an extractor cannot be made of itself")
        extractor = self.extractors.get(name)
        parts: list[Drawer] = []

        def part(other: str) -> Drawer:
            parts.append(self._load(other, (), (*within, name)))
            return parts[-1]

        values = parse_parameters(extractor.name, extractor.parameters, settings)
        sketcher = _sketcher(
            extractor, Resources(self.device, values, self.find_weight, part, self.precision)
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


def _sketcher(extractor: Extractor, resources: Resources) -> Sketcher:
    try:
        return extractor.load(resources)
    except ValueError as error:
        raise UsageError(f"{extractor.name}: {error}") from error
    except SystemExit as error:
        raise PluginError(
            f"{extractor.name}: ends the program (sys.exit) while it loads; tell its authors"
        ) from error
