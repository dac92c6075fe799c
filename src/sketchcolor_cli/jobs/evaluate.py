"""Evaluating colour models as one call: models and coloured pictures to figures, a document and a report."""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path  # noqa: TC003  (the fields' types are looked up)
from typing import TYPE_CHECKING

from sketchcolor_cli import environment
from sketchcolor_cli.compute import devices, slim
from sketchcolor_cli.errors import UsageError, WeightError
from sketchcolor_cli.evaluation.settings import ENOUGH, EvaluateSettings
from sketchcolor_cli.files.atomic import write_error
from sketchcolor_cli.jobs.fingerprint import content_of
from sketchcolor_cli.jobs.outcome import Loading, Note, silent
from sketchcolor_cli.jobs.progress import Step
from sketchcolor_cli.jobs.settings import (
    backend_setting,
    device_setting,
    existing_weights,
    fid_weights_setting,
    method_setting,
    model_setting,
    ray_setting,
)
from sketchcolor_cli.jobs.sketches import array_sketcher
from sketchcolor_cli.settings import REQUIRED, Settings, part, setting

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from sketchcolor_cli.evaluation.models.measurer import Contender, FeatureSet, Measurer, PairFigure
    from sketchcolor_cli.evaluation.models.samples import Samples
    from sketchcolor_cli.evaluation.models.summary import Evaluation
    from sketchcolor_cli.jobs.progress import Progress
    from sketchcolor_cli.networks.backend import Backends
    from sketchcolor_cli.weights.spec import WeightFile

DOCUMENT, REPORT = "evaluation.json", "report.html"
"""The files of an evaluation."""


@dataclass(frozen=True)
class EvaluateRequest(Settings):
    """Which models are measured, on which pictures, and how."""

    data: str = setting(
        REQUIRED,
        "Coloured pictures: a folder, in which each subfolder is a group of like pictures, or shards such as "
        "`val-{000000..000003}.tar`.",
        stored=False,
    )
    output: Path = setting(
        REQUIRED, f"Folder for {DOCUMENT} and {REPORT}.", short="-o", stored=False, matters=False
    )
    model: str = model_setting()
    compare: tuple[str, ...] = setting(
        (), "Another model, put side by side with the first.", complete="models", stored=False
    )
    settings: EvaluateSettings = part(EvaluateSettings)
    sketches: Path | None = setting(
        None, "Folder with a sketch of the same name for each picture of the folder --data.", stored=False
    )
    method: str = method_setting()
    fid: bool = setting(True, "Measure FID and KID as well, which take long.")
    weights: Path | None = fid_weights_setting()  # noqa: RUF009  (a field, as setting makes)
    device: str = device_setting()
    backend: str = backend_setting()
    workers: int = setting(
        2,
        "With --ray, how many workers; without it, pictures are measured one after the other.",
        least=1,
        matters=False,
    )
    ray: str | None = ray_setting()


def evaluate(request: EvaluateRequest, progress: Progress = silent) -> Evaluation:
    """Evaluate a colour model under protocols that are written down, and compare it with others.

    >>> found = evaluate(EvaluateRequest(data="val-000000.tar", output=Path("evaluation"), fid=False))
    >>> found.summaries["default", "none"]["psnr"].mean

    Args:
        request: The models, the pictures, and where the results go.
        progress: Is told how many pictures are coloured, and what cannot be measured.

    Returns:
        All figures, as they are written to ``evaluation.json`` and, with pictures, ``report.html``.

    Raises:
        UsageError: The output cannot be written, a file of weights is missing, or there is no such cluster.
        DataError: There are no pictures, none can be read, a shard is missing, or two models have one name.
        CheckpointError: A model is missing or damaged.
        WorkerError: The worker of a picture was lost again and again.
    """
    environment.prepare_process(ours=False)
    _require_writable(request.output)  # or hours of work would end there
    network = _fid_weights(request, progress) if request.fid else None
    progress(Loading())
    slim.require_torch("evaluate")  # which computes all figures but distances of sets
    from sketchcolor_cli.compute.executor import Here
    from sketchcolor_cli.evaluation.models.run import evaluate as measure  # imports torch
    from sketchcolor_cli.jobs.executors import executor

    where = "Ray" if request.ray else _device(request)
    samples = _samples(request)
    models = [environment.model_file(name) for name in (request.model, *request.compare)]
    loading = _Loading(request, samples, models, network, _lpips_weights(progress))
    if request.ray is None:
        loading = replace(loading, note=lambda line: progress(Note(line)))
    with executor(request.ray, Here(), request.workers, 1, gpus=True) as chosen:
        found = measure(
            loading,
            samples,
            request.settings,
            executor=chosen,
            report=lambda done, total: progress(Step(f"evaluating on {where}", done, total)),
        )
    memory = None if request.ray else _peak_memory()
    found.setup = replace(found.setup, extractor=request.method, peak_memory_gb=memory)
    _write(found, request.output)
    if network is not None:
        _warn_of_few(found.setup.pictures, progress)
    return found


def _write(found: Evaluation, folder: Path) -> None:
    from sketchcolor_cli.evaluation.models.report import html_report
    from sketchcolor_cli.files import html

    html.write_text(folder / DOCUMENT, json.dumps(found.to_json(), indent=1) + "\n")
    html.write_text(folder / REPORT, html_report(found))


def _warn_of_few(count: int, progress: Progress) -> None:
    if count < ENOUGH:
        progress(
            Note(
                f"note: FID of {count} pictures is too large; compare it only with that of as many, or "
                "compare KID, which has no such bias"
            )
        )


def _require_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UsageError(f"--output {write_error(folder, error, UsageError)}") from error


def _fid_weights(request: EvaluateRequest, progress: Progress) -> Path | None:
    """Return the file of the FID network; without it the rest is measured all the same."""
    if request.weights is not None:
        return existing_weights(request.weights)
    from sketchcolor_cli.weights.builtin import FID_INCEPTION

    found = _stored([FID_INCEPTION], "FID and KID are", progress)
    return found[0] if found else None


def _lpips_weights(progress: Progress) -> list[Path] | None:
    """Return the files of the two parts of LPIPS; without them the rest is measured all the same."""
    from sketchcolor_cli.weights.builtin import LPIPS_HEADS, LPIPS_TRUNK

    return _stored([LPIPS_TRUNK, LPIPS_HEADS], "LPIPS is", progress)


def _stored(files: Sequence[WeightFile], figures_are: str, progress: Progress) -> list[Path] | None:
    """Return where weights lie; where some lack None, after a line that tells what is left out."""
    store = environment.weight_store()
    try:
        store.require(files)
    except WeightError as problem:
        progress(Note(f"note: {figures_are} left out; {problem}"))
        return None
    return [store.find(file) for file in files]


def _samples(request: EvaluateRequest) -> Samples:
    from sketchcolor_cli.data.opening import open_pictures
    from sketchcolor_cli.evaluation.models.samples import Samples

    pictures = open_pictures([request.data], sketches=request.sketches)
    sketcher = array_sketcher(request.method, devices.for_backend(request.device, request.backend))
    return Samples(pictures, sketcher, request.settings.short_side)


def _device(request: EvaluateRequest) -> str:
    """Return where this process is to compute, as torch names it."""
    device = devices.resolve(devices.for_backend(request.device, request.backend))
    environment.backends(request.backend).refuse_other_than(device)
    return device


@dataclass(frozen=True)
class _Loading:
    """What measures, as plain values, from which any process loads the networks.

    Attributes:
        request: What is asked for.
        samples: The pictures, in one order for all processes.
        models: The files of the models.
        fid: The weights of the FID network, if it shall measure.
        lpips: Likewise those of LPIPS.
        note: Called with a line for the user, where one sees it.
    """

    request: EvaluateRequest
    samples: Samples
    models: Sequence[Path]
    fid: Path | None
    lpips: Sequence[Path] | None
    note: Callable[[str], None] = silent

    def __call__(self) -> Measurer:
        from sketchcolor_cli.evaluation.models.measurer import Measurer

        request, device = self.request, _device(self.request)
        backends = environment.backends(request.backend, self.note)
        return Measurer(
            [_contender(path, device, backends) for path in self.models],
            self.samples,
            request.settings,
            features=_features(self.fid, device, backends),
            pairs=_pairs(self.lpips, device),
            device=device,
        )


def _contender(path: Path, device: str, backends: Backends) -> Contender:
    from sketchcolor_cli.coloring.arrays import ArrayColorizer
    from sketchcolor_cli.evaluation.models.measurer import Contender
    from sketchcolor_cli.networks.registry import read_header

    network, header = backends.load(path, device), read_header(path)
    facts = {
        "architecture": header.architecture,
        "parameters": header.parameters,
        "sha256": content_of(path),
    }
    # every run of training writes its model.safetensors, so that the run's folder says more
    run = path.resolve().parent.name
    return Contender(
        run if path.stem == "model" and run else path.stem, ArrayColorizer(network, device), facts
    )


def _features(network: Path | None, device: str, backends: Backends) -> list[FeatureSet]:
    from sketchcolor_cli.evaluation.models.bundled import BundledFeatures
    from sketchcolor_cli.evaluation.models.measurer import FeatureSet

    bundled = BundledFeatures()
    found = [FeatureSet(bundled.name, "frechet", bundled)]
    if network is not None:
        from sketchcolor_cli.evaluation.fid.features import FidFeatures

        inception = FidFeatures(network, device=device, backends=backends)
        found.append(FeatureSet(inception.name, "fid", inception))
    return found


def _pairs(files: Sequence[Path] | None, device: str) -> list[PairFigure]:
    if files is None:
        return []
    import torch

    from sketchcolor_cli.evaluation.models.lpips import NAME, load_lpips
    from sketchcolor_cli.evaluation.models.measurer import PairFigure
    from sketchcolor_cli.imaging.picture import to_tensor

    trunk, heads = files
    distance = load_lpips(trunk, heads, device)

    @torch.inference_mode()
    def measure(result: NDArray[np.float32], truth: NDArray[np.float32]) -> float:
        return float(distance(to_tensor(result).to(device), to_tensor(truth).to(device)))

    return [PairFigure(NAME, "lpips", measure)]


def _peak_memory() -> float | None:
    """Return the most memory that this process has had, in GB; None where the system does not say."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = 1 if sys.platform == "darwin" else 1024  # bytes
    return round(most * unit / 1e9, 3)
