"""``sketchcolor models``, and that a model which was imported is found by its name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from sketchcolor_cli import environment
from sketchcolor_cli.cli.app import app
from sketchcolor_cli.errors import CheckpointError
from sketchcolor_cli.imaging.picture import Picture
from sketchcolor_cli.imaging.reading import read_picture
from sketchcolor_cli.imaging.writing import write_picture
from sketchcolor_cli.networks.checkpoint import save_model
from sketchcolor_cli.networks.config import CriticConfig, HintUNetConfig
from sketchcolor_cli.networks.critic import Critic
from sketchcolor_cli.networks.hint_unet import HintUNet
from sketchcolor_cli.networks.registry import read_header
from web import serving

if TYPE_CHECKING:
    from pathlib import Path

SMALL = HintUNetConfig(widths=(4, 8), depths=(1, 1), lab_step=48.0)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "run" / "Mine.safetensors"
    torch.manual_seed(1)
    save_model(path, HintUNet(SMALL), provenance={"steps": 7}, licence="CC0-1.0")
    path.with_suffix(".md").write_text("# my card")
    return path


def models(tmp_path: Path, *args: str | Path) -> Any:
    return CliRunner().invoke(
        app, ["models", *map(str, args)], env={"SKETCHCOLOR_MODELS": str(tmp_path / "shelf"), "COLUMNS": "80"}
    )


def listed(tmp_path: Path) -> dict[str, dict[str, Any]]:
    result = models(tmp_path, "list", "--json")
    assert result.exit_code == 0, result.output
    return {row["name"]: row for row in json.loads(result.stdout)}


def test_the_default_model_is_listed_with_its_licence_and_card(tmp_path: Path) -> None:
    found = listed(tmp_path)["default"]
    assert found["licence"].startswith("CC BY-SA 4.0")
    assert found["architecture"] == "hint-unet"
    assert found["parameters"] == sum(parameter.numel() for parameter in HintUNet().parameters())
    assert found["card"].endswith("default.md")
    assert not found["imported"]


def test_an_imported_model_is_listed_shown_and_found_by_its_name(tmp_path: Path, mine: Path) -> None:
    result = models(tmp_path, "import", mine)
    assert result.exit_code == 0, result.output
    found = listed(tmp_path)["mine"]
    assert found["imported"]
    assert found["provenance"] == {"steps": 7}
    table = models(tmp_path, "list")
    assert "imported" in table.stdout
    assert "CC0-1.0" in table.stdout
    shown = models(tmp_path, "show", "mine")
    assert "steps: 7" in shown.stdout
    assert "mine.md" in shown.stdout.replace("\n", "")

    write_picture(tmp_path / "page.png", Picture(np.ones((40, 40, 3), np.float32)))
    colored = CliRunner().invoke(
        app,
        ["colorize", str(tmp_path / "page.png"), "-o", str(tmp_path / "out"), "--model", "mine"],
        env={"SKETCHCOLOR_MODELS": str(tmp_path / "shelf")},
    )
    assert colored.exit_code == 0, colored.output
    assert read_picture(tmp_path / "out" / "page.png").rgb.shape == (40, 40, 3)


def test_a_removed_model_is_gone_with_its_card(tmp_path: Path, mine: Path) -> None:
    models(tmp_path, "import", mine, "--name", "other")
    assert models(tmp_path, "remove", "other").exit_code == 0
    assert "other" not in listed(tmp_path)
    assert list((tmp_path / "shelf").iterdir()) == []
    assert mine.exists()


@pytest.mark.parametrize(
    ("args", "why"),
    [
        (["import", "MINE", "--name", "default"], "there is a model of this name"),
        (["import", "MINE", "--name", "../evil"], "a name has lower-case letters"),
        (["import", "nowhere.safetensors"], "cannot be read"),
        (["remove", "default"], "came with the package"),
        (["remove", "nobody"], "no model of this name; there are: default"),
        (["show", "nobody"], "no model of this name; there are: default"),
    ],
)
def test_what_cannot_be_is_one_line(tmp_path: Path, mine: Path, args: list[str], why: str) -> None:
    result = models(tmp_path, *(str(mine) if arg == "MINE" else arg for arg in args))
    assert result.exit_code != 0
    [line] = result.stderr.strip().splitlines()
    assert why in line


def test_what_colours_nothing_is_not_imported(tmp_path: Path) -> None:
    critic = Critic(CriticConfig(widths=(4, 4, 4, 4), depths=(0, 0, 0)))
    save_model(tmp_path / "critic.safetensors", critic, provenance={}, licence="")
    result = models(tmp_path, "import", tmp_path / "critic.safetensors")
    assert result.exit_code != 0
    assert "cannot be used here" in result.stderr
    assert not (tmp_path / "shelf").exists()


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff" * 40, b"\x02\0\0\0\0\0\0\0{}"])
def test_a_damaged_file_is_told_and_the_others_are_listed(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "shelf").mkdir()
    (tmp_path / "shelf" / "broken.safetensors").write_bytes(data)
    result = models(tmp_path, "list")
    assert result.exit_code == 1
    assert "default" in result.stdout
    assert "broken" in result.stdout
    with pytest.raises(CheckpointError, match=r"broken\.safetensors: not a model"):
        read_header(tmp_path / "shelf" / "broken.safetensors")


def test_a_model_of_the_hub_is_brought_with_its_card(
    tmp_path: Path, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving() as web:
        monkeypatch.setenv("HF_ENDPOINT", web.address)
        place = "/some-one/My.Model/resolve/v2"
        web.file(f"{place}/model.safetensors", mine.read_bytes())
        web.file(f"{place}/README.md", b"# a card", kind="text/plain")
        web.file("/some-one/bare/resolve/main/nets/a.safetensors", mine.read_bytes())
        brought = models(tmp_path, "import", "hf:some-one/My.Model@v2")
        assert brought.exit_code == 0, brought.output
        bare = models(tmp_path, "import", "hf:some-one/bare:nets/a.safetensors", "--name", "plain")
        assert bare.exit_code == 0, bare.output
        missing = models(tmp_path, "import", "hf:some-one/gone")
    assert {"my-model", "plain"} <= set(listed(tmp_path))
    assert (tmp_path / "shelf" / "my-model.safetensors").read_bytes() == mine.read_bytes()
    assert (tmp_path / "shelf" / "my-model.md").read_text() == "# a card"
    assert (missing.exit_code, missing.stderr.count("\n")) == (1, 1)
    assert "hf:some-one/gone: model.safetensors is not available at main" in missing.stderr


@pytest.mark.parametrize("name", ["hf:", "hf:only", "hf:a/../b", "hf:a/b@", "hf:a/b:x.pt"])
def test_what_names_no_model_of_the_hub_is_one_line(tmp_path: Path, name: str) -> None:
    result = models(tmp_path, "import", name)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "hf:ORGANISATION/NAME@REVISION" in result.stderr


def test_a_model_of_the_hub_is_imported_before_it_is_used() -> None:
    with pytest.raises(CheckpointError, match="models import hf:a/b"):
        environment.model_file("hf:a/b")
