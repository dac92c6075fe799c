"""How bright a colour looks: weights of its channels."""

from __future__ import annotations

import numpy as np

WEIGHTS = 0.2126, 0.7152, 0.0722
"""Weights of R, G and B, sRGB-encoded, for luma (ITU-R BT.709)."""
LUMA = np.array(WEIGHTS, np.float32)
"""The same, for arrays (…, 3): ``rgb @ LUMA``."""
