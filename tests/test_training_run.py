"""Whole runs on small drawn pictures with small networks."""

import csv
import functools
import io
import json
import multiprocessing
import re
import shutil
import sys
import tarfile
import time
from functools import partial

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from sketchcolor_cli.data.folder import open_folder
from sketchcolor_cli.errors import CheckpointError, DataError, TrainingError, WorklistError
from sketchcolor_cli.imaging.reading import read_picture
from sketchcolor_cli.jobs.train import TrainRequest
from sketchcolor_cli.networks.base import ColorNet
from sketchcolor_cli.networks.checkpoint import load_model
from sketchcolor_cli.networks.config import config_to_plain
from sketchcolor_cli.networks.hint_unet import HintUNet
from sketchcolor_cli.training import opening, presets
from sketchcolor_cli.training import run as run_module
from sketchcolor_cli.training.loop import checkpoints, context, data
from sketchcolor_cli.training.loop.data import SetDrawings, Subset
from sketchcolor_cli.training.material import open_pictures
from sketchcolor_cli.training.opening import open_drawings
from sketchcolor_cli.training.pairs.classes import set_up_classes
from sketchcolor_cli.training.pairs.pairs import find_kin
from sketchcolor_cli.training.run import Run, train
from sketchcolor_cli.training.settings import TrainSettings

SMALL = {
    "thesis": {
        "widths": [4, 8, 8, 8], "z_size": 8, "reference_size": 32, "reference_widths": [4, 4, 8, 8, 8],
        "encoder1_depths": [0, 0], "encoder2_depths": [0, 0, 0], "decoder1_depths": [0, 0, 0],
        "decoder2_depths": [0, 0, 0], "decoder3_depths": [0, 0, 0], "reference_depths": [0, 0, 0, 0, 0],
        "z_widths": [4, 8], "z_depths": [0, 0],
    },
    "fast": {"widths": [8, 16], "depths": [1, 2], "sheet_width": 8, "sheet_size": 32},
}  # fmt: skip

BOTH = pytest.mark.parametrize("preset", ["thesis", "fast"])

forks = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # from Python 3.12 on


def lines_of(rgb):
    return 1 - np.clip(4 * np.abs(cv2.Laplacian(rgb.mean(2), cv2.CV_32F)), 0, 1)


def draw(path, rng, color=None):
    picture = np.full((40, 44, 3), 255, np.uint8)
    color = color or rng.integers(0, 255, 3).tolist()
    cv2.circle(picture, (int(rng.integers(10, 30)), 20), 11, color, -1)
    cv2.imwrite(str(path), picture)


def nine_pictures(folder):
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(9):
        draw(folder / f"{number}.png", rng)
    return folder


@pytest.fixture(autouse=True, scope="module")
def few_counted():
    """Count the colours of a few pairs, which many runs would else take longer over than to learn."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(presets, "_COUNTED", 8)
        yield


@pytest.fixture
def pictures(tmp_path):
    """Nine pictures, of which one is held out: two steps of four make an epoch."""
    return nine_pictures(tmp_path / "pictures")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A function that gives the folder of a preset's run of two epochs without a break; it must stay so."""

    @functools.cache
    def made(preset):
        folder = tmp_path_factory.mktemp(f"whole-{preset}")
        run(nine_pictures(folder / "pictures"), folder / "run", preset)
        return folder / "run"

    return made


def run(given, folder, preset, *, resume=False, stop=lambda: False, sketch=lines_of, report=None, **settings):
    """Train and return what was reported; ``fast`` finds its lines itself."""
    events = []

    def listen(event):
        if event["event"] != "busy":
            events.append(event)

    settings = {
        "stages": ("pixel",), "epochs": {"pixel": 2}, "size": 32, "batch_size": 4, "workers": 0,
        "precision": "float32", "ema": 0.0, "network": SMALL[preset],
    } | settings  # fmt: skip
    train(
        Run(
            [str(given)], folder, TrainSettings.of(preset=preset, **settings), device="cpu",
            sketch=sketch if preset == "thesis" else None,
        ),
        resume=resume, report=report or listen, stop=stop,
    )  # fmt: skip
    return events


def stop_after(steps):
    count = iter(range(1, 1000))
    return lambda: next(count) >= steps


def stopped_run(pictures, folder, preset, steps=1, **settings):
    with pytest.raises(KeyboardInterrupt):
        run(pictures, folder, preset, stop=stop_after(steps), **settings)


def rows(folder):
    with (folder / "metrics.csv").open() as file:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]


def written_down(folder):
    return TrainRequest.of(data=("x",), output=folder, config=folder / "run.toml").settings


def state(folder):
    return torch.load(folder / "checkpoint.pt", weights_only=True)


def weights(folder, name="model.safetensors"):
    return load_file(folder / name)


def assert_equal(one, other):
    assert type(one) is type(other)
    if isinstance(one, torch.Tensor):
        assert torch.equal(one, other)
    elif isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_equal(one[key], other[key])
    elif isinstance(one, list | tuple):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            assert_equal(a, b)
    else:
        assert one == other


def assert_same_run(one, other):
    assert_equal(state(one), state(other))
    assert_equal(weights(one), weights(other))
    assert_equal(weights(one, "best.safetensors"), weights(other, "best.safetensors"))
    assert rows(one) == rows(other)


# What a run leaves


@BOTH
def test_a_run_leaves_a_model_metrics_sheets_and_a_checkpoint(pictures, tmp_path, preset):
    folder = tmp_path / "run"
    events = run(pictures, folder, preset)
    left = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert left == [
        "best.safetensors", "checkpoint.pt", "metrics.csv", "model.safetensors", "pixel.safetensors",
        "run.toml", "sheets/pixel-001.png", "sheets/pixel-002.png",
    ]  # fmt: skip
    network, info = load_model(folder / "model.safetensors", ColorNet)
    assert config_to_plain(info.config).items() >= SMALL[preset].items()
    assert info.provenance["pictures"] == 8
    assert info.provenance["preset"] == preset
    assert all(torch.isfinite(p).all() for p in network.parameters())
    trained = {f"net.{name}": tensor for name, tensor in network.state_dict().items()}
    assert_equal(trained, dict(state(folder)["model"]))
    assert [(row["stage"], row["epoch"]) for row in rows(folder)] == [("pixel", "1"), ("pixel", "2")]
    measured = ["train_loss", "valid_loss", "psnr", "delta_e", "colorfulness_ratio"]
    assert list(rows(folder)[0]) == ["stage", "epoch", *measured, "lr"]
    assert [event["event"] for event in events] == ["step", "step", "epoch"] * 2
    assert [event["step"] for event in events if event["event"] == "step"] == [1, 2, 1, 2]
    written = (folder / "run.toml").read_text()
    assert written.startswith(f"# Trained on {pictures}\n")
    assert written_down(folder).network == SMALL[preset]
    columns = {"thesis": 4, "fast": 5}[preset]  # the latter shows character sheets too
    assert read_picture(folder / "sheets" / "pixel-002.png").rgb.shape == (32, columns * 32, 3)


def test_fast_learns_from_character_sheets_and_from_their_palettes(pictures, tmp_path):
    run(pictures, tmp_path / "run", "fast", epochs=3)
    fresh = presets.set_up(
        TrainSettings.of(preset="fast", network=SMALL["fast"]),
        *[SetDrawings(open_folder([pictures]), 40)] * 2,
        "cpu",
    ).net.state_dict()
    learnt = weights(tmp_path / "run")
    for name in ("sheet.body.0.weight", "mood.2.weight", "trust.weight"):
        assert not torch.equal(fresh[name], learnt[name]), name


def test_a_network_without_sheets_is_trained_without(pictures, tmp_path):
    run(pictures, tmp_path / "run", "fast", epochs=1, network={**SMALL["fast"], "sheet_width": 0})
    assert read_picture(tmp_path / "run" / "sheets" / "pixel-001.png").rgb.shape == (32, 4 * 32, 3)


def test_the_best_network_is_that_of_the_lowest_held_out_loss(pictures, tmp_path, monkeypatch):
    """The losses are set here: 3, 1, 2. The best weights must be those after the second epoch.

    That holds when the run was stopped in the third.
    """
    losses = iter([3.0, 1.0, 2.0])

    def loss(prediction, *_):
        learning = prediction.color.requires_grad
        return {"total": prediction.color.square().mean() if learning else torch.tensor(next(losses))}

    monkeypatch.setattr(presets, "paint_loss", loss)
    kept = {}

    def report(event):
        if event["event"] == "epoch":
            kept[event["epoch"]] = weights(tmp_path / "run", "best.safetensors")

    stopped_run(pictures, tmp_path / "run", "fast", 5, epochs=3, report=report)
    run(pictures, tmp_path / "run", "fast", epochs=3, report=report, resume=True)
    assert [float(row["valid_loss"]) for row in rows(tmp_path / "run")] == [3, 1, 2]
    assert_equal(kept[2], kept[3])
    changed = [name for name in kept[1] if not torch.equal(kept[1][name], kept[2][name])]
    assert changed


def test_the_learning_rate_is_the_one_cycle_of_the_thesis(pictures, tmp_path):
    """It begins at lr/0.95, is lr in the middle of the run, and then falls to nearly 0."""
    run(pictures, tmp_path / "run", "fast", epochs=8, lr=1e-3)
    rates = [float(row["lr"]) for row in rows(tmp_path / "run")]
    assert rates == sorted(rates, reverse=True)
    assert 1e-3 < rates[0] < 1e-3 / 0.95
    assert rates[3] == pytest.approx(1e-3, rel=0.01)
    assert rates[-1] < 0.1e-3


@pytest.mark.parametrize(
    ("preset", "loss", "left"), [("thesis", "train_loss", 0.8), ("fast", "valid_loss", 0.9)]
)
def test_training_learns_that_balls_are_red(tmp_path, preset, loss, left):
    """In twelve epochs of two steps the loss comes down to ``left`` of that of the first.

    Over five seeds of data and weights it came down to 0.67 to 0.75 (thesis) and to 0.80 to 0.87 (fast). On
    four held-out pictures the thesis network's is 0.31 to 1.37, which says nothing after so few steps.
    """
    balls = tmp_path / "balls"
    balls.mkdir()
    rng = np.random.default_rng(0)
    for number in range(12):
        draw(balls / f"{number}.png", rng, color=(30, 40, 220))
    run(balls, tmp_path / "run", preset, epochs=12, lr=2e-2, valid_share=0.3)
    losses = [float(row[loss]) for row in rows(tmp_path / "run")]
    assert losses[-1] < left * losses[0]


def test_bfloat16_trains_to_about_the_same_in_float32_weights(pictures, whole, tmp_path):
    run(pictures, tmp_path / "bfloat16", "fast", precision="bfloat16")
    exact, brief = (rows(folder)[0] for folder in (whole("fast"), tmp_path / "bfloat16"))
    assert exact["train_loss"] != brief["train_loss"]
    assert float(brief["train_loss"]) == pytest.approx(float(exact["train_loss"]), rel=0.05)
    held = weights(tmp_path / "bfloat16").values()
    assert {tensor.dtype for tensor in held if tensor.is_floating_point()} == {torch.float32}


def test_precision_that_is_chosen_is_written_down_and_kept(pictures, tmp_path, monkeypatch):
    monkeypatch.setattr(run_module.precision, "choose", lambda _device: "bfloat16")
    stopped_run(pictures, tmp_path / "run", "fast", precision="auto")
    assert written_down(tmp_path / "run").precision == "bfloat16"
    monkeypatch.setattr(run_module.precision, "choose", lambda _device: "float32")
    run(pictures, tmp_path / "run", "fast", precision="auto", resume=True)
    with pytest.raises(TrainingError, match="precision was 'bfloat16', now 'float32'"):
        run(pictures, tmp_path / "run", "fast", precision="float32", resume=True)


@forks
@BOTH
def test_a_worker_changes_nothing(pictures, whole, tmp_path, preset):
    run(pictures, tmp_path / "helped", preset, workers=1)
    assert_same_run(whole(preset), tmp_path / "helped")


def test_the_seed_decides_everything(pictures, tmp_path):
    for name, seed in (("first", 1), ("again", 1), ("other", 2)):
        run(pictures, tmp_path / name, "thesis", epochs=1, seed=seed)
        torch.rand(3)  # what happened before a run does not count
    assert_same_run(tmp_path / "first", tmp_path / "again")
    assert rows(tmp_path / "first") != rows(tmp_path / "other")


# Stopping and going on


@BOTH
def test_a_resumed_run_equals_an_unbroken_one_to_the_last_bit(pictures, tmp_path, preset):
    """Of eight steps in four epochs, it stops within the first, after the second's last, within the last.

    Lookahead joins its slow weights after the sixth.
    """
    run(pictures, tmp_path / "whole", preset, epochs=4)
    assert state(tmp_path / "whole")["optimizer"]["count"] == 8
    folder, before = tmp_path / "stopped", 0
    for steps in (1, 4, 7):
        stopped_run(pictures, folder, preset, steps - before, epochs=4, resume=before > 0)
        assert state(folder)["optimizer"]["count"] == steps
        assert not (folder / "model.safetensors").exists()
        before = steps
    events = run(pictures, folder, preset, epochs=4, resume=True)
    assert sum(event["event"] == "step" for event in events) == 1
    assert_same_run(tmp_path / "whole", folder)


def test_a_run_that_is_stopped_again_and_again_still_ends_the_same(pictures, whole, tmp_path):
    for resume in (False, True, True):
        stopped_run(pictures, tmp_path / "broken", "fast", resume=resume)
    run(pictures, tmp_path / "broken", "fast", resume=True)
    assert_same_run(whole("fast"), tmp_path / "broken")


@forks
@pytest.mark.skipif(sys.platform != "linux", reason="the run is forked, to be killed")
def test_a_run_that_is_killed_goes_on_from_its_checkpoint_to_the_same_end(pictures, tmp_path):
    run(pictures, tmp_path / "whole", "fast", epochs=3)
    reached = tmp_path / "reached"
    count = iter(range(1, 1000))

    def hang():
        if next(count) == 4:
            reached.touch()
            time.sleep(60)
        return False

    doomed = multiprocessing.get_context("fork").Process(
        target=partial(run, pictures, tmp_path / "killed", "fast", epochs=3, stop=hang, checkpoint_minutes=0)
    )
    doomed.start()
    deadline = time.monotonic() + 60
    while not reached.exists():
        assert doomed.is_alive()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    doomed.kill()
    doomed.join()
    assert doomed.exitcode == -9
    broken = state(tmp_path / "killed")
    assert (broken["epoch"], broken["batch"]) == (1, 1)
    run(pictures, tmp_path / "killed", "fast", epochs=3, resume=True)
    assert_same_run(tmp_path / "whole", tmp_path / "killed")


def test_a_run_that_died_while_writing_its_end_of_epoch_writes_it_again(
    pictures, whole, tmp_path, monkeypatch
):
    saved = checkpoints.save_state

    def die_at_the_end_of_an_epoch(path, what):
        if what["epoch"] == 2:
            (tmp_path / "run" / "checkpoint.pt.partial").write_bytes(b"half of it")
            raise KeyboardInterrupt
        saved(path, what)

    with monkeypatch.context() as patched:
        patched.setattr(checkpoints, "save_state", die_at_the_end_of_an_epoch)
        with pytest.raises(KeyboardInterrupt):
            run(pictures, tmp_path / "run", "fast")
    assert [row["epoch"] for row in rows(tmp_path / "run")] == ["1", "2"]
    run(pictures, tmp_path / "run", "fast", resume=True)
    assert_same_run(whole("fast"), tmp_path / "run")


def test_a_resumed_run_leaves_the_checkpoint_alone_until_it_has_come_further(pictures, tmp_path):
    stopped_run(pictures, tmp_path / "run", "fast", 3)
    before = (tmp_path / "run" / "checkpoint.pt").read_bytes()

    def crash():
        raise MemoryError("none left")

    with pytest.raises(MemoryError):
        run(pictures, tmp_path / "run", "fast", resume=True, stop=crash)
    assert (tmp_path / "run" / "checkpoint.pt").read_bytes() == before


def test_resuming_a_finished_run_only_writes_the_model_again(pictures, whole, tmp_path):
    shutil.copytree(whole("fast"), tmp_path / "run")
    before = weights(tmp_path / "run")
    (tmp_path / "run" / "model.safetensors").unlink()
    assert run(pictures, tmp_path / "run", "fast", resume=True) == []
    assert_equal(weights(tmp_path / "run"), before)
    assert len(rows(tmp_path / "run")) == 2


def test_a_run_goes_on_with_other_workers_and_other_times_between_checkpoints(pictures, tmp_path):
    stopped_run(pictures, tmp_path / "run", "fast")
    run(pictures, tmp_path / "run", "fast", resume=True, checkpoint_minutes=3.0)


# Refusals


def only_line(raised):
    text = str(raised.value)
    assert "\n" not in text
    assert "Traceback" not in text
    return text


def test_other_settings_cannot_take_up_a_run(pictures, tmp_path):
    stopped_run(pictures, tmp_path / "run", "fast")
    before = (tmp_path / "run" / "checkpoint.pt").read_bytes()
    with pytest.raises(TrainingError) as raised:
        run(pictures, tmp_path / "run", "fast", resume=True, epochs={"pixel": 3}, seed=7)
    assert only_line(raised) == (
        f"{tmp_path / 'run'}: cannot resume with other settings: epochs pixel was 2, now 3, "
        "seed was 42, now 7"
    )
    assert (tmp_path / "run" / "checkpoint.pt").read_bytes() == before


def test_other_pictures_cannot_take_up_a_run(pictures, tmp_path):
    stopped_run(pictures, tmp_path / "run", "fast")
    (pictures / "8.png").unlink()
    with pytest.raises(TrainingError, match="has 8 pictures now and had 9 when the run began"):
        run(pictures, tmp_path / "run", "fast", resume=True)


def test_a_used_folder_is_not_overwritten(pictures, tmp_path):
    stopped_run(pictures, tmp_path / "run", "fast")
    with pytest.raises(TrainingError, match="holds a training run already; use --resume") as raised:
        run(pictures, tmp_path / "run", "fast")
    only_line(raised)


def test_where_nothing_is_there_yet_resuming_begins(pictures, whole, tmp_path):
    run(pictures, tmp_path / "run", "fast", resume=True)
    assert_same_run(tmp_path / "run", whole("fast"))


def test_a_damaged_file_cannot_be_resumed(pictures, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "checkpoint.pt").write_bytes(b"not a checkpoint")
    with pytest.raises(TrainingError, match="damaged") as raised:
        run(pictures, tmp_path / "run", "fast", resume=True)
    only_line(raised)


def test_a_run_cannot_be_a_file(pictures, tmp_path):
    (tmp_path / "run").write_text("a file")
    with pytest.raises(TrainingError, match="is a file; name a folder"):
        run(pictures, tmp_path / "run", "fast")


# Losses and weights that are not numbers


def test_nan_stops_the_run_and_spares_the_checkpoint(pictures, tmp_path, monkeypatch):
    stopped_run(pictures, tmp_path / "run", "fast")
    before = (tmp_path / "run" / "checkpoint.pt").read_bytes()
    monkeypatch.setattr(presets, "paint_loss", lambda p, *_: {"total": p.color.sum() * float("nan")})
    with pytest.raises(TrainingError) as raised:
        run(pictures, tmp_path / "run", "fast", resume=True, checkpoint_minutes=0)
    assert only_line(raised) == (
        f"the loss became nan in epoch 1, step 2; {tmp_path / 'run' / 'checkpoint.pt'} holds the last good "
        "state; start again with a lower --lr"
    )
    assert (tmp_path / "run" / "checkpoint.pt").read_bytes() == before


def test_weights_that_became_nan_under_a_finite_loss_are_not_saved(pictures, tmp_path, monkeypatch):
    stopped_run(pictures, tmp_path / "run", "fast")
    before = (tmp_path / "run" / "checkpoint.pt").read_bytes()
    # The square root of 0 is 0, its slope infinite, and that times 0 no number.
    monkeypatch.setattr(presets, "paint_loss", lambda p, *_: {"total": (0 * p.color.sum()).sqrt()})
    with pytest.raises(TrainingError, match=r"^the weights became NaN in epoch 1; .* last good") as raised:
        run(pictures, tmp_path / "run", "fast", resume=True, checkpoint_minutes=0)
    only_line(raised)
    assert (tmp_path / "run" / "checkpoint.pt").read_bytes() == before


# Data


def shard(path, pictures, *, lines=True):
    with tarfile.open(path, "w") as tar:
        for picture in sorted(pictures.iterdir()):
            tar.add(picture, f"{picture.stem}.color.png")
            if lines:
                tar.add(picture, f"{picture.stem}.line.png")
    return path


@BOTH
def test_shards_with_lines_need_no_extractor(pictures, tmp_path, preset):
    run(shard(tmp_path / "a.tar", pictures), tmp_path / "run", preset, sketch=None, epochs=1)
    assert load_model(tmp_path / "run" / "model.safetensors", ColorNet)[1].provenance["pictures"] == 8


def tale(path, pictures, groups):
    """Write a shard whose pictures have these groups; one is None, with no JSON."""
    with tarfile.open(path, "w") as tar:
        for picture, group in zip(sorted(pictures.iterdir()), groups, strict=False):
            tar.add(picture, f"{picture.stem}.color.png")
            if group is not None:
                facts = json.dumps({"group": group, "source": "s"}).encode()
                entry = tarfile.TarInfo(f"{picture.stem}.json")
                entry.size = len(facts)
                tar.addfile(entry, io.BytesIO(facts))
    return path


def test_groups_are_known_through_every_layer_before_a_picture_is_decoded(pictures, tmp_path, monkeypatch):
    groups = ["fox", "fox", "", None, "hen", "hen", "fox"]
    path = tale(tmp_path / "a.tar", pictures, groups)
    drawings = open_drawings(
        [str(path)], tmp_path / "run", TrainSettings.of(preset="fast", size=32), lines_of
    )
    monkeypatch.setattr(SetDrawings, "__getitem__", lambda *_: pytest.fail("decoded"))
    learning = Subset(drawings, [6, 5, 3, 2, 1])
    found = [data.group_of(learning, index) for index in range(5)]
    assert found == ["fox", "hen", "", "", "fox"]
    assert find_kin(found) == {"fox": [0, 4]}
    assert data.group_of(data.DrawingsWithSketches(learning, lines_of), 1) == "hen"
    assert drawings.class_names([str(path)]) == ["s", "s", "s", "", "s", "s", "s"]


def test_sheets_of_a_shard_show_other_pictures_of_the_same_group(pictures, tmp_path):
    """Red belongs to blue, and green to nobody: the sheet of red shows blue, if it is not a bent red."""
    folder = tmp_path / "colours"
    folder.mkdir()
    for name, color in (("a", (255, 0, 0)), ("b", (0, 0, 255)), ("c", (0, 255, 0)), ("d", (0, 255, 0))):
        cv2.imwrite(str(folder / f"{name}.png"), np.full((40, 44, 3), color[::-1], np.uint8))
    path = tale(tmp_path / "a.tar", folder, ["pair", "pair", None, None])
    config = TrainSettings.of(preset="fast", size=32, network=SMALL["fast"])
    drawings = open_drawings([str(path)], tmp_path / "run", config)
    valid = presets.set_up(config, drawings, drawings, "cpu").valid
    sheets = torch.stack([valid[epoch, 0, 32][3] for epoch in range(40)])
    shown = sheets[sheets[:, 3].amax((1, 2)) > 0]
    hues = {int(sheet[:3].flatten(1).sum(1).argmax()) for sheet in shown}
    assert hues <= {0, 2}
    assert 2 in hues


def test_a_sample_whose_json_is_broken_is_named_and_passed_over(pictures, tmp_path):
    path = tale(tmp_path / "a.tar", pictures, ["fox"] * 4)
    path.write_bytes(path.read_bytes().replace(b'{"group": "fox"', b'["group": "fox"', 1))
    run(path, tmp_path / "run", "fast", sketch=None, epochs=1)
    assert re.fullmatch(
        r".*a\.tar: 0\.json is not a JSON object; pack it again", opening.skipped(tmp_path / "run")[0]
    )


def test_a_folder_of_sketches_belongs_to_the_pictures_by_name(pictures, tmp_path):
    sketches = tmp_path / "sketches"
    sketches.mkdir()
    for number in range(9):
        cv2.imwrite(str(sketches / f"{number}.jpg"), np.full((40, 44), 20 * number, np.uint8))
    settings = TrainSettings.of(preset="thesis", size=32, sketches=str(sketches))
    drawings = open_drawings([str(pictures)], tmp_path / "run", settings)
    assert len(drawings) == 9
    for number in range(9):
        assert drawings[number].key == str(pictures / f"{number}.png")
        assert abs(float(drawings[number].line.mean()) - 20 * number) < 2
    run(pictures, tmp_path / "run", "thesis", sketch=None, epochs=1, sketches=str(sketches))


def test_a_run_inside_its_data_does_not_learn_from_its_own_sheets(pictures):
    for resume in (False, True):
        run(pictures, pictures / "run", "fast", epochs=1, resume=resume)
    assert load_model(pictures / "run" / "model.safetensors", ColorNet)[1].provenance["pictures"] == 8


def broken_folder(name, tmp_path, pictures):
    folder = tmp_path / name
    folder.mkdir()
    if name == "single":
        draw(folder / "a.png", np.random.default_rng(0))
    return folder


@pytest.mark.parametrize(
    ("preset", "make", "settings", "kind", "said"),
    [
        ("fast", lambda tmp, pics: tmp / "gone", {}, WorklistError, r"gone: no such file or folder"),
        ("fast", partial(broken_folder, "empty"), {}, WorklistError, "empty: no pictures in this folder"),
        ("fast", partial(broken_folder, "single"), {}, DataError, r"1 picture\(s\) found; .* 3 or more"),
        ("fast", lambda tmp, pics: tmp / "gone.tar", {}, DataError, r"gone\.tar"),
        ("thesis", lambda tmp, pics: pics, {"sketch": None}, DataError, "has no sketch; name an extractor"),
        (
            "thesis", lambda tmp, pics: shard(tmp / "a.tar", pics, lines=False), {"sketch": None},
            DataError, "has no sketch; name an extractor",
        ),
        (
            "fast", lambda tmp, pics: shard(tmp / "a.tar", pics), {"sketches": "lines"},
            DataError, r"a\.tar: shards hold their own sketches",
        ),
    ],
)  # fmt: skip
def test_data_that_is_not_there_is_told_in_one_line_before_anything_is_written(
    pictures, tmp_path, preset, make, settings, kind, said
):
    with pytest.raises(kind, match=said) as raised:
        run(make(tmp_path, pictures), tmp_path / "run", preset, **settings)
    only_line(raised)
    assert not (tmp_path / "run").exists()


def test_a_corrupt_shard_is_told_in_one_line(pictures, tmp_path):
    whole = shard(tmp_path / "a.tar", pictures).read_bytes()
    for damaged in (b"no tar", b"", whole[:700]):
        (tmp_path / "a.tar").write_bytes(damaged)
        with pytest.raises(DataError, match=r"a\.tar|picture\(s\)") as raised:
            run(tmp_path / "a.tar", tmp_path / "run", "fast")
        only_line(raised)


def test_sketches_that_do_not_match_are_counted(pictures, tmp_path):
    sketches = tmp_path / "sketches"
    sketches.mkdir()
    for number in range(7):
        draw(sketches / f"{number}.png", np.random.default_rng(0))
    with pytest.raises(DataError) as raised:
        run(pictures, tmp_path / "run", "fast", sketches=str(sketches))
    assert only_line(raised) == (f"{sketches}: no sketch of 7.png (2 of 9 pictures have none)")


@forks
@pytest.mark.parametrize(("preset", "workers"), [("thesis", 1), ("fast", 0)])
def test_a_picture_that_breaks_amid_the_run_is_passed_over_and_named(
    pictures, tmp_path, preset, workers, monkeypatch
):
    monkeypatch.setattr(opening, "_MEMORY", 0)  # so that pictures are read anew each time
    stopped_run(pictures, tmp_path / "run", preset)
    broken = learnt_from()[:2]
    for number in broken:
        (pictures / f"{number}.png").write_bytes(b"broken")
    events = run(pictures, tmp_path / "run", preset, workers=workers, resume=True)
    said = sorted(event["message"] for event in events if event["event"] == "skipped")
    assert len(said) == 2
    for number, message in zip(broken, said, strict=True):
        assert message.startswith(f"{pictures / f'{number}.png'}: is not a PNG")
    assert opening.skipped(tmp_path / "run") == sorted(said, key=opening.skipped(tmp_path / "run").index)


def test_when_no_picture_can_be_read_that_is_told_in_one_line(pictures, tmp_path):
    for number in range(9):
        (pictures / f"{number}.png").write_bytes(b"broken")
    with pytest.raises(
        DataError, match=r"^none of the 8 pictures to learn from, .* can be read; skipped\.txt .*says why"
    ) as raised:
        run(pictures, tmp_path / "run", "fast")
    only_line(raised)


@pytest.mark.parametrize("weights", [{}, {"other": 0}])
@pytest.mark.parametrize("decoded", [True, False])
def test_no_held_out_picture_stands_in_for_a_broken_one_that_is_learnt_from(
    pictures, tmp_path, weights, decoded
):
    settings = TrainSettings.of(preset="fast", size=32, valid_share=0.4, source_weights=weights)
    found = open_pictures([str(pictures)], tmp_path / "run", settings, None)
    parts = {part: {drawing.key for drawing in part} for part in (found.learning, found.held_out)}
    for number in (number for part in parts for number in part.numbers[1:]):
        (pictures / f"{number}.png").write_bytes(b"broken")
    if decoded:
        found.opened[0].decode(lambda _: None)
    for part, keys in parts.items():
        assert len(keys) == len(part) > 2
        assert {drawing.key for drawing in part} == {str(pictures / f"{part.numbers[0]}.png")}
    assert len(opening.skipped(tmp_path / "run")) == len(set().union(*parts.values())) - 2


def test_what_stands_in_for_a_broken_picture_has_its_own_class(tmp_path):
    for name, value in (("a", 0), ("b", 255)):
        (tmp_path / name).mkdir()
        for number in range(3):
            cv2.imwrite(str(tmp_path / name / f"{number}.png"), np.full((40, 44, 3), value, np.uint8))
    (tmp_path / "a" / "2.png").write_bytes(b"broken")
    settings = TrainSettings.of(stages=("vgg",), size=32)
    drawings = open_drawings([str(tmp_path)], tmp_path / "run", settings)
    names = drawings.class_names([str(tmp_path)])
    found = set_up_classes(settings, drawings, names, range(6), [0])
    assert names[2] == "a"
    picture, label = found.train[0, 2, 32]
    assert found.names[int(label)] == ("b" if picture.mean() > 0.5 else "a") == "b"


def learnt_from():
    learning, _ = data.split(range(9), 0.02, 42)
    return list(learning)


def test_a_model_that_cannot_be_written_is_told_in_one_line(pictures, tmp_path, monkeypatch):
    def refuse(path, *_args, **_kinds):
        raise CheckpointError(f"{path}: cannot be written (disk full)")

    monkeypatch.setattr(context, "save_model", refuse)
    with pytest.raises(CheckpointError) as raised:
        run(pictures, tmp_path / "run", "fast")
    assert only_line(raised) == f"{tmp_path / 'run' / 'best.safetensors'}: cannot be written (disk full)"


def test_without_a_compiler_compiling_is_told_in_one_line(pictures, tmp_path, monkeypatch):
    """What PyTorch raises then is raised here; bringing its compiler up takes longer than the other tests."""

    class InductorError(RuntimeError):
        __module__ = "torch._inductor.exc"

    def fail(*_given, **_named):
        raise InductorError("InvalidCxxCompiler: No working C++ compiler found\n\nSet TORCHDYNAMO_VERBOSE=1")

    monkeypatch.setattr(HintUNet, "compile", lambda net: setattr(net, "forward", fail))
    with pytest.raises(TrainingError, match=r"^--compile: .*No working C\+\+ compiler found\)") as raised:
        run(pictures, tmp_path / "run", "fast", compile=True)
    only_line(raised)
    monkeypatch.setattr(HintUNet, "forward", fail)
    with pytest.raises(InductorError):  # where nothing was to be compiled, nothing is made up
        run(pictures, tmp_path / "other", "fast")
