"""Colour from another drawing: what a character sheet tells a network about a sketch it is not aligned with.

Places of the sketch look up the places of the sheet that are like them, and take over what they carry: dense
semantic correspondence by attention (Lee et al. 2020, "Reference-based sketch image colorization using
augmented-self reference and dense semantic correspondence").
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from sketchcolor_cli.networks.residual import Residual

_FOLD = 4  # side of the square of sheet pixels that is folded into one place
SHEET_MULTIPLE = 2 * _FOLD
"""The side of a sheet must be divisible by this; it is also the side of what one token sees."""


@dataclass(frozen=True)
class Tokens:
    """What is known from the sheets of a batch.

    ``rows`` (M,) are the rows of the batch that have a sheet at all, ``values`` (M, T, C) their tokens, and
    ``drawn`` (M, T) says how much of what each token sees is drawn on, in [0, 1]. A graph that is exported
    chooses no rows: there ``rows`` is (N, 1, 1, 1), 1 for those that have a sheet, and M is N.
    """

    rows: Tensor
    values: Tensor
    drawn: Tensor


class SheetEncoder(nn.Module):
    """What turns a sheet into tokens."""

    def __init__(self, width: int) -> None:
        super().__init__()
        inner = width // 2
        self.body = nn.Sequential(
            nn.Conv2d(4 * _FOLD**2, inner, 3, padding=1),
            Residual(inner),
            nn.Conv2d(inner, width, 2, stride=2),
            Residual(width),
            Residual(width),
            nn.BatchNorm2d(width),
        )

    def forward(self, sheet: Tensor) -> Tokens | None:
        """Return the tokens of sheets (N, 4, H, W), RGB and mask; None where nothing is drawn on any."""
        drawn_on = sheet[:, 3].flatten(1).amax(1) > 0
        if torch.compiler.is_compiling():
            rows = drawn_on.to(sheet.dtype)[:, None, None, None]
        else:
            rows = torch.nonzero(drawn_on)[:, 0]
            if not len(rows):
                return None
            sheet = sheet[rows]
        values = self.body(F.pixel_unshuffle(sheet, _FOLD))
        drawn = F.avg_pool2d(sheet[:, 3:], SHEET_MULTIPLE)
        return Tokens(rows, values.flatten(2).transpose(1, 2), drawn.flatten(1))


class SheetAttention(nn.Module):
    """Attention from the places of a sketch to the tokens of a sheet; starts as the identity."""

    def __init__(self, width: int, tokens: int, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.BatchNorm2d(width)
        self.query = nn.Conv2d(width, tokens, 1)
        self.key_value = nn.Linear(tokens, 2 * tokens)
        self.out = nn.Conv2d(tokens, width, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, tokens: Tokens) -> Tensor:
        """Return features (N, C, h, w) after the rows that have a sheet looked at it; others as they were."""
        exported = torch.compiler.is_compiling()
        asking = x if exported else x[tokens.rows]
        m, _, h, w = asking.shape
        q = self.query(self.norm(asking)).reshape(m, self.heads, -1, h * w).transpose(-1, -2)
        kv = self.key_value(tokens.values).reshape(m, tokens.values.shape[1], 2, self.heads, -1)
        k, v = kv.permute(2, 0, 3, 1, 4)
        bias = tokens.drawn.clamp_min(1e-9).log().to(q.dtype)[:, None, None].expand(-1, -1, h * w, -1)
        seen = F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        out = self.out(seen.transpose(-1, -2).reshape(m, -1, h, w))
        if exported:
            return asking + tokens.rows * out  # type: ignore[no-any-return]
        return x.index_copy(0, tokens.rows, (asking + out).to(x.dtype))
