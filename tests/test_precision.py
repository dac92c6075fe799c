import pytest
import torch

from sketchcolor_cli.compute import precision


@pytest.mark.parametrize(
    ("plain", "brief", "chosen"), [(1.0, 0.5, "bfloat16"), (1.0, 0.95, "float32"), (1.0, 3.0, "float32")]
)
def test_on_a_cpu_bfloat16_must_be_clearly_faster(monkeypatch, plain, brief, chosen):
    times = {torch.float32: plain, torch.bfloat16: brief}
    monkeypatch.setattr(precision, "_lacks_bfloat16", lambda: False)
    monkeypatch.setattr(precision, "_seconds", times.__getitem__)
    assert precision.choose("cpu") == chosen


@pytest.mark.parametrize(
    ("machine", "vectors", "lacks"),
    [("x86_64", "AVX2", True), ("AMD64", "AVX512", False), ("aarch64", "DEFAULT", False)],
)
def test_a_processor_that_cannot_multiply_it_is_not_tried(monkeypatch, machine, vectors, lacks):
    tried = []
    monkeypatch.setattr(precision.platform, "machine", lambda: machine)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: vectors)
    monkeypatch.setattr(precision, "_seconds", lambda dtype: tried.append(dtype) or 1.0)
    assert precision.choose("cpu") == "float32"
    assert (tried == []) == lacks


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
