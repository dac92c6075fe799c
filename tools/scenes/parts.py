"""Figures and things of other pictures, cut out of their white ground."""

from __future__ import annotations

import re
import tomllib
from collections import OrderedDict
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from sketchcolor_cli.data.shards import ShardSet
from sketchcolor_cli.errors import DataError, ImageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    Plane = NDArray[np.float32]

TABLE: dict[str, Any] = tomllib.loads((Path(__file__).parent / "parts.toml").read_text(encoding="utf-8"))
"""What pictures are parts of scenes, from parts.toml."""

_PAPER, _INK = 226, 140  # colours lighter than the one, and lines darker than the other, are no way through
_KEPT = 1200  # parts that are kept as they were cut out, about 250 MB; heads come again often
_MIN_AREA, _MOST_AT_EDGE = 0.02, 0.12


@dataclass(frozen=True)
class Part:
    """A thing without its ground.

    Attributes:
        key: Of its picture in the shards.
        about: What the shards say of it.
        color: (h, w, 3) RGB.
        line: (h, w), paper 255.
        mask: (h, w), 255 inside its outline.
        stands: Whether it has feet, a keel or a foot; False where it is cut off below, as a bust is.
        line_width: Of its lines, in its pixels.
    """

    key: str
    about: Mapping[str, Any]
    color: NDArray[np.uint8]
    line: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    stands: bool
    line_width: float

    @property
    def aspect(self) -> float:
        """Width by height."""
        return float(self.mask.shape[1] / self.mask.shape[0])

    def scaled(
        self, size: tuple[int, int], *, mirror: bool, least: float = 0
    ) -> tuple[Plane, Plane, Plane, Plane]:
        """Return paint times coverage, ink times coverage, ink around it in [0, 1], and coverage in [0, 1].

        Lines that would be finer than ``least`` pixels are made darker, as a finer pen is no paler.
        """
        shrinks = size[0] < self.mask.shape[1]
        way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        drawn = cv2.min(self.color, cv2.merge([self.line] * 3))
        planes = (
            cv2.bitwise_and(drawn, drawn, mask=self.mask),
            cv2.bitwise_and(self.line, self.line, mask=self.mask),
            cv2.bitwise_or(self.line, self.mask),
            self.mask,
        )
        paint, inside, outside, mask = (
            np.asarray(cv2.resize(plane, size, interpolation=way), np.float32) for plane in planes
        )
        gain = min(2.0, least / (self.line_width * size[0] / self.mask.shape[1]))
        if gain > 1:
            inside = np.maximum(mask - gain * (mask - inside), 0)
            outside = np.maximum(255 - gain * (255 - outside), 0)
            paint = np.minimum(paint, inside[..., None])
        found = paint, inside, outside / 255, mask / 255
        return tuple(plane[:, ::-1] for plane in found) if mirror else found  # type: ignore[return-value]


class Library:
    """The parts in shards, by kind. A part is read when it is drawn."""

    def __init__(self, shards: Sequence[Path], left_out: Iterable[str]) -> None:
        """Sort what the shards hold; pictures of the sources ``left_out`` are not used.

        Raises:
            DataError: a shard is held out, cannot be read, or none has a part.
        """
        for path in shards:
            if path.name.startswith("val"):
                raise DataError(f"{path}: is held out to measure on; leave it out")
        self._set = ShardSet(shards)
        self._unfit: set[int] = set()
        self._recent: OrderedDict[int, Part] = OrderedDict()
        self.kinds: dict[str, list[int]] = {}
        left_out = set(left_out)
        for index, key in enumerate(self._set.keys):
            source = self._set.source(index)
            if source in left_out or not self._set.has_line(index):
                continue
            for kind in kinds_of(source, key):
                self.kinds.setdefault(kind, []).append(index)
        if not self.kinds:
            raise DataError(f"{shards[0]}: no picture of the {len(shards)} shard(s) is a part of scenes")

    def draw(self, rng: Generator, kinds: Sequence[str]) -> Part | None:
        """Return a part of one of the kinds by chance, each kind as likely; None where there is none."""
        there = [kind for kind in kinds if kind in self.kinds]
        for _ in range(6 if there else 0):
            among = self.kinds[there[int(rng.integers(len(there)))]]
            part = self._part(among[int(rng.integers(len(among)))])
            if part is not None:
                return part
        return None

    def _part(self, index: int) -> Part | None:
        if index in self._unfit:
            return None
        if index in self._recent:
            self._recent.move_to_end(index)
            return self._recent[index]
        try:
            about = self._set.about(index)
            color, line = self._set.color(index), self._set.line(index)
        except ImageError:
            line = None
        if line is None or "GPL" in str(about.get("licence")) or line.shape != color.shape[:2]:
            part = None
        else:
            alone = any(
                fnmatchcase(name_of(about["source"], self._set.keys[index]), p) for p in TABLE["alone"]
            )
            part = cut_out(self._set.keys[index], about, color, line, alone=alone)
        if part is None:
            self._unfit.add(index)
            return None
        self._recent[index] = part
        if len(self._recent) > _KEPT:
            self._recent.popitem(last=False)
        return part


def name_of(source: str, key: str) -> str:
    """Return what a picture shows, as its key tells it: without source, code points and numbers."""
    name = key.removeprefix(source.replace("_", "-") + "-")
    name = re.sub(r"^(\d{4}-|mulb-|fluent-)+", "", name)
    name = re.sub(r"^(?:[0-9a-f]{4,5}-)(?:(?:[0-9a-f]{4,5}|200d|fe0f)-)*", "", name)
    return re.sub(r"(-colour|-c|-\d{1,2}[a-z]?)+$", "", name)


def kinds_of(source: str, key: str) -> list[str]:
    """Return the kinds of part that a picture is, none where it does not belong into scenes."""
    name = name_of(source, key)
    if source not in TABLE["sources"]:
        return []
    known = [*TABLE["by-source"].get(source, {}).items(), *TABLE["by-name"].items()]
    if source in TABLE["yellow"] and not re.search(r"-1f3f[b-f]|tone", key):
        known = [(kind, patterns) for kind, patterns in known if kind not in TABLE["skin"]]
    never = TABLE["never"]
    if source in TABLE["yellow"]:
        never = [*never, *TABLE["bare"], *TABLE["heads"]]
    if any(fnmatchcase(name, p) for p in never):
        return []
    found = [kind for kind, patterns in known if any(fnmatchcase(name, p) for p in patterns)]
    return list(dict.fromkeys(found))


def cut_out(
    key: str,
    about: Mapping[str, Any],
    color: NDArray[np.uint8],
    line: NDArray[np.uint8],
    *,
    alone: bool = False,
) -> Part | None:
    """Cut a thing out of its white ground; None where it stands on none, or is too small.

    The ground is what can be reached from the edge through white, so whites inside its lines stay.

    Args:
        key: Of the picture.
        about: What is known of it.
        color: (h, w, 3) RGB.
        line: (h, w).
        alone: Whether smaller things beside the largest are dropped.
    """
    red, green, blue = cv2.split(color)
    way = ((cv2.min(cv2.min(red, green), blue) >= _PAPER) & (line > _INK)).astype(np.uint8)
    padded = cv2.copyMakeBorder(way, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1)
    cv2.floodFill(padded, None, (0, 0), 2)
    thing = (padded[1:-1, 1:-1] != 2).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(thing)
    if count < 2:
        return None
    areas = stats[1:, cv2.CC_STAT_AREA]
    keep = areas == areas.max() if alone else areas >= 0.04 * areas.max()
    thing = np.concatenate([[0], keep]).astype(np.uint8)[labels]
    edges = thing[:, 0].mean(), thing[:, -1].mean(), thing[0].mean()
    if thing.mean() < _MIN_AREA or max(edges) > _MOST_AT_EDGE:
        return None
    x, y, width, height = cv2.boundingRect(thing)
    window = np.s_[y : y + height, x : x + width]
    foot = thing[y + height - max(2, height // 30) : y + height, x : x + width].max(0).mean()
    near = cv2.dilate(thing, np.ones((5, 5), np.uint8))[window]
    # The outer half of an outline is a mix with the white ground; the line drawing has it clean.
    mask = cv2.erode(thing, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_REPLICATE)[window]
    lines = np.where(near > 0, line[window], 255).astype(np.uint8)
    ink = (lines < 128).astype(np.uint8)
    if not ink.any():
        return None
    return Part(
        key=key,
        about=about,
        color=np.ascontiguousarray(color[window]),
        line=lines,
        mask=mask * np.uint8(255),
        stands=bool(foot < 0.6 and thing[-1].mean() < _MOST_AT_EDGE),
        line_width=_line_width(ink),
    )


def _line_width(ink: NDArray[np.uint8]) -> float:
    """Return the usual width of lines (h, w), ink 1; along their middles, so solid black counts little."""
    depth = cv2.distanceTransform(ink, cv2.DIST_L2, 3)
    middle = (depth >= cv2.dilate(depth, np.ones((3, 3), np.uint8))) & (ink > 0)
    return max(1.0, 2 * float(np.median(depth[middle])) - 1)
