"""The critic, and generator with critic, as fastai calls them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

from sketchcolor_cli.color.spaces import rgb_to_xyv
from sketchcolor_cli.training.gan import adversary

if TYPE_CHECKING:
    from sketchcolor_cli.networks.base import Prediction
    from sketchcolor_cli.training.loop.wrappers import AutocastColorNet


class CriticOutput(NamedTuple):
    """The critic's logits for drawings and generated pictures, and how steep it is at the drawings."""

    real: Tensor
    fake: Tensor
    penalty: Tensor


class AutocastCritic(nn.Module):
    """The critic on RGB pictures (N, 3, H, W) in [0, 1]; logits and the loss are float32."""

    def __init__(self, critic: nn.Module, r1: float, device: str, dtype: torch.dtype) -> None:
        super().__init__()
        self.critic, self.r1 = critic, r1
        self.device_type, self.dtype = torch.device(device).type, dtype

    def forward(self, real: Tensor, fake: Tensor) -> CriticOutput:
        """Judge as many drawings as generated pictures."""
        return self.compare(rgb_to_xyv(real), rgb_to_xyv(fake))

    def compare(self, real: Tensor, fake: Tensor) -> CriticOutput:
        """Judge both, in XYV, in one batch, so that norms see them alike."""
        of_real, of_fake = self.judge(torch.cat([real, fake])).chunk(2)
        penalty = of_real.new_zeros(())
        if self.r1 and torch.is_grad_enabled():
            penalty = adversary.gradient_penalty(self.critic, real)
        return CriticOutput(of_real, of_fake, penalty)

    def judge(self, xyv: Tensor) -> Tensor:
        """Return logits, in float32, of pictures in XYV."""
        with torch.autocast(self.device_type, self.dtype, enabled=self.dtype != torch.float32):
            logits: Tensor = self.critic(xyv.contiguous(memory_format=torch.channels_last))
        return logits.float()


class GeneratorAndCritic(nn.Module):
    """Both, so that both are trained; what the turn asks of the critic is in the loss."""

    def __init__(self, generator: AutocastColorNet, critic: AutocastCritic) -> None:
        super().__init__()
        self.generator, self.critic = generator, critic

    def forward(self, *given: Tensor) -> Prediction:
        """Paint; without a graph while the generator waits."""
        learning = any(parameter.requires_grad for parameter in self.generator.parameters())
        with torch.set_grad_enabled(learning and torch.is_grad_enabled()):
            return self.generator(*given)  # type: ignore[no-any-return]
