"""What a sketch extractor is: the contract that authors of plugins keep."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from sketchcolor_cli.errors import SketchcolorError
from sketchcolor_cli.imaging.sizes import SizeRule
from sketchcolor_cli.plugin.parameters import Parameter, require_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from torch import Tensor

    from sketchcolor_cli.compute.graphs import Network
    from sketchcolor_cli.weights.spec import WeightFile


class Sketcher(Protocol):
    """A loaded extractor, ready to draw.

    It may have a method ``notes``, which takes the same pictures and returns for each of them a mapping of
    plain values: what the summary of the run shall say of how it was drawn.

    A sketcher that works on the CPU without torch may have a method ``draw_array``, which takes and returns
    arrays of the same shapes and gives the same sketches. Pictures then go through it alone, and torch, which
    takes two seconds to be imported, is left out; ``load`` and its modules must not import it either.
    """

    def __call__(self, rgb: Tensor, /) -> Tensor:
        """Turn colour pictures into sketches.

        Args:
            rgb: (N, 3, H, W) float32 on the resources' device, sRGB-encoded, in [0, 1]; N, H and W are at
                least 1, H and W as the extractor's size rule asks. It may lie in memory in any layout, and
                is not changed.

        Returns:
            (N, 1, H, W) float32 on the same device, in [0, 1]: paper 1, ink 0. Row i depends on picture i
            alone, and the same pictures give the same sketches. Nothing is printed, read or written.
        """
        ...


@dataclass(frozen=True)
class Extractor:
    """A sketch extractor, as a plugin declares it.

    Attributes:
        name: What the user calls it by: lower-case letters, digits, "_" and "-".
        summary: One line that says what it is.
        load: Makes the sketcher. This is the place to import torch and to read weights. It raises ValueError
            when the parameters' values make no sense; the user sees its text as one line.
        weights: The trained weights that load may ask the resources for.
        size: What size the sketcher wants; pictures are padded to it and sketches cut back.
        parameters: What the user may set.
        working_size: The longest side, in pixels, of the pictures that it was made for. When the user asks
            for no other size, pictures are scaled to it and sketches scaled back. None: any size is as good,
            and pictures are drawn as they are.
        margin: How far, in pixels, the sketch of a place depends on what is around it. A picture may then be
            drawn in tiles that overlap by as much. None: it depends on the whole picture, which is drawn in
            one piece.
        line_width: The widest coloured stroke, in pixels, that it draws as one line. A picture in broader
            strokes of one width is drawn smaller, so that they are as wide. None: any is as good.
        parts: The names of the extractors that load asks the resources for with the default parameters; what
            they need, this one needs too.
        needs: Given every parameter's value, returns what load will ask the resources for: weights, and names
            of other extractors. It raises ValueError as load does. None: all the weights, and the parts.

    Raises:
        ValueError: A name is not as above, the summary is not one line, two parameters have one name, or a
            number is none of pixels.
    """

    name: str
    summary: str
    load: Callable[[Resources], Sketcher]
    weights: tuple[WeightFile, ...] = ()
    size: SizeRule = field(default_factory=SizeRule)
    parameters: tuple[Parameter, ...] = ()
    working_size: int | None = None
    margin: int | None = None
    line_width: int | None = None
    parts: tuple[str, ...] = ()
    needs: Callable[[Mapping[str, Any]], Iterable[WeightFile | str]] | None = None

    def __post_init__(self) -> None:
        require_name("extractor", self.name)
        if len(self.summary.splitlines()) != 1:
            raise ValueError(f"extractor {self.name}: the summary is one line, not {self.summary!r}")
        for name, count in Counter(parameter.name for parameter in self.parameters).items():
            if count > 1:
                raise ValueError(f"extractor {self.name}: parameter {name} is declared {count} times")
        numbers = {"working_size": 1, "margin": 0, "line_width": 1}
        for what, least in numbers.items():
            value = getattr(self, what)
            if value is not None and (type(value) is not int or value < least):
                raise ValueError(
                    f"extractor {self.name}: {what} is a whole number of at least {least}, not {value!r}"
                )

    def defaults(self) -> dict[str, Any]:
        """Return the value of every parameter when the user sets none."""
        return {parameter.name: parameter.default for parameter in self.parameters}


@dataclass(frozen=True)
class Resources:
    """What an extractor may ask for while it loads.

    Attributes:
        device: Where to work, as torch names it: "cpu", "cuda", "cuda:1", "mps".
        parameters: Every declared parameter's value, of the type that was declared.
        find_weight: Answers weight_path.
        find_extractor: Answers extractor.
        find_graph: Answers graph.
        precision: The number format that a network may compute in, as torch names it: "float32", or where
            the device gains by it and the sketch does not visibly change, "bfloat16" or "float16". Pictures
            and sketches are float32 all the same, and an extractor may leave it unheeded.
    """

    device: str = "cpu"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    find_weight: Callable[[WeightFile], Path] | None = None
    find_extractor: Callable[[str], Sketcher] | None = None
    precision: str = "float32"
    find_graph: Callable[[Path, Path], Network] | None = None

    def graph(self, graph: Path, weights: Path) -> Network | None:
        """Return a network computed by ONNX Runtime; None where torch is to compute it.

        A sketcher of it draws arrays, and need not import torch.

        Args:
            graph: What ``sketchcolor_cli.networks.export.export_graph`` wrote.
            weights: A safetensors file.

        Raises:
            CheckpointError: One of the files is damaged, or they do not fit each other.
        """
        return None if self.find_graph is None else self.find_graph(graph, weights)

    def weight_path(self, file: WeightFile) -> Path:
        """Return where the weights lie on this computer: a safetensors file, whole and verified.

        Raises:
            SketchcolorError: They are not there.
        """
        if self.find_weight is None:
            raise SketchcolorError(f"{file.name}: weight files cannot be looked up here; pass find_weight")
        return self.find_weight(file)

    def extractor(self, name: str) -> Sketcher:
        """Return another extractor's sketcher, with its default parameters; it takes pictures of any size.

        Raises:
            SketchcolorError: There is none of this name, or it does not load.
        """
        if self.find_extractor is None:
            raise SketchcolorError(f"{name}: other extractors cannot be looked up here; pass find_extractor")
        return self.find_extractor(name)
