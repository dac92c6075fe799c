"""Completion of values in the shell: names of extractors, models and weights; nothing here loads torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sketchcolor_cli import environment
from sketchcolor_cli.files.folders import PALETTE_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


def of(list_name: str, choices: Sequence[str] = ()) -> Callable[[str], list[str]] | None:
    """Return what completes values: choices, or a list of methods, models, palettes or weights.

    None where there is no such list.
    """
    if list_name == "palettes":
        return _palettes
    names = (lambda: choices) if choices else _LISTS.get(list_name)
    if names is None:
        return None

    def complete(incomplete: str) -> list[str]:
        return sorted(name for name in names() if name.startswith(incomplete))

    return complete


def _palettes(incomplete: str) -> list[str]:
    """Return the palettes and folders whose paths begin so."""
    folder, _, begun = incomplete.rpartition("/")
    above = f"{folder}/" if "/" in incomplete else ""
    try:
        files = list(Path(above or ".").iterdir())
    except OSError:
        return []
    found = [path for path in files if path.is_dir() or path.suffix.lower() in PALETTE_SUFFIXES]
    return sorted(f"{above}{path.name}{'/' * path.is_dir()}" for path in found if path.name.startswith(begun))


def _methods() -> Iterable[str]:
    from sketchcolor_cli.plugin.discovery import find_extractors

    return find_extractors().names()


def _models() -> Iterable[str]:
    return environment.model_shelf().names()


def _weights() -> Iterable[str]:
    from sketchcolor_cli.plugin.discovery import find_extractors

    return (weights.file.name for weights in find_extractors().registry().all)


_LISTS: dict[str, Callable[[], Iterable[str]]] = {
    "methods": _methods,
    "models": _models,
    "weights": _weights,
}
