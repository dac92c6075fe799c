"""Commands made of settings: the options of a command are the fields of its request.

    @requested(request=ColorizeRequest, screen=Screen)
    def colorize(request: ColorizeRequest, screen: Screen) -> int:
        '''Colour sketches and manga pages.'''

The command is given one object for each group. A value comes from the command line, else from the
environment, else from the user's config file, else it is the field's default.
"""

from __future__ import annotations

import inspect
import types
from enum import Enum
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sketchcolor_cli import environment
from sketchcolor_cli.cli import completion
from sketchcolor_cli.cli.config import Config, read_config
from sketchcolor_cli.settings import REQUIRED, Leaf, Settings, from_environment, leaves

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping


def requested(**groups: type[Settings]) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Return a decorator that gives a command one object for each of ``groups``.

    Settings with the same name in two groups are one option. The command's own parameters stay as they are.
    """

    def decorate(command: Callable[..., int]) -> Callable[..., int]:
        shown: dict[str, Leaf] = {}
        for kind in groups.values():
            for leaf in leaves(kind):
                if not leaf.about.internal:
                    shown.setdefault(leaf.name, leaf)

        @wraps(command)
        def run(_context: typer.Context, **given: Any) -> int:
            config = read_config(environment.config_file())
            if config.document:  # or every command would have to be imported
                config.check(dict(_commands(_context.find_root().command)))
            typed = {
                name: _value(shown[name], given.pop(name)) for name in shown if given.get(name) is not None
            }
            given = {name: value for name, value in given.items() if name not in shown}
            objects = {
                name: _resolved(kind, typed, command.__name__, config) for name, kind in groups.items()
            }
            return command(**objects, **given)

        parameters = [*map(_parameter, shown.values()), *_own_parameters(command, groups)]
        _sign(run, parameters)
        run.settings = shown  # type: ignore[attr-defined]  # for the reference pages
        return run

    return decorate


def _own_parameters(command: Callable[..., int], groups: Iterable[str]) -> Iterator[inspect.Parameter]:
    """Give the parameters of a command that are none of its groups."""
    hints = inspect.get_annotations(command, eval_str=True)
    for name, parameter in inspect.signature(command).parameters.items():
        if name not in groups:
            yield parameter.replace(kind=parameter.KEYWORD_ONLY, annotation=hints[name])


def _sign(run: Callable[..., int], parameters: Iterable[inspect.Parameter]) -> None:
    """Show Typer the context and these as the parameters of a function."""
    context = inspect.Parameter("_context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
    signature = inspect.Signature([context, *parameters])
    run.__signature__ = signature  # type: ignore[attr-defined]
    run.__annotations__ = {name: parameter.annotation for name, parameter in signature.parameters.items()}


def _commands(command: Any) -> Iterator[tuple[str, tuple[Leaf, ...]]]:
    """Give the name of each command at or below this one, with its settings."""
    for inner in getattr(command, "commands", {}).values():
        yield from _commands(inner)
    if settings := getattr(command.callback, "settings", None):
        yield command.callback.__name__, tuple(settings.values())


def _resolved(kind: type[Settings], typed: Mapping[str, Any], command: str, config: Config) -> Settings:
    """Return the settings of one group.

    Raises:
        UsageError: A value makes no sense; the message names where it was set.
    """
    names = {leaf.name for leaf in leaves(kind)}
    prefixes = (f"SKETCHCOLOR_{command.upper()}", "SKETCHCOLOR")
    variables = from_environment(kind, environment.variables(), prefixes)
    given = {**variables, **{name: value for name, value in typed.items() if name in names}}
    return kind.resolve(given, config.values(kind, command))


def _value(leaf: Leaf, given: Any) -> Any:
    """Return what was typed as the setting's value; what has a form of its own came as text."""
    if _has_own_form(leaf):
        return leaf.read(given)
    if issubclass(leaf.kind, Enum):
        return leaf.accept(given)
    return tuple(given) if isinstance(given, list) else given


def _has_own_form(leaf: Leaf) -> bool:
    """Whether the setting is read from text by its own rule, not by Typer's for the type."""
    return leaf.about.parse is not None or bool(leaf.about.words)


def _parameter(leaf: Leaf) -> inspect.Parameter:
    """Return the option or argument of a setting; its value is None where it is not typed."""
    about = leaf.about
    required = leaf.default is REQUIRED
    if about.positional:
        info = typer.Argument(help=_help(leaf), metavar=_metavar(leaf), show_default=False)
    else:
        info = typer.Option(
            *_names(leaf),
            help=_help(leaf),
            metavar=_metavar(leaf),
            rich_help_panel=leaf.panel,
            show_default=False,
            autocompletion=completion.of(about.complete, leaf.choices),
        )
    # Typer would refuse what is none of the choices without what was probably meant.
    kind: Any = str if _has_own_form(leaf) or issubclass(leaf.kind, Enum) else leaf.kind
    if leaf.many and not _has_own_form(leaf):
        kind = types.GenericAlias(list, (kind,))
    annotation: Any = Annotated[kind if required else kind | None, info]
    default = inspect.Parameter.empty if required else None
    return inspect.Parameter(
        leaf.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )


def _names(leaf: Leaf) -> list[str]:
    """Return the option's names; a switch that files may set can be turned off again."""
    long = leaf.option
    if leaf.kind is bool and leaf.about.stored:
        long += f"/--no-{leaf.key}"
    return [long, leaf.about.short] if leaf.about.short else [long]


def _metavar(leaf: Leaf) -> str | None:
    if leaf.about.metavar or leaf.kind is bool:
        return leaf.about.metavar or None
    if leaf.choices:
        return "|".join(leaf.choices)
    number = {int: "N", float: "X"}.get(leaf.kind)
    return "|".join([*leaf.about.words, *filter(None, [number])]) if leaf.about.words else number


def _help(leaf: Leaf) -> str:
    """Return the sentence of a setting, with what holds when it is not typed."""
    repeats = leaf.many and not _has_own_form(leaf) and not leaf.about.positional
    shown = _shown(leaf)
    return (
        leaf.about.help
        + (" May be given several times." if repeats else "")
        + (f" [default: {shown}]" if shown else "")
    )


def _shown(leaf: Leaf) -> str:
    """Return what help says of the default; nothing where there is none, or it is off."""
    if leaf.about.shown is not None:
        return leaf.about.shown
    if leaf.default in (REQUIRED, None, (), "") or leaf.default is False:
        return ""
    return ", ".join(map(str, leaf.default)) if leaf.many else str(leaf.default)
