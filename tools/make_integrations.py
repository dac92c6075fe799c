"""Pack the plugins of other programs, each with the client: python tools/make_integrations.py FOLDER."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

HOME = Path(__file__).resolve().parents[1] / "integrations"
CLIENT = "sketchcolor_client.py"
PLUGINS = {"krita": "", "gimp": "", "comfyui": "sketchcolor/"}
"""For each program where its files go in the archive, so that all code is in ``sketchcolor/``."""
_DATE = (2026, 1, 1, 0, 0, 0)  # of every member, so that the same files give the same archive


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "dist")
    folder.mkdir(parents=True, exist_ok=True)
    for program in PLUGINS:
        print(pack(program, folder))


def pack(program: str, folder: Path) -> Path:
    """Write the archive of a program's plugin, and return its path."""
    target = folder / f"sketchcolor-{program}.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted((HOME / program).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                _add(archive, PLUGINS[program] + path.relative_to(HOME / program).as_posix(), path)
        for path in (HOME / CLIENT, HOME.parent / "LICENSE"):
            _add(archive, f"sketchcolor/{path.name}", path)
    return target


def _add(archive: zipfile.ZipFile, name: str, path: Path) -> None:
    member = zipfile.ZipInfo(name, _DATE)
    member.external_attr = (0o755 if path.read_bytes()[:2] == b"#!" else 0o644) << 16  # GIMP starts a program
    archive.writestr(member, path.read_bytes(), zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    main()
