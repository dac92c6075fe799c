"""Networks as ONNX files: what the graph computes, and that nothing is kept that answers otherwise."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from sketchcolor_cli.cli.app import app
from sketchcolor_cli.compute import onnx
from sketchcolor_cli.errors import CheckpointError, UsageError
from sketchcolor_cli.jobs import export as job
from sketchcolor_cli.networks import export
from sketchcolor_cli.networks.config import HintUNetConfig
from sketchcolor_cli.networks.exportable import Exportable, of_colors
from sketchcolor_cli.networks.hint_unet import HintUNet

if TYPE_CHECKING:
    from pathlib import Path

SMALL = HintUNetConfig(widths=(8, 12, 16), depths=(1, 1, 2), lab_step=24.0, sheet_width=8, sheet_size=32)


@pytest.fixture(scope="module")
def net() -> HintUNet:
    made, generator = HintUNet(SMALL), torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=0.1)
    return made.eval()


@pytest.mark.parametrize("whole", [True, False])
@torch.inference_mode()
def test_a_graph_that_chooses_no_rows_gives_the_same_colours(
    net: HintUNet, whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    what = of_colors(net, {})
    given = what.make(32, 48, whole)
    sheet = given["sheet"] if whole else None
    due = net(
        given["sketch"], given["hint"], spread=given["spread"], sheet=sheet, z=given["z"] if whole else None
    )
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)
    answers = dict(zip(what.outputs, what.module(*given.values()), strict=True))
    assert torch.equal(answers["color"], due.color)
    assert torch.equal(answers["logits"].permute(0, 3, 1, 2), due.logits)
    assert torch.equal(answers["latent"], due.z)
    assert torch.equal(answers["rgb"], net.rgb(due))


def small(weight: float = 0.5) -> Exportable:
    layer = nn.Conv2d(1, 3, 3, padding=1)
    with torch.no_grad():
        layer.weight.fill_(weight)
        layer.bias.fill_(0.25)  # type: ignore[union-attr]

    class Module(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = layer

        def forward(self, sketch: torch.Tensor) -> tuple[torch.Tensor]:
            return (self.layer(sketch),)

    def make(height: int, width: int, whole: bool) -> dict[str, torch.Tensor]:
        return {"sketch": torch.full((1, 1, height, width), float(whole))}

    return Exportable(Module().eval(), make, 4, {"sketch": 1}, ("drawn",), {"licence": "CC0-1.0"})


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for name in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(name, reason="the extra onnx is not installed")
    path = tmp_path_factory.mktemp("onnx") / "small.onnx"
    assert export.export(small(1 / 3), path, half=True) < 1e-5
    return path


def test_a_file_takes_any_size_says_what_it_is_and_has_weights_of_16_bits(written: Path) -> None:
    opened = onnx.session(written)
    assert json.loads(opened.get_modelmeta().custom_metadata_map[onnx.KEY]) == {"licence": "CC0-1.0"}
    assert export.shapes(written)[0] == {"sketch": [1, 1, "4*rows", "4*columns"]}
    [drawn] = opened.run(None, {"sketch": np.ones((1, 1, 12, 20), np.float32)})
    assert drawn.shape == (1, 3, 12, 20)
    assert drawn[0, 0, 5, 5] == pytest.approx(9 * float(np.float16(1 / 3)) + 0.25)
    import onnx as files

    kept = {tensor.name: tensor.data_type for tensor in files.load(str(written)).graph.initializer}
    assert sorted(kept.values()) == [files.TensorProto.FLOAT, files.TensorProto.FLOAT16]


def test_a_file_that_answers_otherwise_is_not_kept(
    written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "_write", lambda _what, path, **_: shutil.copyfile(written, path))
    with pytest.raises(CheckpointError, match="not kept, since its answers differ"):
        export.export(small(0.5), tmp_path / "other.onnx")
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_onnx_file_is_one_line(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"no graph")
    with pytest.raises(CheckpointError, match=r"broken.onnx: not an ONNX file, or damaged") as found:
        onnx.session(path)
    assert "\n" not in str(found.value)


def test_without_the_extra_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(CheckpointError, match="pip install onnx onnxruntime onnxscript"):
        export.export(small(), tmp_path / "x.onnx")


def models(*args: object) -> Any:
    return CliRunner().invoke(app, ["models", "export", *map(str, args)])


def test_the_command_tells_what_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "default.onnx"

    def pretend(name: str, output: Path, **given: bool) -> job.Exported:
        assert (name, given) == ("default", {"half": True, "overwrite": False})
        output.write_bytes(b"x" * 2048)
        return job.Exported(output, 4e-5, {"sketch": [1, 1, "4*rows", "4*columns"]}, {})

    monkeypatch.setattr(job, "export", pretend)
    done = models("default", "-o", path, "--half", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["difference"] == 4e-5
    assert "differ from the network's by 4e-05 at most" in done.stderr


@pytest.mark.parametrize(
    ("name", "file", "said"),
    [
        ("default", "there.onnx", "is there already; use --overwrite"),
        ("default", "default.safetensors", "an ONNX file is called NAME.onnx"),
        ("defualt", "x.onnx", "did you mean default?"),
        ("gray", "x.onnx", "has no network"),
    ],
)
def test_what_cannot_be_written_is_refused_at_once(tmp_path: Path, name: str, file: str, said: str) -> None:
    (tmp_path / "there.onnx").write_bytes(b"")
    with pytest.raises((CheckpointError, UsageError)) as found:
        job.export(name, tmp_path / file)
    assert said in str(found.value)
