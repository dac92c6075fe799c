"""The numbers of CIELAB under D65, for tensors and arrays."""

from __future__ import annotations

# Linear sRGB to X/Xn, Y/Yn, Z/Zn, and back: the primaries of ITU-R BT.709 with their white, (0.3127, 0.3290),
# at (1, 1, 1), so that greys have no a* and no b*.
XYZ_FROM_LINEAR = (
    (0.4338873456, 0.3762240091, 0.1898886453),
    (0.2126390059, 0.7151686788, 0.0721923154),
    (0.0177500401, 0.1094476209, 0.8728023391),
)
LINEAR_FROM_XYZ = (
    (3.0803990907, -1.5373831776, -0.5430159131),
    (-0.9212233589, 1.8759675015, 0.0452558574),
    (0.0528739390, -0.2039769589, 1.1511030199),
)
DELTA = 6 / 29
"""Where CIELAB's cube root turns into a straight line."""
