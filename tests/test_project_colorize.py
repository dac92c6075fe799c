"""A folder with hints, masks and seeds of its pages, as the studio leaves it, coloured without the studio."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from sketchcolor_cli.jobs.colorize import colorize
from sketchcolor_cli.jobs.requests import ColorizeRequest
from sketchcolor_cli.networks.checkpoint import save_model
from sketchcolor_cli.networks.config import HintUNetConfig
from sketchcolor_cli.networks.hint_unet import HintUNet

STROKE = {"stroke": [[0.3, 0.5], [0.7, 0.5]], "color": "#e02020", "radius": 0.05}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    network = HintUNet(HintUNetConfig(widths=(8, 16), depths=(1, 1), lab_step=24.0))
    torch.nn.init.normal_(network.palette.weight)
    path = tmp_path_factory.mktemp("model") / "small.safetensors"
    save_model(path, network, provenance={"data": "none"}, licence="CC0-1.0")
    return path


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """Two pages, each a ladder of boxes."""
    folder = tmp_path / "pages"
    folder.mkdir()
    for name in ("1.png", "2.png"):
        page = Image.new("L", (100, 400), 255)
        for top in range(10, 350, 90):
            ImageDraw.Draw(page).rectangle((10, top, 89, min(top + 90, 389)), outline=0, width=3)
        page.save(folder / name)
    return folder


def colored(pages: Path, output: Path, model: Path, **more: Any) -> dict[str, np.ndarray]:
    values = {"protect": "none", "strips": False, **more}  # each page by itself
    colorize(ColorizeRequest.of(inputs=[pages], output=output, model=str(model), device="cpu", **values))
    return {path.name: np.asarray(Image.open(path).convert("RGB")) for path in sorted(output.glob("*.png"))}


def test_a_page_has_its_own_strokes_and_the_others_have_none(
    tmp_path: Path, pages: Path, model: Path
) -> None:
    (tmp_path / "hints").mkdir()
    (tmp_path / "hints/1.json").write_text(json.dumps([STROKE]))
    plain = colored(pages, tmp_path / "plain", model)
    painted = colored(pages, tmp_path / "painted", model, hints=[tmp_path / "hints"])
    assert (painted["1.png"] != plain["1.png"]).any()
    np.testing.assert_array_equal(painted["2.png"], plain["2.png"])


def test_a_mask_protects_a_page_and_the_series_file_names_it(
    tmp_path: Path, pages: Path, model: Path
) -> None:
    (pages / "masks").mkdir()
    mask = Image.new("LA", (100, 400), (255, 0))
    mask.paste((255, 255), (0, 0, 100, 200))
    mask.save(pages / "masks/1.png")
    (pages / "series.toml").write_text('masks = "masks"\n')
    found = colored(pages, tmp_path / "out", model)
    assert list(found) == ["1.png", "2.png"]
    page = np.asarray(Image.open(pages / "1.png").convert("RGB"))
    np.testing.assert_allclose(found["1.png"][:180].astype(int), page[:180], atol=2)
    assert (found["1.png"][220:] != page[220:]).any()
    assert (found["2.png"][:180] != page[:180]).any()


def test_a_page_has_its_own_seed_and_is_done_again_when_it_changes(
    tmp_path: Path, pages: Path, model: Path
) -> None:
    (tmp_path / "hints").mkdir()
    hints = tmp_path / "hints"
    first = colored(pages, tmp_path / "s1", model, seed=1)
    for other in range(2, 9):
        wanted = colored(pages, tmp_path / f"s{other}", model, seed=other)["1.png"]
        if (wanted != first["1.png"]).any():
            break
    else:
        pytest.fail("all seeds give the same page")
    (hints / "1.json").write_text(json.dumps({"seed": other, "points": []}))
    done = colored(pages, tmp_path / "out", model, seed=1, hints=[hints])
    np.testing.assert_array_equal(done["1.png"], wanted)
    np.testing.assert_array_equal(done["2.png"], first["2.png"])
    (hints / "1.json").write_text(json.dumps({"seed": 1, "points": []}))
    before = (tmp_path / "out/2.png").stat().st_mtime_ns
    again = colored(pages, tmp_path / "out", model, seed=1, hints=[hints], resume=True)
    np.testing.assert_array_equal(again["1.png"], wanted)  # --resume leaves what is there
    again = colored(pages, tmp_path / "out", model, seed=1, hints=[hints], update=True)
    np.testing.assert_array_equal(again["1.png"], first["1.png"])
    assert (tmp_path / "out/2.png").stat().st_mtime_ns == before


def test_a_page_with_a_seed_of_its_own_is_drawn_beside_its_strokes(
    tmp_path: Path, pages: Path, model: Path
) -> None:
    (tmp_path / "hints").mkdir()

    def found(about: dict[str, Any], name: str, **more: Any) -> np.ndarray:
        (tmp_path / "hints/1.json").write_text(json.dumps({"points": [STROKE], **about}))
        return colored(pages, tmp_path / name, model, hints=[tmp_path / "hints"], **more)["1.png"]

    own = found({"seed": 5}, "own")
    np.testing.assert_array_equal(own, found({}, "drawn", seed=5, guess="draw"))
    assert (own != found({}, "mean", seed=5)).any()
    np.testing.assert_array_equal(
        found({"seed": 5}, "asked", guess="mean"), found({}, "as asked", guess="mean")
    )


def test_only_some_of_the_files(tmp_path: Path, pages: Path, model: Path) -> None:
    request = ColorizeRequest.of(inputs=[pages], output=tmp_path / "out", model=str(model), device="cpu")
    from dataclasses import replace

    outcome = colorize(replace(request, run=replace(request.run, only=(pages / "2.png",))))
    assert [Path(str(done.job.source)).name for done in outcome.done] == ["2.png"]
