"""Reading what a user names: regular files only, none larger than it should be, parsed without surprises.

A pipe or a device would be waited for, or read, without end.
"""

from __future__ import annotations

import json
import stat
import tomllib
from typing import TYPE_CHECKING, Any

from sketchcolor_cli.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

_MOST_TEXT = 64 * 2**20


def refusal(path: Path) -> str | None:
    """Return what keeps a path from being read as a file, in a few words with a remedy; None if nothing does.

    Raises:
        OSError: there is no such file, or it cannot be looked at.
    """
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        return "is a folder; name a file"
    if not stat.S_ISREG(status.st_mode):
        return "is a pipe or device, not a regular file; save it to a file first"
    return None


def read_bytes(path: Path, most: int = _MOST_TEXT) -> bytes:
    """Return the content of a small file.

    Raises:
        DataError: it is missing, no regular file, unreadable, or larger than ``most`` bytes.
    """
    try:
        if (why := refusal(path)) is not None:
            raise DataError(f"{path}: {why}")
        with path.open("rb") as file:
            data = file.read(most + 1)
    except FileNotFoundError as error:
        raise DataError(f"{path}: cannot be read (no such file); check the name") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check it and its permissions") from error
    if len(data) > most:
        raise DataError(f"{path}: is larger than {most / 2**20:.0f} MiB; name another file")
    return data


def read_document(path: Path, most: int = _MOST_TEXT) -> Any:
    """Return what a JSON file holds, or a TOML file (by its ending), in plain types.

    Raises:
        DataError: as :func:`read_bytes`; or it is not proper JSON or TOML, or nested too deeply.
    """
    return parse_document(read_bytes(path, most), str(path), toml=path.suffix.lower() == ".toml")


def read_table(path: Path) -> dict[str, Any]:
    """Return the settings that a TOML file holds, by key, or a JSON file where it ends in ``.json``.

    Raises:
        DataError: as :func:`read_bytes`; or it is not proper TOML or JSON, or holds something else.
    """
    found = parse_document(read_bytes(path), str(path), toml=path.suffix.lower() != ".json")
    if not isinstance(found, dict):
        raise DataError(f"{path}: holds no settings by name; write them as TOML, such as: seed = 3")
    return found


def parse_document(data: bytes | str, source: str, *, toml: bool = False) -> Any:
    """Return what a JSON or TOML document holds; ``source`` is named in errors.

    Raises:
        DataError: it is not proper JSON or TOML, or nested too deeply.
    """
    kind = "TOML" if toml else "JSON"
    try:
        text = data if isinstance(data, str) else data.decode("utf-8-sig")
        return tomllib.loads(text) if toml else json.loads(text)
    except RecursionError as error:
        raise DataError(f"{source}: is nested too deeply to be read") from error
    # Of both parsers, of bytes that are not UTF-8, and of numbers with too many digits.
    except ValueError as error:
        raise DataError(f"{source}: not valid {kind} ({error})") from error
