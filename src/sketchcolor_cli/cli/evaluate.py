"""``sketchcolor evaluate``: everything that is needed to compare colour models."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from sketchcolor_cli.cli import fetching, options, printing, steps, tables
from sketchcolor_cli.cli.request import requested
from sketchcolor_cli.jobs import evaluate as jobs
from sketchcolor_cli.jobs.evaluate import EvaluateRequest
from sketchcolor_cli.weights.builtin import BUILTIN, FID_INCEPTION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sketchcolor_cli.evaluation.models.summary import Evaluation
    from sketchcolor_cli.weights.spec import WeightFile


def _useful(typed: Mapping[str, Any]) -> list[WeightFile]:
    """Return the weights of figures that are left out where these are missing."""
    without_fid = typed.get("fid") is False or typed.get("weights") is not None
    return [file for file in BUILTIN["evaluate"] if not (without_fid and file is FID_INCEPTION)]


@options.with_exit_code
@partial(fetching.offers, useful=_useful)
@requested(request=EvaluateRequest)
def evaluate(request: EvaluateRequest, json: options.Json = False) -> int:
    """Evaluate a colour model under protocols that are written down, and compare it with others.

    Writes evaluation.json, with every figure of every picture and all that is needed to measure again, and
    report.html, one page with tables, plots and pictures. Figures are the same for the same models, data and
    seed, apart from times. The exit code is 1 if a picture could not be read.

    Example: `sketchcolor evaluate --model default --data val-000000.tar --protocol all -o evaluation/`
    """
    with steps.shown() as progress:
        found = jobs.evaluate(request, progress)
    printing.unreadable("left out", found.unreadable)
    if json:
        printing.emit_json({key: value for key, value in found.to_json().items() if key != "pictures"})
    else:
        _print_tables(found)
    count = found.setup.pictures
    printing.note(f"{count} picture{'' if count == 1 else 's'}; look at {request.output / jobs.REPORT}")
    return 1 if found.unreadable else 0


def _print_tables(found: Evaluation) -> None:
    from sketchcolor_cli.evaluation.models.report import row_of

    for kind in found.setup.protocols:
        columns = {model: row_of(found, model, kind) for model in found.models}
        labels = list(dict.fromkeys(label for column in columns.values() for label in column))
        if not labels:
            printing.note(f"{kind}: no picture allows this protocol")
            continue
        rows = ((label, *(column.get(label, "–") for column in columns.values())) for label in labels)
        tables.show((f"protocol {kind}", *columns), rows)
