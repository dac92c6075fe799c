from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from sketchcolor_cli import Resources
from sketchcolor_cli.compute import onnx
from sketchcolor_cli.compute.graphs import Network, read_tensors
from sketchcolor_cli.errors import DeviceError, UsageError
from sketchcolor_cli.extraction import loader as loading_extractors
from sketchcolor_cli.extraction.drawer import draws_arrays
from sketchcolor_cli.extraction.loader import Loader
from sketchcolor_cli.imaging.picture import Picture
from sketchcolor_cli.imaging.reading import read_picture
from sketchcolor_cli.networks.backend import Backends
from sketchcolor_cli.plugin.discovery import find_extractors
from sketchcolor_cli.testing import check_extractor
from sketchcolor_plugins.linework.arrays import WEIGHTS
from sketchcolor_plugins.linework.network import Linework, LineworkSketcher
from sketchcolor_plugins.loading import layout

NEAR = np.ones((5, 5), np.uint8)  # two pixels off allowed


@pytest.fixture(scope="module")
def declared():
    return find_extractors().get("linework")


@pytest.fixture(scope="module")
def linework(declared):
    return declared.load(Resources(parameters=declared.defaults()))


def shapes(fill=(0.9, 0.6, 0.4), ground=(0.5, 0.75, 0.95), line=(0.1, 0.1, 0.15), shade=0.0):
    """A coloured picture, 224×224×3, and where its lines are; ``shade`` darkens it softly to one side."""
    picture = np.empty((224, 224, 3), np.float32)
    picture[:] = ground
    lines = np.zeros((224, 224), np.uint8)
    outlines = [
        cv2.ellipse2Poly((80, 90), (50, 36), 20, 0, 360, 5),
        cv2.ellipse2Poly((150, 140), (40, 60), -15, 0, 360, 5),
        np.array([(20, 180), (70, 150), (110, 205)]),
    ]
    for outline in outlines:
        cv2.fillPoly(picture, [outline], fill)
        cv2.polylines(picture, [outline], isClosed=True, color=line, thickness=3, lineType=cv2.LINE_AA)
        cv2.polylines(lines, [outline], isClosed=True, color=1, thickness=3)
    covered = cv2.fillPoly(np.zeros_like(lines), [outlines[1]], 1) > 0  # hides what of the first is below it
    own = cv2.polylines(np.zeros_like(lines), [outlines[1]], isClosed=True, color=1, thickness=3) > 0
    picture *= np.linspace(1, 1 - shade, 224, dtype=np.float32)[:, None]
    return picture, (lines > 0) & ~(covered & ~own)


def draw(sketcher, picture):
    return sketcher(torch.from_numpy(picture.transpose(2, 0, 1)[None].copy()))[0, 0].numpy()


def f_score(sketch, truth):
    ink = sketch < 0.5
    precision = (cv2.dilate(truth.astype(np.uint8), NEAR) > 0)[ink].mean() if ink.any() else 0.0
    recall = (cv2.dilate(ink.astype(np.uint8), NEAR) > 0)[truth].mean()
    return 2 * precision * recall / max(1e-9, precision + recall)


def test_it_keeps_the_contract(declared):
    check_extractor(declared)


def test_its_weights_are_small_and_are_those_of_the_network():
    tensors = load_file(WEIGHTS)
    assert WEIGHTS.stat().st_size < 3_000_000
    assert sum(tensor.numel() for tensor in tensors.values()) < 2_000_000
    wanted = layout(Linework)
    assert {name: tensor.shape for name, tensor in tensors.items()} == {
        name: tensor.shape for name, tensor in wanted.items()
    }
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float16}


def test_it_draws_black_lines(linework):
    picture, truth = shapes()
    assert f_score(draw(linework, picture), truth) > 0.93


def test_it_draws_coloured_lines_as_xdog_does_not(linework):
    picture, truth = shapes(fill=(0.55, 0.75, 0.5), ground=(0.5, 0.7, 0.8), line=(0.75, 0.5, 0.45))
    xdog = Loader(find_extractors()).load("xdog").sketcher
    ours, theirs = (f_score(draw(sketcher, picture), truth) for sketcher in (linework, xdog))
    assert ours > 0.9
    assert ours > theirs + 0.1


def test_shading_is_no_line(linework):
    picture, truth = shapes(shade=0.5)
    assert f_score(draw(linework, picture), truth) > 0.9


@pytest.mark.parametrize("level", [1.0, 0.8, 0.5, 0.25])
def test_an_empty_picture_stays_paper(linework, level):
    assert draw(linework, np.full((96, 128, 3), level, np.float32)).min() > 0.9


def test_strength_makes_faint_lines_darker_and_no_line_another(linework):
    picture, _ = shapes()
    faint, plain, dark = (draw(LineworkSketcher(linework.network, s, 0.0), picture) for s in (0.25, 1.0, 4.0))
    assert (dark <= plain).all()
    assert (plain <= faint).all()
    assert dark.mean() < plain.mean() < faint.mean()


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("strength=0", "strength is above 0"),
        ("strength=-1", "strength is above 0"),
        ("black=2", "black is from 0 to 1"),
        ("black=-0.1", "black is from 0 to 1"),
    ],
)
def test_parameters_out_of_range_are_refused(setting, said):
    with pytest.raises(UsageError, match=said):
        Loader(find_extractors()).load("linework", [setting])


@pytest.mark.parametrize("level", [0.0, 0.03, 0.08])
def test_what_is_black_stays_black_unless_told_otherwise(linework, level):
    picture, _ = shapes(fill=(level,) * 3)
    inside = np.s_[120:160, 140:160]
    assert draw(linework, picture)[inside].max() < 0.05
    assert (
        draw(LineworkSketcher(linework.network, 1.0, 0.0), picture)[inside].mean()
        > draw(linework, picture)[inside].mean()
    )


def test_tiles_give_what_the_whole_gives(linework):
    rgb = cv2.resize(np.random.default_rng(3).random((24, 30, 3), np.float32), (1456, 320))
    tiled = Loader(find_extractors()).load("linework").sketch(Picture(rgb)).rgb[..., 0]
    np.testing.assert_allclose(tiled, draw(linework, rgb), atol=1e-4)


@pytest.mark.skipif(not onnx.is_installed(), reason="the extra onnx is not installed")
def test_onnx_runtime_draws_the_same_to_one_of_255_and_the_graph_is_that_of_the_network_now(
    tmp_path: Path,
) -> None:
    """If not, `python tools/make_graphs.py` makes the graph again."""
    page = read_picture(min((Path(__file__).parents[1] / "examples/colored").glob("*.png")))
    small = Picture(page.rgb[200:420, 200:360].copy())
    drawn = {}
    for wanted in ("torch", "onnx"):
        loader = Loader(find_extractors(), backends=Backends(tmp_path, wanted))
        drawer = loader.load("linework", ["strength=1.5"])
        assert draws_arrays(drawer.sketcher) == (wanted == "onnx")
        drawn[wanted] = drawer.sketch(small).rgb
    assert np.ptp(drawn["torch"]) > 0.5
    assert np.abs(drawn["torch"] - drawn["onnx"]).max() <= 1 / 255
    check_extractor(
        loader.extractors.get("linework"),
        Resources(
            parameters={"strength": 1.0, "black": 0.1},
            find_graph=lambda graph, weights: Network(graph, read_tensors(weights)),
        ),
    )


@pytest.mark.skipif(not onnx.is_installed(), reason="the extra onnx is not installed")
def test_auto_tries_an_extractor_once_and_takes_torch_where_that_is_faster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried, times = [], [0.5, 1.0]

    def best_time(_work: object) -> float:
        tried.append(times[len(tried) % 2])
        return tried[-1]

    monkeypatch.setattr(loading_extractors, "best_time", best_time)
    loader = Loader(find_extractors(), backends=Backends(tmp_path))
    assert not draws_arrays(loader.load("linework").sketcher)
    assert not draws_arrays(loader.load("linework").sketcher)
    assert tried == [0.5, 1.0]
    assert draws_arrays(
        Loader(find_extractors(), backends=Backends(tmp_path, "onnx")).load("linework").sketcher
    )
    with pytest.raises(DeviceError, match="--backend onnx is for the processor, not for meta"):
        Loader(find_extractors(), device="meta", backends=Backends(tmp_path, "onnx")).load("linework")
