"""``sketchcolor fid``: the Fréchet inception distance of two sets of pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from sketchcolor_cli.cli import fetching, options, printing, steps
from sketchcolor_cli.cli.request import requested
from sketchcolor_cli.jobs import fid as jobs
from sketchcolor_cli.jobs.fid import FidRequest

if TYPE_CHECKING:
    from sketchcolor_cli.evaluation.fid.fid import FidReport
    from sketchcolor_cli.jobs.fid import FidResult


@options.with_exit_code
@fetching.offers
@requested(request=FidRequest)
def fid(request: FidRequest, json: options.Json = False) -> int:
    """Measure FID, the Fréchet inception distance: the lower, the more two sets of pictures look alike.

    Values are those of pytorch-fid, and are kept by the pictures' content, so that a set is measured once.
    Pictures may have any size and format; those that cannot be read are named and left out, and the exit code
    is then 1. For small sets, KID with its standard error is given as well.

    Example: `sketchcolor fid originals/ colored/`
    """
    with steps.shown() as progress:
        result = jobs.fid(request, progress)
    if request.save_stats is not None:
        printing.note(f"statistics of {request.real} are in {request.save_stats}")
    _print_notes(result)
    if json:
        printing.emit_json(_document(result))
    elif result.report is not None:
        printing.emit_rendered(_table(result.report, result.model))
    return 1 if result.unreadable else 0


def _print_notes(result: FidResult) -> None:
    for warning in result.report.warnings if result.report else []:
        printing.note(f"note: {warning}")
    printing.unreadable("left out", result.unreadable)
    printing.left_out(result.left_out)


def _document(result: FidResult) -> dict[str, object]:
    unreadable = [{"name": name, "message": message} for name, message in result.unreadable]
    if result.report is None:
        return {**result.saved, "unreadable": unreadable, "left_out": result.left_out}
    return {**result.report.to_json(), **result.model}


def _table(report: FidReport, model: dict[str, str]) -> Table:
    table = Table("", "", show_header=False, box=None)
    is_fid = report.features.endswith(" 2048 numbers")
    table.add_row("FID" if is_fid else "Fréchet distance", f"{report.fid:.4f}")
    if report.kid is not None and report.kid_error is not None:
        table.add_row("KID × 1000", f"{1000 * report.kid:.3f} ± {1000 * report.kid_error:.3f}")
    table.add_row("real pictures", str(report.n_real or "unknown"))
    table.add_row("generated pictures", str(report.n_generated or "unknown"))
    table.add_row("features", report.features)
    table.add_row("resized", report.resize)
    if model:
        table.add_row("model", f"{model['model']}, reference {model['reference']}")
    return table
