import csv

import cv2
import numpy as np
import pytest
import torch

from sketchcolor_cli.errors import DataError, ImageError, TrainingError, UsageError, WorklistError
from sketchcolor_cli.model.base import ColorNet
from sketchcolor_cli.model.checkpoint import load_model
from sketchcolor_cli.model.config import GeneratorConfig, HintUNetConfig
from sketchcolor_cli.model.generator import Generator
from sketchcolor_cli.model.hint_unet import HintUNet
from sketchcolor_cli.training import presets
from sketchcolor_cli.training.config import configure
from sketchcolor_cli.training.run import train

SMALL = {
    "thesis": GeneratorConfig(
        widths=(4, 8, 8, 8), z_size=8, reference_size=32, reference_widths=(4, 4, 8, 8, 8),
        encoder1_depths=(0, 0), encoder2_depths=(0, 0, 0), decoder1_depths=(0, 0, 0),
        decoder2_depths=(0, 0, 0), decoder3_depths=(0, 0, 0), reference_depths=(0, 0, 0, 0, 0),
        z_widths=(4, 8), z_depths=(0, 0),
    ),
    "fast": HintUNetConfig(widths=(8, 16), depths=(1, 2)),
}  # fmt: skip


def lines_of(rgb):
    return 1 - np.clip(4 * np.abs(cv2.Laplacian(rgb.mean(2), cv2.CV_32F)), 0, 1)


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(9):
        picture = np.full((40, 44, 3), 255, np.uint8)
        color = rng.integers(0, 255, 3).tolist()
        cv2.circle(picture, (int(rng.integers(10, 30)), 20), 11, color, -1)
        cv2.imwrite(str(folder / f"{number}.png"), picture)
    return folder


@pytest.fixture(autouse=True)
def small_networks(monkeypatch):
    monkeypatch.setattr(presets, "Generator", lambda: Generator(SMALL["thesis"]))
    monkeypatch.setattr(presets, "HintUNet", lambda: HintUNet(SMALL["fast"]))


def run(pictures, folder, preset, *, resume=False, stop=None, **settings):
    events = []
    settings = {"epochs": 2, "size": 32, "batch_size": 4, "workers": 0, "precision": "float32"} | settings
    train(
        str(pictures), folder, configure(preset, **settings), device="cpu", resume=resume,
        sketch=lines_of if preset == "thesis" else None, report=events.append, stop=stop or (lambda: False),
    )  # fmt: skip
    return events


def stop_after(steps):
    count = iter(range(1, 1000))
    return lambda: next(count) >= steps


def rows(folder):
    with (folder / "metrics.csv").open() as file:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]


@pytest.mark.parametrize("preset", ["thesis", "fast"])
def test_a_run_leaves_a_model_metrics_sheets_and_a_checkpoint(pictures, tmp_path, preset):
    events = run(pictures, tmp_path / "run", preset)
    network, info = load_model(tmp_path / "run" / "model.safetensors", ColorNet)
    assert info.provenance["pictures"] == 8
    assert all(torch.isfinite(p).all() for p in network.parameters())
    load_model(tmp_path / "run" / "best.safetensors", ColorNet)
    assert [row["epoch"] for row in rows(tmp_path / "run")] == ["1", "2"]
    assert len(list((tmp_path / "run" / "sheets").glob("*.png"))) == 2
    assert [event["event"] for event in events] == ["step", "step", "epoch"] * 2


@pytest.mark.parametrize("preset", ["thesis", "fast"])
@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_resumed_run_equals_an_unbroken_one_to_the_last_bit(pictures, tmp_path, preset, steps):
    run(pictures, tmp_path / "whole", preset)
    with pytest.raises(KeyboardInterrupt):
        run(pictures, tmp_path / "broken", preset, stop=stop_after(steps))
    run(pictures, tmp_path / "broken", preset, resume=True)
    whole, broken = (
        torch.load(tmp_path / name / "checkpoint.pt", weights_only=True) for name in ("whole", "broken")
    )
    assert_equal(whole, broken)
    assert rows(tmp_path / "whole") == rows(tmp_path / "broken")


def assert_equal(one, other):
    assert type(one) is type(other)
    if isinstance(one, torch.Tensor):
        assert torch.equal(one, other)
    elif isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_equal(one[key], other[key])
    elif isinstance(one, (list, tuple)):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            assert_equal(a, b)
    else:
        assert one == other


def test_other_settings_cannot_take_up_a_run(pictures, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(pictures, tmp_path / "run", "fast", stop=stop_after(1))
    with pytest.raises(TrainingError, match=r"epochs was 2, now 3"):
        run(pictures, tmp_path / "run", "fast", resume=True, epochs=3)


def test_a_used_folder_is_not_overwritten(pictures, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(pictures, tmp_path / "run", "fast", stop=stop_after(1))
    with pytest.raises(TrainingError, match="holds a training run already"):
        run(pictures, tmp_path / "run", "fast")


def test_nothing_or_a_damaged_file_cannot_be_resumed(pictures, tmp_path):
    with pytest.raises(TrainingError, match="nothing to resume"):
        run(pictures, tmp_path / "run", "fast", resume=True)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "checkpoint.pt").write_bytes(b"not a checkpoint")
    with pytest.raises(TrainingError, match="damaged"):
        run(pictures, tmp_path / "run", "fast", resume=True)


def test_nan_stops_the_run_and_spares_the_checkpoint(pictures, tmp_path, monkeypatch):
    with pytest.raises(KeyboardInterrupt):
        run(pictures, tmp_path / "run", "fast", stop=stop_after(1))
    before = (tmp_path / "run" / "checkpoint.pt").read_bytes()
    monkeypatch.setattr(presets, "paint_loss", lambda p, *_: {"total": p.color.sum() * float("nan")})
    with pytest.raises(TrainingError, match=r"loss became nan in epoch 1, step 2.*last good state"):
        run(pictures, tmp_path / "run", "fast", resume=True)
    assert (tmp_path / "run" / "checkpoint.pt").read_bytes() == before


def test_training_learns(pictures, tmp_path):
    run(pictures, tmp_path / "run", "fast", epochs=12, lr=1e-2)
    losses = [float(row["valid_loss"]) for row in rows(tmp_path / "run")]
    assert losses[-1] < 0.9 * losses[0]


def test_workers_change_nothing(pictures, tmp_path):
    run(pictures, tmp_path / "a", "fast", epochs=1)
    run(pictures, tmp_path / "b", "fast", epochs=1, workers=1)
    a, b = (load_model(tmp_path / name / "model.safetensors")[0].state_dict() for name in "ab")
    assert_equal(dict(a), dict(b))


def test_bad_data_is_told_in_one_line(pictures, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(WorklistError, match="no pictures"):
        run(empty, tmp_path / "run", "fast")
    single = tmp_path / "single"
    single.mkdir()
    (single / "a.png").write_bytes((pictures / "0.png").read_bytes())
    with pytest.raises(DataError, match="needs 3 or more"):
        run(single, tmp_path / "run", "fast")
    (tmp_path / "bad.tar").write_bytes(b"no tar")
    with pytest.raises(DataError, match=r"bad\.tar"):
        run(tmp_path / "bad.tar", tmp_path / "run", "fast")
    with pytest.raises(DataError, match=r"no sketch of this name"):
        run(pictures, tmp_path / "run", "fast", sketches=str(single))
    (pictures / "3.png").write_bytes(b"broken")
    with pytest.raises(ImageError, match=r"3\.png"):
        run(pictures, tmp_path / "run", "fast")


@pytest.mark.parametrize(
    "settings",
    [{"size": 40}, {"epochs": 0}, {"lr": -1.0}, {"stages": ("magic",)}, {"method": "a", "sketches": "b"}],
)
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(UsageError):
        configure("fast", **settings)


def test_an_unknown_preset_is_refused():
    with pytest.raises(UsageError, match="thesis, fast"):
        configure("best")
