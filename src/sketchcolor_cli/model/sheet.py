"""Colour from another drawing: what a character sheet tells a network about a sketch it is not aligned with.

Places of the sketch look up the places of the sheet that are like them, and take over what they carry: dense
semantic correspondence by attention (Lee et al. 2020, "Reference-based sketch image colorization using
augmented-self reference and dense semantic correspondence").
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from sketchcolor_cli.model.residual import Residual

_FOLD = 4  # side of the square of sheet pixels that is folded into one place
SHEET_MULTIPLE = 2 * _FOLD
"""The side of a sheet must be divisible by this; it is also the side of what one token sees."""


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

    def forward(self, sheet: Tensor) -> tuple[Tensor, Tensor]:
        """Return tokens (N, T, C) of sheets (N, 4, S, S), and how much of each is drawn on, (N, T)."""
        tokens = self.body(F.pixel_unshuffle(sheet, _FOLD))
        drawn = F.avg_pool2d(sheet[:, 3:], SHEET_MULTIPLE)
        return tokens.flatten(2).transpose(1, 2), drawn.flatten(1)


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

    def forward(self, x: Tensor, tokens: Tensor, drawn: Tensor) -> Tensor:
        """Return features like ``x`` (N, C, h, w), which took over from ``tokens`` where ``drawn`` is not 0.

        At least one token of each row must be drawn on.
        """
        n, _, h, w = x.shape
        q = self.query(self.norm(x)).reshape(n, self.heads, -1, h * w).transpose(-1, -2)
        kv = self.key_value(tokens).reshape(n, tokens.shape[1], 2, self.heads, -1)
        k, v = kv.permute(2, 0, 3, 1, 4)
        bias = drawn.clamp_min(1e-9).log().to(q.dtype)[:, None, None].expand(-1, -1, h * w, -1)
        seen = F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        return x + self.out(seen.transpose(-1, -2).reshape(n, -1, h, w))  # type: ignore[no-any-return]


def rows_with(sheet: Tensor) -> Tensor:
    """Return the indices of the rows of (N, 4, S, S) that have anything drawn on them."""
    return torch.nonzero(sheet[:, 3].flatten(1).amax(1) > 0)[:, 0]
