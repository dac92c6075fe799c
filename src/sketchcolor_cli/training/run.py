"""One training run, from pictures to a model file: its stages one after the other; reads downward."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sketchcolor_cli import __version__
from sketchcolor_cli.compute import precision
from sketchcolor_cli.errors import TrainingError, UsageError
from sketchcolor_cli.networks.base import ColorNet
from sketchcolor_cli.networks.checkpoint import load_critic, load_model, save_model
from sketchcolor_cli.networks.loading import load_perceptual
from sketchcolor_cli.training import opening, presets
from sketchcolor_cli.training.files import load_state, write_text
from sketchcolor_cli.training.loop.data import Subset, repeat, split
from sketchcolor_cli.training.loop.ranks import Ranks
from sketchcolor_cli.training.pairs import classes
from sketchcolor_cli.training.settings import STAGES, TrainSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sketchcolor_cli.networks.perceptual import Perceptual
    from sketchcolor_cli.training.loop.data import Sketch
    from sketchcolor_cli.training.loop.learner import Context

LICENCE = "as the licences of the training pictures allow; stated by whoever trained it"
_LESSON = 32  # pairs in an epoch of fine-tuning, at least
_PAINTING = ("pixel", "perceptual", "adversarial")  # stages that teach the painting network


def train(
    data: Sequence[str],
    run: Path,
    config: TrainSettings,
    *,
    device: str,
    resume: bool,
    sketch: Sketch | None,
    report: Callable[[dict[str, Any]], None],
    stop: Callable[[], bool],
    ranks: Ranks | None = None,
) -> dict[str, Any]:
    """Run the stages of ``config``; each writes its network to ``run/STAGE.safetensors``.

    Args:
        data: Folders of coloured pictures, pictures, or tar shards (``train-{000000..000003}.tar``).
        run: Folder of the run: run.toml, metrics.csv, sheets/, checkpoint.pt, the networks of the stages, and
            of the one that paints the best and the last, best.safetensors and model.safetensors.
        config: What the run is told.
        device: Where to train, as torch names it.
        resume: Go on from run/checkpoint.pt, to the same numbers as an unbroken run.
        sketch: Draws the lines of a picture, (H, W, 3) to (H, W), when an extractor was asked for.
        report: Called with a dict per step (``event`` = "step"), per epoch ("epoch"), and where work of
            another kind goes on ("busy", with ``what``, ``done`` and ``total``).
        stop: Asked after every step; when true the state is saved and KeyboardInterrupt raised.
        ranks: Which of several processes this one is, where torchrun or accelerate has started several.

    Returns:
        The run's summary: counts of pictures, device, precision, and the path of each stage's network.

    Raises:
        DataError: pictures are missing or do not fit together.
        TrainingError: there is a run already, none to resume, another configuration, or the loss is NaN.
    """
    ranks = ranks or Ranks()
    if ranks.count > 1 and "adversarial" in config.stages:
        raise UsageError("--stages adversarial: generator and critic play in one process; run it alone")
    ranks.join(device)
    state = load_state(run / "checkpoint.pt") if resume else None
    if state is None and (run / "checkpoint.pt").exists():
        raise TrainingError(f"{run}: holds a training run already; use --resume, or another folder")
    if config.precision == "auto":
        chosen = state["config"]["precision"] if state else ranks.from_first(precision.choose(device))
        config = replace(config, precision=chosen)
    binding = config.binding()
    if state is not None and state["config"] != binding:
        raise TrainingError(
            f"{run}: cannot resume with other settings: {_difference(state['config'], binding)}"
        )

    ranks.wait()
    chain = Chain(data, run, config, device, state, sketch, report, stop, ranks)
    chain.open()
    if ranks.first:
        write_text(run / "run.toml", f"# Trained on {' '.join(data)}\n{config.toml()}")
    for stage in config.stages:
        if state is not None and STAGES.index(stage) < STAGES.index(state["stage"]):
            chain.recall(stage)
        else:
            getattr(chain, stage)()
            ranks.wait()
    facts = chain.finish()
    ranks.leave()
    return facts


class Chain:
    """The stages of a run, and what they hand on to each other."""

    def __init__(
        self,
        data: Sequence[str],
        run: Path,
        config: TrainSettings,
        device: str,
        state: dict[str, Any] | None,
        sketch: Sketch | None,
        report: Callable[[dict[str, Any]], None],
        stop: Callable[[], bool],
        ranks: Ranks,
    ) -> None:
        self.ranks = ranks
        self.data, self.run, self.config, self.device = data, run, config, device
        self.state, self.sketch, self.report, self.stop = state, sketch, report, stop
        self.named = 0
        self.facts: dict[str, Any] = {"device": device, "precision": config.precision}

    def open(self) -> None:
        """Find pictures, and build the painting network; bad input is told here, before anything is written.

        Raises:
            DataError: pictures are missing or do not fit together.
            TrainingError: they are not those that the run began with.
        """
        config = self.config
        self.drawings = drawings = opening.open_drawings(self.data, self.run, config, self.sketch)
        if self.state is not None and self.state["pictures"] != len(drawings):
            raise TrainingError(
                f"{self.data[0]}: has {len(drawings)} pictures now and had {self.state['pictures']} when the "
                "run began; resuming needs the same"
            )
        if config.finetune:  # what was learnt is what shall be painted, so all is measured, nothing held out
            learning, held_out = repeat(drawings, _LESSON), Subset(drawings, range(len(drawings)))
            self.facts |= {"pictures": len(drawings), "held_out": 0}
        else:
            learning, held_out = split(drawings, config.valid_share, config.seed)
            self.facts |= {"pictures": len(learning), "held_out": len(held_out)}
        if "vgg" in config.stages:
            self.classes = self._classes(drawings)
        if {*config.stages} - {"vgg"}:
            self.setup = presets.set_up(config, learning, held_out, self.device)
        drawings.decode(lambda done: self._busy("reading pictures", done, len(drawings)))

    def _classes(self, drawings: opening.Opened) -> classes.Classes:
        config, data = self.config, self.data
        if config.classes:
            data = [config.classes]
            drawings = opening.open_drawings(data, self.run, replace(config, sketches=""))
        names = drawings.class_names(data)
        learning, held_out = split(drawings, config.valid_share, config.seed)
        return classes.set_up_classes(config, drawings, names, learning.numbers, held_out.numbers)

    def _busy(self, what: str, done: int, total: int) -> None:
        if self.ranks.first:
            self.report({"event": "busy", "what": what, "done": done, "total": total})

    def context(self) -> Context:
        """Return what all stages share."""
        from sketchcolor_cli.training.loop.learner import (
            Context,  # fastai takes seconds; bad input is told before
        )

        settings = {"config": self.config.binding(), "pictures": len(self.drawings)}
        return Context(
            self.run, self.config, self.device, settings, self.state, self.tell,
            lambda: self.ranks.any(self.stop(), self.device), self.ranks,
        )  # fmt: skip

    def tell(self, event: dict[str, Any]) -> None:
        """Report what happened, and after an epoch the pictures that have turned out to be broken."""
        self.report(event)
        if event["event"] == "epoch":
            for message in opening.skipped(self.run)[self.named :]:
                self.named += 1
                self.report({"event": "skipped", "message": message})

    def path(self, stage: str) -> Path:
        """Return the file of a stage's network."""
        return self.run / f"{stage}.safetensors"

    def keep(self, path: Path, network: Any, **more: Any) -> None:
        """Write a network with where it comes from; of several processes the first does."""
        if not self.ranks.first:
            return
        provenance = {
            "program": f"sketchcolor {__version__}",
            "pictures": self.facts["pictures"],
            **more,
            **self.config.plain(),
        }
        half = self.config.finetune and path.stem == "model"
        save_model(path, network, provenance=provenance, licence=LICENCE, half=half)

    def keep_painting(self, path: Path) -> None:
        """Write the painting network as it is."""
        self.keep(path, self.setup.net)

    def recall(self, stage: str) -> None:
        """Take up the network of a stage that was done before the run stopped."""
        if stage in _PAINTING:
            network = load_model(self.path(stage), ColorNet)[0]
            self.setup.net.load_state_dict(network.state_dict())

    def vgg(self) -> None:
        """Train the perceptual network."""
        from sketchcolor_cli.training import stages

        net, names = self.classes.net, self.classes.names
        stages.fit_vgg(
            self.context(), self.classes, keep=lambda path: self.keep(path, net, names_of_classes=names)
        )
        self.keep(self.path("vgg"), net, names_of_classes=names)

    def pixel(self) -> None:
        """Train the painting network on pixels."""
        from sketchcolor_cli.training import stages

        stages.fit_pixel(self.context(), self.setup, keep=self.keep_painting)
        self.keep_painting(self.path("pixel"))

    def perceptual(self) -> None:
        """Train the painting network on what the perceptual network sees."""
        from sketchcolor_cli.training import stages

        stages.fit_perceptual(self.context(), self.setup, self._perceptual(), keep=self.keep_painting)
        self.keep_painting(self.path("perceptual"))

    def critic(self) -> None:
        """Save what the painting network paints, and train the critic on it."""
        from sketchcolor_cli.training import stages

        network = presets.set_up_critic(self.config)
        stages.fit_critic(
            self.context(), self.setup, network,
            progress=lambda total, done: self._busy("painting for the critic", done, total),
            keep=lambda path: self.keep(path, network),
        )  # fmt: skip
        self.keep(self.path("critic"), network)

    def adversarial(self) -> None:
        """Train the painting network against the critic, and go back to where it was best."""
        from sketchcolor_cli.training import stages

        file = Path(self.config.from_critic or self.path("critic"))
        network = load_critic(file).train()
        stages.fit_adversarial(
            self.context(), self.setup, self._perceptual(), network, keep=self.keep_painting
        )
        best = load_model(self.run / "best.safetensors", ColorNet)[0]
        self.setup.net.load_state_dict(best.state_dict())
        self.keep_painting(self.path("adversarial"))
        stages.show(self.setup, self.config, self.run / "sheets" / "adversarial-best.png")

    def _perceptual(self) -> Perceptual:
        """Return the network whose features compare pictures: a given one, the run's own, or the bundled."""
        if self.config.perceptual:
            return load_perceptual(Path(self.config.perceptual))
        return load_perceptual(self.path("vgg") if "vgg" in self.config.stages else None)

    def finish(self) -> dict[str, Any]:
        """Write the last painting network as the run's model, and return the summary."""
        self.facts["networks"] = {stage: str(self.path(stage)) for stage in self.config.stages}
        if {*_PAINTING} & {*self.config.stages}:
            self.keep_painting(self.run / "model.safetensors")
            self.facts["model"] = str(self.run / "model.safetensors")
        else:
            self.facts["model"] = str(self.path(self.config.stages[-1]))
        self.facts["skipped"] = len(opening.skipped(self.run))
        return self.facts


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
