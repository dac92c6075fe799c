"""What is asked of the process that computes, in plain values: how pages are coloured, and what is on one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sketchcolor_cli.coloring.settings import ColoredPages, ColorizeSettings, Guess, Protect
from sketchcolor_cli.errors import ImageError
from sketchcolor_cli.studio.turns import LIVE, Wish

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class Look:
    """How pages are coloured, in plain values, as the server says it.

    Attributes:
        model: A model file.
        settings: Fields of ColorizeSettings.
        sheets: Files of character sheets.
        palette: (K, 3) RGB in [0, 1], or empty.
        device, backend: As the user said it.
    """

    model: str
    settings: tuple[tuple[str, Any], ...] = ()
    sheets: tuple[str, ...] = ()
    palette: tuple[tuple[float, float, float], ...] = ()
    device: str = "cpu"
    backend: str = "auto"

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Look:
        """Read one that came as JSON."""
        return cls(
            str(document["model"]),
            tuple(sorted(document.get("settings", {}).items())),
            tuple(document.get("sheets", ())),
            tuple((r, g, b) for r, g, b in document.get("palette", ())),
            str(document.get("device", "cpu")),
            str(document.get("backend", "auto")),
        )

    def chosen(self, **changes: Any) -> ColorizeSettings:
        """Return the settings."""
        given: dict[str, Any] = dict(self.settings) | changes
        kinds: dict[str, Any] = {"protect": Protect, "colored_pages": ColoredPages, "guess": Guess}
        values: dict[str, Any] = {name: kinds.get(name, _same)(value) for name, value in given.items()}
        return replace(ColorizeSettings(), **values)


@dataclass(frozen=True)
class PageFiles:
    """The files of a page.

    Attributes:
        path: The page.
        rough, mask: A rough colouring and a mask painted over it, or None.
    """

    path: Path
    rough: Path | None = None
    mask: Path | None = None

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> PageFiles:
        """Read one that came as JSON."""
        rough, mask = (Path(document[name]) if document.get(name) else None for name in ("rough", "mask"))
        return cls(Path(document["path"]), rough, mask)


@dataclass(frozen=True)
class PaintRequest:
    """What is asked for a page while it is painted on.

    Attributes:
        page: Its files.
        look: How it is coloured.
        marks: What was painted, as JSON has it.
        width: Of the pictures, in pixels, at most.
        wish: What may be taken back.
        seed: The page's own.
        urgency: How urgent it is.
    """

    page: PageFiles
    look: Look
    marks: Sequence[Any]
    width: int
    wish: Wish = field(default_factory=Wish)
    seed: int | None = None
    urgency: int = LIVE


def stamp(path: Path) -> tuple[str, int, int]:
    """Return what changes when a file does.

    Raises:
        ImageError: It cannot be looked at.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise ImageError(f"{path}: cannot be read ({error.strerror}); check the name") from error
    return str(path), status.st_mtime_ns, status.st_size


def _same(value: Any) -> Any:
    return value
