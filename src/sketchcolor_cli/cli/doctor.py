"""``sketchcolor doctor``: what this computer is, what works on it, and what to do about the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sketchcolor_cli.cli import options, printing
from sketchcolor_cli.doctor.findings import Level

if TYPE_CHECKING:
    from sketchcolor_cli.doctor.findings import Finding

_MARKS = {Level.OK: " ", Level.MISSING: "-", Level.PROBLEM: "!"}


@options.with_exit_code
def doctor(json: options.Json = False) -> int:
    """Check this computer and the installation, and say what to do about each problem.

    Lines with ! are problems, and the exit code is then 1; those with - can be added and are not needed by
    most people. What is printed holds no user name and no path above your home folder, so it can be put
    into a bug report as it is.

    Example: `sketchcolor doctor --json`
    """
    with printing.leaving_at_once():
        from sketchcolor_cli.doctor.examination import examine  # imports OpenCV

        found: list[Finding] = []
        for finding in examine():
            if not json:
                _show(finding, found[-1].group if found else "")
            found.append(finding)
    problems = sum(finding.level is Level.PROBLEM for finding in found)
    if json:
        printing.emit_json({"problems": problems, "findings": [finding.to_json() for finding in found]})
    printing.note(f"{problems} problems" if problems != 1 else "1 problem")
    return 1 if problems else 0


def _show(finding: Finding, group_before: str) -> None:
    if finding.group != group_before:
        printing.emit(finding.group)
    printing.emit(f"{_MARKS[finding.level]} {finding.name}: {finding.value}")
    if finding.remedy:
        printing.emit(f"    {finding.remedy}")
