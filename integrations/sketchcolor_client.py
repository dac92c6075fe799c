"""A client of ``sketchcolor serve`` for plugins of other programs; it needs Python 3.8 and nothing else.

    with Server.chosen() as server:                 # or Server("http://127.0.0.1:8765", token)
        colored = server.colorize(page_png, hints=hints_png, seed=5)

Pictures go out and come back as the bytes of PNG files.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

_PATIENCE = 600  # seconds for one picture, on a slow computer
_BEGINNING = 120  # seconds until the server has loaded its libraries
_GIVEN_BACK = 2**28  # bytes of an answer


class SketchcolorError(Exception):
    """What went wrong, in a sentence for the user."""


class Server:
    """A running ``sketchcolor serve``."""

    def __init__(self, address: str, token: str, process: subprocess.Popen | None = None) -> None:
        """Name a server.

        Args:
            address: Such as ``http://127.0.0.1:8765``.
            token: What it asks for.
            process: Its process, if it is ours to end.

        Raises:
            SketchcolorError: The address is not one of HTTP.
        """
        if not re.match(r"https?://[^/\s]+/?\Z", address):
            raise SketchcolorError(f"{address!r} is not an address such as http://127.0.0.1:8765")
        self.address = address.rstrip("/")
        self._token = token
        self._process = process

    @classmethod
    def chosen(cls) -> Server:
        """Return the server that the user's environment names, or one that is started here.

        SKETCHCOLOR_SERVER and SKETCHCOLOR_TOKEN name a running one, SKETCHCOLOR_COMMAND what is started.

        Raises:
            SketchcolorError: As for the class, or for :meth:`start`.
        """
        address = os.environ.get("SKETCHCOLOR_SERVER")
        if address:
            return cls(address, os.environ.get("SKETCHCOLOR_TOKEN", ""))
        return cls.start(_words(os.environ.get("SKETCHCOLOR_COMMAND", "sketchcolor")))

    @classmethod
    def start(cls, command: Sequence[str] = ("sketchcolor",), patience: float = _BEGINNING) -> Server:
        """Start a server on this computer, which ends with :meth:`close`.

        Args:
            command: What is typed for sketchcolor: its path, say.
            patience: Seconds to wait until it answers.

        Raises:
            SketchcolorError: There is no such command, or it does not begin to serve.
        """
        flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)  # no console window on Windows
        try:
            process = subprocess.Popen(
                [*command, "serve", "--port", "0"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                creationflags=flags,
                env=_clean_environment(),
            )
        except OSError as error:
            why = f"{command[0]} cannot be started ({error.strerror})"
            raise SketchcolorError(
                f"{why}; install sketchcolor, or set SKETCHCOLOR_COMMAND to its path"
            ) from error
        lines: list[str] = []
        reader = threading.Thread(target=_read_start, args=(process, lines), daemon=True)
        reader.start()
        reader.join(patience)
        if len(lines) < 2:
            process.kill()
            process.wait()
            reader.join()
            why = lines[0] if lines else "it says nothing"
            raise SketchcolorError(f"sketchcolor serve does not begin: {why}")
        return cls(lines[0], lines[1], process)

    @property
    def ended(self) -> bool:
        """Whether it was started here and has ended by itself."""
        return self._process is not None and self._process.poll() is not None

    def close(self) -> None:
        """End the server, if it was started here."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Server:
        """Return itself; it is closed at the end."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def colorize(
        self,
        image: bytes,
        *,
        hints: bytes | Sequence[bytes] = (),
        reference: bytes | Sequence[bytes] = (),
        sheet: bytes | Sequence[bytes] = (),
        mask: bytes | Sequence[bytes] = (),
        points: bytes | Sequence[bytes] = (),
        **settings: Any,
    ) -> bytes:
        """Return a page coloured.

        Args:
            image: The page.
            hints: Strokes or dots on a transparent layer of the page's size.
            reference: A rough colouring of the page.
            sheet: Other drawings in the right colours.
            mask: White stays paper, black is coloured.
            points: JSON or TOML with points and strokes.
            settings: Those of ``sketchcolor colorize``: seed, guess, protect, saturation …

        Raises:
            SketchcolorError: The server refuses or cannot be reached; its own sentence says why.
        """
        files = {"hints": hints, "reference": reference, "sheet": sheet, "mask": mask, "points": points}
        return self._send("colorize", {"image": image, **files}, {"settings": json.dumps(settings)})

    def flats(
        self,
        image: bytes,
        *,
        hints: bytes | Sequence[bytes] = (),
        sheet: bytes | Sequence[bytes] = (),
        **settings: Any,
    ) -> bytes:
        """Return a page's flat colours, without its ink; see :meth:`colorize`."""
        files = {"image": image, "hints": hints, "sheet": sheet}
        return self._send("flats", files, {"settings": json.dumps(settings)})

    def extract(self, image: bytes, *, method: str = "linework") -> bytes:
        """Return the sketch of a coloured drawing; see :meth:`colorize`."""
        return self._send("extract", {"image": image}, {"method": method})

    def extractors(self) -> list[str]:
        """Return the names of the methods of ``extract``."""
        return [
            extractor["name"] for extractor in json.loads(self._asked("/api/v1/extractors"))["extractors"]
        ]

    def _send(self, place: str, files: dict[str, bytes | Sequence[bytes]], fields: dict[str, str]) -> bytes:
        kind, body = _form(files, fields)
        return self._asked(f"/api/v1/{place}", body, {"Content-Type": kind, "Accept": "image/png"})

    def _asked(self, place: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> bytes:
        request = urllib.request.Request(self.address + place, data=body, headers=headers or {})
        request.add_header("Authorization", f"Bearer {self._token}")
        # Never through a proxy: what is asked for is this computer or one that the user named.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=_PATIENCE) as answer:
                return answer.read(_GIVEN_BACK)
        except urllib.error.HTTPError as error:
            with error:
                raise SketchcolorError(_sentence(error)) from error
        except (OSError, ValueError) as error:
            raise SketchcolorError(f"{self.address} cannot be reached ({error}); is it running?") from error


def _words(command: str) -> list[str]:
    """Return a command as words; the path of a file is one, whatever spaces and backslashes it has."""
    if Path(command).is_file():
        return [command]
    return [word.strip('"') for word in shlex.split(command, posix=os.name != "nt")]


def _read_start(process: subprocess.Popen, found: list[str]) -> None:
    """Take the address and the token from what the server prints; or else its error."""
    address = process.stdout.readline().decode("utf-8", "replace").strip()
    token = process.stdout.readline().decode("utf-8", "replace").strip()
    if address.startswith("http") and token.startswith("token: "):
        found += [address, token[len("token: ") :]]
        for stream in (process.stdout, process.stderr):  # or the server waits once the pipe is full
            threading.Thread(target=_drain, args=(stream,), daemon=True).start()
        return
    with process.stdout, process.stderr:
        lines = process.stderr.read().decode("utf-8", "replace").strip().splitlines()
    found.append(lines[-1] if lines else f"it ended with code {process.wait()}")


def _drain(stream: Any) -> None:
    with stream:
        while stream.read(65536):
            pass


def _clean_environment() -> dict[str, str]:
    """Return the environment without what the host program set for its own Python and libraries."""
    own = ("PYTHONHOME", "PYTHONPATH", "LD_LIBRARY_PATH", "QT_PLUGIN_PATH")
    kept = {name: value for name, value in os.environ.items() if name not in own}
    return {**kept, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}


def _form(files: dict[str, bytes | Sequence[bytes]], fields: dict[str, str]) -> tuple[str, bytes]:
    """Return the content type and the bytes of a form (RFC 7578)."""
    boundary = f"sketchcolor{os.urandom(12).hex()}"
    parts: list[bytes] = []
    for name, value in fields.items():
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
        parts += [head.encode(), value.encode(), b"\r\n"]
    for name, given in files.items():
        for content in [given] if isinstance(given, bytes) else given:
            ending = "png" if content[:4] == b"\x89PNG" else "json" if name == "points" else "bin"
            head = (
                f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; '
                f'filename="{name}.{ending}"\r\nContent-Type: application/octet-stream\r\n\r\n'
            )
            parts += [head.encode(), content, b"\r\n"]
    parts.append(f"--{boundary}--\r\n".encode())
    return f"multipart/form-data; boundary={boundary}", b"".join(parts)


def _sentence(error: urllib.error.HTTPError) -> str:
    """Return what a server's problem says (RFC 9457), or at least its status."""
    try:
        return str(json.loads(error.read(65536))["detail"])
    except (ValueError, KeyError, TypeError, OSError):
        return f"the server answers {error.code} {error.reason}"
