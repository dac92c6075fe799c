"""A file is written whole or not at all."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from sketchcolor_cli.files.atomic import written_whole

if TYPE_CHECKING:
    from pathlib import Path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_is_written_gets_its_name_at_the_end_in_a_folder_that_is_made(tmp_path: Path) -> None:
    target = tmp_path / "new/er/file.txt"
    with written_whole(target) as draft:
        draft.write_text("whole")
        assert draft.parent == target.parent
        assert not target.exists()
    assert target.read_text() == "whole"
    assert names(target.parent) == ["file.txt"]


@pytest.mark.parametrize("error", [OSError(28, "No space left"), KeyboardInterrupt(), ValueError("odd")])
def test_after_an_error_the_old_file_is_there_and_nothing_else(tmp_path: Path, error: BaseException) -> None:
    target = tmp_path / "file.txt"
    target.write_text("old")

    def fail(draft: Path) -> None:
        draft.write_text("half")
        raise error

    with pytest.raises(type(error)), written_whole(target) as draft:
        fail(draft)
    assert target.read_text() == "old"
    assert names(tmp_path) == ["file.txt"]


def test_it_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target, seen = tmp_path / "file.txt", []
    monkeypatch.setattr(os, "fsync", lambda _: seen.append(target.exists()))
    with written_whole(target) as draft:
        draft.write_text("whole")
    assert seen == [False]
    assert target.exists()


def test_a_name_as_long_as_names_may_be_is_no_trouble(tmp_path: Path) -> None:
    target = tmp_path / ("x" * 251 + ".txt")
    with written_whole(target) as draft:
        draft.write_text("whole")
    assert names(tmp_path) == [target.name]


def test_what_a_kill_left_of_a_named_draft_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "state.partial").write_text("half of it")
    with written_whole(tmp_path / "state", draft="state.partial") as draft:
        draft.write_text("whole")
    assert names(tmp_path) == ["state"]
