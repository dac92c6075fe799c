"""The network that finds the places of a page on a character sheet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor

from sketchcolor_cli.networks.checkpoint import load_model, save_model
from sketchcolor_cli.networks.config import HintUNetConfig, MatcherConfig
from sketchcolor_cli.networks.hint_unet import HintUNet, SelfAttention
from sketchcolor_cli.networks.matcher import Matcher
from sketchcolor_cli.networks.residual import Residual

if TYPE_CHECKING:
    from pathlib import Path

SMALL = MatcherConfig(widths=(8, 12, 16), down_depths=(1, 1, 1), up_depths=(1,), attentions=1, features=6)


def stirred(net: torch.nn.Module) -> torch.nn.Module:
    """A network in which nothing is zero."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=0.1)
    return net.eval()


@pytest.fixture(scope="module")
def net() -> Matcher:
    """A small network in which nothing is zero; tests must leave it as it is."""
    small = stirred(Matcher(SMALL))
    assert isinstance(small, Matcher)
    return small.requires_grad_(False)


def picture(height: int, width: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    lines = torch.rand(1, 1, height, width, generator=generator)
    return lines, torch.rand(1, 4, height // 4, width // 4, generator=generator)


def test_the_shipped_shape_fits_into_eight_megabytes_in_half_precision() -> None:
    assert 2 * sum(parameter.numel() for parameter in Matcher().parameters()) <= 8_000_000


def test_each_place_of_page_and_sheet_has_a_direction(net: Matcher) -> None:
    page, sheet = net(*picture(32, 48)), net(*picture(64, 32, 1))
    queries, keys = net.queries(page), net.keys(sheet)
    assert queries.shape == (1, 4 * 6, 6)
    assert keys.shape == (1, 8 * 4, 6)
    torch.testing.assert_close(queries.norm(dim=-1), torch.ones(1, 24))
    logits = net.logits(queries, keys)
    assert logits.shape == (1, 24, 32)
    assert float(logits.abs().max()) <= float(net.sharpness.exp()) * 1.0001


def test_a_picture_is_described_the_same_beside_others(net: Matcher) -> None:
    first, second = picture(32, 32), picture(32, 32, 1)
    both = net(*(torch.cat(parts) for parts in zip(first, second, strict=True)))
    torch.testing.assert_close(both[:1], net(*first))
    torch.testing.assert_close(both[1:], net(*second))


def test_colours_and_lines_both_count(net: Matcher) -> None:
    lines, colors = picture(32, 32)
    known = net(lines, colors)
    assert not torch.allclose(known, net(lines, torch.zeros_like(colors)))
    assert not torch.allclose(known, net(1 - lines, colors))


def test_at_first_what_looks_the_same_matches() -> None:
    net = Matcher(SMALL).eval()
    features = net(*picture(32, 32))
    logits = net.logits(net.queries(features), net.keys(features))
    best = logits[0].diagonal()
    torch.testing.assert_close(best, logits[0].amax(1))


def test_it_begins_with_what_a_painting_network_knows() -> None:
    painter = HintUNet(HintUNetConfig(widths=(8, 12, 16), depths=(1, 2, 2), lab_step=24.0, sheet_width=0))
    stirred(painter)
    net = Matcher(SMALL)
    net.begin_with(painter)
    lines, _ = picture(32, 32)
    folded = torch.nn.functional.pixel_unshuffle(1 - lines, 4)
    blank = torch.zeros(1, 4, 8, 8)
    torch.testing.assert_close(
        net.stem(torch.cat([folded, blank], 1)), painter.stem(torch.cat([folded, blank, blank], 1))
    )
    for kind, number in ((Residual, 1), (SelfAttention, 1)):
        ours = [block for block in net.bottom if isinstance(block, kind)]
        theirs = [block for block in painter.bottom if isinstance(block, kind)]
        assert len(ours) == number
        for name, value in ours[0].state_dict().items():
            assert torch.equal(value, theirs[0].state_dict()[name]), name
    assert torch.equal(net.down[1][0].body[2].weight, painter.down[1][0].body[2].weight)
    assert torch.equal(net.up[0][0].body[2].weight, painter.up[1][0].body[2].weight)
    assert torch.equal(net.grow[0].weight, painter.grow[1].weight)


def test_it_does_not_begin_with_a_network_of_other_widths() -> None:
    with pytest.raises(ValueError, match="widths"):
        Matcher(SMALL).begin_with(HintUNet(HintUNetConfig(widths=(8, 8, 8), depths=(1, 1, 1), sheet_width=0)))


def test_a_file_of_it_is_read_back(net: Matcher, tmp_path: Path) -> None:
    save_model(tmp_path / "matcher.safetensors", net, provenance={"steps": 3}, licence="CC0")
    again, info = load_model(tmp_path / "matcher.safetensors", Matcher)
    assert info.config == SMALL
    torch.testing.assert_close(again(*picture(32, 32)), net(*picture(32, 32)), rtol=0, atol=0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"widths": (8, 12)},
        {"up_depths": (1, 1)},
        {"widths": (8, 12, 15)},
        {"features": 0},
        {"attentions": -1},
    ],
)
def test_shapes_that_make_no_network(wrong: dict[str, tuple[int, ...] | int]) -> None:
    plain = {"widths": (8, 12, 16), "down_depths": (1, 1, 1), "up_depths": (1,)}
    with pytest.raises(ValueError, match=r"must|heads"):
        MatcherConfig(**{**plain, **wrong})  # type: ignore[arg-type]
