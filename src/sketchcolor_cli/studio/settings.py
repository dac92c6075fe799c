"""What may be chosen of studio and server; the only place where these defaults, bounds and help stand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path  # noqa: TC003  (the fields' types are looked up)

from sketchcolor_cli.jobs.settings import DEFAULT_MODEL, backend_setting, device_setting
from sketchcolor_cli.settings import Settings, argument, part, setting

DOORS = ("convert", "colorize-image-data")
"""Addresses of other programs' own, each closed until it is asked for."""


@dataclass(frozen=True)
class ServerSettings(Settings):
    """Where a server listens, and who may ask."""

    host: str = setting(
        "127.0.0.1",
        "Address to listen on. Any other than 127.0.0.1 lets other computers in, and needs --token.",
    )
    port: int = setting(0, "Port to listen on; 0 takes a free one.", least=0, most=65535)
    token: str | None = setting(
        None,
        "What clients have to name, at least 16 letters and digits; without it, a new one is printed.",
        shown="a new one",
    )
    allow_hosts: tuple[str, ...] = setting(
        (), "Further name by which browsers may call this computer, such as studio.local.", name="allow-host"
    )
    model: str = setting(
        DEFAULT_MODEL, "Colour model, where a project names none: one that `sketchcolor models list` shows."
    )
    device: str = device_setting()
    backend: str = backend_setting()


@dataclass(frozen=True)
class StudioRequest(Settings):
    """What the studio opens, and how it is served."""

    target: Path | None = argument(
        "Folder with pages, a book, or series.toml of a project; without it, earlier projects are listed.",
        default=None,
        metavar="[PAGES|BOOK|PROJECT]",
    )
    browser: bool = setting(True, "Open the studio in the browser; with --no-browser only print its address.")
    server: ServerSettings = part(ServerSettings, "Server")


@dataclass(frozen=True)
class ServeRequest(Settings):
    """What a server without the studio answers, and how it is served."""

    doors: tuple[str, ...] = setting(
        (),
        "Also answer at an address of another program's own: convert for Suwayomi, colorize-image-data for "
        "the extensions of Manga-Colorizer.",
        name="door",
        choices=DOORS,
    )
    server: ServerSettings = part(ServerSettings, "Server")
