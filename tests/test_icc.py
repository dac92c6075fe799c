"""Tone curves of colour profiles."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from sketchcolor_cli.imaging.icc import read_profile


def gray_profile(points: list[int]) -> bytes:
    """Return a grey profile whose tone curve has these points, from 0 to 65535."""
    curve = b"curv" + bytes(4) + struct.pack(f">I{len(points)}H", len(points), *points)
    head = bytes(16) + b"GRAY" + b"XYZ " + bytes(104)
    tags = struct.pack(">I", 1) + b"kTRC" + struct.pack(">2I", 144, len(curve))
    return head + tags + curve


def test_a_curve_that_dips_is_made_level_so_that_it_can_be_turned_round() -> None:
    profile = read_profile(gray_profile([0, 40000, 20000, 65535]))
    assert profile is not None
    grays = np.linspace(0, 1, 256, dtype=np.float32)[None]
    seen = profile.to_srgb(np.round(grays * 65535).astype(np.uint16))
    assert (np.diff(seen[0]) >= 0).all()
    assert seen[0, 0] == pytest.approx(0, abs=1e-4)
    assert seen[0, -1] == pytest.approx(1, abs=1e-4)


def test_a_curve_that_falls_altogether_is_of_no_device() -> None:
    assert read_profile(gray_profile([65535, 0])) is None
