"""The messages that docs/troubleshooting.md quotes are those of the program."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
QUOTED = re.findall(r'"([^"]+)"', " ".join(re.findall(r"\*\*([^*]+)\*\*", " ".join(PAGE.split()))))
_CHANGES = re.compile(r"\d+|\.\w+|[,()]")  # counts, endings of files, and what is put together


@cache
def said() -> str:
    """Return all texts of the code, one to a line."""
    files = [path for room in ("src", "plugins") for path in (ROOT / room).rglob("*.py")]
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in files]
    nodes = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return "\n".join(node.value for node in nodes if isinstance(node.value, str))


def unknown(message: str) -> list[str]:
    """Return the parts of a message that no text of the code has."""
    parts = [part.strip() for part in _CHANGES.split(message)]
    return [part for part in parts if part and part not in said()]


@pytest.mark.parametrize("message", QUOTED)
def test_a_quoted_message_is_one_of_the_program(message: str) -> None:
    assert unknown(message) == []


def test_the_page_quotes_messages_and_a_wrong_one_is_found() -> None:
    assert len(QUOTED) >= 10
    assert unknown("3 pages were eaten by mice") == ["pages were eaten by mice"]
