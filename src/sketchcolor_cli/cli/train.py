"""``sketchcolor train``: coloured pictures to a model."""

from __future__ import annotations

import signal
import tomllib
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zlib import crc32

import typer

from sketchcolor_cli import environment
from sketchcolor_cli.cli import options, printing
from sketchcolor_cli.compute import devices
from sketchcolor_cli.errors import UsageError
from sketchcolor_cli.training.settings import NAMES, PRESETS, STAGES, TrainConfig, configure, option

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray


def _default(name: str) -> str:
    """Return what stands in the help for a setting's default: one value, or that of each preset."""
    values = {preset: getattr(config, name) for preset, config in PRESETS.items()}
    if len({_shown(value) for value in values.values()}) > 1:
        return f"[default: {'; '.join(f'{preset} {_shown(value)}' for preset, value in values.items())}]"
    return f"[default: {_shown(values[TrainConfig.preset])}]"


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}={item}" for key, item in value.items())
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


_RECIPE, _DATA, _GAME = "Recipe", "Data and start", "Critic and adversarial stages"


def _set(name: str, text: str, panel: str) -> Any:
    """Return the Typer option of a setting: its help ends on its default."""
    return typer.Option(option(name), help=f"{text} {_default(name)}".strip(), rich_help_panel=panel)


@options.told
def train(
    data: Annotated[
        list[str],
        typer.Argument(
            metavar="DATA...",
            help="Folder of coloured pictures, pictures, or tar shards such as 'train-{000000..000003}.tar'.",
        ),
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="RUN", help="Folder of the run, which need not exist yet."),
    ],
    preset: Annotated[
        str | None,
        typer.Option(help=f"Recipe to start from: {' or '.join(PRESETS)}. [default: {TrainConfig.preset}]"),
    ] = None,
    stages: Annotated[
        str | None,
        typer.Option(help=f"Stages to run, in order, with commas: {', '.join(STAGES)}. {_default('stages')}"),
    ] = None,
    epochs: Annotated[
        str | None,
        typer.Option(
            metavar="N|STAGE=N,…",
            help=f"Times that every picture is seen, in all stages or in each. {_default('epochs')}",
        ),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(
            metavar="N[,N…]",
            help="Side of the training squares, in pixels; several for equal parts of each stage. "
            f"{_default('size')}",
        ),
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(help=f"Pictures in a step. {_default('batch_size')}")
    ] = None,
    lr: Annotated[
        str | None,
        typer.Option(
            metavar="X|STAGE=X,…",
            help=f"Highest learning rate, in all stages or in each. {_default('lr')}",
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(help=f"Seed of everything random. {_default('seed')}")] = None,
    sketches: Annotated[
        Path | None,
        typer.Option(
            help="Folder of sketches with the names of the pictures. [default: lines of the data]",
            rich_help_panel=_DATA,
        ),
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(
            help="Extractor that draws the sketches; `sketchcolor plugins` lists them. Of several with "
            "commas each picture gets one, with plus signs a random mix. Not with --sketches.",
            rich_help_panel=_DATA,
        ),
    ] = None,
    from_model: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="MODEL",
            help="Model to begin with, a file or the name of a bundled one, instead of fresh weights.",
            rich_help_panel=_DATA,
        ),
    ] = None,
    finetune: Annotated[
        bool,
        typer.Option(
            "--finetune",
            help="Learn the colours of a character or series from a few pictures, or one; needs --from.",
            rich_help_panel=_DATA,
        ),
    ] = False,
    classes: Annotated[
        Path | None,
        typer.Option(
            help="Folder for vgg with a subfolder of pictures for each class. [default: that of DATA]",
            rich_help_panel=_DATA,
        ),
    ] = None,
    perceptual: Annotated[
        Path | None,
        typer.Option(
            help="Network that the perceptual stage sees with. [default: the run's own, else the bundled]",
            rich_help_panel=_DATA,
        ),
    ] = None,
    from_critic: Annotated[
        Path | None,
        typer.Option(
            help="Critic for the adversarial stage of a run that trains none.", rich_help_panel=_DATA
        ),
    ] = None,
    valid_share: Annotated[
        float | None, _set("valid_share", "Part of the pictures that is held out.", _DATA)
    ] = None,
    output_space: Annotated[
        str | None,
        _set("output_space", "Colours that the thesis network predicts: hxhysv, xyv, rgb or lab.", _RECIPE),
    ] = None,
    accumulate: Annotated[
        int | None, _set("accumulate", "Batches whose gradients make one step.", _RECIPE)
    ] = None,
    ema: Annotated[
        float | None, _set("ema", "Decay of a moving average of the weights; 0 for none.", _RECIPE)
    ] = None,
    precision: Annotated[
        str | None, _set("precision", "Number format: auto, float32, bfloat16 or float16.", _RECIPE)
    ] = None,
    compile_: Annotated[
        bool | None,
        typer.Option(
            "--compile/--no-compile",
            help="Translate the network for the device by torch.compile. [default: no-compile]",
            rich_help_panel=_RECIPE,
        ),
    ] = None,
    critic: Annotated[
        str | None, _set("critic", "Critic of whole pictures, thesis, or of patches, patch.", _GAME)
    ] = None,
    spectral_norm: Annotated[
        bool | None,
        typer.Option(
            "--spectral-norm/--no-spectral-norm",
            help="Normalise the critic's layers. [default: no-spectral-norm]",
            rich_help_panel=_GAME,
        ),
    ] = None,
    gan_loss: Annotated[
        str | None, _set("gan_loss", "What the two play for: linear, bce or hinge.", _GAME)
    ] = None,
    gan_weight: Annotated[
        float | None, _set("gan_weight", "Weight of the critic's judgement, lambda.", _GAME)
    ] = None,
    r1: Annotated[float | None, _set("r1", "Weight of the critic's gradient penalty.", _GAME)] = None,
    switch_batches: Annotated[
        int | None, _set("switch_batches", "Steps after which the other player learns.", _GAME)
    ] = None,
    switch_loss: Annotated[
        float | None, _set("switch_loss", "Loss below which a turn ends before that.", _GAME)
    ] = None,
    watch_batches: Annotated[
        int | None, _set("watch_batches", "Generator's steps between two looks at it.", _GAME)
    ] = None,
    patience: Annotated[
        int | None, _set("patience", "Looks without a better generator before it stops.", _GAME)
    ] = None,
    slack: Annotated[
        float | None, _set("slack", "Share by which pixels or colours may be worse.", _GAME)
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="TOML file with the names of these options; options given here come first."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help=f"Processes that prepare pictures. {_default('workers')}")
    ] = None,
    tensorboard: Annotated[
        bool | None,
        typer.Option(
            "--tensorboard/--no-tensorboard",
            help="Write metrics for TensorBoard, an extra, too. [default: no-tensorboard]",
        ),
    ] = None,
    device: options.Device = "auto",
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the run's last checkpoint.")] = False,
    json: options.Json = False,
) -> int:
    """Train a colour model on your own pictures.

    The stages are those of the thesis: vgg teaches a network to see drawings, pixel and perceptual teach the
    network that paints, critic and adversarial play it against a critic. RUN gets model.safetensors, which
    `colorize --model` takes, best.safetensors, the network of each stage, metrics.csv, contact sheets,
    run.toml with all settings, and checkpoint.pt. Ctrl-C saves first; --resume goes on to the same numbers
    as a run without a break.

    Example: `sketchcolor train drawings/ -o runs/first --preset fast --epochs pixel=20,perceptual=2`
    """
    settings = configure_run(
        config, preset=preset, stages=tuple(stages.split(",")) if stages else None, epochs=epochs,
        size=_sides(size), batch_size=batch_size, lr=lr, seed=seed, sketches=_text(sketches), method=method,
        from_model=from_model, finetune=finetune or None, classes=_text(classes),
        perceptual=_text(perceptual), from_critic=_text(from_critic), valid_share=valid_share,
        output_space=output_space, accumulate=accumulate, ema=ema, precision=precision, compile=compile_,
        critic=critic, spectral_norm=spectral_norm, gan_loss=gan_loss, gan_weight=gan_weight, r1=r1,
        switch_batches=switch_batches, switch_loss=switch_loss, watch_batches=watch_batches,
        patience=patience, slack=slack, workers=workers, tensorboard=tensorboard,
    )  # fmt: skip
    with options.loading():
        device = devices.resolve(device)
        sketch = _sketch(settings.method) if settings.method else None
        from sketchcolor_cli.training.loop.ranks import Ranks
        from sketchcolor_cli.training.run import train as run_training  # imports torch

    rank, count, local = environment.process_ranks()
    if count > 1 and device == "cuda":
        device = f"cuda:{local}"
    if rank == 0:
        stages_shown = " → ".join(settings.stages)
        printing.note(f"{settings.preset}, {stages_shown}, on {device}; Ctrl-C saves and stops")
    with _stopped_by_signals() as stop, _progress(settings) as report:
        summary = run_training(
            data, output, settings, device=device, resume=resume, sketch=sketch, report=report, stop=stop,
            ranks=Ranks(rank, count),
        )  # fmt: skip
    if rank:
        return 0
    if summary.get("skipped"):
        printing.note(
            f"{summary['skipped']} picture(s) could not be read; {output / 'skipped.txt'} names them"
        )
    printing.note(f"model: {summary['model']}")
    if json:
        printing.emit_json(summary)
    return 0


def _text(path: Path | None) -> str | None:
    return str(path) if path else None


def _sides(text: str | None) -> tuple[int, ...] | None:
    """Return the sizes that ``--size`` names.

    Raises:
        UsageError: it names something else than whole numbers.
    """
    if text is None:
        return None
    try:
        return tuple(int(side) for side in text.split(","))
    except ValueError as error:
        raise UsageError(f"--size {text!r}: must be a whole number, or several with commas") from error


def configure_run(file: Path | None, **given: Any) -> TrainConfig:
    """Return the settings: options, then the TOML file's, then the preset's.

    Raises:
        UsageError: the file cannot be read, or has a key that no setting is called.
    """
    written: dict[str, Any] = {}
    if file is not None:
        try:
            written = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
            raise UsageError(f"--config {file}: {problem}") from problem
        names = {NAMES.get(setting.name, setting.name): setting.name for setting in fields(TrainConfig)}
        unknown = [key for key in written if key.replace("-", "_") not in names]
        if unknown:
            raise UsageError(
                f"--config {file}: no setting is called {unknown[0]!r}; there are {', '.join(sorted(names))}"
            )
        written = {names[key.replace("-", "_")]: value for key, value in written.items()}
    merged = written | {key: value for key, value in given.items() if value is not None}
    if merged.get("from_model"):
        merged["from_model"] = str(environment.model_file(merged["from_model"]))
    preset = merged.pop("preset", None)
    if preset is None and merged.get("from_model"):
        preset = _preset_of(merged["from_model"], merged)
    return configure(preset or TrainConfig.preset, **merged)


def _preset_of(model: str, settings: dict[str, Any]) -> str:
    """Return the preset that trains a model's network; its colour space becomes a setting.

    Raises:
        CheckpointError: it cannot be read, or holds no network that paints.
    """
    from sketchcolor_cli.networks.base import ColorNet  # imports torch
    from sketchcolor_cli.networks.checkpoint import load_model

    _, info = load_model(Path(model), ColorNet)
    settings.setdefault("output_space", getattr(info.config, "output_space", None))
    return "thesis" if info.architecture == "thesis-unet" else "fast"


def _sketch(method: str) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """Return a function from a picture (H, W, 3) to its sketch (H, W), by one extractor or several.

    Of several with commas, which one draws a picture is decided by the picture itself. With plus signs they
    are mixed, with shares drawn anew for each picture.
    """
    from sketchcolor_cli.plugin.discovery import find_extractors

    extractors, store = find_extractors(), environment.weight_store()
    chosen: list[tuple[str, list[str]]] = []
    for name in method.split(","):
        mixed = "+" in name
        settings = [f"mix=random:{name.replace('+', ',')}"] if mixed else []
        chosen.append(("avg" if mixed else name, settings))
    for name, settings in chosen:
        store.require(extractors.weights(name, settings))
    from sketchcolor_cli.extraction.drawer import load_drawer  # imports torch
    from sketchcolor_cli.imaging.images import Picture

    drawers = [
        load_drawer(extractors, name, settings=settings, find_weight=store.find) for name, settings in chosen
    ]

    def draw(rgb: NDArray[np.float32]) -> NDArray[np.float32]:
        drawer = drawers[crc32(rgb.tobytes()) % len(drawers)]
        return drawer.sketch(Picture(rgb)).rgb[..., 0]

    return draw


@contextmanager
def _stopped_by_signals() -> Iterator[Callable[[], bool]]:
    """Yield a question whether to stop: yes after Ctrl-C or SIGTERM; a second Ctrl-C stops at once."""
    asked: list[int] = []

    def ask(number: int, _frame: object) -> None:
        if asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        asked.append(number)
        printing.note("stopping after this step; the state is being saved, --resume goes on from it")

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _progress(settings: TrainConfig) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Yield the listener of a run: a bar for each stage, and a line for each epoch and each look."""
    with printing.progress("steps") as bar:
        task = bar.add_task(settings.stages[0], total=None, detail="")

        def listen(event: dict[str, Any]) -> None:
            if event["event"] == "step":
                done = (event["epoch"] - 1) * event["steps"] + event["step"]
                total = event["epochs"] * event["steps"]
                bar.update(
                    task, description=event["stage"], completed=done, total=total,
                    detail=f"loss {event['loss']:.4f}",
                )  # fmt: skip
            elif event["event"] == "busy":
                bar.update(
                    task, description=event["what"], completed=event["done"], total=event["total"], detail=""
                )
            elif event["event"] == "skipped":
                bar.console.print(printing.one_line(f"passed over: {event['message']}"))
            else:
                place = f"{event['stage']} " + (
                    f"epoch {event['epoch']}" if event["event"] == "epoch" else f"after {event['step']} steps"
                )
                figures = {
                    key: value
                    for key, value in event.items()
                    if key not in ("event", "stage", "epoch", "step", "best")
                }
                shown = "  ".join(f"{key} {value:.4g}" for key, value in figures.items())
                best = "  (best so far)" if event.get("best") else ""
                bar.console.print(f"{place}: {shown}{best}")

        yield listen
