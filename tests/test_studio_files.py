"""What the studio keeps in files: the profile, marks, projects, books that become folders."""

from __future__ import annotations

import json
import struct
import tomllib
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

import pytest

from sketchcolor_cli.errors import DataError, UsageError
from sketchcolor_cli.studio import marks
from sketchcolor_cli.studio.limits import Limits
from sketchcolor_cli.studio.opening import project_of
from sketchcolor_cli.studio.problems import ProblemError
from sketchcolor_cli.studio.profile import with_values
from sketchcolor_cli.studio.project import Project
from sketchcolor_cli.studio.shelf import Shelf, cleaned
from studio_server import STROKE, draw

if TYPE_CHECKING:
    from pathlib import Path

PROFILE = """\
# Mine
seed = 3   # lucky
hints = [  # two
  "a.json",
  "b # c.json",
]
protect = "all"

[other]
seed = 9
"""


def test_a_value_is_changed_where_it_stands_and_all_else_stays() -> None:
    done = with_values(PROFILE, {"seed": 5, "hints": ["x.json"], "saturation": 1.5, "palette": 'a "b" é'})
    assert done == (
        '# Mine\nseed = 5   # lucky\nhints = ["x.json"]\nprotect = "all"\n\n'
        'saturation = 1.5\n\npalette = "a \\"b\\" é"\n\n[other]\nseed = 9\n'
    )
    assert tomllib.loads(done)["other"] == {"seed": 9}


@pytest.mark.parametrize(
    "values",
    [
        {"seed": None},
        {"seed": 2**40, "protect": "none"},
        {"hints": []},
        {"hints": ["a\\b", 'q"', "\n", "\x7f"]},
        {"descreen": True, "saturation": 0.25},
        {"table": {"a b": 1, "ü": 2}},
    ],
)
def test_what_is_written_is_what_is_read(values: dict[str, Any]) -> None:
    before = tomllib.loads(PROFILE)
    after = tomllib.loads(with_values(PROFILE, values))
    wanted = {name: value for name, value in (before | values).items() if value is not None}
    assert after == wanted
    assert tomllib.loads(with_values("", values)) == {
        name: value for name, value in values.items() if value is not None
    }
    assert "# Mine" in with_values(PROFILE, values)


def test_a_profile_that_is_none_is_told() -> None:
    with pytest.raises(DataError, match="not valid TOML"):
        with_values("seed = [1,\n", {"seed": 1})


def test_numbers_of_marks_are_parts_and_a_file_of_them_has_one_on_each_line() -> None:
    done = marks.checked([{"x": 0, "y": 1, "color": "#fff", "radius": 1}, STROKE], Limits())
    assert [type(done[0][name]) for name in ("x", "y", "radius")] == [float] * 3
    text = marks.as_file(done, 7).decode()
    assert json.loads(text) == {"seed": 7, "points": done}
    assert len(text.splitlines()) == 4
    assert json.loads(marks.as_file([])) == []


def test_a_page_of_a_mark_is_the_files_and_no_other() -> None:
    [done] = marks.checked([{**STROKE, "page": "other.png"}], Limits())
    assert "page" not in done


@pytest.mark.parametrize(
    "mark", [{"x": 10**400, "y": 0, "color": "#fff"}, {**STROKE, "stroke": [[0.5, -(10**400)]]}]
)
def test_places_that_no_float_holds_are_refused(mark: dict[str, Any]) -> None:
    with pytest.raises(ProblemError) as refused:
        marks.checked([mark], Limits())
    assert refused.value.status == 422


def test_a_picture_that_cannot_be_looked_at_has_no_size(tmp_path: Path) -> None:
    path = draw(tmp_path / "pages/1.png")
    whole = path.read_bytes()
    project = Project(tmp_path / "pages")
    assert min(project.size(path)) > 0
    empty = struct.pack(">I4sI", 0, b"iCCP", zlib.crc32(b"iCCP"))
    path.write_bytes(whole[:-12] + empty + whole[-12:])
    assert project.size(path) == (0, 0)


def test_new_pages_are_seen_and_aids_are_none(tmp_path: Path) -> None:
    draw(tmp_path / "pages/1.png")
    project = Project(tmp_path / "pages")
    assert [page.name for page in project.pages()] == ["1.png"]
    assert project.pages() is project.pages()  # nothing has changed, so nothing is looked for
    draw(tmp_path / "pages/ch/2.png")
    draw(tmp_path / "pages/rough/1.png")
    assert [page.name for page in project.pages()] == ["1.png", "ch/2.png"]
    (tmp_path / "pages/ch/2.png").unlink()
    assert [page.name for page in project.pages()] == ["1.png"]


def test_a_seed_is_kept_with_the_marks_of_its_page(tmp_path: Path) -> None:
    draw(tmp_path / "pages/1.png")
    project = Project(tmp_path / "pages")
    [page] = project.pages()
    revision = project.put_marks(page, [STROKE], "0")
    project.set_seed(page, 7)
    assert project.describe(page)["seed"] == 7
    assert project.marks(page)[1] == [STROKE]
    with pytest.raises(ProblemError):
        project.put_marks(page, [], revision)
    project.put_marks(page, [], project.marks_revision(page))
    assert project.describe(page)["seed"] == 7
    project.set_seed(page, None)
    assert project.describe(page)["state"] == "untouched"
    with pytest.raises(ProblemError, match="a whole number"):
        project.set_seed(page, -1)


def test_what_the_user_names_outside_the_folder_stays_in_the_profile(tmp_path: Path) -> None:
    draw(tmp_path / "pages/1.png")
    (tmp_path / "far.json").write_text("[]")
    (tmp_path / "pages/series.toml").write_text('hints = ["../far.json"]\n')
    project = Project(tmp_path / "pages")
    project.put_marks(project.pages()[0], [STROKE], "0")
    said = tomllib.loads((tmp_path / "pages/series.toml").read_text())
    assert said["hints"] == ["hints", "../far.json"]


def test_a_damaged_file_of_marks_is_told_and_is_not_written_over(tmp_path: Path) -> None:
    draw(tmp_path / "pages/1.png")
    project = Project(tmp_path / "pages")
    [page] = project.pages()
    path = tmp_path / "pages/hints/1.json"
    path.parent.mkdir()
    path.write_text("{")
    with pytest.raises(ProblemError, match="correct it"):
        project.marks(page)
    with pytest.raises(ProblemError):
        project.put_marks(page, [STROKE], project.marks_revision(page))
    assert path.read_text() == "{"


def test_a_book_becomes_a_folder_beside_it_once(tmp_path: Path) -> None:
    page = draw(tmp_path / "a.png").read_bytes()
    with zipfile.ZipFile(tmp_path / "My book.cbz", "w") as book:
        for name in ("10.png", "9.png"):
            book.writestr(name, page)
    project = project_of(tmp_path / "My book.cbz")
    assert project.folder == tmp_path / "My book pages"
    assert [page.name for page in project.pages()] == ["0001.png", "0002.png"]
    project.put_marks(project.pages()[0], [STROKE], "0")
    assert project_of(tmp_path / "My book.cbz").pages() == project.pages()
    assert (tmp_path / "My book pages/hints/0001.json").is_file()
    with zipfile.ZipFile(tmp_path / "My book.cbz", "a") as book:
        book.writestr("11.png", page)
    with pytest.raises(UsageError, match="is there already"):
        project_of(tmp_path / "My book.cbz")


def test_what_is_no_project_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    draw(tmp_path / "1.png")
    for target, said in (("gone", "no such file"), ("empty", "no pictures"), ("1.png", "name the folder")):
        with pytest.raises(DataError, match=said):
            project_of(tmp_path / target)
    (tmp_path / "series.toml").write_text("")
    assert project_of(tmp_path / "series.toml").folder == tmp_path


def test_projects_are_listed_the_latest_first_and_a_broken_list_is_none(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "home")
    for name in ("a", "b", "a"):
        (tmp_path / name).mkdir(exist_ok=True)
        shelf.note(Project(tmp_path / name), 3)
    assert [project["name"] for project in shelf.recent()] == ["a", "b"]
    assert shelf.find(shelf.recent()[1]["id"]) == tmp_path / "b"
    (tmp_path / "b").rmdir()
    assert [project["here"] for project in shelf.recent()] == [True, False]
    (tmp_path / "home/recent.json").write_text("[{]")
    assert shelf.recent() == []
    assert shelf.make("New").name == "New"
    assert shelf.make("New").name == "New 2"


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("../../etc", "etc"),
        ("a/b\\c:d*e", "a b c d e"),
        ("...", ""),
        ("日本 語.", "日本 語"),
        ("x" * 99, "x" * 60),
    ],
)
def test_names_of_clients_name_files_on_any_system(name: str, clean: str) -> None:
    assert cleaned(name) == clean
