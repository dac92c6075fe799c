"""Colours from character sheets, with small matchers that were taught nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
import torch

from sketchcolor_cli.coloring.colorizer import Colorizer
from sketchcolor_cli.coloring.guides import matching
from sketchcolor_cli.coloring.guides.consensus import support
from sketchcolor_cli.coloring.guides.matching import MatchRules, RegionColors, SheetMatcher
from sketchcolor_cli.imaging.picture import Picture
from sketchcolor_cli.networks.base import ColorNet, Prediction
from sketchcolor_cli.networks.config import MatcherConfig
from sketchcolor_cli.networks.matcher import Matcher
from sketchcolor_cli.networks.sheets import cell_colors, sheet_lines
from sketchcolor_cli.networks.torch_match import TorchMatch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rgb = NDArray[np.float32]

RED, BLUE, GREEN, WHITE = (0.8, 0.1, 0.1), (0.1, 0.2, 0.8), (0.1, 0.6, 0.2), (1.0, 1.0, 1.0)
SMALL = MatcherConfig(widths=(8, 12, 16), down_depths=(0, 0, 0), up_depths=(0,), attentions=0, features=12)


def matcher(*, blind: bool = True) -> Matcher:
    """A small matcher that tells places by their lines alone, and sharply; ``blind`` to colours."""
    torch.manual_seed(0)
    net = Matcher(SMALL).eval().requires_grad_(False)
    if blind:
        net.stem.weight[:, SMALL.stride**2 :] = 0
    net.sharpness.fill_(7.0)
    return net


def sheet_matcher(network: Matcher, sheets: list[Rgb]) -> SheetMatcher:
    return SheetMatcher(TorchMatch(network, "cpu"), sheets)


def drawing(*, mirrored: bool = False) -> tuple[Rgb, Rgb]:
    """Three closed shapes, each with marks of its own inside: a picture (128, 128, 3) and its lines."""
    rgb = np.ones((128, 128, 3), np.float32)
    for color, shape in ((RED, "circle"), (BLUE, "square"), (GREEN, "triangle")):
        if shape == "circle":
            cv2.circle(rgb, (34, 34), 26, color, -1)
            cv2.circle(rgb, (34, 34), 26, (0, 0, 0), 2)
            for radius in (6, 12, 18):
                cv2.circle(rgb, (34, 34), radius, (0, 0, 0), 1)
        elif shape == "square":
            cv2.rectangle(rgb, (70, 8), (120, 58), color, -1)
            cv2.rectangle(rgb, (70, 8), (120, 58), (0, 0, 0), 2)
            for x in range(78, 120, 7):
                cv2.line(rgb, (x, 14), (x, 40), (0, 0, 0), 1)
        else:
            corners = np.array([[20, 120], [64, 70], [110, 120]], np.int32)
            cv2.fillPoly(rgb, [corners], color)
            cv2.polylines(rgb, [corners], True, (0, 0, 0), 2)
            cv2.line(rgb, (50, 108), (84, 108), (0, 0, 0), 1)
    if mirrored:
        rgb = np.ascontiguousarray(rgb[:, ::-1])
    return rgb, (rgb.max(2) > 0.05).astype(np.float32)


def layer(rgb: Rgb, mask: float | NDArray[np.float32] = 1.0) -> Rgb:
    alpha = np.broadcast_to(np.float32(mask), rgb.shape[:2])[..., None]
    return np.concatenate([rgb * alpha, alpha], 2)


def found(regions: RegionColors, y: int, x: int) -> tuple[float, ...]:
    """The colour that a place of the page gets, RGB."""
    hint = regions.hint((128, 128), np.zeros((128, 128, 4), np.float32))
    assert hint[y, x, 3] == 1, "it is a line"
    return tuple(hint[y, x, :3].round(1).tolist())


def test_a_page_that_is_on_the_sheet_gets_its_colours() -> None:
    rgb, page = drawing()
    regions = sheet_matcher(matcher(), [layer(rgb)])(page)
    assert found(regions, 12, 40) == pytest.approx(RED, abs=0.11)
    assert found(regions, 50, 90) == pytest.approx(BLUE, abs=0.11)
    assert found(regions, 114, 64) == pytest.approx(GREEN, abs=0.11)
    assert found(regions, 4, 64) == pytest.approx(WHITE, abs=0.11)


def test_colours_follow_the_shapes_and_not_the_place() -> None:
    regions = sheet_matcher(matcher(), [layer(drawing(mirrored=True)[0])])(drawing()[1])
    assert found(regions, 50, 90) == pytest.approx(BLUE, abs=0.11)


def test_a_colour_that_matches_agree_on_is_one_of_the_sheets() -> None:
    rgb = np.concatenate([np.full((64, 40, 3), RED, np.float32), np.full((64, 24, 3), BLUE, np.float32)], 1)
    regions = sheet_matcher(matcher(), [layer(rgb)])(drawing()[1])
    shown = cv2.cvtColor(regions.colors[None], cv2.COLOR_LAB2RGB)[0]
    far = np.abs(shown[:, None] - np.array([RED, BLUE], np.float32)).max(2).min(1)
    sure = regions.agreed > 0.5
    assert sure.mean() > 0.5
    assert far[sure].max() < 0.1


def test_where_matches_differ_the_colour_is_their_mean() -> None:
    """Four colours, a quarter each, and a matcher to which all places look the same."""
    blank = matcher()
    for head in (blank.query, blank.key):
        head.weight.zero_()
        head.bias.fill_(1)  # type: ignore[union-attr]
    squares = np.repeat(np.repeat(np.array([[RED, BLUE], [GREEN, WHITE]], np.float32), 64, 0), 64, 1)
    regions = sheet_matcher(blank, [layer(squares)])(np.ones((64, 64), np.float32))
    lab = cv2.cvtColor(squares[::64, ::64], cv2.COLOR_RGB2LAB).reshape(-1, 3)
    assert regions.agreed[0] < 0.5
    assert np.linalg.norm(regions.colors[0] - lab, axis=1).min() > 15


def test_transparent_parts_of_a_sheet_say_nothing() -> None:
    rgb, page = drawing()
    mask = np.ones((128, 128), np.float32)
    mask[64:] = 0  # the green triangle
    regions = sheet_matcher(matcher(), [layer(rgb, mask)])(page)
    shown = cv2.cvtColor(regions.colors[None], cv2.COLOR_LAB2RGB)[0]
    assert not (shown[:, 1] > shown[:, [0, 2]].max(1) + 0.1).any()


def test_several_sheets_count_together_whatever_their_order() -> None:
    rgb, page = drawing()
    upper = np.zeros((128, 128), np.float32)
    upper[:64] = 1
    above, below = layer(rgb, upper), layer(rgb, 1 - upper)
    first = sheet_matcher(matcher(), [above, below])(page)
    second = sheet_matcher(matcher(), [below, above])(page)
    np.testing.assert_allclose(first.colors, second.colors, atol=0.05)
    assert found(first, 12, 40) == pytest.approx(RED, abs=0.11)
    assert found(first, 114, 64) == pytest.approx(GREEN, abs=0.11)


def test_what_the_user_gives_counts_for_its_whole_region() -> None:
    rgb, page = drawing()
    regions = sheet_matcher(matcher(), [layer(rgb)])(page)
    given = np.zeros((128, 128, 4), np.float32)
    given[50:53, 90:93] = (1, 1, 0, 1)
    hint = regions.hint((128, 128), given)
    assert np.array_equal(hint[50:53, 90:93], given[50:53, 90:93])
    square = hint[8:58, 70:120]
    assert np.count_nonzero(square[..., 3]) == 9
    assert hint[12, 40, 3] == 1


def test_the_last_page_is_not_matched_again() -> None:
    rgb, page = drawing()
    match = sheet_matcher(matcher(), [layer(rgb)])
    first = match(page)
    assert match(page) is first
    other = match(page.copy())
    assert other is not first
    np.testing.assert_array_equal(other.colors, first.colors)


def test_lines_get_no_colour() -> None:
    rgb, page = drawing()
    hint = sheet_matcher(matcher(), [layer(rgb)])(page).hint((128, 128), np.zeros((128, 128, 4), np.float32))
    assert not hint[page < 0.5].any()


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (70, 33), (2000, 60), (700, 900)])
@pytest.mark.parametrize("shown", [(1, 1), (40, 400), (65, 33)])
def test_pages_and_sheets_of_any_size(
    size: tuple[int, int], shown: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With copies of a quarter of the usual side, which take a sixteenth of the time."""
    monkeypatch.setattr(matching, "_RULES", MatchRules(page_side=64, sheet_side=64, region_side=128))
    rng = np.random.default_rng(0)
    page = (rng.random(size) > 0.1).astype(np.float32)
    sheet = layer(rng.random((*shown, 3)).astype(np.float32))
    hint = sheet_matcher(matcher(blind=False), [sheet])(page).hint(size, np.zeros((*size, 4), np.float32))
    assert hint.shape == (*size, 4)
    assert np.isfinite(hint).all()


def test_the_page_of_a_long_strip_is_matched_as_if_it_were_alone() -> None:
    rgb, page = drawing()
    strip = np.concatenate([np.ones((512, 128), np.float32), page])
    regions = sheet_matcher(matcher(), [layer(rgb)])(strip)
    hint = regions.hint((640, 128), np.zeros((640, 128, 4), np.float32))
    assert hint[512 + 50, 90, :3] == pytest.approx(BLUE, abs=0.2)


def test_lines_of_a_sheet_are_where_it_is_darker_than_around() -> None:
    rgb, page = drawing()
    lines = sheet_lines(rgb)
    assert lines[page < 0.5].mean() < 0.1
    assert lines[4:8, 60:66].min() > 0.9


def test_colours_of_cells_leave_lines_out() -> None:
    lab = np.full((16, 16, 3), (60, 20, -10), np.float32)
    line = np.ones((16, 16), np.float32)
    lab[:, 3:5], line[:, 3:5] = 0, 0
    mean, spread = cell_colors(lab, line, 8)
    np.testing.assert_allclose(mean[:, 0], np.full((2, 3), (60, 20, -10)), atol=2)
    assert spread[0, 1] < 1e-2 < spread[0, 0]


class Witness(ColorNet):
    """Paints grey and remembers the hint."""

    multiple, stride, sheet_size = 16, 4, 32

    def forward(self, sketch: torch.Tensor, hint: torch.Tensor, **_: Any) -> Prediction:  # type: ignore[override]
        self.hint = hint
        return Prediction(torch.full((1, 3, sketch.shape[2] // 4, sketch.shape[3] // 4), 50.0))

    def rgb(self, prediction: Prediction) -> torch.Tensor:
        return prediction.color / 100


def test_a_colorizer_with_a_matcher_gives_the_network_the_sheets_colours() -> None:
    rgb, page = drawing()
    net = Witness()
    picture = Picture(np.repeat(page[..., None], 3, 2), gray=True)
    Colorizer(net, "cpu", sheets=[Picture(rgb)], matcher=matcher())(picture)
    assert net.hint[0, :3, 50, 90].numpy() == pytest.approx(BLUE, abs=0.11)
    stroke = np.zeros((128, 128), np.float32)
    stroke[48:52, 88:92] = 1
    yellow = Picture(np.full((128, 128, 3), (1, 1, 0), np.float32), alpha=stroke)
    Colorizer(net, "cpu", sheets=[Picture(rgb)], matcher=matcher())(picture, hints=yellow)
    assert net.hint[0, :, 50, 90].tolist() == [1, 1, 0, 1]
    assert not net.hint[0, :, 44, 74].any()


def test_without_sheets_a_matcher_does_nothing() -> None:
    net = Witness()
    Colorizer(net, "cpu", matcher=matcher())(Picture(np.repeat(drawing()[1][..., None], 3, 2), gray=True))
    assert not net.hint.any()


def test_a_sheet_that_is_transparent_all_over_says_nothing() -> None:
    net = Witness()
    page = Picture(np.repeat(drawing()[1][..., None], 3, 2), gray=True)
    clear = Picture(np.ones((64, 64, 3), np.float32), alpha=np.zeros((64, 64), np.float32))
    Colorizer(net, "cpu", sheets=[clear], matcher=matcher())(page)
    assert not net.hint.any()


def test_a_match_counts_as_far_as_those_beside_it_agree() -> None:
    """Of two equally good matches of the corner of 4 × 4 places that counts which the others go with."""
    alone = np.eye(16, dtype=np.float32)
    alone[0] = 0
    alone[0, [0, 15]] = 0.5
    weight = support(alone, (4, 4), (4, 4))
    assert weight[0, 0] > 2 * weight[0, 15]
    mirrored, turned = (weights.reshape(16, 4, 4)[..., ::-1].reshape(16, 16) for weights in (alone, weight))
    assert np.array_equal(support(mirrored, (4, 4), (4, 4)), turned)
    assert support(np.zeros((6, 8), np.float32), (2, 3), (4, 2)).min() > 0
