"""Reading a set for looking at it: a folder, or shards, one picture after the other."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from sketchcolor_cli.errors import DataError, ImageError, WorklistError
from sketchcolor_cli.files import webdataset
from sketchcolor_cli.files.worklist import build_worklist
from sketchcolor_cli.imaging.images import on_paper, read_picture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Item:
    """A picture of a set: key, size in the set, what the set says of it, and what reads it.

    ``read`` gives (H, W, 3) float32 in [0, 1], or raises ImageError.
    """

    key: str
    read: Callable[[], NDArray[np.float32]]
    lines: bool = False
    about: Mapping[str, Any] = field(default_factory=dict)


def items_of(data: str) -> list[Item]:
    """List the pictures of a folder, or of shards such as ``data-{000000..000003}.tar``.

    A folder that was packed here, with shards in it, is taken as those.

    Raises:
        DataError: there is nothing, or a shard is damaged.
    """
    folder = Path(data)
    if folder.is_dir():
        packed = sorted(folder.glob("*.tar"))
        return list(_of_shards(packed)) if packed else list(_of_folder(folder))
    paths = webdataset.expand(data)
    if paths[0].suffix != ".tar":
        raise DataError(f"{data}: neither a folder nor .tar shards; check the name")
    return list(_of_shards(paths))


def _of_folder(folder: Path) -> Iterator[Item]:
    try:
        jobs = build_worklist([folder], folder / ".nowhere")
    except WorklistError as error:
        raise DataError(str(error)) from error
    for job in jobs:
        name = job.source.relative_to(folder)
        about = {"group": name.parent.as_posix()} if len(name.parts) > 1 else {}
        yield Item(name.as_posix(), lambda path=job.source: on_paper(read_picture(path)), about=about)  # type: ignore[misc]


def _of_shards(paths: list[Path]) -> Iterator[Item]:
    empty = True
    for path in paths:
        for key, places in webdataset.directory(path).items():
            if "color" not in places:
                continue
            empty = False
            about: Any = {}
            if "json" in places:
                try:
                    about = json.loads(webdataset.read_parts(path, {"json": places["json"]})["json"])
                except ValueError as error:
                    raise DataError(f"{path}: {key}.json is not JSON; pack it anew") from error
            yield Item(key, _reader(path, key, places["color"]), "line" in places, about)
    if empty:
        raise DataError(f"{paths[0]}: no sample KEY.color.EXT in the {len(paths)} shard(s)")


def _reader(path: Path, key: str, place: webdataset.Place) -> Callable[[], NDArray[np.float32]]:
    def read() -> NDArray[np.float32]:
        data = webdataset.read_parts(path, {"color": place})["color"]
        array = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB) if data else None
        if array is None:
            raise ImageError(f"{key}: cannot be decoded; pack it anew")
        unit: NDArray[np.float32] = array.astype(np.float32) / np.float32(255)
        return unit

    return read


def fitted(rgb: NDArray[np.float32], short_side: int) -> NDArray[np.float32]:
    """Return a picture brought down to a shorter side."""
    scale = short_side / min(rgb.shape[:2])
    if scale >= 1:
        return rgb
    small: NDArray[np.float32] = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return small
