"""``sketchcolor train``: coloured pictures to a model."""

from __future__ import annotations

import signal
import tomllib
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path  # noqa: TC003  (Typer reads the annotations)
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sketchcolor_cli import devices
from sketchcolor_cli.cli import environment, options, printing
from sketchcolor_cli.errors import UsageError
from sketchcolor_cli.training.config import PRESETS, STAGES, TrainConfig, configure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray


def _default(name: str) -> str:
    """Return what stands in the help for a setting's default: one value, or that of each preset."""
    values = {preset: getattr(config, name) for preset, config in PRESETS.items()}
    if len(set(values.values())) > 1:
        return f"[default: {', '.join(f'{preset} {value}' for preset, value in values.items())}]"
    value = values[TrainConfig.preset]
    return f"[default: {','.join(value) if isinstance(value, tuple) else value}]"


@options.told
def train(
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            help="Folder of coloured pictures, or tar shards such as 'train-{000000..000003}.tar'.",
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
        int | None, typer.Option(help=f"Times that every picture is seen. {_default('epochs')}")
    ] = None,
    size: Annotated[
        int | None, typer.Option(help=f"Side of the training squares, in pixels. {_default('size')}")
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(help=f"Pictures in a step. {_default('batch_size')}")
    ] = None,
    lr: Annotated[float | None, typer.Option(help=f"Highest learning rate. {_default('lr')}")] = None,
    seed: Annotated[int | None, typer.Option(help=f"Seed of everything random. {_default('seed')}")] = None,
    sketches: Annotated[
        Path | None,
        typer.Option(help="Folder of sketches with the names of the pictures. [default: lines of the data]"),
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(
            help="Extractor that draws the sketches; `sketchcolor plugins` lists them. Not with --sketches."
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="TOML file with the names of these options; options given here come first."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help=f"Processes that prepare pictures. {_default('workers')}")
    ] = None,
    device: options.Device = "auto",
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the run's last checkpoint.")] = False,
    json: options.Json = False,
) -> int:
    """Train a colour model on your own pictures.

    RUN gets model.safetensors, which `colorize --model` takes, best.safetensors, metrics.csv, contact
    sheets, and checkpoint.pt. Ctrl-C saves first; --resume goes on to the same numbers as a run without
    a break.

    Example: `sketchcolor train drawings/ -o runs/first --preset fast --epochs 20`
    """
    settings = configure_run(
        config, preset=preset, stages=tuple(stages.split(",")) if stages else None, epochs=epochs, size=size,
        batch_size=batch_size, lr=lr, seed=seed, sketches=str(sketches) if sketches else None, method=method,
        workers=workers,
    )  # fmt: skip
    with options.loading():
        device = devices.resolve(device)
        sketch = _sketch(settings.method) if settings.method else None
        from sketchcolor_cli.training.run import train as run_training  # imports torch

    printing.note(f"{settings.preset} on {device}; Ctrl-C saves and stops")
    with _stopped_by_signals() as stop, _progress() as report:
        summary = run_training(
            data, output, settings, device=device, resume=resume, sketch=sketch, report=report, stop=stop
        )
    printing.note(f"model: {summary['model']}")
    if json:
        printing.emit_json(summary)
    return 0


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
        known = {setting.name for setting in fields(TrainConfig)}
        unknown = [key for key in written if key.replace("-", "_") not in known]
        if unknown:
            raise UsageError(
                f"--config {file}: no setting is called {unknown[0]!r}; there are {', '.join(sorted(known))}"
            )
    merged = {key.replace("-", "_"): value for key, value in written.items()}
    if isinstance(merged.get("stages"), list):
        merged["stages"] = tuple(merged["stages"])
    merged |= {key: value for key, value in given.items() if value is not None}
    return configure(merged.pop("preset", TrainConfig.preset), **merged)


def _sketch(method: str) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """Return an extractor as a function from a picture (H, W, 3) to its sketch (H, W)."""
    from sketchcolor_cli.plugins import find_extractors

    extractors, store = find_extractors(), environment.weight_store()
    rule = extractors.get(method).size
    store.require(extractors.weights(method))
    from sketchcolor_cli.extraction import load_sketcher, sketch_picture  # imports torch
    from sketchcolor_cli.images import Picture

    sketcher = load_sketcher(extractors, method, find_weight=store.find)

    def draw(rgb: NDArray[np.float32]) -> NDArray[np.float32]:
        return sketch_picture(sketcher, rule, Picture(rgb)).rgb[..., 0]

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
def _progress() -> Iterator[Callable[[dict[str, Any]], None]]:
    """Yield the listener of a run: a bar over all steps, and a line for each epoch."""
    with printing.progress("steps") as bar:
        task = bar.add_task("training", total=None, detail="")

        def listen(event: dict[str, Any]) -> None:
            if event["event"] == "step":
                done = (event["epoch"] - 1) * event["steps"] + event["step"]
                total = event["epochs"] * event["steps"]
                bar.update(
                    task, completed=done, total=total, detail=f"{event['stage']} loss {event['loss']:.4f}"
                )
            else:
                figures = {
                    key: value for key, value in event.items() if key not in ("event", "stage", "epoch")
                }
                shown = "  ".join(f"{key} {value:.4g}" for key, value in figures.items())
                bar.console.print(f"{event['stage']} epoch {event['epoch']}: {shown}")

        yield listen
