"""What the environment says, and what is said to it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sketchcolor_cli.environment import prepare_process

if TYPE_CHECKING:
    import pytest


def test_threads_that_wait_sleep_unless_the_user_wants_it_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    prepare_process()
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    prepare_process()
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"
