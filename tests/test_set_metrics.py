"""Distances between sets, proved by closed form and against the installed reference."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy import linalg

from sketchcolor_cli.metrics.sets import Moments, RunningMoments, frechet_distance, kernel_distance


def moments(mean: object, covariance: object, count: int = 100) -> Moments:
    return Moments(np.array(mean, float), np.array(covariance, float), count)


def of(rows: np.ndarray) -> Moments:
    running = RunningMoments()
    running.add(rows)
    return running.moments()


def by_matrix_root(first: Moments, second: Moments) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        root = linalg.sqrtm(first.covariance @ second.covariance)
    step = first.mean - second.mean
    return float(step @ step + np.trace(first.covariance + second.covariance - 2 * np.real(root)))


def test_a_shifted_mean_gives_the_square_of_the_shift() -> None:
    covariance = [[2.0, 0.3], [0.3, 1.0]]
    assert frechet_distance(moments([0, 0], covariance), moments([3, 4], covariance)) == pytest.approx(25)


def test_diagonal_covariances_give_the_squares_of_the_differences_of_their_roots() -> None:
    first, second = moments([0] * 3, np.diag([1, 4, 9])), moments([0] * 3, np.diag([4, 4, 1]))
    assert frechet_distance(first, second) == pytest.approx(1 + 0 + 4, rel=1e-12)


def test_one_numbers_variance_needs_no_matrix() -> None:
    assert frechet_distance(moments([1], [[4]]), moments([0], [[1]])) == pytest.approx(1 + 1)


@pytest.mark.parametrize("count", [6, 500])
def test_equal_sets_are_at_distance_nothing_at_any_rank(count: int) -> None:
    rows = np.random.default_rng(0).normal(5, 2, (count, 40))
    assert frechet_distance(of(rows), of(rows)) == pytest.approx(0, abs=1e-9)


def test_full_rank_is_as_with_the_matrix_root() -> None:
    rng = np.random.default_rng(1)
    first, second = (
        of(rng.normal(0, 1, (300, 60))),
        of(rng.normal(0.1, 2, (200, 60)) @ rng.normal(size=(60, 60))),
    )
    assert frechet_distance(first, second) == pytest.approx(by_matrix_root(first, second), rel=1e-9)


def test_deficient_rank_is_as_the_closed_form() -> None:
    # Two planes in 50 dimensions, turned together: in the plane the covariances are diagonal.
    turn = linalg.qr(np.random.default_rng(2).normal(size=(50, 50)))[0]
    first, second = np.zeros(50), np.zeros(50)
    first[:2], second[1:3] = (9, 4), (16, 25)
    a, b = ((turn * diagonal) @ turn.T for diagonal in (first, second))
    distance = frechet_distance(moments(np.zeros(50), a), moments(np.zeros(50), b))
    assert distance == pytest.approx(9 + 4 + 25, rel=1e-9)


def test_the_rank_is_that_of_few_pictures_and_the_value_that_of_the_samples() -> None:
    # With two and three vectors everything can be had from products of the centred vectors themselves.
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(2, 30)), rng.normal(size=(3, 30))
    cx, cy = (x - x.mean(0)) / 1, (y - y.mean(0)) / np.sqrt(2)
    shared = np.linalg.svd(cx @ cy.T, compute_uv=False).sum()
    expected = ((x.mean(0) - y.mean(0)) ** 2).sum() + (cx**2).sum() + (cy**2).sum() - 2 * shared
    assert frechet_distance(of(x), of(y)) == pytest.approx(expected, rel=1e-12)


def test_one_vector_and_constant_vectors_have_no_spread_and_no_nan() -> None:
    single, constant = of(np.array([[1.0, 2.0]])), of(np.full((7, 2), 3.0))
    assert frechet_distance(single, constant) == pytest.approx(5)
    wide = of(np.array([[0.0, 0.0], [2.0, 0.0]]))
    assert frechet_distance(single, wide) == pytest.approx(4 + 2)


def test_features_of_different_length_or_without_a_value_are_refused() -> None:
    with pytest.raises(ValueError, match="1 and of 2 numbers"):
        frechet_distance(moments([0], [[1]]), moments([0, 0], np.eye(2)))
    with pytest.raises(ValueError, match="not numbers"):
        frechet_distance(moments([np.nan], [[1]]), moments([0], [[1]]))


def test_batches_give_the_moments_of_the_whole_even_far_from_nought() -> None:
    rows = np.random.default_rng(4).normal(1e6, 1, (103, 5))
    running = RunningMoments()
    for start in range(0, 103, 10):
        running.add(rows[start : start + 10])
    whole = running.moments()
    assert whole.count == 103
    np.testing.assert_allclose(whole.mean, rows.mean(0), rtol=1e-14)
    np.testing.assert_allclose(whole.covariance, np.cov(rows, rowvar=False), rtol=1e-8)


@pytest.mark.parametrize("bad", [np.array([[np.nan]]), np.zeros((1, 2)), np.zeros(3)])
def test_a_batch_that_does_not_fit_or_has_no_value_is_refused(bad: np.ndarray) -> None:
    running = RunningMoments()
    running.add(np.zeros((2, 1)))
    with pytest.raises(ValueError, match=r"not numbers|do not fit"):
        running.add(bad)
    assert running.count == 2


def test_no_vectors_have_no_moments() -> None:
    with pytest.raises(ValueError, match="no features"):
        RunningMoments().moments()


def test_the_kernel_distance_is_the_mean_over_all_pairs() -> None:
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(4, 3)), rng.normal(1, 1, size=(5, 3))

    def k(a: np.ndarray, b: np.ndarray) -> float:
        return float((a @ b / 3 + 1) ** 3)

    def estimate(x: np.ndarray, y: np.ndarray) -> float:
        n, m = len(x), len(y)
        xx = sum(k(x[i], x[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
        yy = sum(k(y[i], y[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
        return xx + yy - 2 * sum(k(a, b) for a in x for b in y) / (n * m)

    result = kernel_distance(x, y)
    assert result.value == pytest.approx(estimate(x, y))
    left_out = (
        [estimate(np.delete(x, i, 0), y) for i in range(4)],
        [estimate(x, np.delete(y, i, 0)) for i in range(5)],
    )
    jackknife = sum((len(some) - 1) * np.var(some) for some in left_out)
    assert result.error == pytest.approx(np.sqrt(jackknife))


def test_the_kernel_distances_error_tells_how_far_it_strays() -> None:
    rng = np.random.default_rng(6)
    drawn = [kernel_distance(rng.normal(size=(60, 8)), rng.normal(size=(60, 8))) for _ in range(60)]
    strays = float(np.std([distance.value for distance in drawn]))
    assert abs(float(np.mean([distance.value for distance in drawn]))) < 3 * strays / np.sqrt(60)
    assert 0.5 < float(np.mean([distance.error for distance in drawn])) / strays < 2


def test_two_vectors_are_too_few_for_a_kernel_distance() -> None:
    with pytest.raises(ValueError, match="three vectors"):
        kernel_distance(np.zeros((2, 4)), np.zeros((9, 4)))
