import json
import re
import tomllib
from dataclasses import fields, replace
from pathlib import Path

import pytest

from sketchcolor_cli import networks
from sketchcolor_cli.errors import UsageError
from sketchcolor_cli.jobs.train import TrainRequest
from sketchcolor_cli.training.settings import PRESETS, STAGES, TrainSettings


def test_the_thesis_preset_is_the_thesis_recipe():
    config = TrainSettings.of(preset="thesis")
    assert (config.size, config.batch_size, config.seed) == ((256,), 10, 42)
    assert config.epochs == {"vgg": 20, "pixel": 10, "perceptual": 3, "critic": 10, "adversarial": 3}
    assert config.lr == {
        "vgg": 3e-3, "pixel": 3e-3, "perceptual": 2e-4, "critic": 3e-3, "adversarial": 1e-5
    }  # fmt: skip
    assert (config.critic_lr, config.gan_weight, config.gan_decay) == (5e-5, 0.003, 1e-2)
    assert config.stages == ("pixel", "perceptual")


def test_the_default_preset_is_the_recipe_on_the_card_of_the_shipped_model():
    card = Path(networks.__file__).with_name("bundled") / "default.md"
    row = next(line for line in card.read_text(encoding="utf-8").splitlines() if line.startswith("| command"))
    options = dict(re.findall(r"--(\w+(?:-\w+)*) ([\d.,e-]+)", row))
    preset = TrainSettings.of(preset="default")
    assert preset.size == tuple(map(int, options["sizes"].split(",")))
    assert preset.batch_pixels == int(options["pixels"])
    assert preset.lr["pixel"] == float(options["lr"])
    assert preset.cool_down == float(options["cooldown"])
    assert preset.pairs == {"bare_share": float(options["bare"]), "sheet_share": float(options["sheets"])}
    recipe = card.read_text(encoding="utf-8")
    assert (preset.optimizer, preset.clip, preset.ema) == ("muon", 2.0, 0.998)
    assert "Muon for the kernels" in recipe
    assert "gradient norm ≤ 2; moving average of the weights, 0.999, at the end 0.998" in recipe


def test_what_is_given_takes_the_place_of_the_presets_value():
    assert TrainSettings.of() == TrainSettings.of(preset="thesis") == TrainSettings()
    fast = TrainSettings.of(preset="fast")
    assert (fast.batch_size, fast.size, fast.ema, fast.lr["pixel"]) == (16, (192,), 0.999, 2e-3)
    assert fast.lr["vgg"] == TrainSettings().lr["vgg"]
    assert TrainSettings.of(preset="fast", epochs=3) == replace(fast, epochs=dict.fromkeys(STAGES, 3))


@pytest.mark.parametrize("given", ["pixel=4, critic=2", {"pixel": 4, "critic": 2}])
def test_epochs_may_be_given_for_single_stages(given):
    before = TrainSettings.of(preset="fast").epochs
    assert TrainSettings.of(preset="fast", epochs=given).epochs == before | {"pixel": 4, "critic": 2}


def test_rates_may_be_given_as_text_for_all_stages_or_for_each():
    assert set(TrainSettings.of(preset="fast", lr="1e-3").lr.values()) == {1e-3}
    assert TrainSettings.of(preset="fast", lr="pixel=0.5").lr == TrainSettings.of(preset="fast").lr | {
        "pixel": 0.5
    }


def test_one_size_or_several_are_sizes():
    assert (
        TrainSettings.of(preset="fast", size=64).size
        == TrainSettings.of(preset="fast", size=[64]).size
        == (64,)
    )
    assert TrainSettings.of(preset="fast", size=(64, 96)).size == (64, 96)


@pytest.mark.parametrize("preset", PRESETS)
def test_each_preset_goes_by_its_own_name(preset):
    assert TrainSettings.of(preset=preset).preset == preset


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"size": 40}, "--size 40: must be a multiple of 32"),
        ({"size": 0}, "--size 0: must be at least 32"),
        ({"epochs": 0}, "--epochs 0: must be at least 1"),
        ({"epochs": "x"}, "--epochs x: must be a whole number, or one for each stage, as in pixel=3"),
        (
            {"epochs": "pixel=3,magic=1"},
            "--epochs: unknown stage 'magic'; the stages are vgg, pixel, perceptual",
        ),
        ({"epochs": "pixel="}, "--epochs pixel=: must be a whole number, or one for each stage"),
        ({"size": ()}, "--size: must not be empty"),
        ({"size": (64, 40)}, "--size 40: must be a multiple of 32"),
        ({"size": True}, "--size True: must be a whole number, at least 32"),
        ({"epochs": 2.0}, "--epochs 2.0: must be a whole number"),
        ({"epochs": True}, "--epochs True: must be a table"),
        ({"epochs": {"pixel": True}}, "--epochs True: must be a whole number"),
        ({"batch_size": 1}, "--batch-size 1: must be at least 2"),
        ({"lr": -1.0}, "--lr -1.0: must be above 0"),
        ({"lr": float("nan")}, "--lr nan: must be above 0"),
        ({"lr": float("inf")}, "--lr inf: must be above 0"),
        ({"lr": "high"}, "--lr high: must be a number, or one for each stage"),
        ({"seed": -1}, "--seed -1: must be at least 0"),
        ({"valid_share": 1.0}, "--valid-share 1.0: must be above 0 and below 1"),
        ({"valid_share": 0}, "--valid-share 0.0: must be above 0 and below 1"),
        ({"precision": "float64"}, "--precision float64: must be one of auto, float32, bfloat16, float16"),
        ({"ema": 1.0}, "--ema 1.0: must be at least 0 and below 1"),
        ({"accumulate": 0}, "--accumulate 0: must be at least 1"),
        ({"output_space": "hsv"}, "--output-space hsv: must be one of hxhysv, xyv, rgb, lab"),
        ({"critic": "big"}, "--critic big: must be one of thesis, patch"),
        ({"gan_loss": "wgan"}, "--gan-loss wgan: must be one of linear, bce, hinge"),
        ({"compile": 1}, "--compile 1: must be true or false"),
        ({"network": "large"}, "large: must be a table of TOML"),
        ({"from_": 3}, "--from 3: must be a text"),
        ({"workers": -1}, "--workers -1: must be at least 0"),
        ({"checkpoint_minutes": -0.5}, "--checkpoint-minutes -0.5: must be at least 0"),
        ({"stages": ()}, "--stages: must not be empty"),
        ({"stages": ("pixel", "magic")}, "--stages magic: must be one of vgg, pixel, perceptual, critic"),
        ({"stages": ("perceptual", "pixel")}, "--stages perceptual,pixel: each once, in the order vgg"),
        ({"stages": ("pixel", "pixel")}, "--stages pixel,pixel: each once"),
        ({"stages": ("critic",)}, "--stages: critic and adversarial need a network that paints"),
        ({"stages": ("pixel", "adversarial")}, "--stages: adversarial needs a critic; put critic before it"),
        ({"finetune": True}, "--finetune: needs a model to begin with"),
        ({"method": "xdog", "sketches": "lines"}, "--method and --sketches exclude each other"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named_with_its_limit(settings, said):
    with pytest.raises(UsageError) as raised:
        TrainSettings.of(preset="fast", **settings)
    assert str(raised.value).startswith(said)


def test_limits_themselves_are_in_range():
    least = {"epochs": 1, "size": 32, "batch_size": 2, "seed": 0, "workers": 0, "checkpoint_minutes": 0}
    config = TrainSettings.of(preset="fast", **least)
    assert config.plain().items() >= (least | {"epochs": dict.fromkeys(STAGES, 1), "size": [32]}).items()


def test_a_whole_number_may_stand_for_a_number():
    config = TrainSettings.of(preset="fast", lr=1, checkpoint_minutes=5)
    assert (config.lr["pixel"], config.checkpoint_minutes) == (1, 5)
    assert TrainSettings.of(preset="fast", checkpoint_minutes=0.5).checkpoint_minutes == 0.5


def test_an_unknown_preset_is_refused_with_those_there_are():
    with pytest.raises(UsageError, match="--preset best: must be one of thesis, fast"):
        TrainSettings.of(preset="best")


def test_the_plain_form_survives_json_and_has_every_setting():
    config = TrainSettings.of(preset="fast", method="xdog", size=(64, 96), from_="x")
    plain = json.loads(json.dumps(config.plain()))
    assert plain == config.plain()
    assert plain.keys() == {field.name for field in fields(TrainSettings)}
    plain["from_"] = plain.pop("from_model")
    assert TrainSettings.of(**plain) == config


def test_the_file_has_every_setting_and_gives_the_same_settings_again(tmp_path):
    config = TrainSettings.of(
        preset="fast", epochs="pixel=3", sketches='a "b"\\c/ページ\t', network={"widths": [8, 16]},
        compile=True,
    )  # fmt: skip
    (tmp_path / "run.toml").write_text(config.toml())
    assert len(tomllib.loads(config.toml())) == len(fields(TrainSettings))
    given = {"data": ("x",), "output": tmp_path / "run", "config": tmp_path / "run.toml"}
    assert TrainRequest.of(**given).settings == config


def test_every_option_is_also_a_key(tmp_path):
    file = tmp_path / "run.toml"
    file.write_text('device = "cpu"\nresume = true\nepochs = 2\nsize = 64\nbatch_size = 4\n')
    request = TrainRequest.of(data=("x",), output=tmp_path, config=file, batch_size=8)
    settings = TrainSettings.of(epochs=2, size=64, batch_size=8)
    assert request == TrainRequest(("x",), tmp_path, settings, file, "cpu", True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("epoch = 2", "unknown key epoch; did you mean epochs?"),
        ("workers = 1.5", "--workers 1.5: must be a whole number, at least 0"),
        ("seed = true", "--seed True: must be a whole number, at least 0"),
        ("a = = 3", "not valid TOML (Invalid value"),
        ("output = 'x'", "unknown key output"),
    ],
)
def test_a_file_that_makes_no_sense_is_named(tmp_path, text, said):
    file = tmp_path / "run.toml"
    file.write_text(text)
    with pytest.raises(UsageError) as raised:
        TrainRequest.of(data=("x",), output=tmp_path, config=file)
    assert str(raised.value).startswith(f"--config {file}: {said}")


def test_a_model_to_begin_with_brings_its_preset_and_its_colour_space(tmp_path):
    network = {"output_space": "lab"}
    for architecture, preset, space in (("thesis-unet", "thesis", "lab"), ("hint-unet", "fast", "hxhysv")):
        header = {"architecture": architecture, "licence": "", "provenance": {}}
        header["config"] = network if preset == "thesis" else {}
        text = json.dumps({"__metadata__": {"sketchcolor": json.dumps(header)}}).encode()
        file = tmp_path / "model.safetensors"
        file.write_bytes(len(text).to_bytes(8, "little") + text)
        got = TrainRequest.of(data=("x",), output=tmp_path, from_=str(file)).settings
        assert (got.preset, got.output_space, got.from_model) == (preset, space, str(file))
        named = TrainRequest.of(data=("x",), output=tmp_path, from_=str(file), preset="fast").settings
        assert (named.preset, named.output_space) == ("fast", "hxhysv")


def test_finetuning_has_a_recipe_of_its_own_that_options_change():
    config = TrainSettings.of(preset="fast", finetune=True, from_="x", epochs="pixel=2")
    assert (config.stages, config.epochs["pixel"], config.lr["pixel"]) == (("pixel",), 2, 2e-4)
