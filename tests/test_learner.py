"""What settings do to a fit: number formats, averages, steps of several batches, growing sizes."""

import pytest
import torch

from test_training_run import (
    assert_same_run,
    pictures,  # noqa: F401  (a fixture)
    run,
    state,
    stopped_run,
    weights,
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
