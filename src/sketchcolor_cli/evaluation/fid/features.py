"""From pictures to the statistics of their features, without keeping the features of many."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from sketchcolor_cli.compute.ahead import map_ahead
from sketchcolor_cli.data.pictures import to_bytes
from sketchcolor_cli.errors import BookError, DataError, ImageError
from sketchcolor_cli.evaluation.fid.network import SIDE, open_network
from sketchcolor_cli.evaluation.fid.pictures import decode
from sketchcolor_cli.evaluation.fid.statistics import NETWORK, Statistics
from sketchcolor_cli.evaluation.settings import ENOUGH, FidSettings, Resize
from sketchcolor_cli.metrics.sets import RunningMoments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from sketchcolor_cli.evaluation.fid.network import FeatureNetwork
    from sketchcolor_cli.evaluation.fid.pictures import Entry
    from sketchcolor_cli.networks.backend import Backends

    Array = NDArray[np.float32]

_READERS = 2  # threads that decode and resize while the network works


@dataclass(frozen=True)
class Measured:
    """Statistics, and the pictures that could not be read: name, and why."""

    statistics: Statistics
    unreadable: list[tuple[str, str]] = field(default_factory=list)


class FidFeatures:
    """The features of one picture that FID is defined on, as the network of a file gives them.

    Attributes:
        name: What the features are called.
    """

    def __init__(
        self,
        path: Path,
        settings: FidSettings | None = None,
        device: str = "cpu",
        backends: Backends | None = None,
    ) -> None:
        """Open the network; see :func:`network.open_network`."""
        self.settings = settings or FidSettings()
        self.network = open_network(path, self.settings.dims, device, backends, threads=0)
        self.name = f"{NETWORK}, {self.settings.dims} numbers, {self.settings.mode} resizing"

    def __call__(self, rgb: Array) -> Array:
        """Return the features (D,) of a picture (H, W, 3) in [0, 1], rounded to the 8 bits of a file."""
        features: Array = self.network(prepare(to_bytes(rgb), self.settings.mode)[None])[0]
        return features


def prepare(rgb: NDArray[np.uint8], mode: Resize) -> Array:
    """Return (3, 299, 299) in [−1, 1] of (H, W, 3).

    ``pytorch`` resizes bilinearly without antialiasing, as pytorch-fid does; ``clean`` as clean-fid does:
    bicubic with antialiasing by Pillow, each channel in float, clipped, and scaled by (x − 128)/128.
    """
    if mode is Resize.CLEAN:
        planes = [
            np.asarray(Image.fromarray(plane).resize((SIDE, SIDE), Image.Resampling.BICUBIC), np.float32)
            for plane in np.moveaxis(rgb, 2, 0).astype(np.float32)
        ]
        clean = np.stack(planes).clip(0, 255)
        clean -= 128
        clean /= 128
        return clean
    return np.ascontiguousarray(2 * _bilinear(rgb).transpose(2, 0, 1) - 1)


def _bilinear(rgb: NDArray[np.uint8]) -> Array:
    """Return (299, 299, 3) in [0, 1], each value between four pixels, as torch's ``interpolate``."""
    (upper, lower, down), (left, right, across) = map(_neighbours, rgb.shape[:2])
    rows = rgb[upper].astype(np.float32)
    rows += (rgb[lower] - rows) * down[:, None, None]
    rows /= 255
    small: Array = rows[:, left]
    small += (rows[:, right] - small) * across[:, None]
    return small


def _neighbours(length: int) -> tuple[NDArray[np.intp], NDArray[np.intp], Array]:
    """Return between which two pixels of a side each new one lies, and how far along."""
    half = np.float32(0.5)  # in float32 throughout, as torch
    at = (np.arange(SIDE, dtype=np.float32) + half) * (np.float32(length) / np.float32(SIDE)) - half
    at = at.clip(0)
    first = at.astype(np.intp)
    return first, np.minimum(first + 1, length - 1), at - first.astype(np.float32)


def measure_entries(
    network: FeatureNetwork,
    entries: Sequence[Entry],
    settings: FidSettings,
    *,
    report: Callable[[int, int], None] = lambda _done, _total: None,
) -> Measured:
    """Return the statistics of a set of picture files; those that cannot be read are left out and named.

    ``report`` is told how many of how many pictures are done.

    Raises:
        DataError: no picture could be read, or the features of one are not numbers.
    """
    unreadable: list[tuple[str, str]] = []
    otherwise: list[str] = []

    def load(entry: Entry) -> Array | str:
        try:
            picture = decode(entry.name, entry.read(), settings.decode)
        except (BookError, ImageError) as error:
            return str(error)
        if picture.looks_otherwise:
            otherwise.append(entry.name)
        return prepare(picture.rgb, settings.mode)

    def loaded() -> Iterator[Array]:
        prepared = map_ahead(load, entries, workers=_READERS, most=2 * settings.batch_size)
        for entry, found in zip(entries, prepared, strict=True):
            if isinstance(found, str):
                unreadable.append((entry.name, found))
            else:
                yield found

    statistics = _measure(network, loaded(), settings, lambda done: report(done, len(entries)))
    if not statistics:
        named = f"; {unreadable[0][0]}: {unreadable[0][1]}" if unreadable else ""
        raise DataError(f"no picture of {len(entries)} could be read{named}")
    return Measured(replace(statistics, looking_otherwise=len(otherwise)), unreadable)


def measure_arrays(
    network: FeatureNetwork,
    pictures: Iterable[NDArray[np.uint8]],
    settings: FidSettings,
    *,
    report: Callable[[int], None] = lambda _done: None,
) -> Statistics:
    """Return the statistics of pictures (H, W, 3) that are made one by one.

    Raises:
        DataError: there is none, or the features of one are not numbers.
    """
    prepared = (prepare(rgb, settings.mode) for rgb in pictures)
    statistics = _measure(network, prepared, settings, report)
    if not statistics:
        raise DataError("there are no pictures to measure")
    return statistics


def _measure(
    network: FeatureNetwork, pictures: Iterable[Array], settings: FidSettings, report: Callable[[int], None]
) -> Statistics | None:
    running = RunningMoments()
    kept: list[NDArray[np.float32]] | None = []
    size = min(settings.batch_size, network.most or settings.batch_size)
    for features in _features_of(network, _batches(pictures, size)):
        try:
            running.add(features)
        except ValueError as error:
            raise DataError(f"the network's {error}; are its weights damaged?") from error
        if kept is not None:
            kept.append(features)
            if running.count > ENOUGH:
                kept = None  # only few pictures need a kernel distance
        report(running.count)
    if not running.count:
        return None
    moments = running.moments()
    return Statistics(moments, None if kept is None else np.concatenate(kept))


def _features_of(network: FeatureNetwork, batches: Iterable[Array]) -> Iterator[Array]:
    """Return the features of batches in order; each thread works on a batch of its own."""
    with network.side_by_side() as threads:
        if threads == 1:
            yield from map(network, batches)
        else:
            yield from map_ahead(network, batches, workers=threads, most=threads + 1)


def _batches(pictures: Iterable[Array], size: int) -> Iterator[Array]:
    coming = iter(pictures)
    while batch := list(islice(coming, size)):
        yield np.stack(batch)
