"""The extractor contract as one function, for the tests of plugin authors and for ours."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING

import torch

from sketchcolor_cli.extraction.drawer import sketch
from sketchcolor_cli.plugin.contract import Extractor, Resources

if TYPE_CHECKING:
    from torch import Tensor

    from sketchcolor_cli.plugin.contract import Sketcher

_SIZES = ((1, 1), (1, 7), (7, 1), (33, 65), (64, 48))
_ROUNDING = 1e-6  # batches of one size go through the same arithmetic
_OTHER_KERNELS = (
    0.5 / 255
)  # a batch of another size or layout may not; on average, as a threshold may turn a pixel


def check_extractor(extractor: Extractor, resources: Resources | None = None) -> None:
    """Load an extractor and check that its sketcher keeps the contract, at odd sizes too.

    Checked are the sketch's shape, type, device and values; that each row depends on its own picture alone,
    and the same pictures give the same sketches; that the pictures are left as they were, and may lie in
    memory channels last; that a declared margin is wide enough; that notes, where there are any, are one for
    each picture and in plain types; that ``draw_array``, where it is there, gives the same; that nothing is
    printed. Whether paper is 1 and ink 0, and whether the
    lines are good, is for the author to test.

    Args:
        extractor: The extractor.
        resources: What it is loaded with; when not given, the CPU and the parameters' defaults.

    Raises:
        AssertionError: A rule is broken; the text says which, and for pictures of which size.
        Exception: Whatever the extractor itself raises.
    """
    resources = resources or Resources(parameters=extractor.defaults())
    printed = io.StringIO()
    with redirect_stdout(printed), redirect_stderr(printed):
        sketcher = extractor.load(resources)
        for height, width in _SIZES:
            pictures = _pictures(height, width, resources.device)
            _check_size(extractor, _Checked(extractor.name, sketcher), pictures)
            _check_notes(extractor, sketcher, pictures)
            _check_arrays(extractor, sketcher, pictures)
        _check_margin(extractor, sketcher, resources.device)
    _require(not printed.getvalue(), f"{extractor.name} prints: {printed.getvalue()[:200]!r}")


class _Checked:
    """A sketcher that looks at each call of another."""

    def __init__(self, name: str, sketcher: Sketcher) -> None:
        _require(callable(sketcher), f"{name}: load returns {sketcher!r}, which cannot be called")
        self.name = name
        self.sketcher = sketcher

    def __call__(self, rgb: Tensor, /) -> Tensor:
        before = rgb.clone()
        drawn = self.sketcher(rgb)
        where = f"{self.name}, given {tuple(rgb.shape)}"
        _require(isinstance(drawn, torch.Tensor), f"{where}: returns {type(drawn).__name__}, not a tensor")
        due = (len(rgb), 1, *rgb.shape[2:])
        _require(drawn.shape == due, f"{where}: the sketch has shape {tuple(drawn.shape)}, not {due}")
        _require(drawn.dtype == torch.float32, f"{where}: the sketch is {drawn.dtype}, not torch.float32")
        _require(drawn.device == rgb.device, f"{where}: the sketch is on {drawn.device}, not {rgb.device}")
        _require(bool(drawn.isfinite().all()), f"{where}: the sketch has values that are not finite numbers")
        low, high = drawn.min().item(), drawn.max().item()
        _require(low >= 0 and high <= 1, f"{where}: values from {low:g} to {high:g} leave [0, 1]")
        _require(torch.equal(rgb, before), f"{where}: the pictures are changed in place")
        return drawn


def _check_size(extractor: Extractor, sketcher: _Checked, pictures: Tensor) -> None:
    def draw(rgb: Tensor) -> Tensor:
        return sketch(sketcher, extractor.size, rgb).clone()

    where = f"{extractor.name}, pictures of {pictures.shape[2]}×{pictures.shape[3]}"
    first = draw(pictures)
    for row, picture in enumerate(pictures):
        among_others = 1 - pictures
        among_others[row] = picture
        changed = (draw(among_others)[row] - first[row]).abs().max().item()
        _require(
            changed <= _ROUNDING,
            f"{where}: a sketch changes by {changed:g} with the other pictures of the batch",
        )
        changed = (draw(picture[None])[0] - first[row]).abs().mean().item()
        _require(
            changed <= _OTHER_KERNELS,
            f"{where}: a sketch changes by {changed:g} when its picture comes alone",
        )
    changed = (draw(pictures.contiguous(memory_format=torch.channels_last)) - first).abs().mean().item()
    _require(
        changed <= _OTHER_KERNELS, f"{where}: the sketches change by {changed:g} with the layout in memory"
    )
    changed = (draw(pictures) - first).abs().max().item()
    _require(changed <= _ROUNDING, f"{where}: the same pictures drawn again change by {changed:g}")


def _check_notes(extractor: Extractor, sketcher: Sketcher, pictures: Tensor) -> None:
    describe = getattr(sketcher, "notes", None)
    if describe is None:
        return
    notes = [dict(note) for note in describe(pictures)]
    where = f"{extractor.name}, pictures of {pictures.shape[2]}×{pictures.shape[3]}"
    _require(len(notes) == len(pictures), f"{where}: {len(notes)} notes for {len(pictures)} pictures")
    try:
        same = json.loads(json.dumps(notes)) == notes
    except (TypeError, ValueError):
        same = False
    _require(same, f"{where}: the notes are not in plain types: {notes[0]!r}")
    alone = [dict(describe(picture[None])[0]) for picture in pictures]
    _require(alone == notes, f"{where}: the notes change when a picture comes alone")


def _check_arrays(extractor: Extractor, sketcher: Sketcher, pictures: Tensor) -> None:
    draw_array = getattr(sketcher, "draw_array", None)
    if draw_array is None:
        return
    where = f"{extractor.name}, pictures of {pictures.shape[2]}×{pictures.shape[3]}"
    plan = extractor.size.plan(*pictures.shape[2:])
    pictures = pictures[:, :, plan.rows][..., plan.columns]
    due = sketcher(pictures).cpu().numpy()
    drawn = draw_array(pictures.cpu().numpy())
    _require(
        drawn.shape == due.shape and drawn.dtype == due.dtype,
        f"{where}: draw_array gives {drawn.dtype} of {drawn.shape} where {due.dtype} of {due.shape} is due",
    )
    changed = abs(drawn - due).max()
    _require(changed <= _ROUNDING, f"{where}: draw_array differs from the sketch by {changed:g}")


def _check_margin(extractor: Extractor, sketcher: Sketcher, device: str) -> None:
    """Change what is farther away than the margin, to the right and then below: nothing may come of it."""
    if extractor.margin is None:
        return
    rule = extractor.size
    kept = 2 * rule.multiple
    # No padding beside what is kept, so that what is changed does not stand in it.
    length = rule.plan(kept + extractor.margin + 32, 1).padded_height
    across = _pictures(max(8, rule.minimum), length, device)
    for pictures, where in ((across, "to the right"), (across.transpose(2, 3).contiguous(), "below")):
        other = pictures.clone()
        far = other if where == "below" else other.transpose(2, 3)
        far[:, :, kept + extractor.margin :] = 1 - far[:, :, kept + extractor.margin :]
        difference = sketch(sketcher, rule, other) - sketch(sketcher, rule, pictures)
        near = difference if where == "below" else difference.transpose(2, 3)
        changed = near[:, :, :kept].abs().max().item()
        _require(
            changed <= _ROUNDING,
            f"{extractor.name}: a sketch changes by {changed:g} with what is more than its margin of "
            f"{extractor.margin} pixels {where}",
        )


def _pictures(height: int, width: int, device: str) -> Tensor:
    """Three pictures: noise; a line across paper; a dark slope from side to side."""
    noise = torch.rand(3, height, width, generator=torch.Generator().manual_seed(0))
    line = torch.ones(3, height, width)
    line[:, height // 2] = 0
    slope = torch.linspace(0, 0.5, width).expand(3, height, width)
    return torch.stack([noise, line, slope]).to(device)


def _require(kept: bool, message: str) -> None:
    if not kept:
        raise AssertionError(message)
