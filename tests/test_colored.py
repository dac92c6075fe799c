"""Which pages are in colour."""

from __future__ import annotations

from functools import cache, partial

import cv2
import numpy as np
import pytest

from sketchcolor_cli.coloring.page.colored import OwnColors, is_colored, own_colors
from sketchcolor_cli.imaging.picture import Picture

PAPER, INK = np.array((0.95, 0.87, 0.68)), np.array((0.15, 0.1, 0.2))


def tones() -> np.ndarray:
    """Lines, washes and white, (300, 200, 1) in [0, 1]."""
    gray = np.ones((300, 200, 1))
    gray[40:60] = 0
    gray[100:160, :90] = np.linspace(0, 1, 90)[None, :, None]
    return gray


def picture(rgb: np.ndarray) -> Picture:
    noise = np.random.default_rng(0).normal(0, 0.02, rgb.shape)
    return Picture(rgb=(rgb + noise).clip(0, 1).astype(np.float32))


def test_grey_is_not_colour() -> None:
    assert not is_colored(Picture(rgb=np.repeat(tones(), 3, 2).astype(np.float32), gray=True))
    assert not is_colored(picture(np.repeat(tones(), 3, 2)))


@pytest.mark.parametrize(("paper", "ink"), [(PAPER, INK), (PAPER, 0 * INK), ((1, 1, 1), (0.1, 0.1, 0.6))])
def test_tinted_paper_and_coloured_ink_are_not_colour(paper: np.ndarray, ink: np.ndarray) -> None:
    gray = tones()
    assert not is_colored(picture(gray * np.array(paper) + (1 - gray) * np.array(ink)))


def test_a_small_stamp_does_not_make_a_page_coloured() -> None:
    rgb = np.repeat(tones(), 3, 2)
    rgb[200:215, 100:115] = (0.9, 0.1, 0.1)
    assert not is_colored(picture(rgb))


def test_a_coloured_page_is() -> None:
    rgb = np.repeat(tones(), 3, 2)
    rgb[180:290, :60] = (0.95, 0.75, 0.6)
    rgb[180:290, 60:120] = (0.3, 0.5, 0.9)
    rgb[180:290, 120:] = (0.4, 0.75, 0.3)
    assert is_colored(picture(rgb))
    assert is_colored(picture(rgb * PAPER))


def test_colour_under_transparent_parts_does_not_count() -> None:
    rgb = np.zeros((60, 60, 3), np.float32)
    rgb[:20] = (1, 0, 0)
    rgb[20:40] = (0, 0.5, 0)
    rgb[40:] = (1, 1, 1)
    assert is_colored(Picture(rgb=rgb))
    assert not is_colored(Picture(rgb=rgb, alpha=np.zeros((60, 60), np.float32)))


def drawing() -> np.ndarray:
    """A figure in a frame, (800, 600, 3)."""
    gray = np.full((800, 600), 255, np.uint8)
    cv2.rectangle(gray, (30, 30), (570, 770), 0, 6)
    cv2.ellipse(gray, (300, 230), (100, 110), 0, 0, 360, 0, 6)
    cv2.polylines(gray, [np.array([(240, 330), (180, 560), (420, 560), (360, 330)])], False, 0, 6)
    for x in (215, 385):
        cv2.line(gray, (x, 560), (x, 740), 0, 6)
    cv2.line(gray, (30, 640), (570, 640), 0, 6)
    return np.repeat(gray[..., None] / 255, 3, 2)


def inked(*inks: tuple[float, float, float]) -> np.ndarray:
    """The drawing, each part of its height in another ink."""
    lines = 1 - drawing()
    parts = np.array_split(np.arange(800), len(inks))
    colors = np.concatenate([np.tile(ink, (len(rows), 1)) for rows, ink in zip(parts, inks, strict=True)])
    return 1 - lines * (1 - colors[:, None])


RED, BLUE, GREEN, SKY = (0.86, 0.1, 0.1), (0.1, 0.15, 0.86), (0.1, 0.63, 0.25), (0.59, 0.75, 0.94)


def banner() -> np.ndarray:
    rgb = drawing()
    rgb[760:] = RED
    return rgb


def ruled() -> np.ndarray:
    rgb = drawing()
    for y in range(0, 800, 28):
        rgb[y : y + 2] = np.minimum(rgb[y : y + 2], SKY)
    return rgb


def two_lamps() -> np.ndarray:
    across = np.linspace(0, 1, 600)[None, :, None]
    cast = (1 - across) * (1, 0.88, 0.7) + across * (0.75, 0.84, 0.98)
    light = np.linspace(0.95, 0.75, 800)[:, None, None] * (1 - 0.35 * across)
    return (1 - 0.45 * (1 - drawing())) * light * cast


def panels() -> np.ndarray:
    """Four panels with figures, black on white, (800, 600) in [0, 1]; 0.5 is what lies between them."""
    gray = np.full((800, 600), 128, np.uint8)
    for top in (30, 420):
        for left in (30, 315):
            cv2.rectangle(gray, (left, top), (left + 255, top + 350), 255, -1)
            cv2.rectangle(gray, (left, top), (left + 255, top + 350), 0, 4)
            cv2.circle(gray, (left + 120, top + 120), 60, 0, 4)
            cv2.line(gray, (left + 120, top + 180), (left + 90, top + 340), 0, 4)
    return gray / 255


def between(color: tuple[float, float, float]) -> np.ndarray:
    """Panels with gutters and margins of a colour."""
    gray = panels()
    return np.where((gray == 128 / 255)[..., None], np.array(color), gray[..., None])


def sketched(pencil: tuple[float, float, float]) -> np.ndarray:
    """The drawing over strokes of a coloured pencil all over the page."""
    rng = np.random.default_rng(0)
    under = np.full((800, 600), 255, np.uint8)
    for _ in range(60):
        ends = [tuple(int(part) for part in rng.integers(0, (600, 800))) for _ in range(2)]
        cv2.line(under, *ends, int(rng.integers(0, 110)), int(rng.integers(2, 5)), cv2.LINE_AA)
        cv2.ellipse(under, ends[0], (60, 45), 20, 0, 360, 60, 3, cv2.LINE_AA)
    return drawing() * (1 - (1 - under[..., None] / 255) * (1 - np.array(pencil)))


CREAM, NIGHT = (0.95, 0.85, 0.6), (0.1, 0.1, 0.3)


BESIDE = {
    "red between": partial(between, RED),
    "cream between": partial(between, CREAM),
    "night between": partial(between, NIGHT),
    "blue sketch": partial(sketched, SKY),
    "red sketch": partial(sketched, (0.95, 0.5, 0.45)),
    "banner": banner,
    "ruled": ruled,
    "trace": partial(inked, (0, 0, 0), RED, BLUE, GREEN),
    "pencil": partial(inked, (0.35, 0.55, 0.9)),
    "lamps": two_lamps,
}
"""Pages with colour beside the drawing."""


@cache
def own_of(kind: str) -> OwnColors | None:
    return own_colors(picture(BESIDE[kind]()))


@pytest.mark.parametrize("kind", BESIDE)
def test_colour_beside_a_drawing_does_not_make_it_coloured(kind: str) -> None:
    assert not is_colored(picture(BESIDE[kind]()))
    assert (own_of(kind) is not None) == (kind not in ("pencil", "lamps"))


def test_a_drawing_that_is_coloured_in_is_coloured() -> None:
    rgb = drawing()
    for middle, color in (
        ((300, 230), (0.95, 0.75, 0.6)),
        ((300, 450), (0.2, 0.4, 0.8)),
        ((100, 700), GREEN),
    ):
        filled = (rgb * 255).astype(np.uint8)
        cv2.floodFill(filled, None, middle, [round(255 * part) for part in color])
        rgb = filled / 255
    assert is_colored(picture(rgb))


@pytest.mark.parametrize("color", [RED, CREAM])
def test_coloured_gutters_stay(color: tuple[float, float, float]) -> None:
    rgb = between(color)
    own = own_colors(Picture(rgb=rgb.astype(np.float32)))
    assert own is not None
    painted = own.over(np.full(rgb.shape, 0.5, np.float32))
    gutters, paper = panels() == 128 / 255, panels() == 1
    assert np.abs(painted - rgb)[gutters].mean() < 0.01
    assert (painted[paper] == 0.5).mean() > 0.97


def test_panels_in_colour_are_coloured_whatever_is_between_them() -> None:
    rgb = between(RED)
    for (left, top), color in (((40, 40), GREEN), ((40, 430), BLUE), ((325, 40), (0.95, 0.75, 0.6))):
        part = rgb[top : top + 330, left : left + 235]
        part[part.min(2) == 1] = color
    assert is_colored(picture(rgb))


@pytest.mark.parametrize(
    ("light", "colored"),
    [
        ((0.35, 0.47, 0.78), True),
        ((0.45, 0.3, 0.7), True),
        ((0.7, 0.15, 0.2), True),
        ((0.75, 0.6, 0.4), False),  # a lamp
        ((0.8, 0.85, 0.98), False),  # paper
        ((0.95, 0.78, 0.78), False),
    ],
)
def test_a_scene_all_in_one_strong_colour_is_coloured(
    light: tuple[float, float, float], colored: bool
) -> None:
    shade = np.linspace(0.7, 1, 800)[:, None, None] if colored else 1
    assert is_colored(picture(drawing() * shade * np.array(light))) == colored


def test_a_stamp_stays_and_is_a_hint_and_coloured_lines_only_stay() -> None:
    rgb = drawing()
    rgb[100:180, 470:550] = RED
    rgb[400:403, 40:170] = BLUE
    page = picture(rgb)
    own = own_colors(page)
    assert own is not None
    painted = own.over(np.full(rgb.shape, 0.5, np.float32))
    np.testing.assert_allclose(painted[110:170, 480:540], page.rgb[110:170, 480:540], atol=1e-6)
    assert np.abs(painted[401, 50:160] - page.rgb[401, 50:160]).mean() < 0.02
    assert (painted[600:750, 230:370] == 0.5).all()
    hint = own.as_hint()
    assert hint is not None
    assert hint.alpha is not None
    assert hint.alpha[110:170, 480:540].all()
    assert hint.alpha.sum() < 85 * 85


def test_a_page_of_one_ink_has_no_colours_of_its_own() -> None:
    sepia, blue = (0.35, 0.2, 0.05), (0.35, 0.55, 0.9)
    for ink in (sepia, blue):
        assert own_colors(picture(inked(ink) * PAPER)) is None
    assert own_colors(Picture(rgb=inked(sepia).astype(np.float32))) is None
    assert own_colors(Picture(rgb=drawing().astype(np.float32), gray=True)) is None


@pytest.mark.parametrize("pencil", [SKY, (0.35, 0.55, 0.9), (0.95, 0.5, 0.45)])
def test_a_sketch_under_the_ink_stays_and_is_neither_outline_nor_hint(
    pencil: tuple[float, float, float],
) -> None:
    page = Picture(rgb=sketched(pencil).astype(np.float32))
    own = own_colors(page)
    assert own is not None
    assert own.as_hint() is None
    gray = page.rgb @ np.array((0.2126, 0.7152, 0.0722), np.float32)
    seen = own.outlines(gray.copy())
    ink = drawing()[..., 0] == 0
    beside = ~cv2.dilate(ink.view(np.uint8), np.ones((9, 9), np.uint8)).astype(bool)
    assert (seen[beside] < 0.9).sum() < 0.15 * (gray[beside] < 0.9).sum()
    assert (seen[ink] < 0.3).all()
    strokes = beside & (gray < 0.75)
    painted = own.over(np.full(page.rgb.shape, 0.5, np.float32))
    assert np.abs(painted - page.rgb)[strokes].mean() < 0.1


def test_faint_rules_are_found_and_noise_and_tinted_edges_are_not() -> None:
    rgb = drawing()
    rgb[range(20, 800, 30)] = np.minimum(rgb[range(20, 800, 30)], (0.7, 0.85, 0.95))
    own = own_colors(picture(rgb))
    assert own is not None
    rows = own.share.reshape(-1, own.share.shape[1])[range(20, 800, 30)]
    assert (rows > 0.5).mean() > 0.7
    assert own_colors(picture(drawing() * PAPER)) is None


def test_pale_rules_are_no_outlines_and_dark_lines_are() -> None:
    for kind, cleared in (("ruled", True), ("trace", False)):
        rgb, own = BESIDE[kind](), own_of(kind)
        assert own is not None
        gray = rgb.astype(np.float32) @ np.array((0.2126, 0.7152, 0.0722), np.float32)
        seen = own.outlines(gray.copy())
        paper = drawing()[..., 0] == 1
        before, after = ((plane[paper] < 0.99).mean() for plane in (gray, seen))
        assert (after < 0.1 * before) == (cleared and before > 0)
        assert (seen[~paper] < 0.5).all()


def test_a_long_strip_is_as_coloured_as_its_pages_and_keeps_its_stamp() -> None:
    page = np.ones((200, 150, 3), np.float32)
    cv2.circle(page, (70, 80), 50, (0.95, 0.75, 0.6), cv2.FILLED)
    cv2.rectangle(page, (30, 140), (110, 190), (0.2, 0.4, 0.8), cv2.FILLED)
    assert is_colored(Picture(rgb=np.tile(page, (12, 1, 1))))
    plain = np.ones((2400, 150, 3), np.float32)
    plain[::50] = 0
    plain[1000:1020, 20:40] = (0.9, 0.1, 0.1)
    own = own_colors(Picture(rgb=plain))
    assert own is not None
    kept = own.rgba()[..., 3]
    assert kept[1003:1017, 23:37].min() == 1
    assert not kept[1030:].any()
    assert not kept[:990].any()
