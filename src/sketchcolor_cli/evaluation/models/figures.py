"""The figures of one coloured picture, each with its meaning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch

from sketchcolor_cli.color.ink import INK
from sketchcolor_cli.color.luma import LUMA
from sketchcolor_cli.color.spaces import rgb_to_lab
from sketchcolor_cli.evaluation.models.protocols import local_mean
from sketchcolor_cli.evaluation.models.skin import TONES, skin_tones
from sketchcolor_cli.imaging.picture import to_tensor
from sketchcolor_cli.metrics.pictures import colorfulness, delta_e00, psnr, ssim

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sketchcolor_cli.evaluation.models.protocols import Given
    from sketchcolor_cli.evaluation.models.samples import Sample

    Array = NDArray[np.float32]


@dataclass(frozen=True)
class Figure:
    """What a figure is called, what it means, and what is good: ``high``, ``low``, near a number, or None."""

    label: str
    meaning: str
    good: str | float | None
    digits: int = 2


FIGURES = {
    "psnr": Figure("PSNR, dB", "Peak signal-to-noise ratio of RGB.", "high"),
    "ssim": Figure("SSIM", "Structural similarity of the luma.", "high", 3),
    "lpips": Figure(
        "LPIPS", "Learned perceptual distance (Zhang et al. 2018): 0 equal, about 0.7 very unlike.", "low", 3
    ),
    "delta_e": Figure("ΔE00", "Mean colour difference CIEDE2000.", "low"),
    "colorfulness": Figure("colourfulness", "Hasler & Süsstrunk 2003.", None, 1),
    "colorfulness_ratio": Figure(
        "colourfulness to truth", "Colourfulness of the result by that of the truth.", 1.0
    ),
    "cast_a": Figure("cast a*", "Mean a* of the result less that of the truth: red (+) or green (−).", 0.0),
    "cast_b": Figure("cast b*", "Mean b* of the result less that of the truth: yellow (+) or blue (−).", 0.0),
    "histogram_distance": Figure(
        "colour histogram distance",
        "Half the absolute difference of the a*b* histograms, blurred by 8: 0 equal, 1 disjoint.",
        "low",
        3,
    ),
    "hint_delta_e": Figure(
        "hint ΔE00", "Median ΔE00 between the colour points and what the result has there.", "low"
    ),
    "ink_shift": Figure(
        "ink shift, 1/255",
        "Mean change of luma on ink, the sketch's pixels of L* ≤ 35, in 8-bit steps.",
        "low",
    ),
    "size_delta_e": Figure("ΔE00 of sizes", "Mean ΔE00 between results at the two working sizes.", "low"),
    **{
        f"skin_{tone}": Figure(
            f"{tone} skin ΔE00", f"Mean ΔE00 on skin-coloured areas of {tone} tone in the truth.", "low"
        )
        for tone in TONES
    },
    **{
        f"skin_{tone}_lightness": Figure(
            f"{tone} skin L*", f"Mean L* of the result less that of the truth on {tone} skin.", 0.0
        )
        for tone in TONES
    },
    "seconds": Figure("seconds", "Time to colour one picture.", "low", 3),
}
"""Every figure of a picture, in the order of reports; one that a picture does not have is absent."""


def figures_of(result: Array, sample: Sample, given: Given) -> dict[str, float]:
    """Return the figures of a coloured picture (H, W, 3) by name, all but times, sizes and LPIPS."""
    pictures = [to_tensor(picture) for picture in (result, sample.truth)]
    labs = [rgb_to_lab(picture) for picture in pictures]
    difference = delta_e00(*labs)[0].numpy()
    colors = [float(colorfulness(picture)) for picture in pictures]
    found, true = (lab[0].permute(1, 2, 0).numpy() for lab in labs)
    cast = (found - true)[..., 1:].mean((0, 1))
    values = {
        "psnr": float(psnr(*pictures)),
        "ssim": float(ssim(*pictures)),
        "delta_e": float(difference.mean()),
        "colorfulness": colors[0],
        "cast_a": float(cast[0]),
        "cast_b": float(cast[1]),
        "histogram_distance": histogram_distance(found, true),
    }
    if colors[1] > 1:  # a grey truth has no ratio
        values["colorfulness_ratio"] = colors[0] / colors[1]
    if given.points is not None and given.colors is not None and len(given.points):
        there = local_mean(result, given.points)
        lab_pair = [
            rgb_to_lab(torch.from_numpy(colors.T.copy())[None, ..., None]) for colors in (there, given.colors)
        ]
        values["hint_delta_e"] = float(np.median(delta_e00(*lab_pair).numpy()))
    page = np.repeat(sample.sketch[..., None], 3, axis=2)
    ink = rgb_to_lab(to_tensor(page))[0, 0].numpy() <= INK
    if ink.any():
        luma = result @ LUMA
        values["ink_shift"] = 255 * float(np.abs(luma - sample.sketch)[ink].mean())
    for tone, where in skin_tones(true).items():
        if where.any():
            values[f"skin_{tone}"] = float(difference[where].mean())
            values[f"skin_{tone}_lightness"] = float((found - true)[..., 0][where].mean())
    return {name: value for name, value in values.items() if np.isfinite(value)}


def histogram_distance(first: Array, second: Array) -> float:
    """Return half the absolute difference of the a*b* histograms of Lab pictures, in [0, 1].

    Cells of 4, from −128 to 128, blurred by a Gaussian of σ = 8, so that a small shift is a small distance.
    """
    histograms = []
    for lab in (first, second):
        a, b = lab[..., 1].ravel(), lab[..., 2].ravel()
        counts, _, _ = np.histogram2d(a, b, bins=64, range=((-128, 128), (-128, 128)))
        blurred = cv2.GaussianBlur(counts / counts.sum(), (0, 0), 2, borderType=cv2.BORDER_CONSTANT)
        histograms.append(blurred / blurred.sum())
    return float(np.abs(histograms[0] - histograms[1]).sum() / 2)


def size_difference(small: Array, large: Array) -> float:
    """Return the mean ΔE00 of two results of one size, (H, W, 3)."""
    return float(delta_e00(*(rgb_to_lab(to_tensor(picture)) for picture in (small, large))).mean())
