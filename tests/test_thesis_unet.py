"""The generator: the thesis's figures at full size, everything else at a small one."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, get_args

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from torch.utils.flop_counter import FlopCounterMode

from sketchcolor_cli.networks.checkpoint import load_model, save_model
from sketchcolor_cli.networks.config import GeneratorConfig, OutputSpace
from sketchcolor_cli.networks.thesis_unet import Generator, reference_of

if TYPE_CHECKING:
    from pathlib import Path

SMALL = GeneratorConfig(
    widths=(4, 6, 8, 10),
    z_size=5,
    reference_size=32,
    reference_widths=(4, 4, 6, 6, 8),
    reference_depths=(1, 0, 1, 0, 1),
    seed_size=4,
    z_widths=(6, 8),
    z_depths=(0, 1),
)


@pytest.fixture(scope="module")
def net() -> Generator:
    """A small generator with every block at work, in eval mode; tests must leave it as it is."""
    torch.manual_seed(0)
    return with_both_paths(Generator(SMALL)).eval()


def with_both_paths(net: Generator) -> Generator:
    for name, parameter in net.named_parameters():
        if name.endswith(".norm.weight"):
            nn.init.constant_(parameter, 0.5)
    return net


def batch(n: int, h: int, w: int) -> tuple[Tensor, Tensor]:
    """Sketches and hints; about half the hint's pixels are given."""
    generator = torch.Generator().manual_seed(h + w)
    mask = torch.rand(n, 1, h, w, generator=generator).round()
    rgb = torch.rand(n, 3, h, w, generator=generator)
    return torch.rand(n, 1, h, w, generator=generator), torch.cat([rgb * mask, mask], 1)


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_the_thesis_counts() -> None:
    net = Generator()
    assert count(net) == 7_943_588
    assert count(net.unet) == 6_774_190
    assert count(net.encoder) == 1_169_398


@torch.no_grad()
def test_the_full_network_runs_in_the_operations_of_the_thesis() -> None:
    net = Generator().eval()
    with FlopCounterMode(display=False) as counter:
        prediction = net(*batch(1, 256, 256))
    assert round(counter.get_total_flops() / 1e9, 1) == 25.5
    assert prediction.color.shape == (1, 4, 256, 256)
    assert prediction.extra.shape == (1, 4, 16, 16)
    assert prediction.z.shape == (1, 64)
    assert prediction.logits is None


@torch.no_grad()
@pytest.mark.parametrize(("n", "h", "w"), [(1, 16, 16), (3, 48, 16), (2, 80, 112)])
def test_shapes_at_odd_multiples_of_16(net: Generator, n: int, h: int, w: int) -> None:
    assert h % net.multiple == w % net.multiple == 0
    prediction = net(*batch(n, h, w))
    assert prediction.color.shape == (n, 4, h, w)
    assert prediction.extra.shape == (n, 4, h // 16, w // 16)
    assert prediction.z.shape == (n, 5)
    assert prediction.z.abs().max() < 1
    assert net.rgb(prediction).shape == (n, 3, h, w)


@torch.no_grad()
@pytest.mark.parametrize("space", get_args(OutputSpace))
def test_every_output_space(space: OutputSpace) -> None:
    config = GeneratorConfig(**{**SMALL.__dict__, "output_space": space})
    net = Generator(config).eval()
    prediction = net(*batch(2, 32, 32))
    assert prediction.color.shape == (2, config.channels, 32, 32)
    assert prediction.extra.shape == (2, config.channels, 2, 2)
    rgb = net.rgb(prediction)
    assert rgb.min() >= 0
    assert rgb.max() <= 1


@torch.no_grad()
def test_extra_is_the_resized_start_of_the_decoded_code(net: Generator) -> None:
    prediction = net(*batch(2, 64, 96))
    code = net.unet.z_decoder(prediction.z)
    wanted = F.interpolate(code[:, :4], size=(4, 6), mode="bilinear", align_corners=False)
    torch.testing.assert_close(prediction.extra, wanted)


@torch.no_grad()
def test_a_given_code_stands_for_the_reference(net: Generator) -> None:
    sketch, hint = batch(2, 32, 32)
    read = net(sketch, hint)
    torch.testing.assert_close(read.z, net.latent_of(hint))
    told = net(sketch, torch.full_like(hint, torch.nan), z=read.z)
    assert torch.equal(told.color, read.color)
    assert torch.equal(told.z, read.z)
    assert not torch.allclose(net(sketch, hint, z=-read.z).color, read.color, atol=1e-3)


@torch.no_grad()
def test_sketch_and_reference_both_matter(net: Generator) -> None:
    sketch, hint = batch(1, 32, 32)
    color = net(sketch, hint).color
    assert not torch.allclose(net(1 - sketch, hint).color, color, atol=1e-3)
    assert not torch.allclose(net(sketch, torch.zeros_like(hint)).color, color, atol=1e-3)


@torch.no_grad()
def test_the_decoders_are_given_what_skips_to_them() -> None:
    net = Generator(SMALL).eval()
    seen: dict[str, Tensor] = {}
    for name in ("encoder1", "encoder2", "z_decoder", "decoder1", "decoder2"):
        net.unet.get_submodule(name).register_forward_hook(
            lambda _module, _given, result, name=name: seen.update({name: result})
        )
    given: list[Tensor] = []
    for name in ("decoder1", "decoder2", "decoder3"):
        net.unet.get_submodule(name).register_forward_pre_hook(lambda _module, args: given.append(args[0]))
    sketch, hint = batch(1, 64, 64)  # the bottom is as large as the decoded code: nothing to resize
    net(sketch, hint)
    assert torch.equal(given[0], torch.cat([seen["encoder2"], seen["z_decoder"]], 1))
    assert torch.equal(given[1], torch.cat([seen["decoder1"], seen["encoder1"]], 1))
    assert torch.equal(given[2], torch.cat([seen["decoder2"], sketch], 1))


def test_the_reference_is_white_where_no_color_is_given() -> None:
    hint = torch.zeros(1, 4, 48, 64)
    assert torch.equal(reference_of(hint, 32, antialias=False), torch.ones(1, 3, 32, 32))
    hint[:, 3, :, :32] = 1
    hint[:, 0, :, :32] = 0.5
    reference = reference_of(hint, 32, antialias=False)
    left, right = reference[..., :14], reference[..., 18:]
    torch.testing.assert_close(left, torch.tensor([0.5, 0, 0]).view(1, 3, 1, 1).expand_as(left))
    torch.testing.assert_close(right, torch.ones_like(right))


def test_the_reference_is_sampled_between_its_nearest_pixels() -> None:
    """Of 96 pixels to 32, the middle one of each three: bilinear, as the thesis's code, not their mean."""
    hint = torch.rand(1, 4, 96, 96)
    hint[:, 3] = 1
    torch.testing.assert_close(reference_of(hint, 32, antialias=False), hint[:, :3, 1::3, 1::3])


@torch.no_grad()
def test_a_file_of_before_is_read_as_what_it_was(tmp_path: Path) -> None:
    """A configuration that says nothing of its blocks is of version 1, and antialiases its reference."""
    net = with_both_paths(Generator(replace(SMALL, block=1, antialias=True))).eval()
    save_model(tmp_path / "old.safetensors", net, provenance={}, licence="none")
    rewrite_config(tmp_path / "old.safetensors", drop=("block", "antialias"))
    old, info = load_model(tmp_path / "old.safetensors", Generator)
    assert (info.config.block, info.config.antialias) == (1, True)
    sketch, hint = batch(1, 32, 32)
    assert torch.equal(old(sketch, hint).color, net(sketch, hint).color)
    now = Generator(SMALL).eval()
    now.load_state_dict(net.state_dict())
    assert not torch.allclose(now(sketch, hint).color, net(sketch, hint).color, atol=0.01)


def rewrite_config(path: Path, drop: tuple[str, ...]) -> None:
    """Take keys out of the configuration in a model file's header."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    about = json.loads(header["__metadata__"]["sketchcolor"])
    for key in drop:
        del about["config"][key]
    header["__metadata__"]["sketchcolor"] = json.dumps(about)
    written = json.dumps(header).encode()
    path.write_bytes(len(written).to_bytes(8, "little") + written + data[8 + length :])


def test_antialiased_a_small_touch_of_color_on_a_large_page_is_seen() -> None:
    hint = torch.zeros(1, 4, 512, 512)
    for at in range(0, 512, 37):
        touched = hint.clone()
        touched[:, 3, at, at] = 1
        assert (reference_of(touched, 32, antialias=True) < 1 - 1e-4).any()


@torch.no_grad()
def test_a_picture_in_a_batch_is_colored_for_itself(net: Generator) -> None:
    sketch, hint = batch(3, 32, 48)
    together = net(sketch, hint)
    for i in range(3):
        alone = net(sketch[i : i + 1], hint[i : i + 1])
        torch.testing.assert_close(together.color[i : i + 1], alone.color, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(together.extra[i : i + 1], alone.extra, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_the_reference_is_dropped_in_training_only() -> None:
    torch.manual_seed(0)
    net = Generator(SMALL)
    seen: list[Tensor] = []
    net.encoder.features.register_forward_hook(lambda _module, given, _result: seen.append(given[0]))
    hint = batch(4, 32, 32)[1]
    hint[:, 3] = 1
    for training in (False, False, True, True):
        net.train(training).latent_of(hint)
    assert torch.equal(seen[0], seen[1])
    assert torch.equal(seen[0][:, 2:], hint[:, :3])
    for trained in seen[2:]:
        dropped = (trained[:, 2:] != seen[0][:, 2:]).any(1)
        assert 0 < dropped.float().mean() < 0.5
        assert (trained[:, 2:].amin(1)[dropped] == 1).all()
    assert not torch.equal(seen[2], seen[3])


@torch.no_grad()
def test_nothing_is_left_on_the_network(net: Generator) -> None:
    def held() -> dict[int, set[str]]:
        return {id(module): set(vars(module)) for module in net.modules()}

    before = held()
    net(*batch(1, 16, 16))
    assert held() == before


@torch.no_grad()
def test_bfloat16_and_channels_last(net: Generator) -> None:
    sketch, hint = batch(1, 48, 32)
    plain = net(sketch, hint)
    last = torch.channels_last
    other = net(sketch.to(memory_format=last), hint.to(memory_format=last))
    torch.testing.assert_close(other.color, plain.color, rtol=1e-4, atol=1e-4)
    with torch.autocast("cpu", torch.bfloat16):
        rough = net(sketch.to(memory_format=last), hint.to(memory_format=last))
    assert rough.color.dtype == rough.extra.dtype == rough.z.dtype == torch.float32
    assert rough.color.bfloat16().float().equal(rough.color), "the work was not done in bfloat16"
    assert (rough.color - plain.color).abs().mean() < 0.05 * plain.color.std()


def silent(net: Generator) -> set[str]:
    """Names of the parameters that a training step gives no gradient."""
    prediction = net.train()(*batch(4, 32, 32))
    loss = (prediction.color - 0.3).square().mean() + (prediction.extra - 0.3).square().mean()
    loss.backward()
    return {name for name, p in net.named_parameters() if p.grad is None or not p.grad.any()}


def test_gradients_reach_every_parameter() -> None:
    torch.manual_seed(0)
    assert silent(with_both_paths(Generator(SMALL))) == set()


def test_at_the_start_only_what_lies_behind_gamma_zero_gets_no_gradient() -> None:
    torch.manual_seed(0)
    net = Generator(SMALL)
    behind = {name for name, _ in net.named_parameters() if ".body." in name and ".body.1." not in name}
    assert silent(net) == behind  # body.1 is the norm that path A begins with, too


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"widths": (4, 6, 8)}, "widths must have 4 entries"),
        ({"widths": (1, 6, 8, 10)}, "widths must be at least 2"),
        ({"z_depths": (1,)}, "z_depths must have 2 entries"),
        ({"z_widths": (6, 3)}, "z_widths must end on 4"),
        ({"reference_size": 8}, "reference_size must be at least 16"),
        ({"decoder3_depths": (1, -1, 0)}, "decoder3_depths must be at least 0"),
        ({"hue_dropout": 1.5}, "hue_dropout is a share"),
    ],
)
def test_impossible_shapes_are_refused(change: dict[str, object], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        GeneratorConfig(**{**SMALL.__dict__, **change})
