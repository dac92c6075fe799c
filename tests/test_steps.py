"""What the screen says of how far a journey is."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from sketchcolor_cli.cli import bars, printing, steps
from sketchcolor_cli.jobs.outcome import Loading, Note
from sketchcolor_cli.jobs.progress import Step

if TYPE_CHECKING:
    import pytest


def test_without_a_terminal_a_line_comes_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bars, "EVERY", 0.0)
    with steps.shown() as progress:
        progress(Step("measuring", 1, 3))
        progress(Note("note: LPIPS is left\nout"))
        progress(Step("measuring", 2, 3, "of cats"))
    with printing.progress("files") as bar:
        task = bar.add_task("on cpu", total=2, detail="")
        bar.advance(task)
    assert capsys.readouterr().err.splitlines() == [
        "measuring: 1 of 3 pictures",
        "note: LPIPS is left\\nout",
        "measuring: 2 of 3 pictures, of cats",
        "on cpu: 1 of 2 files",
    ]


def test_a_quick_journey_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with steps.shown("records") as progress:
        for number in range(100):
            progress(Step("reading", number))
    assert capsys.readouterr().err == ""


def test_ctrl_c_ends_the_process_on_the_spot_only_while_it_loads() -> None:
    before = signal.getsignal(signal.SIGINT)
    with steps.shown() as progress:
        progress(Loading())
        assert signal.getsignal(signal.SIGINT) is not before
        progress(Step("measuring"))
        assert signal.getsignal(signal.SIGINT) is before
        progress(Loading())
        progress(Loading())
    assert signal.getsignal(signal.SIGINT) is before
