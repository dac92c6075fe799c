"""One training run, from pictures to a model file: its stages one after the other; reads downward."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from sketchcolor_cli.compute import precision
from sketchcolor_cli.errors import TrainingError, UsageError
from sketchcolor_cli.networks.base import ColorNet
from sketchcolor_cli.networks.checkpoint import load_model
from sketchcolor_cli.training import opening
from sketchcolor_cli.training.files import load_state, write_text
from sketchcolor_cli.training.loop.context import Context
from sketchcolor_cli.training.loop.ranks import Ranks
from sketchcolor_cli.training.material import open_pictures, set_up
from sketchcolor_cli.training.settings import STAGES as ORDER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from sketchcolor_cli.training.loop.data import Sketch
    from sketchcolor_cli.training.material import Material, Pictures
    from sketchcolor_cli.training.settings import TrainSettings
    from sketchcolor_cli.training.stages import Stage


@dataclass(frozen=True)
class Run:
    """What is trained, on what, and where the files of the run go."""

    data: Sequence[str]
    """Folders of coloured pictures, pictures, or tar shards (``train-{000000..000003}.tar``)."""
    folder: Path
    """Holds run.toml, metrics.csv, sheets/, checkpoint.pt and the networks; it need not exist yet."""
    config: TrainSettings
    device: str
    """Where to train, as torch names it."""
    sketch: Sketch | None = None
    """Draws the lines of a picture, (H, W, 3) to (H, W), when an extractor was asked for."""
    ranks: Ranks = field(default_factory=Ranks)
    """Which of several processes this one is."""


def train(
    run: Run, *, resume: bool, report: Callable[[dict[str, Any]], None], stop: Callable[[], bool]
) -> dict[str, Any]:
    """Do the stages of a run, each of which writes ``STAGE.safetensors`` into its folder.

    best.safetensors is the network of the lowest held-out loss in the last stage, and after adversarial the
    best generator; model.safetensors is the painting network at the end.

    Args:
        run: What is trained.
        resume: Go on from checkpoint.pt in its folder, to the same numbers as an unbroken run.
        report: Called with a dict whose ``event`` is "step", "epoch", "busy" (work of another kind, with
            ``what``, ``done`` and ``total``) or "skipped".
        stop: Asked after every step; when true the state is saved and KeyboardInterrupt raised.

    Returns:
        The run's summary: counts of pictures, device, precision, and the paths of the networks.

    Raises:
        DataError: pictures are missing or do not fit together.
        TrainingError: there is a run already, none to resume, another configuration, or the loss is NaN.
    """
    run, state = _begin(run, resume=resume)
    pictures = open_pictures(run.data, run.folder, run.config, run.sketch)
    _refuse_other_pictures(run.data, pictures, state)
    material = set_up(run.data, run.folder, run.config, pictures, run.device)
    context = Context(
        run.folder, run.config, run.device, pictures.found, pictures.counts["pictures"], state,
        Reports(run.folder, report), lambda: run.ranks.any(stop(), run.device), run.ranks,
    )  # fmt: skip
    _read(context, pictures)
    _write_settings(context, run.data)
    _run_stages(context, material)
    summary = _finish(context, material)
    run.ranks.leave()
    return {**pictures.counts, **summary}


def _begin(run: Run, *, resume: bool) -> tuple[Run, dict[str, Any] | None]:
    """Join the other processes; return the run with what was to be chosen, and the checkpoint, if any."""
    if run.ranks.count > 1 and "adversarial" in run.config.stages:
        raise UsageError("--stages adversarial: generator and critic play in one process; run it alone")
    run.ranks.join(run.device)
    state = _state(run.folder, resume=resume)
    run = replace(run, config=_with_precision(run, state))
    _refuse_other_settings(run.folder, run.config, state)
    run.ranks.wait()
    return run, state


class Reports:
    """Passes on what is reported; after an epoch also the pictures that have turned out to be broken."""

    def __init__(self, run: Path, report: Callable[[dict[str, Any]], None]) -> None:
        self.run, self.report, self.named = run, report, 0

    def __call__(self, event: dict[str, Any]) -> None:
        """Report what happened."""
        self.report(event)
        if event["event"] == "epoch":
            for message in opening.skipped(self.run)[self.named :]:
                self.named += 1
                self.report({"event": "skipped", "message": message})


def _write_settings(context: Context, data: Sequence[str]) -> None:
    if context.ranks.first:
        text = f"# Trained on {' '.join(data)}\n{context.config.toml()}"
        write_text(context.run / "run.toml", text)


def _read(context: Context, pictures: Pictures) -> None:
    """Read what stands in shards and books, before anything else takes its time."""
    for opened in pictures.opened:
        opened.decode(partial(context.busy, "reading pictures", len(opened)))


def _run_stages(context: Context, material: Material) -> None:
    """Run each stage, or take up the network of one that was done before the run stopped."""
    from sketchcolor_cli.training.loop.learner import fit  # fastai takes seconds; bad input is told before
    from sketchcolor_cli.training.stages import STAGES

    for name in context.config.stages:
        stage: Stage = STAGES[name]
        if context.state is not None and ORDER.index(name) < ORDER.index(context.state["stage"]):
            if stage.paints:
                done = load_model(context.network(name), ColorNet)[0]
                material.setup.net.load_state_dict(done.state_dict())
            continue
        work = stage.build(context, material)
        fit(context, work)
        if stage.finish is not None:
            stage.finish(context, material)
        context.save(context.network(name), work.network, **work.facts)
        context.ranks.wait()


def _finish(context: Context, material: Material) -> dict[str, Any]:
    """Write the last painting network as the run's model; return what the run has made."""
    from sketchcolor_cli.training.stages import STAGES

    names = context.config.stages
    if any(STAGES[name].paints for name in names):
        model = context.run / "model.safetensors"
        context.save(model, material.setup.net, half=context.config.half or context.config.finetune)
    else:
        model = context.network(names[-1])
    return {
        "device": context.device,
        "precision": context.config.precision,
        "networks": {name: str(context.network(name)) for name in names},
        "model": str(model),
        "skipped": len(opening.skipped(context.run)),
    }


def _state(run: Path, *, resume: bool) -> dict[str, Any] | None:
    """Return the checkpoint to go on from; None where the run begins."""
    if run.is_file():
        raise TrainingError(f"{run}: is a file; name a folder for the run")
    file = run / "checkpoint.pt"
    if not file.exists():  # jobs on machines that may be taken away always say --resume
        return None
    if not resume:
        raise TrainingError(f"{run}: holds a training run already; use --resume, or another folder")
    return load_state(file)


def _with_precision(run: Run, state: Mapping[str, Any] | None) -> TrainSettings:
    """Return the settings with the number format that is used, where it is to be chosen."""
    if run.config.precision != "auto":
        return run.config
    chosen = state["config"]["precision"] if state else run.ranks.from_first(precision.choose(run.device))
    return replace(run.config, precision=chosen)


def _refuse_other_settings(run: Path, config: TrainSettings, state: Mapping[str, Any] | None) -> None:
    if state is None:
        return
    before = {**type(config)().binding(), **state["config"]}  # what was not there yet was as it is by default
    if before != config.binding():
        raise TrainingError(
            f"{run}: cannot resume with other settings: {_difference(before, config.binding())}"
        )


def _refuse_other_pictures(data: Sequence[str], pictures: Pictures, state: Mapping[str, Any] | None) -> None:
    if state is not None and state["pictures"] != pictures.found:
        raise TrainingError(
            f"{data[0]}: has {pictures.found} pictures now and had {state['pictures']} when the run began; "
            "resuming needs the same"
        )


def _difference(before: dict[str, Any], now: dict[str, Any], of: str = "") -> str:
    """Return in words what differs between settings, also within tables."""
    found = []
    for name in sorted({*before, *now}):
        was, is_now = before.get(name), now.get(name)
        if isinstance(was, dict) and isinstance(is_now, dict):
            found += [_difference(was, is_now, f"{name} ")] if was != is_now else []
        elif was != is_now:
            found.append(f"{of}{name} was {was!r}, now {is_now!r}")
    return ", ".join(found)
