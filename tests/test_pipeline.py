"""The loop over many pictures: what becomes of each, what is reported, and what overlaps."""

from __future__ import annotations

import json
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sketchcolor_cli.compute import deadline
from sketchcolor_cli.errors import DiskFullError, ImageError
from sketchcolor_cli.files.worklist import Job
from sketchcolor_cli.jobs import pipeline
from sketchcolor_cli.jobs.outcome import Done, Event, EventKind, Failure, Outcome
from sketchcolor_cli.jobs.pipeline import Steps, run_batch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

STARTED, FINISHED, SKIPPED, FAILED, _ = EventKind
WAIT = 20  # seconds until a test that hangs fails


@pytest.fixture
def jobs(tmp_path: Path) -> list[Job]:
    return [Job(tmp_path / f"{name}.png", tmp_path / f"{name}.result") for name in "abcd"]


def many(tmp_path: Path, count: int) -> list[Job]:
    return [Job(tmp_path / f"{number:03}.png", tmp_path / f"{number:03}.result") for number in range(count)]


def write(job: Job, result: str) -> None:
    job.target.write_text(result)


STEPS: Steps[Job, str, str] = Steps(
    read=lambda job: job.source.stem,
    compute=lambda pictures: [picture.upper() for picture in pictures],
    write=write,
)
"""Each picture is its name, and its result that in capitals."""


def failing(step: str, error: BaseException, name: str = "b") -> Steps[Job, str, str]:
    """Return the steps of which one raises the error at the picture of this name."""

    def read(job: Job) -> str:
        if job.source.stem == name:
            raise error
        return STEPS.read(job)

    def compute(pictures: Sequence[str]) -> Sequence[str]:
        if name in pictures:
            raise error
        return STEPS.compute(pictures)

    def write_but_one(job: Job, result: str) -> None:
        if job.source.stem == name:
            raise error
        write(job, result)

    return replace(STEPS, **{step: {"read": read, "compute": compute, "write": write_but_one}[step]})


def run(
    jobs: Sequence[Job],
    steps: Steps[Job, Any, Any] = STEPS,
    skip: bool = False,
    report: Callable[[Event], None] = lambda _event: None,
) -> Outcome:
    return run_batch(jobs, steps, skip=skip, report=report)


def of_job(events: list[Event], index: int) -> list[EventKind]:
    return [event.kind for event in events if event.index == index]


# What becomes of the jobs


def test_all_is_done_and_told_in_the_callers_thread(jobs: list[Job]) -> None:
    events: list[tuple[Event, threading.Thread]] = []
    result = run(jobs, report=lambda event: events.append((event, threading.current_thread())))
    assert [done.job for done in result.done] == jobs
    assert [job.target.read_text() for job in jobs] == ["A", "B", "C", "D"]
    assert (result.skipped, result.failed, result.interrupted) == ([], [], False)
    assert {thread for _, thread in events} == {threading.current_thread()}
    told = [event for event, _ in events]
    assert all(event.job == jobs[event.index - 1] and event.total == 4 for event in told)
    assert all(of_job(told, index) == [STARTED, FINISHED] for index in (1, 2, 3, 4))
    assert [event.index for event in told if event.kind is STARTED] == [1, 2, 3, 4]


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("step", ["read", "compute", "write"])
def test_a_failure_is_set_aside_and_the_rest_goes_on(jobs: list[Job], step: str, size: int) -> None:
    events: list[Event] = []
    steps = replace(failing(step, ImageError("b.png: is damaged")), size=size)
    result = run(jobs, steps, report=events.append)
    assert [done.job for done in result.done] == [jobs[0], jobs[2], jobs[3]]
    said = f"{jobs[1].source}: " * (step == "compute") + "b.png: is damaged"
    assert result.failed == [Failure(jobs[1], said)]
    assert (result.skipped, result.interrupted) == ([], False)
    assert of_job(events, 2) == ([FAILED] if step == "read" else [STARTED, FAILED])
    assert [event.message for event in events if event.message] == [said]
    assert [job.target.exists() for job in jobs] == [True, False, True, True]


@pytest.mark.parametrize("step", ["read", "compute", "write"])
def test_too_little_memory_is_a_failure_of_one_picture(jobs: list[Job], step: str) -> None:
    result = run(jobs, failing(step, MemoryError()))
    assert [done.job for done in result.done] == [jobs[0], jobs[2], jobs[3]]
    assert result.failed[0].message.startswith(f"{jobs[1].source}: too large for the free memory")


@pytest.mark.parametrize("step", ["read", "compute", "write"])
@pytest.mark.parametrize(
    "bug", [ValueError("a bug"), OSError("a bug"), AssertionError("a bug"), SystemExit(0)]
)
def test_a_bug_is_the_failure_of_its_page_and_keeps_its_traceback(
    jobs: list[Job], step: str, bug: BaseException
) -> None:
    events: list[Event] = []
    result = run(jobs, failing(step, bug), report=events.append)
    assert [done.job for done in result.done] == [jobs[0], jobs[2], jobs[3]]
    [failure] = result.failed
    assert failure.message.startswith(f"{jobs[1].source}: a fault of the program ({type(bug).__name__}: ")
    [event] = [event for event in events if event.kind is EventKind.FAILED]
    assert event.trace.startswith("Traceback")


def test_a_result_too_few_is_a_bug(jobs: list[Job]) -> None:
    result = run(jobs, replace(STEPS, compute=lambda pictures: [], size=2))
    assert len(result.failed) == len(jobs)
    assert "0 results for 1 pictures" in result.failed[0].message


def test_existing_results_are_skipped(jobs: list[Job]) -> None:
    for job in jobs[:2]:
        job.target.write_text("old")
    events: list[Event] = []
    result = run(jobs, skip=True, report=events.append)
    assert result.skipped == jobs[:2]
    assert [done.job for done in result.done] == jobs[2:]
    assert result.failed == []
    assert [job.target.read_text() for job in jobs] == ["old", "old", "C", "D"]
    assert [of_job(events, index) for index in (1, 2)] == [[SKIPPED], [SKIPPED]]
    assert [of_job(events, index) for index in (3, 4)] == [[STARTED, FINISHED]] * 2


def test_existing_results_are_overwritten(jobs: list[Job]) -> None:
    jobs[0].target.write_text("old")
    assert len(run(jobs, skip=False).done) == 4
    assert jobs[0].target.read_text() == "A"


def test_a_second_run_does_what_the_first_could_not(jobs: list[Job]) -> None:
    steps = failing("read", ImageError("b.png: is damaged"))
    run(jobs, steps)
    again = run(jobs, steps, skip=True)
    assert again.skipped == [jobs[0], jobs[2], jobs[3]]
    assert [failure.job for failure in again.failed] == [jobs[1]]


def test_a_target_with_too_long_a_name_is_not_there(tmp_path: Path) -> None:
    job = Job(tmp_path / "a.png", tmp_path / ("x" * 300))
    steps = replace(STEPS, write=lambda _job, _result: None)
    assert [done.job for done in run([job], steps, skip=True).done] == [job]


def test_no_jobs() -> None:
    result = run([])
    assert (result.done, result.skipped, result.failed, result.interrupted) == ([], [], [], False)


def test_seconds_are_those_of_the_picture_alone(jobs: list[Job], monkeypatch: pytest.MonkeyPatch) -> None:
    clock, lock = [0.0], threading.Lock()
    monkeypatch.setattr("time.perf_counter", lambda: clock[0])

    def spend(seconds: float) -> None:
        with lock:
            clock[0] += seconds

    def compute(pictures: Sequence[str]) -> Sequence[str]:
        spend(4)
        return pictures

    quiet = replace(STEPS, compute=compute, write=lambda _job, _result: None, size=4)
    result = run(jobs, quiet)
    assert [done.seconds for done in result.done] == [1, 1, 1, 1]  # a quarter of the computing
    assert result.seconds == 4
    slow = replace(quiet, write=lambda _job, _result: spend(2), size=1)
    assert run(jobs[:1], slow).done[0].seconds == 6
    slow = replace(slow, read=lambda job: spend(1) or job.source.stem)
    events: list[Event] = []
    assert run(jobs[:1], slow, report=events.append).done[0].seconds == 7
    assert [event.seconds for event in events] == [0, 7]


def test_json_has_the_facts_that_writing_returned() -> None:
    def job(name: str) -> Job:
        return Job(Path(f"入/{name}.png"), Path(f"out/{name}.png"))

    result = Outcome(
        done=[Done(job("a"), 1.23456, {"mix": {"xdog": 0.25}})],
        skipped=[job("b")],
        failed=[Failure(job("c"), "入/c.png: is damaged")],
        left_out={".clip": 2},
        interrupted=True,
        seconds=2.0,
        device="cpu",
    )
    done = {"source": "入/a.png", "target": "out/a.png", "seconds": 1.235, "mix": {"xdog": 0.25}}
    assert json.loads(json.dumps(result.to_json())) == {
        "device": "cpu",
        "done": [done],
        "skipped": [{"source": "入/b.png", "target": "out/b.png"}],
        "failed": [{"source": "入/c.png", "target": "out/c.png", "message": "入/c.png: is damaged"}],
        "partial": [],
        "left_out": {".clip": 2},
        "interrupted": True,
        "stopped": False,
        "seconds": 2.0,
    }


def test_facts_reach_the_result(jobs: list[Job]) -> None:
    result = run(jobs, replace(STEPS, write=lambda job, result: {"letter": result}))
    assert [done.facts for done in result.done] == [{"letter": letter} for letter in "ABCD"]


# What is computed together


def grouped(jobs: Sequence[Job], size: int, key: Callable[[str], object]) -> list[str]:
    groups: list[str] = []

    def compute(pictures: Sequence[str]) -> Sequence[str]:
        groups.append("".join(pictures))
        return pictures

    result = run(jobs, replace(STEPS, compute=compute, size=size, key=key))
    assert [done.job for done in result.done] == list(jobs)
    return groups


def letters(tmp_path: Path, names: str) -> list[Job]:
    """Return a job for each letter; a letter that comes again is in another folder."""
    return [
        Job(tmp_path / str(place) / f"{name}.png", tmp_path / f"{place}.result")
        for place, name in enumerate(names)
    ]


@pytest.mark.parametrize(
    ("names", "size", "groups"),
    [
        ("abc", 1, ["a", "b", "c"]),
        ("abcdefg", 3, ["abc", "def", "g"]),
        ("aAbBcC", 3, ["abc", "ABC"]),
        ("aAbBc", 3, ["abc", "AB"]),
        ("aAaAaAaA", 2, ["aa", "AA", "aa", "AA"]),
        ("aB1", 2, ["a", "B", "1"]),
    ],
)
def test_pictures_of_equal_key_are_computed_together(
    tmp_path: Path, names: str, size: int, groups: list[str]
) -> None:
    jobs = letters(tmp_path, names)
    found = grouped(jobs, size, lambda name: "lower" if name.islower() else name.isupper())
    assert found == groups


def test_more_keys_than_are_in_flight_do_not_block(tmp_path: Path) -> None:
    jobs = many(tmp_path, 100)
    assert sorted(grouped(jobs, 4, lambda name: name)) == [job.source.stem for job in jobs]


def test_with_one_writer_and_groups_of_one_files_are_written_in_order(tmp_path: Path) -> None:
    written: list[Job] = []
    jobs = many(tmp_path, 30)
    run(jobs, replace(STEPS, write=lambda job, _result: written.append(job)))
    assert written == jobs


# What overlaps, and how much is in flight


def test_reading_and_writing_overlap_with_computing(tmp_path: Path) -> None:
    """Each step waits until the others are at work on other pictures; one after the other they would fail."""
    jobs = many(tmp_path, 5)
    reading, writing = threading.Event(), threading.Event()

    def read(job: Job) -> str:
        if job is jobs[2]:
            reading.set()
        return job.source.stem

    def compute(pictures: Sequence[str]) -> Sequence[str]:
        if pictures == ["001"]:
            assert reading.wait(WAIT), "the third picture is not read while the second is computed"
            assert writing.wait(WAIT), "the first picture is not written while the second is computed"
        return pictures

    def put(job: Job, _result: str) -> None:
        if job is jobs[0]:
            writing.set()

    assert len(run(jobs, Steps(read, compute, put)).done) == 5


def test_several_writers_write_at_once(jobs: list[Job]) -> None:
    both = threading.Barrier(2, timeout=WAIT)
    steps = replace(STEPS, write=lambda _job, _result: both.wait() and None, writers=2)
    assert len(run(jobs, steps).done) == 4


def most_in_flight(jobs: Sequence[Job], **changes: Any) -> int:
    """Return how many pictures were in flight at most: read and not yet written."""
    lock, now, most = threading.Lock(), 0, 0

    def count(change: int) -> None:
        nonlocal now, most
        with lock:
            now += change
            most = max(most, now)

    def read(job: Job) -> str:
        count(1)
        return job.source.stem

    def put(_job: Job, _result: str) -> None:
        time.sleep(0.001)
        count(-1)

    steps: Steps[Job, str, str] = Steps(read, lambda pictures: pictures, put, **changes)
    assert len(run(jobs, steps).done) == len(jobs)
    return most


@pytest.mark.parametrize(("size", "writers"), [(1, 1), (1, 3), (4, 1)])
def test_what_is_in_flight_does_not_grow_with_the_jobs(tmp_path: Path, size: int, writers: int) -> None:
    assert most_in_flight(many(tmp_path, 60), size=size, writers=writers) <= 3 * size + writers - 1


def test_pictures_that_fill_the_room_are_in_flight_one_by_one(tmp_path: Path) -> None:
    jobs = many(tmp_path, 12)
    assert most_in_flight(jobs, size=4, weight=lambda _picture: pipeline.ROOM) == 1
    assert most_in_flight(jobs, size=4, weight=lambda _picture: pipeline.ROOM // 2) == 2


def test_failures_give_their_room_back(tmp_path: Path) -> None:
    def refuse(_pictures: Sequence[str]) -> Sequence[str]:
        raise ImageError("no")

    steps = replace(STEPS, compute=refuse, weight=lambda _picture: pipeline.ROOM)
    assert len(run(many(tmp_path, 9), steps).failed) == 9


# Ctrl-C


def test_ctrl_c_keeps_what_was_computed(jobs: list[Job]) -> None:
    events: list[Event] = []
    result = run(jobs, failing("compute", KeyboardInterrupt(), "c"), report=events.append)
    assert result.interrupted
    assert [done.job for done in result.done] == jobs[:2]
    assert [job.target.exists() for job in jobs] == [True, True, False, False]
    assert [of_job(events, index) for index in (1, 2, 3, 4)] == [[STARTED, FINISHED]] * 2 + [[STARTED], []]


@pytest.mark.parametrize("step", ["read", "write"])
def test_ctrl_c_that_reaches_another_thread_ends_the_run(jobs: list[Job], step: str) -> None:
    result = run(jobs, failing(step, KeyboardInterrupt(), "a"))
    assert result.interrupted
    assert jobs[0] not in [done.job for done in result.done]


def test_ctrl_c_while_reporting_counts_the_work_that_was_done(jobs: list[Job]) -> None:
    def report(event: Event) -> None:
        if event.kind is FINISHED:
            raise KeyboardInterrupt

    result = run(jobs, report=report)
    assert result.interrupted
    there = [job for job in jobs if job.target.exists()]
    assert [done.job for done in result.done] == there
    assert jobs[0] in there


def test_the_second_ctrl_c_leaves_out_what_has_not_begun_to_be_written(tmp_path: Path) -> None:
    jobs = many(tmp_path, 9)
    begun, go_on = threading.Event(), threading.Event()

    def put(job: Job, result: str) -> None:
        begun.set()
        assert go_on.wait(WAIT)
        write(job, result)

    def waited(*_: Any, **__: Any) -> None:
        """Stand for the wait after the first Ctrl-C, during which the second one comes."""
        assert begun.wait(WAIT)
        if not go_on.is_set():
            go_on.set()
            raise KeyboardInterrupt

    def compute(pictures: Sequence[str]) -> Sequence[str]:
        if "003" in pictures:
            raise KeyboardInterrupt
        return pictures

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "wait", waited)
        result = run(jobs, replace(STEPS, compute=compute, write=put, size=3))
    assert result.interrupted
    there = [job for job in jobs if job.target.exists()]
    assert [done.job for done in result.done] == there
    assert jobs[0] in there
    assert len(there) < 3


def test_ctrl_c_frees_a_reader_that_waits_for_room(jobs: list[Job]) -> None:
    steps = replace(failing("compute", KeyboardInterrupt(), "a"), weight=lambda _picture: pipeline.ROOM)
    result = run(jobs, steps)
    assert (result.interrupted, result.done) == (True, [])


# The end at a failure


@pytest.mark.parametrize("error", [ImageError("is damaged"), DiskFullError("no room")])
def test_the_first_failure_ends_the_run_where_it_shall_and_a_full_disk_always(
    tmp_path: Path, error: ImageError
) -> None:
    jobs = [Job(tmp_path / f"{n}.png", tmp_path / f"{n}.out") for n in range(30)]
    written: list[str] = []

    def read(job: Job) -> str:
        if job is jobs[3]:
            raise error
        return job.name

    def put(_job: Job, name: str) -> None:
        written.append(name)

    steps: Steps[Job, str, str] = Steps(read=read, compute=list, write=put)
    fail_fast = not isinstance(error, DiskFullError)
    result = run_batch(jobs, steps, skip=False, report=lambda _event: None, fail_fast=fail_fast)
    assert (result.stopped, result.interrupted) == (True, False)
    assert [failed.message for failed in result.failed] == [str(error)]
    assert sorted(written) == [done.job.name for done in result.done]  # what was computed is written
    assert len(result.done) <= 3
    assert result.to_json()["stopped"]


# How long a picture may take


def endless() -> None:
    """Go on until somebody looks at the time."""
    begun = time.monotonic()
    while time.monotonic() < begun + WAIT:
        deadline.check()
        time.sleep(0.002)
    raise AssertionError("nobody ended it")


def slow(step: str, name: str = "b") -> Steps[Job, str, str]:
    """Return the steps of which one does not end at the picture of this name."""

    def read(job: Job) -> str:
        if step == "read" and job.source.stem == name:
            endless()
        return STEPS.read(job)

    def compute(pictures: Sequence[str]) -> Sequence[str]:
        if step == "compute" and name in pictures:
            endless()
        return STEPS.compute(pictures)

    def write_slowly(job: Job, result: str) -> None:
        if step == "write" and job.source.stem == name:
            endless()
        write(job, result)

    return replace(STEPS, read=read, compute=compute, write=write_slowly, limit=0.1)


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("step", ["read", "compute", "write"])
def test_a_picture_that_takes_too_long_fails_and_the_rest_goes_on(
    jobs: list[Job], step: str, size: int
) -> None:
    result = run(jobs, replace(slow(step), size=size))
    assert [done.job for done in result.done] == [jobs[0], jobs[2], jobs[3]]
    why = "takes longer than 0.1 s; scale it down, or allow more with --page-timeout"
    assert result.failed == [Failure(jobs[1], f"{jobs[1].source}: {why}")]


def test_the_limit_is_for_all_steps_of_a_picture_together(jobs: list[Job]) -> None:
    def deaf(job: Job) -> str:
        if job.source.stem == "b":
            time.sleep(0.2)  # as a library that never looks at the time
        return STEPS.read(job)

    result = run(jobs, replace(STEPS, read=deaf, limit=0.1))
    assert [failed.job for failed in result.failed] == [jobs[1]]
    assert not jobs[1].target.exists()


@pytest.mark.parametrize("step", ["read", "write"])
def test_ctrl_c_does_not_wait_for_what_takes_long(
    jobs: list[Job], step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "GRACE", 0.05)
    # Processes that run tests side by side may ignore Ctrl-C.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    main = threading.main_thread().ident
    assert main is not None
    steps = replace(slow(step, "a"), limit=WAIT)
    threading.Timer(0.1, signal.pthread_kill, (main, signal.SIGINT)).start()
    begun = time.monotonic()
    try:
        result = run(jobs[:1], steps)
    finally:
        signal.signal(signal.SIGINT, before)
    assert time.monotonic() - begun < WAIT / 2
    assert (result.interrupted, result.done, result.failed) == (True, [], [])
