"""The matcher that comes with the package."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from sketchcolor_cli import ColorizeRequest, colorize
from sketchcolor_cli.coloring.guides.matching import SheetMatcher
from sketchcolor_cli.compute import onnx
from sketchcolor_cli.imaging.picture import Picture
from sketchcolor_cli.imaging.reading import read_picture
from sketchcolor_cli.imaging.writing import write_picture
from sketchcolor_cli.networks.graph_files import GRAPHS, graph_name
from sketchcolor_cli.networks.loading import load_matcher
from sketchcolor_cli.networks.onnx_match import OnnxMatch
from sketchcolor_cli.networks.registry import MATCHER
from sketchcolor_cli.networks.torch_match import TorchMatch
from sketchcolor_cli.training.pairs.figures import draw_pair

if TYPE_CHECKING:
    from pathlib import Path


def test_the_file_is_small_and_has_its_card() -> None:
    assert MATCHER.stat().st_size <= 8_000_000
    card = MATCHER.with_suffix(".md").read_text(encoding="utf-8")
    assert "CC BY-SA 4.0" in card


def test_a_figure_in_another_pose_gets_its_colours() -> None:
    """Figures that training never drew: matched colours are far nearer to the truth than paper is."""
    network = load_matcher()
    errors, paper = [], []
    for seed in range(6):
        page, sheet = draw_pair(np.random.default_rng([2, seed]))
        assert page.line is not None
        layer = np.dstack([sheet.color / np.float32(255), np.ones((*sheet.line.shape, 1), np.float32)])
        regions = SheetMatcher(TorchMatch(network, "cpu"), [layer])(page.line / np.float32(255))
        truth = cv2.cvtColor(page.color / np.float32(255), cv2.COLOR_RGB2LAB)
        seen = (page.line > 128) & (np.abs(truth - (100, 0, 0)).max(2) > 8)  # of the figure, not its ground
        errors.append(np.linalg.norm(regions.colors[regions.labels] - truth, axis=2)[seen].mean())
        paper.append(np.linalg.norm(truth - np.array((100, 0, 0)), axis=2)[seen].mean())
    assert np.mean(errors) < 0.5 * np.mean(paper)


def test_equal_input_gives_equal_output() -> None:
    network = load_matcher()
    page, sheet = draw_pair(np.random.default_rng(5))
    assert page.line is not None
    layer = np.dstack([sheet.color / np.float32(255), np.ones((320, 320, 1), np.float32)])
    first, second = (
        SheetMatcher(TorchMatch(network, "cpu"), [layer])(page.line / np.float32(255)) for _ in range(2)
    )
    assert first.colors == pytest.approx(second.colors, abs=0)


def test_colorize_goes_by_it(tmp_path: Path) -> None:
    page, sheet = draw_pair(np.random.default_rng([2, 5]))
    assert page.line is not None
    lines = np.repeat(page.line[..., None], 3, axis=2) / np.float32(255)
    for name, rgb in (("page.png", lines), ("sheet.png", sheet.color / np.float32(255))):
        write_picture(tmp_path / name, Picture(rgb))
    off = []
    for folder, sheets in (("with", [tmp_path / "sheet.png"]), ("without", [])):
        request = ColorizeRequest.of(inputs=[tmp_path / "page.png"], output=tmp_path / folder, sheet=sheets)
        assert len(colorize(request).done) == 1
        result = read_picture(tmp_path / folder / "page.png").rgb
        off.append(np.abs(result - page.color / np.float32(255)).mean())
    assert off[0] < 0.7 * off[1]


@pytest.mark.skipif(not onnx.is_installed(), reason="the extra onnx is not installed")
def test_onnx_runtime_finds_the_same() -> None:
    page, sheet = draw_pair(np.random.default_rng(5))
    assert page.line is not None
    layer = np.dstack([sheet.color / np.float32(255), np.ones((320, 320, 1), np.float32)])
    networks = TorchMatch(load_matcher(), "cpu"), OnnxMatch(GRAPHS / graph_name(MATCHER), MATCHER)
    first, second = (SheetMatcher(network, [layer])(page.line / np.float32(255)) for network in networks)
    assert np.ptp(first.colors) > 50
    assert np.abs(first.colors - second.colors).max() < 0.1
