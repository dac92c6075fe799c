import json
import tomllib
from dataclasses import fields, replace

import pytest

from sketchcolor_cli.errors import UsageError
from sketchcolor_cli.training.settings import PRESETS, STAGES, TrainConfig, configure, to_plain, to_toml


def test_the_thesis_preset_is_the_thesis_recipe():
    config = configure("thesis")
    assert (config.size, config.batch_size, config.seed) == ((256,), 10, 42)
    assert config.epochs == {"vgg": 20, "pixel": 10, "perceptual": 3, "critic": 10, "adversarial": 3}
    assert config.lr == {
        "vgg": 3e-3, "pixel": 3e-3, "perceptual": 2e-4, "critic": 3e-3, "adversarial": 1e-5
    }  # fmt: skip
    assert (config.critic_lr, config.gan_weight, config.gan_decay) == (5e-5, 0.003, 1e-2)
    assert config.stages == ("pixel", "perceptual")


@pytest.mark.parametrize("preset", PRESETS)
def test_what_is_given_takes_the_place_of_the_presets_value_and_none_does_not(preset):
    assert configure(preset) == PRESETS[preset]
    three = dict.fromkeys(STAGES, 3)
    assert configure(preset, epochs=3, lr=None) == replace(PRESETS[preset], epochs=three)


@pytest.mark.parametrize("given", ["pixel=4, critic=2", {"pixel": 4, "critic": 2}])
def test_epochs_may_be_given_for_single_stages(given):
    before = PRESETS["fast"].epochs
    assert configure("fast", epochs=given).epochs == before | {"pixel": 4, "critic": 2}


def test_rates_may_be_given_as_text_for_all_stages_or_for_each():
    assert set(configure("fast", lr="1e-3").lr.values()) == {1e-3}
    assert configure("fast", lr="pixel=0.5").lr == PRESETS["fast"].lr | {"pixel": 0.5}


def test_one_size_or_several_are_sizes():
    assert configure("fast", size=64).size == configure("fast", size=[64]).size == (64,)
    assert configure("fast", size=(64, 96)).size == (64, 96)


@pytest.mark.parametrize("preset", PRESETS)
def test_each_preset_goes_by_its_own_name(preset):
    assert PRESETS[preset].preset == preset


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"size": 40}, "--size 40: must be a multiple of 32"),
        ({"size": 0}, "--size 0: must be a multiple of 32, at least 32"),
        ({"epochs": 0}, "--epochs 0: must be at least 1"),
        ({"epochs": "x"}, "--epochs 'x': must be a whole number, or one for each stage, as in pixel=3"),
        ({"epochs": "pixel=3,magic=1"}, "--epochs: no stage 'magic'; there are vgg, pixel, perceptual"),
        ({"epochs": "pixel="}, "--epochs 'pixel=': must be a whole number, or one for each stage"),
        ({"size": ()}, "--size (): must be a list, not empty"),
        ({"size": (64, 40)}, "--size 40: must be a multiple of 32"),
        ({"size": True}, "--size True: must be a list, not empty"),
        ({"epochs": 2.0}, "--epochs 2.0: must be a whole number"),
        ({"epochs": True}, "--epochs True: must be a whole number"),
        ({"batch_size": 1}, "--batch-size 1: must be at least 2"),
        ({"lr": -1.0}, "--lr -1.0: must be above 0"),
        ({"lr": float("nan")}, "--lr nan: must be above 0"),
        ({"lr": float("inf")}, "--lr inf: must be above 0"),
        ({"lr": "high"}, "--lr 'high': must be a number, or one for each stage"),
        ({"seed": -1}, "--seed -1: must be at least 0"),
        ({"valid_share": 1.0}, "--valid-share 1.0: must be between 0 and 1"),
        ({"valid_share": 0}, "--valid-share 0: must be between 0 and 1"),
        ({"precision": "float64"}, "--precision float64: must be auto, float32, bfloat16 or float16"),
        ({"ema": 1.0}, "--ema 1.0: must be at least 0 and below 1"),
        ({"accumulate": 0}, "--accumulate 0: must be at least 1"),
        ({"output_space": "hsv"}, "--output-space hsv: must be hxhysv, xyv, rgb or lab"),
        ({"critic": "big"}, "--critic big: must be thesis or patch"),
        ({"gan_loss": "wgan"}, "--gan-loss wgan: must be linear, bce or hinge"),
        ({"compile": 1}, "--compile 1: must be true or false"),
        ({"network": "large"}, "--network 'large': must be a table"),
        ({"from_model": 3}, "--from 3: must be text"),
        ({"workers": -1}, "--workers -1: must be at least 0"),
        ({"checkpoint_minutes": -0.5}, "--checkpoint-minutes -0.5: must be at least 0"),
        ({"stages": "pixel"}, "--stages 'pixel': must be a list, not empty"),
        ({"stages": ("pixel", "magic")}, "no stage 'magic'; there are vgg, pixel, perceptual, critic"),
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
        configure("fast", **settings)
    assert str(raised.value).startswith(said)


def test_limits_themselves_are_in_range():
    least = {"epochs": 1, "size": 32, "batch_size": 2, "seed": 0, "workers": 0, "checkpoint_minutes": 0}
    config = configure("fast", **least)
    assert to_plain(config).items() >= (least | {"epochs": dict.fromkeys(STAGES, 1), "size": [32]}).items()


def test_a_whole_number_may_stand_for_a_number():
    config = configure("fast", lr=1, checkpoint_minutes=5)
    assert (config.lr["pixel"], config.checkpoint_minutes) == (1, 5)
    assert configure("fast", checkpoint_minutes=0.5).checkpoint_minutes == 0.5


def test_an_unknown_preset_is_refused_with_those_there_are():
    with pytest.raises(UsageError, match="no preset 'best'; there are thesis, fast"):
        configure("best")


def test_the_plain_form_survives_json_and_has_every_setting():
    config = configure("fast", method="xdog", size=(64, 96))
    plain = json.loads(json.dumps(to_plain(config)))
    assert plain == to_plain(config)
    assert configure(plain.pop("preset"), **plain) == config


def test_the_file_has_every_setting_and_gives_the_same_settings_again():
    config = configure(
        "fast", epochs="pixel=3", sketches='a "b"\\c/ページ\t', network={"widths": [8, 16]}, compile=True,
        from_model="x.safetensors",
    )  # fmt: skip
    written = tomllib.loads(to_toml(config))
    assert len(written) == len(fields(TrainConfig))
    given = {NAMES_BACK.get(name, name.replace("-", "_")): value for name, value in written.items()}
    assert configure(given.pop("preset"), **given) == config


NAMES_BACK = {"from": "from_model"}


def test_finetuning_has_a_recipe_of_its_own_that_options_change():
    config = configure("fast", finetune=True, from_model="x", epochs="pixel=2")
    assert (config.stages, config.epochs["pixel"], config.lr["pixel"]) == (("pixel",), 2, 2e-4)
