"""The projects that were opened lately, and where new ones are made."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sketchcolor_cli.errors import ImageError, SketchcolorError
from sketchcolor_cli.files.atomic import write_bytes
from sketchcolor_cli.studio.revisions import identifier

if TYPE_CHECKING:
    from sketchcolor_cli.studio.project import Project

_KEPT = 24  # projects that are listed
_UNSAFE = re.compile(r"[^\w .,()\[\]+-]+")  # in names of folders, on any system
_LONGEST = 60


class Shelf:
    """The projects that were opened lately.

    Args:
        folder: Where the list is kept, and new projects are made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file = folder / "recent.json"

    def recent(self) -> list[dict[str, Any]]:
        """Return the projects, the latest first."""
        found = []
        for entry in self._read():
            folder = Path(entry["folder"])
            # Not Path.is_dir(), which raises for too long a name.
            here = os.path.isdir(folder)  # noqa: PTH112
            found.append({**entry, "id": identifier(str(folder)), "name": folder.name, "here": here})
        return found

    def find(self, project_id: str) -> Path | None:
        """Return the folder of a project by what clients call it."""
        return next((Path(entry["folder"]) for entry in self.recent() if entry["id"] == project_id), None)

    def note(self, project: Project, pages: int) -> None:
        """Put a project on top of the list."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        others = [entry for entry in self._read() if entry["folder"] != str(project.folder)]
        listed = [{"folder": str(project.folder), "pages": pages, "opened": now}, *others][:_KEPT]
        try:
            write_bytes(self._file, json.dumps(listed, indent=1).encode(), ImageError)
        except SketchcolorError:
            return  # a list that cannot be kept must not keep anybody from work

    def make(self, name: str) -> Path:
        """Make the folder of a new project, whose name is made of this one."""
        base = cleaned(name) or "pages"
        for number in range(1, 10_000):
            folder = self.folder / (base if number == 1 else f"{base} {number}")
            try:
                folder.mkdir(parents=True)
            except FileExistsError:
                continue
            return folder
        raise AssertionError("there are ten thousand projects of this name")

    def _read(self) -> list[dict[str, Any]]:
        try:
            listed = json.loads(self._file.read_bytes())
            return [
                entry for entry in listed if os.fsencode(entry["folder"])
            ]  # raises for what is not a name
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return []


def cleaned(name: str) -> str:
    """Return what of a name may name a file or folder on any system; empty if nothing may."""
    return " ".join(_UNSAFE.sub(" ", name).split())[:_LONGEST].strip(" .")
