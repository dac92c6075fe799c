from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sketchcolor_cli.errors import PluginError, UsageError
from sketchcolor_cli.extraction import load_sketcher, sketch, sketch_picture
from sketchcolor_cli.extractor import Extractor, Parameter
from sketchcolor_cli.images import Picture
from sketchcolor_cli.plugins import Extractors, Listing
from sketchcolor_cli.sizes import SizeRule
from sketchcolor_cli.weightfile import WeightFile


def red(rgb):
    return rgb[:, :1]


def installed(*extractors):
    return Extractors([Listing(one.name, "demo", "1.0", one) for one in extractors])


@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.builds(SizeRule, multiple=st.integers(1, 16), minimum=st.integers(1, 32), square=st.booleans()),
)
def test_the_sketcher_gets_a_size_that_it_wants_and_the_sketch_has_the_pictures_size(height, width, rule):
    seen = []

    def sketcher(rgb):
        seen.append(tuple(rgb.shape[2:]))
        return rgb[:, :1]

    rgb = torch.rand(2, 3, height, width)
    drawn = sketch(sketcher, rule, rgb)
    plan = rule.plan(height, width)
    assert seen == [(len(plan.rows), len(plan.columns))]
    assert torch.equal(drawn, rgb[:, :1])


@pytest.mark.parametrize(
    ("pad", "expected"),
    [
        ("reflect", [0.75, 0.5, 0.25, 0.5, 0.75, 0.5, 0.25]),
        ("replicate", [0.25, 0.25, 0.25, 0.5, 0.75, 0.75, 0.75]),
    ],
)
def test_what_stands_in_the_padding(pad, expected):
    seen = []
    row = torch.tensor([0.25, 0.5, 0.75]).expand(1, 3, 1, 3)
    sketch(lambda rgb: seen.append(rgb) or red(rgb), SizeRule(multiple=7, pad=pad), row)
    assert seen[0].shape == (1, 3, 7, 7)
    assert seen[0][0, 0].tolist() == [expected] * 7


def test_no_gradients_are_kept():
    weight = torch.ones(1, requires_grad=True)
    assert not sketch(lambda rgb: weight * red(rgb), SizeRule(), torch.rand(1, 3, 4, 4)).requires_grad


@pytest.mark.parametrize("wrong", [lambda rgb: rgb, lambda rgb: rgb[:, 0], lambda rgb: rgb[:, :1, 1:]])
def test_a_sketch_of_the_wrong_shape_is_refused(wrong):
    with pytest.raises(PluginError, match=r"shape .* where \(1, 1, 4, 4\) was due"):
        sketch(wrong, SizeRule(), torch.rand(1, 3, 4, 4))


def test_a_pictures_sketch_is_grey_and_keeps_what_else_the_file_says():
    rgb = np.random.default_rng(0).random((5, 7, 3), dtype=np.float32)
    picture = Picture(rgb, bits=16, icc=b"profile", dpi=(300, 300), format="TIFF")
    drawn = sketch_picture(red, SizeRule(multiple=4), picture)
    np.testing.assert_array_equal(drawn.rgb, np.repeat(rgb[..., :1], 3, axis=2))
    assert (drawn.gray, drawn.alpha, drawn.icc) == (True, None, None)
    assert (drawn.bits, drawn.dpi, drawn.format) == (16, (300, 300), "TIFF")


def test_what_is_transparent_is_paper():
    picture = Picture(np.zeros((2, 2, 3), np.float32), alpha=np.array([[0, 1], [0.5, 0.25]], np.float32))
    drawn = sketch_picture(red, SizeRule(), picture)
    np.testing.assert_allclose(drawn.rgb[..., 0], [[1, 0], [0.5, 0.75]])
    assert drawn.alpha is None


def test_an_extractor_is_loaded_with_what_it_asks_for():
    weights = WeightFile("net.bin", "MIT")
    asked = []

    def load(resources):
        asked.append((resources.device, dict(resources.parameters), resources.weight_path(weights)))
        return red

    demo = Extractor("demo", "A demo.", load, parameters=(Parameter("a", 1, "A."), Parameter("b", 0.5, "B.")))
    loaded = load_sketcher(
        installed(demo), "demo", device="meta", settings=["a=7"], find_weight=lambda file: Path(file.name)
    )
    assert loaded is red
    assert asked == [("meta", {"a": 7, "b": 0.5}, Path("net.bin"))]


def test_an_extractor_can_be_made_of_others_each_with_its_own_size_rule():
    def load(resources):
        first, second = resources.extractor("first"), resources.extractor("second")
        return lambda rgb: (first(rgb) + second(rgb)) / 2

    def fussy(multiple, channel):
        def draw(rgb):
            assert rgb.shape[2] % multiple == rgb.shape[3] % multiple == 0
            return rgb[:, channel : channel + 1]

        return draw

    extractors = installed(
        Extractor("mean", "Both.", load),
        Extractor("first", "One.", lambda resources: fussy(8, 0), size=SizeRule(multiple=8)),
        Extractor("second", "Two.", lambda resources: fussy(5, 1), size=SizeRule(multiple=5)),
    )
    rgb = torch.rand(2, 3, 7, 9)
    drawn = sketch(load_sketcher(extractors, "mean"), extractors.get("mean").size, rgb)
    assert torch.equal(drawn, (rgb[:, :1] + rgb[:, 1:2]) / 2)


def test_an_extractor_cannot_be_made_of_itself():
    extractors = installed(
        Extractor("a", "A.", lambda resources: resources.extractor("b")),
        Extractor("b", "B.", lambda resources: resources.extractor("a")),
    )
    with pytest.raises(PluginError, match="a → b → a"):
        load_sketcher(extractors, "a")


def test_values_that_make_no_sense_together_are_a_usage_error():
    def load(resources):
        raise ValueError("low is below high")

    with pytest.raises(UsageError, match="demo: low is below high"):
        load_sketcher(installed(Extractor("demo", "A demo.", load)), "demo")


def test_a_bug_in_an_extractor_keeps_its_traceback():
    def load(resources):
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        load_sketcher(installed(Extractor("demo", "A demo.", load)), "demo")


def test_wrong_names_and_settings_are_refused():
    extractors = installed(Extractor("demo", "A demo.", lambda resources: red))
    with pytest.raises(PluginError, match="did you mean demo"):
        load_sketcher(extractors, "dmeo")
    with pytest.raises(UsageError, match="no parameter 'sigma'"):
        load_sketcher(extractors, "demo", settings=["sigma=1"])
