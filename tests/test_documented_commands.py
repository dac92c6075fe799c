"""Every ``sketchcolor …`` line in README, docs and help is parsed against the real options."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer

from sketchcolor_cli.cli.app import app
from sketchcolor_cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "examples/README.md", "plugins/README.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "src").rglob("*.md")),
    ROOT / "Makefile",
]
PROGRAM = typer.main.get_command(app)


def commands(text: str) -> Iterator[str]:
    """Give each command that stands on a line of its own as code; lines that go on are joined."""
    joined = re.sub(r"\\\n\s*", " ", text)
    for line in joined.splitlines():
        if match := re.match(r"(?: {4,}|\t|\$ )(?:\S*/)?(sketchcolor .*)", line):
            yield re.sub(r"\s[#>]\s.*", "", match[1])


def mentions(text: str) -> Iterator[str]:
    """Give each command between backquotes; it may leave out what every reader knows."""
    prose = re.sub(r"\s+", " ", text)
    yield from re.findall(r"`(sketchcolor [a-z][^`]*)`", prose)


def is_synopsis(line: str) -> bool:
    """Whether a line shows what may be given, rather than a command that could be typed."""
    return any(sign in line for sign in ("[", "…", "|", " ..."))


def walk(words: list[str]) -> tuple[Any, list[str], Any]:
    """Return the command that the first words name, the words after them, and its parent's context."""
    command: Any = PROGRAM
    context = command.make_context("sketchcolor", [], resilient_parsing=True)
    while words and hasattr(command, "commands") and not words[0].startswith("-"):
        name = words[0]
        assert name in command.commands, f"there is no command {name}"
        command, words = command.commands[name], words[1:]
        if hasattr(command, "commands"):
            context = command.make_context(name, [], parent=context, resilient_parsing=True)
    return command, words, context


def options_of(command: Any) -> set[str]:
    """Return every spelling of every option of a command."""
    spelt = {"--help", "-h"}
    for parameter in command.params:
        spelt |= {*parameter.opts, *parameter.secondary_opts}
    return spelt


def check(line: str, *, whole: bool = True) -> None:
    """Refuse a line whose command or options are not the real ones, or, where it is ``whole``, its values."""
    words = shlex.split(line.replace("…", ""))[1:]
    command, rest, parent = walk([word for word in words if word])
    typed = {word.strip("[]").partition("=")[0] for word in re.split(r"[\s|]+", " ".join(rest))}
    unknown = {word for word in typed if re.match(r"-{1,2}[a-z]", word)} - options_of(command)
    assert not unknown, f"no such option: {', '.join(sorted(unknown))}"
    if whole and not is_synopsis(line) and not hasattr(command, "commands"):
        given = command.make_context(command.name, rest, parent=parent).params
        for leaf in getattr(command.callback, "settings", {}).values():
            if leaf.choices and given[leaf.name] is not None:
                leaf.check(leaf.accept(given[leaf.name]))


def texts() -> Iterator[tuple[str, str]]:
    """Give the name and text of each page of documentation and of each help page."""
    for page in PAGES:
        yield page.name, page.read_text(encoding="utf-8")
    yield from helps(PROGRAM, "sketchcolor")


def helps(command: Any, name: str) -> Iterator[tuple[str, str]]:
    """Give the help text of a command, of its options, and of the commands below it."""
    # A help page has its examples between backquotes; they are whole.
    options = " ".join(getattr(parameter, "help", None) or "" for parameter in command.params)
    yield f"{name} --help", re.sub(r"Example: `([^`]*)`", r"\n\n    \1\n\n", f"{command.help}\n\n{options}")
    for below, subcommand in getattr(command, "commands", {}).items():
        yield from helps(subcommand, f"{name} {below}")


def found(give: Any) -> list[Any]:
    """Return what ``give`` finds in all texts, as parameters of a test."""
    lines = ((name, line) for name, text in texts() for line in dict.fromkeys(give(text)))
    return [pytest.param(line, id=f"{name}: {line[:60]}") for name, line in lines]


@pytest.mark.parametrize("line", found(commands))
def test_a_documented_command_is_real(line: str) -> None:
    check(line)


@pytest.mark.parametrize("line", found(mentions))
def test_a_mentioned_command_is_real(line: str) -> None:
    check(line, whole=False)


def test_pages_and_help_have_commands() -> None:
    """Nothing is tested where nothing is found."""
    assert len(found(commands)) > 60
    assert len(found(mentions)) > 30


@pytest.mark.parametrize(
    "line",
    [
        "sketchcolor colour pages/ -o out/",
        "sketchcolor colorize pages/ -o out/ --sheets heroine.png",
        "sketchcolor colorize pages/ -o out/ --guess wildly",
        "sketchcolor colorize INPUT… -o DIR [--shets FILE]",
        "sketchcolor train -o run",
        "sketchcolor series start pages/",
    ],
)
def test_a_wrong_command_is_found(line: str) -> None:
    with pytest.raises((AssertionError, typer.BadParameter, UsageError)):
        check(line)
