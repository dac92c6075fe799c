"""The user's config file: settings for all commands at its top, those of one in a table of its name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sketchcolor_cli.errors import DataError, UsageError
from sketchcolor_cli.files.regular import read_table
from sketchcolor_cli.settings import from_table, leaves, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sketchcolor_cli.settings import Leaf, Settings


@dataclass(frozen=True)
class Config:
    """What a config file says; nothing where there is none.

    Attributes:
        path: The file, where relative paths begin.
        document: What it holds.
    """

    path: Path
    document: Mapping[str, Any]

    def check(self, commands: Mapping[str, tuple[Leaf, ...]]) -> None:
        """Refuse keys at the top that no command has, and tables that belong to no command.

        Args:
            commands: The settings of each command, by its name.

        Raises:
            UsageError: There is one.
        """
        keys = {key for known in commands.values() for key in _keys(known)}
        for name, value in self.document.items():
            if name in commands and not isinstance(value, dict):
                raise UsageError(f"{self.path}: {name} must be a table of settings, as in [{name}]")
            if name not in commands and name.replace("_", "-") not in keys:
                near = nearest(name, {*commands, *keys})
                raise UsageError(
                    f"{self.path}: unknown key {name}{near or '; no command has such an option'}"
                )

    def values(self, kind: type[Settings], command: str) -> dict[str, Any]:
        """Return what the file sets of these settings for a command, by name.

        Raises:
            UsageError: It sets something unknown, or to something that makes no sense.
        """
        keys = _keys(leaves(kind))
        shared = {key: value for key, value in self.document.items() if key.replace("_", "-") in keys}
        tables = shared, self.document.get(command, {})
        try:
            for_all, own = (from_table(kind, table, self.path.parent) for table in tables)
        except UsageError as error:
            raise UsageError(f"{self.path}: {error}") from error
        return {**for_all, **own}


def read_config(path: Path) -> Config:
    """Read a config file.

    Raises:
        UsageError: It cannot be read.
    """
    if not path.exists():
        return Config(path, {})
    try:
        return Config(path, read_table(path))
    except DataError as error:
        raise UsageError(f"{error}; correct or delete it") from error


def _keys(known: tuple[Leaf, ...]) -> set[str]:
    return {key for leaf in known if leaf.about.stored for key in (leaf.key, leaf.field)}
