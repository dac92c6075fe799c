"""The pictures that colour models are measured on: a folder, or WebDataset shards."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from sketchcolor_cli.errors import DataError, ImageError, WorklistError
from sketchcolor_cli.evaluation.fid.pictures import to_bytes
from sketchcolor_cli.files import webdataset
from sketchcolor_cli.files.worklist import build_worklist, natural_key
from sketchcolor_cli.imaging.images import on_paper, read_picture

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Rgb = NDArray[np.float32]
    Plane = NDArray[np.float32]
    Sketch = Callable[[Rgb], Plane]


@dataclass(frozen=True, eq=False)
class Sample:
    """One picture to measure on; values in [0, 1].

    Attributes:
        key: Its name in the data.
        group: Those of one group share characters and colours; empty where nothing is known.
        source: Where the data has it from; empty where nothing is known.
        truth: (H, W, 3).
        sketch: (H, W), paper 1 and ink 0.
        lines: Whose lines these are: ``artist``, ``derived``, ``given`` or ``drawn`` by an extractor.
    """

    key: str
    group: str
    source: str
    truth: Rgb
    sketch: Plane
    lines: str


class Samples:
    """Pictures by number, each decoded when it is asked for.

    ``sketch`` draws the lines of pictures that come without: (H, W, 3) to (H, W). A picture that cannot be
    read raises ImageError.
    """

    def __init__(self, sketch: Sketch, short_side: int) -> None:
        self.sketch, self.short_side = sketch, short_side
        self.keys: list[str] = []
        self.groups: list[str] = []

    def __len__(self) -> int:
        return len(self.keys)

    def load(self, index: int) -> Sample:
        """Return the sample of this number.

        Raises:
            ImageError: it cannot be read.
        """
        raise NotImplementedError

    def digest(self, numbers: Sequence[int]) -> str:
        """Return a checksum of the files of these samples."""
        raise NotImplementedError

    def mates(self) -> list[list[int]]:
        """Return for each sample the numbers of the others of its group."""
        members: dict[str, list[int]] = defaultdict(list)
        for number, group in enumerate(self.groups):
            if group:
                members[group].append(number)
        return [[one for one in members[group] if one != number] for number, group in enumerate(self.groups)]

    def _sample(self, index: int, truth: Rgb, line: Plane | None, source: str, lines: str) -> Sample:
        truth = _fitted(truth, self.short_side)
        if line is None:
            line, lines = self.sketch(truth), "drawn"
        elif line.shape != truth.shape[:2]:
            line = cv2.resize(line, truth.shape[1::-1], interpolation=cv2.INTER_AREA)
        return Sample(self.keys[index], self.groups[index], source, truth, np.ascontiguousarray(line), lines)


class FolderSamples(Samples):
    """Pictures of a folder with all its subfolders; each subfolder is a group.

    ``sketches`` is a folder with a sketch of the same relative name for each.
    """

    def __init__(self, folder: Path, sketches: Path | None, sketch: Sketch, short_side: int) -> None:
        super().__init__(sketch, short_side)
        self.paths = _by_stem(folder)
        lines = _by_stem(sketches) if sketches else {}
        missing = [stem for stem in self.paths if sketches and stem not in lines]
        if missing:
            raise DataError(f"{sketches}: no sketch for {len(missing)} pictures, such as {missing[0]}")
        self.keys = list(self.paths)
        self.groups = [str(Path(key).parent) if "/" in key else "" for key in self.keys]
        self.lines = lines

    def load(self, index: int) -> Sample:
        """See :class:`Samples`."""
        key = self.keys[index]
        truth = on_paper(read_picture(self.paths[key]))
        line = on_paper(read_picture(self.lines[key]))[..., 1] if self.lines else None
        return self._sample(index, truth, line, "", "given")

    def digest(self, numbers: Sequence[int]) -> str:
        """See :class:`Samples`."""
        files = [
            tree[self.keys[number]]
            for number in numbers
            for tree in (self.paths, self.lines)
            if self.keys[number] in tree
        ]
        return _digest(file.read_bytes() for file in files)


class ShardSamples(Samples):
    """Samples ``KEY.color.EXT``, perhaps ``KEY.line.EXT``, and perhaps ``KEY.json`` with group and source."""

    def __init__(self, paths: Sequence[Path], sketch: Sketch, short_side: int) -> None:
        super().__init__(sketch, short_side)
        found = [
            (key, path, parts)
            for path in paths
            for key, parts in webdataset.directory(path).items()
            if "color" in parts
        ]
        if not found:
            raise DataError(f"{paths[0]}: no sample KEY.color.EXT in the {len(paths)} shard(s)")
        found.sort(key=lambda one: natural_key(one[0]))
        self.places = [(path, parts) for _, path, parts in found]
        self.keys = [key for key, _, _ in found]
        self.about = [self._read_about(index) for index in range(len(found))]
        self.groups = [str(about.get("group") or "") for about in self.about]

    def load(self, index: int) -> Sample:
        """See :class:`Samples`."""
        path, places = self.places[index]
        parts = webdataset.read_parts(
            path, {name: places[name] for name in ("color", "line") if name in places}
        )
        truth = self._decoded(index, parts["color"], cv2.IMREAD_COLOR_RGB)
        line = self._decoded(index, parts["line"], cv2.IMREAD_GRAYSCALE) if "line" in parts else None
        about = self.about[index]
        return self._sample(
            index, truth, line, str(about.get("source") or ""), str(about.get("line") or "given")
        )

    def digest(self, numbers: Sequence[int]) -> str:
        """See :class:`Samples`."""
        pieces = (
            data
            for number in numbers
            for name, data in sorted(webdataset.read_parts(*self.places[number]).items())
            if name in ("color", "line")
        )
        return _digest(pieces)

    def _read_about(self, index: int) -> dict[str, Any]:
        path, places = self.places[index]
        if "json" not in places:
            return {}
        try:
            about = json.loads(webdataset.read_parts(path, {"json": places["json"]})["json"])
        except ValueError as error:
            raise DataError(f"{path}: {self.keys[index]}.json is not JSON; pack it anew") from error
        return about if isinstance(about, dict) else {}

    def _decoded(self, index: int, data: bytes, flags: int) -> NDArray[np.float32]:
        array = cv2.imdecode(np.frombuffer(data, np.uint8), flags) if data else None
        if array is None:
            raise ImageError(f"{self.keys[index]}: cannot be decoded; pack it anew")
        unit: NDArray[np.float32] = array.astype(np.float32) / np.float32(255)
        return unit


def open_samples(
    data: str, *, sketch: Sketch, short_side: int, sketches: Path | None = None
) -> FolderSamples | ShardSamples:
    """Open a folder, or shards by a pattern such as ``val-{000000..000003}.tar``.

    Raises:
        DataError: there is nothing of that name, nothing in it, or a shard is damaged.
    """
    if Path(data).is_dir():
        return FolderSamples(Path(data), sketches, sketch, short_side)
    paths = webdataset.expand(data)
    if paths[0].suffix != ".tar":
        raise DataError(f"{data}: neither a folder nor .tar shards; check the name")
    if sketches is not None:
        raise DataError(f"{data}: shards hold their own sketches; leave --sketches out")
    return ShardSamples(paths, sketch, short_side)


def as_file(rgb: Rgb) -> Rgb:
    """Return a picture with its values rounded to the 8 bits that a file would have."""
    return to_bytes(rgb).astype(np.float32) / np.float32(255)


def _by_stem(folder: Path) -> dict[str, Path]:
    try:
        jobs = build_worklist([folder], folder / ".nowhere")
    except WorklistError as error:
        raise DataError(str(error)) from error
    return {job.source.relative_to(folder).with_suffix("").as_posix(): job.source for job in jobs}


def _fitted(rgb: Rgb, short_side: int) -> Rgb:
    scale = short_side / min(rgb.shape[:2])
    if scale >= 1:
        return as_file(rgb)
    return as_file(cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))


def _digest(pieces: Any) -> str:
    total = hashlib.sha256()
    for piece in pieces:
        total.update(hashlib.sha256(piece).digest())
    return total.hexdigest()
