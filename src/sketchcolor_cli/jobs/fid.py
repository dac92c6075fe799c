"""FID as one call: two sets of pictures, or one and the sketches that a model colours, to their distance."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sketchcolor_cli import environment
from sketchcolor_cli.compute import devices
from sketchcolor_cli.errors import ImageError, UsageError, WeightError
from sketchcolor_cli.evaluation.settings import FidSettings
from sketchcolor_cli.jobs.fingerprint import content_of
from sketchcolor_cli.jobs.outcome import Loading, Note, silent
from sketchcolor_cli.jobs.progress import Step
from sketchcolor_cli.jobs.settings import (
    backend_setting,
    device_setting,
    existing_weights,
    fid_weights_setting,
)
from sketchcolor_cli.settings import Settings, argument, part, setting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from sketchcolor_cli.coloring.colorizer import Colorizer
    from sketchcolor_cli.data.folder import FolderSet
    from sketchcolor_cli.evaluation.fid.fid import FidMeter, FidReport, Made
    from sketchcolor_cli.evaluation.fid.network import FeatureNetwork
    from sketchcolor_cli.evaluation.fid.statistics import Statistics
    from sketchcolor_cli.jobs.progress import Progress
    from sketchcolor_cli.networks.backend import Backends

TRUTH, NOTHING = "truth", "none"
"""What a model may see beside a sketch, where that is not a folder."""


@dataclass(frozen=True)
class FidRequest(Settings):
    """Which sets of pictures are compared, and how."""

    real: Path = argument(
        "Real pictures: a folder with all its subfolders, a ZIP or CBZ, or .npz statistics.", metavar="REAL"
    )
    generated: Path | None = argument(
        "Generated pictures, in the same forms; left out with --model or --save-stats.",
        default=None,
        metavar="[GENERATED]",
    )
    settings: FidSettings = part(FidSettings)
    device: str = device_setting()
    backend: str = backend_setting()
    save_stats: Path | None = setting(
        None, "Write the statistics of REAL to this .npz file, which pytorch-fid reads as well.", stored=False
    )
    model: str | None = setting(
        None,
        "Colour --sketches with this model, by name or file, instead of GENERATED.",
        complete="models",
        stored=False,
    )
    sketches: Path | None = setting(
        None, "With --model: the folder of sketches to be coloured.", stored=False
    )
    reference: str = setting(
        NOTHING,
        "With --model: what the model sees beside a sketch. truth is the picture of the same name in REAL at "
        "96×96 pixels, which is how the thesis measured; DIR is a folder with rough colourings of the same "
        "names.",
        metavar="truth|none|DIR",
        stored=False,
    )
    weights: Path | None = fid_weights_setting()  # noqa: RUF009  (a field, as setting makes)
    no_cache: bool = setting(
        False, "Measure again, and keep no statistics for the next time.", stored=False, matters=False
    )

    def __post_init__(self) -> None:
        """Refuse what makes no sense.

        Raises:
            UsageError: A value is out of its bounds, or two do not go together.
        """
        super().__post_init__()
        if (self.model is None) != (self.sketches is None):
            raise UsageError("--model and --sketches go together")
        if self.model is not None and self.generated is not None:
            raise UsageError("give either GENERATED, or --model and --sketches")
        if self.model is None and self.reference != NOTHING:
            raise UsageError("--reference goes with --model and --sketches")
        if self.model is None and self.generated is None and self.save_stats is None:
            raise UsageError("name the generated pictures too, or --model and --sketches, or --save-stats")
        if self.save_stats is not None and self.save_stats.suffix.lower() != ".npz":
            raise UsageError(f"--save-stats {self.save_stats}: choose a name that ends in .npz")


@dataclass(frozen=True)
class FidResult:
    """What was measured.

    Attributes:
        report: The distance; None where only statistics were asked for.
        saved: What is in the statistics file that was asked for, for JSON.
        unreadable: The pictures that cannot be read: name, and why.
        left_out: How many files of each ending are not read.
        model: The model that coloured, what it saw and its checksum, for JSON; empty without one.
    """

    report: FidReport | None = None
    saved: dict[str, Any] = field(default_factory=dict)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)
    model: dict[str, Any] = field(default_factory=dict)

    @property
    def distance(self) -> float:
        """The Fréchet distance.

        Raises:
            ValueError: Only statistics were asked for.
        """
        if self.report is None:
            raise ValueError("only statistics were asked for")
        return self.report.fid


def fid(request: FidRequest, progress: Progress = silent) -> FidResult:
    """Measure FID, the Fréchet inception distance: the lower, the more two sets of pictures look alike.

    >>> from sketchcolor_cli import FidRequest, fid
    >>> fid(FidRequest(Path("originals"), Path("colored"))).distance

    Args:
        request: The sets, and how they are compared.
        progress: Is told how many pictures of a set are done.

    Returns:
        The distance with all that one must know to compare it, and what could not be read.

    Raises:
        UsageError: There is no such folder, file or device.
        DataError: No picture of a set can be read, or statistics are of other features.
        WeightError: The network's weights are missing or damaged.
        CheckpointError: The colour model is.
    """
    environment.prepare_process(ours=False)
    for path in (request.real, request.generated, request.sketches):
        if path is not None and not path.exists():
            raise UsageError(f"{path}: no such folder or file; check the name")
    meter = _meter(request, progress)
    saved = None if request.save_stats is None else meter.save(request.real, request.save_stats)
    generated: Path | Made | None = request.generated
    if request.model is not None:
        generated = _colored(request, progress)
    if generated is None:
        if saved is None:
            raise UsageError("there is nothing to compare with")  # which no request asks for
        facts = {"statistics": str(request.save_stats), **_facts(saved.statistics)}
        return FidResult(saved=facts, unreadable=saved.unreadable, left_out=saved.left_out)
    report = meter.distance(request.real, generated)
    return FidResult(
        report, unreadable=report.unreadable, left_out=report.left_out, model=_about_model(request)
    )


def _meter(request: FidRequest, progress: Progress) -> FidMeter:
    from sketchcolor_cli.evaluation.fid.fid import FidMeter  # imports NumPy and SciPy
    from sketchcolor_cli.evaluation.fid.statistics import StatisticsCache

    path, checksum = _weights(request)

    def load() -> FeatureNetwork:
        if path is None:
            raise WeightError("the weights of the network are needed to measure pictures")
        progress(Loading())
        from sketchcolor_cli.evaluation.fid.network import open_network

        return open_network(path, request.settings.dims, _device(request), _backends(request, progress))

    return FidMeter(
        request.settings,
        load,
        checksum,
        cache=StatisticsCache(None if request.no_cache else environment.cache_folder() / "fid"),
        report=lambda done, total: progress(Step("measuring", done, total)),
    )


def _weights(request: FidRequest) -> tuple[Path | None, str]:
    """Return the file of weights and its checksum; statistics alone need none."""
    sides = [side for side in (request.real, request.generated) if side]
    if request.model is None and all(side.suffix.lower() == ".npz" for side in sides):
        return None, ""
    if request.weights is not None:
        path = existing_weights(request.weights)
        return path, f"file:{content_of(path)}"
    from sketchcolor_cli.weights.builtin import FID_INCEPTION

    store = environment.weight_store()
    store.require([FID_INCEPTION])
    path = store.find(FID_INCEPTION)
    return path, f"tensors:{store.record(FID_INCEPTION).digest}"


def _device(request: FidRequest) -> str:
    return devices.resolve(devices.for_backend(request.device, request.backend))


def _backends(request: FidRequest, progress: Progress) -> Backends:
    return environment.backends(request.backend, lambda line: progress(Note(line)))


def _facts(statistics: Statistics) -> dict[str, Any]:
    return {"n_real": statistics.moments.count, "about": dict(statistics.about or {})}


def _about_model(request: FidRequest) -> dict[str, Any]:
    """Return what must be known beside a distance to pictures that a model made."""
    if request.model is None:
        return {}
    path = environment.model_file(request.model)
    return {"model": path.stem, "model_sha256": content_of(path), "reference": request.reference}


def _colored(request: FidRequest, progress: Progress) -> Made:
    """Return the sketches as the model colours them, one by one."""
    from sketchcolor_cli.data.folder import FolderSet, list_files, match_lines
    from sketchcolor_cli.evaluation.fid.fid import Made

    if request.sketches is None:
        raise UsageError("--model and --sketches go together")
    files, folder = list_files([request.sketches]).files, _references(request)
    sketches = FolderSet(files, match_lines(files, folder, what="reference") if folder else None)
    color = _colorizer(request, progress)
    unreadable: list[tuple[str, str]] = []

    def make() -> Iterator[NDArray[np.uint8]]:
        for index in range(len(sketches)):
            try:
                yield _color_one(color, sketches, index, rough_too=request.reference == TRUTH)
            except ImageError as error:
                unreadable.append((sketches.keys[index], str(error)))

    return Made(len(sketches), make, unreadable)


def _references(request: FidRequest) -> Path | None:
    """Return the folder with a reference for each sketch."""
    if request.reference == NOTHING:
        return None
    folder = request.real if request.reference == TRUTH else Path(request.reference)
    if not folder.is_dir():
        raise UsageError(f"--reference {request.reference}: {folder} is not a folder")
    return folder


def _colorizer(request: FidRequest, progress: Progress) -> Colorizer:
    progress(Loading())
    from sketchcolor_cli.coloring.colorizer import Colorizer
    from sketchcolor_cli.coloring.settings import ColoredPages, ColorizeSettings

    device = _device(request)
    network = _backends(request, progress).load(environment.model_file(request.model or ""), device)
    # A scan on tinted paper, or the originals by mistake, must not be measured as they are.
    settings = ColorizeSettings(colored_pages=ColoredPages.REDO)
    return Colorizer(network, device, settings)


def _color_one(
    color: Callable[..., Any], sketches: FolderSet, index: int, *, rough_too: bool
) -> NDArray[np.uint8]:
    """Return one sketch in colour, (H, W, 3)."""
    from sketchcolor_cli.data.pictures import to_bytes
    from sketchcolor_cli.evaluation.models.protocols import rough
    from sketchcolor_cli.imaging.picture import Picture, on_paper

    reference = sketches.lines[index]
    given = reference.read() if reference else None
    if given is not None and rough_too:
        given = Picture(rough(on_paper(given)))
    return to_bytes(color(sketches.files[index].read(), given).rgb)
