"""Model files: what goes in comes out, and whatever else is called by its name in one line."""

from __future__ import annotations

import json
import re
import resource
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from sketchcolor_cli.errors import CheckpointError
from sketchcolor_cli.networks.base import ColorNet
from sketchcolor_cli.networks.checkpoint import load_model, save_model
from sketchcolor_cli.networks.config import (
    CriticConfig,
    GeneratorConfig,
    HintUNetConfig,
    PerceptualConfig,
    config_from_plain,
    config_to_plain,
)
from sketchcolor_cli.networks.critic import Critic
from sketchcolor_cli.networks.hint_unet import HintUNet
from sketchcolor_cli.networks.perceptual import Perceptual
from sketchcolor_cli.networks.thesis_unet import Generator

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Spoil = Callable[[dict[str, Any], dict[str, torch.Tensor]], object]

CONFIGS = [
    GeneratorConfig(
        output_space="xyv",
        widths=(4, 6, 8, 10),
        z_size=5,
        reference_size=16,
        reference_widths=(4, 4, 6, 6, 8),
        reference_depths=(1, 0, 0, 0, 0),
        seed_size=2,
        z_widths=(6,),
        z_depths=(0,),
    ),
    HintUNetConfig(widths=(8, 16), depths=(1, 2), stride=2, lab_step=24.0),
    CriticConfig(widths=(4, 6, 8, 10), depths=(1, 0, 1)),
    PerceptualConfig(widths=(4, 6, 8, 10, 12, 16), classes=7),
]
EVERY = pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.architecture)
NOTE = {"provenance": {"steps": 12, "data": ["drawings", "絵"]}, "licence": "CC0-1.0"}
NETWORKS = {"thesis-unet": Generator, "hint-unet": HintUNet, "critic": Critic, "perceptual": Perceptual}


def built(config: Any) -> torch.nn.Module:
    """A network whose parameters and statistics are all unlike those of a fresh one."""
    torch.manual_seed(0)
    network = NETWORKS[config.architecture](config)
    for tensor in network.state_dict().values():
        if tensor.is_floating_point():
            tensor += 0.1 * torch.rand(tensor.shape)
        else:
            tensor += 3
    return network


@EVERY
def test_what_goes_in_comes_out(tmp_path: Path, config: Any) -> None:
    network = built(config)
    save_model(tmp_path / "new" / "model.safetensors", network, **NOTE)
    back, info = load_model(tmp_path / "new" / "model.safetensors")
    assert type(back) is type(network)
    assert not back.training
    assert back.config == info.config == config
    assert (info.format, info.architecture) == (1, config.architecture)
    assert {"provenance": info.provenance, "licence": info.licence} == NOTE
    wanted = network.state_dict()
    assert back.state_dict().keys() == wanted.keys()
    for name, tensor in back.state_dict().items():
        assert tensor.dtype == wanted[name].dtype
        assert torch.equal(tensor, wanted[name])


@EVERY
def test_half_is_half_the_size_and_loads_as_float32(tmp_path: Path, config: Any) -> None:
    network = built(config)
    path = tmp_path / "model.safetensors"
    save_model(path, network, **NOTE, half=True)
    back, _ = load_model(path)
    assert {p.dtype for p in back.parameters()} == {torch.float32}
    stored, loaded = load_file(path), back.state_dict()
    for name, tensor in network.state_dict().items():
        assert (stored[name].dtype == torch.float16) == (tensor.dim() > 1)
        torch.testing.assert_close(loaded[name], tensor, rtol=2**-11, atol=1e-7)


@torch.no_grad()
def test_the_loaded_network_colors_alike(tmp_path: Path) -> None:
    network = built(CONFIGS[0]).to(memory_format=torch.channels_last).eval()
    save_model(tmp_path / "m", network, **NOTE)
    sketch, hint = torch.rand(2, 1, 32, 32), torch.rand(2, 4, 32, 32)
    back, _ = load_model(tmp_path / "m", ColorNet)
    torch.testing.assert_close(back(sketch, hint).color, network(sketch, hint).color, rtol=1e-4, atol=1e-4)


@EVERY
def test_loading_draws_no_random_numbers_and_computes_what_no_file_holds(tmp_path: Path, config: Any) -> None:
    network = built(config)
    save_model(tmp_path / "m", network, **NOTE)
    before = torch.get_rng_state()
    back, _ = load_model(tmp_path / "m")
    assert torch.equal(torch.get_rng_state(), before)
    buffers = dict(back.named_buffers())
    assert all(torch.equal(buffers[name], buffer) for name, buffer in network.named_buffers())


def test_a_file_is_the_same_when_written_twice(tmp_path: Path) -> None:
    for name in "ab":
        save_model(tmp_path / name, built(CONFIGS[2]), **NOTE)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"old")

    def half_written(self: Path, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", half_written)
    with pytest.raises(CheckpointError, match=r"model\.safetensors: cannot be written \(No space left"):
        save_model(path, built(CONFIGS[2]), **NOTE)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def fails(path: Path, kind: type = torch.nn.Module) -> str:
    with pytest.raises(CheckpointError) as caught:
        load_model(path, kind)
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert "\n" not in text
    return text


def test_no_file(tmp_path: Path) -> None:
    assert "no such file" in fails(tmp_path / "none.safetensors")


def test_a_folder(tmp_path: Path) -> None:
    assert "is a folder; name a file" in fails(tmp_path)


def test_another_kind_of_network(tmp_path: Path) -> None:
    save_model(tmp_path / "m", built(CONFIGS[2]), **NOTE)
    assert "holds a critic network" in fails(tmp_path / "m", ColorNet)


@pytest.mark.parametrize("data", [b"", b"short", b"\xff" * 64, b"{}" * 40])
def test_no_safetensors(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "m").write_bytes(data)
    assert "not a safetensors file, or damaged" in fails(tmp_path / "m")


@pytest.mark.parametrize("protocol", [2, 4])
def test_a_pickle_is_named_as_what_it_is(tmp_path: Path, protocol: int) -> None:
    torch.save(nn.Linear(2, 2), tmp_path / "m", _use_new_zipfile_serialization=protocol > 2)
    assert "is a file of PyTorch (.pt, .pth), a pickle that could run anything" in fails(tmp_path / "m")


def test_numbers_that_are_none_are_refused(tmp_path: Path) -> None:
    network = built(CONFIGS[3])
    name, tensor = next((name, tensor) for name, tensor in network.named_parameters())
    with torch.no_grad():
        tensor.view(-1)[0] = float("nan")
    save_model(tmp_path / "m", network, **NOTE)
    assert f"tensor {name} has values that are not finite numbers" in fails(tmp_path / "m")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"widths": [8, 2_000_000]}, "the configuration's widths is larger than any network is made"),
        ({"depths": [1, 100_000]}, "the configuration's depths is larger than any network is made"),
        ({"widths": [8] * 1000, "depths": [1] * 1000}, "is larger than any network is made"),
        ({"lab_step": 1e-4}, "lab_step must be from 1 to 100"),
        ({"lab_step": 500}, "lab_step must be from 1 to 100"),
        ({"widths": [8, 18]}, "the last width must be a multiple of 4, for the heads of attention"),
        ({"sheet_size": 10**9}, "the configuration's sheet_size is larger than any network is made"),
        ({"widths": [8192, 16_000]}, "it does not fit its own description"),
    ],
)
def test_a_header_that_lies_costs_neither_memory_nor_time(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    config = {**config_to_plain(HintUNetConfig()), "widths": [8, 16], "depths": [1, 2], **change}
    head = {"format": 1, "architecture": "hint-unet", "config": config, "provenance": {}, "licence": "none"}
    save_file({"head.bias": torch.zeros(1)}, tmp_path / "m", {"sketchcolor": json.dumps(head)})
    started, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert said in fails(tmp_path / "m")
    assert time.monotonic() - started < 20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB


@pytest.mark.parametrize("share", [0.0005, 0.05, 0.5, 0.999])
def test_a_truncated_file(tmp_path: Path, share: float) -> None:
    path = tmp_path / "m"
    save_model(path, built(CONFIGS[3]), **NOTE)
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    assert "damaged" in fails(path)


@pytest.mark.parametrize("metadata", [None, {}, {"format": "pt"}])
def test_safetensors_of_someone_else(tmp_path: Path, metadata: dict[str, str] | None) -> None:
    save_file({"weight": torch.zeros(2)}, tmp_path / "m", metadata)
    assert "not a model of sketchcolor" in fails(tmp_path / "m")


def spoilt(path: Path, spoil: Spoil) -> Path:
    """A sound file rewritten with something in its header or tensors changed."""
    save_model(path, built(CONFIGS[2]), **NOTE)
    with safe_open(path, "pt") as file:
        header = json.loads(file.metadata()["sketchcolor"])
    tensors = load_file(path)
    spoil(header, tensors)
    save_file(tensors, path, {"sketchcolor": json.dumps(header)})
    return path


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda h, _: h.update(format=2), "file format 2 is newer than this program"),
        (lambda h, _: h.update(format="1"), "header is damaged"),
        (lambda h, _: h.update(format=0), "header is damaged"),
        (lambda h, _: h.pop("format"), "header is damaged"),
        (lambda h, _: h.pop("architecture"), "header is damaged"),
        (
            lambda h, _: h.update(architecture="vgg"),
            "unknown architecture 'vgg'; this program knows thesis-unet",
        ),
        (lambda h, _: h.update(architecture=["critic"]), "unknown architecture"),
        (lambda h, _: h.pop("provenance"), "lacks provenance or licence"),
        (lambda h, _: h.update(licence=3), "lacks provenance or licence"),
        (lambda h, _: h.pop("config"), "the configuration is NoneType, not an object"),
        (lambda h, _: h["config"].pop("depths"), "configuration has missing keys: depths"),
        (lambda h, _: h["config"].update(heads=4, a=1), "configuration has unknown keys: a, heads"),
        (lambda h, _: h["config"].update(depths=3), "configuration's depths cannot be 3"),
        (lambda h, _: h["config"].update(depths=[1, 0, "1"]), "configuration's depths cannot be"),
        (lambda h, _: h["config"].update(depths=[1, 0, True]), "configuration's depths cannot be"),
        (
            lambda h, _: h["config"].update(depths=[1, 0]),
            "does not describe a network: depths must have 3 entries, not 2",
        ),
        (lambda h, _: h["config"].update(depths=[1, 1, 1]), "lacks tensor features.* and 16 more"),
        (lambda h, _: h["config"].update(widths=[4, 6, 8, 12]), r"tensor .* is floats \(10,"),
        (lambda _, t: t.pop("head.bias"), r"lacks tensor head\.bias; it does not fit"),
        (lambda _, t: t.update(extra=torch.zeros(1)), "has unexpected tensor extra; it"),
        (
            lambda _, t: t.update({"head.bias": torch.zeros(2)}),
            r"tensor head.bias is .* \(2,\), not .* \(1,\)",
        ),
        (lambda _, t: t.update({"head.bias": torch.zeros(1, dtype=torch.int32)}), "is integers"),
    ],
)
def test_spoilt_files(tmp_path: Path, spoil: Spoil, problem: str) -> None:
    assert re.search(problem, fails(spoilt(tmp_path / "m", spoil)))


def test_an_unchanged_rewrite_is_sound(tmp_path: Path) -> None:
    load_model(spoilt(tmp_path / "m", lambda *_: None))


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null"])
def test_a_header_that_is_no_object(tmp_path: Path, text: str) -> None:
    save_file({"weight": torch.zeros(2)}, tmp_path / "m", {"sketchcolor": text})
    assert "header is damaged" in fails(tmp_path / "m")


@EVERY
def test_configurations_survive_json(config: Any) -> None:
    plain = json.loads(json.dumps(config_to_plain(config)))
    assert config_from_plain(type(config), plain) == config


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lab_step", "12"),
        ("lab_step", True),
        ("lab_step", float("nan")),
        ("lab_step", 10**400),
        ("lab_step", 0),
        ("stride", 4.0),
        ("stride", None),
        ("widths", "48"),
    ],
)
def test_wrong_values_in_a_configuration(name: str, value: object) -> None:
    with pytest.raises(CheckpointError, match="configuration"):
        config_from_plain(HintUNetConfig, {**config_to_plain(HintUNetConfig()), name: value})


def test_whole_numbers_may_stand_for_fractions_and_unknown_spaces_may_not() -> None:
    config = config_from_plain(HintUNetConfig, {**config_to_plain(HintUNetConfig()), "lab_step": 24})
    assert asdict(config) == {**asdict(HintUNetConfig()), "lab_step": 24.0}
    for space in ("cmyk", 3, ["rgb"]):
        with pytest.raises(CheckpointError, match="output_space cannot be"):
            config_from_plain(GeneratorConfig, {**config_to_plain(GeneratorConfig()), "output_space": space})
