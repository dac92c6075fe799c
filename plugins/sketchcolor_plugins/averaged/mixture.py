"""The mixing itself."""

from __future__ import annotations

import random
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sketchcolor_cli import Sketcher


@dataclass(frozen=True)
class Mixture:
    """The weighted mean of several sketches of each picture.

    Random shares depend on the seed and on the picture, to the 8-bit step, and on nothing else: neither on
    its name nor on the others of the run. So a data set can be made in parts, or again, and stays the same.
    """

    members: Mapping[str, Sketcher]
    shares: Mapping[str, float | None]
    """Each member's share, together 1, or None for each."""
    seed: int = 0

    def __call__(self, rgb: Tensor) -> Tensor:
        """Turn (N, 3, H, W) in [0, 1] into (N, 1, H, W) in [0, 1]."""
        shares = [self.shares_of(picture) for picture in rgb]
        mean = torch.zeros_like(rgb[:, :1], memory_format=torch.contiguous_format)
        for name, draw in self.members.items():
            share = mean.new_tensor([of_picture[name] for of_picture in shares])
            mean += draw(rgb) * share[:, None, None, None]
        return mean.clamp(0, 1)

    def notes(self, rgb: Tensor) -> list[dict[str, Any]]:
        """Return for each picture the shares that it is drawn with."""
        return [
            {"mix": {name: round(share, 6) for name, share in self.shares_of(picture).items()}}
            for picture in rgb
        ]

    def shares_of(self, picture: Tensor) -> dict[str, float]:
        """Return each member's share in the sketch of one picture, (3, H, W); random ones evenly spread."""
        fixed = {name: share for name, share in self.shares.items() if share is not None}
        if fixed:
            return fixed
        samples = (picture * 255).round().to("cpu", torch.uint8).contiguous().numpy()
        digest = blake2b(samples.tobytes(), digest_size=16, key=self.seed.to_bytes(8, "big"))
        digest.update(repr(samples.shape).encode())
        # Python keeps the numbers that a seed gives the same from version to version.
        source = random.Random(int.from_bytes(digest.digest(), "big"))  # noqa: S311 - nothing secret
        weights = {name: source.expovariate(1.0) for name in sorted(self.shares)}
        total = sum(weights.values())
        return {name: weights[name] / total for name in self.shares}
