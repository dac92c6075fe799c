"""Training in two processes, joined by gloo on the CPU."""

import multiprocessing
import os
import socket
import sys
from importlib.util import find_spec

import cv2
import numpy as np
import pytest
import torch

from sketchcolor_cli.environment import process_ranks
from sketchcolor_cli.errors import UsageError
from sketchcolor_cli.training.gan.fakes import Fakes, share_of
from sketchcolor_cli.training.loop import learner
from sketchcolor_cli.training.loop.data import EpochBatches
from sketchcolor_cli.training.loop.ranks import Ranks
from sketchcolor_cli.training.run import Run, train
from sketchcolor_cli.training.settings import TrainSettings

SHAPE = {"widths": [4, 6, 8, 10, 12, 16]}


def take_part(folder, settings, surroundings):
    """Train as one of several processes, as torchrun starts them, and save the first gradients."""
    os.environ.update(surroundings)
    rank, count, _ = process_ranks()
    record_gradients(folder / f"gradients-{rank}.pt")
    config = TrainSettings.of(preset="thesis", **settings)
    train(
        Run([str(folder / "data")], folder / "two", config, device="cpu", ranks=Ranks(rank, count)),
        resume=False, report=lambda _: None, stop=lambda: False,
    )  # fmt: skip


def record_gradients(file):
    """Let the first step of a run save the gradients that it is made of."""

    class Recording(learner.GradientClip):
        def before_step(self):
            if not file.exists():
                torch.save([p.grad.clone() for p in self.learn.model.parameters()], file)
            super().before_step()

    learner.GradientClip = Recording


def test_processes_share_the_pictures_of_an_epoch():
    def batches(rank, ranks, size):
        found = EpochBatches(22, size, 3, shuffled=True, sizes=(8,), rank=rank, ranks=ranks)
        return list(found), len(found)

    (first, count), (other, count_too), (all_of_them, _) = (
        batches(0, 2, 4),
        batches(1, 2, 4),
        batches(0, 1, 8),
    )
    assert len(first) == len(other) == count == count_too == 2
    assert [a + b for a, b in zip(first, other, strict=True)] == all_of_them


def test_alone_there_is_nobody_to_wait_for():
    ranks = Ranks()
    ranks.join("cpu")
    ranks.wait()
    assert ranks.first
    assert ranks.any(True, "cpu")
    assert not ranks.any(False, "cpu")
    assert ranks.from_first("float32") == "float32"
    ranks.leave()


def test_the_game_is_for_one_process(tmp_path):
    config = TrainSettings.of(preset="thesis", stages=("pixel", "critic", "adversarial"))
    with pytest.raises(UsageError, match="generator and critic play in one process"):
        train(
            Run([str(tmp_path)], tmp_path / "run", config, device="cpu", ranks=Ranks(0, 2)),
            resume=False, report=lambda _: None, stop=lambda: False,
        )  # fmt: skip


@pytest.mark.skipif(find_spec("accelerate") is None, reason="accelerate, an extra, is not installed")
@pytest.mark.skipif(sys.platform != "linux", reason="gloo is tried on Linux, and processes are forked")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # from Python 3.12 on
def test_two_processes_have_the_gradients_that_one_has_of_both_batches(tmp_path, monkeypatch):
    """Batches of 4 in two processes are two batches of 4 for one step in one process.

    Batch norms see 4 pictures in both. Only sums are taken in another order.
    """
    rng = np.random.default_rng(0)
    for name, color in (("red", (40, 40, 220)), ("blue", (220, 60, 30))):
        (tmp_path / "data" / name).mkdir(parents=True)
        for number in range(10):
            picture = np.full((40, 44, 3), 255, np.uint8)
            cv2.circle(picture, (int(rng.integers(10, 30)), 20), 11, color, -1)
            cv2.imwrite(str(tmp_path / "data" / name / f"{number}.png"), picture)
    settings = {
        "stages": ["vgg"], "epochs": 1, "size": 32, "batch_size": 4, "workers": 0, "valid_share": 0.15,
        "precision": "float32", "vgg_network": SHAPE,
    }  # fmt: skip
    monkeypatch.setattr(learner, "GradientClip", learner.GradientClip)  # to be put back afterwards
    record_gradients(tmp_path / "gradients.pt")
    config = TrainSettings.of(**settings, accumulate=2)
    train(
        Run([str(tmp_path / "data")], tmp_path / "one", config, device="cpu"),
        resume=False, report=lambda _: None, stop=lambda: False,
    )  # fmt: skip
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    together = [
        multiprocessing.get_context("fork").Process(
            target=take_part,
            args=(
                tmp_path,
                settings,
                {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": "2"}
                | {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "OMP_NUM_THREADS": "1"},
            ),
        )
        for rank in "01"
    ]
    for process in together:
        process.start()
    for process in together:
        process.join(300)
        assert process.exitcode == 0
    alone, first, second = (
        torch.load(tmp_path / f"gradients{name}.pt", weights_only=True) for name in ("", "-0", "-1")
    )
    assert len(alone) == len(first) == len(second) > 50
    largest = max(float(gradient.abs().max()) for gradient in alone)
    for due, two, other in zip(alone, first, second, strict=True):
        assert torch.equal(two, other)
        torch.testing.assert_close(two, due, rtol=1e-3, atol=1e-5 * largest)
    assert (tmp_path / "two" / "metrics.csv").read_text().count("\n") == 2


@pytest.mark.parametrize("count", [1, 2, 11, 12])
@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_processes_that_paint_are_asked_equally_often_whether_to_stop(count, ranks, tmp_path):
    """All answer together; where one asks more often than another, they wait for each other forever."""
    painting = Fakes(tmp_path, 8)
    pairs = [torch.zeros(3, 8, 8)]

    class Pairs:
        def __getitem__(self, _place):
            return pairs

    asked = []
    for rank in range(ranks):
        asks = []
        painting.paint(
            Pairs(), share_of(count, rank, ranks), lambda batch: batch[0], 5,
            progress=lambda _: None, stop=lambda asks=asks: asks.append(1) or False,
        )  # fmt: skip
        asked.append(len(asks))
    assert len(set(asked)) == 1
    assert all(painting.file(number).is_file() for number in range(count))
    assert not painting.file(count).exists()
