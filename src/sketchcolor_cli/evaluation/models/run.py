"""Evaluating colour models: every picture, under every protocol, by every model."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sketchcolor_cli.errors import DataError
from sketchcolor_cli.evaluation.models.figures import FIGURES
from sketchcolor_cli.evaluation.models.measurer import Task
from sketchcolor_cli.evaluation.models.protocols import random_of
from sketchcolor_cli.evaluation.models.summary import CollectedFeatures, Evaluation, Setup, summarise
from sketchcolor_cli.evaluation.settings import MEANING

if TYPE_CHECKING:
    from collections.abc import Callable

    from sketchcolor_cli.compute.executor import Executor
    from sketchcolor_cli.evaluation.models.measurer import Finding, Means
    from sketchcolor_cli.evaluation.models.samples import Samples
    from sketchcolor_cli.evaluation.settings import EvaluateSettings


def evaluate(
    load: Callable[[], Callable[[Task], Finding]],
    samples: Samples,
    settings: EvaluateSettings,
    *,
    executor: Executor,
    report: Callable[[int, int], None] = lambda _done, _total: None,
) -> Evaluation:
    """Colour the samples with every model under every protocol, and measure the results.

    All but the times is the same whenever models, data and settings are.

    Args:
        load: Returns what measures a picture, a :class:`Measurer` of these samples and settings.
        samples: The pictures.
        settings: How they are measured.
        executor: Where that happens. What the pictures say together is found here.
        report: Is told how many of how many pictures are coloured.

    Raises:
        DataError: no picture can be read, two models have one name, or pictures were measured with different
            files.
    """
    numbers = _chosen(samples, settings)
    tasks = [
        Task(number, samples.keys[number], steady=count < settings.stability_limit)
        for count, number in enumerate(numbers)
    ]
    gathered = None
    for done, finding in enumerate(executor.map(load, tasks), start=1):
        gathered = gathered or _Gathered(finding.means, settings)
        gathered.add(finding)
        each = len(finding.means.models) * len(settings.protocols)
        report(done * each, len(tasks) * each)
    if gathered is None or not gathered.found.rows:
        unreadable = gathered.found.unreadable if gathered else []
        if unreadable:
            reason = f"; {unreadable[0][1]}"
        else:  # the protocol of others is the only one that a picture may not allow
            reason = "; none has another picture in its group, such as its subfolder"
        raise DataError(f"no picture of {len(numbers)} could be evaluated{reason}")
    return gathered.finish(samples.digest(numbers))


def _chosen(samples: Samples, settings: EvaluateSettings) -> list[int]:
    """Draw the pictures, each by its own random number: a larger limit takes the same and more."""
    numbers = list(range(len(samples)))
    if settings.limit is None or settings.limit >= len(numbers):
        return numbers
    drawn = sorted(
        numbers, key=lambda number: (random_of(settings.seed, samples.keys[number]).random(), number)
    )
    return sorted(drawn[: settings.limit])


class _Gathered:
    """What is found so far."""

    def __init__(self, means: Means, settings: EvaluateSettings) -> None:
        self._means, self._settings = means, settings
        self.found = Evaluation(_setup(means, settings), dict(means.models))
        self._devices = {means.device: None}
        self._lines: dict[str, int] = {}
        self._features = CollectedFeatures()

    def add(self, finding: Finding) -> None:
        """Take in what was found of a picture."""
        if replace(finding.means, device=self._means.device) != self._means:
            raise DataError(f"{finding.key}: measured with other models or weights than the pictures before")
        self._devices[finding.means.device] = None
        if finding.problem:
            self.found.unreadable.append((finding.key, finding.problem))
            return
        self._lines[finding.lines] = self._lines.get(finding.lines, 0) + 1
        for protocol in dict.fromkeys(row.protocol for row in finding.rows):
            for kind, values in finding.truths.items():
                self._features.truths[protocol, kind].append(values)
        for key, values in finding.results.items():
            self._features.results[key].append(values)
        self.found.rows += finding.rows
        self.found.shown.update({(*trial, finding.key): shown for trial, shown in finding.shown.items()})

    def finish(self, digest: str) -> Evaluation:
        """Say what all pictures together say; ``digest`` is that of the data."""
        found = self.found
        summarise(found, self._features, list(self._means.features), self._settings)
        found.setup = replace(
            found.setup,
            data=digest,
            pictures=len({row.key for row in found.rows}),
            sketches=dict(sorted(self._lines.items())),
            device=", ".join(self._devices),
        )
        return found


def _setup(means: Means, settings: EvaluateSettings) -> Setup:
    return Setup(
        protocols={kind: MEANING[kind] for kind in settings.protocols},
        short_side=settings.short_side,
        points=settings.points,
        reference_side=settings.reference_side,
        stability_sizes=settings.stability_sizes,
        stability_protocol=settings.steady_protocol,
        seed=settings.seed,
        interval=f"95 per cent, {settings.resamples} resamples of the pictures",
        features=means.features,
        measured_with=means.pairs,
        figures={
            name: {"label": figure.label, "meaning": figure.meaning} for name, figure in FIGURES.items()
        },
    )
