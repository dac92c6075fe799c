"""One picture in an evaluation: coloured by every model under every protocol, and measured."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import cv2
import numpy as np

from sketchcolor_cli.errors import DataError, ImageError
from sketchcolor_cli.evaluation.models.figures import figures_of, size_difference
from sketchcolor_cli.evaluation.models.protocols import Given, give, random_of
from sketchcolor_cli.evaluation.models.samples import as_file
from sketchcolor_cli.evaluation.models.summary import Row, Trial
from sketchcolor_cli.evaluation.models.thumbnails import thumbnails
from sketchcolor_cli.evaluation.settings import EvaluateSettings
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


@dataclass(frozen=True)
class Task:
    """A picture to be measured: its number among the samples, its name, and whether sizes are compared."""

    number: int
    key: str
    steady: bool

    def __str__(self) -> str:
        return self.key


@dataclass(frozen=True)
class Means:
    """What is measured, and with what.

    Attributes:
        models: What the models are, by name.
        features: What distances of sets are measured with, by figure.
        pairs: Likewise for figures of pairs that not every installation gives.
        device: Where networks compute.
    """

    models: Mapping[str, Mapping[str, Any]]
    features: Mapping[str, str]
    pairs: Mapping[str, str]
    device: str


@dataclass(eq=False)
class Finding:
    """What was found of a picture.

    Attributes:
        key: The name of the picture.
        means: What it was measured with.
        problem: Why it could not be read.
        lines: Whose lines it has.
        rows: Its figures.
        truths: Its features, by kind.
        results: Those of each result.
        shown: The pictures of each result.
    """

    key: str
    means: Means
    problem: str = ""
    lines: str = ""
    rows: list[Row] = field(default_factory=list)
    truths: dict[str, NDArray[np.floating]] = field(default_factory=dict)
    results: dict[tuple[Trial, str], NDArray[np.floating]] = field(default_factory=dict)
    shown: dict[Trial, Thumbnails] = field(default_factory=dict)


class Measurer:
    """Measures pictures, one after the other; holds the networks."""

    def __init__(
        self,
        contenders: Sequence[Contender],
        samples: Samples,
        settings: EvaluateSettings,
        *,
        features: Sequence[FeatureSet] = (),
        pairs: Sequence[PairFigure] = (),
        device: str = "cpu",
    ) -> None:
        """Take what measures.

        Args:
            contenders: The models.
            samples: All pictures.
            settings: How is measured.
            features: Features of which those of one picture depend on it alone.
            pairs: Figures beside those that are always there.
            device: Where networks compute.

        Raises:
            DataError: Two models have one name.
        """
        names = [contender.name for contender in contenders]
        if len(set(names)) < len(names):
            raise DataError(f"{', '.join(names)}: two models have the same name; rename a file")
        self._contenders, self._samples, self._settings = contenders, samples, settings
        self._mates = samples.mates()
        self._sets, self._pairs = features, pairs
        self._means = Means(
            {contender.name: contender.about for contender in contenders},
            {features.key: features.name for features in self._sets},
            {pair.key: pair.name for pair in pairs},
            device,
        )
        self._warm: set[str] = set()

    def __call__(self, task: Task) -> Finding:
        """Do everything with one picture."""
        found = Finding(task.key, self._means)
        try:
            sample = self._samples.load(task.number)
        except ImageError as error:
            found.problem = str(error)
            return found
        found.lines = sample.lines
        found.truths = {features.key: features.feature_extractor(sample.truth) for features in self._sets}
        for protocol in self._settings.protocols:
            other = self._other(task.number) if protocol is Kind.OTHER else None
            if protocol is Kind.OTHER and other is None:
                continue
            given = give(protocol, sample, other, self._settings)
            steady = task.steady and protocol is self._settings.steady_protocol
            for contender in self._contenders:
                row = self._color(contender, protocol, sample, given, found, steady=steady)
                found.rows.append(row if other is None else replace(row, other=other.key))
        return found

    def _other(self, number: int) -> Sample | None:
        mates = self._mates[number]
        if not mates:
            return None
        chosen = random_of(self._settings.seed, self._samples.keys[number]).integers(len(mates))
        try:
            return self._samples.load(mates[int(chosen)])
        except ImageError:
            return None

    def _color(
        self,
        contender: Contender,
        protocol: Kind,
        sample: Sample,
        given: Given,
        found: Finding,
        *,
        steady: bool,
    ) -> Row:
        """Colour a sample by a model; add features and thumbnails of the result, return its figures."""
        conditions = _conditions(given, sheets=contender.colors.takes_sheets)
        if contender.name not in self._warm:
            contender.colors(
                sample.sketch, **conditions
            )  # what is set up on first use is not the picture's time
            self._warm.add(contender.name)
        start = time.perf_counter()
        colored = contender.colors(sample.sketch, **conditions)
        seconds = time.perf_counter() - start
        result = as_file(colored)
        figures = {**figures_of(result, sample, given), "seconds": seconds}
        for pair in self._pairs:
            if np.isfinite(value := pair.measure(result, sample.truth)):
                figures[pair.key] = float(value)
        if steady:
            figures["size_delta_e"] = self._between_sizes(contender, sample, conditions)
        trial = Trial(contender.name, protocol)
        for features in self._sets:
            found.results[trial, features.key] = features.feature_extractor(result)
        like = next(iter(found.shown.values()), None)
        found.shown[trial] = thumbnails(sample, given, result, like)
        return Row(*trial, sample.key, sample.source, figures)

    def _between_sizes(self, contender: Contender, sample: Sample, conditions: Mapping[str, Any]) -> float:
        sketch = _enlarged(sample.sketch, max(self._settings.stability_sizes))
        small, large = (
            contender.colors(sketch, **conditions, work_size=side) for side in self._settings.stability_sizes
        )
        return size_difference(small, large)


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
