"""Where coloured drawings for training come from: a folder of pictures, or WebDataset shards."""

from __future__ import annotations

import json
import tarfile
import zlib
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sketchcolor_cli.errors import DataError
from sketchcolor_cli.training.pairs.pairs import Drawing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray


def read_shards(paths: list[Path], short_side: int) -> Iterator[Drawing]:
    """Yield the drawings of WebDataset shards, decoded once, brought down to at most ``short_side`` pixels.

    A sample is ``KEY.color.EXT``, perhaps ``KEY.line.EXT`` of the same size, and perhaps ``KEY.json`` with
    ``source`` and ``group``. A sample whose coloured picture is missing or damaged is left out.

    Raises:
        DataError: a shard is missing, damaged or no tar file; a sample's parts do not fit together.
    """
    for path in paths:
        for key, parts in _read_samples(path).items():
            drawing = drawing_of(path, key, parts, short_side)
            if drawing is not None:
                yield drawing


def drawing_of(path: Path, key: str, parts: dict[str, bytes], short_side: int) -> Drawing | None:
    """Return the drawing of a sample's files, or None when its coloured picture is missing or damaged.

    Raises:
        DataError: the parts do not fit together; ``path`` is the shard that is named then.
    """
    color = _decoded(parts.get("color"), cv2.IMREAD_COLOR, short_side)
    if color is None:
        return None
    line = _decoded(parts.get("line"), cv2.IMREAD_GRAYSCALE, short_side)
    if line is not None and line.shape != color.shape[:2]:
        raise DataError(f"{path}: the line drawing of {key} has not its picture's size; pack it anew")
    source, group = origin_of(path, key, parts)
    return Drawing(key, cv2.cvtColor(color, cv2.COLOR_BGR2RGB), line, source, group)


def origin_of(path: Path, key: str, parts: dict[str, bytes]) -> tuple[str, str]:
    """Return the source and the group that a sample's JSON names; empty where it names none.

    Raises:
        DataError: it is no JSON object; ``path`` is the shard that is named then.
    """
    try:
        facts = json.loads(parts.get("json", b"{}"))
        return str(facts.get("source") or ""), str(facts.get("group") or "")
    except (ValueError, AttributeError) as error:
        raise DataError(f"{path}: {key}.json is not a JSON object; pack it anew") from error


def _read_samples(path: Path) -> dict[str, dict[str, bytes]]:
    """Return the files of a shard by key, and by what follows its dot; a folder may have dots."""
    samples: dict[str, dict[str, bytes]] = {}
    try:
        with tarfile.open(path) as shard:
            for member in shard:
                folder, slash, name = member.name.rpartition("/")
                key, _, part = name.partition(".")
                file = shard.extractfile(member)
                if file is not None:
                    samples.setdefault(folder + slash + key, {})[part.split(".")[0]] = file.read()
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file; check the name") from error
    except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
        reason = str(error).partition("\n")[0].rstrip(":")  # tarfile goes on about each kind of compression
        raise DataError(f"{path}: cannot be read as a tar shard ({reason}); fetch it again") from error
    return samples


def _decoded(data: bytes | None, flags: int, short_side: int) -> NDArray[np.uint8] | None:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), flags) if data else None
    if image is None:
        return None
    scale = short_side / min(image.shape[:2])
    if scale < 1:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return image  # type: ignore[no-any-return]
