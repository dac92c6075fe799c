"""What a check finds, fit to be put into a bug report."""

from __future__ import annotations

import getpass
import re
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any


class Level(StrEnum):
    """How much a finding matters."""

    OK = "ok"
    MISSING = "missing"
    """Something that can be added, and that most people do without."""
    PROBLEM = "problem"
    """Something does not work, or works badly."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        group: The heading that it stands under.
        name: What was looked at.
        value: What was found.
        level: How much it matters.
        remedy: What to do about it, one line; empty where all is well.
    """

    group: str
    name: str
    value: str
    level: Level = Level.OK
    remedy: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return it in plain types for json.dumps."""
        return asdict(self)

    def without_names(self) -> Finding:
        """Return it without the user's name and without paths above the home folder."""
        return Finding(
            self.group, self.name, without_names(self.value), self.level, without_names(self.remedy)
        )


# The folders of an absolute path; not the slashes of an address or of a path below the home folder.
_FOLDERS = re.compile(r"(?<![\w~:/…\\])(?:[A-Za-z]:\\(?:[^\\\s:]+\\)+|/(?:[^/\s:'\"]+/)+)")


def without_names(text: str) -> str:
    """Return a text fit to be shown to strangers.

    The home folder is ``~``, of paths outside it only the last part is left, and the user's name is ``USER``.
    """
    home = _home()
    if home and home != Path(home).anchor:
        text = text.replace(home, "~")
    text = _FOLDERS.sub("…/", text)
    user = _user()
    return re.sub(rf"(?<!\w){re.escape(user)}(?!\w)", "USER", text) if len(user) > 1 else text


def _home() -> str:
    try:
        return str(Path.home())
    except RuntimeError:  # an account without a home folder, as in containers
        return ""


def _user() -> str:
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):  # an account without a name, as in containers
        return ""
    return "" if user == "root" else user
