"""What settings do to a fit: number formats, averages, steps of several batches, growing sizes."""

from importlib.util import find_spec

import pytest
import torch

from sketchcolor_cli.errors import TrainingError
from test_training_run import (
    assert_same_run,
    few_counted,  # noqa: F401  (a fixture)
    pictures,  # noqa: F401  (a fixture)
    rows,
    run,
    state,
    stopped_run,
    weights,
    whole,  # noqa: F401  (a fixture)
)


@pytest.mark.parametrize(
    "settings",
    [
        {"precision": "float16"},
        {"ema": 0.9},
        {"accumulate": 2, "batch_size": 2},
        {"size": (32, 64), "batch_size": 2},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_a_run_with_this_setting_goes_on_to_the_same_end(pictures, tmp_path, settings):  # noqa: F811
    run(pictures, tmp_path / "whole", "fast", **settings)
    stopped_run(pictures, tmp_path / "broken", "fast", 1, **settings)
    run(pictures, tmp_path / "broken", "fast", resume=True, **settings)
    assert_same_run(tmp_path / "whole", tmp_path / "broken")


def test_float16_scales_its_losses_and_keeps_the_scale(pictures, tmp_path):  # noqa: F811
    run(pictures, tmp_path / "run", "fast", precision="float16")
    assert state(tmp_path / "run")["more"]["Scaled"]["scale"] > 1
    held = weights(tmp_path / "run").values()
    assert {tensor.dtype for tensor in held if tensor.is_floating_point()} == {torch.float32}


def test_what_counts_is_the_average_and_it_lags_behind(pictures, whole, tmp_path):  # noqa: F811
    run(pictures, tmp_path / "mean", "fast", ema=0.9)
    kept = state(tmp_path / "mean")
    plain, mean = weights(whole("fast")), weights(tmp_path / "mean")
    for name in plain:
        assert torch.equal(
            kept["model"][f"net.{name}"], plain[name]
        )  # the average does not change the course
        assert torch.equal(kept["more"]["Average"]["mean"][f"net.{name}"], mean[name])
    assert any(not torch.equal(plain[name], mean[name]) for name in plain)
    assert rows(whole("fast"))[0]["train_loss"] == rows(tmp_path / "mean")[0]["train_loss"]
    assert rows(whole("fast"))[0]["valid_loss"] != rows(tmp_path / "mean")[0]["valid_loss"]


def test_several_batches_make_one_step(pictures, tmp_path):  # noqa: F811
    """Eight pictures in four batches: two steps in each of two epochs."""
    run(pictures, tmp_path / "run", "fast", accumulate=2, batch_size=2)
    assert state(tmp_path / "run")["optimizer"]["count"] == 4


@pytest.mark.skipif(find_spec("tensorboard") is None, reason="tensorboard, an extra, is not installed")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tensorboard_has_its_files(pictures, tmp_path):  # noqa: F811
    run(pictures, tmp_path / "run", "fast", epochs=1, tensorboard=True)
    assert list((tmp_path / "run" / "tensorboard").glob("events.out.tfevents.*"))


def test_without_the_extra_tensorboard_is_told_in_one_line(pictures, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setitem(__import__("sys").modules, "torch.utils.tensorboard", None)
    with pytest.raises(TrainingError, match=r"install it with: pip install tensorboard"):
        run(pictures, tmp_path / "run", "fast", epochs=1, tensorboard=True)
