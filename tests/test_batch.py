"""The loop over many pictures: what is done, left out, set aside, interrupted, and reported."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sketchcolor_cli.batch import BatchResult, Done, Event, EventKind, Existing, Failure, run_batch
from sketchcolor_cli.errors import ImageError, WorklistError
from sketchcolor_cli.worklist import Job

STARTED, FINISHED, SKIPPED, FAILED = EventKind


@pytest.fixture
def jobs(tmp_path: Path) -> list[Job]:
    return [Job(tmp_path / f"{name}.png", tmp_path / f"{name}.result") for name in "abcd"]


def work(job: Job) -> str:
    """Write the target; a picture called b is damaged."""
    if job.source.stem == "b":
        raise ImageError(f"{job.source}: is damaged")
    job.target.write_text("new")
    return job.source.stem.upper()


def kinds(events: list[Event]) -> list[tuple[EventKind, int]]:
    return [(event.kind, event.index) for event in events]


def test_failure_is_set_aside_and_the_rest_goes_on(jobs: list[Job]) -> None:
    events: list[Event] = []
    result = run_batch(jobs, work, existing=Existing.ERROR, report=events.append)
    assert [(one.job, one.value) for one in result.done] == [(jobs[0], "A"), (jobs[2], "C"), (jobs[3], "D")]
    assert result.failed == [Failure(jobs[1], f"{jobs[1].source}: is damaged")]
    assert (result.skipped, result.interrupted) == ([], False)
    assert kinds(events) == [
        (STARTED, 1),
        (FINISHED, 1),
        (STARTED, 2),
        (FAILED, 2),
        (STARTED, 3),
        (FINISHED, 3),
        (STARTED, 4),
        (FINISHED, 4),
    ]
    assert all(event.job == jobs[event.index - 1] and event.total == 4 for event in events)
    assert [event.message for event in events if event.message] == [f"{jobs[1].source}: is damaged"]


def test_seconds(jobs: list[Job], monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0

    def slow(job: Job) -> None:
        nonlocal now
        now += 2.5 if job is jobs[0] else 1.5

    monkeypatch.setattr("time.perf_counter", lambda: now)
    events: list[Event] = []
    result = run_batch(jobs[:2], slow, existing=Existing.ERROR, report=events.append)
    assert [one.seconds for one in result.done] == [2.5, 1.5]
    assert [event.seconds for event in events] == [0, 2.5, 0, 1.5]
    assert result.seconds == 4


def test_existing_results_are_refused_before_any_work(jobs: list[Job]) -> None:
    jobs[1].target.write_text("old")
    jobs[3].target.mkdir()
    events: list[Event] = []
    with pytest.raises(WorklistError) as caught:
        run_batch(jobs, work, existing=Existing.ERROR, report=events.append)
    assert str(caught.value) == (
        f"2 of 4 results are already there, the first is {jobs[1].target}; "
        "use --resume to leave them out or --overwrite to replace them"
    )
    assert events == []
    assert not jobs[0].target.exists()


def test_existing_results_are_skipped(jobs: list[Job]) -> None:
    for job in jobs[:2]:
        job.target.write_text("old")
    events: list[Event] = []
    result = run_batch(jobs, work, existing=Existing.SKIP, report=events.append)
    assert result.skipped == jobs[:2]
    assert [one.job for one in result.done] == jobs[2:]
    assert result.failed == []
    assert [job.target.read_text() for job in jobs] == ["old", "old", "new", "new"]
    expected = [(SKIPPED, 1), (SKIPPED, 2), (STARTED, 3), (FINISHED, 3), (STARTED, 4), (FINISHED, 4)]
    assert kinds(events) == expected


def test_existing_results_are_overwritten(jobs: list[Job]) -> None:
    jobs[0].target.write_text("old")
    result = run_batch(jobs, work, existing=Existing.OVERWRITE, report=lambda _: None)
    assert len(result.done) == 3
    assert jobs[0].target.read_text() == "new"


def test_second_run_does_what_the_first_could_not(jobs: list[Job]) -> None:
    run_batch(jobs, work, existing=Existing.ERROR, report=lambda _: None)
    again = run_batch(jobs, work, existing=Existing.SKIP, report=lambda _: None)
    assert again.skipped == [jobs[0], jobs[2], jobs[3]]
    assert [failure.job for failure in again.failed] == [jobs[1]]


def test_too_little_memory_is_a_failure_of_one_picture(jobs: list[Job]) -> None:
    def large(job: Job) -> None:
        if job is jobs[0]:
            raise MemoryError

    result = run_batch(jobs, large, existing=Existing.ERROR, report=lambda _: None)
    assert [one.job for one in result.done] == jobs[1:]
    assert result.failed[0].job == jobs[0]
    assert result.failed[0].message.startswith(f"{jobs[0].source}: too large for the free memory")


@pytest.mark.parametrize("bug", [ValueError("a bug"), OSError("a bug"), AssertionError("a bug")])
def test_bugs_come_through(jobs: list[Job], bug: Exception) -> None:
    def buggy(_: Job) -> None:
        raise bug

    with pytest.raises(type(bug), match="a bug"):
        run_batch(jobs, buggy, existing=Existing.ERROR, report=lambda _: None)


def test_interruption_keeps_what_was_done(jobs: list[Job]) -> None:
    def interrupted(job: Job) -> str:
        if job is jobs[2]:
            raise KeyboardInterrupt
        return work(job)

    events: list[Event] = []
    result = run_batch(jobs, interrupted, existing=Existing.ERROR, report=events.append)
    assert result.interrupted
    assert [one.job for one in result.done] == [jobs[0]]
    assert [failure.job for failure in result.failed] == [jobs[1]]
    assert kinds(events)[-1] == (STARTED, 3)


def test_interruption_while_reporting_counts_the_work_that_was_done(jobs: list[Job]) -> None:
    def report(event: Event) -> None:
        if event.kind is FINISHED:
            raise KeyboardInterrupt

    result = run_batch(jobs, work, existing=Existing.ERROR, report=report)
    assert result.interrupted
    assert [one.job for one in result.done] == [jobs[0]]


def test_target_with_too_long_a_name_is_not_there(tmp_path: Path) -> None:
    job = Job(tmp_path / "a.png", tmp_path / ("x" * 300))
    result = run_batch([job], lambda _: None, existing=Existing.SKIP, report=lambda _: None)
    assert [one.job for one in result.done] == [job]


def test_no_jobs() -> None:
    result = run_batch([], work, existing=Existing.ERROR, report=lambda _: None)
    assert (result.done, result.skipped, result.failed, result.interrupted) == ([], [], [], False)


def test_json() -> None:
    def job(name: str) -> Job:
        return Job(Path(f"入/{name}.png"), Path(f"out/{name}.png"))

    result = BatchResult(
        done=[Done(job("a"), value=object(), seconds=1.23456)],
        skipped=[job("b")],
        failed=[Failure(job("c"), "入/c.png: is damaged")],
        interrupted=True,
        seconds=2.0,
    )
    assert json.loads(json.dumps(result.to_json())) == {
        "done": [{"source": "入/a.png", "target": "out/a.png", "seconds": 1.235}],
        "skipped": [{"source": "入/b.png", "target": "out/b.png"}],
        "failed": [{"source": "入/c.png", "target": "out/c.png", "message": "入/c.png: is damaged"}],
        "interrupted": True,
        "seconds": 2.0,
    }


def test_existing_by_name() -> None:
    assert [Existing(name) for name in ("error", "skip", "overwrite")] == list(Existing)
