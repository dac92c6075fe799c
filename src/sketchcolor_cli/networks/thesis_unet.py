"""The thesis's generator (Cortés Méndez 2022): a U-Net over the sketch, which a code z tells the colours.

It has 7 943 588 parameters: 6 774 190 of U-Net and code decoder, 1 169 398 of reference encoder.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (the name the field uses)

from sketchcolor_cli.networks.base import ColorNet, Prediction
from sketchcolor_cli.networks.blocks import (
    LBL,
    HueDropout,
    PixelShuffleICNR,
    PositionalInfo,
    ResBlock,
    blocks,
    use_version,
)
from sketchcolor_cli.networks.config import GeneratorConfig
from sketchcolor_cli.networks.spaces import SPACES


class ZEncoder(nn.Module):
    """What reads the colour reference."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        a, b, c, d, e = config.reference_widths
        depths = config.reference_depths
        self.prepare = nn.Sequential(HueDropout(config.hue_dropout), PositionalInfo())
        self.features = nn.Sequential(
            # The only block whose bottleneck is not half of what goes in: 4 of 5 channels in the thesis.
            ResBlock(5, a, bottle=max(a // 2, 2)),
            *(ResBlock(a) for _ in range(depths[0])),
            blocks(a, b, depths[1], stride=2),
            blocks(b, c, depths[2]),
            blocks(c, d, depths[3], stride=2),
            blocks(d, e, depths[4], stride=2),
            ResBlock(e, stride=2),
        )
        self.head = LBL(e, config.z_size)

    def forward(self, reference: Tensor) -> Tensor:
        """Return the code z, (N, Z) in (-1, 1), of (N, 3, R, R) RGB in [0, 1]."""
        features = self.features(self.prepare(reference))
        return torch.tanh(self.head(features.mean((2, 3))))


class ZDecoder(nn.Module):
    """What unfolds the code for the bottom of the U-Net."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        size, channels = config.seed_size, config.seed_channels
        self.unfold = nn.Sequential(
            LBL(config.z_size, channels * size**2), nn.Unflatten(1, (channels, size, size))
        )
        widths = (channels, *config.z_widths)
        self.features = nn.Sequential(
            *(blocks(i, o, depth) for (i, o), depth in zip(pairwise(widths), config.z_depths, strict=True))
        )

    def forward(self, z: Tensor) -> Tensor:
        """Return features (N, C, S, S) of the code z, (N, Z); S is the configuration's ``seed_size``."""
        return self.features(self.unfold(z))  # type: ignore[no-any-return]


class UNet(nn.Module):
    """What colours the sketch by the code."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        a, b, c, d = config.widths
        out = config.channels
        self.out = out
        depths = config.encoder1_depths
        self.encoder1 = nn.Sequential(blocks(1, a, depths[0], stride=2), blocks(a, b, depths[1], stride=2))
        depths = config.encoder2_depths
        self.encoder2 = nn.Sequential(
            *(ResBlock(b) for _ in range(depths[0])),
            blocks(b, c, depths[1], stride=2),
            blocks(c, d, depths[2], stride=2),
        )
        self.z_decoder = ZDecoder(config)
        depths = config.decoder1_depths
        self.decoder1 = nn.Sequential(
            blocks(d + config.z_widths[-1], d, depths[0]),
            PixelShuffleICNR(d, c),
            *(ResBlock(c) for _ in range(depths[1])),
            PixelShuffleICNR(c, b),
            *(ResBlock(b) for _ in range(depths[2])),
        )
        depths = config.decoder2_depths
        self.decoder2 = nn.Sequential(
            *(ResBlock(2 * b) for _ in range(depths[0])),
            PixelShuffleICNR(2 * b, b),
            *(ResBlock(b) for _ in range(depths[1])),
            PixelShuffleICNR(b, a),
            *(ResBlock(a) for _ in range(depths[2])),
        )
        depths = config.decoder3_depths
        self.decoder3 = nn.Sequential(
            blocks(a + 1, a, depths[0]), blocks(a, a // 2, depths[1]), blocks(a // 2, out, depths[2])
        )

    def forward(self, sketch: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        """Return the colours (N, C, H, W) of a sketch (N, 1, H, W), and rough ones (N, C, H/16, W/16)."""
        skip = self.encoder1(sketch)
        bottom = self.encoder2(skip)
        code = F.interpolate(self.z_decoder(z), size=bottom.shape[2:], mode="bilinear", align_corners=False)
        x = self.decoder1(torch.cat([bottom, code], 1))
        x = self.decoder2(torch.cat([x, skip], 1))
        return self.decoder3(torch.cat([x, sketch], 1)), code[:, : self.out]


class Generator(ColorNet):
    """The thesis's colour network.

    Width and height must be multiples of 16; 16×16 is the smallest sketch it takes. ``Prediction.color`` is
    (N, C, H, W) in ``config.output_space``, unbounded; ``extra``, (N, C, H/16, W/16), is the rough picture
    that makes the middle of the network carry colour. Both, and ``z``, are float32 under autocast too.
    """

    config: GeneratorConfig
    multiple = 16
    stride = 1
    outer = ("encoder.features.0.", "unet.encoder1.0.0.", "unet.decoder3.2.")

    def __init__(self, config: GeneratorConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or GeneratorConfig()
        self.z_size = config.z_size
        self.encoder = ZEncoder(config)
        self.unet = UNet(config)
        use_version(self, config.block)

    def forward(
        self,
        sketch: Tensor,
        hint: Tensor,
        *,
        spread: Tensor | None = None,
        sheet: Tensor | None = None,
        z: Tensor | None = None,
    ) -> Prediction:
        """See :class:`ColorNet`; ``spread`` and ``sheet`` are not used; with ``z``, nor is ``hint``."""
        z = self.latent_of(hint) if z is None else z
        color, extra = self.unet(sketch, z)
        return Prediction(color.float(), extra=extra.float(), z=z)

    def latent_of(self, hint: Tensor, sheet: Tensor | None = None) -> Tensor:
        """Return the code z, (N, Z) in (-1, 1), of a hint (N, 4, H, W) of any size."""
        reference = reference_of(hint, self.config.reference_size, antialias=self.config.antialias)
        return self.encoder(reference).float()  # type: ignore[no-any-return]

    def rgb(self, prediction: Prediction) -> Tensor:
        """Return the colours as (N, 3, H, W) RGB in [0, 1]."""
        return SPACES[self.config.output_space].to_rgb(prediction.color)


def reference_of(hint: Tensor, size: int, *, antialias: bool) -> Tensor:
    """Return (N, 3, size, size) RGB: a hint (N, 4, H, W) on white paper, resized bilinearly.

    Antialiased, no small touch of colour on a large page can fall between the samples; the thesis is not.
    """
    on_paper = hint[:, :3] + (1 - hint[:, 3:])
    return F.interpolate(
        on_paper, size=(size, size), mode="bilinear", align_corners=False, antialias=antialias
    )
