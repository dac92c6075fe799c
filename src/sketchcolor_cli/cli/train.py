"""``sketchcolor train``: coloured pictures to a model."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sketchcolor_cli.cli import fetching, options, printing
from sketchcolor_cli.cli.request import requested
from sketchcolor_cli.jobs import train as jobs
from sketchcolor_cli.jobs.train import TrainRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@options.with_exit_code
@fetching.offers
@requested(request=TrainRequest)
def train(request: TrainRequest, json: options.Json = False) -> int:
    """Train a colour model on your own pictures.

    The stages are those of the thesis: vgg teaches a network to see drawings, pixel and perceptual teach the
    network that paints, critic and adversarial play it against a critic. RUN gets model.safetensors, which
    `colorize --model` takes, best.safetensors, the network of each stage, metrics.csv, contact sheets,
    run.toml with all settings, and checkpoint.pt. Ctrl-C saves first; --resume goes on to the same numbers
    as a run without a break.

    Example: `sketchcolor train drawings/ -o runs/first --preset fast --epochs pixel=20,perceptual=2`
    """
    settings = request.settings
    with printing.leaving_at_once():
        prepared = jobs.prepare(request)
    first = prepared.ranks.first
    if first:
        stages = " → ".join(settings.stages)
        printing.note(f"{settings.preset}, {stages}, on {prepared.device}; Ctrl-C saves and stops")
    with _stopped_by_signals() as stop, _progress(settings.stages[0]) as report:
        summary = prepared.run(report, stop)
    if first:
        _print_summary(request, summary)
        if json:
            printing.emit_json(summary)
    return 0


def _print_summary(request: TrainRequest, summary: dict[str, Any]) -> None:
    if summary.get("skipped"):
        file = request.output / "skipped.txt"
        printing.note(f"{summary['skipped']} picture(s) could not be read; {file} names them")
    printing.note(f"model: {summary['model']}")


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
def _progress(first: str) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Yield the listener of a run: a bar for each stage, and a line for each epoch and each look."""
    with printing.progress("steps") as bar:
        task = bar.add_task(first, total=None, detail="")

        def listen(event: dict[str, Any]) -> None:
            kind = event["event"]
            if kind == "step":
                done = (event["epoch"] - 1) * event["steps"] + event["step"]
                total, detail = event["epochs"] * event["steps"], f"loss {event['loss']:.4f}"
                bar.update(task, description=event["stage"], completed=done, total=total, detail=detail)
            elif kind == "busy":
                done, total = event["done"], event["total"]
                bar.update(task, description=event["what"], completed=done, total=total, detail="")
            elif kind == "skipped":
                bar.screen.say(printing.one_line(f"passed over: {event['message']}"))
            else:
                bar.screen.say(_figures(event))

        yield listen


def _figures(event: dict[str, Any]) -> str:
    """Return the line of an epoch, or of a look at the adversarial stage."""
    place = f"epoch {event['epoch']}" if event["event"] == "epoch" else f"after {event['step']} steps"
    about = ("event", "stage", "epoch", "step", "best")
    figures = "  ".join(f"{key} {value:.4g}" for key, value in event.items() if key not in about)
    return f"{event['stage']} {place}: {figures}{'  (best so far)' if event.get('best') else ''}"
