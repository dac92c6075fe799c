import json
from dataclasses import replace

import pytest

from sketchcolor_cli.errors import UsageError
from sketchcolor_cli.training.config import PRESETS, configure, to_plain


def test_the_thesis_preset_is_the_thesis_recipe():
    config = configure("thesis")
    assert (config.epochs, config.size, config.batch_size, config.lr, config.seed) == (10, 256, 10, 3e-3, 42)
    assert config.stages == ("pixel",)


@pytest.mark.parametrize("preset", PRESETS)
def test_what_is_given_takes_the_place_of_the_presets_value_and_none_does_not(preset):
    assert configure(preset) == PRESETS[preset]
    assert configure(preset, epochs=3, lr=None) == replace(PRESETS[preset], epochs=3)


@pytest.mark.parametrize("preset", PRESETS)
def test_each_preset_goes_by_its_own_name(preset):
    assert PRESETS[preset].preset == preset


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"size": 40}, "--size 40: must be a multiple of 32"),
        ({"size": 0}, "--size 0: must be a multiple of 32, at least 32"),
        ({"epochs": 0}, "--epochs 0: must be at least 1"),
        ({"epochs": "3"}, "--epochs '3': must be a whole number"),
        ({"epochs": 2.0}, "--epochs 2.0: must be a whole number"),
        ({"epochs": True}, "--epochs True: must be a whole number"),
        ({"batch_size": 1}, "--batch-size 1: must be at least 2"),
        ({"lr": -1.0}, "--lr -1.0: must be above 0"),
        ({"lr": float("nan")}, "--lr nan: must be above 0"),
        ({"lr": float("inf")}, "--lr inf: must be above 0"),
        ({"lr": "high"}, "--lr 'high': must be a number"),
        ({"seed": -1}, "--seed -1: must be at least 0"),
        ({"valid_share": 1.0}, "--valid-share 1.0: must be between 0 and 1"),
        ({"valid_share": 0}, "--valid-share 0: must be between 0 and 1"),
        ({"precision": "float16"}, "--precision float16: must be auto, float32 or bfloat16"),
        ({"workers": -1}, "--workers -1: must be at least 0"),
        ({"checkpoint_minutes": -0.5}, "--checkpoint-minutes -0.5: must be at least 0"),
        ({"stages": "pixel"}, "--stages 'pixel': must be a list of names"),
        ({"stages": ("pixel", "magic")}, "no stage 'magic'; there are pixel"),
        ({"method": "xdog", "sketches": "lines"}, "--method and --sketches exclude each other"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named_with_its_limit(settings, said):
    with pytest.raises(UsageError) as raised:
        configure("fast", **settings)
    assert str(raised.value).startswith(said)


def test_limits_themselves_are_in_range():
    least = {"epochs": 1, "size": 32, "batch_size": 2, "seed": 0, "workers": 0, "checkpoint_minutes": 0}
    assert to_plain(configure("fast", **least)).items() >= least.items()


def test_a_whole_number_may_stand_for_a_number():
    config = configure("fast", lr=1, checkpoint_minutes=5)
    assert (config.lr, config.checkpoint_minutes) == (1, 5)
    assert configure("fast", checkpoint_minutes=0.5).checkpoint_minutes == 0.5


def test_an_unknown_preset_is_refused_with_those_there_are():
    with pytest.raises(UsageError, match="no preset 'best'; there are thesis, fast"):
        configure("best")


def test_the_plain_form_survives_json_and_has_every_setting():
    config = configure("fast", method="xdog")
    plain = json.loads(json.dumps(to_plain(config)))
    assert plain == to_plain(config)
    assert configure(plain.pop("preset"), **plain | {"stages": tuple(plain["stages"])}) == config
