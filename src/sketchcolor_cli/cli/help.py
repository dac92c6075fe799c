"""Help that says in plain words what a value is, where Typer shows the types of Python."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

if TYPE_CHECKING:
    from collections.abc import Callable

_WORDS = {int: "N", float: "X", str: "TEXT", Path: "PATH", bool: ""}  # a switch takes no value


class Command(TyperCommand):
    """A command that shows ``PATH`` and ``N`` for the values of its options, and nothing for switches."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the options and arguments."""
        return [_plain(one) for one in super().get_params(ctx)]


class Group(TyperGroup):
    """The same for a group of commands."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the options and arguments."""
        return [_plain(one) for one in super().get_params(ctx)]


class App(typer.Typer):
    """A group of such commands, with the settings of help that all groups share."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(cls=Group, no_args_is_help=True, rich_markup_mode="markdown", **kwargs)

    def command(self, name: str | None = None, **kwargs: Any) -> Callable[[Any], Any]:
        """Return the decorator that registers a command; see :meth:`typer.Typer.command`."""
        return super().command(name, cls=Command, **kwargs)


def _plain(parameter: Any) -> Any:
    if isinstance(parameter, TyperArgument):
        parameter.display_type_rich = _nothing  # type: ignore[assignment, method-assign]  # its name says it
    elif isinstance(parameter, TyperOption) and parameter.metavar is None:
        kind = parameter.type_descriptor.annotation
        parameter.metavar = _WORDS.get((get_args(kind) or (kind,))[0])
    return parameter


def _nothing(**_context: Any) -> str:
    return ""
