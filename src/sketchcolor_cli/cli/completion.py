"""Completion of values in the shell: names of extractors, models and weights; nothing here loads torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sketchcolor_cli import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def of(list_name: str) -> Callable[[str], list[str]] | None:
    """Return what completes values of a list: methods, models, weights; None where there is no such list."""
    names = _LISTS.get(list_name)
    if names is None:
        return None

    def complete(incomplete: str) -> list[str]:
        return sorted(name for name in names() if name.startswith(incomplete))

    return complete


def _methods() -> Iterable[str]:
    from sketchcolor_cli.plugin.discovery import find_extractors

    return find_extractors().names()


def _models() -> Iterable[str]:
    return environment.model_shelf().names()


def _weights() -> Iterable[str]:
    from sketchcolor_cli.cli.weights import weight_registry
    from sketchcolor_cli.plugin.discovery import find_extractors

    return (one.file.name for one in weight_registry(find_extractors()).all)


_LISTS: dict[str, Callable[[], Iterable[str]]] = {
    "methods": _methods,
    "models": _models,
    "weights": _weights,
}
