"""What does the work: this process, its threads, or workers on a Ray that is played here."""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from fake_ray import FakeRay, Promise
from sketchcolor_cli.compute.executor import Executor, Here, Threads
from sketchcolor_cli.errors import DataError, WorkerError
from sketchcolor_cli.evaluation.settings import Choice, EvaluateSettings
from sketchcolor_cli.jobs import evaluate as evaluating
from sketchcolor_cli.jobs import executors
from sketchcolor_cli.jobs.dataset import DatasetPrepareRequest, prepare_dataset
from sketchcolor_cli.jobs.evaluate import EvaluateRequest, evaluate
from sketchcolor_cli.jobs.executors import OnRay
from sketchcolor_cli.networks.checkpoint import save_model
from sketchcolor_cli.networks.config import HintUNetConfig
from sketchcolor_cli.networks.hint_unet import HintUNet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def squared() -> Callable[[int], int]:
    return lambda number: number * number


def refusing() -> Callable[[int], int]:
    raise DataError("the model is damaged")


class Losses:
    """Loses the worker of each promise whose text has a word, so often; all by default."""

    def __init__(self, word: str, most: int = 10**6) -> None:
        self.word, self.most = word, most

    def __call__(self, promise: Promise) -> bool:
        if self.word not in f"{promise.name} {promise.given}" or not self.most:
            return False
        self.most -= 1
        return True


@pytest.mark.parametrize(
    "choose",
    [
        Here,
        lambda: Threads(3),
        lambda: OnRay(FakeRay(), 2, few=3, gpus=True),
        lambda: OnRay(FakeRay(1), 5, few=1, gpus=False),
        lambda: OnRay(FakeRay(is_lost=Losses("do", 2)), 2, few=3, gpus=False),
        lambda: OnRay(FakeRay(3, is_lost=Losses("do", 2), nodes_are_lost=True), 3, few=2, gpus=False),
        lambda: OnRay(FakeRay(3, is_lost=Losses("load", 2)), 3, few=2, gpus=False),
    ],
)
@pytest.mark.parametrize("count", [0, 1, 100])
def test_results_come_in_order_whatever_is_lost(choose: Callable[[], Executor], count: int) -> None:
    assert list(choose().map(squared, range(count))) == [number * number for number in range(count)]


def test_nothing_is_done_twice_but_what_a_lost_worker_had() -> None:
    ray = FakeRay(is_lost=Losses("do", 1))
    assert list(OnRay(ray, 2, few=4, gpus=False).map(squared, range(20))) == [n * n for n in range(20)]
    done = [number for promise in ray.kept for part in promise.given for number, _ in part]
    assert sorted(done) == list(range(20))


def test_results_do_not_pile_up_behind_a_slow_one() -> None:
    """The fake Ray lets the part that was given out first wait as long as there is another."""
    ray = FakeRay()
    results = OnRay(ray, 2, few=2, gpus=False).map(squared, range(1000))
    assert next(results) == 0
    assert sum(promise.name == "do" for promise in ray.kept) <= 4 * 2


def test_what_loses_its_worker_each_time_is_named_in_one_line() -> None:
    ray = FakeRay(is_lost=Losses("(7, 'page 7')"))
    things = [f"page {number}" for number in range(9)]
    with pytest.raises(WorkerError, match=r"^page 7: its worker was lost 3 times \(RayError\)$"):
        list(OnRay(ray, 2, few=4, gpus=False).map(lambda: str, things))


def test_workers_that_never_come_are_told() -> None:
    with pytest.raises(WorkerError, match=r"^--ray: workers are lost while they load, 6 in a row \(RayErr"):
        list(OnRay(FakeRay(is_lost=Losses("load")), 2, few=4, gpus=False).map(squared, range(9)))


def test_an_expected_error_of_a_worker_is_the_line_that_it_is_elsewhere() -> None:
    with pytest.raises(DataError, match=r"^the model is damaged$"):
        list(OnRay(FakeRay(), 2, few=4, gpus=False).map(refusing, range(9)))


def test_arrays_are_taken_out_of_the_shared_store() -> None:
    array = np.zeros(3)
    [found] = OnRay(FakeRay(), 1, few=1, gpus=False).map(lambda: lambda _: array, [0])
    assert found is not array


# The commands


@pytest.fixture
def drawings(tmp_path: Path) -> Path:
    """Two folders of pictures: boxes, one of them twice, one grey, one damaged."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "drawings"
    for number in range(7):
        rgb = np.full((60, 50, 3), 255, np.uint8)
        for _ in range(12):
            top, left = int(rng.integers(0, 45)), int(rng.integers(0, 35))
            rgb[top : top + 15, left : left + 15] = rng.integers(0, 256, 3)
        path = folder / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rgb).save(path)
    Image.fromarray(rgb).save(folder / "a" / "again.png")
    Image.new("RGB", (50, 60), "grey").save(folder / "b" / "grey.png")
    (folder / "b" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return folder


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> FakeRay:
    """A Ray that pickles, and that loses a worker and the node of another."""
    fake = FakeRay(3, is_lost=Losses("do", 2), nodes_are_lost=True, pickled=True)
    monkeypatch.setattr(executors, "joined", lambda _address, _workers: nullcontext(fake))
    return fake


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_shards_are_the_same_to_the_byte(drawings: Path, tmp_path: Path, ray: FakeRay) -> None:
    common = {"inputs": [drawings], "min_side": 32, "shard_size": 2, "short_side": 48}
    whole = prepare_dataset(DatasetPrepareRequest.of(output=tmp_path / "whole", **common))
    packed = prepare_dataset(DatasetPrepareRequest.of(output=tmp_path / "shared", **common, ray="local"))
    assert packed == whole
    assert packed.dropped == {"broken": 1, "duplicate": 1, "grey": 1}
    assert contents(tmp_path / "shared") == contents(tmp_path / "whole")
    assert len(contents(tmp_path / "whole")) == 4 + 3
    assert ray.options["num_gpus"] == 0


def test_figures_are_the_same_to_the_last_digit(
    drawings: Path, tmp_path: Path, ray: FakeRay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All but times and memory, and the pictures of the report as well."""
    monkeypatch.setattr(time, "perf_counter", lambda: 0.0)
    monkeypatch.setattr(evaluating, "_peak_memory", lambda: None)
    monkeypatch.setenv("SKETCHCOLOR_WEIGHTS", str(tmp_path / "none"))
    small = HintUNet(HintUNetConfig(widths=(4, 8), depths=(1, 1), lab_step=48.0))
    save_model(tmp_path / "small.safetensors", small, provenance={}, licence="")
    for number in range(4):  # few are left, as each is coloured at the working size of a page
        (drawings / "ab"[number % 2] / f"{number}.png").unlink()
    settings = EvaluateSettings(chosen=(Choice.OTHER,), stability_limit=0, resamples=20)
    asked = EvaluateRequest(
        str(drawings),
        tmp_path / "whole",
        str(tmp_path / "small.safetensors"),
        settings=settings,
        fid=False,
        device="cpu",
        backend="torch",
    )
    whole = evaluate(asked)
    found = evaluate(replace(asked, output=tmp_path / "shared", ray="local"))
    assert found.unreadable == whole.unreadable != []
    assert contents(tmp_path / "shared") == contents(tmp_path / "whole")
    assert ray.options["num_gpus"] == 1
