"""What a sketch extractor is: the names that plugin authors write, and how a user's parameters reach them."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from sketchcolor_cli.errors import SketchcolorError, UsageError
from sketchcolor_cli.imaging.sizes import SizeRule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from torch import Tensor

    from sketchcolor_cli.weights.spec import WeightFile

_NAME = re.compile(r"[a-z0-9]+([_-][a-z0-9]+)*")
_TRUTH = dict.fromkeys(("true", "yes", "on", "1"), True) | dict.fromkeys(("false", "no", "off", "0"), False)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


# What a parameter's value is, in words, and how it is read; by the type of its default.
_KINDS: dict[type, tuple[str, Callable[[str], Any]]] = {
    bool: ("true or false", lambda text: _TRUTH[text.lower()]),
    int: ("a whole number", int),
    float: ("a number", _finite),
    str: ("text", str),
}


class Sketcher(Protocol):
    """A loaded extractor, ready to draw.

    It may have a method ``notes``, which takes the same pictures and returns for each of them a mapping of
    plain values: what the summary of the run shall say of how it was drawn.
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
class Parameter:
    """A number, switch or text that the user may set with ``--param name=value``.

    Attributes:
        name: Lower-case letters, digits, "_" and "-".
        default: The value when the user gives none. Its type is the parameter's: float, int, bool or str.
        help: One sentence that says what it does, with the unit.

    Raises:
        ValueError: The name or the default's type is not one of these.
    """

    name: str
    default: float | int | bool | str
    help: str

    def __post_init__(self) -> None:
        _require_name("parameter", self.name)
        if type(self.default) not in _KINDS:
            raise ValueError(
                f"parameter {self.name}: the default is a float, int, bool or str, not {self.default!r}"
            )


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
    parts: tuple[str, ...] = ()
    needs: Callable[[Mapping[str, Any]], Iterable[WeightFile | str]] | None = None

    def __post_init__(self) -> None:
        _require_name("extractor", self.name)
        if len(self.summary.splitlines()) != 1:
            raise ValueError(f"extractor {self.name}: the summary is one line, not {self.summary!r}")
        for name, count in Counter(parameter.name for parameter in self.parameters).items():
            if count > 1:
                raise ValueError(f"extractor {self.name}: parameter {name} is declared {count} times")
        for what, value, least in (("working_size", self.working_size, 1), ("margin", self.margin, 0)):
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
        precision: The number format that a network may compute in, as torch names it: "float32", or where
            the device gains by it and the sketch does not visibly change, "bfloat16" or "float16". Pictures
            and sketches are float32 all the same, and an extractor may leave it unheeded.
    """

    device: str = "cpu"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    find_weight: Callable[[WeightFile], Path] | None = None
    find_extractor: Callable[[str], Sketcher] | None = None
    precision: str = "float32"

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


def parse_parameters(extractor: Extractor, settings: Iterable[str]) -> dict[str, Any]:
    """Return the value of every parameter: from the user's ``name=value`` texts, else its default.

    Raises:
        UsageError: A text has not this form, names no parameter or one twice, or has a value of a wrong type.
    """
    declared = {parameter.name: parameter for parameter in extractor.parameters}
    given: dict[str, Any] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise UsageError(f"--param {setting}: write it as name=value")
        if name not in declared:
            known = ", ".join(declared) or "none"
            raise UsageError(
                f"--param {setting}: {extractor.name} has no parameter {name!r}; it has: {known}"
            )
        if name in given:
            raise UsageError(f"--param {setting}: {name} is given twice")
        given[name] = _parse(declared[name], setting, text)
    return extractor.defaults() | given


def _parse(parameter: Parameter, setting: str, text: str) -> Any:
    kind, parse = _KINDS[type(parameter.default)]
    try:
        return parse(text)
    except (KeyError, ValueError) as error:
        example = str(parameter.default).lower()
        raise UsageError(f"--param {setting}: {parameter.name} is {kind}, such as {example}") from error


def _require_name(what: str, name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ValueError(
            f'{what} {name!r}: a name is made of lower-case letters and digits, with "_" or "-" between'
        )
