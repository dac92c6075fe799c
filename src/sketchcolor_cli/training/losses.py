"""What training minimises."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from sketchcolor_cli.color.compositing import paint_under
from sketchcolor_cli.networks.lattice import lattice_shares

if TYPE_CHECKING:
    from sketchcolor_cli.networks.base import Prediction
    from sketchcolor_cli.networks.spaces import Space


def paint_loss(
    prediction: Prediction, lightness: Tensor, truth: Tensor, lattice: tuple[Tensor, Tensor], rarity: Tensor
) -> dict[str, Tensor]:
    """Return the parts of the default model's loss; their sum under ``total``.

    Cross-entropy between predicted and true a*b* distribution, each colour weighted by its ``rarity`` (A·B,),
    Zhang et al. 2016, eq. 2–4, plus smooth L1 on the Lab colours themselves in units of 10. ``lightness``
    (N, 1, H, W) is the sketch's L*, ``truth`` (N, 3, H, W) Lab. What ink hides does not count. In a* and b*
    the second part counts as far as a hint is sure (``Prediction.sure``; everywhere if that is None): where
    nothing tells the colour, the answer that it likes best is grey.
    """
    if prediction.logits is None:
        raise ValueError("the network predicts no distribution of colours, which this loss compares")
    stride = truth.shape[-1] // prediction.color.shape[-1]
    paint, seen = paint_under(lightness, truth, stride)
    corners, shares = lattice_shares(paint[:, 1:], *lattice)
    logits = prediction.logits.float().permute(0, 2, 3, 1)  # far faster over what is next to each other
    log_p = torch.log_softmax(logits, -1).gather(-1, corners.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
    weight = seen[:, 1:2] * (shares * rarity[corners]).sum(1, keepdim=True)
    error = F.smooth_l1_loss(prediction.color / 10, paint / 10, reduction="none") * seen
    in_all = seen.sum((0, 2, 3)).clamp_min(1e-6)  # of a page of solid ink nothing is seen
    palette = -(weight * (shares * log_p).sum(1, keepdim=True)).sum() / in_all[1]
    color_error = error[:, 1:] if prediction.sure is None else error[:, 1:] * prediction.sure
    light, chroma = error[:, :1].sum() / in_all[0], color_error.sum() / in_all[1:].sum()
    return {"total": palette + light + chroma, "palette": palette, "light": light, "chroma": chroma}


def color_rarity(counts: Tensor, mix: float = 0.97) -> Tensor:
    """Return the weight of each quantised colour from how often it occurs (Zhang et al. 2016, eq. 4).

    ``counts`` (Q,); the weights are 1 / ((1 − mix)·p + mix/Q'), Q' the number of colours that occur, scaled
    to a mean of 1 over the data. Photographs want a mix of 0.5. Drawings are so grey, or rather white, that
    it would let the rarest colours count a hundred times as much; 0.97 makes that about five.
    """
    share = counts / counts.sum()
    occurring = (counts > 0).sum()
    weights = 1 / ((1 - mix) * share + mix / occurring)
    return weights / (share * weights).sum()


def pixel_loss(
    prediction: Prediction,
    truth: Tensor,
    space: Space,
    *,
    weight: float = 1,
    extra_weight: float = 1,
    antialias: bool = False,
) -> Tensor:
    """Return the thesis's pixel loss, a·MSE(ŷ, y) + b·MSE(ŷe, yd) (Cortés Méndez 2022, losses).

    a is ``weight`` and b ``extra_weight``: 1 and 1 in the thesis's first stage, 4 and 2 in the later ones.
    ``truth`` (N, 3, H, W) is RGB in [0, 1]; y is the truth in the output space, yd the truth resized to the
    extra output's size, bilinearly and by the thesis's code without antialiasing, and then converted.
    """
    loss = weight * F.mse_loss(prediction.color, space.encode(truth))
    if prediction.extra is None:
        return loss
    size = prediction.extra.shape[2:]
    small = F.interpolate(truth, size=size, mode="bilinear", align_corners=False, antialias=antialias)
    return loss + extra_weight * F.mse_loss(prediction.extra, space.encode(small))
