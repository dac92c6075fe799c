"""Distances between two sets of pictures, each picture given by a vector of features; float64 throughout.

Which features they are, and how the pictures were brought to the network's size, is what gives a distance its
name: with those of the FID Inception network the Fréchet distance is FID and the kernel distance is KID.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.linalg import lapack

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vector = NDArray[np.float64]
    Matrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Moments:
    """Mean (D,) and unbiased covariance (D, D) of ``count`` vectors; of one vector the covariance is 0."""

    mean: Vector
    covariance: Matrix
    count: int


class RunningMoments:
    """Mean and covariance of vectors that arrive in batches; holds D×D numbers, however many there are.

    Batches are merged by the pairwise formula of Chan, Golub, LeVeque 1979, which loses no digits to a large
    mean; the order of arrival changes the result by rounding alone.
    """

    def __init__(self) -> None:
        self.count = 0
        self._mean: Vector = np.zeros(0)
        self._scatter: Matrix = np.zeros((0, 0))

    def add(self, batch: NDArray[np.floating]) -> None:
        """Add the rows of (N, D).

        Raises:
            ValueError: a value is not a number or infinite, or D differs from that of earlier batches.
        """
        rows = np.asarray(batch, np.float64)
        if rows.ndim != 2 or (self.count and rows.shape[1] != len(self._mean)):
            raise ValueError(f"features of shape {rows.shape} do not fit those before")
        if not np.isfinite(rows).all():
            raise ValueError("features have values that are not numbers")
        if not len(rows):
            return
        mean = rows.mean(0)
        centred = rows - mean
        scatter = centred.T @ centred
        if not self.count:
            self.count, self._mean, self._scatter = len(rows), mean, scatter
            return
        total = self.count + len(rows)
        step = mean - self._mean
        self._scatter += scatter + np.outer(step, step * (self.count * len(rows) / total))
        self._mean = self._mean + step * (len(rows) / total)
        self.count = total

    def moments(self) -> Moments:
        """Return what has been added so far.

        Raises:
            ValueError: nothing has been added.
        """
        if not self.count:
            raise ValueError("there are no features")
        return Moments(self._mean.copy(), self._scatter / max(self.count - 1, 1), self.count)


def frechet_distance(first: Moments, second: Moments) -> float:
    """Return the squared Fréchet distance of two Gaussians, at least 0 (Dowson & Landau 1982).

    |μ₁ − μ₂|² + tr C₁ + tr C₂ − 2·tr √(C₁C₂). With C = LLᵀ the eigenvalues of C₁C₂ are the squares of the
    singular values of L₁ᵀL₂, so the last trace is their sum: no matrix root is needed, nothing becomes
    complex, and covariances of any rank will do. Equal Gaussians give 0 up to rounding.

    Raises:
        ValueError: the vectors have different lengths, or a value is not a finite number.
    """
    if first.mean.shape != second.mean.shape or first.covariance.shape != second.covariance.shape:
        raise ValueError(
            f"features of {len(first.mean)} and of {len(second.mean)} numbers cannot be compared"
        )
    for part in (first.mean, first.covariance, second.mean, second.covariance):
        if not np.isfinite(part).all():
            raise ValueError("the statistics have values that are not numbers")
    step = first.mean - second.mean
    product = _factor(first.covariance).T @ _factor(second.covariance)
    shared = float(np.linalg.svd(product, compute_uv=False).sum()) if product.size else 0.0
    spread = float(np.trace(first.covariance) + np.trace(second.covariance))
    return max(0.0, float(step @ step) + spread - 2 * shared)


def _factor(covariance: Matrix) -> Matrix:
    """Return L, (D, rank), with LLᵀ the covariance, by Cholesky with pivoting, which ends at the rank."""
    lower, pivots, rank, _ = lapack.dpstrf(covariance, lower=1)
    if covariance.trace() <= 0:
        rank = 0
    factor = np.empty((len(covariance), rank))
    factor[pivots - 1] = np.tril(lower)[:, :rank]
    return factor


class KernelDistance(NamedTuple):
    """An estimate, which may be a little below 0 for equal sets, and its standard error."""

    value: float
    error: float


def kernel_distance(first: NDArray[np.floating], second: NDArray[np.floating]) -> KernelDistance:
    """Return the kernel distance of (N, D) and (M, D) features (Bińkowski et al. 2018, KID).

    The unbiased estimate of the squared maximum mean discrepancy under the kernel (x·y/D + 1)³, over all
    pairs; unlike the Fréchet distance it is not too large for small sets. The standard error is the
    jackknife's, which leaves out one vector at a time.

    Raises:
        ValueError: a set has fewer than three vectors, or the vectors have different lengths.
    """
    x, y = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if min(len(x), len(y)) < 3 or x.shape[1:] != y.shape[1:]:
        raise ValueError("a kernel distance needs three vectors or more of each set, of equal length")
    within_x, within_y, across = _kernel(x, x), _kernel(y, y), _kernel(x, y)
    np.fill_diagonal(within_x, 0)
    np.fill_diagonal(within_y, 0)
    n, m = across.shape
    sum_x, sum_y, sum_across = within_x.sum(), within_y.sum(), across.sum()
    mean_x, mean_y = sum_x / (n * (n - 1)), sum_y / (m * (m - 1))
    value = mean_x + mean_y - 2 * sum_across / (n * m)
    without_x = (
        (sum_x - 2 * within_x.sum(1)) / ((n - 1) * (n - 2))
        + mean_y
        - 2 * (sum_across - across.sum(1)) / ((n - 1) * m)
    )
    without_y = (
        mean_x
        + (sum_y - 2 * within_y.sum(1)) / ((m - 1) * (m - 2))
        - 2 * (sum_across - across.sum(0)) / (n * (m - 1))
    )
    variance = (n - 1) * without_x.var() + (m - 1) * without_y.var()
    return KernelDistance(float(value), float(np.sqrt(variance)))


def _kernel(x: Matrix, y: Matrix) -> Matrix:
    kernel: Matrix = (x @ y.T / x.shape[1] + 1) ** 3
    return kernel
