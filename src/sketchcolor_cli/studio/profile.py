"""Changing single values of a series.toml; comments and all else stay as the user wrote them."""

from __future__ import annotations

import json
import re
import tomllib
from typing import TYPE_CHECKING, Any

from sketchcolor_cli.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

_TABLE = re.compile(r"\s*\[")
_COMMENT = re.compile(r"\s+#[^\"'\]}]*$")  # behind a value that takes one line


def with_values(text: str, values: Mapping[str, Any]) -> str:
    """Return a TOML document with these values at its top; a value of None takes the key away.

    Values are texts, numbers, booleans, lists of texts, or tables of numbers.

    Raises:
        DataError: The document is not proper TOML.
    """
    for key, value in values.items():
        text = _with_value(text, key, value)
    return text


def _with_value(text: str, key: str, value: Any) -> str:
    lines = text.splitlines()
    top = next((number for number, line in enumerate(lines) if _TABLE.match(line)), len(lines))
    starts = re.compile(rf"\s*{re.escape(key)}\s*=")
    first = next((number for number in range(top) if starts.match(lines[number])), None)
    new = [] if value is None else [f"{key} = {_written(value)}"]
    if first is None:
        if top < len(lines) and new:
            new.append("")
        lines[top:top] = new
    else:
        last = _end_of(lines, first)
        if new and last == first + 1 and (comment := _COMMENT.search(lines[first])):
            new[0] += comment[0]
        lines[first:last] = new
    return "\n".join([*lines, ""])


def _end_of(lines: list[str], first: int) -> int:
    """Return the line after a value that begins in line ``first``; a list may take several."""
    for last in range(first + 1, len(lines) + 1):
        try:
            tomllib.loads("\n".join(lines[first:last]))
        except (tomllib.TOMLDecodeError, RecursionError):
            continue
        return last
    raise DataError(f"{lines[first]}: not valid TOML; correct it")


def _written(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_written(item) for item in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_written(str(name))} = {_written(item)}' for name, item in value.items())}}}"
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
