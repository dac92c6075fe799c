"""Help in plain words, an example before the options, that can be read on any screen."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import typer
from rich.console import Console
from rich.text import Text
from typer.core import TyperArgument, TyperCommand, TyperGroup

from sketchcolor_cli.cli.console import NARROW
from sketchcolor_cli.cli.values import take_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_WORDS = {int: "N", float: "X", str: "TEXT", Path: "PATH", bool: ""}  # a switch takes no value
_WIDEST = 100  # characters; longer lines are hard to read
_NAMES = 26  # characters of the column of names


class _Plain:
    """A command whose help shows no Python types."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help at once, as Typer's own does."""
        _show(self, ctx)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read what was typed."""
        for parameter in self.get_params(ctx):  # type: ignore[attr-defined]
            take_plain(parameter)
        return super().parse_args(ctx, args)  # type: ignore[misc,no-any-return]

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return what follows the command's name in the line that says how to call it."""
        arguments = [parameter for parameter in self.get_params(ctx) if isinstance(parameter, TyperArgument)]  # type: ignore[attr-defined]
        names = [
            value_name(argument) if argument.required else f"[{value_name(argument)}]"
            for argument in arguments
        ]
        return ["[OPTIONS]", *names, *(["COMMAND ..."] if isinstance(self, TyperGroup) else [])]


class Command(_Plain, TyperCommand):
    """A command with such help."""


class Group(_Plain, TyperGroup):
    """A group of commands with such help."""

    def listed(self, context: Any) -> Iterator[tuple[str, str, str]]:
        """Give each command with its heading and summary."""
        for name in self.list_commands(context):
            below: Any = self.get_command(context, name)
            title = getattr(below, "rich_help_panel", None) or "Commands"
            yield name, title, _paragraphs(below.help or "")[0]


class App(typer.Typer):
    """Makes such groups, and such commands in them."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"cls": Group, "no_args_is_help": True, **kwargs})

    def command(self, name: str | None = None, **kwargs: Any) -> Callable[[Any], Any]:
        """Return the decorator that registers a command; see :meth:`typer.Typer.command`."""
        return super().command(name, cls=Command, **kwargs)


def value_name(parameter: Any) -> str:
    """Return what stands for a parameter's value: ``PATH``, ``N``; nothing for a switch."""
    if isinstance(parameter, TyperArgument):
        name = parameter.metavar or (parameter.name or "").upper()
        return f"{name}..." if parameter.nargs != 1 and not name.endswith("...") else name
    if parameter.metavar is not None:
        return str(parameter.metavar)
    kind = parameter.type_descriptor.annotation
    return _WORDS.get((get_args(kind) or (kind,))[0], "TEXT")


def _show(command: Any, context: Any) -> None:
    console = Console(highlight=False, emoji=False, markup=False)
    console.width = min(console.width, _WIDEST)
    console.print(Text(command.get_usage(context)))
    for paragraph in _paragraphs(command.help or ""):
        console.print()
        for line in _lines(_styled(paragraph), console, console.width):
            console.print(line)
    panels = _panels(command, context)
    lengths = [len(name) for items in panels.values() for name, _ in items if len(name) <= _NAMES]
    indent = max(lengths, default=0) + 4 if console.width >= NARROW else 6
    for title, items in panels.items():
        console.print()
        console.print(Text(title, style="bold yellow"))
        for name, summary in items:
            _print_item(console, name, summary, indent)


def _paragraphs(text: str) -> list[str]:
    """Return the paragraphs of a help text, each on one line; the example follows the first."""
    plain = [re.sub(r"\s+", " ", part).strip() for part in re.split(r"\n\s*\n", text)]
    first, *others = plain
    return [first, *sorted(others, key=lambda part: not part.startswith("Example"))]


def _panels(command: Any, context: Any) -> dict[str, list[tuple[Text, Text]]]:
    """Return titles with what stands under each: arguments, commands, options, and groups of options."""
    panels: dict[str, list[tuple[Text, Text]]] = {"Arguments": []}
    if isinstance(command, Group):
        for name, title, summary in command.listed(context):
            panels.setdefault(title, []).append((Text(name, style="bold cyan"), _styled(summary)))
    panels["Options"] = []
    for parameter in command.get_params(context):
        if not getattr(parameter, "hidden", False):
            kind = "Arguments" if isinstance(parameter, TyperArgument) else "Options"
            title = getattr(parameter, "rich_help_panel", None) or kind
            panels.setdefault(title, []).append((_names(parameter), _about(parameter)))
    return {title: items for title, items in panels.items() if items}


def _names(parameter: Any) -> Text:
    """Return the names of an option, short ones first, with what stands for its value."""
    if isinstance(parameter, TyperArgument):
        return Text(value_name(parameter), style="bold cyan")
    long = max(parameter.opts, key=len)
    names = [name for name in parameter.opts if name != long]
    if parameter.secondary_opts == [f"--no-{long[2:]}"]:
        names.append(f"--[no-]{long[2:]}")
    else:
        names += [long, *parameter.secondary_opts]
    value = value_name(parameter)
    return Text.assemble((", ".join(names), "bold cyan"), (f" {value}" if value else "", "green"))


def _about(parameter: Any) -> Text:
    required = Text(" [required]", style="red") if parameter.required else Text()
    return _styled(parameter.help or "") + required


def _print_item(console: Console, name: Text, summary: Text, indent: int) -> None:
    """Print a name, and beside it what it is about; a name that is too long has a line of its own."""
    lines = _lines(summary, console, console.width - indent)
    if len(name) + 4 <= indent:
        console.print(Text.assemble("  ", name, " " * (indent - 2 - len(name)), lines.pop(0)))
    else:
        console.print(Text.assemble("  ", name))
    for line in lines:
        console.print(Text.assemble(" " * indent, line))


def _lines(text: Text, console: Console, width: int) -> list[Text]:
    lines = list(text.wrap(console, width))
    for line in lines:
        line.rstrip()
    return lines


def _styled(text: str) -> Text:
    """Return text in which what stands between backticks is bold, without them."""
    parts: Iterable[tuple[int, str]] = enumerate(text.split("`"))
    return Text.assemble(*((part, "bold") if number % 2 else part for number, part in parts))
