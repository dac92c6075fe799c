import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from sketchcolor_cli.errors import TrainingError
from sketchcolor_cli.training.gan.alternating import AlternatingUpdates
from sketchcolor_cli.training.loop.callbacks import FrozenNorms, JointAugment, Seeds, StopOnNaN
from sketchcolor_cli.training.loop.checkpoints import Checkpoints
from sketchcolor_cli.training.loop.context import Context
from sketchcolor_cli.training.loop.data import EpochBatches
from sketchcolor_cli.training.loop.ranks import Ranks
from sketchcolor_cli.training.settings import TrainSettings


def attached(callback, **learner):
    callback.learn = SimpleNamespace(**{"training": True} | learner)
    return callback


def a_batch(truth, sketch):
    n, _, h, w = truth.shape
    hint = torch.cat([truth, torch.ones(n, 1, h, w)], 1)
    return {"xb": (sketch, hint, torch.zeros(n, 4, h // 4, w // 4)), "yb": (truth, sketch)}


def smooth_pictures(n=6, size=32):
    """Return pictures (n, 3, size, size) of soft blobs, which bilinear sampling keeps apart from noise."""
    coarse = torch.rand(n, 3, 5, 5, generator=torch.Generator().manual_seed(0))
    return torch.nn.functional.interpolate(coarse, size=(size, size), mode="bicubic").clamp(0, 1)


# Joint augmentation


def test_picture_reference_and_sketch_move_as_one():
    truth = smooth_pictures()
    augment = attached(JointAugment(), **a_batch(truth, truth[:, 1:2]))
    augment.lights = []
    torch.manual_seed(0)
    augment("before_batch")
    (sketch, hint, spread), (moved, again) = augment.learn.xb, augment.learn.yb
    assert torch.equal(sketch, moved[:, 1:2])
    assert torch.equal(again, sketch)
    assert torch.equal(hint[:, :3], moved)
    assert torch.equal(hint[:, 3:], torch.ones(6, 1, 32, 32))
    assert not spread.any()
    changed = (moved - truth).abs().mean((1, 2, 3))
    assert (changed > 0.02).sum() >= 4  # most are turned, warped, zoomed or mirrored
    assert all(type(part) is torch.Tensor for part in (sketch, hint, moved))


def test_light_changes_in_the_colours_and_the_reference_not_in_the_sketch():
    grey, paper = torch.full((64, 3, 16, 16), 0.5), torch.ones(64, 1, 16, 16)
    augment = attached(JointAugment(), **a_batch(grey, paper))
    torch.manual_seed(1)
    augment("before_batch")
    (sketch, hint, _), (truth, _) = augment.learn.xb, augment.learn.yb
    torch.testing.assert_close(sketch, paper)
    assert torch.equal(hint[:, :3], truth)
    # Light adds at most logit(0.55) in logits, contrast multiplies them by at most 1/0.9.
    limit = torch.sigmoid(torch.logit(torch.tensor(0.55)) / 0.9)
    assert truth.max() <= limit + 1e-5
    assert truth.min() >= 1 - limit - 1e-5
    shades = truth.mean((1, 2, 3))
    assert shades.min() < 0.48
    assert shades.max() > 0.52
    assert (truth.std((1, 2, 3)) < 1e-5).all()


def test_all_values_stay_in_range():
    hard = (torch.rand(8, 3, 32, 32, generator=torch.Generator().manual_seed(0)) > 0.5).float()
    augment = attached(JointAugment(), **a_batch(hard, hard[:, :1]))
    for seed in range(5):
        torch.manual_seed(seed)
        augment("before_batch")
        for part in (*augment.learn.xb, *augment.learn.yb):
            assert part.min() >= 0
            assert part.max() <= 1


def test_nothing_turns_further_than_30_degrees():
    """The direction in which a ramp rises stays within 30° of where it was; mirroring turns the other way."""
    ramp = torch.linspace(0, 1, 33).view(1, 1, 33, 1).expand(200, 4, 33, 33)
    augment = attached(JointAugment(), **a_batch(ramp[:, :3], ramp[:, :1]))
    augment.moves[0].coord_fs.clear()  # no warp
    torch.manual_seed(0)
    augment("before_batch")
    middle = augment.learn.xb[0][:, 0, 12:21, 12:21]  # reflections at the border stay out of here
    down, across = middle.diff(dim=1).mean((1, 2)), middle.diff(dim=2).mean((1, 2))
    angle = torch.rad2deg(torch.atan2(across, down))
    assert angle.abs().max() <= 30.01
    assert angle.abs().max() > 25
    assert angle.min() < 0 < angle.max()


def test_what_is_measured_is_not_augmented():
    truth = smooth_pictures()
    augment = attached(JointAugment(), training=False, **a_batch(truth, truth[:, :1]))
    augment("before_batch")
    assert augment.learn.yb[0] is truth


# Random numbers


def draws(seed, epoch, done):
    seeds = attached(Seeds(seed), epoch=epoch, checkpoints=SimpleNamespace(done=done))
    seeds("before_batch")
    return torch.rand(3).tolist(), np.random.rand(3).tolist()  # noqa: NPY002


def test_a_steps_random_numbers_depend_on_seed_epoch_and_step_alone():
    assert draws(1, 2, 3) == draws(1, 2, 3)
    for other in ((2, 2, 3), (1, 3, 3), (1, 2, 4), (1, 3, 2)):
        for drawn, another in zip(draws(1, 2, 3), draws(*other), strict=True):
            assert drawn != another


# Losses that are not numbers


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
@pytest.mark.parametrize("saved", [True, False])
def test_a_loss_that_is_no_number_stops_the_run_and_says_what_is_left(tmp_path, loss, saved):
    file = tmp_path / "checkpoint.pt"
    if saved:
        file.touch()
    guard = attached(StopOnNaN(file), loss=torch.tensor(loss), epoch=1, checkpoints=SimpleNamespace(done=6))
    kept = f"{file} holds the last good state" if saved else "there is no checkpoint yet"
    with pytest.raises(TrainingError) as raised:
        guard.after_loss()
    assert str(raised.value) == (
        f"the loss became {loss} in epoch 2, step 7; {kept}; start again with a lower --lr"
    )


def test_a_loss_that_is_a_number_passes(tmp_path):
    attached(StopOnNaN(tmp_path / "checkpoint.pt"), loss=torch.tensor(1e30))("after_loss")


def test_norms_of_what_is_fine_tuned_keep_their_statistics_in_a_game_too():
    """There, each batch puts the player whose turn it is into training mode."""
    net, critic = (nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2)) for _ in range(2))
    turns = AlternatingUpdates({"generator": net, "critic": critic}, TrainSettings.of())
    frozen = FrozenNorms(net)
    frozen.learn = turns.learn = SimpleNamespace(opt=SimpleNamespace(), training=True)
    for callback in sorted((frozen, turns), key=lambda callback: callback.order):
        callback.before_batch()
    assert net.training
    assert not net[1].training
    critic.train()
    frozen.before_batch()
    assert critic[1].training


# Checkpoints


def checkpoints(tmp_path, minutes, monkeypatch, *, stop=False):
    settings = TrainSettings.of(preset="fast", checkpoint_minutes=minutes)
    context = Context(tmp_path, settings, "cpu", 12, 12, None, lambda _: None, lambda: stop, Ranks())
    callback = Checkpoints(context, "pixel", {}, EpochBatches(12, 4, 0, shuffled=True, sizes=(32,)))
    saved = []

    def save(epoch, batch):
        saved.append((epoch, batch))
        callback.saved = time.monotonic()

    monkeypatch.setattr(callback, "save", save)
    return attached(callback, epoch=1), saved


def step(callback, number, *, training=True):
    callback.learn.iter, callback.learn.training = number, training
    callback("after_batch")


def test_a_checkpoint_is_made_when_the_minutes_have_passed(tmp_path, monkeypatch):
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(time, "monotonic", lambda: clock.now)
    callback, saved = checkpoints(tmp_path, 2, monkeypatch)
    for number, now in enumerate((130.0, 219.0, 221.0, 339.0, 342.0)):
        clock.now = now
        step(callback, number)
    assert saved == [(1, 3), (1, 5)]


def test_validation_steps_make_no_checkpoint_and_do_not_stop(tmp_path, monkeypatch):
    callback, saved = checkpoints(tmp_path, 0, monkeypatch, stop=True)
    step(callback, 0, training=False)
    assert saved == []


def test_an_epoch_ends_with_the_state_that_the_next_begins_with(tmp_path, monkeypatch):
    callback, saved = checkpoints(tmp_path, 1000, monkeypatch)
    callback("after_validate")
    assert saved == [(2, 0)]


def test_stopping_saves_first(tmp_path, monkeypatch):
    callback, saved = checkpoints(tmp_path, 1000, monkeypatch, stop=True)
    callback.batches.start = 1
    with pytest.raises(KeyboardInterrupt):
        step(callback, 0)
    assert saved == [(1, 2)]
