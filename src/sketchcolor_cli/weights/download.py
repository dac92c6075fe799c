"""One file over HTTP, whole or to be continued: a download that was cut goes on where it stopped.

What has come so far lies under the file's own name, and beside it a note that says from where, so that bytes
of two different files are never joined unless a checksum would tell. The standard library does the rest:
proxies as the environment or the system names them, redirects, certificates.
"""

from __future__ import annotations

import http.client
import json
import re
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from sketchcolor_cli import __version__
from sketchcolor_cli.errors import NO_ROOM, UnavailableError, WeightError
from sketchcolor_cli.files.atomic import write_error

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sketchcolor_cli.errors import SketchcolorError

_PIECE = 1 << 18
_ENOUGH = 1 << 20  # bytes; an attempt that brought so many is not a failed one


@dataclass(frozen=True)
class DownloadSettings:
    """How patient a download is."""

    timeout: float = 30.0
    """Seconds that a server may be silent, when it is called and later."""
    slowest: float = 5_000.0
    """Bytes per second that must come on average over each stretch of ``timeout`` seconds."""
    tries: int = 4
    """Failed attempts in a row after which a place that answered is given up."""
    pause: float = 1.0
    """Seconds between them."""


class _CutError(Exception):
    """The connection broke; what came so far is kept."""


def download(
    url: str,
    target: Path,
    *,
    size: int | None,
    checked: bool,
    settings: DownloadSettings,
    report: Callable[[int, int | None], None],
) -> None:
    """Bring the file at a URL to ``target``, going on with what is there from before.

    Args:
        url: Where the file is.
        target: Where it goes; its folder exists. What came before an error stays there.
        size: Its size in bytes, where that is known.
        checked: Whether a checksum will be compared, so that what another place gave may be continued.
        settings: How patient to be.
        report: Called with the number of bytes that are there, and of all, where that is known.

    Raises:
        UnavailableError: This place does not give the file.
        WeightError: The disk is full, or cannot be written.
    """
    failed = 0
    while size is None or _length(target) != size:
        before = _length(target)
        try:
            _attempt(url, target, size, checked, settings, report)
        except _CutError as cut:
            failed = 0 if _length(target) - before >= _ENOUGH else failed + 1
            if failed >= settings.tries:
                raise UnavailableError(str(cut)) from cut
            time.sleep(settings.pause)
        else:
            return


def discard(target: Path) -> None:
    """Remove what has come so far."""
    target.unlink(missing_ok=True)
    _note(target).unlink(missing_ok=True)


def _attempt(
    url: str,
    target: Path,
    size: int | None,
    checked: bool,
    settings: DownloadSettings,
    report: Callable[[int, int | None], None],
) -> None:
    have, validator = _continuable(url, target, size, checked)
    headers = {"User-Agent": f"sketchcolor/{__version__}", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    if have and validator:
        headers["If-Range"] = validator
    with _open(url, headers, settings) as answer:
        if have and answer.status == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            discard(target)
            raise _CutError("does not resume downloads")
        have, total = _reach(answer, have)
        if answer.headers.get_content_type() == "text/html":
            raise UnavailableError("answers with a web page instead of the file")
        if size is not None and total not in (None, size):
            raise UnavailableError(f"has another file there, of {total} bytes instead of {size}")
        total = size if total is None else total
        try:
            _write_note(url, target, answer)
            with target.open("ab" if have else "wb") as file:
                _receive(answer, file.write, have, total, settings, report)
        except OSError as error:
            if isinstance(error, TimeoutError | ConnectionError | ssl.SSLError):
                raise _CutError(f"the connection broke ({error})") from error
            raise _not_written(target, error) from error
        except http.client.HTTPException as error:
            raise _CutError("the connection broke") from error
    if total is not None and _length(target) < total:
        raise _CutError(f"the connection broke after {_length(target)} of {total} bytes")


def _open(url: str, headers: dict[str, str], settings: DownloadSettings) -> http.client.HTTPResponse:
    # Not build_opener, which would follow a redirect to FTP too.
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(context=_certificates()),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    try:
        answer = opener.open(urllib.request.Request(url, headers=headers), timeout=settings.timeout)  # noqa: S310  (http and https alone have handlers)
    except urllib.error.HTTPError as error:
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            return error  # type: ignore[return-value]  # it has the same methods
        error.close()
        raise UnavailableError(f"HTTP {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        raise UnavailableError(f"no connection ({_reason(error.reason)})") from error
    except TimeoutError as error:
        raise UnavailableError(f"no answer in {settings.timeout:g} s") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise UnavailableError(f"no connection ({_reason(error)})") from error
    return answer  # type: ignore[no-any-return]


@cache
def _certificates() -> ssl.SSLContext:
    """Return what decides whom to trust: the system's authorities, and Mozilla's where they are installed."""
    context = ssl.create_default_context()
    try:
        import certifi
    except ImportError:
        return context
    context.load_verify_locations(certifi.where())  # some systems' Python knows none
    return context


def _reach(answer: http.client.HTTPResponse, have: int) -> tuple[int, int | None]:
    """Return how much of what is there stays, and the length of the whole file."""
    length = answer.headers.get("Content-Length")
    if answer.status == http.client.PARTIAL_CONTENT:
        reach = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", answer.headers.get("Content-Range", ""))
        if not reach or int(reach[1]) != have:
            raise UnavailableError("does not resume downloads")
        whole = None if reach[2] == "*" else int(reach[2])
        return have, whole
    if answer.status != http.client.OK:
        raise UnavailableError(f"HTTP {answer.status} {answer.reason}")
    return 0, int(length) if length and length.isdecimal() else None


def _receive(
    answer: http.client.HTTPResponse,
    write: Callable[[bytes], object],
    have: int,
    total: int | None,
    settings: DownloadSettings,
    report: Callable[[int, int | None], None],
) -> None:
    since, came = time.monotonic(), 0
    report(have, total)
    while piece := answer.read1(_PIECE):
        write(piece)
        have, came = have + len(piece), came + len(piece)
        report(have, total)
        if total is not None and have > total:
            raise UnavailableError(f"sends more than the {total} bytes that the file has")
        passed = time.monotonic() - since
        if passed >= settings.timeout:
            if came < settings.slowest * passed:
                raise UnavailableError(f"too slow, {came / passed / 1000:.1f} kB/s")
            since, came = time.monotonic(), 0


def _continuable(url: str, target: Path, size: int | None, checked: bool) -> tuple[int, str | None]:
    """Return how many bytes are there to go on from, and what tells this server that its file is the same."""
    have = _length(target)
    try:
        note = json.loads(_note(target).read_bytes())
        same, validator = note["url"] == url, note["validator"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        same, validator = False, None
    if have and (size is None or have < size) and (checked or (same and validator)):
        return have, validator if same else None
    return 0, None


def _write_note(url: str, target: Path, answer: http.client.HTTPResponse) -> None:
    tag = answer.headers.get("ETag", "")
    validator = tag if tag and not tag.startswith("W/") else answer.headers.get("Last-Modified")
    _note(target).write_text(json.dumps({"url": url, "validator": validator}), encoding="utf-8")


def _note(target: Path) -> Path:
    return target.with_name(f"{target.name}.from.json")


def _length(target: Path) -> int:
    try:
        return target.stat().st_size
    except OSError:
        return 0


def _not_written(target: Path, error: OSError) -> SketchcolorError:
    if error.errno in NO_ROOM:
        return WeightError(
            f"{target}: the disk is full; make room there, or choose another folder by SKETCHCOLOR_WEIGHTS, "
            "and run the command again, which goes on where it stopped"
        )
    return write_error(target, error, WeightError)


def _reason(error: object) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {error.verify_message}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return next(iter(str(error).splitlines()), "") or type(error).__name__
