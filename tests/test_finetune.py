"""Fine-tuning on a few pictures."""

import cv2
import numpy as np
import pytest
import torch

from sketchcolor_cli.errors import TrainingError
from sketchcolor_cli.networks.base import ColorNet
from sketchcolor_cli.networks.checkpoint import load_model, save_model
from sketchcolor_cli.networks.config import GeneratorConfig, HintUNetConfig
from sketchcolor_cli.networks.hint_unet import HintUNet
from sketchcolor_cli.networks.thesis_unet import Generator
from sketchcolor_cli.training import presets
from sketchcolor_cli.training.run import Run, train
from sketchcolor_cli.training.settings import TrainSettings


@pytest.fixture(autouse=True)
def few_counted(monkeypatch):
    """Count the colours of a few pairs, which takes longer than to learn from so few."""
    monkeypatch.setattr(presets, "_COUNTED", 8)


@pytest.fixture
def model(tmp_path):
    torch.manual_seed(0)
    save_model(
        tmp_path / "start.safetensors", HintUNet(HintUNetConfig(widths=(8, 16), depths=(1, 2))),
        provenance={}, licence="none",
    )  # fmt: skip
    return tmp_path / "start.safetensors"


def page(path, color):
    picture = np.full((64, 64, 3), 255, np.uint8)
    cv2.rectangle(picture, (12, 12), (52, 52), color, -1)
    cv2.rectangle(picture, (12, 12), (52, 52), (0, 0, 0), 2)
    cv2.imwrite(str(path), picture)
    return str(path)


def tune(data, folder, model, preset="fast", **settings):
    settings = {"epochs": 1, "size": 64, "workers": 0, "precision": "float32"} | settings
    config = TrainSettings.of(preset=preset, finetune=True, from_=str(model), **settings)
    run = Run(data, folder, config, device="cpu")
    return train(run, resume=False, report=lambda _: None, stop=lambda: False)


def test_one_picture_is_enough_and_its_colours_are_learnt(tmp_path, model):
    summary = tune(
        [page(tmp_path / "red.png", (40, 40, 220))], tmp_path / "run", model, epochs=8, lr=2e-2, size=32
    )
    assert summary["pictures"] == 1
    rows = (tmp_path / "run" / "metrics.csv").read_text().splitlines()
    losses = [float(row.split(",")[3]) for row in rows[1:]]
    assert losses[-1] < 0.8 * losses[0]


def test_the_file_is_in_half_precision_and_the_norms_keep_their_statistics(tmp_path, model):
    data = [page(tmp_path / f"{number}.png", (40, 40, 200 + number)) for number in range(2)]
    tune(data, tmp_path / "run", model)
    tuned, start = (load_model(path, ColorNet)[0] for path in (tmp_path / "run" / "model.safetensors", model))
    assert (tmp_path / "run" / "model.safetensors").stat().st_size < 0.7 * model.stat().st_size
    before = start.state_dict()
    changed = [name for name, tensor in tuned.state_dict().items() if not torch.equal(tensor, before[name])]
    assert not [name for name in changed if "running" in name]
    assert [name for name in changed if name.endswith("weight")]


def test_a_model_of_another_kind_is_refused(tmp_path, model):
    save_model(tmp_path / "thesis.safetensors", Generator(GeneratorConfig(
        widths=(4, 8, 8, 8), z_size=8, reference_size=32, reference_widths=(4, 4, 8, 8, 8),
    )), provenance={}, licence="none")  # fmt: skip
    data = [page(tmp_path / "red.png", (40, 40, 220))]
    with pytest.raises(TrainingError, match="holds a thesis-unet network, and --preset fast trains a hint"):
        tune(data, tmp_path / "run", tmp_path / "thesis.safetensors")
