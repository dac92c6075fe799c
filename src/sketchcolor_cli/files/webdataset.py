"""WebDataset shards: uncompressed tar files of samples, whose parts ``KEY.PART.EXT`` stand side by side."""

from __future__ import annotations

import io
import re
import tarfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from sketchcolor_cli.errors import DataError
from sketchcolor_cli.files.regular import refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

Place = tuple[int, int]
"""Where in its shard a file is: offset and length in bytes."""

_BRACES = re.compile(r"\{(\d{1,18})\.\.(\d{1,18})\}")
_MOST_SHARDS = 1_000_000  # that a pattern may name


def expand(pattern: str) -> list[Path]:
    """Return the files that a pattern names: ``train-{000000..000003}.tar`` counts, as in WebDataset.

    Raises:
        DataError: It names more than anyone has.
    """
    braces = _BRACES.search(pattern)
    if not braces:
        return [Path(pattern)]
    first, last = braces.groups()
    count = int(last) - int(first) + 1
    if count > _MOST_SHARDS:
        raise DataError(f"{pattern}: names {count} shards, more than {_MOST_SHARDS}; name fewer")
    return [
        Path(f"{pattern[: braces.start()]}{number:0{len(first)}d}{pattern[braces.end() :]}")
        for number in range(int(first), int(last) + 1)
    ]


def directory(path: Path) -> dict[str, dict[str, Place]]:
    """Return where the files of a shard are, by key and by what follows its dot; a folder may have dots.

    Raises:
        DataError: the shard is missing, damaged, cut off, or no uncompressed tar file.
    """
    samples: dict[str, dict[str, Place]] = {}
    try:
        if (why := refusal(path)) is not None:
            raise DataError(f"{path}: {why}")
        length = path.stat().st_size
        with tarfile.open(path, "r:") as shard:
            for member in shard:
                if not member.isfile():
                    continue
                if member.offset_data + member.size > length:
                    raise EOFError(f"cut off within {member.name}")  # noqa: TRY301
                folder, slash, name = member.name.rpartition("/")
                key, _, part = name.partition(".")
                place = (member.offset_data, member.size)
                samples.setdefault(folder + slash + key, {})[part.split(".")[0]] = place
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file; check the name") from error
    except (OSError, EOFError, ValueError, OverflowError, tarfile.TarError, zlib.error) as error:
        reason = str(error).partition("\n")[0].rstrip(":")
        raise DataError(f"{path}: cannot be read as a tar shard ({reason}); fetch it again") from error
    return samples


def read_parts(path: Path, places: Mapping[str, Place]) -> dict[str, bytes]:
    """Return the bytes of a sample's files."""
    parts = {}
    with path.open("rb") as file:
        for part, (offset, length) in places.items():
            file.seek(offset)
            parts[part] = file.read(length)
    return parts


def append_sample(shard: tarfile.TarFile, key: str, files: Mapping[str, bytes]) -> None:
    """Add a sample to an open shard; names are ``KEY.NAME``, and nothing depends on the time or the user."""
    for name, data in files.items():
        info = tarfile.TarInfo(f"{key}.{name}")
        info.size = len(data)
        shard.addfile(info, io.BytesIO(data))
