"""The chain of all stages on small drawn pictures, with small networks."""

import csv
import shutil

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from sketchcolor_cli.errors import CheckpointError, DataError, TrainingError, UsageError
from sketchcolor_cli.imaging.reading import read_picture
from sketchcolor_cli.networks.checkpoint import load_critic, load_model
from sketchcolor_cli.networks.config import PatchCriticConfig
from sketchcolor_cli.networks.perceptual import Perceptual
from sketchcolor_cli.training import stages
from sketchcolor_cli.training.gan import early_stopping
from sketchcolor_cli.training.run import Run, train
from sketchcolor_cli.training.settings import STAGES, TrainSettings

NETWORKS = {
    "network": {
        "widths": [4, 8, 8, 8], "z_size": 8, "reference_size": 32, "reference_widths": [4, 4, 8, 8, 8],
        "encoder1_depths": [0, 0], "encoder2_depths": [0, 0, 0], "decoder1_depths": [0, 0, 0],
        "decoder2_depths": [0, 0, 0], "decoder3_depths": [0, 0, 0], "reference_depths": [0, 0, 0, 0, 0],
        "z_widths": [4, 8], "z_depths": [0, 0],
    },
    "critic_network": {"widths": [4, 6, 8, 8], "depths": [0, 0, 0]},
    "vgg_network": {"widths": [4, 6, 8, 10, 12, 16]},
}  # fmt: skip


def lines_of(rgb):
    return 1 - np.clip(4 * np.abs(cv2.Laplacian(rgb.mean(2), cv2.CV_32F)), 0, 1)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Six red and six blue balls, a class each; three are held out."""
    folder = tmp_path_factory.mktemp("data") / "pictures"
    rng = np.random.default_rng(0)
    for name, color in (("red", (40, 40, 220)), ("blue", (220, 60, 30))):
        (folder / name).mkdir(parents=True)
        for number in range(6):
            picture = np.full((40, 44, 3), 255, np.uint8)
            cv2.circle(picture, (int(rng.integers(10, 30)), 20), 11, color, -1)
            cv2.imwrite(str(folder / name / f"{number}.png"), picture)
    return folder


def run(data, folder, chosen=STAGES, *, resume=False, stop=lambda: False, **settings):
    events = []
    settings = {
        "stages": chosen, "epochs": 2, "size": 32, "batch_size": 4, "workers": 0, "precision": "float32",
        "valid_share": 0.25, "switch_batches": 1, "watch_batches": 1, "patience": 50, **NETWORKS,
    } | settings  # fmt: skip
    summary = train(
        Run([str(data)], folder, TrainSettings.of(**settings), device="cpu", sketch=lines_of),
        resume=resume, report=events.append, stop=stop,
    )  # fmt: skip
    return events, summary


@pytest.fixture(scope="module")
def whole(pictures, tmp_path_factory):
    """A run of all stages without a break."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    events, summary = run(pictures, folder)
    return folder, events, summary


def table(folder, name="metrics.csv"):
    with (folder / name).open() as file:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]


def tensors(path):
    return load_file(path)


def assert_same_network(one, other):
    one, other = tensors(one), tensors(other)
    assert one.keys() == other.keys()
    different = [name for name in one if not torch.equal(one[name], other[name])]
    assert different == []


NETWORK_FILES = (*STAGES, "best", "model")


def assert_same_run(one, other):
    for name in NETWORK_FILES:
        assert_same_network(one / f"{name}.safetensors", other / f"{name}.safetensors")
    assert table(one) == table(other)
    assert table(one, "watch.csv") == table(other, "watch.csv")


# The whole chain


def test_all_stages_leave_their_networks_figures_and_sheets(whole):
    folder, events, summary = whole
    assert summary["pictures"] == 9
    assert summary["held_out"] == 3
    assert list(summary["networks"]) == list(STAGES)
    assert [(row["stage"], row["epoch"]) for row in table(folder)] == [
        (stage, str(epoch)) for stage in STAGES for epoch in (1, 2)
    ]
    rows = {row["stage"]: row for row in table(folder)}
    assert 0 <= float(rows["vgg"]["top1"]) <= float(rows["vgg"]["top5"]) <= 1
    assert 0 <= float(rows["critic"]["accuracy"]) <= 1
    assert all(float(rows[stage]["psnr"]) > 0 for stage in ("pixel", "perceptual", "adversarial"))
    for stage in STAGES:
        for epoch in (1, 2):
            assert read_picture(folder / "sheets" / f"{stage}-{epoch:03d}.png").rgb.shape[1] > 32
    assert (folder / "sheets" / "adversarial-best.png").exists()
    assert [event["stage"] for event in events if event["event"] == "epoch"] == [
        stage for stage in STAGES for _ in range(2)
    ]


def test_each_stage_goes_on_where_the_one_before_ended(whole):
    folder, _, _ = whole
    networks = [tensors(folder / f"{stage}.safetensors") for stage in ("pixel", "perceptual")]
    weights = [name for name in networks[0] if name.endswith(("weight", "bias"))]
    changes = [float((networks[0][name] - networks[1][name]).abs().max()) for name in weights]
    assert 0 < max(changes) < 0.01


def test_the_perceptual_network_names_its_classes(whole):
    network, info = load_model(whole[0] / "vgg.safetensors", Perceptual)
    assert network.config.classes == 2
    assert info.provenance["names_of_classes"] == ["blue", "red"]


def test_the_critic_learns_from_as_many_pictures_as_there_are_and_they_stay_in_the_run(whole):
    painted = sorted((whole[0] / "generated").rglob("*.png"))
    assert len(painted) == 9 + 3
    assert {read_picture(path).rgb.shape for path in painted} == {(32, 32, 3)}


def test_the_generator_that_is_handed_over_is_the_best_that_was_seen(whole):
    folder, _, _ = whole
    looks = table(folder, "watch.csv")
    assert looks[0]["step"] == "0"
    assert looks[0]["best"] == "1"
    assert len(looks) == 1 + 2  # of four batches every other is the generator's
    assert_same_network(folder / "best.safetensors", folder / "adversarial.safetensors")
    assert_same_network(folder / "model.safetensors", folder / "adversarial.safetensors")
    best = [row for row in looks if row["best"] == "1"][-1]
    assert float(best["frechet"]) <= float(looks[0]["frechet"])


# Stopping and going on


def stop_after(steps):
    count = iter(range(1, 1000))
    return lambda: next(count) >= steps


def state(folder):
    return torch.load(folder / "checkpoint.pt", weights_only=True)


def test_a_chain_that_is_stopped_anywhere_ends_the_same(pictures, whole, tmp_path):
    """Each stage asks 4 times whether to stop, the critic's 8 times, and the painting before it 4 times.

    So these stop in each stage, and in the painting, which has no state of its own.
    """
    stopped = []
    for count in (2, 5, 3, 3, 10, 9):
        with pytest.raises(KeyboardInterrupt):
            run(pictures, tmp_path / "run", resume=bool(stopped), stop=stop_after(count))
        stopped.append(state(tmp_path / "run")["stage"])
    assert stopped == ["vgg", "pixel", "perceptual", "perceptual", "critic", "adversarial"]
    run(pictures, tmp_path / "run", resume=True)
    assert_same_run(whole[0], tmp_path / "run")


def test_pictures_that_were_painted_are_not_painted_again_unless_by_another_network(
    pictures, whole, tmp_path
):
    shutil.copytree(whole[0] / "generated", tmp_path / "generated")
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "generated").rglob("*.png")}
    gone = min(kept)
    gone.unlink()
    start = {"from_": str(whole[0] / "perceptual.safetensors")}
    run(pictures, tmp_path, ("critic",), epochs=1, **start)
    for path, number in kept.items():
        assert (path.stat().st_mtime_ns == number) == (path != gone)
    (tmp_path / "checkpoint.pt").unlink()
    run(pictures, tmp_path, ("critic",), epochs=1, from_=str(whole[0] / "pixel.safetensors"))
    assert not any(path.stat().st_mtime_ns == number for path, number in kept.items())


# A stage alone


def test_stages_can_be_run_one_by_one_with_the_same_result(pictures, whole, tmp_path):
    folder = whole[0]
    run(pictures, tmp_path / "vgg", ("vgg",))
    assert_same_network(tmp_path / "vgg" / "vgg.safetensors", folder / "vgg.safetensors")
    run(pictures, tmp_path / "pixel", ("pixel",))
    assert_same_network(tmp_path / "pixel" / "pixel.safetensors", folder / "pixel.safetensors")
    seen = {"perceptual": str(folder / "vgg.safetensors")}
    start = {"from_": str(folder / "pixel.safetensors")}
    run(pictures, tmp_path / "perceptual", ("perceptual",), **seen, **start)
    assert_same_network(tmp_path / "perceptual" / "model.safetensors", folder / "perceptual.safetensors")
    start = {"from_": str(folder / "perceptual.safetensors")}
    run(
        pictures, tmp_path / "game", ("adversarial",), **seen, **start,
        from_critic=str(folder / "critic.safetensors"),
    )  # fmt: skip
    assert_same_network(tmp_path / "game" / "model.safetensors", folder / "adversarial.safetensors")
    assert table(tmp_path / "game", "watch.csv") == table(folder, "watch.csv")


def test_vgg_learns_to_tell_red_from_blue(pictures, tmp_path):
    run(pictures, tmp_path / "run", ("vgg",), epochs=12, lr=1e-2)
    assert float(table(tmp_path / "run")[-1]["top1"]) == 1


def test_classes_may_come_from_a_folder_of_their_own(pictures, tmp_path):
    others = tmp_path / "others"
    for name in ("one", "two", "three"):
        shutil.copytree(pictures / "red", others / name)
    run(pictures, tmp_path / "run", ("vgg",), epochs=1, classes=str(others))
    info = load_model(tmp_path / "run" / "vgg.safetensors")[1]
    assert info.provenance["names_of_classes"] == ["one", "three", "two"]


# The game


def test_the_game_stops_at_the_inflection_and_hands_over_the_best(pictures, whole, tmp_path, monkeypatch):
    """The figures are set here: the second look is the best, and after two more it is over."""
    figures = iter([50.0, 40.0, 45.0, 44.0, 1.0])
    monkeypatch.setattr(
        stages.early_stopping, "measure", lambda *_args: early_stopping.Figures(1.0, 20.0, next(figures))
    )
    kept = {}
    keep = stages.alternating.GeneratorMonitor.look

    def look(self):
        keep(self)
        kept[self.steps] = {k: v.clone() for k, v in self.turns.players["generator"].state_dict().items()}

    monkeypatch.setattr(stages.alternating.GeneratorMonitor, "look", look)
    start = {
        "from_": str(whole[0] / "perceptual.safetensors"),
        "from_critic": str(whole[0] / "critic.safetensors"),
        "perceptual": str(whole[0] / "vgg.safetensors"),
    }
    settings = {"epochs": 9, "patience": 2, **start}
    run(pictures, tmp_path / "run", ("adversarial",), **settings)
    assert [row["best"] for row in table(tmp_path / "run", "watch.csv")] == ["1", "1", "0", "0"]
    handed_over = tensors(tmp_path / "run" / "model.safetensors")
    assert all(torch.equal(handed_over[name], kept[1][name]) for name in handed_over)
    assert any(not torch.equal(handed_over[name], kept[2][name]) for name in handed_over)
    events, _ = run(pictures, tmp_path / "run", ("adversarial",), resume=True, **settings)
    assert [event for event in events if event["event"] != "busy"] == []  # it is over, and stays so
    assert_same_network(tmp_path / "run" / "model.safetensors", tmp_path / "run" / "best.safetensors")


def turns_of(pictures, whole, folder, monkeypatch, **settings):
    order = []
    step = stages.alternating.GanOptimizer.step

    def watched(self):
        order.append(self.turn[0])
        step(self)

    monkeypatch.setattr(stages.alternating.GanOptimizer, "step", watched)
    start = {
        "from_": str(whole[0] / "perceptual.safetensors"),
        "from_critic": str(whole[0] / "critic.safetensors"),
        "perceptual": str(whole[0] / "vgg.safetensors"),
    }
    run(pictures, folder, ("adversarial",), epochs=3, **start, **settings)
    return "".join(order)


def test_players_take_turns_by_batches(pictures, whole, tmp_path, monkeypatch):
    assert turns_of(pictures, whole, tmp_path / "run", monkeypatch, switch_batches=2) == "ggccgg"


def test_or_when_the_loss_is_low_enough(pictures, whole, tmp_path, monkeypatch):
    settings = {"switch_batches": 4, "switch_loss": 1e9}
    assert turns_of(pictures, whole, tmp_path / "run", monkeypatch, **settings) == "gcgcgc"


@pytest.mark.parametrize(
    ("settings", "steps"),
    [
        ({"gan_loss": "hinge", "spectral_norm": True, "r1": 1.0, "ema": 0.9}, 10),
        (
            {
                "gan_loss": "bce", "critic": "patch", "critic_network": {"widths": [4, 8]}, "accumulate": 2,
                "batch_size": 2,
            },
            13,
        ),
    ],
)  # fmt: skip
def test_the_cures_of_the_field_go_through_and_stop_and_go_on(pictures, whole, tmp_path, settings, steps):
    """The run is stopped amid the game; within steps of two batches nobody asks whether to stop."""
    settings |= {"from_": str(whole[0] / "perceptual.safetensors"), "epochs": {"critic": 1, "adversarial": 2}}
    settings |= {"perceptual": str(whole[0] / "vgg.safetensors")}
    chosen = ("critic", "adversarial")
    run(pictures, tmp_path / "whole", chosen, **settings)
    critic = load_critic(tmp_path / "whole" / "critic.safetensors")
    assert critic.config.spectral_norm == ("spectral_norm" in settings)
    assert isinstance(critic.config, PatchCriticConfig) == ("critic" in settings)
    with pytest.raises(KeyboardInterrupt):
        run(pictures, tmp_path / "broken", chosen, stop=stop_after(steps), **settings)
    assert state(tmp_path / "broken")["stage"] == "adversarial"
    run(pictures, tmp_path / "broken", chosen, resume=True, **settings)
    for name in ("critic", "adversarial", "best"):
        file = f"{name}.safetensors"
        assert_same_network(tmp_path / "whole" / file, tmp_path / "broken" / file)
    assert table(tmp_path / "whole", "watch.csv") == table(tmp_path / "broken", "watch.csv")
    first, second = (state(tmp_path / name)["model"] for name in ("whole", "broken"))
    assert [
        name for name in first if not torch.equal(first[name], second[name])
    ] == []  # the best may be older


# Bad input


def test_a_file_of_another_network_is_told(pictures, whole, tmp_path):
    folder = whole[0]
    cases = [
        ({"from_": str(folder / "critic.safetensors")}, ("pixel",), CheckpointError, "holds a critic"),
        ({"from_": str(folder / "vgg.safetensors")}, ("pixel",), CheckpointError, "a perceptual net"),
        (
            {"from_": str(folder / "pixel.safetensors"), "output_space": "rgb"}, ("pixel",),
            TrainingError, "its network paints in hxhysv; add --output-space hxhysv",
        ),
        ({"perceptual": str(folder / "pixel.safetensors")}, ("perceptual",), CheckpointError, "not be used"),
        ({"perceptual": "gone.safetensors"}, ("perceptual",), CheckpointError, "gone.safetensors: no such"),
        ({"network": {"width": [1]}}, ("pixel",), UsageError, "--config, network: .* unknown keys: width"),
        ({"vgg_network": {"widths": [1]}}, ("vgg",), UsageError, "--config, vgg-network: .*6 entries"),
    ]  # fmt: skip
    for settings, chosen, kind, said in cases:
        with pytest.raises(kind, match=said) as raised:
            run(pictures, tmp_path / "run", chosen, **settings)
        assert "\n" not in str(raised.value)
    assert not (tmp_path / "run" / "checkpoint.pt").exists()


def test_pictures_without_a_class_are_told(pictures, tmp_path):
    shutil.copytree(pictures, tmp_path / "tree")
    shutil.copy(pictures / "red" / "0.png", tmp_path / "tree" / "0.png")
    with pytest.raises(DataError, match=r"0\.png: is not in a subfolder of .*tree; a class is a folder"):
        run(tmp_path / "tree", tmp_path / "run", ("vgg",))
    with pytest.raises(DataError, match=r"is not in a subfolder"):
        run(pictures / "red", tmp_path / "run", ("vgg",))
    shutil.rmtree(tmp_path / "tree" / "blue")
    (tmp_path / "tree" / "0.png").unlink()
    with pytest.raises(DataError, match="1 class of pictures found; telling classes apart needs 2 or more"):
        run(tmp_path / "tree", tmp_path / "run", ("vgg",))
