"""The studio's page without a browser: its three languages, what its files may hold, its pure modules."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from sketchcolor_cli.coloring.settings import ColorizeSettings
from sketchcolor_cli.files.worklist import BOOK_OF_SUFFIX
from sketchcolor_cli.imaging.settings import Saving
from sketchcolor_cli.studio import uploads
from sketchcolor_cli.studio.described import export_settings, project_settings

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "src/sketchcolor_cli/studio/page"
STUDIO_TESTS = ROOT / "tests/studio"
LANGUAGES = ("en", "es", "ja")

# Families of messages whose last part is known only while the page runs; each name as the code has it.
FAMILIES = {
    "command": None,  # by the commands, see below
    "state": {"untouched", "hinted", "draft", "done", "failed"},
    "saving": {"saved", "waiting", "saving", "conflict", "offline", "failed"},
    "live": {"idle", "waiting", "lost", "starting", "failed"},
    "job": {"waiting", "running", "working", "done", "failed", "cancelled", "interrupted"},
    "job.action": {"cancel", "resume", "forget"},
    "tool": {"brush", "point", "eraser", "picker", "rough", "mask", "hand"},
    "mask": {"protect", "free"},
    "group": {"tools", "colors", "view", "pages", "work"},
    "section": {"swatches", "sheets", "settings"},
    "drift": {"color", "pages", "mean", "worst"},
}


def messages(language: str) -> dict[str, str]:
    return json.loads((PAGE / f"messages/{language}.json").read_text(encoding="utf-8"))


def scripts() -> list[Path]:
    found = sorted(PAGE.rglob("*.js"))
    assert len(found) > 40
    return found


def source() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in scripts())


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_a_language_says_all_that_english_says(language):
    english, other = messages("en"), messages(language)
    assert set(english) == set(other)
    for key, text in english.items():
        assert other[key].strip(), key
        assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", other[key])), key


def test_japanese_and_spanish_are_not_english():
    english = messages("en")
    for language in LANGUAGES[1:]:
        other = messages(language)
        longer = [key for key, text in english.items() if len(text) > 14 and "," not in text]
        same = [key for key in longer if other[key] == english[key]]
        assert set(same) <= {"choice.layers.ora", "choice.layers.psd"}, language


def test_every_message_that_the_code_asks_for_is_there():
    english = messages("en")
    asked = set(re.findall(r"""\bt(?:Or)?\(\s*"([\w.-]+)\"""", source()))
    counted = set(re.findall(r"""\btn\(\s*"([\w.-]+)\"""", source()))
    assert len(asked) > 60
    assert sorted(asked - set(english)) == []
    assert sorted(key for key in counted if not {f"{key}.one", f"{key}.other"} <= set(english)) == []
    for family, members in FAMILIES.items():
        assert not [name for name in members or () if f"{family}.{name}" not in english], family


def test_every_command_has_a_name():
    made = r"""(?:\{\s*id: |\bmake\(\s*|\bcommandButton\(\s*)"([\w-]+)\""""
    ids = set(re.findall(made, source())) | {f"tool-{tool}" for tool in FAMILIES["tool"]}
    assert len(ids) > 35
    english = messages("en")
    assert sorted(name for name in ids if f"command.{name}" not in english) == []


def test_every_setting_has_its_words_and_its_choices_have_theirs():
    english = messages("en")
    described = [*project_settings(["default"]), *export_settings()]
    for setting in described:
        assert {f"setting.{setting['name']}", f"setting.{setting['name']}.help"} <= set(english), setting[
            "name"
        ]
        for choice in setting.get("choices") or ():
            assert f"choice.{setting['name']}.{choice}" in english, setting["name"]
        assert setting["help"], setting["name"]
    names = [setting["name"] for setting in described]
    assert len(set(names)) == len(names)
    assert {"seed", "saturation", "palette", "palette_strength"} < set(names)


def test_settings_are_described_as_they_are():
    usual = ColorizeSettings()
    found = {setting["name"]: setting for setting in project_settings(["default", "heroine"])}
    assert found["model"]["choices"] == ["default", "heroine"]
    assert found["saturation"]["default"] == usual.saturation
    assert (found["saturation"]["least"], found["saturation"]["most"]) == (0, 10)
    assert found["protect"] == {**found["protect"], "kind": "choice", "default": "all", "nullable": False}
    assert found["palette"]["nullable"]
    assert found["seed"] == {**found["seed"], "kind": "int", "nullable": True, "default": None, "least": 0}
    assert not found["saturation"]["nullable"]
    assert found["palette"]["default"] is None
    export = {setting["name"]: setting for setting in export_settings()}
    assert export["format"]["choices"][0] == export["format"]["default"] == "keep"
    assert export["quality"]["default"] == Saving().quality


def test_no_message_is_left_over():
    text = source()
    literal = set(re.findall(r'"([\w.-]+)"', text))
    prefixes = tuple(re.findall(r"`([\w.-]+[.-])\$\{", text))
    unused = [
        key
        for key in messages("en")
        if not key.startswith(("setting.", "choice."))
        and key not in literal
        and not key.startswith(prefixes)
        and key.rpartition(".")[0] not in literal
    ]
    assert unused == []


def test_all_that_the_server_takes_is_sent():
    text = (PAGE / "panels/intake.js").read_text(encoding="utf-8")
    [read] = re.findall(r"READ = /(.+)/i;", text)
    endings = {*uploads._SUFFIXES.values(), *BOOK_OF_SUFFIX}
    assert [ending for ending in sorted(endings) if not re.search(read, f"page{ending}")] == []


def test_no_markup_is_made_of_text():
    for path in scripts():
        text = path.read_text(encoding="utf-8")
        for word in (
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
        ):
            assert word not in text, f"{path.name}: {word}"


def test_nothing_is_inline_and_nothing_comes_from_outside():
    html = (PAGE / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", html)
    for path in [*scripts(), *PAGE.rglob("*.css"), PAGE / "index.html"]:
        found = set(re.findall(r"https?://[^\s\"'`$)]+", path.read_text(encoding="utf-8")))
        assert found <= {"http://www.w3.org/2000/svg"}, path.name
        assert "@import" not in path.read_text(encoding="utf-8"), path.name


def test_modules_import_what_exists():
    for path in scripts():
        for name in re.findall(r"""(?:from|import)\s*\(?\s*"([^"]+)\"""", path.read_text(encoding="utf-8")):
            assert name.startswith("."), f"{path.name} imports {name}"
            assert (path.parent / name).resolve().is_file(), f"{path.name} imports {name}"


def test_functions_are_short():
    start = re.compile(r"^(?P<indent> *)(?:export )?(?:async )?(?:function \w+|#?\w+)\(.*\) \{$")
    for path in scripts():
        lines = path.read_text(encoding="utf-8").split("\n")
        for number, line in enumerate(lines):
            found = start.match(line)
            if found and not re.match(r" *(?:if|for|while|switch|catch)\b", line):
                ends = (f"{found['indent']}}}", f"{found['indent']}}},")
                end = next(at for at in range(number, len(lines)) if lines[at] in ends)
                assert end - number <= 46, f"{path.name}: {line.strip()}"


def run_tool(*command: object) -> None:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js 20 for the page's pure modules")
def test_pure_modules():
    run_tool("node", "--test", *sorted(STUDIO_TESTS.glob("*.test.mjs")))


@pytest.mark.skipif(shutil.which("tsc") is None, reason="needs tsc; npm install -g typescript brings it")
def test_types():
    run_tool("tsc", "-p", STUDIO_TESTS / "tsconfig.json")
