"""Pages coloured by ONNX Runtime: the same to 1 of 255, without torch, and chosen as the user says."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import zipfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from sketchcolor_cli.coloring.colorizer import Colorizer
from sketchcolor_cli.coloring.settings import ColorizeSettings
from sketchcolor_cli.compute import graphs, onnx, precision, slim
from sketchcolor_cli.errors import CheckpointError, DeviceError
from sketchcolor_cli.imaging.picture import Picture
from sketchcolor_cli.imaging.reading import read_picture
from sketchcolor_cli.imaging.resize import shrink_by
from sketchcolor_cli.imaging.writing import write_picture
from sketchcolor_cli.jobs.requests import ColorizeRequest
from sketchcolor_cli.networks import backend, export
from sketchcolor_cli.networks.backend import Backends
from sketchcolor_cli.networks.base import ColorNet
from sketchcolor_cli.networks.checkpoint import load_model, save_model
from sketchcolor_cli.networks.exportable import of_network
from sketchcolor_cli.networks.forward import Inputs
from sketchcolor_cli.networks.graph_files import GRAPHS, graph_name
from sketchcolor_cli.networks.onnx_forward import OnnxForward
from sketchcolor_cli.networks.registry import BUNDLED, MATCHER
from tiny_model import DATA, GRAPH, MODEL

PAGES = Path(__file__).parents[1] / "examples" / "pages"

needs_runtime = pytest.mark.skipif(not onnx.is_installed(), reason="the extra onnx is not installed")


@pytest.fixture
def there(tmp_path: Path) -> Backends:
    """Backends that have the graph of the model."""
    made = Backends(tmp_path / "onnx")
    made.graph(MODEL).parent.mkdir(parents=True)
    shutil.copyfile(GRAPH, made.graph(MODEL))
    return made


@needs_runtime
@pytest.mark.parametrize(
    ("model", "folder"), [(MODEL, DATA), (BUNDLED / "default.safetensors", GRAPHS), (MATCHER, GRAPHS)]
)
def test_a_graph_is_that_of_the_network_as_it_is_now(model: Path, folder: Path) -> None:
    """If not, `python tools/make_graphs.py` makes it again."""
    what = of_network(load_model(model)[0], {})
    network = graphs.Network(folder / graph_name(model), graphs.read_tensors(model))
    assert export.difference(what, network.run) < export.CLOSE


@needs_runtime
def test_without_a_sheet_a_page_is_the_same_by_the_bare_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    model = BUNDLED / "default.safetensors"
    bare = OnnxForward(GRAPHS / graph_name(model), model)
    monkeypatch.setattr(graphs, "parts", lambda _: [graphs.WHOLE])
    whole = OnnxForward(GRAPHS / graph_name(model), model)
    rng = np.random.default_rng(0)
    height, width = 3 * bare.multiple, 2 * bare.multiple
    shown = Inputs(
        *(rng.random(shape, np.float32) for shape in ((height, width), (height, width, 4))),
        rng.random((height // bare.stride, width // bare.stride, 4), np.float32),
    )
    assert np.abs(bare.paint(shown) - whole.paint(shown)).max() < export.CLOSE
    for one, other in zip(bare.possible(shown)[:2], whole.possible(shown)[:2], strict=True):
        assert np.abs(one - other).max() < export.CLOSE
    sheet = shown._replace(sheet=np.ones((bare.sheet_size, bare.sheet_size, 4), np.float32))
    assert np.array_equal(bare.paint(sheet), whole.paint(sheet))


@needs_runtime
def test_a_graph_knows_no_weights() -> None:
    network = load_model(MODEL, ColorNet)[0]
    torch.manual_seed(1)
    with torch.no_grad():
        for tensor in network.state_dict().values():
            if tensor.is_floating_point():
                tensor.mul_(torch.rand_like(tensor) + 0.5)
    other, same = (of_network(net, {}) for net in (network, load_model(MODEL, ColorNet)[0]))
    run = graphs.Network(GRAPH, export.tensors_of(other)).run
    assert export.difference(other, run) < export.CLOSE
    assert export.difference(same, run) > 1


def test_a_damaged_graph_is_one_line_wherever_its_damage_is(tmp_path: Path) -> None:
    data, chance = bytearray(GRAPH.read_bytes()), random.Random(0)  # noqa: S311 - a seed is what is wanted
    file = tmp_path / "graph.zip"
    for _ in range(60):
        damaged = bytearray(data)
        for _ in range(4):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        file.write_bytes(damaged)
        with suppress(CheckpointError):
            graphs.parts(file)
    for about in ("5", "[1]", "null", "{}"):
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("about.json", about)
            archive.writestr(graphs.WHOLE, b"")
        with pytest.raises(CheckpointError, match="not the graph of a network, or damaged"):
            graphs.parts(file)


def test_the_graphs_that_come_with_the_package_are_small_and_no_others() -> None:
    files = list(GRAPHS.iterdir())
    assert {path.name for path in files} == {
        graph_name(model) for model in (BUNDLED / "default.safetensors", MATCHER)
    }
    assert sum(path.stat().st_size for path in files) < 100_000


@needs_runtime
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda tensors: tensors.pop("stem.weight"), "lacks tensor stem.weight"),
        (lambda tensors: tensors.update(more=np.zeros(1, np.float32)), "has unexpected tensor more"),
        (
            lambda tensors: tensors.update({"stem.bias": np.zeros(1, np.float32)}),
            r"tensor stem.bias is \(1,\)",
        ),
    ],
)
def test_tensors_that_do_not_fit_are_refused(change: Any, said: str) -> None:
    tensors = graphs.read_tensors(MODEL)
    change(tensors)
    with pytest.raises(CheckpointError, match=said):
        graphs.Network(GRAPH, tensors)


def test_numbers_that_are_none_are_refused(tmp_path: Path) -> None:
    save_file({"a": np.array([np.nan], np.float32)}, tmp_path / "bad.safetensors")
    with pytest.raises(CheckpointError, match="tensor a has values that are not finite"):
        graphs.read_tensors(tmp_path / "bad.safetensors")


@needs_runtime
@pytest.mark.parametrize("sheets", [0, 1, 2])
def test_a_page_is_the_same_to_one_of_255(sheets: int) -> None:
    page = read_picture(min(PAGES.glob("*.png")))
    small = Picture(shrink_by(page.rgb, 0.3), gray=page.gray)
    settings = ColorizeSettings(work_size=160, base_size=128, seed=7)
    shown = [Picture(np.full((60, 40, 3), color, np.float32)) for color in (0.2, 0.7)][:sheets]
    results = [
        Colorizer(model, "cpu", settings, sheets=shown)(small).rgb
        for model in (load_model(MODEL, ColorNet)[0], OnnxForward(GRAPH, MODEL))
    ]
    assert np.ptp(results[0] - results[0].mean(2, keepdims=True)) > 0.05  # there are colours
    assert np.abs(results[0] - results[1]).max() <= 1 / 255


@needs_runtime
def test_a_page_is_coloured_without_torch(tmp_path: Path, there: Backends) -> None:
    write_picture(tmp_path / "page.png", Picture(np.ones((60, 50, 3), np.float32), gray=True))
    kept = there.folder / f"{GRAPH.stem}.trial.json"
    kept.write_text(json.dumps({"machine": backend.machine(), "torch": 1.0, "brief": 1.0, "onnx": 0.5}))
    code = (
        "import sys; from sketchcolor_cli import ColorizeRequest, colorize\n"
        "request = ColorizeRequest.of(inputs=[sys.argv[1]], output=sys.argv[2], model=sys.argv[3])\n"
        "assert colorize(request).done; print(sorted({'torch', 'torchvision'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "page.png", tmp_path / "out", MODEL],
        env={**os.environ, "SKETCHCOLOR_CACHE": str(tmp_path), "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    if sys.platform == "linux" and not any(Path("/dev").glob("nvidia*")):
        assert done.stdout.strip() == "[]"


@needs_runtime
def test_auto_tries_once_and_takes_torch_only_where_it_is_clearly_faster(
    there: Backends, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = {"OnnxForward": 1.0, "TorchForward": 0.9}
    tried: list[str] = []

    def seconds(network: object, precision: str = "float32") -> float:
        tried.append(type(network).__name__)
        return times[tried[-1]] / (2 if precision == "bfloat16" else 1)

    monkeypatch.setattr(backend, "_seconds", seconds)
    monkeypatch.setattr(precision, "choose", lambda _device: "float32")
    assert isinstance(there.load(MODEL, "cpu"), OnnxForward)
    assert isinstance(there.load(MODEL, "cpu"), OnnxForward)
    assert sorted(tried) == ["OnnxForward", "TorchForward"]
    for kept in there.folder.glob("*.trial.json"):
        kept.write_text("{}")  # such as another version's
    times["TorchForward"] = 0.5
    assert isinstance(there.load(MODEL, "cpu"), ColorNet)
    assert len(tried) == 4


@needs_runtime
def test_where_answers_may_be_less_exact_that_counts(
    there: Backends, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backend, "_seconds", lambda _network, how="float32": 0.5 if how == "bfloat16" else 1)
    monkeypatch.setattr(precision, "choose", lambda _device: "bfloat16")
    assert isinstance(there.load(MODEL, "cpu"), OnnxForward)
    assert isinstance(replace(there, brief=True).load(MODEL, "cpu"), ColorNet)


@needs_runtime
def test_a_trial_takes_its_times() -> None:
    assert 0 < backend._seconds(OnnxForward(GRAPH, MODEL)) < 5


@pytest.mark.parametrize(("wanted", "device"), [("auto", "cpu"), ("torch", "cpu"), ("auto", "meta")])
def test_without_a_file_and_where_it_is_of_no_use_it_is_torch(
    tmp_path: Path, wanted: str, device: str
) -> None:
    assert isinstance(Backends(tmp_path, wanted).load(MODEL, device), ColorNet)
    assert list(tmp_path.iterdir()) == []


@needs_runtime
def test_a_damaged_graph_is_passed_over(there: Backends) -> None:
    there.graph(MODEL).write_bytes(b"damaged")
    assert isinstance(there.load(MODEL, "cpu"), ColorNet)


@needs_runtime
def test_the_graph_is_made_once_where_onnx_is_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, said = [], []

    def pretend(_what: object, path: Path) -> float:
        made.append(path)
        shutil.copyfile(GRAPH, path)
        return 0.0

    monkeypatch.setattr(export, "export_graph", pretend)
    backends = Backends(tmp_path / "new", "onnx", said.append)
    assert isinstance(backends.load(MODEL, "cpu"), OnnxForward)
    assert isinstance(backends.load(MODEL, "cpu"), OnnxForward)
    assert made == [backends.graph(MODEL)]
    assert said == ["tiny: its ONNX graph is made, once; that takes about a minute"]


@needs_runtime
def test_models_of_one_shape_share_a_graph(tmp_path: Path) -> None:
    network = load_model(BUNDLED / "default.safetensors", ColorNet)[0]
    mine = tmp_path / "mine.safetensors"
    save_model(mine, network, provenance={}, licence="CC0-1.0", half=True)
    assert Backends(tmp_path).graph(mine).parent == GRAPHS


def test_what_is_missing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slim, "has_torch", lambda: False)
    with pytest.raises(DeviceError, match="--backend torch: torch is not installed; pip install torch"):
        Backends(tmp_path, "torch").load(MODEL, "cpu")
    if onnx.is_installed():
        with pytest.raises(DeviceError, match="tiny: to make its ONNX graph, once: torch is not installed"):
            Backends(tmp_path, "auto").load(MODEL, "cpu")


def test_onnx_on_a_gpu_and_without_the_extra_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backends = Backends(tmp_path, "onnx")
    with pytest.raises(DeviceError, match="is for the processor, not for cuda; use --device cpu"):
        backends.load(MODEL, "cuda")
    monkeypatch.setattr(onnx, "is_installed", lambda: False)
    with pytest.raises(DeviceError, match="pip install onnxruntime"):
        backends.load(MODEL, "cpu")


@needs_runtime
def test_a_graph_of_another_network_is_refused() -> None:
    with pytest.raises(CheckpointError, match="not the graph of a colour network"):
        OnnxForward(GRAPHS / graph_name(MATCHER), MATCHER)


def test_results_do_not_depend_on_what_computes_them() -> None:
    asked = [ColorizeRequest.of(inputs=["a"], output="b", backend=backend) for backend in ("torch", "onnx")]
    assert asked[0].decisive() == asked[1].decisive()
