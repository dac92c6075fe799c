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
from sketchcolor_plugins.anime2sketch import network
from sketchcolor_plugins.anime2sketch.network import Anime2Sketch, Anime2SketchSketcher, Enlarge, equalized
from sketchcolor_plugins.loading import layout, load

KEYS = Path(__file__).parent / "data/keys"
NARROW = (2, 2, 3, 3, 4, 4, 4, 4)
VARIANTS = pytest.mark.parametrize("improved", [False, True], ids=["first", "improved"])


def name_of(improved):
    return "anime2sketch-improved" if improved else "anime2sketch"


def published(improved):
    return json.loads((KEYS / f"{name_of(improved).replace('-', '_')}.json").read_text())


def random_weights(tensors, seed=0):
    """Numbers that keep signals in size; the blur's kernel is no matter of chance."""
    generator = torch.Generator().manual_seed(seed)

    def fill(name, tensor):
        if name.endswith("kernel"):
            return torch.tensor([[[[1.0, 2, 1], [2, 4, 2], [1, 2, 1]]]]) / 16
        spread = math.sqrt(6 / tensor[0].numel()) if tensor.ndim > 1 else 0.2
        return (torch.rand(tensor.shape, generator=generator) - 0.5) * 2 * spread

    return {name: fill(name, tensor) for name, tensor in tensors.items()}


@pytest.fixture
def narrow(monkeypatch, tmp_path):
    """Make the plugin load a network of fewer channels; return the file of its random weights."""
    monkeypatch.setattr(network, "Anime2Sketch", partial(Anime2Sketch, widths=NARROW))

    def file_of(improved):
        path = tmp_path / f"{improved}.safetensors"
        save_file(random_weights(layout(partial(Anime2Sketch, improved=improved, widths=NARROW))), path)
        return path

    return file_of


def pictures(count, height, width, seed=1):
    return torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(seed))


def by_name(tensors, x):
    """The network written down flat, from the names of its tensors alone; in double precision."""
    value = {name: tensor.double() for name, tensor in tensors.items()}

    def normal(x):
        return (x - x.mean((2, 3), keepdim=True)) / (x.var((2, 3), keepdim=True, correction=0) + 1e-5).sqrt()

    def under(depth, index):
        place = "model.model." + ("1.model." if depth else "") + "3.model." * max(0, depth - 1)
        return f"{place}{index}"

    x, skips = x.double(), []
    for depth in range(8):
        name = under(depth, 1 if depth else 0)
        x = functional.conv2d(
            functional.leaky_relu(x, 0.2) if depth else x,
            value[f"{name}.weight"],
            value[f"{name}.bias"],
            2,
            1,
        )
        x = normal(x) if 0 < depth < 7 else x
        skips.append(x)
    x = skips.pop().relu()
    for depth in range(7, -1, -1):
        name = under(depth, {7: 3, 0: 3}.get(depth, 5))
        if f"{name}.conv.weight" in value:
            x = functional.interpolate(x, scale_factor=2, mode="bilinear")
            x = blurred(x)
            x = functional.conv2d(x, value[f"{name}.conv.weight"], value[f"{name}.conv.bias"], padding=1)
            wide = functional.conv2d(x, value[f"{name}.mlp.0.weight"], value[f"{name}.mlp.0.bias"])
            wide = wide * (1 + torch.erf(wide / math.sqrt(2))) / 2
            x = x + functional.conv2d(wide, value[f"{name}.mlp.2.weight"], value[f"{name}.mlp.2.bias"])
        else:
            x = functional.conv_transpose2d(x, value[f"{name}.weight"], value[f"{name}.bias"], 2, 1)
        if depth:
            x = torch.cat([skips.pop(), normal(x)], 1).relu()
    return x.tanh()


def blurred(x):
    """The blur by 1, 2, 1 from another library."""
    kernel = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16
    planes = [
        [cv2.filter2D(plane, -1, kernel, borderType=cv2.BORDER_REPLICATE) for plane in picture]
        for picture in x.numpy()
    ]
    return torch.from_numpy(np.array(planes))


@VARIANTS
def test_names_shapes_and_types_are_those_of_the_published_file(improved):
    ours = {
        name: [str(tensor.dtype).removeprefix("torch."), list(tensor.shape)]
        for name, tensor in layout(partial(Anime2Sketch, improved=improved)).items()
    }
    assert ours == published(improved)
    [weights] = find_extractors().get(name_of(improved)).weights
    assert {name: list(tensor.shape) for name, tensor in weights.layout().items()} == {
        name: shape for name, (_, shape) in published(improved).items()
    }


@pytest.mark.parametrize(("improved", "count"), [(False, 54_405_505), (True, 47_976_513)])
def test_it_has_as_many_parameters_as_published(improved, count):
    with torch.device("meta"):
        assert sum(part.numel() for part in Anime2Sketch(improved=improved).parameters()) == count


@VARIANTS
def test_a_file_as_published_loads_in_full_size(tmp_path, improved):
    declared = find_extractors().get(name_of(improved))
    zeros = {name: torch.zeros(shape) for name, (_, shape) in published(improved).items()}
    save_file(zeros, tmp_path / "w.safetensors")
    sketcher = declared.load(Resources("cpu", declared.defaults(), lambda file: tmp_path / "w.safetensors"))
    assert sketcher.network.state_dict().keys() == zeros.keys()


@VARIANTS
def test_the_network_is_what_its_description_says(narrow, improved):
    x = pictures(2, 256, 512) * 2 - 1
    wanted = by_name(load_file(narrow(improved)), x)
    assert wanted.std() > 0.01
    ours = load(partial(Anime2Sketch, improved=improved, widths=NARROW), narrow(improved))(x)
    torch.testing.assert_close(ours.double(), wanted, atol=1e-4, rtol=1e-3)


def test_enlarging_a_flat_picture_keeps_it_flat_but_for_the_convolutions_border():
    enlarge = Enlarge(1, 1)
    with torch.no_grad():
        enlarge.conv.weight.copy_(torch.tensor([[[[0.0, 0, 0], [0, 2, 0], [0, 0, 0]]]]))
        enlarge.conv.bias.fill_(1)
        for layer in (enlarge.mlp[0], enlarge.mlp[2]):
            layer.weight.fill_(0.0)
            layer.bias.fill_(0.5)
        drawn = enlarge(torch.full((1, 1, 3, 4), 3.0))
    assert drawn.shape == (1, 1, 6, 8)
    torch.testing.assert_close(drawn, torch.full((1, 1, 6, 8), 2 * 3 + 1 + 0.5))


def test_enlarging_spreads_a_dot_as_bilinear_and_binomial_weights_say():
    enlarge = Enlarge(1, 1)
    with torch.no_grad():
        enlarge.conv.weight.zero_()[0, 0, 1, 1] = 1
        for layer in (enlarge.conv, enlarge.mlp[2]):
            layer.bias.zero_()
        enlarge.mlp[2].weight.zero_()
        dot = torch.zeros(1, 1, 5, 5)
        dot[..., 2, 2] = 1
        row = enlarge(dot)[0, 0, :, 4] / enlarge(dot)[0, 0, 4, 4]
    # Bilinear: 1/4, 3/4, 3/4, 1/4; then 1, 2, 1 over 4.
    wanted = torch.tensor([0, 0, 0.25, 1.25, 2.5, 2.5, 1.25, 0.25, 0, 0]) / 2.5
    torch.testing.assert_close(row, wanted)


class Echo(torch.nn.Module):
    """Gives what comes in first, so that what it gets can be seen."""

    def __init__(self):
        super().__init__()
        self.gain = torch.nn.Parameter(torch.ones(()))

    def forward(self, x):
        assert x.min() >= -1
        assert x.max() <= 1
        return x[:, :1] * self.gain


def test_the_network_sees_minus_1_to_1_and_its_sketch_comes_back_to_0_to_1():
    rgb = pictures(1, 8, 8)
    rgb[0, 0, 0, :3] = torch.tensor([0, 0.5, 1])
    torch.testing.assert_close(Anime2SketchSketcher(Echo(), 0.0)(rgb), rgb[:, :1])


def test_equalising_is_opencvs_on_each_channel():
    levels = np.random.default_rng(0).integers(40, 90, (64, 96, 3), np.uint8)
    ours = equalized(torch.from_numpy(levels.transpose(2, 0, 1)[None].copy()) / 255, 3.0)
    clahe = cv2.createCLAHE(3.0, (8, 8))
    wanted = np.stack([clahe.apply(np.ascontiguousarray(levels[..., n])) for n in range(3)])
    np.testing.assert_array_equal((ours[0] * 255).round().numpy(), wanted)
    assert ours.std() > 1.5 * (levels / 255).std()


def test_equalising_is_done_when_it_is_asked_for(narrow):
    declared = find_extractors().get("anime2sketch-improved")
    file = narrow(True)
    plain, equal = (
        declared.load(Resources("cpu", {"clahe": limit}, lambda _: file))(0.3 * pictures(1, 256, 256))
        for limit in (0.0, 2.0)
    )
    assert not torch.equal(plain, equal)
    with pytest.raises(UsageError, match="clahe is at least 0"):
        Loader(find_extractors(), find_weight=lambda _: file).load(declared.name, ["clahe=-1"])


@VARIANTS
def test_half_the_bits_give_the_same_sketch(narrow, improved):
    declared = find_extractors().get(name_of(improved))
    file = narrow(improved)
    full, half = (
        declared.load(Resources("cpu", declared.defaults(), lambda _: file, precision=precision))
        for precision in ("float32", "bfloat16")
    )
    rgb = pictures(2, 256, 256)
    assert half(rgb).dtype == torch.float32
    assert (half(rgb) - full(rgb)).abs().mean() < 0.02


def test_the_padding_is_a_mirror_as_normalisation_would_spread_a_border():
    assert find_extractors().get("anime2sketch").size.pad == "reflect"
    assert find_extractors().get("anime2sketch").size.multiple == 256
