"""The settings of colouring, as clients send them; what they may be is said in coloring/settings.py alone."""

from __future__ import annotations

from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any

from sketchcolor_cli.coloring.settings import ColorizeSettings
from sketchcolor_cli.errors import UsageError
from sketchcolor_cli.settings import leaves
from sketchcolor_cli.studio.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sketchcolor_cli.settings import Leaf


@cache
def color_settings() -> Mapping[str, Leaf]:
    """Return the settings that clients may set, by name."""
    return {leaf.name: leaf for leaf in leaves(ColorizeSettings) if not leaf.about.internal}


def checked_colors(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings, by name, that make sense; texts of a form are read as on the command line.

    Raises:
        ProblemError: One is unknown, or does not make sense.
    """
    known = color_settings()
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise ProblemError(422, f"settings: unknown key {unknown[0]}; valid keys: {', '.join(known)}")
    try:
        values = {name: _read(known[name], value) for name, value in given.items()}
        ColorizeSettings.of(**values)
    except UsageError as error:
        raise ProblemError(422, str(error)) from error
    return values


def schema_of(leaf: Leaf) -> dict[str, Any]:
    """Return the JSON schema of a setting."""
    about = leaf.about
    if issubclass(leaf.kind, Enum):
        return {
            "type": "string",
            "enum": [str(choice.value) for choice in leaf.kind],
            "description": about.help,
        }
    kind = {bool: "boolean", int: "integer", float: "number"}.get(leaf.kind, "string")
    bounds = {"minimum": about.least, "maximum": about.most}
    stated = {name: bound for name, bound in bounds.items() if bound is not None}
    return {"type": kind, "description": about.help, **stated}


def _read(leaf: Leaf, value: Any) -> Any:
    return leaf.read(value) if isinstance(value, str) else leaf.accept(value)
