"""Write docs/reference.md and the manual page: every command with its options, read from the commands.

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
from sketchcolor_cli.cli.help import value_name

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).resolve().parents[1] / "docs"

HEAD = """\
# Commands and settings

Made by `python tools/reference.py` from the commands themselves; a test refuses a stale page.

An option marked with ✓ can also be set in a config file or by a variable: see [settings](settings.md).
"""


def main() -> None:
    """Write the pages, or check them."""
    pages = {DOCS / "reference.md": reference(), DOCS / "sketchcolor.1": manual()}
    for path, page in pages.items():
        if "--check" not in sys.argv:
            path.write_text(page, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != page:
            sys.exit(f"{path.name} is stale; run: python tools/reference.py")


def reference() -> str:
    """Return the page of the docs."""
    return "\n".join([HEAD, *_commands(typer.main.get_command(app), "sketchcolor")])


def manual() -> str:
    """Return the page for ``man``, in the language of roff."""
    program = typer.main.get_command(app)
    summary = _prose(program.help or "").partition("\n")[0]
    lines = [
        '.TH SKETCHCOLOR 1 "" "sketchcolor"',
        ".SH NAME",
        _roff(f"sketchcolor - {summary[0].lower()}{summary[1:].rstrip('.')}"),
        ".SH SYNOPSIS",
        ".B sketchcolor",
        "COMMAND [OPTIONS] [ARGUMENTS]",
        *_manual_of(program, "sketchcolor"),
        ".SH EXIT STATUS",
        "0 all done, 1 something failed (it is named), 2 the command makes no sense, 130 after Ctrl\\-C.",
    ]
    return "\n".join([*lines, ""])


def _manual_of(command: Any, name: str) -> Iterator[str]:
    below = getattr(command, "commands", None)
    if below is not None:
        for key, inner in sorted(below.items()):
            yield from _manual_of(inner, f"{name} {key}")
        return
    yield f'.SH "{_roff(name)}"'
    yield "\n.PP\n".join(map(_roff, _prose(command.help or "").split("\n\n")))
    for parameter in _shown(command):
        yield ".TP"
        yield f".B {_roff(_title(parameter, ''))}"
        yield _roff(_prose(parameter.help or ""))


def _roff(text: str) -> str:
    """Return text as roff shows it: in ASCII, hyphens kept, none of its commands where a line begins."""
    plain = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "")
    plain = re.sub(r"^(?=[.'])", r"\\&", plain, flags=re.MULTILINE)
    return re.sub(r"[^\x00-\x7f]", lambda found: f"\\[u{ord(found[0]):04X}]", plain)


def _commands(command: Any, name: str) -> Iterator[str]:
    below = getattr(command, "commands", None)
    if below is None:
        yield from _page(command, name)
    for key, inner in sorted((below or {}).items()):
        yield from _commands(inner, f"{name} {key}")


def _page(command: Any, name: str) -> Iterator[str]:
    yield f"## {name}\n"
    yield f"{_prose(command.help or '')}\n"
    groups: dict[str, list[Any]] = {}
    for parameter in _shown(command):
        groups.setdefault(getattr(parameter, "rich_help_panel", None) or _kind(parameter), []).append(
            parameter
        )
    settings = getattr(command.callback, "settings", {})
    for title, members in groups.items():
        yield f"**{title}**\n\n| name | in files | meaning |\n|---|---|---|"
        yield from (_row(parameter, settings) for parameter in members)
        yield ""


def _kind(parameter: Any) -> str:
    return "Arguments" if parameter.param_type_name == "argument" else "Options"


def _shown(command: Any) -> Iterator[Any]:
    """Give the arguments and options of a command that its help shows."""
    for parameter in command.get_params(typer.Context(command)):
        if parameter.name != "help" and not getattr(parameter, "hidden", False):
            yield parameter


def _row(parameter: Any, settings: dict[str, Any]) -> str:
    leaf = settings.get(parameter.name)
    stored = leaf is not None and leaf.about.stored and not leaf.about.positional
    mark = "✓" if stored else ""
    return f"| {_cell(_title(parameter, '`'))} | {mark} | {_cell(_prose(parameter.help or ''))} |"


def _title(parameter: Any, quote: str) -> str:
    """Return the names of an option with what stands for its value, or the name of an argument."""
    value = value_name(parameter)
    if _kind(parameter) == "Arguments":
        return f"{quote}{value}{quote}"
    names = ", ".join(f"{quote}{name}{quote}" for name in (*parameter.opts, *parameter.secondary_opts))
    return f"{names} {quote}{value}{quote}" if value else names


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _prose(text: str) -> str:
    """Return a help text with its paragraphs, each on one line."""
    return "\n\n".join(re.sub(r"\s+", " ", part).strip() for part in re.split(r"\n\s*\n", text))


if __name__ == "__main__":
    main()
