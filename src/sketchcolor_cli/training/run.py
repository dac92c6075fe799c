"""One training run, from pictures to a model file; reads downward."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sketchcolor_cli import __version__
from sketchcolor_cli.errors import DataError, TrainingError
from sketchcolor_cli.model.checkpoint import save_model
from sketchcolor_cli.training import precision, presets
from sketchcolor_cli.training.config import TrainConfig, to_plain
from sketchcolor_cli.training.data import FolderDrawings, split
from sketchcolor_cli.training.files import load_state
from sketchcolor_cli.training.sources import expand_shards, read_shards
from sketchcolor_cli.worklist import build_worklist

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sketchcolor_cli.training.data import Sketch
    from sketchcolor_cli.training.pairs import Drawing

LICENCE = "as the licences of the training pictures allow; stated by whoever trained it"
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
    chosen = state["config"]["precision"] if state else precision.choose(config.precision, device)
    config = replace(config, precision=chosen)
    plain = to_plain(config)
    if state is not None and state["config"] != plain:
        raise TrainingError(f"{run}: cannot resume with other settings: {_difference(state['config'], plain)}")

    drawings = _open(data, run, config)
    learning, held_out = split(drawings, config.valid_share, config.seed)
    setup = presets.set_up(config, learning, held_out, sketch, device)
    run.mkdir(parents=True, exist_ok=True)
    (run / "config.json").write_text(json.dumps({"data": data, **plain}, indent=2) + "\n", encoding="utf-8")
    provenance = {"program": f"sketchcolor {__version__}", "pictures": len(learning), **plain}

    def keep(path: Path) -> None:
        save_model(path, setup.net, provenance=provenance, licence=LICENCE)

    from sketchcolor_cli.training import stages  # fastai takes seconds; bad input is told before

    stages.fit_pixel(setup, config, plain, run, device, state, report=report, stop=stop, keep=keep)
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
        return list(read_shards(expand_shards(data), short_side))
    jobs = build_worklist([Path(data)], run)
    pictures = [job.source for job in jobs]
    if not config.sketches:
        return FolderDrawings(pictures, short_side)
    found = {job.target.relative_to(run).with_suffix(""): job.source for job in build_worklist([Path(config.sketches)], run)}
    places = [job.target.relative_to(run).with_suffix("") for job in jobs]
    missing = [picture for picture, place in zip(pictures, places, strict=True) if place not in found]
    if missing:
        raise DataError(f"{missing[0]}: no sketch of this name in {config.sketches} ({len(missing)} pictures have none)")
    return FolderDrawings(pictures, short_side, [found[place] for place in places])


def _difference(before: dict[str, Any], now: dict[str, Any]) -> str:
    return ", ".join(
        f"{name} was {before.get(name)!r}, now {now.get(name)!r}"
        for name in sorted({*before, *now})
        if before.get(name) != now.get(name)
    )
