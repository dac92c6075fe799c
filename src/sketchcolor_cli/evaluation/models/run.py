"""Evaluating colour models: every picture, under every protocol, by every model, and what comes of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import cv2
import numpy as np

from sketchcolor_cli.errors import DataError, ImageError
from sketchcolor_cli.evaluation.models.bootstrap import interval
from sketchcolor_cli.evaluation.models.figures import FIGURES, figures_of, size_difference
from sketchcolor_cli.evaluation.models.protocols import Given, give, random_of
from sketchcolor_cli.evaluation.models.samples import as_file
from sketchcolor_cli.evaluation.settings import MEANING, EvaluateSettings
from sketchcolor_cli.evaluation.settings import Protocol as Kind
from sketchcolor_cli.metrics.sets import RunningMoments, frechet_distance, kernel_distance

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from sketchcolor_cli.evaluation.models.samples import Sample, Samples

    Array = NDArray[np.float32]

_FEWEST = 6  # pictures for a verdict: of fewer, even signs that all agree say too little (2/2⁵ > 5 %)

Features = Callable[["Array"], "NDArray[np.floating]"]
"""From a picture (H, W, 3) to its features (D,)."""


class Colors(Protocol):
    """What colours a page; ``coloring.arrays.ArrayColorizer`` is one."""

    takes_sheets: bool

    def __call__(
        self,
        page: Array,
        *,
        reference: Array | None = None,
        hints: Array | None = None,
        sheet: Array | None = None,
        work_size: int | None = None,
    ) -> Array:
        """Return the coloured page (H, W, 3) for a page (H, W); see ``ArrayColorizer``."""


@dataclass(frozen=True)
class Contender:
    """A model to be evaluated: what it is called, what it is, and what colours with it."""

    name: str
    colors: Colors
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class FeatureSet:
    """Features for distances of sets.

    Attributes:
        name: What the features are.
        key: What the distance is called in reports, such as ``fid``; KID is given beside ``fid``.
        see: Gives them.
    """

    name: str
    key: str
    see: Features


@dataclass(frozen=True)
class PairFigure:
    """A figure of a result and its truth that not every installation can give.

    Attributes:
        name: What it is measured with.
        key: Its name in FIGURES, such as ``lpips``.
        see: From result and truth, (H, W, 3) both, to the figure; not a number where there is none.
    """

    name: str
    key: str
    see: Callable[[Array, Array], float]


@dataclass(frozen=True, eq=False)
class Shown:
    """Pictures of one row of the report, (H, W, 3) uint8."""

    sketch: Any
    given: Any
    result: Any
    truth: Any


@dataclass(frozen=True)
class Row:
    """One picture, coloured by one model under one protocol."""

    model: str
    protocol: str
    key: str
    source: str
    figures: Mapping[str, float]
    other: str | None = None


@dataclass
class Evaluation:
    """Everything that was found.

    Attributes:
        protocol: What was done, with which data: all that is needed to do it again.
        models: What the models are, by name.
        rows: The figures of each picture.
        summaries: By model, protocol and figure: mean, median, interval, number of pictures.
        sets: By model and protocol: distances of sets and ratios of groups.
        comparisons: By other model, protocol and figure: its mean difference to the first model.
        unreadable: Pictures that could not be read: name, and why.
        shown: By model, protocol and key, the pictures.
    """

    protocol: dict[str, Any]
    models: dict[str, Mapping[str, Any]]
    rows: list[Row] = field(default_factory=list)
    summaries: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    sets: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    comparisons: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    shown: dict[tuple[str, str, str], Shown] = field(default_factory=dict, repr=False)

    def to_json(self) -> dict[str, Any]:
        """Put everything but the pictures into plain types for json.dumps."""
        return {
            "protocol": self.protocol,
            "models": {name: dict(about) for name, about in self.models.items()},
            "summaries": self.summaries,
            "sets": self.sets,
            "comparisons": self.comparisons,
            "unreadable": [{"name": name, "message": message} for name, message in self.unreadable],
            "pictures": [asdict(row) for row in self.rows],
        }

    def of(self, model: str, protocol: str, figure: str) -> dict[str, float]:
        """Return a figure of each picture that has it, by key."""
        return {
            row.key: row.figures[figure]
            for row in self.rows
            if row.model == model and row.protocol == protocol and figure in row.figures
        }


def evaluate(
    contenders: Sequence[Contender],
    samples: Samples,
    settings: EvaluateSettings | None = None,
    *,
    features: Sequence[FeatureSet] = (),
    pairs: Sequence[PairFigure] = (),
    report: Callable[[int, int], None] = lambda _done, _total: None,
) -> Evaluation:
    """Colour the samples with every model under every protocol, and measure the results.

    All but the times is the same whenever models, data and settings are. ``report`` is told how many of how
    many pictures are coloured. The features of one picture depend on it alone; ``pairs`` are figures beside
    those that are always there.

    Raises:
        DataError: no picture can be read, or two models have one name.
    """
    settings = settings or EvaluateSettings()
    names = [one.name for one in contenders]
    if len(set(names)) < len(names):
        raise DataError(f"{', '.join(names)}: two models have one name; rename a file")
    numbers = _chosen(samples, settings)
    run = _Run(contenders, samples, settings, features, pairs)
    total = len(numbers) * len(contenders) * len(settings.protocols)
    done = 0
    for count, number in enumerate(numbers):
        run.picture(number, steady=count < settings.stability_limit)
        done += len(contenders) * len(settings.protocols)
        report(done, total)
    if not run.found.rows:
        if run.found.unreadable:
            said = f"; {run.found.unreadable[0][1]}"
        else:  # the protocol of others is the only one that a picture may not allow
            said = "; none has another picture in its group, such as its subfolder"
        raise DataError(f"no picture of {len(numbers)} could be evaluated{said}")
    run.finish(numbers)
    return run.found


def _chosen(samples: Samples, settings: EvaluateSettings) -> list[int]:
    """Draw the pictures, each by its own random number: a larger limit takes the same and more."""
    numbers = list(range(len(samples)))
    if settings.limit is None or settings.limit >= len(numbers):
        return numbers
    drawn = sorted(numbers, key=lambda one: (random_of(settings.seed, samples.keys[one]).random(), one))
    return sorted(drawn[: settings.limit])


class _Run:
    """The state of one evaluation."""

    def __init__(
        self,
        contenders: Sequence[Contender],
        samples: Samples,
        settings: EvaluateSettings,
        features: Sequence[FeatureSet],
        pairs: Sequence[PairFigure],
    ) -> None:
        self.contenders, self.samples, self.settings = contenders, samples, settings
        self.mates = samples.mates()
        self.sets, self.pairs = features, pairs
        self.found = Evaluation({}, {one.name: one.about for one in contenders})
        self.warm: set[str] = set()
        self.lines: dict[str, int] = {}
        # By model, protocol and features, those of results; and under the model "" those of the truths.
        self.seen: dict[tuple[str, str, str], list[NDArray[np.floating]]] = {}

    def picture(self, number: int, *, steady: bool) -> None:
        """Do everything with one picture."""
        try:
            sample = self.samples.load(number)
        except ImageError as error:
            self.found.unreadable.append((self.samples.keys[number], str(error)))
            return
        self.lines[sample.lines] = self.lines.get(sample.lines, 0) + 1
        of_truth = {one.key: one.see(sample.truth) for one in self.sets}
        for kind in self.settings.protocols:
            other = self._other(number) if kind is Kind.OTHER else None
            if kind is Kind.OTHER and other is None:
                continue
            given = give(kind, sample, other, self.settings)
            for key, values in of_truth.items():
                self.seen.setdefault(("", kind, key), []).append(values)
            for contender in self.contenders:
                self._color(
                    contender, kind, sample, given, other, steady=steady and kind is self._steady_kind
                )

    @property
    def _steady_kind(self) -> Kind:
        protocols = self.settings.protocols
        return Kind.NONE if Kind.NONE in protocols else protocols[0]

    def _other(self, number: int) -> Sample | None:
        mates = self.mates[number]
        if not mates:
            return None
        chosen = random_of(self.settings.seed, self.samples.keys[number]).integers(len(mates))
        try:
            return self.samples.load(mates[int(chosen)])
        except ImageError:
            return None

    def _color(
        self,
        contender: Contender,
        kind: Kind,
        sample: Sample,
        given: Given,
        other: Sample | None,
        *,
        steady: bool,
    ) -> None:
        aids = _aids(given, sheets=contender.colors.takes_sheets)
        if contender.name not in self.warm:
            contender.colors(sample.sketch, **aids)  # what is set up on first use is not the picture's time
            self.warm.add(contender.name)
        start = time.perf_counter()
        colored = contender.colors(sample.sketch, **aids)
        seconds = time.perf_counter() - start
        result = as_file(colored)
        figures = {**figures_of(result, sample, given), "seconds": seconds}
        for pair in self.pairs:
            if np.isfinite(value := pair.see(result, sample.truth)):
                figures[pair.key] = float(value)
        if steady:
            figures["size_delta_e"] = self._between_sizes(contender, sample, aids)
        key = None if other is None else other.key
        self.found.rows.append(Row(contender.name, kind, sample.key, sample.source, figures, key))
        for one in self.sets:
            self.seen.setdefault((contender.name, kind, one.key), []).append(one.see(result))
        place = (contender.name, str(kind), sample.key)
        self.found.shown[place] = Shown(
            *(_small(one) for one in (_as_rgb(sample.sketch), _visible(given, sample), result, sample.truth))
        )

    def _between_sizes(self, contender: Contender, sample: Sample, aids: Mapping[str, Any]) -> float:
        sketch = _enlarged(sample.sketch, max(self.settings.stability_sizes))
        results = [contender.colors(sketch, **aids, work_size=side) for side in self.settings.stability_sizes]
        return size_difference(results[0], results[1])

    def finish(self, numbers: Sequence[int]) -> None:
        """Say what all pictures together say."""
        found, settings = self.found, self.settings
        for contender in self.contenders:
            name = contender.name
            found.summaries[name], found.sets[name] = {}, {}
            for kind in settings.protocols:
                found.summaries[name][kind] = {
                    figure: _summary(values, settings)
                    for figure in FIGURES
                    if (values := list(found.of(name, kind, figure).values()))
                }
                found.sets[name][kind] = self._sets(name, kind)
        for other in self.contenders[1:]:
            found.comparisons[other.name] = {
                kind: self._comparison(self.contenders[0].name, other.name, kind)
                for kind in settings.protocols
            }
        found.protocol = {
            "protocols": {str(kind): MEANING[kind] for kind in settings.protocols},
            "pictures": len({row.key for row in found.rows}),
            "sketches": dict(sorted(self.lines.items())),
            "data": self.samples.digest(numbers),
            "results": "rounded to 8 bits a channel, at the size of the truth",
            "short_side": settings.short_side,
            "points": settings.points,
            "reference_side": settings.reference_side,
            "stability_sizes": list(settings.stability_sizes),
            "stability_protocol": str(self._steady_kind),
            "seed": settings.seed,
            "interval": f"95 per cent, {settings.resamples} resamples of the pictures",
            "features": {one.key: one.name for one in self.sets},
            "measured_with": {one.key: one.name for one in self.pairs},
            "figures": {name: {"label": one.label, "meaning": one.meaning} for name, one in FIGURES.items()},
        }

    def _sets(self, name: str, kind: Kind) -> dict[str, Any]:
        """Return the figures that pictures have together only."""
        found = self.found
        values: dict[str, Any] = {}
        for one in self.sets:
            results, truths = self.seen.get((name, kind, one.key)), self.seen.get(("", kind, one.key))
            if not results or not truths:
                continue
            values[one.key] = frechet_distance(_moments(truths), _moments(results))
            if one.key == "fid" and len(results) >= 3:
                kernel = kernel_distance(np.stack(truths), np.stack(results))
                values["kid"], values["kid_error"] = kernel.value, kernel.error
        colors, ratios = (found.of(name, kind, one) for one in ("colorfulness", "colorfulness_ratio"))
        true = sum(colors[key] / ratio for key, ratio in ratios.items() if ratio > 0)
        if true:
            values["colorfulness_of_all"] = sum(colors[key] for key in ratios) / true
        dark, light = (list(found.of(name, kind, f"skin_{tone}").values()) for tone in ("dark", "light"))
        if dark and light:
            values["skin_dark_to_light"] = float(np.mean(dark) / np.mean(light))
        if kind is Kind.OTHER:
            with_it, without = (found.of(name, one, "histogram_distance") for one in (kind, Kind.NONE))
            both = [with_it[key] < without[key] for key in with_it if key in without]
            if both:
                values["nearer_than_without"] = float(np.mean(both))
        return values

    def _comparison(self, first: str, other: str, kind: Kind) -> dict[str, Any]:
        found, settings = self.found, self.settings
        compared = {}
        for figure, meaning in FIGURES.items():
            ours, theirs = (found.of(one, kind, figure) for one in (first, other))
            keys = [key for key in ours if key in theirs]
            if not keys:
                continue
            worth = [_worth(meaning.good, theirs[key]) - _worth(meaning.good, ours[key]) for key in keys]
            difference = interval(
                [theirs[key] - ours[key] for key in keys], resamples=settings.resamples, seed=settings.seed
            )
            better = interval(worth, resamples=settings.resamples, seed=settings.seed)
            verdict = "better" if better.mean > 0 else "worse"
            if not better.clear or len(keys) < _FEWEST:
                verdict = "unclear"
            compared[figure] = {**difference._asdict(), "n": len(keys), "verdict": verdict}
        return compared


def _worth(good: str | float | None, value: float) -> float:
    """Return a number that is higher where a figure is better."""
    if good == "high":
        return value
    if good == "low":
        return -value
    return 0.0 if good is None else -abs(value - float(good))


def _summary(values: Sequence[float], settings: EvaluateSettings) -> dict[str, Any]:
    mean, low, high = interval(values, resamples=settings.resamples, seed=settings.seed)
    return {"mean": mean, "low": low, "high": high, "median": float(np.median(values)), "n": len(values)}


def _moments(rows: Sequence[NDArray[np.floating]]) -> Any:
    running = RunningMoments()
    running.add(np.stack(rows))
    return running.moments()


def _aids(given: Given, *, sheets: bool) -> dict[str, Any]:
    """Return what a model is given; one that takes no sheets gets the other drawing as a reference."""
    reference, sheet = given.reference, given.sheet
    if sheet is not None and not sheets:
        reference, sheet = sheet, None
    return {"reference": reference, "hints": given.hints, "sheet": sheet}


def _enlarged(sketch: Array, short_side: int) -> Array:
    scale = short_side / min(sketch.shape)
    if scale <= 1:
        return sketch
    large: Array = np.clip(cv2.resize(sketch, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC), 0, 1)
    return large


def _visible(given: Given, sample: Sample) -> Array | None:
    """Return what was given as a picture; points larger than they are and ringed, a reference as laid."""
    if given.reference is not None:
        laid: Array = cv2.resize(given.reference, sample.sketch.shape[::-1], interpolation=cv2.INTER_LINEAR)
        return laid
    if given.hints is None:
        return given.sheet
    grown, ringed = (cv2.dilate(given.hints, np.ones((side, side), np.uint8)) for side in (5, 9))
    ground = 1 - 0.4 * ringed[..., 3:]  # white points would not be seen on white
    points: Array = np.where(grown[..., 3:] > 0, grown[..., :3], ground).astype(np.float32)
    return points


def _as_rgb(sketch: Array) -> Array:
    return np.repeat(sketch[..., None], 3, axis=2)


_SHOWN_SIDE = 320


def _small(rgb: Array | None) -> NDArray[np.uint8] | None:
    if rgb is None:
        return None
    scale = min(1.0, _SHOWN_SIDE / max(rgb.shape[:2]))
    small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else rgb
    return (np.clip(small, 0, 1) * 255 + 0.5).astype(np.uint8)
