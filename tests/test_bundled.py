"""The perceptual network that comes with the package."""

import torch

from sketchcolor_cli.color.spaces import rgb_to_xyv
from sketchcolor_cli.networks.loading import PERCEPTUAL, load_perceptual
from sketchcolor_cli.training.perception import perceptual_loss


def test_it_is_there_is_small_and_does_not_learn():
    network = load_perceptual()
    assert PERCEPTUAL.stat().st_size < 9e6
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())
    assert PERCEPTUAL.with_suffix(".md").exists()


@torch.no_grad()
def test_what_is_less_like_a_picture_costs_more():
    """A picture of stripes, the same a little paler, the same in another colour, and noise."""
    stripes = torch.ones(1, 3, 64, 64)
    stripes[:, 1:, :, ::8] = 0.2
    others = (0.95 * stripes, stripes.flip(1), torch.rand(1, 3, 64, 64, generator=torch.manual_seed(0)))
    network = load_perceptual()
    wanted = network(rgb_to_xyv(stripes)).taps
    losses = [float(perceptual_loss(network(rgb_to_xyv(other)).taps, wanted)) for other in others]
    assert 0 < losses[0] < losses[1] < losses[2]
