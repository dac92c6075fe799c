"""The recipe of the shipped model, `--preset default`, by the one engine: on drawn pictures, in seconds."""

import csv
import io
import json
import tarfile

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from sketchcolor_cli.errors import DataError, UsageError
from sketchcolor_cli.imaging.reading import read_picture
from sketchcolor_cli.jobs.train import TrainRequest, train
from sketchcolor_cli.networks.base import ColorNet
from sketchcolor_cli.networks.checkpoint import load_model
from sketchcolor_cli.training import presets
from sketchcolor_cli.training.loop.data import EpochBatches
from sketchcolor_cli.training.loop.muon import Muon, MuonAndAdamW
from sketchcolor_cli.training.material import open_pictures, set_up
from sketchcolor_cli.training.presets import pair_recipe
from sketchcolor_cli.training.settings import TrainSettings

SMALL = {"widths": [8, 16], "depths": [1, 2], "sheet_width": 8, "sheet_size": 32}


def shard(path, sources, rng):
    """Write red balls, two of each group; the sources are those given, one after the other."""
    with tarfile.open(path, "w") as tar:
        for number, source in enumerate(sources):
            picture = np.full((48, 48, 3), 255, np.uint8)
            cv2.circle(picture, (int(rng.integers(14, 34)), 24), 13, (30, 40, 220), -1)
            facts = {"source": source, "group": f"pair {number // 2}"}
            for part, data in (
                ("color.png", cv2.imencode(".png", picture)[1].tobytes()),
                ("json", json.dumps(facts).encode()),
            ):
                member = tarfile.TarInfo(f"{number:04d}.{part}")
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))


@pytest.fixture(autouse=True)
def few_counted(monkeypatch):
    """Count the colours of a few pairs, which takes longer than to learn from so few."""
    monkeypatch.setattr(presets, "_COUNTED", 8)


@pytest.fixture
def shards(tmp_path):
    """Twelve pictures to learn from, four of them of a source that is left out; four to measure on."""
    rng = np.random.default_rng(0)
    shard(tmp_path / "train.tar", ["books"] * 8 + ["games"] * 4, rng)
    shard(tmp_path / "val.tar", ["books"] * 4, rng)
    return tmp_path / "train.tar", tmp_path / "val.tar"


def run(shards, folder, *, stop=None, **settings):
    learnt, measured = shards
    settings = {
        "preset": "default", "valid": (str(measured),), "epochs": 3, "size": (32, 64), "lr": 1e-2,
        "workers": 0, "batch_pixels": 4 * 64 * 64, "network": SMALL, "precision": "float32",
        "warm_up": 2, "device": "cpu", "source_weights": {"games": 0, "books": 2.0}, "licence": "CC0",
    } | settings  # fmt: skip
    return train(TrainRequest.of(data=(str(learnt),), output=folder, **settings), stop=stop)


def rows(folder):
    with (folder / "metrics.csv").open() as file:
        return [
            {key: value for key, value in row.items() if key != "seconds"} for row in csv.DictReader(file)
        ]


def state(folder):
    return torch.load(folder / "checkpoint.pt", weights_only=True)


def test_the_recipe_learns_and_leaves_figures_and_sheets_for_each_kind_of_hint(shards, tmp_path):
    summary = run(shards, tmp_path / "run", epochs=10, size=32)
    assert (summary["pictures"], summary["held_out"]) == (8, 4)
    table = rows(tmp_path / "run")
    assert float(table[-1]["valid_loss"]) < 0.9 * float(table[0]["valid_loss"])
    kinds = [name.removeprefix("psnr_") for name in table[0] if name.startswith("psnr_")]
    assert kinds == ["none", "points", "painting", "sheet"]
    assert all(float(row[f"psnr_{kind}"]) > 0 for row in table for kind in kinds)
    sheet = read_picture(tmp_path / "run" / "sheets" / "pixel-010.png")
    assert sheet.rgb.shape == (4 * 4 * 32, 12 * 32, 3)  # four rows for each of four kinds
    network, info = load_model(tmp_path / "run" / "model.safetensors", ColorNet)
    assert info.licence == "CC0"
    assert info.provenance["optimizer"] == "muon"
    model, last = (tmp_path / "run" / name for name in ("model.safetensors", "pixel.safetensors"))
    assert model.stat().st_size < 0.7 * last.stat().st_size  # half precision
    mean = state(tmp_path / "run")["more"]["Average"]["mean"]
    for name, tensor in network.state_dict().items():
        torch.testing.assert_close(tensor.float(), mean[f"net.{name}"].float(), rtol=1e-3, atol=1e-3)


def test_a_run_that_is_stopped_goes_on_to_the_same_numbers(shards, tmp_path):
    """Stopped after the first step, and two steps later."""
    run(shards, tmp_path / "whole")
    for steps in (1, 2):
        count = iter(range(1, 100))
        with pytest.raises(KeyboardInterrupt):
            run(shards, tmp_path / "broken", resume=steps > 1, stop=lambda: next(count) >= steps)  # noqa: B023
    run(shards, tmp_path / "broken", resume=True)
    assert rows(tmp_path / "broken") == rows(tmp_path / "whole")
    whole, other = (
        load_model(tmp_path / name / "model.safetensors")[0].state_dict() for name in ("whole", "broken")
    )
    assert all(torch.equal(whole[name], other[name]) for name in whole)


def test_the_rate_rises_stays_and_falls(shards, tmp_path):
    run(shards, tmp_path / "run", epochs=5, size=32, batch_pixels=4 * 32 * 32, cool_down=0.3, warm_up=3)
    rates = [float(row["lr"]) for row in rows(tmp_path / "run")]  # of the second step of two in each epoch
    assert rates[0] == pytest.approx(1e-2 * 2 / 3)
    assert rates[1:3] == [1e-2] * 2
    assert rates[-1] == pytest.approx(1e-2 * 0.1 / 0.3, rel=1e-4)


def test_a_batch_has_as_many_pictures_as_have_so_many_pixels():
    batches = EpochBatches(40, 2, 0, shuffled=True, sizes=(32, 64), epochs=2, pixels=10 * 32 * 32)
    seen = []
    for batches.epoch in (0, 1):
        found = list(batches)
        assert len(found) == len(batches)
        seen.append({(len(batch), batch[0][2]) for batch in found})
    assert seen == [{(10, 32)}, {(4, 64)}]  # at least four


def test_items_are_drawn_in_proportion_to_their_shares():
    batches = EpochBatches(3, 3, 0, shuffled=True, sizes=(32,), epochs=4000, shares=(3.0, 1.0, 0.0))
    drawn = []
    for batches.epoch in range(1000):
        drawn += [index for batch in batches for _, index, _ in batch]
    assert len(drawn) == 3000
    assert np.bincount(drawn, minlength=3) / 3000 == pytest.approx([0.75, 0.25, 0], abs=0.03)
    batches.epoch = 7
    assert list(batches) == list(batches)


def test_a_step_of_muon_is_a_rotation_of_the_gradient_and_of_vectors_one_of_adam():
    """Muon steps in all directions of the gradient equally far; AdamW's first step is its sign."""
    torch.manual_seed(0)
    net = nn.ModuleDict({"stem": nn.Conv2d(4, 8, 1), "inner": nn.Conv2d(8, 8, 3, bias=False)})
    optimizer = MuonAndAdamW(net, 0.1, ("stem.",))
    before = {name: parameter.detach().clone() for name, parameter in net.named_parameters()}
    for parameter in net.parameters():
        parameter.grad = torch.randn_like(parameter)
    optimizer.step()
    stepped = {name: parameter.detach() - before[name] for name, parameter in net.named_parameters()}
    directions = torch.linalg.svdvals(stepped["inner.weight"].flatten(1))
    assert directions.max() < 2 * directions.min()
    assert directions.min() > 0
    bias = net["stem"].bias
    torch.testing.assert_close(stepped["stem.bias"], -0.1 * bias.grad.sign(), rtol=1e-3, atol=1e-4)


def test_a_gradient_scaler_reaches_every_parameter_before_a_step_of_muon():
    """In float16 gradients are scaled; one that the scaler does not see stays so, and may be infinite."""
    net = nn.ModuleDict({"stem": nn.Conv2d(4, 8, 1), "inner": nn.Conv2d(8, 8, 3, bias=False)})
    optimizer = MuonAndAdamW(net, 0.1, ("stem.",))
    optimizer.set_hyper("lr", 0.2)
    assert optimizer.hypers == [{"lr": 0.2}]
    assert {group["lr"] for part in optimizer.parts for group in part.param_groups} == {0.2}
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    scaler.scale(torch.ones(()))
    for parameter in net.parameters():
        parameter.grad = torch.full_like(parameter, 1024)
    scaler.unscale_(optimizer)
    assert all(torch.equal(part.grad, torch.ones_like(part)) for part in net.parameters())
    before = net["inner"].weight.detach().clone()
    net["inner"].weight.grad[0, 0, 0, 0] = torch.inf
    scaler = torch.amp.GradScaler("cpu")
    scaler.scale(torch.ones(()))
    scaler.step(optimizer)
    assert torch.equal(net["inner"].weight, before)


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="torch has had one of its own since 2.9")
@pytest.mark.parametrize("shape", [(8, 72), (72, 8)])
@pytest.mark.parametrize(("dtype", "near"), [(torch.bfloat16, 0), (torch.float32, 0.01)])
def test_muon_steps_as_the_published_one(shape, dtype, near):
    torch.manual_seed(0)
    ours, theirs = (nn.Parameter(torch.ones(shape)) for _ in range(2))
    optimizers = (
        Muon([ours], 0.1, dtype),
        torch.optim.Muon([theirs], lr=0.1, weight_decay=0.02, adjust_lr_fn="match_rms_adamw"),
    )
    for _ in range(3):
        ours.grad = theirs.grad = torch.randn(shape)
        for optimizer in optimizers:
            optimizer.step()
    torch.testing.assert_close(ours, theirs, rtol=0, atol=near)


def test_shares_of_pairs_and_their_mistakes():
    recipe = pair_recipe(TrainSettings.of(preset="fast", pairs={"bare_share": 0.5, "sheet_share": 0.1}))
    assert recipe.hint_kinds["none"] / sum(recipe.hint_kinds.values()) == pytest.approx(0.5)
    assert recipe.sheet_share == 0.1
    for pairs, said in (
        ({"bare": 1}, "--pairs: unknown key bare"),
        ({"page_share": 2}, "must be a share"),
        ({"hint_kinds": {"dots": 1}}, "unknown kind of hint dots"),
        ({"hint_kinds": 5}, "hint_kinds must be a table"),
        ({"hint_kinds": {"none": -1}}, "hint_kinds must be numbers"),
        ({"hint_kinds": {"none": 0}}, "one of them above 0"),
        ({"augment": "no"}, "augment must be true or false, not 'no'"),
    ):
        with pytest.raises(UsageError, match=said):
            pair_recipe(TrainSettings.of(preset="fast", pairs=pairs))


def test_a_source_of_weight_0_is_left_out_of_the_perceptual_network_too(tmp_path):
    shard(tmp_path / "a.tar", ["books"] * 4 + ["games"] * 4 + ["toys"] * 4, np.random.default_rng(0))
    config = TrainSettings.of(stages=("vgg",), size=32, source_weights={"games": 0})
    data = [str(tmp_path / "a.tar")]
    found = open_pictures(data, tmp_path / "run", config, None)
    classes = set_up(data, tmp_path / "run", config, found, "cpu").classes
    assert classes.names == ["books", "toys"]
    learnt = {drawing.source for part in (classes.train, classes.valid) for drawing in part.drawings}
    assert learnt == {"books", "toys"}


@pytest.mark.parametrize("weight", [-1, "2", True, float("nan"), float("inf")])
def test_a_weight_of_a_source_that_nothing_can_be_drawn_by_is_refused(weight):
    with pytest.raises(UsageError, match=r"^--source-weights: books must be a number of at least 0, not"):
        TrainSettings.of(source_weights={"games": 1, "books": weight})


def test_sources_that_all_weigh_nothing_are_told(shards, tmp_path):
    with pytest.raises(DataError, match="every picture is of a source of weight 0"):
        run(shards, tmp_path / "run", source_weights={"books": 0, "games": 0})
