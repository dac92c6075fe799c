from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sketchcolor_cli.errors import DeviceError, PluginError, UsageError
from sketchcolor_cli.extraction.drawer import Drawer, sketch
from sketchcolor_cli.extraction.loader import Loader
from sketchcolor_cli.extraction.settings import NATIVE, Sketching
from sketchcolor_cli.imaging.picture import Picture
from sketchcolor_cli.imaging.sizes import SizeRule
from sketchcolor_cli.imaging.writing import write_picture
from sketchcolor_cli.plugin.contract import Extractor, Parameter
from sketchcolor_cli.plugin.discovery import Extractors, Listing
from sketchcolor_cli.weights.spec import WeightFile


def red(rgb):
    return rgb[:, :1]


def installed(*extractors):
    return Extractors([Listing(extractor.name, "demo", "1.0", extractor) for extractor in extractors])


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


def test_an_extractor_that_ends_the_program_fails_like_any_other():
    def end(_):
        sys.exit()

    with pytest.raises(PluginError, match=r"demo: ends the program \(sys\.exit\) while it loads"):
        Loader(installed(Extractor("demo", "A demo.", end))).load("demo")
    with pytest.raises(PluginError, match=r"ends the program \(sys\.exit\)"):
        sketch(end, SizeRule(), torch.rand(1, 3, 4, 4))


def test_an_extractor_is_loaded_with_what_it_asks_for():
    weights = WeightFile("net.bin", "MIT")
    asked = []

    def load(resources):
        asked.append((resources.device, dict(resources.parameters), resources.weight_path(weights)))
        return red

    demo = Extractor("demo", "A demo.", load, parameters=(Parameter("a", 1, "A."), Parameter("b", 0.5, "B.")))
    loaded = (
        Loader(installed(demo), device="meta", find_weight=lambda file: Path(file.name))
        .load("demo", ["a=7"])
        .sketcher
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
    drawn = sketch(Loader(extractors).load("mean").sketcher, extractors.get("mean").size, rgb)
    assert torch.equal(drawn, (rgb[:, :1] + rgb[:, 1:2]) / 2)


def test_an_extractor_cannot_be_made_of_itself():
    extractors = installed(
        Extractor("a", "A.", lambda resources: resources.extractor("b")),
        Extractor("b", "B.", lambda resources: resources.extractor("a")),
    )
    with pytest.raises(PluginError, match="a → b → a"):
        Loader(extractors).load("a")


def test_values_that_make_no_sense_together_are_a_usage_error():
    def load(resources):
        raise ValueError("low is below high")

    with pytest.raises(UsageError, match="demo: low is below high"):
        Loader(installed(Extractor("demo", "A demo.", load))).load("demo")


def test_a_bug_in_an_extractor_keeps_its_traceback():
    def load(resources):
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        Loader(installed(Extractor("demo", "A demo.", load))).load("demo")


def test_wrong_names_and_settings_are_refused():
    extractors = installed(Extractor("demo", "A demo.", lambda resources: red))
    with pytest.raises(PluginError, match="did you mean demo"):
        Loader(extractors).load("dmeo")
    with pytest.raises(UsageError, match="no parameter 'sigma'"):
        Loader(extractors).load("demo", ["sigma=1"])


# Pictures of any size: scaled, padded, in tiles, as memory allows


def drawer(draw, *, tell=lambda _line: None, size=None, batch_size=8, rule=SizeRule(), **declared):  # noqa: B008
    extractor = Extractor("demo", "A demo.", lambda _: draw, size=rule, **declared)
    return Drawer(extractor, draw, sketching=Sketching(size=size, batch_size=batch_size), tell=tell)


def picture(height, width, seed=0):
    return Picture(np.random.default_rng(seed).random((height, width, 3), dtype=np.float32))


def watched(shapes, draw=red):
    def watching(rgb):
        shapes.append(tuple(rgb.shape))
        return draw(rgb)

    return watching


@pytest.mark.parametrize(
    ("size", "working_size", "inside"),
    [
        (None, None, (60, 200)),
        (None, 100, (30, 100)),
        (None, 400, (120, 400)),
        (NATIVE, 100, (60, 200)),
        (50, 100, (15, 50)),
        (50, None, (15, 50)),
    ],
)
def test_a_picture_is_drawn_at_the_size_that_is_wanted_and_its_sketch_has_its_own(size, working_size, inside):
    shapes = []
    drawn = drawer(watched(shapes), size=size, working_size=working_size).sketch(picture(60, 200))
    assert shapes == [(1, 3, *inside)]
    assert drawn.rgb.shape == (60, 200, 3)
    assert drawn.gray


def test_scaling_keeps_what_is_smooth():
    ramp = np.linspace(0.1, 0.9, 200, dtype=np.float32)
    smooth = Picture(np.broadcast_to(ramp[None, :, None], (80, 200, 3)).copy())
    for size in (50, 100, 777):
        drawn = drawer(red, size=size).sketch(smooth)
        assert np.abs(drawn.rgb - smooth.rgb)[:, 4:-4].max() < 0.005


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (7, 5), (33, 65)])
@pytest.mark.parametrize("size", [None, NATIVE, 64])
def test_odd_sizes(shape, size):
    rule = SizeRule(multiple=8, minimum=16)
    drawn = drawer(red, size=size, rule=rule, working_size=48, margin=4).sketch(picture(*shape))
    assert drawn.rgb.shape == (*shape, 3)
    assert drawn.rgb.min() >= 0
    assert drawn.rgb.max() <= 1


def test_the_rest_of_the_picture_is_kept_and_what_is_transparent_is_paper():
    rgb = np.zeros((2, 2, 3), np.float32)
    alpha = np.array([[0, 1], [0.5, 0.25]], np.float32)
    given = Picture(rgb, alpha, bits=16, icc=b"profile", dpi=(300, 300), format="TIFF")
    drawn = drawer(red).sketch(given)
    np.testing.assert_allclose(drawn.rgb[..., 0], [[1, 0], [0.5, 0.75]])
    assert (drawn.gray, drawn.alpha, drawn.icc) == (True, None, None)
    assert (drawn.bits, drawn.dpi, drawn.format) == (16, (300, 300), "TIFF")


def test_inverted_and_binarized():
    values = np.array([[0, 0.4, 0.6, 1]], np.float32)
    given = Picture(np.repeat(values[..., None], 3, axis=2))

    def gray_of(**chosen):
        extractor = Extractor("demo", "A demo.", lambda _: red)
        return Drawer(extractor, red, sketching=Sketching(**chosen)).sketch(given).rgb[0, :, 0].tolist()

    assert gray_of(invert=True) == pytest.approx([1, 0.6, 0.4, 0])
    assert gray_of(binarize=True) == [0, 0, 1, 1]
    assert gray_of(binarize=True, threshold=0.3) == [0, 1, 1, 1]
    assert gray_of(binarize=True, invert=True) == [1, 1, 0, 0]


def test_pictures_are_drawn_together_and_each_as_alone():
    shapes = []
    made = drawer(watched(shapes), working_size=32)
    pictures = [picture(40, 20, seed) for seed in range(3)]
    together = made.draw([made.prepare(picture) for picture in pictures])
    assert shapes == [(3, 3, 32, 16)]
    for original, drawn in zip(pictures, together, strict=True):
        np.testing.assert_array_equal(made.finish(drawn).rgb, made.sketch(original).rgb)


def test_large_pictures_go_through_one_by_one():
    shapes = []
    made = drawer(watched(shapes), batch_size=2)
    made.draw([made.prepare(picture(1100, 1000, seed)) for seed in range(3)])
    assert [shape[0] for shape in shapes] == [1, 1, 1]


def test_a_part_draws_as_it_does_alone():
    rule = SizeRule(multiple=8)
    part = Extractor("part", "A part.", lambda _: red, size=rule, working_size=24)
    whole = Extractor("whole", "A whole.", lambda resources: resources.extractor("part"))
    extractors = installed(part, whole)
    for size in (None, NATIVE, 40):
        chosen = Sketching(size=size)
        alone, within = (Loader(extractors, sketching=chosen).load(name) for name in ("part", "whole"))
        np.testing.assert_allclose(
            alone.sketch(picture(31, 50)).rgb, within.sketch(picture(31, 50)).rgb, atol=1e-6
        )


def blurred(rgb):
    """A sketch of which each place depends on 12 pixels around it, after striding by 4."""
    gray = rgb.mean(1, keepdim=True)
    small = torch.nn.functional.avg_pool2d(gray, 4)
    small = torch.nn.functional.avg_pool2d(small, 5, stride=1, padding=2, count_include_pad=False)
    return torch.nn.functional.interpolate(small, scale_factor=4, mode="nearest")


@pytest.mark.parametrize("shape", [(64, 64), (67, 301), (300, 41), (130, 257)])
def test_tiles_leave_no_trace(shape):
    shapes = []
    rgb, rule = picture(*shape), SizeRule(multiple=4)
    whole = drawer(blurred, rule=rule).sketch(rgb)
    tiled = drawer(watched(shapes, blurred), rule=rule, margin=12)
    tiled._most = 60 * 60  # pixels at once
    np.testing.assert_allclose(tiled.sketch(rgb).rgb, whole.rgb, atol=1e-6)
    assert len(shapes) > 1
    assert all(count * height * width <= 60 * 60 for count, _, height, width in shapes)


def test_a_picture_that_fits_is_drawn_whole_though_it_could_be_cut():
    shapes = []
    drawer(watched(shapes), margin=10).sketch(picture(900, 1000))
    assert shapes == [(1, 3, 900, 1000)]


def test_a_large_picture_is_cut_where_that_may_be_and_else_drawn_whole():
    for margin, pieces in ((10, 3), (None, 1)):
        shapes = []
        drawer(watched(shapes), margin=margin, batch_size=1).sketch(picture(2000, 1500))
        assert len(shapes) == pieces


@pytest.mark.parametrize("chosen", [{}, {"size": 20}, {"invert": True}, {"binarize": True}])
def test_a_sketch_can_go_on_into_torch(chosen):
    extractor = Extractor("demo", "A demo.", lambda _: red)
    drawn = Drawer(extractor, red, sketching=Sketching(**chosen)).sketch(picture(30, 40))
    assert torch.from_numpy(drawn.rgb[..., 0]).shape == (30, 40)  # which warns of arrays it may not write to


# Where memory runs out


def short_of_memory(most, shapes, error=torch.OutOfMemoryError):
    """Draw up to so many pixels at once."""

    def draw(rgb):
        shapes.append(tuple(rgb.shape))
        if rgb.shape[0] * rgb.shape[2] * rgb.shape[3] > most:
            raise error("CUDA out of memory. Tried to allocate 2.00 GiB")
        return red(rgb)

    return draw


@pytest.mark.parametrize("error", [torch.OutOfMemoryError, RuntimeError, MemoryError])
def test_out_of_memory_halves_the_batch_and_remembers_it(error):
    shapes, told = [], []
    made = drawer(short_of_memory(2 * 400, shapes, error), tell=told.append)
    pictures = [picture(20, 20, seed) for seed in range(8)]
    for _ in range(2):
        drawn = made.draw([made.prepare(picture) for picture in pictures])
        for original, sketch_of in zip(pictures, drawn, strict=True):
            np.testing.assert_array_equal(made.finish(sketch_of).rgb[..., 0], original.rgb[..., 0])
    assert [shape[0] for shape in shapes] == [8, 4, *[2] * 4, *[2] * 4]
    assert told == ["out of memory on cpu: demo goes on with half as much at once"] * 2


def test_out_of_memory_for_one_picture_leads_to_tiles():
    shapes, told = [], []
    made = drawer(short_of_memory(2000, shapes), tell=told.append, margin=4)
    given = picture(90, 80)
    np.testing.assert_array_equal(made.sketch(given).rgb[..., 0], given.rgb[..., 0])
    assert shapes[0] == (1, 3, 90, 80)
    assert told[-1] == "out of memory on cpu: demo goes on in smaller tiles"
    before = len(shapes)
    made.sketch(given)
    assert all(count * height * width <= 2000 for count, _, height, width in shapes[before:])


@pytest.mark.parametrize(
    ("margin", "said"),
    [(None, "which it cannot draw in tiles, as it looks at the whole"), (4, "not even in tiles")],
)
def test_where_nothing_helps_it_is_said_and_smaller_pictures_are_still_drawn(margin, said):
    made = drawer(short_of_memory(50, []), margin=margin)
    with pytest.raises(DeviceError, match=f"demo on cpu: not enough memory for 40×30 pixels, {said}; use a"):
        made.sketch(picture(30, 40))
    assert made.sketch(picture(5, 5)).rgb.shape == (5, 5, 3)


def test_another_error_of_the_device_is_none_of_memory():
    def broken(rgb):
        raise RuntimeError("CUDA error: device-side assert triggered")

    with pytest.raises(RuntimeError, match="device-side assert"):
        drawer(broken).sketch(picture(5, 5))


# What a sketcher notes, and what is said


def test_notes_are_kept_with_their_picture():
    class Noting:
        def __call__(self, rgb):
            return red(rgb)

        def notes(self, rgb):
            return [{"mean": round(picture.mean().item(), 4)} for picture in rgb]

    made = drawer(Noting())
    pictures = [picture(6, 7, seed) for seed in range(3)]
    drawn = made.draw([made.prepare(picture) for picture in pictures])
    assert [sketch.notes for sketch in drawn] == [
        {"mean": round(float(picture.rgb.mean()), 4)} for picture in pictures
    ]
    assert drawer(red).draw([made.prepare(pictures[0])])[0].notes == {}


@pytest.mark.parametrize(
    ("declared", "size", "lines"),
    [
        ({"working_size": 64}, NATIVE, 1),
        ({"working_size": 64}, None, 0),
        ({"working_size": 64}, 640, 0),
        ({"working_size": 64, "margin": 8}, NATIVE, 0),
        ({}, NATIVE, 0),
    ],
)
def test_a_network_that_looks_at_the_whole_says_so_at_native_size(declared, size, lines):
    told = []
    demo = Extractor("demo", "A demo.", lambda _: red, **declared)
    Loader(installed(demo), sketching=Sketching(size=size), tell=told.append).load("demo")
    assert len(told) == lines
    assert all("demo looks at the whole picture" in line for line in told)


def test_the_number_format_reaches_the_extractor():
    formats = []
    demo = Extractor("demo", "A demo.", lambda resources: formats.append(resources.precision) or red)
    Loader(installed(demo)).load("demo")
    Loader(installed(demo), precision="bfloat16").load("demo")
    assert formats == ["float32", "bfloat16"]


# Without torch


class Arrays:
    """Draws the red of arrays, and says what it was shown."""

    def __init__(self):
        self.shown = []

    def __call__(self, rgb):
        raise AssertionError("arrays are to be drawn")

    def draw_array(self, rgb):
        self.shown.append(rgb.shape)
        return rgb[:, :1].copy()


def test_a_sketcher_of_arrays_gets_arrays_in_batches_and_in_tiles():
    pictures = [picture(30, 40, seed) for seed in (0, 1)]
    sketcher = Arrays()
    made = drawer(sketcher, margin=4)
    drawn = made.draw([made.prepare(picture) for picture in pictures])
    assert sketcher.shown == [(2, 3, 30, 40)]
    for original, sketched in zip(pictures, drawn, strict=True):
        np.testing.assert_array_equal(made.finish(sketched).rgb[..., 0], original.rgb[..., 0])
    sketcher = Arrays()
    long = picture(400, 3000)
    np.testing.assert_array_equal(drawer(sketcher, margin=4).sketch(long).rgb[..., 0], long.rgb[..., 0])
    assert sketcher.shown == [(2, 3, 400, 1504)]


def test_a_sketcher_of_arrays_of_the_wrong_shape_is_named():
    sketcher = Arrays()
    sketcher.draw_array = lambda rgb: rgb
    with pytest.raises(PluginError, match="the extractor gave a sketch of shape"):
        drawer(sketcher).sketch(picture(8, 8))


@pytest.mark.parametrize("method", ["xdog", "gray"])
def test_filters_need_no_torch(tmp_path, method):
    write_picture(tmp_path / "a.png", picture(40, 30))
    code = (
        "import sys; from sketchcolor_cli import ExtractRequest, extract\n"
        "given = dict(inputs=[sys.argv[1]], output=sys.argv[2], method=sys.argv[3], device='cpu')\n"
        "request = ExtractRequest.of(**given)\n"
        "assert extract(request).done; print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "a.png", tmp_path / "out", method],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "False\n"
