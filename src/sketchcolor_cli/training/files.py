"""The files of a run folder, each whole or absent: state to go on from, settings, table of metrics."""

from __future__ import annotations

import csv
import io
import zipfile
from typing import TYPE_CHECKING, Any

import torch

from sketchcolor_cli.errors import TrainingError
from sketchcolor_cli.files.atomic import atomic_write
from sketchcolor_cli.weights import pickled

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STATE = frozenset(
    {"config", "pictures", "stage", "model", "optimizer", "more", "epoch", "batch", "smooth_loss", "best"}
)
"""What a training state holds; of its stage ``epoch`` epochs and ``batch`` batches of the next are done."""


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Write a training state, tensors and plain values only.

    Raises:
        TrainingError: it cannot be written; what was there before is untouched.
    """
    _write(path, lambda partial: torch.save(state, partial))


def load_state(path: Path) -> dict[str, Any]:
    """Read a training state onto the CPU.

    Raises:
        TrainingError: there is none, or it is damaged.
    """
    damaged = f"{path}: the checkpoint is damaged; start again in another folder"
    try:
        with zipfile.ZipFile(path) as archive:
            intact = archive.testzip() is None  # torch passes over the checksums
        state = pickled.load(path) if intact else None
    except FileNotFoundError as error:
        raise TrainingError(f"{path}: nothing to resume from; start without --resume") from error
    except Exception as error:  # damaged files make torch raise nearly anything
        raise TrainingError(damaged) from error
    if not intact:
        raise TrainingError(damaged)
    if not isinstance(state, dict) or state.keys() != STATE:
        raise TrainingError(f"{path}: not a checkpoint of this program's training; name the run's own folder")
    return state


def write_text(path: Path, text: str) -> None:
    """Write a text file.

    Raises:
        TrainingError: it cannot be written.
    """
    _write(path, lambda partial: partial.write_bytes(text.encode()))


def append_row(path: Path, row: dict[str, Any]) -> None:
    """Append a row to a CSV table; new columns are added at the right.

    Raises:
        TrainingError: it cannot be written.
    """
    _write_rows(path, [*_read_rows(path), row])


def drop_rows(path: Path, stage: str, last: int, *, counter: str = "epoch") -> None:
    """Take out the rows of a stage whose ``counter`` is above ``last``: a resumed run writes them again.

    Raises:
        TrainingError: the table cannot be written.
    """
    rows = _read_rows(path)
    kept = [row for row in rows if row["stage"] != stage or int(row[counter]) <= last]
    if kept:
        _write_rows(path, kept)
    else:
        path.unlink(missing_ok=True)


def _read_rows(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    text = io.StringIO()
    columns = list(dict.fromkeys(name for row in rows for name in row))  # stages measure different things
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def _write(path: Path, write: Callable[[Path], object]) -> None:
    try:
        with atomic_write(path, draft=f"{path.name}.partial") as partial:
            write(partial)
    except (OSError, RuntimeError) as error:  # torch says RuntimeError when the disk is full
        reason = str(error).partition("\n")[0]
        raise TrainingError(
            f"{path}: cannot be written ({reason}); make room there, then use --resume"
        ) from error
