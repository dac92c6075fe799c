"""What computes networks; the only place where these names stand."""

from __future__ import annotations

BACKENDS = ("auto", "torch", "onnx")
"""Libraries that compute colour networks, and ``auto`` for the faster one."""
