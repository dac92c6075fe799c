from __future__ import annotations

import itertools

import pytest
import torch

from sketchcolor_cli.imaging.sizes import SizeRule
from sketchcolor_cli.plugin.contract import Extractor, Parameter, Resources
from sketchcolor_cli.testing import check_extractor


def extractor(draw, **changes):
    return Extractor(**{"name": "demo", "summary": "A demo.", "load": lambda resources: draw} | changes)


def gray(rgb):
    return rgb.mean(1, keepdim=True)


def counting():
    """Draw paler at every call."""
    calls = itertools.count(1)
    return lambda rgb: gray(rgb) / next(calls)


def remembering():
    """Divide by the brightest value seen so far, like a running statistic."""
    seen = [0.1]

    def draw(rgb):
        seen.append(max(seen[-1], gray(rgb).max().item()))
        return gray(rgb) / seen[-1]

    return draw


def in_place(rgb):
    return rgb.mul_(0.5)[:, :1]


def printing(rgb):
    print("drawing")  # noqa: T201 - that is what is to be caught
    return gray(rgb)


def by_layout(rgb):
    return gray(rgb) * (1.0 if rgb.is_contiguous() else 0.5)


@pytest.mark.parametrize(
    "rule", [SizeRule(), SizeRule(multiple=8, minimum=16), SizeRule(multiple=32, square=True)]
)
def test_an_extractor_that_keeps_the_contract_passes(rule):
    def draw(rgb):
        assert rgb.shape[2] % rule.multiple == 0
        return gray(rgb)

    check_extractor(extractor(draw, size=rule))


BAD = {
    "three channels": (lambda rgb: rgb, r"shape \(3, 3, 1, 1\), not \(3, 1, 1, 1\)"),
    "no channel": (lambda rgb: rgb[:, 0], r"shape \(3, 1, 1\), not \(3, 1, 1, 1\)"),
    "cropped": (
        lambda rgb: gray(rgb)[..., : rgb.shape[3] // 8 * 8 or 1],
        r"shape \(3, 1, 1, 1\), not \(3, 1, 1, 7\)",
    ),
    "only one of the batch": (lambda rgb: gray(rgb)[:1], r"shape \(1, 1, 1, 1\), not \(3, 1, 1, 1\)"),
    "numpy": (lambda rgb: gray(rgb).numpy(), "returns ndarray, not a tensor"),
    "double": (lambda rgb: gray(rgb).double(), "is torch.float64, not torch.float32"),
    "other device": (lambda rgb: gray(rgb).to("meta"), "is on meta, not cpu"),
    "above 1": (lambda rgb: gray(rgb) * 255, r"values from 0 to 1\d\d\.\d* leave \[0, 1\]"),
    "below 0": (lambda rgb: gray(rgb) - 0.5, r"values from -0\.5 to .* leave"),
    "not a number": (lambda rgb: gray(rgb) / gray(rgb) * gray(rgb), "not finite"),
    "divided by the batch's maximum": (lambda rgb: gray(rgb) * 0.5 / rgb.sum(), "with the other pictures"),
    "neighbour in the batch": (lambda rgb: gray(rgb.roll(1, 0)), "with the other pictures"),
    "divided by the batch's size": (lambda rgb: gray(rgb) / len(rgb), "comes alone"),
    "random": (lambda rgb: torch.rand_like(gray(rgb)), "changes by"),
    "in place": (in_place, "changed in place"),
    "by layout": (by_layout, "with the layout in memory"),
    "printing": (printing, "demo prints: 'drawing"),
}


@pytest.mark.parametrize(("draw", "said"), BAD.values(), ids=BAD.keys())
def test_each_broken_rule_is_found(draw, said):
    with pytest.raises(AssertionError, match=said):
        check_extractor(extractor(draw))


@pytest.mark.parametrize("make", [counting, remembering])
def test_a_sketcher_with_a_memory_is_found(make):
    with pytest.raises(AssertionError, match=r"demo, pictures of .*: .* changes? by"):
        check_extractor(extractor(make()))


def test_printing_while_it_is_loaded_is_found():
    def load(resources):
        print("loading")  # noqa: T201 - that is what is to be caught
        return gray

    with pytest.raises(AssertionError, match="demo prints: 'loading"):
        check_extractor(extractor(gray, load=load))


def test_a_load_that_returns_no_sketcher_is_found():
    with pytest.raises(AssertionError, match="load returns 'xdog', which cannot be called"):
        check_extractor(extractor("xdog"))


def test_it_is_the_padded_picture_that_must_not_be_changed():
    with pytest.raises(AssertionError, match=r"given \(3, 3, 8, 8\): the pictures are changed"):
        check_extractor(extractor(in_place, size=SizeRule(multiple=8)))


def test_resources_are_passed_on_and_else_hold_the_defaults():
    asked = []

    def load(resources):
        asked.append((resources.device, dict(resources.parameters)))
        return gray

    demo = extractor(gray, load=load, parameters=(Parameter("sigma", 0.5, "Width in pixels."),))
    check_extractor(demo)
    check_extractor(demo, Resources(parameters={"sigma": 2.0}))
    assert asked == [("cpu", {"sigma": 0.5}), ("cpu", {"sigma": 2.0})]


def widened(rgb):
    """Draw each place by what is up to three pixels away."""
    return torch.nn.functional.avg_pool2d(gray(rgb), 7, stride=1, padding=3, count_include_pad=False)


@pytest.mark.parametrize(
    "rule", [SizeRule(), SizeRule(multiple=8, minimum=40), SizeRule(multiple=4, square=True)]
)
def test_a_margin_that_is_wide_enough_passes(rule):
    check_extractor(extractor(widened, margin=3, size=rule))
    check_extractor(extractor(widened, margin=20, size=rule))


@pytest.mark.parametrize(
    ("draw", "said"),
    [
        (widened, "margin of 2 pixels to the right"),
        (lambda rgb: gray(rgb) * rgb.amax((1, 2, 3), keepdim=True), "margin of 2 pixels to the right"),
        (lambda rgb: (gray(rgb) + gray(rgb).roll(-5, 2)) / 2, "margin of 2 pixels below"),
    ],
)
def test_a_margin_that_is_too_narrow_is_found(draw, said):
    with pytest.raises(AssertionError, match=said):
        check_extractor(extractor(draw, margin=2))


class Noting:
    """Draw grey, and note what it is given to."""

    def __init__(self, note):
        self.note = note

    def __call__(self, rgb):
        return gray(rgb)

    def notes(self, rgb):
        return self.note(rgb)


def test_notes_that_are_in_order_pass():
    check_extractor(extractor(Noting(lambda rgb: [{"mean": picture.mean().item()} for picture in rgb])))


@pytest.mark.parametrize(
    ("note", "said"),
    [
        (lambda rgb: [{}], "1 notes for 3 pictures"),
        (lambda rgb: [{"mean": picture.mean()} for picture in rgb], "not in plain types"),
        (lambda rgb: [{"shape": picture.shape} for picture in rgb], "not in plain types"),
        (lambda rgb: [{"place": place} for place in range(len(rgb))], "change when a picture comes alone"),
    ],
)
def test_notes_that_are_not_are_found(note, said):
    with pytest.raises(AssertionError, match=said):
        check_extractor(extractor(Noting(note)))


class Both:
    """Draws tensors and arrays."""

    def __init__(self, shape=slice(None), paler=1.0):
        self.shape, self.paler = shape, paler

    def __call__(self, rgb):
        return gray(rgb)

    def draw_array(self, rgb):
        return (rgb.mean(1, keepdims=True) * self.paler)[self.shape]


def test_arrays_are_drawn_as_tensors_are():
    check_extractor(extractor(Both()))
    with pytest.raises(AssertionError, match="draw_array differs from the sketch by 0"):
        check_extractor(extractor(Both(paler=0.5)))
    with pytest.raises(AssertionError, match=r"draw_array gives float32 of .* is due"):
        check_extractor(extractor(Both(shape=0)))
