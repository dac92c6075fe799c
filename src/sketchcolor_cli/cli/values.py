"""Values of options that are just what was typed, for which Typer would import Pydantic as well."""

from __future__ import annotations

import os
from pathlib import Path
from types import NoneType
from typing import Any, get_args


def take_plain(parameter: Any) -> None:
    """Let a parameter of Typer take absent values, texts and readable paths as they are."""
    usual = parameter.process_value
    plain = _plain(parameter)

    def process(context: Any, value: Any) -> Any:
        found, taken = _taken(parameter, plain, value)
        if not found or (parameter.required and parameter.value_is_missing(taken)):
            return usual(context, value)
        return parameter.callback(context, parameter, taken) if parameter.callback else taken

    parameter.process_value = process


def _plain(parameter: Any) -> type | None:
    """Return the type of a parameter's value, or of each of several; None where Typer has to look at it."""
    kind = parameter.type_descriptor.annotation
    while inner := [part for part in get_args(kind) if part is not NoneType]:
        kind = inner[0]
    return kind if kind in (str, Path, bool) else None


def _taken(parameter: Any, kind: type | None, value: Any) -> tuple[bool, Any]:
    """Return whether a value can be taken as it is, and what it is then."""
    if value is None:
        return True, () if parameter.multiple or parameter.nargs == -1 else None
    several = isinstance(value, list | tuple)
    values = value if several else [value]
    if not all(_is_plain(kind, text) for text in values):
        return False, None
    taken = [Path(text) if kind is Path else text for text in values]
    return True, taken if several else taken[0]


def _is_plain(kind: type | None, text: Any) -> bool:
    if kind is str or kind is bool:
        return isinstance(text, kind)
    if kind is not Path or not isinstance(text, str):
        return False
    try:  # Typer refuses what is there and cannot be read
        return os.access(text, os.R_OK) or not os.path.lexists(text)
    except ValueError:  # no name of a file
        return False
