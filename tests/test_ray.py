"""Runs on Ray, with two workers on this machine; left out where Ray is not installed."""

from __future__ import annotations

import builtins
import os
import pickle
import sys
import uuid
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from book_files import page, write_zip
from fake_ray import FakeRay, Promise
from sketchcolor_cli.cli.app import app
from sketchcolor_cli.errors import ImageError, UsageError
from sketchcolor_cli.files.books.opening import open_book
from sketchcolor_cli.files.books.settings import PdfSettings
from sketchcolor_cli.files.settings import Container
from sketchcolor_cli.files.worklist import Job, build_worklist
from sketchcolor_cli.jobs import ray as distributed
from sketchcolor_cli.jobs.journal import Journal
from sketchcolor_cli.jobs.outcome import Done, Failure, Outcome
from sketchcolor_cli.jobs.pipeline import Steps
from sketchcolor_cli.jobs.plan import Action, Planned, Planner
from sketchcolor_cli.jobs.ray import run_on_ray
from sketchcolor_cli.jobs.requests import ColorizeRequest
from sketchcolor_cli.jobs.settings import Existing

if TYPE_CHECKING:
    from collections.abc import Callable


def plan_of(folder: Path, output: Path, journal: Journal) -> list[Planned]:
    jobs = build_worklist([folder], output, books=Container.SAME)
    return Planner(output, journal, Existing.ERROR, lambda _: "red", open_book).plan(jobs)


def test_without_ray_it_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *args: Any, **named: Any) -> Any:
        if name == "ray":
            raise ImportError(name)
        return real(name, *args, **named)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(UsageError, match=r"--ray needs Ray; install it with: pip install ray"):
        ray_run([], tmp_path)


def ray_run(plan: list[Planned], output: Path, **other: Any) -> Outcome:
    request = ColorizeRequest.of(inputs=[], output=output, ray=other.pop("address", "local"), jobs=2)
    given: dict[str, Any] = {"pictures": (), "record": lambda _: None, "report": lambda _: None}
    return run_on_ray(plan, other.pop("work", None), request, **{**given, **other})


@dataclass(frozen=True)
class Capitals:
    """Work on bytes: "bad" cannot be read, and "deadly" kills its worker, the first time or each time."""

    marks: Path
    device: str = "cpu"

    def settings_among(self, _pictures: object) -> Callable[[Job], str]:
        return lambda _job: "red"

    def missing(self, _jobs: object) -> list[str]:
        return []

    def steps(self, _device: str, _note: object) -> Steps[Job, bytes, bytes]:
        def read(job: Job) -> bytes:
            text = job.reads.read_bytes()
            if text == b"bad":
                raise ImageError(f"{job.reads}: is damaged")
            if text.startswith(b"deadly"):
                mark = self.marks / f"{job.source.name} {uuid.uuid4().hex}"
                mark.touch()
                tries = len(list(self.marks.glob(f"{job.source.name} *")))
                if text == b"deadly always" or tries == 1:
                    os._exit(9)
            return text

        def write(job: Job, text: bytes) -> None:
            job.writes.parent.mkdir(parents=True, exist_ok=True)
            job.writes.write_bytes(text)

        return Steps(read=read, compute=lambda texts: [text.upper() for text in texts], write=write)


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A tree of pictures and books."""
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(9):
        (folder / f"{number}.png").write_bytes(b"page %d" % number)
    (folder / "bad.png").write_bytes(b"bad")
    for name in ("x.cbz", "y.cbz"):
        write_zip(folder / name, {"1.png": b"one", "2.png": b"two", "ComicInfo.xml": b"<x/>"})
    return folder


@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_two_workers_share_a_tree_and_lost_workers_are_replaced(shared: Path, tmp_path: Path) -> None:
    ray = pytest.importorskip("ray")
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers cannot import a test
    (shared / "deadly once.png").write_bytes(b"deadly once")
    (shared / "deadly.png").write_bytes(b"deadly always")
    output, marks = tmp_path / "out", tmp_path / "marks"
    marks.mkdir()
    events = []
    with Journal(output) as journal:
        journal.begin()
        plan = plan_of(shared, output, journal)
        result = ray_run(plan, output, work=Capitals(marks), record=journal.add, report=events.append)
    assert not ray.is_initialized()
    failed = {failed.job.name: failed.message for failed in result.failed}
    assert set(failed) == {"bad.png", "deadly.png"}
    assert failed["bad.png"] == f"{shared / 'bad.png'}: is damaged"
    assert failed["deadly.png"].startswith(f"{shared / 'deadly.png'}: its worker was lost 3 times")
    assert len(result.done) == 9 + 1 + 2 * 2
    assert (output / "8.png").read_bytes() == b"PAGE 8"
    assert (output / "deadly once.png").read_bytes() == b"DEADLY ONCE"
    with zipfile.ZipFile(output / "y.cbz") as book:
        assert {name: book.read(name) for name in book.namelist()} == {
            "1.png": b"ONE",
            "2.png": b"TWO",
            "ComicInfo.xml": b"<x/>",
        }
    names = [done.job.name for done in result.done]
    assert names.index("0.png") < names.index("8.png") < names.index("deadly once.png")

    # The journal is the same as that of any run: what is done is not done again.
    again = plan_of(shared, output, Journal(output))
    assert [planned.job.name for planned in again if planned.action == "do"] == ["bad.png", "deadly.png"]


def first(name: str) -> Callable[[Promise], bool]:
    """Return what loses the worker that is first asked for this."""
    names: list[str] = []

    def is_lost(promise: Promise) -> bool:
        names.append(promise.name)
        return promise.name == name and names.count(name) == 1

    return is_lost


def run_on_fake(ray: FakeRay, shared: Path, output: Path, marks: Path, **other: Any) -> Outcome:
    marks.mkdir()
    result = Outcome()
    with Journal(output) as journal:
        journal.begin()
        plan = plan_of(shared, output, journal)
        request = ColorizeRequest.of(inputs=[], output=output, ray="local", jobs=2, **other)
        given = Capitals(marks), request, ()
        distributed._Shared(ray, plan, given, journal.add, lambda _: None).run(result)
    return result


@pytest.mark.parametrize("name", ["load", "do"])
def test_what_a_lost_node_had_is_done_by_those_that_are_left(shared: Path, tmp_path: Path, name: str) -> None:
    ray = FakeRay(is_lost=first(name), nodes_are_lost=True)
    result = run_on_fake(ray, shared, tmp_path / "out", tmp_path / "marks")
    assert len(result.done) == 9 + 2 * 2
    assert [failed.job.name for failed in result.failed] == ["bad.png"]
    assert ray.options == {"num_cpus": 1, "num_gpus": 1}


def test_after_a_failure_nothing_is_given_out_any_more(shared: Path, tmp_path: Path) -> None:
    for number in range(4):
        (shared / f"c{number}.png").write_bytes(b"page")
    output = tmp_path / "out"
    result = run_on_fake(FakeRay(1, is_lost=first("do")), shared, output, tmp_path / "marks", fail_fast=True)
    assert result.stopped
    assert (output / "8.png").is_file()
    assert not any((output / name).exists() for name in ("c2.png", "c3.png", "x.cbz", "y.cbz"))


def test_the_command_line_hands_over_what_is_to_be_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {}

    def listen(plan: list[Planned], work: Any, request: ColorizeRequest, **_: Any) -> Outcome:
        given.update(plan=plan, work=work, request=request)
        return Outcome(done=[Done(plan[0].job, 1.5)])

    monkeypatch.setattr(distributed, "run_on_ray", listen)
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.png").write_bytes(page())
    run = ["colorize", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--ray", "head:6379", "--jobs", "8"]
    result = CliRunner().invoke(app, [*run, "--fail-fast", "--pdf-dpi", "150", "--device", "cuda"])
    assert result.exit_code == 0, result.output
    assert result.stderr.startswith("1 colorized in")
    how = given["request"].run
    assert (how.ray, how.jobs, how.fail_fast) == ("head:6379", 8, True)
    assert given["request"].pdf == PdfSettings(dpi=150)
    assert [planned.job.name for planned in given["plan"]] == ["a.png"]
    assert given["work"].device == "cuda"  # each worker looks for its own
    assert pickle.loads(pickle.dumps(given["work"])) == given["work"]  # noqa: S301  (as Ray sends it)
    assert not type(given["work"]).__module__.startswith("sketchcolor_cli.cli")


def test_an_address_where_nobody_answers_is_told(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    with pytest.raises(
        UsageError, match=r"--ray 127\.0\.0\.1:1: no cluster answers at this address \(.*refused"
    ):
        ray_run([], tmp_path, address="127.0.0.1:1")


def test_what_workers_did_comes_in_the_order_of_the_plan() -> None:
    jobs = [Job(Path(f"{name}.png"), Path("out", f"{name}.png")) for name in "abc"]
    mixed = [jobs[2], jobs[0], jobs[1]]
    failures = [Failure(job, "why") for job in mixed]
    result = Outcome([Done(job, 1) for job in mixed], list(mixed), list(failures), list(failures))
    distributed._sort(result, [Planned(job, Action.DO) for job in jobs])
    for part in (result.done, result.failed, result.partial):
        assert [entry.job for entry in part] == jobs
    assert result.skipped == jobs
