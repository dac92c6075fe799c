"""Gutters, margins and speech bubbles on pages drawn here."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from sketchcolor_cli.coloring.page import balloons, lettering
from sketchcolor_cli.coloring.page.paper_mask import find_paper
from sketchcolor_cli.coloring.settings import Protect

Box = tuple[int, int, int, int]  # left, top, right, bottom
PANELS: tuple[Box, ...] = ((40, 40, 660, 340), (40, 370, 330, 960), (360, 370, 660, 960))


def page(panels: tuple[Box, ...] = PANELS) -> np.ndarray:
    """Panels with a border and some lines in them."""
    gray = np.full((1000, 700), 255, np.uint8)
    for left, top, right, bottom in panels:
        cv2.rectangle(gray, (left, top), (right, bottom), 0, 3)
        cv2.line(gray, (left, bottom - 60), (right, bottom - 100), 0, 2)
    return gray


def bubble(gray: np.ndarray, middle: tuple[int, int], text: tuple[str, ...], *, tail: bool = True) -> None:
    x, y = middle
    if tail:
        cv2.fillPoly(gray, [np.array([(x, y), (x + 25, y), (x + 60, y + 85)])], 255)
        cv2.polylines(gray, [np.array([(x, y), (x + 25, y), (x + 60, y + 85)])], True, 0, 2)
    cv2.ellipse(gray, middle, (100, 50), 0, 0, 360, 255, -1)
    cv2.ellipse(gray, middle, (100, 50), 0, 0, 360, 0, 2)
    for number, line in enumerate(text):
        cv2.putText(gray, line, (x - 60, y + 18 * number), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 0, 2, cv2.LINE_AA)


def found(gray: np.ndarray, what: Protect = Protect.ALL) -> tuple[np.ndarray, np.ndarray]:
    masks = find_paper(gray.astype(np.float32) / 255, what)
    assert masks is not None
    return masks.gutters, masks.bubbles


def test_gutters_and_margins_are_found_and_nothing_else() -> None:
    gutters, bubbles = found(page())
    expected = np.ones((1000, 700), bool)
    for left, top, right, bottom in PANELS:
        expected[top - 2 : bottom + 3, left - 2 : right + 3] = False
    assert gutters[expected].all()
    for left, top, right, bottom in PANELS:
        assert not gutters[top + 4 : bottom - 3, left + 4 : right - 3].any()
    assert not bubbles.any()


def test_panels_may_run_off_the_page() -> None:
    gutters, _ = found(page(((-10, -10, 660, 340), (-10, 370, 330, 1010), (360, 370, 660, 1010))))
    assert gutters[350:360, 5:690].all()
    assert gutters[400:990, 340:350].all()
    assert gutters[:, 670:].all()
    assert not gutters[10:330, 10:650].any()


@pytest.mark.parametrize("lying", [False, True])
def test_small_print_may_stand_in_a_margin(lying: bool) -> None:
    gray = page(((140, 40, 660, 340), (140, 370, 660, 960)))
    for number, letter in enumerate("a note on this row"):
        letters(gray, letter, (120, 450 + 11 * number), 0.4)
    gutters, _ = found(gray.T.copy() if lying else gray)
    gutters = gutters.T if lying else gutters
    assert gutters[:, :110].all()
    assert not gutters[50:330, 150:650].any()
    assert not gutters[380:950, 150:650].any()


def test_a_panel_of_small_pieces_that_runs_off_the_page_is_no_margin() -> None:
    gray = page(((140, 40, 660, 340), (140, 370, 660, 960)))
    for y in range(8, 1000, 16):
        for x in range(y % 5, 130, 16):
            cv2.line(gray, (x, y), (x + 9, y + 8), 0, 5)
    gutters, _ = found(gray)
    assert not gutters[400:900, :130].any()


def test_a_slanting_gutter_is_found() -> None:
    gray = page(((40, 40, 660, 960),))
    gray[45:955, 45:655] = 150
    cv2.line(gray, (20, 700), (680, 300), 255, 14)
    cv2.line(gray, (36, 690), (36, 690), 255, 20)
    gutters, _ = found(gray)
    assert gutters[500, 350]
    assert not gutters[300, 200]


def test_a_drawing_without_panels_has_no_gutters() -> None:
    gray = np.full((700, 900), 255, np.uint8)
    cv2.ellipse(gray, (450, 350), (300, 200), 0, 0, 360, 0, 3)
    cv2.circle(gray, (300, 300), 20, 0, 3)
    masks = found(gray)
    assert not masks[0].any()
    assert not masks[1].any()


def test_a_figure_that_reaches_into_a_gutter_is_not_paper() -> None:
    gray = page()
    cv2.circle(gray, (150, 355), 30, 255, -1)
    cv2.circle(gray, (150, 355), 30, 0, 3)
    gutters, _ = found(gray)
    assert not gutters[350:360, 135:165].any()
    assert gutters[350:360, 300:600].all()


@pytest.mark.parametrize("text", [("Did you see", "that light?"), ("Oh no!",)])
@pytest.mark.parametrize("tail", [True, False])
def test_bubbles_with_text_are_found_up_to_their_outline(text: tuple[str, ...], tail: bool) -> None:
    gray = page()
    bubble(gray, (200, 150), text, tail=tail)
    _, bubbles = found(gray)
    assert bubbles[150, 104:296].all()
    assert bubbles[102:198, 200].all()
    assert not bubbles[150, 306:].any()
    assert not bubbles[:90].any()


def test_a_face_and_an_empty_shape_are_no_bubbles() -> None:
    gray = page()
    cv2.ellipse(gray, (200, 180), (70, 90), 0, 0, 360, 0, 2)
    for x in (172, 228):
        cv2.circle(gray, (x, 170), 9, 0, -1)
        cv2.line(gray, (x - 12, 150), (x + 12, 148), 0, 3)
    cv2.ellipse(gray, (200, 215), (25, 10), 0, 0, 180, 0, 2)
    cv2.ellipse(gray, (500, 180), (70, 90), 0, 0, 360, 0, 2)
    assert not found(gray)[1].any()


def test_screentone_is_no_text() -> None:
    gray = page()
    cv2.ellipse(gray, (200, 180), (110, 90), 0, 0, 360, 0, 2)
    y, x = np.mgrid[:1000, :700]
    inside = ((x - 200) / 107) ** 2 + ((y - 180) / 87) ** 2 < 1
    gray[inside & ((x % 8 - 4) ** 2 + (y % 8 - 4) ** 2 < 5)] = 0
    assert not found(gray)[1].any()


def test_what_was_not_asked_for_is_not_protected() -> None:
    gray = page()
    bubble(gray, (200, 150), ("Did you see", "that light?"))
    gutters, bubbles = found(gray, Protect.GUTTERS)
    assert gutters.any()
    assert not bubbles.any()
    gutters, bubbles = found(gray, Protect.BUBBLES)
    assert not gutters.any()
    assert bubbles.any()
    assert find_paper(gray.astype(np.float32) / 255, Protect.NONE) is None


def test_large_pages_are_looked_at_in_small() -> None:
    gray = page()
    bubble(gray, (200, 150), ("Did you see", "that light?"))
    large = cv2.resize(gray, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    gutters, bubbles = found(large)
    assert gutters.shape == (1400, 980)
    scale = 1.4
    assert bubbles[int(150 * scale), int(110 * scale) : int(290 * scale)].all()
    assert gutters[: int(36 * scale)].all()


@pytest.mark.parametrize("size", [(1, 1), (40, 3000), (64, 64)])
@pytest.mark.parametrize("tone", [0, 128, 255])
def test_empty_pages_of_any_size(size: tuple[int, int], tone: int) -> None:
    masks = find_paper(np.full(size, tone / 255, np.float32), Protect.ALL)
    assert masks is None or not masks.bubbles.any()


def test_the_preview_shows_both() -> None:
    gray = page()
    bubble(gray, (200, 150), ("Did you see", "that light?"))
    masks = find_paper(gray.astype(np.float32) / 255, Protect.ALL)
    assert masks is not None
    shown = masks.shown_on(gray.astype(np.float32) / 255)
    assert shown[20, 20].argmax() == 1
    assert shown[150, 106].argmax() == 0
    assert shown[900, 200].std() == 0


@pytest.mark.parametrize("lying", [False, True])
def test_a_long_strip_is_looked_at_as_pages_in_a_row(lying: bool) -> None:
    single = page()
    bubble(single, (350, 180), ("What was that", "over there?"))
    gutters, bubbles = found(single)
    strip = np.concatenate([single] * 7)
    long_gutters, long_bubbles = found(strip.T.copy() if lying else strip)
    if lying:
        long_gutters, long_bubbles = long_gutters.T, long_bubbles.T
    assert long_gutters.shape == strip.shape
    for number in range(7):
        rows = slice(1000 * number, 1000 * number + 1000)
        assert (long_bubbles[rows] != bubbles).mean() < 0.001
        assert (long_gutters[rows] & ~gutters).mean() < 0.001


def test_white_where_a_piece_of_a_strip_ends_is_no_margin() -> None:
    strip = np.full((6000, 700), 255, np.uint8)
    cv2.rectangle(strip, (0, 0), (699, 5999), 0, 3)
    for top in range(100, 6000, 300):  # white between drawings that reach from side to side, as of a sky
        cv2.line(strip, (0, top), (699, top + 120), 0, 3)
    gutters, _ = found(strip)
    assert not gutters[:, 5:-5].any()


def test_bubbles_that_are_joined_are_found_both() -> None:
    gray = page()
    for middle in ((250, 130), (330, 250)):
        bubble(gray, middle, ("What was that", "over there, in", "the old tower?"), tail=False)
    inside = np.zeros(gray.shape, np.uint8)
    for middle in ((250, 130), (330, 250)):
        cv2.ellipse(inside, middle, (95, 45), 0, 0, 360, 1, -1)
    gray[185:195, 265:315] = 255  # the outline between them is gone
    _, bubbles = found(gray)
    assert bubbles[inside.astype(bool)].mean() > 0.95
    assert not bubbles[300:330, 50:200].any()


def test_a_bubble_with_a_gap_in_its_outline_is_found_and_what_it_opens_to_is_not() -> None:
    gray = page()
    bubble(gray, (250, 150), ("What was that", "over there, in", "the old tower?"), tail=False)
    cv2.rectangle(gray, (354, 60), (560, 300), 0, 2)  # a white coat
    gray[140:165, 340:360] = 255
    _, bubbles = found(gray)
    assert bubbles[120:180, 180:320].mean() > 0.95
    assert not bubbles[:, 385:].any()


def letters(gray: np.ndarray, text: str, corner: tuple[int, int], size: float = 0.7) -> None:
    cv2.putText(gray, text, corner, cv2.FONT_HERSHEY_SIMPLEX, size, 0, 2, cv2.LINE_AA)


def test_a_bubble_with_a_dotted_outline_is_found() -> None:
    gray = page()
    for turn in range(0, 360, 4):
        x, y = 220 + 120 * np.cos(np.radians(turn)), 170 + 70 * np.sin(np.radians(turn))
        cv2.circle(gray, (round(x), round(y)), 2, 0, -1)
    for number, line in enumerate(("What was that", "over there?")):
        letters(gray, line, (140, 165 + 22 * number), 0.6)
    _, bubbles = found(gray)
    inside = np.zeros(gray.shape, np.uint8)
    cv2.ellipse(inside, (220, 170), (108, 58), 0, 0, 360, 1, -1)
    assert bubbles[inside.astype(bool)].mean() > 0.95
    assert not bubbles[:, 360:].any()
    assert not bubbles[260:].any()


def test_a_bubble_of_spikes_that_do_not_meet_is_found() -> None:
    gray = page()
    turns = np.radians(np.arange(0, 361, 15))
    far = np.where(np.arange(len(turns)) % 2, 1.0, 0.7)
    spikes = np.stack([300 + 190 * far * np.cos(turns), 190 + 130 * far * np.sin(turns)], 1)
    for first, tip, last in zip(spikes[:-2:2], spikes[1:-1:2], spikes[2::2], strict=True):
        ends = [tip + 0.8 * (end - tip) for end in (first, last)]
        cv2.polylines(gray, [np.array([ends[0], tip, ends[1]]).round().astype(np.int32)], False, 0, 2)
    for number, line in enumerate(("LOOK OUT", "BEHIND", "YOU THERE")):
        letters(gray, line, (240, 170 + 26 * number), 0.6)
    _, bubbles = found(gray)
    assert bubbles[140:240, 220:380].mean() > 0.95
    assert not bubbles[:, 500:].any()


def test_a_bubble_with_a_short_word_that_a_panel_border_cuts_is_found() -> None:
    gray = page()
    cv2.ellipse(gray, (640, 180), (60, 90), 0, 0, 360, 0, 2)
    gray[60:330, 664:] = 255
    for number, letter in enumerate("Ah!"):
        letters(gray, letter, (610, 150 + 22 * number), 0.8)
    _, bubbles = found(gray)
    assert bubbles[110:250, 600:655].mean() > 0.95
    assert not bubbles[:, :570].any()


def test_a_few_letters_in_one_line_are_print_where_the_outline_has_a_gap() -> None:
    gray = page()
    cv2.ellipse(gray, (200, 180), (50, 90), 0, 20, 380, 0, 2)
    cv2.ellipse(gray, (200, 180), (50, 90), 0, 310, 330, 255, 6)
    for number, letter in enumerate("SOON"):
        letters(gray, letter, (192, 152 + 22 * number))
    _, bubbles = found(gray)
    assert bubbles[120:240, 180:220].mean() > 0.95
    assert not bubbles[:, 280:].any()


def test_small_print_that_runs_together_is_print() -> None:
    gray = page()
    cv2.rectangle(gray, (80, 80), (330, 124), 0, 2)
    letters(gray, "After school", (100, 110), 0.9)
    gray[84:121, 84:327] = cv2.GaussianBlur(gray, (0, 0), 1.5)[84:121, 84:327]
    ink = (gray[84:121, 84:327] < 235).astype(np.uint8)
    assert cv2.connectedComponentsWithStats(ink)[2][1:, cv2.CC_STAT_WIDTH].max() > 80
    _, bubbles = found(gray)
    assert bubbles[82:122, 82:328].mean() > 0.95
    assert bubbles.sum() < 60 * 270


@pytest.mark.parametrize("word", ["Yes!", ""])
def test_a_short_word_whose_letters_run_together_is_print(word: str) -> None:
    gray = page()
    bubble(gray, (200, 150), ())
    if word:
        cv2.putText(gray, word, (180, 155), cv2.FONT_HERSHEY_SIMPLEX, 0.45, 0, 1, cv2.LINE_AA)
    else:
        cv2.rectangle(gray, (180, 145), (210, 154), 0, -1)  # a button
    gray[138:162, 176:230] = cv2.GaussianBlur(gray, (0, 0), 0.5)[138:162, 176:230]
    ink = (gray[138:162, 176:230] < 235).astype(np.uint8)
    assert cv2.connectedComponents(ink)[0] == 2
    assert found(gray)[1][130:170, 150:250].mean() == bool(word)


def test_bubbles_that_flow_together_are_found_as_one_though_their_print_stands_apart() -> None:
    gray = page()
    for grown, tone in ((0, 0), (-2, 255)):
        for middle in ((200, 130), (310, 205)):
            cv2.ellipse(gray, middle, (85 + grown, 62 + grown), 0, 0, 360, tone, -1)
    gray[60:80, 190:206] = 255  # the outline is open at the top
    for number, line in enumerate(("THANK", "YOU SO", "MUCH")):
        for place, letter in enumerate(line):
            letters(gray, letter, (150 + 15 * place, 118 + 18 * number), 0.5)
    for place, letter in enumerate("SIRS"):
        letters(gray, letter, (290 + 15 * place, 222), 0.5)
    _, bubbles = found(gray)
    assert bubbles[110:160, 140:260].mean() > 0.95
    assert bubbles[190:230, 270:370].mean() > 0.95
    assert not bubbles[:60].any()
    assert not bubbles[:, 410:].any()


@pytest.mark.parametrize("smile", [True, False])
def test_round_eyes_in_a_head_with_a_gap_in_its_outline_are_no_print(smile: bool) -> None:
    gray = page()
    cv2.ellipse(gray, (200, 150), (62, 45), 0, 0, 360, 0, 3)
    for x in (183, 217) if smile else (200,):
        cv2.circle(gray, (x, 142), 14, 0, 3)
        cv2.circle(gray, (x, 142), 5, 0, -1)
    if smile:
        cv2.ellipse(gray, (200, 162), (30, 14), 0, 0, 180, 0, 4)
    else:
        cv2.ellipse(gray, (200, 170), (16, 7), 0, 0, 360, 0, 3)
        cv2.ellipse(gray, (200, 170), (8, 2), 0, 0, 360, 0, 2)
    gray[190:200, 193:207] = 255
    assert not found(gray)[1].any()


def test_the_spots_of_a_dress_that_is_open_to_the_side_are_no_print() -> None:
    gray = page()
    cv2.ellipse(gray, (220, 200), (110, 100), 0, 0, 300, 0, 2)
    for y in range(130, 290, 30):
        for x in range(140, 300, 30):
            if ((x - 220) / 92) ** 2 + ((y - 200) / 82) ** 2 < 1:
                cv2.ellipse(gray, (x, y), (5, 7), 0, 0, 360, 0, -1)
    assert not found(gray)[1].any()


def test_specks_of_any_kind_are_measured_as_print() -> None:
    """Closing gaps of even width shifts what it fills, and may leave a block without a letter in it."""
    for seed in (0, 88, 109, 134):
        rng = np.random.default_rng(seed)
        side = int(rng.integers(8, 40))
        ink = rng.random((side, side)) < rng.uniform(0.005, 0.2)
        assert 0 <= lettering.block_share(ink, int(rng.integers(3, 9))) < np.inf


def star(gray: np.ndarray, middle: tuple[int, int], depth: float) -> None:
    """A closed balloon of 16 spikes whose notches reach so far, 1 being no notch; it holds three lines."""
    turns = np.radians(np.arange(0, 360, 11.25))
    far = np.where(np.arange(len(turns)) % 2, 1.0, depth)
    spikes = np.stack([middle[0] + 200 * far * np.cos(turns), middle[1] + 130 * far * np.sin(turns)], 1)
    cv2.polylines(gray, [spikes.round().astype(np.int32)], True, 0, 2)
    for number, line in enumerate(("WHAT ON", "EARTH IS", "THAT NOW")):
        letters(gray, line, (middle[0] - 58, middle[1] - 20 + 24 * number), 0.6)


@pytest.mark.parametrize(("depth", "is_balloon"), [(0.8, True), (0.5, False)])
def test_a_balloon_fills_most_of_its_convex_hull(depth: float, is_balloon: bool) -> None:
    gray = page()
    star(gray, (300, 190), depth)
    _, balloon = found(gray)
    assert balloon[170:210, 250:350].mean() == is_balloon
    assert balloon[213, 482] == is_balloon  # up to the tips


@pytest.mark.parametrize(("brightness", "is_print"), [(165, True), (200, False)])
def test_print_is_darker_than_screentone(brightness: int, is_print: bool) -> None:
    gray = page()
    bubble(gray, (200, 150), ())
    for number, line in enumerate(("DID YOU SEE", "THAT LIGHT")):
        cv2.putText(gray, line, (140, 150 + 20 * number), cv2.FONT_HERSHEY_SIMPLEX, 0.5, brightness, 2)
    assert found(gray)[1][120:180, 140:260].any() == is_print


@pytest.mark.parametrize(("beside", "leads"), [(1.0, True), (0.9, True), (0.7, False), (0.0, False)])
def test_a_gap_leads_to_a_balloon_where_hardly_a_part_of_it_leads_elsewhere(
    beside: float, leads: bool
) -> None:
    region, gap, other = (np.zeros((100, 60), bool) for _ in range(3))
    region[:, :20], gap[:, 20] = True, True
    other[: round(100 * beside), 25:] = True
    cut = balloons._Cut(0.1, 3, np.s_[:, :], region, gap)
    assert balloons._leads_to_balloon(cut, other) == leads


def two_blocks(letter: tuple[int, int], pitch: int) -> np.ndarray:
    """Two blocks of three letters in a column each, far apart and at two heights."""
    ink = np.zeros((120, 120), bool)
    for left, top in ((10, 10), (90, 60)):
        for number in range(3):
            y = top + pitch * number
            ink[y : y + letter[0], left : left + letter[1]] = True
    return ink


def test_print_in_two_dense_blocks_is_measured_block_by_block() -> None:
    assert lettering.block_share(two_blocks((8, 8), 10), 3) > 0.9


def test_print_in_two_loose_blocks_is_measured_as_one() -> None:
    ink = two_blocks((8, 8), 10)
    ink[14:16, 18:30] = True  # a stroke that stands out: the hull of its block is about half empty
    ink[64:66, 78:90] = True
    assert lettering.block_share(ink, 3) < 0.4


@pytest.mark.parametrize("seed", [2377, 2404, *range(40)])
def test_any_scribble_on_a_small_page_is_looked_at(seed: int) -> None:
    """On some there are marks alone where white is widest, and nothing is left of a balloon."""
    rng = np.random.default_rng(seed)
    height, width = (int(side) for side in rng.integers(32, 140, 2))
    gray = np.full((height, width), 255, np.uint8)
    for _ in range(rng.integers(1, 10)):
        first, second = ([int(at) for at in rng.integers(0, max(height, width), 2)] for _ in range(2))
        kind = rng.integers(3)
        if kind == 0:
            cv2.line(gray, first, second, int(rng.choice([0, 120, 200])), int(rng.integers(1, 4)))
        elif kind == 1:
            cv2.circle(gray, first, int(rng.integers(1, 40)), 0, int(rng.integers(1, 4)))
        else:
            cv2.rectangle(gray, first, second, 0, int(rng.choice([-1, 1, 2])))
    masks = find_paper(gray.astype(np.float32) / 255, Protect.ALL)
    assert masks is not None
    assert masks.gutters.shape == gray.shape


def test_a_white_margin_beside_a_narrow_panel_is_paper_and_white_in_an_open_drawing_is_not() -> None:
    narrow: tuple[Box, ...] = ((40, 40, 660, 340), (40, 370, 330, 960))
    gutters, _ = found(page(narrow))
    assert gutters[380:950, 340:690].all()
    assert not gutters[380:950, 50:320].any()
    gray = page(narrow)
    gray[368:964, 300:] = 255  # the panel has no border on that side
    assert not found(gray)[0][400:900, 350:650].any()


@pytest.mark.parametrize(
    ("box", "text", "size"),
    [
        ((42, 42, 260, 90), "Later that day,\nin the old town", 17),
        ((42, 42, 300, 66), "Later that day, in town", 16),
        ((42, 42, 130, 68), "Later", 17),
        ((200, 100, 270, 150), "?!", 36),
    ],
)
def test_a_closed_box_is_found_however_tight(box: Box, text: str, size: int) -> None:
    gray = page()
    left, top, right, bottom = box
    cv2.rectangle(gray, (left, top), (right, bottom), 255, -1)
    cv2.rectangle(gray, (left, top), (right, bottom), 0, 2)
    image = Image.fromarray(gray)
    ImageDraw.Draw(image).text((left + 6, top + 6), text, font=ImageFont.load_default(size), fill=0)
    _, bubbles = found(np.asarray(image))
    assert bubbles[top + 3 : bottom - 2, left + 3 : right - 2].mean() > 0.95
    assert bubbles.sum() < 1.2 * (right - left + 6) * (bottom - top + 6)


@pytest.mark.parametrize("size", [1, 2])
def test_dots_in_a_box_are_no_print(size: int) -> None:
    gray = page()
    cv2.rectangle(gray, (100, 80), (300, 200), 0, 2)
    for y in range(86, 198, 9):
        for x in range(106, 298, 9):
            cv2.circle(gray, (x, y), size, 0, -1)
    assert not found(gray)[1].any()


def test_a_window_with_bars_is_no_print() -> None:
    gray = page()
    cv2.rectangle(gray, (100, 80), (300, 200), 0, 2)
    for x in range(140, 300, 40):
        cv2.line(gray, (x, 84), (x, 196), 0, 3)
    assert not found(gray)[1].any()


Corners = tuple[tuple[int, int], ...]
TAIL: Corners = ((285, 180), (315, 180), (330, 270))


def cut_off(*shapes: Corners, line: int = 2, box: bool = False) -> np.ndarray:
    """A balloon, or a box of text, around (300, 150), whose outline lies over these white shapes."""
    gray = page()
    for corners in shapes:
        cv2.polylines(gray, [np.array(corners)], True, 0, line)
        cv2.fillPoly(gray, [np.array(corners)], 255)
        cv2.polylines(gray, [np.array(corners)], True, 0, line)
    for tone, thick in ((255, -1), (0, 2)):
        if box:
            cv2.rectangle(gray, (200, 100), (400, 200), tone, thick)
        else:
            cv2.ellipse(gray, (300, 150), (100, 50), 0, 0, 360, tone, thick)
    for number, text in enumerate(("Did you see", "that light?")):
        letters(gray, text, (240, 150 + 18 * number), 0.5)
    return gray


@pytest.mark.parametrize("ground", ["blank", "tone"])
@pytest.mark.parametrize("tip", [(330, 270), (290, 280), (370, 260)])
def test_the_tail_that_an_outline_cuts_off_is_part_of_the_balloon(tip: tuple[int, int], ground: str) -> None:
    gray = cut_off((*TAIL[:2], tip))
    tail = np.zeros(gray.shape, np.uint8)
    cv2.fillPoly(tail, [np.array((*TAIL[:2], tip))], 1)
    if ground == "tone":
        outside = cv2.ellipse(cv2.dilate(tail, np.ones((3, 3))), (300, 150), (100, 50), 0, 0, 360, 1, -1) == 0
        y, x = np.mgrid[:1000, :700]
        gray[outside & ((x + y) % 12 < 5) & ((x - y) % 12 < 5) & (y > 46) & (y < 335)] = 0
    tail[:206] = 0
    inside, around = cv2.erode(tail, np.ones((5, 5))) > 0, cv2.dilate(tail, np.ones((9, 9))) > 0
    assert inside.sum() > 200
    _, bubbles = found(gray)
    assert bubbles[inside].mean() > 0.98
    assert not bubbles[210:340][~around[210:340]].any()


@pytest.mark.parametrize(
    ("shape", "line", "box"),
    [
        (((288, 180), (312, 180), (312, 260), (288, 260)), 2, False),  # a post
        (((265, 180), (335, 180), (300, 240)), 2, False),  # a collar
        (((280, 180), (320, 180), (325, 290)), 10, False),  # the light between strands of black hair
        (TAIL, 2, True),
    ],
)
def test_other_white_that_a_balloon_cuts_off_is_none_of_it(shape: Corners, line: int, box: bool) -> None:
    _, bubbles = found(cut_off(shape, line=line, box=box))
    assert bubbles[110:190, 280:320].all()
    assert not bubbles[210:340].any()


@pytest.mark.parametrize("beside", ["a drawing in it", "a second", "an open tail"])
def test_pointed_white_is_no_tail_where_a_drawing_says_otherwise(beside: str) -> None:
    gray = cut_off(TAIL)
    if beside == "a drawing in it":
        cv2.circle(gray, (309, 212), 2, 0, -1)
    elif beside == "a second":  # a fringe
        gray = cut_off(TAIL, ((245, 170), (275, 170), (255, 270)))
    else:
        cv2.polylines(gray, [np.array([(340, 190), (420, 250), (370, 180)])], False, 0, 4)
        cv2.fillPoly(gray, [np.array([(340, 185), (420, 250), (370, 180)])], 255)
        assert found(gray)[1][225, 390]
    _, bubbles = found(gray)
    assert bubbles[110:190, 280:320].all()
    assert not bubbles[212:340, :335].any()
