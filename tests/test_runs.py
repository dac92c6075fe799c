"""Runs over pictures and books: what is planned, done, left out, done again; and the journal behind it.

The work here is on bytes, so that no picture need be decoded: a page is capitalised, and one that says "bad"
cannot be read.
"""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from book_files import COMIC_INFO, write_tar, write_zip
from sketchcolor_cli.errors import (
    DiskFullError,
    ImageError,
    PluginError,
    TimeLimitError,
    UsageError,
    WorklistError,
)
from sketchcolor_cli.files.books.opening import open_book
from sketchcolor_cli.files.settings import Container, Shard, parse_shard
from sketchcolor_cli.files.worklist import Job, build_worklist
from sketchcolor_cli.jobs.fingerprint import content_of, fingerprint
from sketchcolor_cli.jobs.journal import BEGUN, Journal, Record
from sketchcolor_cli.jobs.outcome import Event, EventKind, Outcome
from sketchcolor_cli.jobs.pipeline import Steps
from sketchcolor_cli.jobs.plan import Action, Planned, Planner
from sketchcolor_cli.jobs.run import Runner
from sketchcolor_cli.jobs.settings import Existing

if TYPE_CHECKING:
    from collections.abc import Callable

PAGES = {"page1.png": b"one", "page2.png": b"two", "sub/page10.png": b"ten"}


class Killed(BaseException):
    """Stands for the end of the process: nothing that is written catches it."""


def capitals(job: Job) -> bytes:
    text = job.reads.read_bytes()
    if text.startswith(b"bad"):
        raise ImageError(f"{job.source}: is damaged")
    return text


def compute(texts: list[bytes]) -> list[bytes]:
    if texts[0].startswith(b"hard"):
        raise PluginError("too hard")
    return [text.upper() for text in texts]


def write(job: Job, text: bytes) -> None:
    job.writes.parent.mkdir(parents=True, exist_ok=True)
    job.writes.with_suffix(".tmp").write_bytes(text)
    job.writes.with_suffix(".tmp").replace(job.writes)


STEPS: Steps[Job, bytes, bytes] = Steps(read=capitals, compute=compute, write=write)  # type: ignore[arg-type]


@dataclass
class Run:
    """How a test runs over its inputs."""

    output: Path
    existing: Existing = Existing.ERROR
    settings: str = "red"
    suffix: str | None = None
    container: Container = Container.SAME
    steps: Steps[Job, bytes, bytes] = STEPS
    fail_fast: bool = False
    shard: Shard | None = None

    def plan(self, *inputs: Path) -> list[Planned]:
        return self._plan(inputs, Journal(self.output))

    def _plan(self, inputs: tuple[Path, ...], journal: Journal) -> list[Planned]:
        jobs = build_worklist(inputs, self.output, suffix=self.suffix, books=self.container)
        jobs = [job for job in jobs if not self.shard or self.shard.has(job.target.relative_to(self.output))]
        planner = Planner(
            self.output, journal, self.existing, lambda _: fingerprint(self.settings), open_book, self.suffix
        )
        return planner.plan(jobs)

    def __call__(self, *inputs: Path, report: Callable[[Event], None] = lambda _: None) -> Outcome:
        with Journal(self.output, self.shard) as journal:
            runner = Runner(self.output, self.steps, open_book, journal.add, report, self.fail_fast)
            plan = self._plan(inputs, journal)
            journal.begin()
            return runner.run(plan)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path / "out")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in PAGES.items():
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "in"


@pytest.fixture
def book(tmp_path: Path) -> Path:
    (tmp_path / "books").mkdir()
    return write_zip(tmp_path / "books/vol.cbz", {**PAGES, "ComicInfo.xml": COMIC_INFO})


def results(output: Path) -> dict[str, bytes]:
    """Return all that a user finds in the output folder."""
    found = (path for path in output.rglob("*") if path.is_file() and ".sketchcolor" not in path.parts)
    return {path.relative_to(output).as_posix(): path.read_bytes() for path in found}


def inside(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


CAPITALS = {name: text.upper() for name, text in PAGES.items()}
BOUND = {**CAPITALS, "ComicInfo.xml": COMIC_INFO}


def names(jobs: list[Any]) -> list[str]:
    return [getattr(job, "job", job).name for job in jobs]


# Pictures


def test_what_is_done_is_not_done_again(run: Run, folder: Path) -> None:
    assert names(run(folder).done) == ["page1.png", "page2.png", "page10.png"]
    assert results(run.output) == CAPITALS
    for existing in (Existing.ERROR, Existing.SKIP):
        run.existing = existing
        again = run(folder)
        assert (names(again.skipped), again.done) == (["page1.png", "page2.png", "page10.png"], [])
    run.existing = Existing.OVERWRITE
    assert len(run(folder).done) == 3


def test_a_changed_page_is_done_again_where_that_was_asked_for(run: Run, folder: Path) -> None:
    run(folder)
    (folder / "page2.png").write_bytes(b"changed")
    with pytest.raises(WorklistError, match=r"1 of 3 results are already there, the first is .*page2\.png"):
        run(folder)
    run.existing = Existing.SKIP
    assert names(run(folder).done) == ["page2.png"]
    assert results(run.output)["page2.png"] == b"CHANGED"


def test_results_of_other_settings_are_left_by_resuming_and_replaced_by_overwriting(
    run: Run, folder: Path
) -> None:
    run(folder)
    run.settings = "blue"
    with pytest.raises(WorklistError, match="3 of 3 results are already there"):
        run(folder)
    run.existing = Existing.SKIP
    assert len(run(folder).skipped) == 3
    assert {planned.reason for planned in run.plan(folder)} == {"already there, made with other settings"}
    run.existing = Existing.OVERWRITE
    assert len(run(folder).done) == 3


def test_a_page_that_only_looks_new_is_not_done_again(run: Run, folder: Path) -> None:
    """Clocks may be wrong and copies have new dates: the content counts."""
    run(folder)
    for age in (0, 4_000_000_000):
        for path in folder.rglob("*.png"):
            os.utime(path, (age, age))
        for path in run.output.rglob("*.png"):
            os.utime(path, (2_000_000_000 - age // 2,) * 2)
        assert len(run(folder).skipped) == 3


def test_results_of_others_are_refused_left_or_replaced(run: Run, folder: Path) -> None:
    run.output.mkdir()
    (run.output / "page1.png").write_bytes(b"painted by hand")
    with pytest.raises(WorklistError, match="1 of 3 results are already there"):
        run(folder)
    run.existing = Existing.SKIP
    assert names(run(folder).skipped) == ["page1.png"]
    assert results(run.output)["page1.png"] == b"painted by hand"
    run.existing = Existing.OVERWRITE
    run(folder)
    assert results(run.output)["page1.png"] == b"ONE"


def test_a_result_that_was_cut_short_by_others_is_not_taken_for_done(run: Run, folder: Path) -> None:
    run(folder)
    (run.output / "page1.png").write_bytes(b"ON")
    with pytest.raises(WorklistError):
        run(folder)
    (run.output / "page1.png").unlink()
    assert names(run(folder).done) == ["page1.png"]


def test_comic_info_goes_with_a_folder_and_other_files_do_not(run: Run, folder: Path) -> None:
    (folder / "ComicInfo.xml").write_bytes(COMIC_INFO)
    (folder / "notes.txt").write_text("mine")
    run(folder)
    assert results(run.output) == {**CAPITALS, "ComicInfo.xml": COMIC_INFO}


# Books


@pytest.mark.parametrize("name", ["vol.cbz", "vol.zip", "vol.cbt", "vol.epub"])
def test_a_book_comes_back_as_it_was_with_its_pages_done(run: Run, tmp_path: Path, name: str) -> None:
    entries = {**PAGES, "ComicInfo.xml": COMIC_INFO}
    path = (write_tar if name == "vol.cbt" else write_zip)(tmp_path / name, entries)
    events: list[Event] = []
    result = run(path, report=events.append)
    assert [str(done.job.source) for done in result.done] == [str(path / page) for page in PAGES]
    assert [str(done.job.target) for done in result.done] == [str(run.output / name / page) for page in PAGES]
    assert [event.job.name for event in events if event.kind is EventKind.FINISHED] == names(result.done)
    with open_book(run.output / name) as new:
        assert {entry.name: b"".join(new.chunks(entry)) for entry in new.entries} == BOUND
    assert list(results(run.output)) == [name]
    assert not list((run.output / ".sketchcolor/books").iterdir())  # what was staged is deleted
    again = run(path)
    assert (again.done, names(again.skipped)) == ([], [name])


def test_pictures_and_books_of_a_tree_go_together(run: Run, folder: Path, book: Path) -> None:
    shutil.copy(book, folder / "page3.cbz")
    result = run(folder)
    assert names(result.done) == [
        "page1.png",
        "page2.png",
        *(Path(name).name for name in PAGES),
        "page10.png",
    ]
    assert inside(run.output / "page3.cbz") == BOUND
    assert len(results(run.output)) == 4


def test_other_endings_and_another_container(run: Run, tmp_path: Path, book: Path) -> None:
    epub = write_zip(tmp_path / "e.epub", PAGES)
    tar = write_tar(tmp_path / "t.cbt", PAGES)
    run.suffix = ".webp"
    run(book, epub, tar)
    assert set(inside(run.output / "vol.cbz")) == {
        "page1.webp",
        "page2.webp",
        "sub/page10.webp",
        "ComicInfo.xml",
    }
    assert set(inside(run.output / "e.epub")) == set(PAGES)  # whose texts call them so
    run.container = Container.CBZ
    run.suffix = None
    run.existing = Existing.OVERWRITE
    run(tar)
    assert inside(run.output / "t.cbz") == CAPITALS


def test_a_page_that_cannot_be_read_is_copied_and_reported_each_time(run: Run, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "vol.cbz", {**PAGES, "page2.png": b"bad page"})
    for _ in range(2):
        result = run(path)
        assert [failed.message for failed in result.failed] == [f"{path / 'page2.png'}: is damaged"]
        assert inside(run.output / "vol.cbz") == {**CAPITALS, "page2.png": b"bad page"}
    assert result.done == []  # and the others were not done again


def test_a_page_that_fails_otherwise_is_tried_again_alone(run: Run, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "vol.cbz", {**PAGES, "page2.png": b"hard page"})
    assert names(run(path).failed) == ["page2.png"]
    assert inside(run.output / "vol.cbz") == {**CAPITALS, "page2.png": b"hard page"}
    easier = Steps(read=capitals, compute=lambda texts: [text.upper() for text in texts], write=write)
    run.steps = easier  # type: ignore[assignment]
    result = run(path)
    assert (names(result.done), names(result.skipped)) == (["page2.png"], ["page1.png", "page10.png"])
    assert inside(run.output / "vol.cbz") == {**CAPITALS, "page2.png": b"HARD PAGE"}
    assert run(path).done == []


def test_a_page_that_takes_too_long_is_tried_again(run: Run, tmp_path: Path) -> None:
    def slow(job: Job) -> bytes:
        raise TimeLimitError("takes too long")

    path = write_zip(tmp_path / "vol.cbz", PAGES)
    run.steps = Steps(read=slow, compute=compute, write=write, limit=7)  # type: ignore[assignment, arg-type]
    result = run(path)
    assert [failed.message for failed in result.failed] == [
        f"{path / name}: takes longer than 7 s; scale it down, or allow more with --page-timeout"
        for name in PAGES
    ]
    run.steps = STEPS
    assert names(run(path).done) == ["page1.png", "page2.png", "page10.png"]


def test_broken_and_empty_books_are_failures_and_the_rest_goes_on(
    run: Run, tmp_path: Path, book: Path
) -> None:
    bad = tmp_path / "a.cbz"
    bad.write_bytes(b"no zip")
    bare = write_zip(tmp_path / "b.cbz", {"notes.txt": b"x"})
    boxes = write_zip(tmp_path / "c.zip", {"1.cbz": b"x", "2.cbz": b"x"})
    result = run(bad, bare, boxes, book)
    assert [failed.message.partition(": ")[2][:40] for failed in result.failed] == [
        "is damaged or cut short (File is not a z",
        "holds no pictures; nothing is done with ",
        "holds no pictures but 2 books, such as 1",
    ]
    assert list(results(run.output)) == ["vol.cbz"]


def test_a_book_is_not_bound_after_the_first_failure_where_that_ends_the_run(
    run: Run, tmp_path: Path
) -> None:
    path = write_zip(tmp_path / "vol.cbz", {**PAGES, "page2.png": b"bad page"})
    run.fail_fast = True
    result = run(path)
    assert result.stopped
    assert names(result.failed) == ["page2.png"]
    assert results(run.output) == {}


@pytest.mark.parametrize("what", ["pictures", "book"])
def test_a_full_disk_ends_the_run_and_loses_nothing(run: Run, folder: Path, book: Path, what: str) -> None:
    written: list[Job] = []

    def full(job: Job, text: bytes) -> None:
        if written:
            raise DiskFullError(f"{job.target}: cannot be written (No space left on device)")
        written.append(job)
        write(job, text)

    source = folder if what == "pictures" else book
    run.steps = Steps(read=capitals, compute=compute, write=full)  # type: ignore[arg-type]
    result = run(source)
    assert result.stopped
    assert len(result.done) == 1
    assert 1 <= len(result.failed) <= 2  # what was computed by then is tried
    assert str(result.failed[0].job.target) in result.failed[0].message
    run.steps = STEPS
    result = run(source)
    assert len(result.done) == 2
    assert (inside(run.output / "vol.cbz") == BOUND) if what == "book" else (results(run.output) == CAPITALS)


def test_a_disk_that_is_full_when_a_book_is_bound(
    run: Run, book: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    result = run(book)
    assert result.stopped
    assert "vol.cbz: cannot be written (No space left on device)" in result.failed[0].message
    monkeypatch.undo()
    result = run(book)
    assert (result.done, len(result.skipped)) == ([], 3)  # only bound
    assert inside(run.output / "vol.cbz") == BOUND


def test_ctrl_c_while_a_book_is_bound(run: Run, book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("sketchcolor_cli.jobs.run.bind", stop)
    assert run(book).interrupted
    monkeypatch.undo()
    run(book)
    assert inside(run.output / "vol.cbz") == BOUND


# Killed


STEPS_ON_THE_WAY = [
    "sketchcolor_cli.jobs.run._stage",
    "sketchcolor_cli.jobs.run.bind",
    "sketchcolor_cli.jobs.journal.Journal.add",
    "test_runs.write",
    "sketchcolor_cli.jobs.run.shutil.rmtree",
    "sketchcolor_cli.jobs.run._copy_comic_infos",
]


@pytest.mark.parametrize("place", STEPS_ON_THE_WAY)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_that_is_killed_and_run_again_gives_the_same_bytes(
    tmp_path: Path, folder: Path, book: Path, monkeypatch: pytest.MonkeyPatch, place: str, when: str
) -> None:
    """The process dies at the n-th call of each step on the way, before or after it did its work."""
    (folder / "ComicInfo.xml").write_bytes(COMIC_INFO)
    whole = Run(tmp_path / "whole")
    whole(folder, book)
    module, _, name = place.rpartition(".")
    for number in range(20):
        run = Run(tmp_path / f"out {number}")
        run.steps = Steps(read=capitals, compute=compute, write=lambda *given: write(*given))  # type: ignore[arg-type]
        left = number
        with monkeypatch.context() as patch:
            owner = _attribute(module)
            real = getattr(owner, name)

            def dying(*given: Any, _real: Any = real, **named: Any) -> Any:
                nonlocal left
                if when == "before" and not left:
                    raise Killed
                made = _real(*given, **named)
                if when == "after" and not left:
                    raise Killed
                left -= 1
                return made

            patch.setattr(owner, name, dying)
            try:
                run(folder, book)
            except Killed:
                pass
            else:
                break  # it has no more such steps
        run(folder, book)
        assert results(run.output) == results(whole.output), (place, when, number)
    else:
        pytest.fail("it never came to an end")
    assert number > 0


def _attribute(dotted: str) -> Any:
    import importlib

    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:length]))
        except ImportError:
            continue
        for part in parts[length:]:
            found = getattr(found, part)
        return found
    raise AssertionError(dotted)


# The journal


def record(target: str, **other: Any) -> Record:
    given = {"source": "s", "content": "c", "size": 1, "changed": 2, "settings": "x", "bytes": 3, **other}
    return Record(target, **given)


def begun(output: Path, shard: Shard | None = None) -> Journal:
    journal = Journal(output, shard)
    journal.begin()
    return journal


def test_a_journal_that_has_no_room_after_a_book_ends_the_run_with_what_was_done(
    run: Run, book: Path
) -> None:
    told: list[Record] = []

    def full(record: Record) -> None:
        told.append(record)
        if record.bytes != BEGUN:
            raise DiskFullError("journal.jsonl: cannot be written (No space left on device)")

    with Journal(run.output) as journal:
        plan = run._plan((book,), journal)
        result = Runner(run.output, run.steps, open_book, full, lambda _: None).run(plan)
    assert [record.bytes == BEGUN for record in told] == [True, False]
    assert result.stopped
    assert [failure.message for failure in result.failed] == [
        "journal.jsonl: cannot be written (No space left on device)"
    ]


def test_a_journal_is_read_again_with_all_shards_and_the_last_word_counts(tmp_path: Path) -> None:
    with begun(tmp_path) as journal:
        journal.add(record("a", bytes=BEGUN))
        journal.add(record("a", failed=[("p", "is damaged")]))
        journal.add(record("名前 🎨\udcff"))
    with begun(tmp_path, Shard(2, 3)) as journal:
        journal.add(record("b"))
    journal = Journal(tmp_path)
    assert journal.find("a") == record("a", failed=[("p", "is damaged")])
    assert journal.find("名前 🎨\udcff")
    assert journal.find("b") == record("b")
    assert journal.find("c") is None
    lines = (tmp_path / ".sketchcolor/journal.jsonl").read_bytes().splitlines()
    assert [json.loads(line.decode(errors="surrogateescape"))["target"] for line in lines[:2]] == ["a", "a"]
    assert (tmp_path / ".sketchcolor/journal-2-of-3.jsonl").exists()


def test_a_line_that_was_cut_off_spoils_no_other(tmp_path: Path) -> None:
    with begun(tmp_path) as journal:
        for name in "ab":
            journal.add(record(name))
    path = tmp_path / ".sketchcolor/journal.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    with begun(tmp_path) as journal:
        assert journal.find("a")
        assert journal.find("b") is None
        journal.add(record("c"))
    endless = json.dumps({**asdict(record("d")), "around": [["e", "", float("inf"), 0]]}).encode()
    path.write_bytes(path.read_bytes() + b'{"target": 7}\n[]\nnonsense\n\xff\n' + endless)
    assert [bool(Journal(tmp_path).find(name)) for name in "abcd"] == [True, False, True, False]


def test_two_runs_at_a_time_need_shards(tmp_path: Path) -> None:
    refused = pytest.raises(WorklistError, match=r"another run is writing to this folder; .* --shard")
    with begun(tmp_path), begun(tmp_path, Shard(1, 2)), refused:
        begun(tmp_path)
    begun(tmp_path).close()


def test_a_journal_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / ".sketchcolor").write_text("in the way")
    with pytest.raises(WorklistError, match=r"journal\.jsonl: cannot be written"):
        begun(tmp_path)


def test_a_journal_that_is_only_read_makes_no_folder(tmp_path: Path) -> None:
    with Journal(tmp_path / "new") as journal:
        journal.add(record("a"))
        assert journal.find("a")
    assert not (tmp_path / "new").exists()


# Shards and fingerprints


def test_shards_share_the_work_and_leave_nothing(tmp_path: Path, folder: Path, book: Path) -> None:
    for number in range(20):
        (folder / f"{number}.png").write_bytes(b"x")
    whole, parts = Run(tmp_path / "whole"), Run(tmp_path / "parts")
    whole(folder, book)
    counts = []
    for number in (1, 2, 3):
        parts.shard = Shard(number, 3)
        counts.append(len(parts(folder, book).done))
    assert sum(counts) == 26
    assert min(counts) > 2
    assert results(parts.output) == results(whole.output)
    parts.shard = None
    assert parts(folder, book).done == []  # the journals of all shards count


def test_parse_shard() -> None:
    assert parse_shard("2/8") == Shard(2, 8)
    for text in ("0/2", "3/2", "1", "a/b", "1/0", "-1/2", f"1/{'9' * 5000}"):
        with pytest.raises(UsageError, match=f"--shard {text}: write it as I/N"):
            parse_shard(text)


def test_fingerprints(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "b").write_bytes(b"x")
    (tmp_path / "c").write_bytes(b"y")
    same = fingerprint({"b": 1, "a": [Shard(1, 2), tmp_path / "a"]})
    assert fingerprint({"a": [Shard(1, 2), tmp_path / "b"], "b": 1}) == same
    assert fingerprint({"a": [Shard(1, 2), tmp_path / "c"], "b": 1}) != same
    assert fingerprint({"a": [Shard(1, 3), tmp_path / "a"], "b": 1}) != same
    assert content_of(tmp_path / "a") == "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    with pytest.raises(TypeError, match="object has no fingerprint"):
        fingerprint(object())


# The plan


def test_a_plan_says_what_would_be_done_and_touches_nothing(run: Run, folder: Path, book: Path) -> None:
    (folder / "z.cbz").write_bytes(b"no zip")
    (plan_one, *_, broken), [plan_two] = run.plan(folder), run.plan(book)
    assert not run.output.exists()
    assert plan_one.to_json() == {
        "source": str(folder / "page1.png"),
        "target": str(run.output / "page1.png"),
        "action": "do",
    }
    assert (plan_two.to_json()["pages"], plan_two.count) == (3, 3)
    assert broken.action is Action.FAIL
    assert "is damaged" in broken.to_json()["reason"]
    run(folder, book)
    assert {planned.action for planned in run.plan(book)} == {Action.SKIP}
    assert run.plan(book)[0].reason == "done before"
