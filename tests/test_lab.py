"""CIELAB for arrays is that of tensors."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sketchcolor_cli.color import lab, spaces


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_both_ways_are_those_of_tensors(kind: type) -> None:
    random = np.random.default_rng(0)
    rgb = np.concatenate([random.random((500, 3)), np.linspace(0, 0.05, 60).reshape(20, 3)]).astype(kind)
    wide = random.uniform((0, -120, -120), (100, 120, 120), (500, 3)).astype(kind)
    for ours, theirs, colors, close in (
        (lab.rgb_to_lab, spaces.rgb_to_lab, rgb, 2e-4),
        (lab.lab_to_rgb, spaces.lab_to_rgb, wide, 1e-6),
    ):
        due = theirs(torch.from_numpy(colors.T[None, :, :, None].copy()))[0, :, :, 0].T.numpy()
        found = ours(colors)
        assert found.dtype == kind
        assert np.abs(found - due).max() < close
