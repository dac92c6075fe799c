"""The model that comes with the package: small, licensed, and doing what it is for on our example pages."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from sketchcolor_cli.coloring.arrays import ArrayColorizer
from sketchcolor_cli.coloring.colorizer import Colorizer
from sketchcolor_cli.coloring.settings import ColorizeSettings
from sketchcolor_cli.environment import model_file
from sketchcolor_cli.imaging.picture import Picture
from sketchcolor_cli.imaging.reading import read_picture
from sketchcolor_cli.networks.base import ColorNet
from sketchcolor_cli.networks.checkpoint import load_model
from sketchcolor_cli.networks.registry import BUNDLED

EXAMPLES = Path(__file__).parent.parent / "examples"
INK = 82 / 255  # sRGB grey with L* 35


@pytest.fixture(scope="module")
def results():
    model, _ = load_model(model_file("default"), ColorNet)
    color = Colorizer(model, "cpu", ColorizeSettings(work_size=320))
    page = read_picture(EXAMPLES / "pages" / "page 1.png")
    reference = read_picture(EXAMPLES / "reference" / "page 1.png")
    return page.rgb, color(page).rgb, color(page, reference).rgb


def test_it_is_small_and_says_where_it_comes_from():
    assert (BUNDLED / "default.safetensors").stat().st_size <= 20_000_000
    _, info = load_model(model_file("default"), ColorNet)
    assert "CC BY-SA 4.0" in info.licence
    assert info.provenance["images"] > 0
    assert "Attribution" in (BUNDLED / "default.md").read_text(encoding="utf-8")


def test_ink_is_left_alone(results):
    page, *colored = results
    gray = cv2.cvtColor(page, cv2.COLOR_RGB2GRAY)
    ink = gray <= INK
    assert ink.mean() > 0.01
    for result in colored:
        assert np.abs(cv2.cvtColor(result, cv2.COLOR_RGB2GRAY) - gray)[ink].max() <= 1 / 255


def test_a_rough_reference_brings_the_result_near_the_clean_colouring(results):
    _, alone, aided = results
    truth = read_picture(EXAMPLES / "colored" / "page 1.png").rgb
    off_alone, off_aided = (distance(result, truth) for result in (alone, aided))
    assert off_aided < 0.6 * off_alone


def distance(result, truth):
    """Return the mean distance in a*b* after averaging over 8×8 squares, which takes lines and dots out."""
    small = [cv2.resize(x, None, fx=1 / 8, fy=1 / 8, interpolation=cv2.INTER_AREA) for x in (result, truth)]
    lab = [cv2.cvtColor(x, cv2.COLOR_RGB2LAB) for x in small]
    return float(np.linalg.norm((lab[0] - lab[1])[..., 1:], axis=2).mean())


def test_points_stay_inside_the_lines_and_white_is_paper():
    page = np.ones((300, 220), np.float32)
    cv2.circle(page, (110, 90), 60, 0, 2)
    cv2.rectangle(page, (60, 152), (160, 310), 0, 2)  # stands on the page's edge
    hints = np.zeros((300, 220, 4), np.float32)
    for place, color in (((110, 90), (0.95, 0.8, 0.7)), ((110, 230), (0.2, 0.6, 0.3)), ((20, 30), (1, 1, 1))):
        cv2.circle(hints, place, 2, (*color, 1), -1)
    model, _ = load_model(model_file("default"), ColorNet)
    out = ArrayColorizer(model)(page, hints=hints)
    ground = np.ones((300, 220), np.uint8)
    cv2.circle(ground, (110, 90), 64, 0, -1)
    cv2.rectangle(ground, (56, 148), (164, 310), 0, -1)
    assert out[ground > 0].min() > 0.97  # a fifth and more was tinted when colours came over lines
    assert np.abs(out[60:120, 80:140] - (0.95, 0.8, 0.7)).max() < 0.03


def test_what_a_stamp_lies_on_has_one_tone():
    page = np.ones((400, 300, 3), np.float32)
    cv2.rectangle(page, (15, 15), (285, 385), (0, 0, 0), 3)
    cv2.ellipse(page, (150, 115), (50, 55), 0, 0, 360, (0, 0, 0), 3)
    cv2.polylines(page, [np.array([(120, 165), (90, 280), (210, 280), (180, 165)])], False, (0, 0, 0), 3)
    cv2.circle(page, (255, 50), 20, (0.82, 0.12, 0.12), -1)
    model, _ = load_model(model_file("default"), ColorNet)
    out = Colorizer(model, "cpu", ColorizeSettings(work_size=320))(Picture(page)).rgb
    np.testing.assert_allclose(out[40:60, 245:265], page[40:60, 245:265], atol=1e-6)
    corners = [out[y : y + 40, x : x + 40] for y, x in ((100, 230), (330, 30), (330, 230), (40, 30))]
    # Beside the stamp it was pink, far from it white.
    assert max(distance(corner, corners[0]) for corner in corners) < 5
