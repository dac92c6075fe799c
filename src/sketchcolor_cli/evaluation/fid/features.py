"""From pictures to the statistics of their features, without keeping the features of many."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F  # noqa: N812  (the name the field uses)

from sketchcolor_cli.compute.ahead import map_ahead
from sketchcolor_cli.data.pictures import to_bytes
from sketchcolor_cli.errors import BookError, DataError, ImageError
from sketchcolor_cli.evaluation.fid.inception import SIDE, load_inception
from sketchcolor_cli.evaluation.fid.pictures import decode
from sketchcolor_cli.evaluation.fid.statistics import NETWORK, Statistics
from sketchcolor_cli.evaluation.settings import ENOUGH, FidSettings, Resize
from sketchcolor_cli.metrics.sets import RunningMoments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from sketchcolor_cli.evaluation.fid.inception import FidInception
    from sketchcolor_cli.evaluation.fid.pictures import Entry

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

    def __init__(self, path: Path, settings: FidSettings | None = None, device: str = "cpu") -> None:
        """Load the network; see :func:`inception.load_inception`."""
        self.settings, self.device = settings or FidSettings(), device
        self.network = load_inception(path, self.settings.dims, device)
        self.name = f"{NETWORK}, {self.settings.dims} numbers, {self.settings.mode} resizing"

    @torch.inference_mode()
    def __call__(self, rgb: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the features (D,) of a picture (H, W, 3) in [0, 1], rounded to the 8 bits of a file."""
        batch = prepare(to_bytes(rgb), self.settings.mode)[None].to(self.device)
        features: NDArray[np.float32] = self.network(batch)[0].cpu().numpy()
        return features


def prepare(rgb: NDArray[np.uint8], mode: Resize) -> Tensor:
    """Return (3, 299, 299) in [−1, 1] of (H, W, 3).

    ``pytorch`` resizes bilinearly without antialiasing, as pytorch-fid does; ``clean`` as clean-fid does:
    bicubic with antialiasing by Pillow, each channel in float, clipped, and scaled by (x − 128)/128.
    """
    if mode is Resize.CLEAN:
        planes = [
            np.asarray(Image.fromarray(plane).resize((SIDE, SIDE), Image.Resampling.BICUBIC))
            for plane in np.moveaxis(rgb, 2, 0).astype(np.float32)
        ]
        return (torch.from_numpy(np.stack(planes)).clamp_(0, 255) - 128) / 128
    unit = torch.from_numpy(np.ascontiguousarray(np.moveaxis(rgb, 2, 0))).float().div_(255)
    small = F.interpolate(unit[None], size=(SIDE, SIDE), mode="bilinear", align_corners=False)
    return 2 * small[0] - 1


def measure_entries(
    network: FidInception,
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

    def load(entry: Entry) -> Tensor | str:
        try:
            picture = decode(entry.name, entry.read(), settings.decode)
        except (BookError, ImageError) as error:
            return str(error)
        if picture.looks_otherwise:
            otherwise.append(entry.name)
        return prepare(picture.rgb, settings.mode)

    def loaded() -> Iterator[Tensor]:
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
    network: FidInception,
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
    network: FidInception, pictures: Iterable[Tensor], settings: FidSettings, report: Callable[[int], None]
) -> Statistics | None:
    running = RunningMoments()
    kept: list[NDArray[np.float32]] | None = []
    for features in _features_of(network, _batches(pictures, settings.batch_size)):
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


def _features_of(network: FidInception, batches: Iterable[list[Tensor]]) -> Iterator[NDArray[np.float32]]:
    """Return the features of batches in order; on a CPU each core works on a batch of its own.

    Cores that share a batch wait for one another after every layer.
    """
    device = next(network.parameters()).device

    def extract(batch: list[Tensor]) -> NDArray[np.float32]:
        with torch.inference_mode():  # holds for one thread
            features: NDArray[np.float32] = network(torch.stack(batch).to(device)).cpu().numpy()
        return features

    cores = torch.get_num_threads() if device.type == "cpu" else 1
    if cores == 1:
        yield from map(extract, batches)
        return
    torch.set_num_threads(1)
    try:
        yield from map_ahead(extract, batches, workers=cores, most=cores + 1)
    finally:
        torch.set_num_threads(cores)


def _batches(pictures: Iterable[Tensor], size: int) -> Iterator[list[Tensor]]:
    batch: list[Tensor] = []
    for picture in pictures:
        batch.append(picture)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
