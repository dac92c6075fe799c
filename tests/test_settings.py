"""A field is the one home of a setting: its check, option, TOML key and variable are derived."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, make_dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from sketchcolor_cli.cli import completion
from sketchcolor_cli.cli.app import app
from sketchcolor_cli.cli.config import read_config
from sketchcolor_cli.cli.options import with_exit_code
from sketchcolor_cli.cli.request import requested
from sketchcolor_cli.errors import UsageError
from sketchcolor_cli.extraction.settings import NATIVE, Sketching
from sketchcolor_cli.jobs.dataset import DatasetPrepareRequest
from sketchcolor_cli.jobs.requests import ColorizeRequest, ExploreRequest, ExtractRequest
from sketchcolor_cli.jobs.train import TrainRequest
from sketchcolor_cli.settings import (
    Settings,
    argument,
    build,
    from_environment,
    from_table,
    internal,
    leaves,
    part,
    setting,
)


class Mood(StrEnum):
    CALM = "calm"
    BOLD = "bold"


@dataclass(frozen=True)
class Colors(Settings):
    """Colours."""

    work_size: int = setting(576, "Shorter side in pixels.", least=64)
    strength: float = setting(0.5, "How strong.", least=0, most=1)
    mood: Mood = setting(Mood.CALM, "Which mood.")
    flats: bool = setting(False, "Also write flats.")
    smooth: float = internal(12.0, "How smooth.", least=0)


@dataclass(frozen=True)
class Request(Settings):
    """A request."""

    inputs: tuple[Path, ...] = argument("Pictures.")
    output: Path = setting(Path("out"), "Folder.", short="-o", stored=False)
    sheets: tuple[Path, ...] = setting((), "Sheets.", name="sheet")
    palette: Path | None = setting(None, "Palette.")
    device: str = setting("auto", "Where to compute.", matters=False)
    colors: Colors = part(Colors, "Colours")


def listening(kind: type[Settings]) -> tuple[typer.Typer, list[Any]]:
    heard: list[Any] = []
    app = typer.Typer(rich_markup_mode=None)

    @app.command()
    @with_exit_code
    @requested(request=kind)
    def paint(request: Settings) -> int:
        """Paint."""
        heard.append(request)
        return 0

    return app, heard


def run(app: typer.Typer, *words: str, **variables: str) -> Any:
    given = {"COLUMNS": "200", **variables}
    return CliRunner().invoke(app, list(words), env=given)


def test_the_command_line_becomes_one_object() -> None:
    app, heard = listening(Request)
    words = ["a", "b", "-o", "there", "--sheet", "x", "--sheet", "y", "--work-size", "64", "--mood", "bold"]
    assert run(app, *words, "--flats").exit_code == 0
    colors = Colors(work_size=64, mood=Mood.BOLD, flats=True)
    [got] = heard
    assert got == Request((Path("a"), Path("b")), Path("there"), (Path("x"), Path("y")), colors=colors)


def test_one_more_field_is_one_more_option_key_variable_and_check() -> None:
    more = make_dataclass(
        "More", [("glow", int, setting(3, "How much it glows.", least=1))], bases=(Request,), frozen=True
    )
    app, heard = listening(more)
    assert "--glow" in run(app, "--help").output
    assert "How much it glows. [default: 3]" in " ".join(run(app, "--help").output.split())
    assert run(app, "a", "--glow", "7").exit_code == 0
    assert run(app, "a", SKETCHCOLOR_GLOW="5").exit_code == 0
    assert [request.glow for request in heard] == [7, 5]
    assert from_table(more, {"glow": 4}) == {"glow": 4}
    refused = run(app, "a", "--glow", "0")
    assert refused.exit_code == 2
    assert "--glow 0: must be at least 1" in refused.output


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"work_size": -5}, "--work-size -5: must be at least 64"),
        ({"work_size": 64.5}, "--work-size 64.5: must be a whole number, at least 64"),
        ({"work_size": True}, "--work-size True: must be a whole number, at least 64"),
        ({"strength": 9}, "--strength 9: must be from 0 to 1"),
        ({"strength": float("nan")}, "--strength nan: must be from 0 to 1"),
        ({"mood": "wild"}, "--mood wild: must be one of calm, bold"),
        ({"smooth": -1.0}, "--smooth -1.0: must be at least 0"),
    ],
)
def test_the_library_refuses_what_the_command_line_refuses(values: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        Colors(**values)
    assert str(caught.value) == message


def test_values_are_set_by_the_names_of_options() -> None:
    request = Request.of(inputs=["a"], sheet=["x"], strength=1, mood="bold")
    assert request == Request((Path("a"),), sheets=(Path("x"),), colors=Colors(strength=1.0, mood=Mood.BOLD))
    with pytest.raises(UsageError, match=r"strenght: unknown setting; did you mean strength\?"):
        Request.of(inputs=["a"], strenght=1)
    with pytest.raises(UsageError, match="INPUTS is missing"):
        build(Request, {})


def test_a_table_sets_what_files_may_set() -> None:
    folder = Path("series")
    table = {"sheet": ["hero.png"], "palette": "p.gpl", "work-size": 384, "flats": True}
    assert from_table(Request, table, folder) == {
        "sheet": (folder / "hero.png",),
        "palette": folder / "p.gpl",
        "work_size": 384,
        "flats": True,
    }


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"work_sise": 1}, "unknown key work_sise; did you mean work-size?"),
        ({"output": "x"}, "unknown key output"),
        ({"smooth": 1.0}, "unknown key smooth"),
        ({"work-size": "big"}, "--work-size 'big': must be a whole number, at least 64"),
        ({"work-size": True}, "--work-size True: must be a whole number, at least 64"),
        ({"flats": 1}, "--flats 1: must be true or false"),
        ({"sheet": ["a"], "sheets": ["b"]}, "sheets: sets sheet a second time; keep one of the two"),
        ({"work-size": 64, "work_size": 65}, "work_size: sets work-size a second time"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused(table: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        from_table(Request, table)
    assert message in str(caught.value)


def test_the_environment_sets_what_files_may_set() -> None:
    environ = {"A_WORK_SIZE": "100", "WORK_SIZE": "1", "B_FLATS": "yes", "A_SHEET": "x, y", "B_OUTPUT": "no"}
    values = from_environment(Request, environ, ("A", "B"))
    assert values == {"sheet": (Path("x"), Path("y")), "work_size": 100, "flats": True}
    with pytest.raises(UsageError, match="A_WORK_SIZE: --work-size 3: must be at least 64"):
        from_environment(Request, {"A_WORK_SIZE": "3"}, ("A",))


def test_command_line_then_environment_then_file_then_default(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(
        'device = "cpu"\nstrength = 0.1\nwork-size = 64\n[paint]\nstrength = 0.2\n'
        'mood = "bold"\nwork_size = 65\n'
    )
    app, heard = listening(Request)
    config = str(file)
    assert run(app, "a", SKETCHCOLOR_CONFIG=config).exit_code == 0
    assert run(app, "a", SKETCHCOLOR_CONFIG=config, SKETCHCOLOR_PAINT_STRENGTH="0.3").exit_code == 0
    assert (
        run(app, "a", "--strength", "0.4", SKETCHCOLOR_CONFIG=config, SKETCHCOLOR_STRENGTH="0.3").exit_code
        == 0
    )
    assert [request.colors.strength for request in heard] == [0.2, 0.3, 0.4]
    assert {request.device for request in heard} == {"cpu"}
    assert {(request.colors.mood, request.colors.work_size) for request in heard} == {(Mood.BOLD, 65)}


def test_a_switch_in_a_file_can_be_turned_off(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[paint]\nflats = true\n")
    app, heard = listening(Request)
    assert run(app, "a", "--no-flats", SKETCHCOLOR_CONFIG=str(file)).exit_code == 0
    assert heard[0].colors.flats is False


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[paint]\nglow = 1\n", "unknown key glow"),
        ("glow = 1\n", "config.toml: unknown key glow; no command has such an option"),
        ("devise = 'cpu'\n", "config.toml: unknown key devise; did you mean device?"),
        ("[pain]\nstrength = 1\n", "config.toml: unknown key pain; did you mean paint?"),
        ("output = 'here'\n", "config.toml: unknown key output"),
        ("paint = 3\n", "config.toml: paint must be a table of settings, as in [paint]"),
        ("=", "config.toml: not valid TOML"),
    ],
)
def test_a_bad_config_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text)
    app, _ = listening(Request)
    result = run(app, "a", SKETCHCOLOR_CONFIG=str(file))
    assert result.exit_code == 2
    assert str(file) in result.output.replace("\n", "")
    assert message in result.output


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [("my.conf", "strength = 0.2", 0), ("my.json", '{"strength": 0.2}', 0), ("my.json", "[1]", 2)],
)
def test_a_config_file_may_have_any_name(tmp_path: Path, name: str, text: str, code: int) -> None:
    (tmp_path / name).write_text(text)
    app, heard = listening(Request)
    result = run(app, "a", SKETCHCOLOR_CONFIG=str(tmp_path / name))
    assert result.exit_code == code
    assert [request.colors.strength for request in heard] == [0.2] * (code == 0)
    assert ("holds no settings by name" in result.stderr) is (code == 2)


def test_a_variable_that_names_no_config_file_is_refused(tmp_path: Path) -> None:
    app, heard = listening(Request)
    result = run(app, "a", SKETCHCOLOR_CONFIG=str(tmp_path / "none.toml"))
    assert result.exit_code == 2
    assert result.stderr.replace("\n", "").endswith(
        "none.toml: there is no such file; correct the variable or remove it"
    )
    assert heard == []


def test_what_results_do_not_depend_on_is_left_out_of_fingerprints() -> None:
    request = Request((Path("a"),))
    assert "device" in request.values()
    assert "device" not in request.decisive()
    assert request.decisive()["work_size"] == 576


def test_options_stand_in_panels_by_part() -> None:
    assert {leaf.name: leaf.panel for leaf in leaves(Request)}["work_size"] == "Colours"
    assert {leaf.name: leaf.panel for leaf in leaves(Request)}["device"] is None


def test_a_plain_field_is_a_mistake() -> None:
    wrong = make_dataclass("Wrong", [("size", int, field(default=3))], bases=(Settings,), frozen=True)
    with pytest.raises(TypeError, match=r"Wrong\.size: use setting"):
        leaves(wrong)


def test_the_config_file_of_the_docs_is_one(tmp_path: Path) -> None:
    text = (Path(__file__).parents[1] / "docs/settings.md").read_text(encoding="utf-8")
    [example] = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    (tmp_path / "config.toml").write_text(example)
    config = read_config(tmp_path / "config.toml")
    stored = config.values(ColorizeRequest, "colorize")
    request = ColorizeRequest.resolve({"inputs": (), "output": tmp_path, "flats": False}, stored)
    assert (request.device, request.model, request.run.jobs) == ("cuda:1", "heroine", 4)
    assert request.guides.sheets[1] == tmp_path / "sheets/villain.png"
    assert not request.beside.flats
    extract = ExtractRequest.resolve(
        {"inputs": (), "output": tmp_path}, config.values(ExtractRequest, "extract")
    )
    assert (extract.device, extract.method, extract.suffix) == ("cuda:1", "xdog", ".webp")
    assert config.values(ExploreRequest, "explore") == {"device": "cuda:1"}


def test_a_setting_of_another_command_is_one_that_the_config_file_may_hold(tmp_path: Path) -> None:
    """The whole program is asked, not the command at hand; without a file nothing is set."""
    config = tmp_path / "config.toml"
    config.write_text("epochs = 3\n[train]\nsize = 64\n")
    variables = {"SKETCHCOLOR_CONFIG": str(config)}
    missing = CliRunner().invoke(app, ["dataset", "check", str(tmp_path)], env=variables)
    assert "epochs" not in missing.output
    config.write_text("epoks = 3\n")
    refused = CliRunner().invoke(app, ["dataset", "check", str(tmp_path)], env=variables)
    assert refused.exit_code == 2
    assert "unknown key epoks; did you mean epochs?" in " ".join(refused.output.split())
    assert read_config(tmp_path / "none.toml").values(ExploreRequest, "explore") == {}


def test_a_seed_for_all_commands_is_not_one_of_an_extractor(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("seed = 5")
    config = read_config(tmp_path / "config.toml")
    assert config.values(ColorizeRequest, "colorize") == {"seed": 5}
    assert config.values(ExtractRequest, "extract") == {}


def test_values_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("ink.gpl", "inner/tea.aco", "inner/page.png", "notes.md"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).touch()
    palettes, choices = completion.of("palettes"), completion.of("", ("444", "422"))
    assert palettes is not None
    assert choices is not None
    assert palettes("in") == ["ink.gpl", "inner/"]
    assert palettes("inner/") == ["inner/tea.aco"]
    assert palettes("gone/") == []
    assert choices("42") == ["422"]
    assert completion.of("") is None


def test_words_stand_for_values_outside_the_bounds() -> None:
    assert Sketching(size=NATIVE) == ExtractRequest.of(inputs=[], output="o", size="native").sketching
    assert from_table(ExtractRequest, {"size": "native"}) == {"size": NATIVE}
    assert from_environment(ExtractRequest, {"A_SIZE": "Native"}, ("A",)) == {"size": NATIVE}
    for refuse in (
        lambda: Sketching(size=15),
        lambda: from_environment(ExtractRequest, {"A_SIZE": "0"}, ("A",)),
    ):
        with pytest.raises(UsageError, match="must be native or at least 16"):
            refuse()


def test_resume_means_the_same_in_every_command() -> None:
    helps = [
        leaf.about.help
        for kind in (ColorizeRequest, ExtractRequest, DatasetPrepareRequest, TrainRequest)
        for leaf in leaves(kind)
        if leaf.name == "resume"
    ]
    assert len(helps) == 4
    assert all(text.startswith("Go on where a run stopped: ") for text in helps)
