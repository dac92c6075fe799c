"""Every extractor that is registered, with random weights: the contract, every kind of picture, odd sizes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from fake_store import fill_store, make_networks_narrow
from sketchcolor_cli import Resources
from sketchcolor_cli.cli.app import app
from sketchcolor_cli.extraction.loader import Loader
from sketchcolor_cli.extraction.settings import NATIVE, Sketching
from sketchcolor_cli.imaging.picture import Picture
from sketchcolor_cli.plugin.discovery import find_extractors
from sketchcolor_cli.testing import check_extractor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sketchcolor_cli.extraction.drawer import Drawer
    from sketchcolor_cli.weights.store import WeightStore

NAMES = find_extractors().names()
EVERY = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WeightStore]:
    extractors = find_extractors()
    with pytest.MonkeyPatch.context() as patch:
        make_networks_narrow(patch)
        files = [file for name in NAMES for file in extractors.weights(name)]
        yield fill_store(tmp_path_factory.mktemp("weights"), files)


def load(store: WeightStore, name: str, *settings: str, size: int | None = None) -> Drawer:
    sketching = Sketching(size=size)
    return Loader(find_extractors(), find_weight=store.find, sketching=sketching).load(name, settings)


def picture(height: int, width: int, seed: int = 0) -> Picture:
    rgb = np.random.default_rng(seed).random((height // 4 + 1, width // 4 + 1, 3), dtype=np.float32)
    return Picture(rgb.repeat(4, 0).repeat(4, 1)[:height, :width].copy())


def test_ours_are_there() -> None:
    assert {"anime2sketch", "anime2sketch-improved", "avg", "gray", "sketch-simplification"} <= {*NAMES}
    assert {"sketchkeras", "xdog"} <= {*NAMES}


@EVERY
def test_it_keeps_the_contract(store: WeightStore, name: str) -> None:
    extractor = find_extractors().get(name)
    check_extractor(
        extractor,
        Resources(
            parameters=extractor.defaults(),
            find_weight=store.find,
            find_extractor=lambda other: load(store, other, size=NATIVE),
        ),
    )


@EVERY
@pytest.mark.parametrize("size", [None, NATIVE])
def test_a_sketch_is_the_same_alone_and_among_others(store: WeightStore, name: str, size: int | None) -> None:
    made = load(store, name, size=size)
    pictures = [picture(70, 41, seed) for seed in range(3)]
    together = made.draw([made.prepare(picture) for picture in pictures])
    for original, drawn in zip(pictures, together, strict=True):
        difference = np.abs(made.finish(drawn).rgb - made.sketch(original).rgb)
        assert difference.mean() < 0.5 / 255


@pytest.mark.parametrize("size", [None, NATIVE, 96])
def test_avg_is_the_mean_of_its_members(store: WeightStore, size: int | None) -> None:
    given = picture(83, 120)
    mean = load(store, "avg", size=size).sketch(given).rgb
    first, second = (
        load(store, name, size=size).sketch(given).rgb for name in ("sketchkeras", "anime2sketch")
    )
    assert np.abs(mean - (first + second) / 2).max() <= 1e-6


# Through the command line

KINDS = {
    "bits.png": ("1", (33, 65)),
    "grey.png": ("L", (1, 1)),
    "grey and alpha.png": ("LA", (40, 7)),
    "palette.gif": ("P", (19, 23)),
    "colour.jpg": ("RGB", (65, 33)),
    "colour and alpha.webp": ("RGBA", (31, 30)),
    "print.jpg": ("CMYK", (24, 50)),
    "deep.png": ("I;16", (20, 21)),
    "long.bmp": ("RGB", (301, 2)),
    "tall.tif": ("RGB", (1, 300)),
}
"""Pictures by name, with mode, width and height."""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    for name, (mode, size) in KINDS.items():
        if mode == "I;16":
            Image.fromarray(np.arange(size[0] * size[1], dtype=np.uint16).reshape(size[::-1]) * 99).save(
                folder / name
            )
            continue
        drawn = Image.new("RGBA", size, (200, 120, 40, 0))
        drawn.paste((30, 60, 200, 255), (0, 0, -(-size[0] // 2), size[1]))
        drawn.convert(mode).save(folder / name)
    return folder


def extract(store: WeightStore, *args: str | Path) -> Any:
    line = ["extract", *map(str, args), "--device", "cpu"]
    return CliRunner().invoke(app, line, env={"SKETCHCOLOR_WEIGHTS": str(store.folder)})


@EVERY
def test_every_kind_of_picture_becomes_a_sketch_of_its_size(
    store: WeightStore, pictures: Path, tmp_path: Path, name: str
) -> None:
    result = extract(store, pictures, "-o", tmp_path, "--method", name, "--size", "64")
    assert result.exit_code == 0, result.output
    found = {}
    for path in tmp_path.glob("[!.]*"):
        with Image.open(path) as sketch:
            assert sketch.format == "PNG"
            found[path.stem] = sketch.mode, sketch.size
    due = {kind.rpartition(".")[0]: ("L", size) for kind, (_, size) in KINDS.items()}
    due["deep"] = ("I;16", KINDS["deep.png"][1])
    assert found == due


def test_shares_that_were_drawn_are_in_the_json(store: WeightStore, pictures: Path, tmp_path: Path) -> None:
    def shares(out: str, *args: str) -> dict[str, dict[str, float]]:
        result = extract(store, pictures, "-o", tmp_path / out, "--json", *args)
        assert result.exit_code == 0, result.output
        done = json.loads(result.stdout)["done"]
        return {page["source"]: page["mix"] for page in done}

    first = shares("a", "--mix", "random:gray,xdog", "--seed", "1")
    assert len(first) == len(KINDS)
    assert all(set(mix) == {"gray", "xdog"} for mix in first.values())
    assert len({mix["gray"] for mix in first.values()}) == len(KINDS)
    assert shares("b", "--mix", "random:gray,xdog", "--seed", "1") == first
    assert shares("c", "--mix", "random:gray,xdog", "--seed", "2") != first
    for name in KINDS:
        sketch = f"{name.rpartition('.')[0]}.png"
        assert (tmp_path / "a" / sketch).read_bytes() == (tmp_path / "b" / sketch).read_bytes()
