"""Where coloured drawings for training come from: a folder of pictures, or WebDataset shards."""

from __future__ import annotations

import json
import re
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sketchcolor_cli.errors import DataError
from sketchcolor_cli.training.pairs import Drawing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_BRACES = re.compile(r"\{(\d+)\.\.(\d+)\}")


def expand_shards(pattern: str) -> list[Path]:
    """Return the files that a shard pattern names: ``train-{000000..000003}.tar`` counts, as WebDataset does."""
    braces = _BRACES.search(pattern)
    if not braces:
        return [Path(pattern)]
    first, last = braces.groups()
    return [
        Path(f"{pattern[: braces.start()]}{number:0{len(first)}d}{pattern[braces.end() :]}")
        for number in range(int(first), int(last) + 1)
    ]


def read_shards(paths: list[Path], short_side: int) -> Iterator[Drawing]:
    """Yield the drawings of WebDataset shards, decoded once, brought down to at most ``short_side`` pixels.

    A sample is ``KEY.color.EXT``, perhaps ``KEY.line.EXT`` of the same size, and ``KEY.json`` with ``source``.

    Raises:
        DataError: a shard is missing or is no tar file.
    """
    for path in paths:
        try:
            with tarfile.open(path) as shard:
                samples: dict[str, dict[str, bytes]] = {}
                for member in shard:
                    key, _, part = member.name.partition(".")
                    file = shard.extractfile(member)
                    if file is not None:
                        samples.setdefault(key, {})[part.split(".")[0]] = file.read()
        except (OSError, tarfile.TarError) as error:
            raise DataError(f"{path}: cannot be read as a tar shard ({error})") from error
        for key, parts in samples.items():
            color = _decoded(parts.get("color"), cv2.IMREAD_COLOR, short_side)
            if color is None:
                continue
            line = _decoded(parts.get("line"), cv2.IMREAD_GRAYSCALE, short_side)
            source = json.loads(parts["json"]).get("source", "") if "json" in parts else ""
            yield Drawing(key, cv2.cvtColor(color, cv2.COLOR_BGR2RGB), line, source)


def _decoded(data: bytes | None, flags: int, short_side: int) -> NDArray[np.uint8] | None:
    image = None if data is None else cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if image is None:
        return None
    scale = short_side / min(image.shape[:2])
    if scale >= 1:
        return image
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
