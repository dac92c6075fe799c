"""A limit on how long work may take: kept where it is looked at, and looked at wherever work may be long."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sketchcolor_cli.coloring.colorizer import Colorizer
from sketchcolor_cli.coloring.extras.layers import write_layers
from sketchcolor_cli.coloring.extras.outputs import with_extras
from sketchcolor_cli.coloring.settings import ColorizeSettings, Extras, LayerFormat
from sketchcolor_cli.compute.deadline import Deadline, check, within
from sketchcolor_cli.errors import TimeLimitError
from sketchcolor_cli.extraction.loader import Loader
from sketchcolor_cli.imaging.picture import Picture
from sketchcolor_cli.networks.config import HintUNetConfig
from sketchcolor_cli.networks.hint_unet import HintUNet
from sketchcolor_cli.plugin.discovery import find_extractors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def test_nothing_is_limited_without_a_deadline() -> None:
    check()


def test_work_is_left_when_its_time_is_over() -> None:
    limit = Deadline(60)
    with within(limit):
        check()
        limit.bring_to(0)
        with pytest.raises(TimeLimitError):
            check()
    check()


def test_nothing_is_begun_after_the_time() -> None:
    with pytest.raises(TimeLimitError), within(Deadline(0)):
        pytest.fail("it was begun")


def test_a_deadline_is_never_put_off() -> None:
    limit = Deadline(0)
    limit.bring_to(60)
    assert limit.is_over


GRAY = np.random.default_rng(0).random((64, 48, 1)).astype(np.float32)
PAGE = Picture(rgb=GRAY.repeat(3, 2), gray=True)


@contextmanager
def time_is_over() -> Iterator[None]:
    limit = Deadline(60)
    with within(limit):
        limit.bring_to(0)
        yield


def colorizer() -> Colorizer:
    network = HintUNet(HintUNetConfig(widths=(8, 16), depths=(1, 1), stride=4, lab_step=24.0))
    return Colorizer(network, "cpu", ColorizeSettings(work_size=64, base_size=64))


def made(extras: Extras) -> Callable[[], object]:
    painted = colorizer().paint(PAGE)
    return lambda: with_extras(PAGE, painted, (), extras)


def layered(kind: LayerFormat) -> Callable[[], object]:
    painted = colorizer().paint(PAGE)
    done = with_extras(PAGE, painted, (), Extras(layers=kind))
    merged = (255 * done.picture.rgb).astype(np.uint8)
    return lambda: write_layers(Path("absent") / "page", done.layers, lambda: merged, kind)


def painted_only() -> Callable[[], object]:
    color, known = colorizer(), colorizer().prepare(PAGE)
    return lambda: color.paint(PAGE, prepared=known)


def drawn() -> Callable[[], object]:
    drawer = Loader(find_extractors()).load("xdog")
    prepared = drawer.prepare(PAGE)
    return lambda: drawer.draw([prepared])


@pytest.mark.parametrize(
    "step",
    [
        lambda: lambda: colorizer().prepare(PAGE),
        painted_only,
        lambda: made(Extras()),
        lambda: made(Extras(flats=True)),
        lambda: layered(LayerFormat.ORA),
        lambda: layered(LayerFormat.PNG),
        lambda: lambda: Loader(find_extractors()).load("xdog").prepare(PAGE),
        drawn,
    ],
    ids=["masks", "network", "compositing", "flats", "layers in one file", "layers", "reading", "drawing"],
)
def test_every_step_looks_at_the_time(step: Callable[[], Callable[[], object]]) -> None:
    work = step()
    with pytest.raises(TimeLimitError), time_is_over():
        work()
