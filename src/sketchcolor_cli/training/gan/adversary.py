"""The losses that generator and critic play for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

if TYPE_CHECKING:
    from collections.abc import Callable


def critic_loss(kind: str, real: Tensor, fake: Tensor) -> Tensor:
    """Return what the critic minimises, from its logits for as many drawings as generated pictures.

    ``hinge`` is that of Lim & Ye 2017; ``linear`` and ``bce`` are the binary cross-entropy of the thesis,
    half real, half fake. Logits are (N, 1), or of patches (N, 1, h, w).
    """
    if kind == "hinge":
        return (F.relu(1 - real).mean() + F.relu(1 + fake).mean()) / 2
    return (F.softplus(-real).mean() + F.softplus(fake).mean()) / 2


def generator_term(kind: str, fake: Tensor) -> Tensor:
    """Return what the generator minimises of the critic's logits for its pictures, before the weight λ.

    ``linear`` and ``hinge``: −mean(critic(ŷ)), the thesis's text; ``bce``: cross-entropy against "real", the
    code published with it.
    """
    return F.softplus(-fake).mean() if kind == "bce" else -fake.mean()


def accuracy(real: Tensor, fake: Tensor) -> Tensor:
    """Return the share of pictures that the critic judges rightly, each by the mean over its patches."""
    rightly = [(real.flatten(1).mean(1) > 0), (fake.flatten(1).mean(1) <= 0)]
    return torch.cat(rightly).float().mean()


def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor) -> Tensor:
    """Return ½·E‖∇critic(y)‖² over drawings y in XYV (R1; Mescheder et al. 2018), to be weighted by γ."""
    real = real.detach().requires_grad_()
    with torch.enable_grad():
        (slope,) = torch.autograd.grad(critic(real).flatten(1).mean(1).sum(), real, create_graph=True)
    return slope.square().flatten(1).sum(1).mean() / 2
