from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional

from sketchcolor_cli import Resources
from sketchcolor_cli.errors import UsageError
from sketchcolor_cli.extraction.loader import Loader
from sketchcolor_cli.plugin.discovery import find_extractors
from sketchcolor_plugins.loading import layout, load
from sketchcolor_plugins.sketch_simplification import MARGIN, network
from sketchcolor_plugins.sketch_simplification.network import SimplificationSketcher, build

PUBLISHED = json.loads((Path(__file__).parent / "data/keys/sketch_simplification.json").read_text())
NAME = "sketch-simplification"


@pytest.fixture(scope="module")
def declared():
    return find_extractors().get(NAME)


@pytest.fixture
def narrow(monkeypatch, tmp_path):
    """Make the network a sixteenth as wide; return the file of its random weights."""
    thin = [(-(-a // 16), -(-b // 16), size, change) for a, b, size, change in network._LAYERS]
    monkeypatch.setattr(network, "_LAYERS", tuple(thin))
    save_file(random_weights(layout(build)), tmp_path / "w.safetensors")
    return tmp_path / "w.safetensors"


def random_weights(tensors, seed=0):
    generator = torch.Generator().manual_seed(seed)

    def fill(tensor):
        spread = math.sqrt(6 / tensor[0].numel()) if tensor.ndim > 1 else 0.2
        return (torch.rand(tensor.shape, generator=generator) - 0.5) * 2 * spread

    return {name: fill(tensor) for name, tensor in tensors.items()}


def pictures(count, height, width, seed=1):
    return torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(seed))


def by_name(tensors, x):
    """The network from the published names and shapes alone, in double precision.

    Kernels of 4 double the size. Of the others 0, 6 and 12 halve it: the first of each level.
    """
    x = x.double()
    last = max(int(name.partition(".")[0]) for name in tensors)
    for place in range(0, last + 1, 2):
        weight, bias = (tensors[f"{place}.{what}"].double() for what in ("weight", "bias"))
        if weight.shape[-1] == 4:
            x = functional.conv_transpose2d(x, weight, bias, 2, 1)
        else:
            x = functional.conv2d(x, weight, bias, 2 if place in (0, 6, 12) else 1, weight.shape[-1] // 2)
        x = x.sigmoid() if place == last else x.relu()
    return x


def test_names_shapes_and_types_are_those_of_the_published_file(declared):
    ours = {
        name: [str(tensor.dtype).removeprefix("torch."), list(tensor.shape)]
        for name, tensor in layout(build).items()
    }
    assert ours == PUBLISHED
    for weights in declared.weights:
        assert {name: list(tensor.shape) for name, tensor in weights.layout().items()} == {
            name: shape for name, (_, shape) in PUBLISHED.items()
        }


def test_it_has_as_many_parameters_as_published():
    with torch.device("meta"):
        assert sum(parameter.numel() for parameter in build().parameters()) == 44_387_249


def test_a_file_as_published_loads_in_full_size(tmp_path, declared):
    zeros = {name: torch.zeros(shape) for name, (_, shape) in PUBLISHED.items()}
    save_file(zeros, tmp_path / "w.safetensors")
    sketcher = declared.load(Resources("cpu", declared.defaults(), lambda file: tmp_path / "w.safetensors"))
    assert sketcher(pictures(1, 16, 24)).unique().tolist() == [0.5]  # the sigmoid of 0


def test_the_network_is_what_its_description_says(narrow):
    x = pictures(2, 40, 56)[:, :1] * 4 - 2
    wanted = by_name(load_file(narrow), x)
    assert wanted.std() > 0.001
    torch.testing.assert_close(load(build, narrow)(x).double(), wanted, atol=1e-5, rtol=1e-4)


class Seen(nn.Module):
    """Keeps what it is given."""

    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(()))

    def forward(self, x):
        self.input = x
        return x.sigmoid() * self.gain


def test_the_network_sees_grey_normalised_as_it_was_trained():
    seen = Seen()
    page = torch.tensor([1.0, 0.5, 0.0])[None, :, None, None].expand(1, 3, 8, 8)
    SimplificationSketcher(seen)(page)
    gray = 0.299 * 1.0 + 0.587 * 0.5
    assert seen.input[0, 0, 0, 0].item() == pytest.approx(
        (gray - 0.9664114577640158) / 0.0858381272736797, 1e-5
    )


def test_it_sees_no_further_than_its_margin(narrow):
    # Gradient of one pixel of the sketch to all pixels of the picture, for the places of a pixel in a tile.
    with torch.no_grad():
        net = load(build, narrow)
        for parameter in net.parameters():
            parameter.abs_()  # nothing cancels, no ReLU is shut
    side = 2 * MARGIN + 40
    for place in (0, 3, 7):
        x = torch.zeros(1, 1, side, side, requires_grad=True)
        logits = net[:-1](x)
        [gradient] = torch.autograd.grad(logits[0, 0, side // 2 + place, side // 2 + place], x)
        reached = gradient[0, 0].abs().sum(0).nonzero()[:, 0] - (side // 2 + place)
        assert -MARGIN <= reached.min() < 16 - MARGIN
        assert MARGIN - 16 < reached.max() <= MARGIN


def test_half_the_bits_give_the_same_sketch(narrow, declared):
    full, half = (
        declared.load(Resources("cpu", declared.defaults(), lambda _: narrow, precision=precision))
        for precision in ("float32", "bfloat16")
    )
    rgb = pictures(2, 48, 48)
    assert half(rgb).dtype == torch.float32
    assert (half(rgb) - full(rgb)).abs().mean() < 0.02


@pytest.mark.parametrize("variant", ["gan", "mse"])
def test_a_variant_has_weights_of_its_own_which_are_not_for_commerce(variant, narrow):
    asked = []

    def find(file):
        asked.append(file)
        return narrow

    extractors = find_extractors()
    settings = [f"variant={variant}"]
    Loader(extractors, find_weight=find).load(NAME, settings)
    assert asked == extractors.weights(NAME, settings)
    [weights] = asked
    assert weights.name == f"sketch-simplification-{variant}"
    assert weights.non_commercial
    assert [source.file for source in weights.sources] == [f"sketch_{variant}.t7"]


def test_an_unknown_variant_is_refused():
    with pytest.raises(UsageError, match="variant is gan or mse, not 'best'"):
        find_extractors().weights(NAME, ["variant=best"])
