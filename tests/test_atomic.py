"""A file is written whole or not at all."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from sketchcolor_cli.errors import BookError, DataError, DiskFullError, ImageError
from sketchcolor_cli.files.atomic import atomic_write

if TYPE_CHECKING:
    from pathlib import Path

    from sketchcolor_cli.errors import SketchcolorError


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_is_written_gets_its_name_at_the_end_in_a_folder_that_is_made(tmp_path: Path) -> None:
    target = tmp_path / "new/er/file.txt"
    with atomic_write(target) as draft:
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

    with pytest.raises(type(error)), atomic_write(target) as draft:
        fail(draft)
    assert target.read_text() == "old"
    assert names(tmp_path) == ["file.txt"]


def test_it_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target, seen = tmp_path / "file.txt", []
    monkeypatch.setattr(os, "fsync", lambda _: seen.append(target.exists()))
    with atomic_write(target) as draft:
        draft.write_text("whole")
    assert seen == [False]
    assert target.exists()


def test_a_name_as_long_as_names_may_be_is_no_trouble(tmp_path: Path) -> None:
    target = tmp_path / ("x" * 251 + ".txt")
    with atomic_write(target) as draft:
        draft.write_text("whole")
    assert names(tmp_path) == [target.name]


def test_what_a_kill_left_of_a_named_draft_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "state.partial").write_text("half of it")
    with atomic_write(tmp_path / "state", draft="state.partial") as draft:
        draft.write_text("whole")
    assert names(tmp_path) == ["state"]


@pytest.mark.parametrize(
    ("number", "error", "kind", "words"),
    [
        (
            errno.EACCES,
            ImageError,
            ImageError,
            "Permission denied); choose a writable folder",
        ),
        (
            errno.ENOSPC,
            ImageError,
            DiskFullError,
            "No space left on device); free some space",
        ),
        (errno.EDQUOT, BookError, DiskFullError, "Disk quota exceeded); free some space"),
        (errno.ENOSPC, DataError, DataError, "No space left on device); free some space"),
    ],
)
def test_the_user_hears_of_it_in_one_line_that_says_what_to_do(
    tmp_path: Path, number: int, error: type[SketchcolorError], kind: type[SketchcolorError], words: str
) -> None:
    with pytest.raises(kind) as caught, atomic_write(tmp_path / "a", error):
        raise OSError(number, os.strerror(number))
    assert str(caught.value) == f"{tmp_path / 'a'}: cannot be written ({words}"
    assert type(caught.value) is kind
    assert names(tmp_path) == []
