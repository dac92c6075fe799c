"""One training run, from pictures to a model file; reads downward."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sketchcolor_cli import __version__, precision
from sketchcolor_cli.errors import DataError, TrainingError
from sketchcolor_cli.model.checkpoint import save_model
from sketchcolor_cli.training import presets
from sketchcolor_cli.training.config import TrainConfig, to_plain
from sketchcolor_cli.training.data import FolderDrawings, Sketched, split
from sketchcolor_cli.training.files import load_state, write_text
from sketchcolor_cli.training.sources import expand_shards, read_shards
from sketchcolor_cli.worklist import build_worklist

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sketchcolor_cli.training.data import Sketch
    from sketchcolor_cli.training.pairs import Drawing

LICENCE = "as the licences of the training pictures allow; stated by whoever trained it"
_FREE = ("workers", "checkpoint_minutes")  # settings that do not change the numbers
_ROOM = 1.25  # pictures are kept this much larger than the training size, for crops


def train(
    data: str,
    run: Path,
    config: TrainConfig,
    *,
    device: str,
    resume: bool,
    sketch: Sketch | None,
    report: Callable[[dict[str, Any]], None],
    stop: Callable[[], bool],
) -> dict[str, Any]:
    """Train a model and write it to ``run/model.safetensors``.

    Args:
        data: A folder of coloured pictures, or tar shards (``train-{000000..000003}.tar``).
        run: Folder of the run: config.json, metrics.csv, sheets/, checkpoint.pt, best and last model.
        config: What the run is told.
        device: Where to train, as torch names it.
        resume: Go on from run/checkpoint.pt, to the same numbers as an unbroken run.
        sketch: Draws the lines of a picture, (H, W, 3) to (H, W), when an extractor was asked for.
        report: Called with a dict per step (``event`` = "step") and per epoch ("epoch").
        stop: Asked after every step; when true the state is saved and KeyboardInterrupt raised.

    Returns:
        The run's summary: counts of pictures, device, precision, and the model's path.

    Raises:
        DataError: pictures are missing or do not fit together.
        TrainingError: there is a run already, none to resume, another configuration, or the loss is NaN.
    """
    state = load_state(run / "checkpoint.pt") if resume else None
    if state is None and (run / "checkpoint.pt").exists():
        raise TrainingError(f"{run}: holds a training run already; use --resume, or another folder")
    if config.precision == "auto":
        chosen = state["config"]["precision"] if state else precision.choose(device)
        config = replace(config, precision=chosen)
    plain = to_plain(config)
    binding = {name: value for name, value in plain.items() if name not in _FREE}
    if state is not None and state["config"] != binding:
        raise TrainingError(
            f"{run}: cannot resume with other settings: {_difference(state['config'], binding)}"
        )

    drawings = _open(data, run, config)
    if state is not None and state["pictures"] != len(drawings):
        raise TrainingError(
            f"{data}: has {len(drawings)} pictures now and had {state['pictures']} when the run began; "
            "resuming needs the same"
        )
    if sketch is not None:
        drawings = Sketched(drawings, sketch)
    learning, held_out = split(drawings, config.valid_share, config.seed)
    setup = presets.set_up(config, learning, held_out, device)
    write_text(run / "config.json", json.dumps({"data": data, **plain}, indent=2) + "\n")
    provenance = {"program": f"sketchcolor {__version__}", "pictures": len(learning), **plain}

    def keep(path: Path) -> None:
        save_model(path, setup.net, provenance=provenance, licence=LICENCE)

    from sketchcolor_cli.training import stages  # fastai takes seconds; bad input is told before

    settings = {"config": binding, "pictures": len(drawings)}
    stages.fit_pixel(setup, config, settings, run, device, state, report=report, stop=stop, keep=keep)
    keep(run / "model.safetensors")
    return {
        "pictures": len(learning),
        "held_out": len(held_out),
        "device": device,
        "precision": config.precision,
        "model": str(run / "model.safetensors"),
    }


def _open(data: str, run: Path, config: TrainConfig) -> Sequence[Drawing]:
    short_side = int(config.size * _ROOM)
    if data.endswith(".tar"):
        if config.sketches:
            raise DataError(f"{data}: shards bring their own sketches; leave out --sketches")
        return list(read_shards(expand_shards(data), short_side))
    pictures = _by_place(data, run)
    if not config.sketches:
        return FolderDrawings(list(pictures.values()), short_side)
    found = {place.with_suffix(""): path for place, path in _by_place(config.sketches, run).items()}
    missing = [path for place, path in pictures.items() if place.with_suffix("") not in found]
    if missing:
        raise DataError(
            f"{missing[0]}: no sketch of this name in {config.sketches} ({len(missing)} pictures have none)"
        )
    sketches = [found[place.with_suffix("")] for place in pictures]
    return FolderDrawings(list(pictures.values()), short_side, sketches)


def _by_place(folder: str, run: Path) -> dict[Path, Path]:
    """Return the pictures of a folder by their place in it; those of ``run`` do not count."""
    return {job.target.relative_to(run): job.source for job in build_worklist([Path(folder)], run)}


def _difference(before: dict[str, Any], now: dict[str, Any]) -> str:
    return ", ".join(
        f"{name} was {before.get(name)!r}, now {now.get(name)!r}"
        for name in sorted({*before, *now})
        if before.get(name) != now.get(name)
    )
