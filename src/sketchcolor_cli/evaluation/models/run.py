"""Evaluating colour models: every picture, under every protocol, by every model."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import cv2
import numpy as np

from sketchcolor_cli.errors import DataError, ImageError
from sketchcolor_cli.evaluation.models.figures import FIGURES, figures_of, size_difference
from sketchcolor_cli.evaluation.models.protocols import Given, give, random_of
from sketchcolor_cli.evaluation.models.samples import as_file
from sketchcolor_cli.evaluation.models.summary import (
    CollectedFeatures,
    Evaluation,
    Row,
    Setup,
    Trial,
    summarise,
)
from sketchcolor_cli.evaluation.models.thumbnails import thumbnails
from sketchcolor_cli.evaluation.settings import MEANING, EvaluateSettings
from sketchcolor_cli.evaluation.settings import Protocol as Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from sketchcolor_cli.evaluation.models.samples import Sample, Samples
    from sketchcolor_cli.evaluation.models.thumbnails import Thumbnails

    Array = NDArray[np.float32]

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
        feature_extractor: Gives them.
    """

    name: str
    key: str
    feature_extractor: Features


@dataclass(frozen=True)
class PairFigure:
    """A figure of a result and its truth that not every installation can give.

    Attributes:
        name: What it is measured with.
        key: Its name in FIGURES, such as ``lpips``.
        measure: From result and truth, (H, W, 3) both, to the figure; not a number where there is none.
    """

    name: str
    key: str
    measure: Callable[[Array, Array], float]


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
    names = [contender.name for contender in contenders]
    if len(set(names)) < len(names):
        raise DataError(f"{', '.join(names)}: two models have the same name; rename a file")
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
            reason = f"; {run.found.unreadable[0][1]}"
        else:  # the protocol of others is the only one that a picture may not allow
            reason = "; none has another picture in its group, such as its subfolder"
        raise DataError(f"no picture of {len(numbers)} could be evaluated{reason}")
    run.finish(numbers)
    return run.found


def _chosen(samples: Samples, settings: EvaluateSettings) -> list[int]:
    """Draw the pictures, each by its own random number: a larger limit takes the same and more."""
    numbers = list(range(len(samples)))
    if settings.limit is None or settings.limit >= len(numbers):
        return numbers
    drawn = sorted(
        numbers, key=lambda number: (random_of(settings.seed, samples.keys[number]).random(), number)
    )
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
        self.found = Evaluation(self._setup(), {contender.name: contender.about for contender in contenders})
        self.warm: set[str] = set()
        self.lines: dict[str, int] = {}
        self.collected = CollectedFeatures()
        self.like: Thumbnails | None = None  # of the present picture

    def picture(self, number: int, *, steady: bool) -> None:
        """Do everything with one picture."""
        try:
            sample = self.samples.load(number)
        except ImageError as error:
            self.found.unreadable.append((self.samples.keys[number], str(error)))
            return
        self.lines[sample.lines] = self.lines.get(sample.lines, 0) + 1
        self.like = None
        of_truth = {features.key: features.feature_extractor(sample.truth) for features in self.sets}
        for protocol in self.settings.protocols:
            other = self._other(number) if protocol is Kind.OTHER else None
            if protocol is Kind.OTHER and other is None:
                continue
            given = give(protocol, sample, other, self.settings)
            for key, values in of_truth.items():
                self.collected.truths[protocol, key].append(values)
            for contender in self.contenders:
                row = self._color(
                    contender, protocol, sample, given, steady=steady and protocol is self._steady_protocol
                )
                self.found.rows.append(row if other is None else replace(row, other=other.key))

    @property
    def _steady_protocol(self) -> Kind:
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
        self, contender: Contender, protocol: Kind, sample: Sample, given: Given, *, steady: bool
    ) -> Row:
        """Colour a sample by a model; keep features and thumbnails of the result, return its figures."""
        conditions = _conditions(given, sheets=contender.colors.takes_sheets)
        if contender.name not in self.warm:
            contender.colors(
                sample.sketch, **conditions
            )  # what is set up on first use is not the picture's time
            self.warm.add(contender.name)
        start = time.perf_counter()
        colored = contender.colors(sample.sketch, **conditions)
        seconds = time.perf_counter() - start
        result = as_file(colored)
        figures = {**figures_of(result, sample, given), "seconds": seconds}
        for pair in self.pairs:
            if np.isfinite(value := pair.measure(result, sample.truth)):
                figures[pair.key] = float(value)
        if steady:
            figures["size_delta_e"] = self._between_sizes(contender, sample, conditions)
        trial = Trial(contender.name, protocol)
        for features in self.sets:
            self.collected.results[trial, features.key].append(features.feature_extractor(result))
        self.like = self.found.shown[(*trial, sample.key)] = thumbnails(sample, given, result, self.like)
        return Row(*trial, sample.key, sample.source, figures)

    def _between_sizes(self, contender: Contender, sample: Sample, conditions: Mapping[str, Any]) -> float:
        sketch = _enlarged(sample.sketch, max(self.settings.stability_sizes))
        small, large = (
            contender.colors(sketch, **conditions, work_size=side) for side in self.settings.stability_sizes
        )
        return size_difference(small, large)

    def _setup(self) -> Setup:
        settings = self.settings
        return Setup(
            protocols={kind: MEANING[kind] for kind in settings.protocols},
            short_side=settings.short_side,
            points=settings.points,
            reference_side=settings.reference_side,
            stability_sizes=settings.stability_sizes,
            stability_protocol=self._steady_protocol,
            seed=settings.seed,
            interval=f"95 per cent, {settings.resamples} resamples of the pictures",
            features={features.key: features.name for features in self.sets},
            measured_with={pair.key: pair.name for pair in self.pairs},
            figures={
                name: {"label": figure.label, "meaning": figure.meaning} for name, figure in FIGURES.items()
            },
        )

    def finish(self, numbers: Sequence[int]) -> None:
        """Say what all pictures together say."""
        found = self.found
        summarise(found, self.collected, [features.key for features in self.sets], self.settings)
        found.setup = replace(
            found.setup,
            data=self.samples.digest(numbers),
            pictures=len({row.key for row in found.rows}),
            sketches=dict(sorted(self.lines.items())),
        )


def _conditions(given: Given, *, sheets: bool) -> dict[str, Any]:
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
