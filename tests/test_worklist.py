"""File names in, file names out; and every clash found before anything is done."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sketchcolor_cli.errors import WorklistError
from sketchcolor_cli.files.settings import Container, Shard
from sketchcolor_cli.files.worklist import (
    Job,
    Worklist,
    build_worklist,
    find_jobs,
    natural_key,
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, so that the tests can speak of short relative names."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def touch(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()


def listed(*inputs: str, output: str = "out", suffix: str | None = None) -> dict[str, str]:
    """Sources and targets in order."""
    jobs = build_worklist([Path(name) for name in inputs], Path(output), suffix=suffix)
    return {str(job.source): str(job.target) for job in jobs}


def refused(*inputs: str, output: str = "out", suffix: str | None = None) -> str:
    with pytest.raises(WorklistError) as caught:
        listed(*inputs, output=output, suffix=suffix)
    assert "\n" not in str(caught.value)
    return str(caught.value)


pytestmark = pytest.mark.usefixtures("here")


def test_files_keep_their_order_and_names() -> None:
    touch("b.png", "deep/er/a.JPG", "名前 🎨.webp")
    assert listed("b.png", "deep/er/a.JPG", "名前 🎨.webp") == {
        "b.png": "out/b.png",
        "deep/er/a.JPG": "out/a.JPG",
        "名前 🎨.webp": "out/名前 🎨.webp",
    }
    assert not Path("out").exists()


def test_folder_is_mirrored_in_natural_order() -> None:
    touch("in/ch10/1.png", "in/ch2/page10.png", "in/ch2/page2.png", "in/cover.png", "in/ch2/notes.txt")
    assert list(listed("in").items()) == [
        ("in/ch2/page2.png", "out/ch2/page2.png"),
        ("in/ch2/page10.png", "out/ch2/page10.png"),
        ("in/ch10/1.png", "out/ch10/1.png"),
        ("in/cover.png", "out/cover.png"),
    ]


def test_the_working_folder_can_be_the_input() -> None:
    touch("a.png", "sub/b.png")
    assert listed(".") == {"a.png": "out/a.png", "sub/b.png": "out/sub/b.png"}


def test_suffixes() -> None:
    touch("in/a.gif", "in/b.TIF", "in/vol.1 page.2.jpeg")
    assert listed("in") == {
        "in/a.gif": "out/a.png",
        "in/b.TIF": "out/b.TIF",
        "in/vol.1 page.2.jpeg": "out/vol.1 page.2.jpeg",
    }
    assert list(listed("in", suffix=".webp").values()) == [
        "out/a.webp",
        "out/b.webp",
        "out/vol.1 page.2.webp",
    ]
    assert ".png" in refused("in", suffix=".gif")


def test_named_file_is_taken_whatever_it_is_called() -> None:
    touch("page.1", "page.2", ".hidden.png", "scan.dat")
    assert listed("page.1", "page.2", ".hidden.png", "scan.dat") == {
        "page.1": "out/page.1.png",
        "page.2": "out/page.2.png",
        ".hidden.png": "out/.hidden.png",
        "scan.dat": "out/scan.dat.png",
    }


def test_what_systems_leave_behind_is_passed_over() -> None:
    touch("in/a.png", "in/.hidden.png", "in/._a.png", "in/Thumbs.db", "in/.git/b.png")
    touch("in/__MACOSX/a.png", "in/@eaDir/a.png", "in/b.txt")
    assert list(listed("in")) == ["in/a.png"]


def test_hidden_folder_that_is_named_is_searched() -> None:
    touch(".scans/a.png")
    assert list(listed(".scans")) == [".scans/a.png"]


def test_output_inside_the_input_is_no_input() -> None:
    touch("in/a.png", "in/out/a.png", "in/out/deep/b.png", "in/outer/c.png")
    assert listed("in", output="in/out") == {
        "in/a.png": "in/out/a.png",
        "in/outer/c.png": "in/out/outer/c.png",
    }
    assert list(listed("in", output="in/outer/../out")) == ["in/a.png", "in/outer/c.png"]


def test_same_file_is_taken_once(here: Path) -> None:
    touch("in/sub/a.png")
    again = ["in/sub/a.png", "in/sub/../sub/a.png", str(here / "in/sub/a.png")]
    assert listed("in", *again) == {"in/sub/a.png": "out/sub/a.png"}
    assert listed(*again) == {"in/sub/a.png": "out/a.png"}


def test_links_to_folders_are_followed_once(here: Path) -> None:
    touch("in/sub/a.png", "elsewhere/b.png")
    Path("in/sub/loop").symlink_to(here / "in", target_is_directory=True)
    Path("in/self").symlink_to("self")
    Path("in/there").symlink_to(here / "elsewhere", target_is_directory=True)
    Path("in/there too").symlink_to(here / "elsewhere", target_is_directory=True)
    assert list(listed("in")) == ["in/sub/a.png", "in/there/b.png"]


def test_links_to_pictures_are_pages_of_their_own() -> None:
    touch("in/blank.png")
    Path("in/page7.png").symlink_to("blank.png")
    Path("in/page8.png").symlink_to("gone.png")  # fails when it is read, and is counted then
    assert list(listed("in")) == ["in/blank.png", "in/page7.png", "in/page8.png"]


def test_two_sources_with_one_target() -> None:
    touch("in/a.png", "in/a.jpg", "one/a.png", "two/a.png", "page.1", "page.1.gif")
    clash = "in/a.jpg and in/a.png: both results would become out/a.png; rename one"
    assert refused("in", suffix=".png").startswith(clash)
    assert refused("one/a.png", "two/a.png").startswith("one/a.png and two/a.png: ")
    assert refused("page.1", "page.1.gif").startswith("page.1 and page.1.gif: ")
    assert len(listed("in")) == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [("A.png", "a.png"), ("Ä.png", "ä.png"), ("é.png", "e\u0301.png"), ("Sub/a.png", "sub/a.png")],
)
def test_targets_that_some_file_systems_take_for_one(one: str, other: str) -> None:
    touch(f"in/{one}", f"in/{other}")
    message = refused("in")
    assert f"in/{one}" in message
    assert f"in/{other}" in message
    assert "where case makes no difference; rename one" in message


def test_names_that_all_file_systems_tell_apart() -> None:
    touch("in/straße.png", "in/strasse.png", "in/か.png", "in/が.png")
    assert len(listed("in")) == 4


def test_result_over_its_source(here: Path) -> None:
    touch("in/a.png", "in/b.jpg")
    message = "in/a.png: the result would overwrite in/a.png; name another output folder"
    assert refused("in", output="in") == f"{message} (and 1 more like it)"
    assert refused("in/a.png", output="in") == message
    assert refused("in/a.png", output=str(here / "in")) == message
    assert listed("in/b.jpg", output="in", suffix=".png") == {"in/b.jpg": "in/b.png"}


def test_result_over_another_source() -> None:
    touch("x/b/a.png", "y/b/a.png", "Y/c.png", "y/c.png")
    assert "x/b/a.png: the result would overwrite y/b/a.png" in refused("x", "y/b/a.png", output="y")
    # Names that only case tells apart are no reason where the file system knows case.
    assert listed("Y/c.png", output="y") == {"Y/c.png": "y/c.png"}


def test_nothing_to_do() -> None:
    Path("empty").mkdir()
    touch("texts/a.txt", "done/out/a.png")
    assert refused() == "there is nothing to do; name at least one picture or folder"
    for name in ("empty", "texts"):
        assert refused(name).startswith(f"{name}: no pictures in this folder")
    assert refused("done", output="done/out").startswith("done: no pictures in this folder")
    assert refused("texts", "missing.png").startswith("texts: ")


def test_missing_input() -> None:
    touch("a.png")
    Path("dangling.png").symlink_to("gone")
    for name in ("missing.png", "a.png/b.png", "dangling.png"):
        assert refused("a.png", name) == f"{name}: no such file or folder; check the name"
    assert "File name too long" in refused("x" * 300)


def test_output_that_is_a_file() -> None:
    touch("a.png", "out")
    assert refused("a.png").startswith("out: is a file")


def test_folder_that_may_not_be_looked_into(monkeypatch: pytest.MonkeyPatch) -> None:
    def deny(path: Path) -> Any:
        raise PermissionError(13, "Permission denied", str(path))

    touch("in/a.png")
    monkeypatch.setattr(Path, "iterdir", deny)
    assert refused("in").startswith("in: cannot be opened (Permission denied)")


def test_long_names() -> None:
    name = "あ" * 82 + ".png"
    touch(f"in/{name}")
    assert listed("in") == {f"in/{name}": f"out/{name}"}


def test_jobs_are_values() -> None:
    assert Job(Path("a"), Path("b")) == Job(Path("a"), Path("b"))
    assert len({Job(Path("a"), Path("b")), Job(Path("a"), Path("b"))}) == 1


# Natural order


def test_natural_order() -> None:
    names = [
        "1.png",
        "2.png",
        "10.png",
        "page",
        "Page1",
        "page 1",
        "page2",
        "page02b",
        "page10",
        "page１１",
        "第2話",
        "第10話",
    ]
    expected = sorted(names, key=natural_key)
    shuffled = random.Random(0).sample(names, len(names))  # noqa: S311 - no secret
    assert sorted(shuffled, key=natural_key) == expected
    assert expected.index("page2") < expected.index("page10") < expected.index("page１１")
    assert expected.index("第2話") < expected.index("第10話")
    assert expected[:3] == ["1.png", "2.png", "10.png"]


def test_natural_order_without_a_difference_in_case() -> None:
    assert sorted(["b1", "A2", "a10", "B01"], key=natural_key) == ["A2", "a10", "B01", "b1"]


@given(st.lists(st.text(st.sampled_from("aB1２0²é话 ._-"), max_size=6)))
def test_natural_order_is_one_order(names: list[str]) -> None:
    mirrored = names[::-1]
    assert sorted(names, key=natural_key) == sorted(mirrored, key=natural_key)


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.sampled_from(["", "page ", "頁"]))
def test_natural_order_is_the_order_of_numbers(one: int, other: int, prefix: str) -> None:
    before = natural_key(f"{prefix}{one}.png") < natural_key(f"{prefix}{other}.png")
    assert before == (one < other)


def found(*inputs: str, **options: Any) -> Worklist:
    return find_jobs([Path(name) for name in inputs], Path("out"), **options)


def targets(work: Worklist) -> dict[str, str]:
    return {str(job.source): str(job.target) for job in work.jobs}


def test_of_several_folders_each_has_its_own_in_the_output(here: Path) -> None:
    touch("one/a.png", "two/a.png", "two/sub/b.png", "c.png", "x/one/d.png")
    assert targets(found("one", "two", "c.png")) == {
        "one/a.png": "out/one/a.png",
        "two/a.png": "out/two/a.png",
        "two/sub/b.png": "out/two/sub/b.png",
        "c.png": "out/c.png",
    }
    assert targets(found("one", "c.png")) == {"one/a.png": "out/a.png", "c.png": "out/c.png"}
    assert targets(found("one", "x/one/.")) == {"one/a.png": "out/one/a.png", "x/one/d.png": "out/one/d.png"}


def test_every_clash_is_named_and_the_rest_is_done() -> None:
    touch("in/1.png", "in/1.jpg", "in/2.png", "in/2.jpg", "in/3.png")
    work = found("in", suffix=".png")
    assert targets(work) == {"in/1.jpg": "out/1.png", "in/2.jpg": "out/2.png", "in/3.png": "out/3.png"}
    assert [str(job.source) for job, _ in work.failed] == ["in/1.png", "in/2.png"]
    assert all("use --keep-both" in reason for _, reason in work.failed)


def test_both_can_be_kept() -> None:
    touch("in/1.png", "in/1.jpg", "in/2.png")
    work = found("in", suffix=".png", keep_both=True)
    assert targets(work) == {
        "in/1.jpg": "out/1.jpg.png",
        "in/1.png": "out/1.png.png",
        "in/2.png": "out/2.png",
    }
    assert not work.failed


def test_what_is_not_read_is_counted_by_ending() -> None:
    touch("in/1.png", "in/2.CLIP", "in/deep/3.clip", "in/4.cb7", "in/page 5", "in/notes.txt", "in/Thumbs.db")
    work = found("in", books=Container.SAME)
    assert work.left_out == {"": 1, ".cb7": 1, ".clip": 2}
    touch("none/1.clip")
    assert "none: no pictures in this folder; it holds 1 .clip; looked for" in refused("none")


def test_a_folder_that_cannot_be_looked_into_does_not_keep_the_rest_from_being_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def iterdir(path: Path, real: Any = Path.iterdir) -> Any:
        if path.name == "locked":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    touch("in/a.png", "in/locked/b.png")
    monkeypatch.setattr(Path, "iterdir", iterdir)
    work = found("in")
    assert list(targets(work)) == ["in/a.png"]
    [(job, reason)] = work.failed
    assert (str(job.source), reason.partition(" (")[0]) == ("in/locked", "in/locked: cannot be opened")


def test_an_output_that_is_a_link_to_itself(here: Path) -> None:
    touch("a.png")
    Path("loop").symlink_to("loop")
    assert refused("a.png", output="loop").startswith("loop: is a link that leads nowhere")


def test_shares_are_equal_in_number_and_together_everything() -> None:
    jobs = [Job(Path(f"{number}"), Path(f"out/{number}")) for number in range(10)]
    shares = [Shard(number, 4).of(jobs) for number in (1, 2, 3, 4)]
    assert [len(share) for share in shares] == [3, 3, 2, 2]
    assert {job for share in shares for job in share} == set(jobs)


def test_a_tiff_of_several_pages_is_a_book(here: Path) -> None:
    pages = [Image.new("1", (8, 8), number % 2) for number in range(3)]
    Path("in").mkdir()
    pages[0].save("in/scan.tif", save_all=True, append_images=pages[1:], compression="group4")
    pages[0].save("in/single.tif")
    os.mkfifo("in/pipe.tif")
    work = found("in", books=Container.SAME, suffix=".png")
    assert {job.source.name: (job.is_book, job.target.name) for job in work.jobs} == {
        "pipe.tif": (False, "pipe.png"),
        "scan.tif": (True, "scan.tif"),
        "single.tif": (False, "single.png"),
    }
    assert [job.target.name for job in found("in/scan.tif", books=Container.CBZ).jobs] == ["scan.cbz"]
    assert not found("in/scan.tif").jobs[0].is_book


def test_what_helps_a_series_is_no_page(tmp_path: Path) -> None:
    for name in ("pages/1.png", "pages/rough/1.png", "pages/sheets/hero.png", "pages/b/2.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    pages = tmp_path / "pages"
    assert len(build_worklist([pages], tmp_path / "out")) == 4
    (pages / "series.toml").touch()
    found = [job.source.relative_to(pages).as_posix() for job in build_worklist([pages], tmp_path / "out")]
    assert found == ["1.png", "b/2.png"]
    assert len(build_worklist([pages / "rough"], tmp_path / "out")) == 1


def test_numbers_longer_than_python_reads_are_in_some_order() -> None:
    """An archive may name its page so; Python reads 4300 digits."""
    names = [f"{digit}{'0' * 5000}.png" for digit in "213"]
    assert [name[0] for name in sorted(names, key=natural_key)] == ["1", "2", "3"]
