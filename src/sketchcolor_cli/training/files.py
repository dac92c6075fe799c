"""The files of a run folder: state to go on from, and the table of metrics."""

from __future__ import annotations

import csv
import os
import pickle
from typing import TYPE_CHECKING, Any

import torch

from sketchcolor_cli.errors import TrainingError

if TYPE_CHECKING:
    from pathlib import Path


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Write a training state, whole or not at all.

    Raises:
        TrainingError: it cannot be written; what was there before is untouched.
    """
    partial = path.with_name(f"{path.name}.partial")
    try:
        torch.save(state, partial)
        os.replace(partial, path)  # noqa: PTH105  (atomic, as Path.replace, and one line shorter to read)
    except (OSError, RuntimeError) as error:
        partial.unlink(missing_ok=True)
        raise TrainingError(f"{path}: the checkpoint cannot be written ({error}); make room and use --resume") from error


def load_state(path: Path) -> dict[str, Any]:
    """Read a training state, tensors and plain values only.

    Raises:
        TrainingError: there is none, or it is damaged.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise TrainingError(f"{path}: nothing to resume from; start without --resume") from error
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError) as error:
        raise TrainingError(f"{path}: the checkpoint is damaged and cannot be resumed") from error
    if not isinstance(state, dict):
        raise TrainingError(f"{path}: is no checkpoint of a training run")
    return state


def append_row(path: Path, row: dict[str, Any]) -> None:
    """Append a row to a CSV table; the first row brings the header."""
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(row))
        if new:
            writer.writeheader()
        writer.writerow(row)


def drop_rows(path: Path, stage: str, epoch: int) -> None:
    """Take out the rows of a stage after ``epoch``: a resumed run will write them again."""
    if not path.exists():
        return
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    path.unlink()
    for row in rows:
        if row["stage"] != stage or int(row["epoch"]) <= epoch:
            append_row(path, row)
