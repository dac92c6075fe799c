"""Write docs/reference.md: every command with its options, read from the commands themselves.

python tools/reference.py            # write it
python tools/reference.py --check    # exit with 1 where the page is stale
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from sketchcolor_cli.cli.app import app

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference.md"

HEAD = """\
# Commands and settings

Made by `python tools/reference.py` from the commands themselves; a test refuses a stale page.

An option marked with ✓ can also be set in a config file or by a variable: see [settings](settings.md).
"""


def main() -> None:
    """Write the page, or check it."""
    page = reference()
    if "--check" not in sys.argv:
        PAGE.write_text(page, encoding="utf-8")
    elif PAGE.read_text(encoding="utf-8") != page:
        sys.exit(f"{PAGE.name} is stale; run: python tools/reference.py")


def reference() -> str:
    """Return the page."""
    return "\n".join([HEAD, *_commands(typer.main.get_command(app), "sketchcolor")])


def _commands(command: Any, name: str) -> Iterator[str]:
    below = getattr(command, "commands", None)
    if below is None:
        yield from _page(command, name)
    for key, one in sorted((below or {}).items()):
        yield from _commands(one, f"{name} {key}")


def _page(command: Any, name: str) -> Iterator[str]:
    yield f"## {name}\n"
    yield f"{_prose(command.help or '')}\n"
    groups: dict[str, list[Any]] = {}
    for one in command.get_params(typer.Context(command)):
        if one.name != "help" and not getattr(one, "hidden", False):
            groups.setdefault(getattr(one, "rich_help_panel", None) or _kind(one), []).append(one)
    settings = getattr(command.callback, "settings", {})
    for title, members in groups.items():
        yield f"**{title}**\n\n| name | in files | meaning |\n|---|---|---|"
        yield from (_row(one, settings) for one in members)
        yield ""


def _kind(parameter: Any) -> str:
    return "Arguments" if parameter.param_type_name == "argument" else "Options"


def _row(parameter: Any, settings: dict[str, Any]) -> str:
    leaf = settings.get(parameter.name)
    stored = leaf is not None and leaf.about.stored and not leaf.about.positional
    names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
    value = f" `{_cell(parameter.metavar)}`" if parameter.metavar and _kind(parameter) == "Options" else ""
    title = f"`{parameter.name.upper()}`" if _kind(parameter) == "Arguments" else names
    return f"| {title}{value} | {'✓' if stored else ''} | {_cell(_prose(parameter.help or ''))} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _prose(text: str) -> str:
    """Return a help text with its paragraphs, each on one line."""
    return "\n\n".join(re.sub(r"\s+", " ", part).strip() for part in re.split(r"\n\s*\n", text))


if __name__ == "__main__":
    main()
