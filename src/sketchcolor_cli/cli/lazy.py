"""A group whose commands are imported when they are asked for; help of the group imports none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module
from typing import Any, ClassVar, NamedTuple

import typer

from sketchcolor_cli.cli.help import App, Group


class Summary(NamedTuple):
    """What help of the group says of a command: the heading that it stands under, and a sentence."""

    panel: str
    text: str


class LazyGroup(Group):
    """A group of the commands in the modules of their names, in this folder.

    A module holds a function of its name, or ``app``, a group.
    """

    summaries: ClassVar[Mapping[str, Summary]] = {}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.commands = _Commands(self.summaries)

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of the commands."""
        return list(self.commands)

    def listed(self, context: Any) -> Iterator[tuple[str, str, str]]:
        """Give each command with its heading and summary."""
        for name in self.list_commands(context):
            yield (name, *self.summaries[name])


class _Commands(MutableMapping[str, Any]):
    """Commands by name, of which each is made when it is first used."""

    def __init__(self, summaries: Mapping[str, Summary]) -> None:
        self._summaries = summaries
        self._made: dict[str, Any] = dict.fromkeys(summaries)

    def __getitem__(self, name: str) -> Any:
        if self._made[name] is None:
            self._made[name] = _command(name)
            self._made[name].rich_help_panel = self._summaries[name].panel
        return self._made[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._made[name] = command

    def __delitem__(self, name: str) -> None:
        del self._made[name]

    def __contains__(self, name: object) -> bool:
        return name in self._made

    def __iter__(self) -> Iterator[str]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)


def _command(name: str) -> Any:
    """Return a command or group as Typer makes it."""
    module = import_module(f"{__package__}.{name}")
    if group := getattr(module, "app", None):
        made = typer.main.get_group(group)
        made.name = name
        return made
    alone = App(add_completion=False)
    alone.command(name)(getattr(module, name))
    return typer.main.get_command(alone)
