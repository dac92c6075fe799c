"""Latent vectors in files, and grids of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from sketchcolor_cli.cli.app import app
from sketchcolor_cli.coloring import latents
from sketchcolor_cli.coloring.colorizer import Colorizer
from sketchcolor_cli.coloring.settings import ExploreSettings, Guess
from sketchcolor_cli.environment import model_file
from sketchcolor_cli.errors import DataError, UsageError
from sketchcolor_cli.imaging.picture import Picture
from sketchcolor_cli.imaging.reading import read_picture
from sketchcolor_cli.imaging.writing import write_picture
from sketchcolor_cli.networks.base import ColorNet
from sketchcolor_cli.networks.checkpoint import load_model
from sketchcolor_cli.networks.config import GeneratorConfig
from sketchcolor_cli.networks.thesis_unet import Generator
from test_colorizer import RED, REDO, Witness

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def network() -> Generator:
    torch.manual_seed(0)
    network = Generator(GeneratorConfig(output_space="rgb")).eval()
    # A fresh network copies its sketch and does not hear z: path B of each block begins at nothing.
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.ones_(module.weight)
    return network


def page() -> Picture:
    rgb = np.ones((48, 32, 3), np.float32)
    rgb[10:12] = 0
    return Picture(rgb=rgb, gray=True)


def test_latents_come_back_from_their_file(tmp_path: Path) -> None:
    given = {"a.png": np.array([0.25, -1, 0.123456], np.float32), "b/c.png": np.zeros(3, np.float32)}
    latents.write_latents(tmp_path / "z.json", "m", given)
    found = latents.read_latents(tmp_path / "z.json")
    assert found.keys() == given.keys()
    assert all(np.allclose(found[name], given[name]) for name in given)
    assert np.array_equal(latents.latent_for(found, PurePath("x/a.jpg")), found["a.png"])
    assert latents.latent_for(found, PurePath("d.png")) is None
    chapters = {"ch1/1.png": found["a.png"], "ch2/1.png": found["b/c.png"]}
    assert latents.latent_for(chapters, PurePath("ch2/1.jpg")) is chapters["ch2/1.png"]
    assert latents.latent_for({"a.png": found["a.png"]}, PurePath("d.png")) is found["a.png"]


@pytest.mark.parametrize(
    "text", ["", "[]", '{"pages": {}}', '{"pages": {"a": [[1]]}}', '{"pages": {"a": "x"}}']
)
def test_other_files_are_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "z.json").write_text(text)
    with pytest.raises(DataError, match=r"holds no latent vectors|not valid JSON"):
        latents.read_latents(tmp_path / "z.json")
    with pytest.raises(DataError, match="cannot be read"):
        latents.read_latents(tmp_path / "gone.json")


def test_the_latent_of_a_page_gives_the_same_colours(network: Generator) -> None:
    color = Colorizer(network, "cpu", REDO)
    red = Picture(rgb=np.full((8, 8, 3), RED, np.float32))
    z = color.latent(page(), red)
    assert z.shape == (64,)
    np.testing.assert_allclose(color(page(), latent=z).rgb, color(page(), red).rgb, atol=1e-5)
    assert np.abs(color(page(), latent=-z).rgb - color(page(), latent=z).rgb).max() > 1e-3


def test_a_grid_has_the_read_latent_in_the_middle(network: Generator) -> None:
    grid = latents.explore(network, "cpu", page(), (), ExploreSettings(directions=(0, 5), steps=3)).rgb
    assert grid.shape == (3 * 48 + 12, 3 * 32 + 12, 3)
    middle = grid[54:102, 38:70]
    np.testing.assert_allclose(middle, Colorizer(network, "cpu", REDO)(page()).rgb, atol=1e-5)
    assert np.abs(grid[:48, :32] - middle).max() > 1e-3


def test_random_directions_depend_on_the_seed(network: Generator) -> None:
    first, again, other = (
        latents.explore(network, "cpu", page(), (), ExploreSettings(steps=2, seed=seed)).rgb
        for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_what_makes_no_sense_is_told(network: Generator) -> None:
    with pytest.raises(UsageError, match="two different numbers from 0 to 63"):
        latents.explore(network, "cpu", page(), (), ExploreSettings(directions=(3, 64)))
    with pytest.raises(UsageError, match="--steps 1: must be at least 2"):
        latents.explore(network, "cpu", page(), (), ExploreSettings(steps=1))
    with pytest.raises(UsageError, match="has 3 numbers, and the model takes 64"):
        Colorizer(network, "cpu")(page(), latent=np.zeros(3, np.float32))
    with pytest.raises(UsageError, match="has no latent vector z"):
        Colorizer(Witness(), "cpu").latent(page())


def test_a_model_without_a_latent_shows_its_seeds(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", page())
    told = ["explore", str(tmp_path / "a.png"), "-o", str(tmp_path / "g.png"), "--steps", "2"]
    result = CliRunner().invoke(app, [*told, "--seed", "3"])
    assert result.exit_code == 0
    grid = read_picture(tmp_path / "g.png").rgb
    assert grid.shape == (2 * (48 + 18) + 6, 2 * 32 + 6, 3)
    network, _ = load_model(model_file("default"), ColorNet)
    fifth = Colorizer(network, "cpu", replace(REDO, guess=Guess.DRAW, seed=5))(page()).rgb
    np.testing.assert_allclose(grid[72:120, :32], fifth, atol=1 / 255)
    assert grid[48:66, :32].min() < 0.5  # its number

    result = CliRunner().invoke(app, [*told, "--directions", "1,2"])
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "no latent vector" in result.stderr


def test_a_model_without_anything_to_vary_says_so() -> None:
    with pytest.raises(UsageError, match="nothing to explore"):
        latents.explore(Witness(), "cpu", page(), (), ExploreSettings())
