from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import sketchcolor_cli
from sketchcolor_cli.errors import SketchcolorError, UsageError
from sketchcolor_cli.plugin.contract import Extractor, Parameter, Resources
from sketchcolor_cli.plugin.parameters import parse_parameters
from sketchcolor_cli.weights.spec import WeightFile

WEIGHTS = WeightFile("net", "MIT")


def extractor(**changes):
    parameters = (
        Parameter("sigma", 0.5, "Width in pixels."),
        Parameter("rounds", 3, "How often."),
        Parameter("invert", False, "Whether to swap paper and ink."),
        Parameter("style", "Thin", "Which lines."),
    )
    return Extractor(
        **{"name": "demo", "summary": "A demo.", "load": lambda resources: None, "parameters": parameters}
        | changes
    )


def parsed(extractor, settings):
    return parse_parameters(extractor.name, extractor.parameters, settings)


def test_plugin_authors_names_come_without_torch():
    wanted = {"hookimpl", "Extractor", "Sketcher", "Resources", "SizeRule", "WeightFile", "Parameter"}
    wanted |= {"WeightSource"}
    assert wanted <= set(sketchcolor_cli.__all__)
    code = f"import sys\nfrom sketchcolor_cli import {', '.join(wanted)}\nsys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_settings_every_parameter_has_its_default():
    assert parsed(extractor(), []) == {"sigma": 0.5, "rounds": 3, "invert": False, "style": "Thin"}
    assert parsed(extractor(parameters=()), []) == {}


@pytest.mark.parametrize(
    ("setting", "name", "value"),
    [
        ("sigma=2", "sigma", 2.0),
        ("sigma=-1e-3", "sigma", -0.001),
        ("rounds=-7", "rounds", -7),
        ("invert=true", "invert", True),
        ("invert=ON", "invert", True),
        ("invert=0", "invert", False),
        ("style=a=b c", "style", "a=b c"),
        ("style=", "style", ""),
    ],
)
def test_a_setting_becomes_a_value_of_the_declared_type(setting, name, value):
    values = parsed(extractor(), [setting])
    assert values[name] == value
    assert type(values[name]) is type(value)
    assert {**values, name: None} == {**extractor().defaults(), name: None}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["sigma"], r"--param sigma: write it as name=value"),
        (["gamma=1"], r"demo has no parameter 'gamma'; it has: sigma, rounds, invert, style"),
        (["=1"], r"no parameter ''"),
        (["sigma=wide"], r"--param sigma=wide: sigma is a number, such as 0\.5"),
        (["sigma=nan"], r"sigma is a number"),
        (["sigma=inf"], r"sigma is a number"),
        (["sigma="], r"sigma is a number"),
        (["rounds=1.5"], r"rounds is a whole number, such as 3"),
        (["invert=maybe"], r"invert is true or false, such as false"),
        (["sigma=1", "sigma=1"], r"sigma is given twice"),
    ],
)
def test_a_wrong_setting_is_a_usage_error_that_says_what_would_do(settings, said):
    with pytest.raises(UsageError, match=said):
        parsed(extractor(), settings)


def test_an_extractor_without_parameters_says_so():
    with pytest.raises(UsageError, match="it has: none"):
        parsed(extractor(parameters=()), ["sigma=1"])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "My Lines"}, "extractor 'My Lines'"),
        ({"name": ""}, "extractor ''"),
        ({"name": "-x"}, "extractor '-x'"),
        ({"summary": ""}, "summary"),
        ({"summary": "two\nlines"}, "summary"),
        (
            {"parameters": (Parameter("k", 1.0, "One."), Parameter("k", 2, "Two."))},
            "parameter k is declared 2 times",
        ),
        ({"working_size": 0}, "working_size is a whole number of at least 1, not 0"),
        ({"working_size": 512.0}, "working_size is a whole number of at least 1, not 512.0"),
        ({"margin": -1}, "margin is a whole number of at least 0, not -1"),
    ],
)
def test_an_extractor_that_makes_no_sense_is_refused(changes, said):
    with pytest.raises(ValueError, match=said):
        extractor(**changes)


@pytest.mark.parametrize(
    ("name", "default", "said"), [("a b", 1, "parameter 'a b'"), ("a", None, "not None")]
)
def test_a_parameter_that_makes_no_sense_is_refused(name, default, said):
    with pytest.raises(ValueError, match=said):
        Parameter(name, default, "Nonsense.")


def test_resources_answer_with_what_they_were_given():
    resources = Resources(
        find_weight=lambda file: Path("here") / file.name, find_extractor=lambda name: name.upper()
    )
    assert resources.weight_path(WEIGHTS) == Path("here/net")
    assert resources.extractor("xdog") == "XDOG"


def test_resources_that_were_given_nothing_say_what_is_missing():
    with pytest.raises(SketchcolorError, match=r"net: .*find_weight"):
        Resources().weight_path(WEIGHTS)
    with pytest.raises(SketchcolorError, match=r"xdog.*find_extractor"):
        Resources().extractor("xdog")
