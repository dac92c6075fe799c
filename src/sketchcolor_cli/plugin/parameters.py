"""What users may set of an extractor with ``--param name=value``, and how it reaches the extractor."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sketchcolor_cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

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
        require_name("parameter", self.name)
        if type(self.default) not in _KINDS:
            raise ValueError(
                f"parameter {self.name}: the default is a float, int, bool or str, not {self.default!r}"
            )


def parse_parameters(
    extractor: str, parameters: Sequence[Parameter], settings: Iterable[str]
) -> dict[str, Any]:
    """Return the value of every parameter: from the user's ``name=value`` texts, else its default.

    Args:
        extractor: The name of the extractor.
        parameters: What it declares.
        settings: What the user typed.

    Raises:
        UsageError: A text has not this form, names no parameter or one twice, or has a value of a wrong type.
    """
    declared = {parameter.name: parameter for parameter in parameters}
    given: dict[str, Any] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise UsageError(f"--param {setting}: write it as name=value")
        if name not in declared:
            known = ", ".join(declared) or "none"
            raise UsageError(f"--param {setting}: {extractor} has no parameter {name!r}; it has: {known}")
        if name in given:
            raise UsageError(f"--param {setting}: {name} is given twice")
        given[name] = _parse(declared[name], setting, text)
    return {parameter.name: parameter.default for parameter in parameters} | given


def _parse(parameter: Parameter, setting: str, text: str) -> Any:
    kind, parse = _KINDS[type(parameter.default)]
    try:
        return parse(text)
    except (KeyError, ValueError) as error:
        example = str(parameter.default).lower()
        raise UsageError(f"--param {setting}: {parameter.name} is {kind}, such as {example}") from error


def require_name(what: str, name: str) -> None:
    """Refuse a name that has not the form of names.

    Raises:
        ValueError: It has not.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(
            f'{what} {name!r}: a name is made of lower-case letters and digits, with "_" or "-" between'
        )
