"""Colouring a small page that is drawn here, with the bundled model."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sketchcolor_cli import environment
from sketchcolor_cli.compute import devices, onnx, slim
from sketchcolor_cli.doctor.findings import Finding, Level
from sketchcolor_cli.jobs.settings import DEFAULT_MODEL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Array = NDArray[np.float32]

GROUP = "Self-test"
_SIDE = 576  # pixels, the size that the network works at
_RED = (0.8, 0.25, 0.2)
_FAR = 0.15  # mean difference from the colour that was given, of 1
_REMEDY = "install sketchcolor again; if that does not help, report it with what doctor prints"


def check_coloring() -> Iterator[Finding]:
    """Colour a circle from a rough colouring, and give the time that took, or what is wrong."""
    if not (slim.has_torch() or onnx.is_installed()):
        return
    from sketchcolor_cli.coloring.arrays import ArrayColorizer
    from sketchcolor_cli.networks.registry import ModelShelf

    device = devices.resolve("auto")
    network = environment.backends("auto").load(ModelShelf().find(DEFAULT_MODEL), device)
    color = ArrayColorizer(network, device)
    page, rough = _drawn()
    start = time.perf_counter()
    result = color(page, reference=rough)
    seconds = time.perf_counter() - start
    problem = what_is_wrong(page, rough, result)
    if problem:
        yield Finding(GROUP, "bundled model", problem, Level.PROBLEM, _REMEDY)
    else:
        yield Finding(GROUP, "bundled model", f"colours a page of {_SIDE}×{_SIDE} in {seconds:.1f} s")


def what_is_wrong(page: Array, rough: Array, result: Array) -> str:
    """Return what is wrong with a coloured page, or nothing.

    Args:
        page: (H, W), paper 1 and ink 0.
        rough: (H, W, 3) RGB, the rough colouring that was given.
        result: (H, W, 3) RGB, what was made of both.
    """
    if not np.isfinite(result).all():
        return "the result has values that are not numbers"
    if np.abs(result[page == 0]).max() > 1 / 255:
        return "ink did not stay black"
    inside = (rough.min(2) < 1) & (page == 1)
    off = float(np.abs(result[inside].mean(0) - rough[inside].mean(0)).mean())
    return f"the colour that was given is missed by {off:.2f} of 1" if off > _FAR else ""


def _drawn() -> tuple[Array, Array]:
    """Return a circle in ink, (H, W), and a rough colouring of it, (H, W, 3)."""
    center, radius = (_SIDE // 2, _SIDE // 2), _SIDE // 4
    page = np.ones((_SIDE, _SIDE), np.float32)
    rough = np.ones((_SIDE, _SIDE, 3), np.float32)
    cv2.circle(rough, center, radius, _RED, -1)
    cv2.circle(page, center, radius, 0, 4)
    return page, rough
