"""Statistics of features as files: .npz with ``mu`` and ``sigma``, as pytorch-fid reads and writes them.

Ours have more beside: ``count``, ``about`` (JSON: which features, which rule of resizing), and for small sets
``features``, (N, D) float32. Loads no torch, so that statistics that are there already cost little.
"""

from __future__ import annotations

import hashlib
import json
import math
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sketchcolor_cli.errors import DataError
from sketchcolor_cli.files.atomic import atomic_write
from sketchcolor_cli.files.regular import refusal
from sketchcolor_cli.metrics.sets import Moments

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

NETWORK = "FID Inception-v3 (2015-12-05)"
"""The network whose features statistics are of."""

_MOST = 8 * 8192**2  # bytes of a covariance: 2048 features are usual
_SIZES = {
    "mu": _MOST,
    "sigma": _MOST,
    "features": _MOST,
    "count": 64,
    "looking_otherwise": 64,
    "about": 2**20,
}
"""The arrays of a file, and the most bytes of each."""

UNKNOWN = 0
"""The count of statistics that do not say of how many pictures they are."""


@dataclass(frozen=True, eq=False)
class Statistics:
    """What is known of a set.

    Attributes:
        moments: Mean and covariance of the features.
        features: The features (N, D), for small sets.
        about: What they are features of; empty where a file does not say, as pytorch-fid's do not.
        looking_otherwise: How many pictures a viewer shows otherwise than they were read.
    """

    moments: Moments
    features: NDArray[np.float32] | None = None
    about: Mapping[str, Any] | None = None
    looking_otherwise: int = 0


def write_statistics(path: Path, statistics: Statistics, *, with_features: bool = True) -> None:
    """Write an .npz file, whole or not at all.

    Raises:
        DataError: it cannot be written.
    """
    moments = statistics.moments
    arrays: dict[str, Any] = {
        "mu": moments.mean,
        "sigma": moments.covariance,
        "count": np.array(moments.count),
        "looking_otherwise": np.array(statistics.looking_otherwise),
        "about": np.array(json.dumps(dict(statistics.about or {}), sort_keys=True)),
    }
    if with_features and statistics.features is not None:
        arrays["features"] = statistics.features
    # To a file that is open, since to a name that ends otherwise numpy adds .npz.
    with atomic_write(path, DataError) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)


def read_statistics(path: Path) -> Statistics:
    """Read an .npz file of ours or of pytorch-fid.

    Raises:
        DataError: it is missing, damaged, no statistics, too large, or has values that are not numbers.
    """
    try:
        _refuse_large(path)
        with np.load(path) as file:
            parts = {name: file[name] for name in file.files if name in _SIZES}
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file; check the name") from error
    except DataError:
        raise
    except Exception as error:  # damaged files make zipfile and NumPy raise nearly anything
        raise DataError(f"{path}: cannot be read as .npz statistics; write them again") from error
    try:
        mean, covariance = (np.asarray(parts[name], np.float64) for name in ("mu", "sigma"))
        count = int(parts.get("count", UNKNOWN))
        otherwise = int(parts.get("looking_otherwise", 0))
        about = json.loads(str(parts.get("about", "{}")))
        features = np.asarray(parts["features"], np.float32) if "features" in parts else None
    except (KeyError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise DataError(f"{path}: has no statistics mu and sigma of features in it") from error
    if mean.ndim != 1 or covariance.shape != (len(mean), len(mean)) or not isinstance(about, dict):
        raise DataError(f"{path}: mu {mean.shape} and sigma {covariance.shape} do not fit together")
    if features is not None and (features.ndim != 2 or features.shape[1] != len(mean)):
        raise DataError(f"{path}: mu {mean.shape} and features {features.shape} do not fit together")
    if not all(np.isfinite(part).all() for part in (mean, covariance, features) if part is not None):
        raise DataError(
            f"{path}: the statistics have values that are not numbers; measure the pictures again"
        )
    return Statistics(Moments(mean, covariance, count), features, about, otherwise)


def _refuse_large(path: Path) -> None:
    """Look at the headers of the arrays before one is read, as a small file may ask for any memory.

    Raises:
        DataError: It is not a regular file, or an array is larger than statistics are.
        ValueError: It is not an .npz file, or an array in it has no header.
    """
    if (why := refusal(path)) is not None:
        raise DataError(f"{path}: {why}")
    with zipfile.ZipFile(path) as archive:
        for name, most in _SIZES.items():
            if f"{name}.npy" not in archive.namelist():
                continue
            with archive.open(f"{name}.npy") as file:
                version = np.lib.format.read_magic(file)
                read = (
                    np.lib.format.read_array_header_1_0
                    if version == (1, 0)
                    else np.lib.format.read_array_header_2_0
                )
                shape, _, dtype = read(file)
            if math.prod(shape) * dtype.itemsize > most:
                raise DataError(f"{path}: {name} {shape} is larger than statistics of pictures are")


class StatisticsCache:
    """A folder of statistics by what they were made of: the pictures' content, and how they were measured.

    A cache that cannot be written or read is as good as none; nothing depends on it.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def get(self, content: str, about: Mapping[str, Any]) -> Statistics | None:
        """Return what was kept for this content measured in this way."""
        path = self._path(content, about)
        if path is None or not path.is_file():
            return None
        try:
            return read_statistics(path)
        except DataError:
            return None

    def put(self, content: str, statistics: Statistics) -> None:
        """Keep statistics for this content."""
        path = self._path(content, statistics.about or {})
        if path is None:
            return
        try:
            write_statistics(path, statistics)
        except DataError:
            return

    def _path(self, content: str, about: Mapping[str, Any]) -> Path | None:
        if self.folder is None:
            return None
        key = json.dumps([content, dict(about)], sort_keys=True).encode()
        return self.folder / f"{hashlib.sha256(key).hexdigest()}.npz"
