"""What another drawing tells a network."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from sketchcolor_cli.networks.config import HintUNetConfig
from sketchcolor_cli.networks.hint_unet import HintUNet
from sketchcolor_cli.networks.lattice import lab_grid
from sketchcolor_cli.networks.sheet import SheetAttention, SheetEncoder, Tokens

SMALL = HintUNetConfig(
    widths=(8, 12, 16), depths=(1, 1, 2), lab_step=24.0, sheet_width=8, sheet_size=32
)  # fmt: skip


def stirred(net: torch.nn.Module) -> torch.nn.Module:
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=0.2)
    return net.eval()


@pytest.fixture(scope="module")
def net() -> HintUNet:
    made = stirred(HintUNet(SMALL))
    assert isinstance(made, HintUNet)
    return made


def sheets(n: int, side: int = 32) -> Tensor:
    """Sheets of random colours, the right quarter of each empty."""
    generator = torch.Generator().manual_seed(n)
    mask = torch.ones(n, 1, side, side)
    mask[..., 3 * side // 4 :] = 0
    return torch.cat([torch.rand(n, 3, side, side, generator=generator) * mask, mask], 1)


def page(n: int) -> tuple[Tensor, Tensor]:
    return torch.rand(n, 1, 32, 48, generator=torch.Generator().manual_seed(9)), torch.zeros(n, 4, 32, 48)


def test_tokens_are_those_of_the_rows_that_have_a_sheet() -> None:
    encoder = SheetEncoder(8).eval()
    batch = torch.cat([torch.zeros(1, 4, 32, 32), sheets(2)])
    tokens = encoder(batch)
    assert tokens is not None
    assert tokens.rows.tolist() == [1, 2]
    assert tokens.values.shape == (2, 16, 8)
    assert tokens.drawn.reshape(2, 4, 4)[0].tolist() == [[1, 1, 1, 0]] * 4
    assert encoder(torch.zeros(3, 4, 32, 32)) is None


def test_attention_by_hand() -> None:
    torch.manual_seed(0)
    attention = SheetAttention(6, 8, heads=2).eval()
    torch.nn.init.normal_(attention.out.weight)
    x, values = torch.randn(1, 6, 1, 3), torch.randn(1, 5, 8)
    drawn = torch.tensor([[1.0, 0.5, 0.0, 1.0, 0.25]])
    query = attention.query(attention.norm(x))[0].reshape(2, 4, 3)
    key, value = attention.key_value(values)[0].reshape(5, 2, 2, 4).permute(1, 2, 3, 0)
    told = []
    for head in range(2):
        weight = (query[head].T @ key[head] / 4**0.5).exp() * drawn
        told.append(value[head] @ (weight / weight.sum(1, keepdim=True)).T)
    expected = x + attention.out(torch.cat(told).reshape(1, 8, 1, 3))
    tokens = Tokens(torch.tensor([0]), values, drawn)
    torch.testing.assert_close(attention(x, tokens), expected, atol=1e-5, rtol=1e-5)


def test_rows_without_a_sheet_are_as_they_were() -> None:
    attention = stirred(SheetAttention(6, 8))
    x = torch.randn(3, 6, 2, 2)
    tokens = Tokens(torch.tensor([1]), torch.randn(1, 5, 8), torch.ones(1, 5))
    told = attention(x, tokens)
    assert torch.equal(told[[0, 2]], x[[0, 2]])
    assert not torch.equal(told[1], x[1])


def test_a_sheet_counts_and_an_empty_one_does_not(net: HintUNet) -> None:
    sketch, hint = page(2)
    plain = net(sketch, hint).color
    assert torch.equal(net(sketch, hint, sheet=torch.zeros(2, 4, 32, 32)).color, plain)
    assert (net(sketch, hint, sheet=sheets(2)).color - plain).abs().max() > 0.1


def test_a_row_depends_on_its_own_sheet(net: HintUNet) -> None:
    sketch, hint = page(3)
    given = torch.cat([sheets(1), torch.zeros(1, 4, 32, 32), sheets(2)[1:]])
    together = net(sketch, hint, sheet=given).color
    for i in range(3):
        alone = net(sketch[i : i + 1], hint[i : i + 1], sheet=given[i : i + 1]).color
        torch.testing.assert_close(together[i : i + 1], alone, atol=2e-2, rtol=1e-2)


def test_several_sheets_may_lie_side_by_side(net: HintUNet) -> None:
    sketch, hint = page(1)
    wide = torch.cat(list(sheets(3)), 2)[None]
    assert net(sketch, hint, sheet=wide).color.shape == (1, 3, 8, 12)


def test_the_palette_of_a_sheet_counts_paper_little(net: HintUNet) -> None:
    """Half red, half white: a tenth of the white counts."""
    a, b = lab_grid(24)
    sheet = torch.ones(1, 4, 32, 32)
    sheet[:, 1:3, :16] = 0
    shares = net.palette_of(sheet)[0].reshape(len(a), len(b))
    grey = shares[(a == 0).nonzero().item(), (b == -12).nonzero().item() :][:2].sum()
    assert shares.sum() == pytest.approx(1, abs=1e-5)
    assert grey == pytest.approx(0.1 / 1.1, abs=1e-3)


def test_a_palette_makes_its_colours_likelier(net: HintUNet) -> None:
    """With trust set to 1 everywhere, logits change by the logarithm of how much likelier a colour is."""
    trusting = HintUNet(SMALL)
    trusting.load_state_dict(net.state_dict())
    trusting.eval()
    torch.nn.init.zeros_(trusting.trust.weight)
    torch.nn.init.ones_(trusting.trust.bias)
    for layer in trusting.mood:
        if isinstance(layer, torch.nn.Linear):
            torch.nn.init.zeros_(layer.weight)
            torch.nn.init.zeros_(layer.bias)
    sketch, hint = page(1)
    colors = len(lab_grid(24)[0]) * len(lab_grid(24)[1])
    z = torch.zeros(1, colors)
    z[0, 5] = 1
    change = trusting(sketch, hint, z=z).logits - trusting(sketch, hint).logits
    torch.testing.assert_close(change[0, 5], torch.full((8, 12), colors + 0.1).log(), atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(change[0, 6], torch.full((8, 12), 0.1).log(), atol=1e-3, rtol=1e-3)


def test_a_palette_of_nothing_says_nothing(net: HintUNet) -> None:
    """The mood of a picture of which nothing is known is the same as that of one with an empty sheet."""
    sketch, hint = page(1)
    a, b = lab_grid(24)
    nothing = net(sketch, hint, z=torch.zeros(1, len(a) * len(b)))
    assert torch.equal(nothing.color, net(sketch, hint, sheet=torch.zeros(1, 4, 32, 32)).color)


def test_a_network_without_sheets_passes_over_them() -> None:
    plain = HintUNet(HintUNetConfig(widths=(8, 12), depths=(1, 1), sheet_width=0)).eval()
    sketch, hint = page(1)
    assert torch.equal(plain(sketch, hint, sheet=sheets(1)).color, plain(sketch, hint).color)
