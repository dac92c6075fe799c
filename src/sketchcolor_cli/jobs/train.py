"""Training as one call: pictures and settings to the files of a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from zlib import crc32

from sketchcolor_cli import environment
from sketchcolor_cli.compute import devices
from sketchcolor_cli.errors import DataError, UsageError
from sketchcolor_cli.files.regular import parse_document, read_bytes
from sketchcolor_cli.jobs.settings import device_setting
from sketchcolor_cli.networks.registry import read_header
from sketchcolor_cli.settings import REQUIRED, Settings, argument, build, from_table, part, setting
from sketchcolor_cli.training.settings import TrainSettings, on_preset

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from sketchcolor_cli.training.loop.ranks import Ranks

Progress = Callable[[dict[str, Any]], None]
"""Is told what happens: a dict whose ``event`` is "step", "epoch", "busy", "look" or "skipped"."""


@dataclass(frozen=True)
class TrainRequest(Settings):
    """One training run."""

    data: tuple[str, ...] = argument(
        "Folder of coloured pictures, pictures, or tar shards such as 'train-{000000..000003}.tar'.",
        metavar="DATA...",
    )
    output: Path = setting(
        REQUIRED, "Folder of the run, which need not exist yet.", short="-o", metavar="RUN", stored=False
    )
    settings: TrainSettings = part(TrainSettings)
    config: Path | None = setting(
        None, "TOML file with the names of these options; options given here take precedence.", stored=False
    )
    device: str = device_setting()
    resume: bool = setting(
        False, "Go on where a run stopped: from its last checkpoint, if there is one.", matters=False
    )

    @classmethod
    def resolve(cls, given: Mapping[str, Any], stored: Mapping[str, Any] | None = None) -> Self:
        """Return the request: what is given takes precedence over --config, that over what is stored.

        The rest is the preset's; where none is named, that which trains the network of ``--from``.

        Raises:
            UsageError: A file cannot be read, or a value makes no sense.
            CheckpointError: There is no such model.
        """
        values = {**(stored or {}), **read_config(given.get("config")), **given}
        if values.get("from_"):
            values["from_"] = str(environment.model_file(values["from_"]))
            if "preset" not in values:
                values = {**_network_of(Path(values["from_"])), **values}
        return build(cls, on_preset(values))


def read_config(path: Path | None) -> dict[str, Any]:
    """Return what a TOML file sets, by name; nothing without a file.

    Raises:
        UsageError: It cannot be read, or sets something that makes no sense.
    """
    if path is None:
        return {}
    try:
        table = parse_document(read_bytes(path), str(path), toml=True)
    except DataError as problem:
        raise UsageError(f"--config {problem}") from problem
    try:
        return from_table(TrainRequest, table)
    except UsageError as problem:
        raise UsageError(f"--config {path}: {problem}") from problem


def _network_of(model: Path) -> dict[str, Any]:
    """Return the preset that trains a model's network, and its colour space."""
    header = read_header(model)
    preset = "thesis" if header.architecture == "thesis-unet" else "fast"
    space = header.config.get("output_space")
    return {"preset": preset, **({"output_space": str(space)} if space else {})}


def train(
    request: TrainRequest, progress: Progress | None = None, *, stop: Callable[[], bool] | None = None
) -> dict[str, Any]:
    """Train a colour model; the files of the run are those of docs/training.md.

    Args:
        request: What to train on, where the run goes, and how.
        progress: Is told of steps, epochs and pictures that could not be read.
        stop: Asked after every step; when it says so the state is saved and KeyboardInterrupt raised.

    Returns:
        Counts of pictures, device, precision, the path of each stage's network and of the ``model``.

    Raises:
        UsageError: A setting makes no sense here.
        DataError: Pictures are missing or do not fit together.
        TrainingError: There is a run already, or one with other settings to resume; or the loss became NaN.
        WeightError: The extractor's weights are not there.
    """
    environment.prepare_process(ours=False)
    return prepare(request).run(progress, stop)


@dataclass(frozen=True)
class Prepared:
    """A run that can begin: libraries and extractor are loaded."""

    request: TrainRequest
    device: str
    """Where it trains, as torch names it."""
    ranks: Ranks
    """Which of the processes that were started together this one is."""
    sketch: Callable[[NDArray[np.float32]], NDArray[np.float32]] | None
    """Draws the lines of a picture, where an extractor was asked for."""

    def run(self, progress: Progress | None = None, stop: Callable[[], bool] | None = None) -> dict[str, Any]:
        """Train; see :func:`train`."""
        from sketchcolor_cli.training import run  # imports torch

        request = self.request
        return run.train(
            run.Run(request.data, request.output, request.settings, self.device, self.sketch, self.ranks),
            resume=request.resume,
            report=progress or (lambda _event: None),
            stop=stop or (lambda: False),
        )


def prepare(request: TrainRequest) -> Prepared:
    """Load what training needs: libraries and, where sketches are to be drawn, the extractor.

    Raises:
        UsageError: The device, or a parameter of the extractor, is not one.
        DeviceError: This computer has no such device.
        PluginError: There is no such extractor.
        WeightError: The extractor's weights are not there.
    """
    device = devices.resolve(request.device)
    method = request.settings.method
    sketch = sketcher(method) if method else None
    rank, count, local = environment.process_ranks()
    if count > 1 and device == "cuda":
        device = f"cuda:{local}"
    from sketchcolor_cli.training.loop.ranks import Ranks  # imports torch

    return Prepared(request, device, Ranks(rank, count), sketch)


def sketcher(method: str) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """Return a function from a picture (H, W, 3) to its sketch (H, W), by one extractor or several.

    Of several with commas, each picture has one, chosen by its own bytes. Those joined by plus signs are
    mixed, in random shares that differ from picture to picture.

    Raises:
        PluginError: There is no such extractor.
        WeightError: Its weights are not there.
    """
    from sketchcolor_cli.plugin.discovery import find_extractors

    extractors, store = find_extractors(), environment.weight_store()
    chosen: list[tuple[str, list[str]]] = []
    for name in method.split(","):
        mixed = "+" in name
        mix = [f"mix=random:{name.replace('+', ',')}"] if mixed else []
        chosen.append(("avg" if mixed else name, mix))
    for name, mix in chosen:
        store.require(extractors.weights(name, mix))
    from sketchcolor_cli.extraction.loader import Loader  # imports torch
    from sketchcolor_cli.imaging.picture import Picture

    loader = Loader(extractors, find_weight=store.find)
    drawers = [loader.load(name, mix) for name, mix in chosen]

    def draw(rgb: NDArray[np.float32]) -> NDArray[np.float32]:
        drawer = drawers[crc32(rgb.tobytes()) % len(drawers)]
        return drawer.sketch(Picture(rgb)).rgb[..., 0]

    return draw
