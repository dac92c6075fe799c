from __future__ import annotations

import json
import math
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional

from sketchcolor_cli import Resources
from sketchcolor_cli.errors import UsageError
from sketchcolor_cli.extraction.loader import Loader
from sketchcolor_cli.plugin.discovery import find_extractors
from sketchcolor_plugins.loading import layout, load
from sketchcolor_plugins.sketchkeras import network
from sketchcolor_plugins.sketchkeras.network import SketchKeras, SketchKerasSketcher, high_pass

PUBLISHED = json.loads((Path(__file__).parent / "data/keys/sketchkeras.json").read_text())
SMALL = partial(SketchKeras, 2)


@pytest.fixture(scope="module")
def declared():
    return find_extractors().get("sketchkeras")


@pytest.fixture(scope="module")
def small_file(tmp_path_factory):
    """Random weights with the published names, of a network of two channels instead of 32."""
    path = tmp_path_factory.mktemp("weights") / "small.safetensors"
    save_file(random_weights(layout(SMALL)), path)
    return path


@pytest.fixture
def small(monkeypatch, small_file):
    """What load gets when the network is the small one."""
    monkeypatch.setattr(network, "SketchKeras", SMALL)
    return small_file


def random_weights(tensors, seed=0):
    """As training leaves them: means and scales of their own, variances above 0, signals keep their size."""
    generator = torch.Generator().manual_seed(seed)

    def fill(name, tensor):
        if not tensor.is_floating_point():
            return torch.tensor(1000)
        value = torch.rand(tensor.shape, generator=generator)
        if name.endswith("running_var") or (name.endswith("weight") and tensor.ndim == 1):
            return value + 0.5
        spread = math.sqrt(6 / tensor[0].numel()) if tensor.ndim > 1 else 0.2
        return (value - 0.5) * spread * 2

    return {name: fill(name, tensor) for name, tensor in tensors.items()}


def pictures(count, height, width, seed=1):
    return torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(seed))


def by_name(tensors, x):
    """The network written down flat, from the names of its tensors alone; in double precision."""
    value = {name: tensor.double() for name, tensor in tensors.items()}

    def step(x, place, before, stride=1):
        norm = f"{place[0]}.{place[1] + 1}"
        x = functional.conv2d(
            functional.pad(x, before, mode="reflect"),
            value[f"{place[0]}.{place[1]}.weight"],
            value[f"{place[0]}.{place[1]}.bias"],
            stride,
        )
        mean, var = (value[f"{norm}.running_{what}"][:, None, None] for what in ("mean", "var"))
        scale, shift = (value[f"{norm}.{what}"][:, None, None] for what in ("weight", "bias"))
        return ((x - mean) / (var + 0.001).sqrt() * scale + shift).clamp(min=0)

    even, uneven = (1, 1, 1, 1), (1, 2, 1, 2)
    down = [step(x.double(), ("downblock_1", 1), even)]
    for n in (2, 3, 4):
        half = step(down[-1], (f"downblock_{n}", 1), even, stride=2)
        down.append(step(half, (f"downblock_{n}", 5), even))
    x = step(down[-1], ("downblock_5", 1), even, stride=2)
    x = torch.cat([x, step(x, ("downblock_6", 1), even)], 1)
    for n, skip in zip((1, 2, 3, 4), reversed(down), strict=True):
        x = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
        x = step(step(x, (f"upblock_{n}", 2), uneven), (f"upblock_{n}", 6), even)
        x = torch.cat([skip, x], 1)
    return functional.conv2d(
        functional.pad(x, even, mode="reflect"), value["last_conv.weight"], value["last_conv.bias"]
    )


def test_names_shapes_and_types_are_those_of_the_published_file():
    ours = {
        name: [str(tensor.dtype).removeprefix("torch."), list(tensor.shape)]
        for name, tensor in layout(SketchKeras).items()
    }
    assert ours == PUBLISHED


def test_it_has_as_many_parameters_as_published():
    assert sum(parameter.numel() for parameter in SketchKeras().parameters()) == 18_637_601


def test_the_layout_that_is_declared_is_the_networks(declared):
    [weights] = declared.weights
    assert {name: list(tensor.shape) for name, tensor in weights.layout().items()} == {
        name: shape for name, (_, shape) in PUBLISHED.items()
    }


def test_a_file_as_published_loads_in_full_size(tmp_path, declared):
    zeros = {
        name: torch.zeros(shape, dtype=getattr(torch, kind)) for name, (kind, shape) in PUBLISHED.items()
    }
    save_file(zeros, tmp_path / "w.safetensors")
    sketcher = declared.load(Resources("cpu", declared.defaults(), lambda file: tmp_path / "w.safetensors"))
    assert (sketcher(pictures(1, 32, 48)) == 1).all()  # no ink


@pytest.mark.parametrize("missing", ["last_conv.bias", "upblock_3.7.running_var"])
def test_a_file_that_lacks_a_tensor_is_refused(tmp_path, missing):
    tensors = random_weights(layout(SMALL))
    del tensors[missing]
    save_file(tensors, tmp_path / "w.safetensors")
    with pytest.raises(RuntimeError, match=missing):
        load(SMALL, tmp_path / "w.safetensors")


@pytest.mark.parametrize("size", [(32, 48), (64, 32)])
def test_the_network_is_what_its_description_says(small_file, size):
    x = pictures(1, *size)[:, :1] - 0.5
    wanted = by_name(load_file(small_file), x)
    assert wanted.std() > 0.01
    torch.testing.assert_close(load(SMALL, small_file)(x).double(), wanted, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("size", [(32, 32), (48, 80)])
def test_folding_changes_nothing(small_file, size):
    x = pictures(1, *size)[:, :1] - 0.5
    plain, folded = load(SMALL, small_file), load(SMALL, small_file).folded()
    assert not any(isinstance(layer, torch.nn.BatchNorm2d) for layer in folded.modules())
    difference = (folded(x) - plain(x)).abs()
    assert difference.max() < 1e-4 * plain(x).abs().max()


def test_convolving_what_was_repeated_is_done_before_repeating():
    conv = torch.nn.Conv2d(2, 3, 4)
    x = pictures(1, 3, 5)[:, :2]
    repeated = functional.pad(x.repeat_interleave(2, 2).repeat_interleave(2, 3), (1, 2, 1, 2), mode="reflect")
    with torch.no_grad():
        torch.testing.assert_close(network._Doubling(conv)(x), conv(repeated), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("size", [(33, 47), (35, 32), (50, 63)])
def test_the_network_takes_sizes_that_halve_badly(small_file, size):
    assert load(SMALL, small_file)(pictures(1, *size)[:, :1]).shape == (1, 1, *size)


def test_the_high_pass_is_that_of_the_reference_on_8_bit_pictures():
    levels = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    levels = cv2.GaussianBlur(levels, (0, 0), 1)
    blurred = cv2.GaussianBlur(levels, (0, 0), 3)
    wanted = (levels.astype(int) - blurred.astype(int)) / 128
    wanted /= wanted.max()
    ours = high_pass(torch.from_numpy(levels.transpose(2, 0, 1)[None].copy()).float() / 255)[0]
    step = 1 / (levels.astype(int) - blurred.astype(int)).max()
    apart = np.abs(ours.permute(1, 2, 0).numpy() - wanted)
    assert apart.max() <= 1.01 * step  # where the blurred value lies halfway between two steps
    assert (apart > 0.01 * step).mean() < 0.05


def test_the_high_pass_keeps_its_sign_and_its_greatest_value_is_1():
    page = torch.full((1, 3, 40, 40), 0.5)
    page[..., 20, 20] = 0.75
    page[..., 10, 10] = 0.0
    fine = high_pass(page)[0, 0]
    assert fine.max().item() == pytest.approx(1)
    assert fine[20, 20].item() == pytest.approx(1)
    assert fine[10, 10] < -1.9


@pytest.mark.parametrize("paper", [0.0, 0.3, 1.0])
def test_a_blank_page_has_nothing_fine(paper):
    assert high_pass(torch.full((1, 3, 40, 40), paper)).abs().max() < 1e-4


def test_a_picture_is_scaled_by_its_own_greatest_difference():
    loud, faint = pictures(1, 40, 40), 0.5 + 0.01 * pictures(1, 40, 40, seed=2)
    together = high_pass(torch.cat([loud, faint]))
    torch.testing.assert_close(together, torch.cat([high_pass(loud), high_pass(faint)]))
    assert together[1].max().item() == pytest.approx(1)


class Echo(torch.nn.Module):
    """Gives as ink what comes in, times a number."""

    def __init__(self, gain=1.0):
        super().__init__()
        self.gain = torch.nn.Parameter(torch.tensor(gain))

    def forward(self, x):
        assert x.shape[1] == 1
        return x * self.gain


def test_the_channel_with_most_ink_counts_and_faint_ink_is_paper():
    page = torch.full((1, 3, 40, 40), 0.5)
    page[:, 0, 10, 10] = 1.0  # the greatest difference
    page[:, 1, 20, 20] = 0.75  # half of it
    page[:, 2, 30, 30] = 0.53  # a sixteenth
    sketch = SketchKerasSketcher(Echo(), 0.1)(page)[0, 0]
    assert sketch[10, 10].item() == pytest.approx(0, abs=1e-6)
    assert sketch[20, 20].item() == pytest.approx(0.5, abs=0.01)
    assert sketch[30, 30] == 1
    assert SketchKerasSketcher(Echo(), 0.0)(page)[0, 0, 30, 30].item() == pytest.approx(0.94, abs=0.01)


def test_ink_beyond_black_stays_black():
    assert SketchKerasSketcher(Echo(3.0), 0.1)(pictures(1, 40, 40)).min() == 0


def test_half_the_bits_give_the_same_sketch(small, declared):
    full, half = (
        declared.load(Resources("cpu", declared.defaults(), lambda file: small, precision=precision))
        for precision in ("float32", "bfloat16")
    )
    rgb = pictures(2, 64, 64)
    assert half(rgb).dtype == torch.float32
    assert next(half.network.parameters()).dtype == torch.bfloat16
    assert (half(rgb) - full(rgb)).abs().mean() < 0.02


@pytest.mark.parametrize("threshold", ["-0.1", "1.5"])
def test_a_threshold_that_makes_no_sense_is_refused(small, threshold):
    with pytest.raises(UsageError, match="threshold is from 0 to 1"):
        Loader(find_extractors(), find_weight=lambda f: small).load("sketchkeras", [f"threshold={threshold}"])
