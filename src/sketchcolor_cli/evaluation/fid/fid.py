"""FID of two sets of pictures, each a folder, an archive, statistics, or pictures made on the way."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sketchcolor_cli.errors import DataError
from sketchcolor_cli.evaluation.fid.pictures import content_digest, list_pictures
from sketchcolor_cli.evaluation.fid.statistics import (
    NETWORK,
    UNKNOWN,
    Statistics,
    StatisticsCache,
    read_statistics,
    write_statistics,
)
from sketchcolor_cli.evaluation.settings import ENOUGH, Decode, FidSettings, Resize
from sketchcolor_cli.metrics.sets import frechet_distance, kernel_distance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from sketchcolor_cli.evaluation.fid.network import FeatureNetwork

RULES = {
    Resize.PYTORCH: "bilinear to 299×299 without antialiasing, as pytorch-fid",
    Resize.CLEAN: "bicubic to 299×299 with antialiasing, as clean-fid",
}
_VERSION = 1  # of how pictures become features; another one makes kept statistics useless


@dataclass(frozen=True)
class Made:
    """Pictures that are made while they are measured.

    Attributes:
        count: How many there will be.
        make: Makes them, (H, W, 3) uint8 each.
        unreadable: While it does, gets the names of those that cannot be made, and why.
    """

    count: int
    make: Callable[[], Iterable[NDArray[np.uint8]]]
    unreadable: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class MeasuredSet:
    """The statistics of a set.

    Attributes:
        statistics: What is known of its features.
        from_cache: Whether they were at hand.
        unreadable: The pictures that cannot be read: name, and why.
        left_out: How many files of each ending are not read.
    """

    statistics: Statistics
    from_cache: bool = False
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class FidReport:
    """A Fréchet distance, and everything that one must know to compare it.

    ``n_real`` and ``n_generated`` are None where statistics do not say. ``kid`` and its standard error
    ``kid_error`` are None unless a set is small and the features of both are at hand. ``left_out`` counts the
    files of each ending that are not read.
    """

    fid: float
    n_real: int | None
    n_generated: int | None
    features: str
    resize: str
    mode: str
    decode: str
    weights: str | None
    kid: float | None = None
    kid_error: float | None = None
    from_cache: tuple[bool, bool] = (False, False)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Put the report into plain types for json.dumps."""
        plain = asdict(self)
        plain["unreadable"] = [{"name": name, "message": message} for name, message in self.unreadable]
        plain["from_cache"] = dict(zip(("real", "generated"), self.from_cache, strict=True))
        return plain


class FidMeter:
    """Measures sets of pictures with one network, which is loaded when the first picture needs it.

    Args:
        settings: How it is measured.
        load: Loads the network.
        weights: The checksum of the network's weights, which kept statistics must share: ``KIND:HEX``, where
            the kind is ``tensors`` for the numbers alone, or ``file``.
        cache: Where statistics are kept.
        report: Is told how many of how many pictures of a set are done.
    """

    def __init__(
        self,
        settings: FidSettings,
        load: Callable[[], FeatureNetwork],
        weights: str,
        *,
        cache: StatisticsCache | None = None,
        report: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> None:
        self.settings, self.weights, self.report = settings, weights, report
        self.cache = cache or StatisticsCache(None)
        self._load = load
        self._network: FeatureNetwork | None = None

    @property
    def about(self) -> dict[str, Any]:
        """What the statistics of this meter are of."""
        about = {
            "network": NETWORK,
            "weights": self.weights,
            "dims": self.settings.dims,
            "mode": str(self.settings.mode),
            "version": _VERSION,
        }
        # Not where it is the usual one: files from before it could be chosen do not say.
        other = self.settings.decode is not Decode.PYTORCH
        return {**about, "decode": str(self.settings.decode)} if other else about

    def network(self) -> FeatureNetwork:
        """Return the network, loaded on first use."""
        if self._network is None:
            self._network = self._load()
        return self._network

    def statistics(self, source: Path | Made) -> MeasuredSet:
        """Return a set's statistics, and what is to be known of them.

        Raises:
            DataError: the source is missing or empty, no picture can be read, or statistics are of other
                features.
            WeightError: the network's weights are missing or damaged.
        """
        if isinstance(source, Made):
            return self._of_made(source)
        if source.suffix.lower() == ".npz":
            statistics = read_statistics(source)
            self._refuse_others(source, statistics)
            return MeasuredSet(statistics, from_cache=True)
        listing = list_pictures(source)
        content = content_digest(listing.entries)
        kept = self.cache.get(content, self.about)
        # Fewer than there are files: then some could not be read, and must be named again.
        if kept and kept.moments.count == len(listing.entries):
            return MeasuredSet(kept, from_cache=True, left_out=listing.left_out)
        from sketchcolor_cli.evaluation.fid.features import measure_entries

        measured = measure_entries(self.network(), listing.entries, self.settings, report=self.report)
        statistics = replace(measured.statistics, about=self.about)
        self.cache.put(content, statistics)
        return MeasuredSet(statistics, unreadable=measured.unreadable, left_out=listing.left_out)

    def _of_made(self, source: Made) -> MeasuredSet:
        from sketchcolor_cli.evaluation.fid.features import measure_arrays

        statistics = measure_arrays(
            self.network(),
            source.make(),
            self.settings,
            report=lambda done: self.report(done, source.count),
        )
        return MeasuredSet(replace(statistics, about=self.about), unreadable=source.unreadable)

    def save(self, source: Path | Made, target: Path) -> MeasuredSet:
        """Write a set's statistics to an .npz file that pytorch-fid reads as well, and return them."""
        measured = self.statistics(source)
        write_statistics(target, measured.statistics, with_features=False)
        return measured

    def distance(self, real: Path | Made, generated: Path | Made) -> FidReport:
        """Return the Fréchet distance of two sets.

        Raises:
            DataError, WeightError: as for :meth:`statistics`.
        """
        sets = self.statistics(real), self.statistics(generated)
        first, second = (measured.statistics for measured in sets)
        counts = [statistics.moments.count for statistics in (first, second)]
        kid = None
        if first.features is not None and second.features is not None and min(counts) >= 3:
            kid = kernel_distance(first.features, second.features)
        return FidReport(
            fid=frechet_distance(first.moments, second.moments),
            n_real=None if counts[0] == UNKNOWN else counts[0],
            n_generated=None if counts[1] == UNKNOWN else counts[1],
            features=f"{NETWORK}, {self.settings.dims} numbers",
            resize=RULES[self.settings.mode],
            mode=str(self.settings.mode),
            decode=str(self.settings.decode),
            weights=self.weights or None,
            kid=kid.value if kid else None,
            kid_error=kid.error if kid else None,
            from_cache=(sets[0].from_cache, sets[1].from_cache),
            unreadable=[*sets[0].unreadable, *sets[1].unreadable],
            left_out=dict(Counter(sets[0].left_out) + Counter(sets[1].left_out)),
            warnings=self._warnings(counts, first, second),
        )

    def _refuse_others(self, path: Path, statistics: Statistics) -> None:
        dims, about = self.settings.dims, statistics.about or {}
        if len(statistics.moments.mean) != dims:
            found = len(statistics.moments.mean)
            raise DataError(
                f"{path}: statistics of {found} numbers a picture, not {dims}; use --dims {found}"
            )
        given = {"decode": str(Decode.PYTORCH), **about} if about else {}
        due = {"network": NETWORK, "mode": str(self.settings.mode), "decode": str(self.settings.decode)}
        for name, value in due.items():
            if given.get(name, value) != value:
                raise DataError(
                    f"{path}: statistics of {name} {given[name]!r}, not {value!r}; measure them again"
                )
        if (
            self._other_weights(about)
            and str(about["weights"]).partition(":")[0] == self.weights.partition(":")[0]
        ):
            raise DataError(f"{path}: statistics of other weights of the network; measure them again")

    def _other_weights(self, about: Mapping[str, Any]) -> bool:
        """Return whether statistics name other weights; of two kinds of checksums that says little."""
        return bool(self.weights) and about.get("weights", self.weights) != self.weights

    def _warnings(self, counts: list[int], *sides: Statistics) -> list[str]:
        warnings = []
        few = [count for count in counts if count != UNKNOWN and count < ENOUGH]
        if few:
            reason = "of one picture there is no spread" if min(few) == 1 else "FID is too large for so few"
            warnings.append(
                f"{min(few)} picture(s), fewer than {ENOUGH}: {reason}; compare KID, or equal counts only"
            )
        if otherwise := sum(side.looking_otherwise for side in sides):
            warnings.append(
                f"{otherwise} picture(s) with transparency or 16-bit grey are read as pytorch-fid reads them "
                "and not as they look; --decode picture measures what is seen"
            )
        if any(not side.about for side in sides):
            warnings.append("statistics without a word on how they were made: taken as of the same features")
        if any(self._other_weights(side.about or {}) for side in sides):
            warnings.append("statistics name their weights by another kind of checksum: taken as the same")
        if self.settings.dims != 2048:
            warnings.append(f"{self.settings.dims} features: no FID as papers have it, which takes 2048")
        return warnings
