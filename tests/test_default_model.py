"""The model that comes with the package: small, licensed, and doing what it is for on our example pages."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from sketchcolor_cli.coloring.colorizer import Colorizer
from sketchcolor_cli.coloring.settings import ColorizeSettings
from sketchcolor_cli.environment import model_file
from sketchcolor_cli.imaging.images import read_picture
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
