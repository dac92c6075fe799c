"""How bright a colour looks: weights of its channels."""

from __future__ import annotations

import numpy as np

LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
"""Weights of R, G and B, sRGB-encoded, for luma (ITU-R BT.709)."""
