"""LPIPS, by random weights: against its formula written another way, and against its authors' package."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from safetensors.torch import save_file
from typer.testing import CliRunner

from fake_store import fill_store, random_weights
from sketchcolor_cli.cli.app import app
from sketchcolor_cli.errors import WeightError
from sketchcolor_cli.evaluation.models.lpips import Lpips, load_lpips
from sketchcolor_cli.weights import lpips as parts
from sketchcolor_cli.weights.builtin import LPIPS_HEADS, LPIPS_TRUNK
from sketchcolor_cli.weights.convert import convert

if TYPE_CHECKING:
    from pathlib import Path

TAPS = (1, 4, 7, 9, 11)  # the rectifiers among torchvision's layers


@pytest.fixture(scope="module")
def trunk() -> dict[str, torch.Tensor]:
    return random_weights(parts.trunk_layout())


@pytest.fixture(scope="module")
def heads() -> dict[str, torch.Tensor]:
    return {name: tensor.abs() for name, tensor in random_weights(parts.heads_layout(), seed=1).items()}


def pictures(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def written_otherwise(
    trunk: dict[str, torch.Tensor], heads: dict[str, torch.Tensor], first: torch.Tensor, second: torch.Tensor
) -> float:
    """LPIPS of two pictures (3, H, W): torchvision's layers in float64, then NumPy, place by place."""
    layers = torchvision.models.alexnet(weights=None).features.double()
    layers.load_state_dict({name.removeprefix("features."): tensor for name, tensor in trunk.items()})
    shift, scale = np.array([-0.030, -0.088, -0.188]), np.array([0.458, 0.448, 0.450])
    taps: list[list[np.ndarray]] = []
    for picture in (first, second):
        scaled = (np.moveaxis(picture.double().numpy(), 0, 2) * 2 - 1 - shift) / scale
        x, seen = torch.from_numpy(np.moveaxis(scaled, 2, 0))[None], []
        for number, layer in enumerate(layers[: TAPS[-1] + 1]):
            x = layer(x)
            if number in TAPS:
                seen.append(x[0].detach().numpy().copy())
        taps.append(seen)
    total = 0.0
    for number, (a, b) in enumerate(zip(*taps, strict=True)):
        weights = heads[f"lin{number}.model.1.weight"].double().numpy().ravel()
        places = []
        for y in range(a.shape[1]):
            for x in range(a.shape[2]):
                u, v = (
                    features[:, y, x] / (np.linalg.norm(features[:, y, x]) + 1e-10) for features in (a, b)
                )
                places.append(np.dot(weights, (u - v) ** 2))
        total += np.mean(places)
    return total


@pytest.mark.parametrize("size", [(31, 31), (64, 64), (75, 122)])
def test_it_is_the_formula_written_another_way(trunk, heads, size: tuple[int, int]) -> None:
    first, second = pictures(2, 3, *size), pictures(2, 3, *size, seed=1)
    found = Lpips(trunk, heads)(first, second)
    due = [written_otherwise(trunk, heads, *pair) for pair in zip(first, second, strict=True)]
    assert min(due) > 0.01
    np.testing.assert_allclose(found.numpy(), due, rtol=1e-5)


def test_it_is_the_distance_of_its_authors_package(trunk, heads) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package asks torchvision in a way that is out of date
        package = pytest.importorskip("lpips", reason="the package lpips is not installed")
        theirs = package.LPIPS(net="alex", pnet_rand=True, pretrained=False, verbose=False)
    state = theirs.state_dict()
    for name, slot in zip(parts.TRUNK, ("1.0", "2.3", "3.6", "4.8", "5.10"), strict=True):
        for part in ("weight", "bias"):
            state[f"net.slice{slot}.{part}"].copy_(trunk[f"{name}.{part}"])
    for name, tensor in heads.items():
        state[name].copy_(tensor)
    first, second = pictures(2, 3, 70, 93), pictures(2, 3, 70, 93, seed=1)
    due = theirs(first, second, normalize=True).flatten()
    torch.testing.assert_close(Lpips(trunk, heads)(first, second), due, rtol=1e-5, atol=1e-7)


def test_equal_pictures_are_0_apart_and_each_pair_counts_alone(trunk, heads) -> None:
    distance = Lpips(trunk, heads)
    first, second = pictures(3, 3, 40, 50), pictures(3, 3, 40, 50, seed=1)
    assert distance(first, first).tolist() == [0, 0, 0]
    alone = [float(distance(first[n : n + 1], second[n : n + 1])) for n in range(3)]
    np.testing.assert_allclose(distance(first, second).numpy(), alone, rtol=1e-5)


def test_of_pictures_too_small_for_the_network_it_is_not_a_number(trunk, heads) -> None:
    assert Lpips(trunk, heads)(pictures(2, 3, 30, 90), pictures(2, 3, 30, 90)).isnan().tolist() == [True] * 2


def test_other_weights_are_refused_in_one_line(tmp_path: Path, trunk, heads) -> None:
    save_file(trunk, tmp_path / "trunk.safetensors")
    (tmp_path / "broken.safetensors").write_bytes(b"broken")
    for name, said in (
        ("trunk", "they lack 'lin0.model.1.weight'"),
        ("broken", "cannot be read"),
        ("no", "cannot"),
    ):
        with pytest.raises(WeightError, match=said):
            load_lpips(tmp_path / "trunk.safetensors", tmp_path / f"{name}.safetensors")


# The published files


def test_of_torchvisions_file_the_convolutions_are_kept(tmp_path: Path) -> None:
    published = {
        name: torch.rand(shape) for name, shape in (("classifier.6.bias", 9), ("classifier.1.weight", 2))
    }
    published |= random_weights(parts.trunk_layout())
    torch.save(published, tmp_path / "alexnet.pth")
    kept = convert(LPIPS_TRUNK, tmp_path / "alexnet.pth")
    assert {name: tensor.shape for name, tensor in kept.items()} == {
        name: tuple(tensor.shape)
        for name, tensor in torchvision.models.alexnet(weights=None)
        .features.state_dict(prefix="features.")
        .items()
    }


# The command


@pytest.mark.parametrize("there", [True, False])
def test_evaluate_measures_it_where_its_weights_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    monkeypatch.setenv("SKETCHCOLOR_WEIGHTS", str(tmp_path / "store"))
    if there:
        fill_store(tmp_path, [LPIPS_TRUNK, LPIPS_HEADS])
    (tmp_path / "data").mkdir()
    noise = (pictures(40, 48, 3) * 255).byte().numpy()
    Image.fromarray(noise).save(tmp_path / "data/1.png")
    args = ["evaluate", "--data", str(tmp_path / "data"), "-o", str(tmp_path / "out"), "--no-fid"]
    ran = CliRunner().invoke(app, [*args, "--protocol", "none", "--stability", "0"])
    assert ran.exit_code == 0, ran.stderr
    found = json.loads((tmp_path / "out/evaluation.json").read_text(encoding="utf-8"))
    assert ("lpips" in found["pictures"][0]["figures"]) is there
    assert ("LPIPS" in ran.stdout) is there
    assert bool(found["protocol"]["measured_with"]) is there
    note = "LPIPS is left out; weights that are needed are not on this computer: lpips-alexnet"
    assert (note in ran.stderr) is not there
    assert ("sketchcolor weights fetch lpips-alexnet lpips-heads" in ran.stderr) is not there
