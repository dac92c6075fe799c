"""Finding a colour model by name or path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from sketchcolor_cli.errors import CheckpointError
from sketchcolor_cli.networks import registry
from sketchcolor_cli.networks.base import ColorNet
from sketchcolor_cli.networks.checkpoint import load_model, save_model
from sketchcolor_cli.networks.config import CriticConfig, HintUNetConfig
from sketchcolor_cli.networks.critic import Critic
from sketchcolor_cli.networks.hint_unet import HintUNet
from sketchcolor_cli.networks.registry import ModelShelf, refuse_foreign

if TYPE_CHECKING:
    from pathlib import Path

    from sketchcolor_cli.networks.checkpoint import CheckpointInfo

SMALL = HintUNetConfig(widths=(4, 8), depths=(1, 1), lab_step=48.0)


def load(name: str) -> tuple[ColorNet, CheckpointInfo]:
    return load_model(ModelShelf().find(name), ColorNet)


@pytest.fixture
def bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of bundled models, holding two."""
    folder = tmp_path / "models"
    for number, name in enumerate(("default", "another")):
        torch.manual_seed(number)
        save_model(
            folder / f"{name}.safetensors", HintUNet(SMALL), provenance={"name": name}, licence="CC0-1.0"
        )
    (folder / "default.md").write_text("a card")
    monkeypatch.setattr(registry, "BUNDLED", folder)
    return folder


@pytest.mark.usefixtures("bundled")
def test_names_of_bundled_models() -> None:
    assert ModelShelf().names() == ["another", "default"]


def test_no_folder_means_no_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(registry, "BUNDLED", tmp_path / "none")
    assert ModelShelf().names() == []
    with pytest.raises(CheckpointError, match="there are: none"):
        load("default")


@pytest.mark.usefixtures("bundled")
def test_a_name_loads_that_model() -> None:
    model, info = load("default")
    torch.manual_seed(0)
    expected = HintUNet(SMALL).state_dict()
    assert info.provenance == {"name": "default"}
    assert info.licence == "CC0-1.0"
    assert all(torch.equal(value, expected[name]) for name, value in model.state_dict().items())


@pytest.mark.usefixtures("bundled")
def test_a_path_loads_that_file(tmp_path: Path) -> None:
    save_model(tmp_path / "mine.safetensors", HintUNet(SMALL), provenance={"mine": 1}, licence="")
    _, info = load(str(tmp_path / "mine.safetensors"))
    assert info.provenance == {"mine": 1}


@pytest.mark.usefixtures("bundled")
def test_a_bundled_name_is_not_looked_for_in_the_folder_one_is_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "default").write_text("not a model")
    monkeypatch.chdir(tmp_path)
    assert load("default")[1].provenance == {"name": "default"}


@pytest.mark.usefixtures("bundled")
@pytest.mark.parametrize(
    "name", ["defualt", "default.safetensors", "../models/default", "", "no/such.safetensors"]
)
def test_an_unknown_name_is_told_with_those_known(name: str) -> None:
    with pytest.raises(CheckpointError) as error:
        load(name)
    known = "did you mean default?" if name == "defualt" else "there are: another, default"
    assert str(error.value) == f"{name}: neither a model file nor the name of a model; {known}"


def test_a_folder_is_no_model(bundled: Path) -> None:
    with pytest.raises(CheckpointError, match="neither a model file"):
        load(str(bundled))


def test_a_network_that_colours_nothing_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "critic.safetensors"
    critic = Critic(CriticConfig(widths=(4, 4, 4, 4), depths=(0, 0, 0)))
    save_model(path, critic, provenance={}, licence="")
    with pytest.raises(CheckpointError, match=r"critic\.safetensors: .*critic"):
        load(str(path))


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "broken.safetensors"
    path.write_bytes(b"\x10\x00\x00\x00\x00\x00\x00\x00{")
    with pytest.raises(CheckpointError, match=r"broken\.safetensors"):
        load(str(path))


def test_a_header_of_any_length_is_no_pickle(tmp_path: Path) -> None:
    """Of a model file the first eight bytes are a length, which may begin as a pickle does."""
    for length in (0x280, 0x480, 0x180):
        path = tmp_path / "model.safetensors"
        path.write_bytes(length.to_bytes(8, "little") + b"{" + b" " * (length - 1))
        refuse_foreign(path)
    path.write_bytes(b"\x80\x02}q\x00.")
    with pytest.raises(CheckpointError, match="pickle"):
        refuse_foreign(path)
