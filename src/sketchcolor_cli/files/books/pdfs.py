"""PDF: pages are rendered at the resolution of their scan, and written back as one picture each.

Rendering is PDFium's, in a process of its own for each open book, which is ended when it takes too long.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import weakref
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn

from sketchcolor_cli.errors import BookError, SlowBookError
from sketchcolor_cli.files.books.book import Book, Entry
from sketchcolor_cli.files.books.pdf_writer import LARGEST_PAGE
from sketchcolor_cli.files.books.settings import PAGE_TIMEOUT, PdfSettings

if TYPE_CHECKING:
    from sketchcolor_cli.files.books.pdf_writer import Bookmark
    from sketchcolor_cli.files.books.settings import BookLimits

_SOURCES = str(Path(__file__).parents[3])
_PROGRAM = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from sketchcolor_cli.files.books.pdf_worker import serve; serve()"
)


class PdfBook(Book):
    """A PDF file; each page is a picture named by its number."""

    def __init__(
        self,
        path: Path,
        limits: BookLimits,
        settings: PdfSettings | None = None,
        timeout: float = PAGE_TIMEOUT,
    ) -> None:
        """Count the pages.

        Args:
            path: The file.
            limits: What it may ask of us.
            settings: How its pages become pictures.
            timeout: Seconds that a page may take.

        Raises:
            BookError: the file is damaged, encrypted, or refused for its limits.
        """
        self._settings = settings or PdfSettings()
        self._worker = _Worker(path, timeout)
        self.path = path
        try:
            count = self._worker.facts("count")
            digits = max(3, len(str(count)))
            # No picture format that is compressed: it is read again at once.
            entries = [Entry(n, f"page {n + 1:0{digits}}.tif", 0, is_page=True) for n in range(count)]
            super().__init__(path, entries, limits)
        except BaseException:
            self._worker.end()
            raise

    def open(self, entry: Entry) -> BinaryIO:
        """Return the rendered page as a TIFF file."""
        how = self._settings
        asked = {"dpi": how.dpi, "vector_dpi": how.vector_dpi, "max_pixels": how.max_pixels}
        return BytesIO(self._worker.page(entry, {"place": entry.place, **asked}))

    def sizes(self) -> list[tuple[float, float]]:
        """Return width and height of each page in points, as it is seen."""
        return [_size(*size) for size in self._worker.facts("sizes")]

    def title_page(self) -> dict[str, str]:
        """Return the document's title, author and so on, as far as it has them."""
        facts: dict[str, str] = self._worker.facts("title")
        return facts

    def bookmarks(self) -> list[Bookmark]:
        """Return the outline: level (from 0), title, number of the page (from 0)."""
        return [(level, title, page) for level, title, page in self._worker.facts("bookmarks")]

    def cancel(self) -> None:
        """End what is being rendered."""
        self._worker.end()

    def close(self) -> None:
        """End the process."""
        self._worker.end()


class _Worker:
    """The process that reads one PDF; it is started when something is asked, and again after its end."""

    def __init__(self, path: Path, timeout: float) -> None:
        self._path = path
        self._timeout = timeout
        self._asking = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def facts(self, what: str) -> Any:
        """Return the answer to a question about the whole document.

        Raises:
            BookError: It cannot be read, or takes too long.
        """
        return json.loads(self._answer(str(self._path), {"what": what}))

    def page(self, entry: Entry, how: dict[str, int]) -> bytes:
        """Return a rendered page as a TIFF file.

        Raises:
            BookError: It cannot be rendered.
            SlowBookError: It takes too long.
        """
        return self._answer(f"{self._path}/{entry.name}", {"what": "page", "how": how})

    def end(self) -> None:
        """End the process; whoever waits for an answer hears of it."""
        if self._process is not None:
            _ended(self._process)

    def _answer(self, name: str, asked: dict[str, Any]) -> bytes:
        with self._asking:
            process = self._running()
            assert process.stdin is not None  # noqa: S101  (both are pipes)
            assert process.stdout is not None  # noqa: S101
            late = threading.Event()
            watch = threading.Timer(self._timeout, _stopped, (process, late))
            watch.daemon = True
            watch.start()
            try:
                process.stdin.write(json.dumps({"path": str(self._path), **asked}).encode() + b"\n")
                process.stdin.flush()
                letter, length = process.stdout.read(1), process.stdout.read(8)
                content = process.stdout.read(int.from_bytes(length, "big"))
            except (OSError, ValueError):  # it ended, or its pipes were closed with it
                letter = b""
            finally:
                watch.cancel()
            if not letter or len(content) < int.from_bytes(length, "big"):
                self.end()
                if late.is_set():
                    raise SlowBookError(
                        f"{name}: takes longer than {self._timeout:g} s to read; save it as a picture, "
                        "or allow more with --page-timeout"
                    )
                raise BookError(f"{name}: reading it was ended, or ran out of memory; try it again")
        if letter == b"R":
            raise BookError(f"{name}: {content.decode()}")
        if letter == b"E":
            self._refuse(content.decode())
        return content

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            command = [sys.executable, "-P", "-c", _PROGRAM, _SOURCES]
            pipe = subprocess.PIPE
            self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe)  # noqa: S603 - our own program
            weakref.finalize(self, _ended, self._process)
        return self._process

    def _refuse(self, why: str) -> NoReturn:
        if "password" in why.lower():
            raise BookError(f"{self._path}: is encrypted; save it without its password, or as pictures")
        raise BookError(f"{self._path}: is not a PDF, or damaged ({why}); get it again")


def _stopped(process: subprocess.Popen[bytes], late: threading.Event) -> None:
    late.set()
    process.kill()


def _ended(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        with suppress(OSError, ValueError):
            if pipe is not None:
                pipe.close()


def _size(width: float, height: float) -> tuple[float, float]:
    """Bring a page's size, which may be absurd, between one point and the largest that viewers show."""
    width, height = (min(max(side, 1.0), LARGEST_PAGE) for side in (width, height))
    return width, height
