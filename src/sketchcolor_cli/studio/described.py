"""What may be chosen, described for clients: the page builds its panels of this, and repeats no default."""

from __future__ import annotations

import importlib.util
from enum import Enum
from typing import TYPE_CHECKING, Any

from sketchcolor_cli.jobs.requests import ColorizeRequest
from sketchcolor_cli.settings import leaves
from sketchcolor_cli.studio.colors import color_settings
from sketchcolor_cli.studio.job_queue import CHOICES, SWITCHES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sketchcolor_cli.settings import Leaf

_ORDER = ("seed", "guess", "protect", "colored_pages", "saturation", "work_size")
_NEEDS = {"psd": "psd_tools"}  # what a choice cannot do without
_HELP = {
    "book": "Bind all pages into one book.",
    "points": "Also write what was painted, for the command line.",
    "again": "Do pages again that were done with the same settings.",
}


def project_settings(models: Iterable[str]) -> list[dict[str, Any]]:
    """Return the settings of a project, in the order to show.

    Each has ``name``, ``kind`` (float, int, bool, text or choice), ``choices``, ``nullable``, ``least``,
    ``most``, ``default`` and ``help``.
    """
    known = _known()
    shown = [known[name] for name in _ORDER]
    rest = [known[name] for name in color_settings() if name not in {*_ORDER, "palette_strength"}]
    palette = _choice("palette", ["swatches"], None, known["palette"].about.help, nullable=True)
    model = _choice("model", list(models), known["model"].default, known["model"].about.help)
    return [model, *map(_described, [*shown, *rest]), palette, _described(known["palette_strength"])]


def export_settings() -> list[dict[str, Any]]:
    """Return the settings of a job over pages, as :func:`project_settings` does."""
    known = _known()
    found = []
    for name, choices in CHOICES.items():
        here = [
            choice for choice in choices if choice not in _NEEDS or importlib.util.find_spec(_NEEDS[choice])
        ]
        found.append(_choice(name, here, choices[0], _help(name, known)))
        if name == "format":
            found.append(_described(known["quality"]))
    switches = (
        {"name": switch, "kind": "bool", "default": False, "help": _help(switch, known)}
        for switch in SWITCHES
    )
    return [*found, *switches]


def _known() -> dict[str, Leaf]:
    return {leaf.name: leaf for leaf in leaves(ColorizeRequest)}


def _help(name: str, known: dict[str, Leaf]) -> str:
    return _HELP[name] if name in _HELP else known[name].about.help


def _choice(
    name: str, choices: list[str], default: Any, help_: str, *, nullable: bool = False
) -> dict[str, Any]:
    field = {"name": name, "kind": "choice", "choices": choices, "nullable": nullable, "default": default}
    return field | {"help": help_}


def _described(leaf: Leaf) -> dict[str, Any]:
    if issubclass(leaf.kind, Enum):
        return _choice(
            leaf.name, [str(choice.value) for choice in leaf.kind], str(leaf.default), leaf.about.help
        )
    kind = {bool: "bool", int: "int", float: "float"}.get(leaf.kind, "text")
    bounds = {"least": leaf.about.least, "most": leaf.about.most}
    field = {"name": leaf.name, "kind": kind, "nullable": leaf.default is None, "default": leaf.default}
    return field | {"help": leaf.about.help, **bounds}
