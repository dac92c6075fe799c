import pytest
import torch

from sketchcolor_cli.compute import precision


@pytest.mark.parametrize(
    ("plain", "brief", "chosen"), [(1.0, 0.5, "bfloat16"), (1.0, 0.95, "float32"), (1.0, 3.0, "float32")]
)
def test_on_a_cpu_bfloat16_must_be_clearly_faster(monkeypatch, plain, brief, chosen):
    times = {torch.float32: plain, torch.bfloat16: brief}
    monkeypatch.setattr(precision, "_seconds", times.__getitem__)
    assert precision.choose("cpu") == chosen


def test_the_trial_runs_and_takes_time():
    assert precision.choose("cpu") in ("float32", "bfloat16")
    assert 0 < precision._seconds(torch.bfloat16) < 60


@pytest.mark.parametrize(("able", "chosen"), [(True, "bfloat16"), (False, "float32")])
@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
def test_on_cuda_it_is_bfloat16_where_the_gpu_has_it(monkeypatch, device, able, chosen):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: able)
    assert precision.choose(device) == chosen


def test_elsewhere_it_is_float32():
    assert precision.choose("mps") == "float32"
