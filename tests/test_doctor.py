import json
import os
import re
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from sketchcolor_cli import environment
from sketchcolor_cli.cli.app import app
from sketchcolor_cli.doctor import examination, machine, selftest, software
from sketchcolor_cli.doctor.findings import Finding, Level, without_names

ROOT = Path(__file__).parents[1]


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "anna"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "anna"))
    monkeypatch.setattr("getpass.getuser", lambda: "anna")
    (tmp_path / "anna").mkdir()
    return tmp_path / "anna"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{home}/pages/a.png, cannot be written", "~/pages/a.png, cannot be written"),
        ("/srv/comics/anna/book.cbz is damaged", "…/book.cbz is damaged"),
        (r"C:\Users\anna\book.cbz", r"…/book.cbz"),
        ("of anna, not of hannah", "of USER, not of hannah"),
        ("see https://example.org/a/b.html", "see https://example.org/a/b.html"),
        ("2 of 4 processors, 3/4 free", "2 of 4 processors, 3/4 free"),
    ],
)
def test_no_names_and_no_foreign_paths_are_shown(home, text, shown):
    assert without_names(text.format(home=home)) == shown


def test_an_account_without_a_home_folder_is_none_to_hide(monkeypatch):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    assert without_names("/srv/comics/book.cbz is damaged") == "…/book.cbz is damaged"


def test_an_extractor_whose_weights_are_damaged_is_not_ready(tmp_path, monkeypatch):
    monkeypatch.setenv(environment.WEIGHTS, str(tmp_path))
    (tmp_path / "anime2sketch.safetensors").write_bytes(b"nothing")
    found = {finding.name: finding for finding in software.check_plugins()}
    assert found["extractor anime2sketch"].value == "lacks weights: anime2sketch"
    assert found["extractor xdog"].value == "ready"


def test_a_check_that_breaks_is_a_finding_and_the_others_go_on():
    def check_disk():
        yield Finding("Computer", "disk", "fine")
        raise RuntimeError("no such device")

    def check_next():
        yield Finding("Computer", "next", "fine")

    first, broken, after = examination.examine([check_disk, check_next])

    assert (first.value, after.value) == ("fine", "fine")
    assert broken.level is Level.PROBLEM
    assert broken.remedy
    assert "no such device" in broken.value


def test_a_folder_that_cannot_be_used_is_a_problem_with_a_remedy(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv(environment.CACHE, str(tmp_path / "file"))

    found = {finding.name: finding for finding in machine.check_folders()}

    assert found["folder: cache"].level is Level.PROBLEM
    assert environment.CACHE in found["folder: cache"].remedy
    assert found["this folder"].level is Level.OK


def test_a_damaged_model_and_a_broken_config_file_are_problems(tmp_path, monkeypatch):
    (tmp_path / "mine.safetensors").write_bytes(b"nothing")
    (tmp_path / "config.toml").write_text("device = ", encoding="utf-8")
    monkeypatch.setenv(environment.MODELS, str(tmp_path))
    monkeypatch.setenv(environment.CONFIG, str(tmp_path / "config.toml"))

    models = {finding.name: finding for finding in software.check_models()}
    settings = {finding.name: finding for finding in software.check_settings()}

    assert models["model default"].level is Level.OK
    assert models["model mine"].level is Level.PROBLEM
    assert models["model mine"].remedy == "sketchcolor models remove mine"
    assert settings["config file"].level is Level.PROBLEM
    monkeypatch.setenv(environment.CONFIG, str(tmp_path / "none.toml"))
    assert [finding.level for finding in software.check_settings()] == [Level.PROBLEM, Level.OK]
    assert environment.MODELS in settings["variables"].value


def test_a_library_that_is_absent_or_broken_is_named_with_the_command(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    (tmp_path / "psd_tools.py").write_text("raise ImportError('no libpsd.so')", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "psd_tools", raising=False)
    monkeypatch.setattr("sketchcolor_cli.files.books.rars.unpacker", lambda: None)

    found = {finding.name: finding for finding in (*software.check_formats(), *software.check_extras())}

    assert found["HEIC pictures (extra heic)"].level is Level.MISSING
    assert found["HEIC pictures (extra heic)"].remedy == "pip install pillow-heif"
    broken = found["PSD of 16 bits, --layers psd (extra psd)"]
    assert broken.level is Level.PROBLEM
    assert "no libpsd.so" in broken.value
    assert broken.remedy == "pip install psd-tools --force-reinstall"
    assert found["CBR"].level is Level.MISSING


def test_every_extra_for_users_is_looked_at_with_its_libraries():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {
        extra: [re.split("[<>=]", one)[0] for one in libraries]
        for extra, libraries in project["optional-dependencies"].items()
        if extra not in ("dev", "docs")
    }

    assert {extra: packages for extra, (_, packages, _) in software.EXTRAS.items()} == declared


@pytest.mark.parametrize(
    ("torch", "onnx", "said"),
    [
        (True, True, "ONNX Runtime; a pass took 0.40 s by ONNX Runtime and 0.50 s by torch"),
        (True, False, "torch, as nothing else is installed for it"),
        (False, True, "ONNX Runtime, as nothing else is installed for it"),
    ],
)
def test_what_computes_colours_is_told_with_the_reason(monkeypatch, torch, onnx, said):
    seconds = {"torch": 0.5, "brief": 0.5, "onnx": 0.4}
    monkeypatch.setattr("sketchcolor_cli.compute.slim.has_torch", lambda: torch)
    monkeypatch.setattr("sketchcolor_cli.compute.onnx.is_installed", lambda: onnx)
    monkeypatch.setattr("sketchcolor_cli.compute.devices.resolve", lambda _: "cpu")
    monkeypatch.setattr("sketchcolor_cli.networks.backend.Backends.trial", lambda *_: seconds)

    [found] = machine.check_backends()

    assert (found.name, found.value) == ("--backend auto", said)


def test_results_that_a_broken_installation_gives_are_told():
    page = np.ones((8, 8), np.float32)
    page[0] = 0
    rough = np.ones((8, 8, 3), np.float32)
    rough[4:] = (0.8, 0.2, 0.2)
    good = np.where(page[..., None] == 0, 0, rough).astype(np.float32)

    assert selftest.what_is_wrong(page, rough, good) == ""
    assert "not numbers" in selftest.what_is_wrong(page, rough, np.full_like(good, np.nan))
    assert "ink" in selftest.what_is_wrong(page, rough, good + 0.1)
    assert "missed" in selftest.what_is_wrong(page, rough, np.where(page[..., None] == 0, 0, 1 - good))


def test_the_command_tells_everything_as_json_and_its_exit_code_says_whether_all_is_well(
    home, tmp_path, monkeypatch
):
    monkeypatch.setenv(environment.WEIGHTS, str(home / "weights"))
    monkeypatch.chdir(tmp_path)

    done = CliRunner().invoke(app, ["doctor", "--json"])
    told = json.loads(done.stdout)

    assert done.exit_code == (1 if told["problems"] else 0)
    named = {finding["name"]: finding for finding in told["findings"]}
    assert named["bundled model"]["level"] == "ok"
    assert named["extractor avg"]["remedy"] == "sketchcolor weights fetch avg"
    assert str(tmp_path) not in done.stdout


def test_a_folder_without_permission_is_a_problem(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path)
    monkeypatch.chdir(tmp_path)

    found = {finding.name: finding for finding in machine.check_folders()}

    assert found["this folder"].level is Level.PROBLEM
