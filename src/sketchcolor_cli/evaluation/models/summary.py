"""What the figures of all pictures say together: means with intervals, distances of sets, comparisons."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sketchcolor_cli.evaluation.models.bootstrap import interval
from sketchcolor_cli.evaluation.models.figures import FIGURES
from sketchcolor_cli.evaluation.settings import Protocol
from sketchcolor_cli.metrics.sets import RunningMoments, frechet_distance, kernel_distance

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from sketchcolor_cli.evaluation.models.thumbnails import Thumbnails
    from sketchcolor_cli.evaluation.settings import EvaluateSettings
    from sketchcolor_cli.metrics.sets import Moments

_FEWEST = 6  # pictures for a verdict: of fewer, even signs that all agree say too little (2/2⁵ > 5 %)


class Trial(NamedTuple):
    """A model under a protocol."""

    model: str
    protocol: Protocol


@dataclass(frozen=True)
class Row:
    """One picture, coloured by one model under one protocol.

    Attributes:
        model: The name of the model.
        protocol: The protocol.
        key: The name of the picture.
        source: Where the data has it from.
        figures: Its figures by name, as in FIGURES.
        other: The name of the picture that was shown beside it, where the protocol shows one.
    """

    model: str
    protocol: Protocol
    key: str
    source: str
    figures: Mapping[str, float]
    other: str | None = None


@dataclass(frozen=True)
class Summary:
    """A figure of several pictures: mean, its interval of 95 per cent, median, and of how many."""

    mean: float
    low: float
    high: float
    median: float
    n: int


@dataclass(frozen=True)
class Difference:
    """A figure's mean difference to the first model on the same pictures, with its interval of 95 per cent.

    ``verdict`` is ``better``, ``worse`` or ``unclear``.
    """

    mean: float
    low: float
    high: float
    n: int
    verdict: str


@dataclass(frozen=True)
class Setup:
    """What was done, with which data: all that is needed to do it again; the ``protocol`` of the document.

    Attributes:
        protocols: What each protocol gives beside the sketch.
        short_side, points, reference_side, stability_sizes, seed: As in the settings.
        stability_protocol: The protocol under which working sizes are compared.
        interval: What the intervals are.
        features: What distances of sets are measured with, by figure.
        measured_with: Likewise for figures of pairs that not every installation gives.
        figures: Label and meaning of each figure.
        data: SHA-256 of the pictures.
        pictures: How many pictures could be read.
        sketches: How many sketches there are of each kind: of the data, or drawn.
        results: What is measured.
        extractor: What draws the sketches that the data lacks.
        device: Where it was computed.
        peak_memory_gb: The most memory that the process has had; None where that is not known.
    """

    protocols: Mapping[Protocol, str]
    short_side: int
    points: int
    reference_side: int
    stability_sizes: tuple[int, ...]
    stability_protocol: Protocol
    seed: int
    interval: str
    features: Mapping[str, str]
    measured_with: Mapping[str, str]
    figures: Mapping[str, Mapping[str, str]]
    data: str = ""
    pictures: int = 0
    sketches: Mapping[str, int] = field(default_factory=dict)
    results: str = "rounded to 8 bits a channel, at the size of the truth"
    extractor: str = ""
    device: str = ""
    peak_memory_gb: float | None = None


@dataclass
class Evaluation:
    """Everything that was found.

    Attributes:
        setup: What was done, with which data.
        models: What the models are, by name.
        rows: The figures of each picture.
        summaries: Of each model under each protocol, by figure.
        sets: Likewise, the distances of sets and ratios of groups.
        comparisons: Likewise for all models but the first, the differences to it.
        unreadable: Pictures that could not be read: name, and why.
        shown: By model, protocol and key, the pictures.
    """

    setup: Setup
    models: dict[str, Mapping[str, Any]]
    rows: list[Row] = field(default_factory=list)
    summaries: dict[Trial, dict[str, Summary]] = field(default_factory=dict)
    sets: dict[Trial, dict[str, float]] = field(default_factory=dict)
    comparisons: dict[Trial, dict[str, Difference]] = field(default_factory=dict)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    shown: dict[tuple[str, str, str], Thumbnails] = field(default_factory=dict, repr=False)

    @property
    def compared(self) -> list[str]:
        """The models that are compared with the first."""
        return list(self.models)[1:]

    def to_json(self) -> dict[str, Any]:
        """Put everything but the pictures into plain types for json.dumps."""
        return {
            "protocol": asdict(self.setup),
            "models": {name: dict(model) for name, model in self.models.items()},
            "summaries": _nested(self.summaries),
            "sets": _nested(self.sets),
            "comparisons": _nested(self.comparisons),
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


@dataclass
class CollectedFeatures:
    """The features of pictures, by protocol and kind of features: those of truths, and of each model's."""

    truths: dict[tuple[Protocol, str], list[NDArray[np.floating]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    results: dict[tuple[Trial, str], list[NDArray[np.floating]]] = field(
        default_factory=lambda: defaultdict(list)
    )


def summarise(
    found: Evaluation, features: CollectedFeatures, kinds: Sequence[str], settings: EvaluateSettings
) -> None:
    """Fill in what the rows say together; ``kinds`` are the kinds of features."""
    first, *_ = found.models
    for model in found.models:
        for protocol in settings.protocols:
            trial = Trial(model, protocol)
            found.summaries[trial] = {
                figure: summary_of(values, settings)
                for figure in FIGURES
                if (values := list(found.of(*trial, figure).values()))
            }
            found.sets[trial] = {**_distances(features, trial, kinds), **_ratios(found, trial)}
            if model != first:
                found.comparisons[trial] = _compared(found, first, trial, settings)


def summary_of(values: Sequence[float], settings: EvaluateSettings) -> Summary:
    """Return the mean of values, one per picture, and how sure it is."""
    mean, low, high = interval(values, resamples=settings.resamples, seed=settings.seed)
    return Summary(mean, low, high, float(np.median(values)), len(values))


def _distances(features: CollectedFeatures, trial: Trial, kinds: Iterable[str]) -> dict[str, float]:
    """Return the distances between the sets of results and of truths; KID beside FID."""
    values: dict[str, float] = {}
    for kind in kinds:
        results = features.results.get((trial, kind))
        truths = features.truths.get((trial.protocol, kind))
        if not results or not truths:
            continue
        values[kind] = frechet_distance(_moments(truths), _moments(results))
        if kind == "fid" and len(results) >= 3:
            kernel = kernel_distance(np.stack(truths), np.stack(results))
            values["kid"], values["kid_error"] = kernel.value, kernel.error
    return values


def _ratios(found: Evaluation, trial: Trial) -> dict[str, float]:
    """Return the figures that pictures have together only."""
    values: dict[str, float] = {}
    colors, ratios = (found.of(*trial, figure) for figure in ("colorfulness", "colorfulness_ratio"))
    true = sum(colors[key] / ratio for key, ratio in ratios.items() if ratio > 0)
    if true:
        values["colorfulness_of_all"] = sum(colors[key] for key in ratios) / true
    dark, light = (list(found.of(*trial, f"skin_{tone}").values()) for tone in ("dark", "light"))
    if dark and light:
        values["skin_dark_to_light"] = float(np.mean(dark) / np.mean(light))
    if trial.protocol == Protocol.OTHER:
        with_it = found.of(*trial, "histogram_distance")
        without = found.of(trial.model, Protocol.NONE, "histogram_distance")
        both = [with_it[key] < without[key] for key in with_it if key in without]
        if both:
            values["nearer_than_without"] = float(np.mean(both))
    return values


def _compared(
    found: Evaluation, first: str, trial: Trial, settings: EvaluateSettings
) -> dict[str, Difference]:
    compared = {}
    for figure, meaning in FIGURES.items():
        ours, theirs = found.of(first, trial.protocol, figure), found.of(*trial, figure)
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
        compared[figure] = Difference(*difference, len(keys), verdict)
    return compared


def _worth(good: str | float | None, value: float) -> float:
    """Return a number that is higher where a figure is better."""
    if good == "high":
        return value
    if good == "low":
        return -value
    return 0.0 if good is None else -abs(value - float(good))


def _moments(rows: Sequence[NDArray[np.floating]]) -> Moments:
    running = RunningMoments()
    running.add(np.stack(rows))
    return running.moments()


def _nested(by_trial: Mapping[Trial, Mapping[str, Any]]) -> dict[str, dict[str, dict[str, Any]]]:
    """Return figures by model, then by protocol, as they stand in evaluation.json."""
    nested: dict[str, dict[str, dict[str, Any]]] = {}
    for trial, figures in by_trial.items():
        plain = {
            name: value if isinstance(value, float) else asdict(value) for name, value in figures.items()
        }
        nested.setdefault(trial.model, {})[trial.protocol] = plain
    return nested
