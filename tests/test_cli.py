"""The command line with engines that only listen: what reaches them, what reaches the screen, exit codes."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import sys
from dataclasses import make_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest.mock import ANY, Mock, call

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from sketchcolor_cli import Extractor, Parameter, SizeRule, WeightFile, __version__, environment
from sketchcolor_cli.cli import output, plugins, printing, runs
from sketchcolor_cli.cli.app import app, main
from sketchcolor_cli.cli.help import App
from sketchcolor_cli.cli.lazy import LazyGroup
from sketchcolor_cli.cli.options import with_exit_code
from sketchcolor_cli.cli.request import requested
from sketchcolor_cli.coloring import colorizer as colorizers
from sketchcolor_cli.coloring.extras import outputs
from sketchcolor_cli.coloring.settings import (
    ColoredPages,
    ColorizeSettings,
    ExploreSettings,
    Extras,
    Guess,
    LayerFormat,
    Protect,
)
from sketchcolor_cli.compute import devices, precision
from sketchcolor_cli.errors import CheckpointError, ImageError, TrainingError, UsageError
from sketchcolor_cli.extraction.loader import Loader
from sketchcolor_cli.extraction.settings import NATIVE, Sketching
from sketchcolor_cli.files.books.settings import PdfSettings
from sketchcolor_cli.files.settings import Container, Shard
from sketchcolor_cli.imaging import reading, writing
from sketchcolor_cli.imaging.settings import Saving
from sketchcolor_cli.jobs import colorize, explore, extract
from sketchcolor_cli.jobs.outcome import Begun, Outcome
from sketchcolor_cli.jobs.requests import ColorizeRequest, ExploreRequest, ExtractRequest, Guides
from sketchcolor_cli.jobs.series import template
from sketchcolor_cli.jobs.settings import RunSettings
from sketchcolor_cli.networks import checkpoint, loading  # noqa: F401  (else it would keep what stands in)
from sketchcolor_cli.networks.base import ColorNet
from sketchcolor_cli.plugin.discovery import Extractors, Listing
from sketchcolor_cli.settings import from_table, part, setting
from sketchcolor_cli.training import run as training_run
from sketchcolor_cli.training.run import Run
from sketchcolor_cli.training.settings import TrainSettings
from sketchcolor_cli.weights.format import Record, write_weights

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

# A terminal or a colour that the tester's environment asks for would show up in what is compared here.
RUNNER = CliRunner(env=dict.fromkeys(("FORCE_COLOR", "TTY_COMPATIBLE", "CLICOLOR_FORCE"), None))
SECONDS = r"\d+\.\d s"


def invoke(*args: str, **env: str) -> Any:
    return RUNNER.invoke(app, args, env=env)


def command(line: str) -> Any:
    """Run a line as typed."""
    return invoke(*shlex.split(line))


def plain(shown: str) -> str:
    """Return what Typer and rich show as words, without colours, boxes and line breaks."""
    return " ".join(re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|[│╭╰─╮╯]", " ", shown).split())


class Shown(str):
    """A picture or sketch, which is only its name here."""

    __slots__ = ()
    nbytes = weight = 0
    alpha = alpha_rows = None
    gray = True
    rgb = np.zeros((1, 1, 3))

    def over(self, page: Shown) -> Shown:
        return Shown(f"{page} coloured")

    def without_colors(self, page: Shown) -> Shown:
        return page

    @property
    def notes(self) -> dict[str, str]:
        return {"note": f"on {self}"}


def listening_drawer() -> Mock:
    drawer = Mock()
    drawer.prepare.side_effect = lambda picture: Shown(f"{picture} prepared")
    drawer.draw.side_effect = lambda pictures: [Shown(f"{picture} drawn") for picture in pictures]
    drawer.finish.side_effect = lambda drawn: Shown(f"{drawn} finished")
    return drawer


class Engines(NamedTuple):
    """The engines, each a listener; pictures are their paths in angle brackets."""

    load: Mock
    drawer: Mock
    model: Mock
    paint: Mock
    write: Mock
    train: Mock


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder to work in, with empty files that stand for pictures."""
    monkeypatch.chdir(tmp_path)
    for name in ("in/a.png", "in/b/c.jpg", "rough/a.png", "rough/b/c.png", "one.png"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()


@pytest.fixture
def engines(folder: None, monkeypatch: pytest.MonkeyPatch) -> Engines:
    """Listening engines."""
    declared = Extractor("faint", "Draws faintly.", Mock(), size=SizeRule(multiple=8))
    widths = (Parameter("sigma", 0.5, "Width."), Parameter("k", 4.5, "Ratio."))
    shares = (Parameter("mix", "linework", "Shares."), Parameter("seed", 0, "Seed."))
    listed = [
        Extractor("linework", "Draws.", Mock(), parameters=widths),
        Extractor("avg", "Mixes.", Mock(), parameters=shares),
        declared,
    ]
    found = Extractors([Listing(extractor.name, "demo", "1.0", extractor) for extractor in listed])
    paint = Mock(side_effect=lambda page, *_: page)
    colorizer = Mock(prepare=lambda _page: Mock(nbytes=0), stays=lambda _page, **_: None)
    colorizer.with_sheets = lambda _sheets: colorizer
    colorizer.paint = lambda page, references, hints, **_: paint(page, references, hints)
    drawer = listening_drawer()
    made = Engines(
        load=Mock(return_value=drawer),
        drawer=drawer,
        model=Mock(return_value=("network", "its description")),
        paint=paint,
        write=Mock(return_value=None),
        train=Mock(return_value={"pictures": 9, "model": "run/model.safetensors"}),
    )
    for place in ("jobs.extract", "plugin.discovery"):
        monkeypatch.setattr(f"sketchcolor_cli.{place}.find_extractors", lambda: found)
    monkeypatch.setattr(devices, "resolve", lambda wanted: f"resolved {wanted}")
    monkeypatch.setattr(Loader, "load", lambda loader, *asked: made.load(loader, *asked))
    monkeypatch.setattr(precision, "choose", lambda device: f"the best of {device}")
    monkeypatch.setattr(environment, "model_file", lambda name: name)
    monkeypatch.setattr(checkpoint, "load_model", made.model)
    monkeypatch.setattr(colorizers, "Colorizer", lambda *_, **__: colorizer)
    monkeypatch.setattr(outputs, "with_extras", lambda page, painted, *_: outputs.Colored(painted.over(page)))
    monkeypatch.setattr(reading, "read_picture", lambda path, _name=None: Shown(f"<{path.as_posix()}>"))
    monkeypatch.setattr(writing, "write_picture", lambda path, *given, **_: made.write(path, *given[:2]))
    monkeypatch.setattr(training_run, "train", made.train)
    return made


def refusing(name: str, error: BaseException) -> Callable[..., None]:
    """Return what stands for writing: it raises the error for the picture of this name."""

    def write(path: Path, _picture: str, _saving: Saving | None = None) -> None:
        if path.stem == name:
            raise error

    return write


# Arguments to requests


def request_of(monkeypatch: pytest.MonkeyPatch, job: ModuleType, line: str) -> Any:
    """Return the request that a line as typed becomes; the job itself only listens."""
    name = job.__name__.rpartition(".")[2]
    listener = Mock(return_value=Outcome())
    monkeypatch.setattr(job, name, listener)
    result = command(f"{name} {line}")
    assert result.exit_code == 0, result.output
    [heard] = listener.call_args_list
    return heard.args[0]


EXTRACT = ExtractRequest((Path("in"),), Path("out"))


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("args", "request_"),
    [
        ("", EXTRACT),
        ("--method faint", replace(EXTRACT, sketching=Sketching("faint"))),
        ("-m faint --device cuda:1", replace(EXTRACT, sketching=Sketching("faint"), device="cuda:1")),
        ("--param sigma=0.8 --param k=2", replace(EXTRACT, params=("sigma=0.8", "k=2"))),
        ("--mix xdog=1,faint=3", replace(EXTRACT, sketching=Sketching("avg"), mix="xdog=1,faint=3")),
        ("-m avg --seed 0", replace(EXTRACT, sketching=Sketching("avg"), seed=0)),
        ("--size native", replace(EXTRACT, sketching=Sketching(size=NATIVE))),
        ("--size 768 --batch-size 3", replace(EXTRACT, sketching=Sketching(size=768, batch_size=3))),
        ("--half --device mps", replace(EXTRACT, half=True, device="mps")),
        ("--invert", replace(EXTRACT, sketching=Sketching(invert=True))),
        ("--binarize --threshold 0.25", replace(EXTRACT, sketching=Sketching(binarize=True, threshold=0.25))),
        ("--format .TIFF", replace(EXTRACT, format="tiff")),
        ("--format keep", replace(EXTRACT, format="keep")),
        ("--overwrite", replace(EXTRACT, run=RunSettings(overwrite=True))),
        ("--resume -j 3", replace(EXTRACT, run=RunSettings(resume=True, jobs=3))),
        ("--shard 2/3", replace(EXTRACT, run=RunSettings(shard=Shard(2, 3)))),
        ("--container cbz", replace(EXTRACT, run=RunSettings(container=Container.CBZ))),
        ("--pdf-dpi 150", replace(EXTRACT, pdf=PdfSettings(150))),
        ("--verbose --json", EXTRACT),
    ],
)
def test_extract(monkeypatch: pytest.MonkeyPatch, args: str, request_: ExtractRequest) -> None:
    assert request_of(monkeypatch, extract, f"in -o out {args}") == request_


COLORIZE = ColorizeRequest((Path("in"),), Path("out"))


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("args", "request_"),
    [
        ("", COLORIZE),
        ("--model m.safetensors --device cpu", replace(COLORIZE, model="m.safetensors", device="cpu")),
        (
            "--work-size 64 --saturation 0",
            replace(COLORIZE, colors=ColorizeSettings(work_size=64, saturation=0)),
        ),
        (
            "--reference rough --reference b --hints one.png",
            replace(COLORIZE, guides=Guides(references=(Path("rough"), Path("b")), hints=(Path("one.png"),))),
        ),
        (
            "--sheet one.png --sheet rough/a.png --palette colors.gpl --z z.json",
            replace(
                COLORIZE,
                guides=Guides(
                    sheets=(Path("one.png"), Path("rough/a.png")),
                    palette=Path("colors.gpl"),
                    latents=Path("z.json"),
                ),
            ),
        ),
        (
            "--protect gutters --colored-pages redo --descreen --palette-strength 0.5 --guess mean --seed 7",
            replace(
                COLORIZE,
                colors=ColorizeSettings(
                    protect=Protect.GUTTERS,
                    colored_pages=ColoredPages.REDO,
                    descreen=True,
                    palette_strength=0.5,
                    guess=Guess.MEAN,
                    seed=7,
                ),
            ),
        ),
        (
            "--flats --layers psd --debug-masks masks --save-z z.json",
            replace(
                COLORIZE,
                beside=Extras(flats=True, layers=LayerFormat.PSD),
                debug_masks=Path("masks"),
                saved_latents=Path("z.json"),
            ),
        ),
        (
            "--format webp --quality 80 --subsampling 420",
            replace(COLORIZE, format="webp", saving=Saving(80, "420")),
        ),
        (
            "--watch --fail-fast --ray local",
            replace(COLORIZE, run=RunSettings(watch=True, fail_fast=True, ray="local")),
        ),
    ],
)
def test_colorize(monkeypatch: pytest.MonkeyPatch, args: str, request_: ColorizeRequest) -> None:
    assert request_of(monkeypatch, colorize, f"in -o out {args}") == request_


@pytest.mark.usefixtures("folder")
def test_explore(monkeypatch: pytest.MonkeyPatch) -> None:
    line = "one.png -o grid.png --directions 3,17 --steps 2 --span 0.5 --size 96 --seed 4 --reference r.png"
    grid = ExploreSettings(directions=(3, 17), steps=2, span=0.5, size=96, seed=4)
    due = ExploreRequest(Path("one.png"), Path("grid.png"), reference=Path("r.png"), grid=grid)
    assert request_of(monkeypatch, explore, line) == due


def test_a_new_setting_of_the_colours_touches_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """A field is added where it would be written; option, check, variable, key and fingerprint follow."""
    glow = ("glow", int, setting(3, "How much colours glow.", least=1))
    colors = make_dataclass("Colors", [glow], bases=(ColorizeSettings,), frozen=True)
    more = make_dataclass(
        "More", [("colors", colors, part(colors, "Colours"))], bases=(ColorizeRequest,), frozen=True
    )
    heard: list[Any] = []
    app = typer.Typer(rich_markup_mode=None)

    @app.command()
    @with_exit_code
    @requested(request=more)
    def paint(request: Any) -> int:
        heard.append(request)
        return 0

    assert "How much colours glow. [default: 3]" in plain(
        RUNNER.invoke(app, ["--help"], env={"COLUMNS": "200"}).output
    )
    for given, variables in ((["--glow", "7"], {}), ([], {"SKETCHCOLOR_GLOW": "5"})):
        assert RUNNER.invoke(app, ["in", "-o", "out", *given], env=variables).exit_code == 0
    assert [request.colors.glow for request in heard] == [7, 5]
    assert from_table(more, {"glow": 4}) == {"glow": 4}
    assert heard[0].decisive()["glow"] == 7
    assert "glow = 3" in template(more)
    with pytest.raises(UsageError, match="--glow 0: must be at least 1"):
        colors(glow=0)


# Requests to engines


@pytest.mark.parametrize(
    ("args", "given", "endings"),
    [
        ("", {}, ("png", "png")),
        ("-m faint --device cuda:1", {"method": "faint", "device": "resolved cuda:1"}, ("png", "png")),
        ("--mix linework=1", {"method": "avg", "settings": ("mix=linework=1",)}, ("png", "png")),
        (
            "--half --device mps",
            {"device": "resolved mps", "precision": "the best of resolved mps"},
            ("png", "png"),
        ),
        ("--format keep", {}, ("png", "jpg")),
    ],
)
def test_pictures_go_through_the_extractor(
    engines: Engines, args: str, given: dict[str, Any], endings: tuple[str, str]
) -> None:
    assert command(f"extract in -o out {args}").exit_code == 0
    method = given.pop("method", "linework")
    settings = given.pop("settings", ())
    due = {"device": "resolved auto", "precision": "float32", **given}
    loader = Loader(ANY, **due, find_weight=ANY, sketching=Sketching(method), tell=ANY, backends=ANY)
    assert engines.load.mock_calls == [call(loader, method, settings)]
    assert engines.drawer.prepare.mock_calls == [call(A), call(C)]
    drawn = [f"{picture} prepared drawn" for picture in (A, C)]
    assert sorted(engines.drawer.finish.mock_calls) == sorted(call(picture) for picture in drawn)
    assert sorted(engines.write.mock_calls) == [
        call(Path(f"out/a.{endings[0]}"), f"{drawn[0]} finished"),
        call(Path(f"out/b/c.{endings[1]}"), f"{drawn[1]} finished"),
    ]


def test_pictures_of_equal_size_are_drawn_together(engines: Engines) -> None:
    assert command("extract in -o out --batch-size 2").exit_code == 0
    assert engines.drawer.draw.mock_calls == [call([f"{A} prepared", f"{C} prepared"])]


A, C = "<in/a.png>", "<in/b/c.jpg>"


@pytest.mark.parametrize(
    ("args", "pages"),
    [
        ("", [(A, (), ()), (C, (), ())]),
        ("--reference one.png", [(A, ("<one.png>",), ()), (C, ("<one.png>",), ())]),
        (
            "--reference rough --hints one.png",
            [(A, ("<rough/a.png>",), ("<one.png>",)), (C, ("<rough/b/c.png>",), ("<one.png>",))],
        ),
        (
            "--reference one.png --reference rough",
            [(A, ("<one.png>", "<rough/a.png>"), ()), (C, ("<one.png>", "<rough/b/c.png>"), ())],
        ),
        ("--hints rough/b", [(A, (), ()), (C, (), ())]),  # its c.png is for a page c, not for b/c
    ],
)
def test_pages_are_painted_with_their_guides(
    engines: Engines, args: str, pages: list[tuple[str, tuple[str, ...], tuple[str, ...]]]
) -> None:
    assert command(f"colorize in -o out --quality 80 {args}").exit_code == 0
    assert engines.model.mock_calls == [call("default", ColorNet)]
    assert engines.paint.mock_calls == [call(*page) for page in pages]
    assert sorted(engines.write.mock_calls) == [
        call(Path("out/a.png"), f"{A} coloured", Saving(80)),
        call(Path("out/b/c.jpg"), f"{C} coloured", Saving(80)),
    ]


def test_pages_named_outright_find_their_reference(engines: Engines) -> None:
    result = command("colorize in/a.png in/b/c.jpg -o out --reference rough")
    assert engines.paint.mock_calls == [call(A, ("<rough/a.png>",), ()), call(C, (), ())]
    assert result.stderr.startswith("rough: no reference for 1 of 2 pages, such as c.jpg\n")


@pytest.mark.parametrize(
    ("args", "config", "resume"),
    [
        ("", TrainSettings.of(preset="thesis"), False),
        ("--preset fast --resume", TrainSettings.of(preset="fast"), True),
        (
            "--stages pixel --epochs 3 --size 64 --batch-size 4 --lr 0.5 --seed 7 --workers 0 --sketches ink",
            TrainSettings.of(
                preset="thesis",
                stages=("pixel",),
                epochs=3,
                size=64,
                batch_size=4,
                lr=0.5,
                seed=7,
                workers=0,
                sketches="ink",
            ),
            False,
        ),
        (
            "--config run.toml",
            TrainSettings.of(preset="fast", epochs=2, batch_size=8, stages=("pixel",)),
            False,
        ),
        (
            "--config run.toml --epochs 5 --preset thesis",
            TrainSettings.of(preset="thesis", epochs=5, batch_size=8, stages=("pixel",)),
            False,
        ),
    ],
)
def test_train(engines: Engines, args: str, config: TrainSettings, resume: bool) -> None:
    Path("run.toml").write_text('preset = "fast"\nepochs = 2\nbatch-size = 8\nstages = ["pixel"]\n')
    assert command(f"train data -o run --device cuda {args}").exit_code == 0
    assert engines.train.mock_calls == [
        call(Run(("data",), Path("run"), config, "resolved cuda"), resume=resume, report=ANY, stop=ANY)
    ]


def drawing(factor: float) -> Mock:
    """Stand for an extractor that draws the picture, darker by a factor."""
    drawer = Mock()
    drawer.sketch.side_effect = lambda picture: replace(picture, rgb=picture.rgb * factor)
    return drawer


def test_train_draws_its_sketches_with_the_extractor(engines: Engines) -> None:
    engines.load.return_value = drawing(0.5)
    assert command("train data -o run --method faint").exit_code == 0
    assert engines.load.mock_calls == [call(Loader(ANY, find_weight=ANY), "faint", [])]
    sketch = engines.train.call_args.args[0].sketch
    rgb = np.full((2, 3, 3), 0.25, np.float32)
    assert sketch(rgb).tolist() == (rgb[..., 0] / 2).tolist()


def test_of_several_extractors_each_picture_has_one_and_mixtures_are_random(engines: Engines) -> None:
    engines.load.side_effect = lambda _loader, name, _settings: drawing(0 if name == "faint" else 1)
    assert command("train data -o run --method faint,linework+gray").exit_code == 0
    assert engines.load.mock_calls == [
        call(Loader(ANY, find_weight=ANY), "faint", []),
        call(Loader(ANY, find_weight=ANY), "avg", ["mix=random:linework,gray"]),
    ]
    sketch = engines.train.call_args.args[0].sketch
    pictures = [np.full((2, 3, 3), 0.1 + shade / 100, np.float32) for shade in range(40)]
    drawn = [float(sketch(rgb).max()) for rgb in pictures]
    assert 5 < sum(shade == 0 for shade in drawn) < 35
    assert [float(sketch(rgb).max()) for rgb in pictures] == drawn


# Mistakes


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "Usage:"),
        ("paint", "No such command 'paint'"),
        ("extract", "Missing argument 'INPUT'"),
        ("extract in", "Missing option '--output'"),
        ("extract in -o out --colour", "No such option: --colour"),
        ("colorize in -o out --work-size large", "Invalid value for '--work-size'"),
        ("train data", "Missing option '--output'"),
        ("train data -o run --batch-size 1.5", "Invalid value for '--batch-size'"),
    ],
)
def test_what_typer_refuses(line: str, said: str) -> None:
    result = command(line)
    assert result.exit_code == 2
    assert said in plain(result.output)


BOTH = "--overwrite and --resume exclude each other"
FORMATS = "png, jpg, jpeg, jfif, webp, avif, tif, tiff, bmp, keep"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("extract in -o out --overwrite --resume", BOTH),
        ("extract in -o out --size large", "--size large: must be native or a whole number, at least 16"),
        ("extract in -o out --size 0", "--size 0: must be native or at least 16"),
        ("extract in -o out --size 15", "--size 15: must be native or at least 16"),
        ("extract in -o out --batch-size 0", "--batch-size 0: must be at least 1"),
        ("extract in -o out --threshold 1", "--threshold 1.0: must be above 0 and below 1"),
        ("extract in -o out --format gif", f"--format gif: must be one of {FORMATS}"),
        (
            "extract in -o out -m faint --mix linework=1",
            "--mix and --method faint exclude each other; --mix has its own, avg",
        ),
        ("extract in -o out --seed 1", "--param seed=1: linework has no parameter 'seed'; it has: sigma, k"),
        ("colorize in -o out --resume --overwrite", BOTH),
        ("colorize in -o out --work-size 63", "--work-size 63: must be at least 64"),
        ("colorize in -o out --saturation -0.1", "--saturation -0.1: must be from 0 to 10"),
        ("colorize in -o out --saturation nan", "--saturation nan: must be from 0 to 10"),
        ("colorize in -o out --saturation 11", "--saturation 11.0: must be from 0 to 10"),
        ("colorize in -o out --palette-strength 1.1", "--palette-strength 1.1: must be from 0 to 1"),
        ("train data -o run --preset slow", "--preset slow: must be one of thesis, fast"),
        ("train data -o run --stages pixel,magic", "--stages magic: must be one of vgg, pixel, perceptual"),
        ("train data -o run --epochs 0", "--epochs 0: must be at least 1"),
        ("train data -o run --epochs pixel=x", "--epochs pixel=x: must be a whole number, or one for each"),
        ("train data -o run --size 64,big", "--size 64,big: must be a whole number, or several"),
        ("train data -o run --finetune", "--finetune: needs a model to begin with"),
        (
            "train data -o run --method linework --sketches lines",
            "--method and --sketches exclude each other: sketches come from one of them",
        ),
        (
            "train data -o run --config gone.toml",
            "--config gone.toml: cannot be read (no such file); check the name",
        ),
        ("train data -o run --config bad.toml", "--config bad.toml: not valid TOML ("),
        (
            "train data -o run --config odd.toml",
            "--config odd.toml: unknown key epoch; did you mean epochs?",
        ),
        ("train data -o run --config text.toml", "--config text.toml: "),
    ],
)
def test_usage_errors_are_one_line_and_2(engines: Engines, line: str, said: str) -> None:
    Path("bad.toml").write_text("epochs")
    Path("odd.toml").write_text("epoch = 3")
    Path("text.toml").write_bytes(b"\xff\xfe")
    result = command(line)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"error: {said}")
    assert result.stderr.count("\n") == 1
    assert not engines.load.called
    assert not engines.train.called


@pytest.mark.usefixtures("engines")
@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("extract gone -o out", "gone: no such file or folder; check the name"),
        ("extract in -o one.png", "one.png: is a file, but the results need a folder; name another output"),
        (
            "extract in -o out -m linewrok",
            "linewrok: no extractor of this name is installed; did you mean linework?",
        ),
        (
            "colorize in -o out --reference empty",
            "empty: no pictures in this folder; looked for .",
        ),
        ("colorize in/a.png -o in", "in/a.png: the result would overwrite in/a.png; name another output"),
    ],
)
def test_expected_errors_are_one_line_and_1(line: str, said: str) -> None:
    Path("empty").mkdir()
    for json_asked in ("", " --json"):
        result = command(line + json_asked)
        assert result.exit_code == 1
        assert result.stderr.startswith(f"error: {said}")
        assert result.stderr.count("\n") == 1
        if json_asked:
            assert json.loads(result.stdout)["error"]["message"].startswith(said)
        else:
            assert result.stdout == ""


def test_errors_of_the_engines_are_one_line_and_their_code(engines: Engines) -> None:
    engines.load.side_effect = UsageError("--param sigma: write it as name=value")
    engines.model.side_effect = CheckpointError("m: is damaged")
    engines.train.side_effect = TrainingError("run: holds a training run already")
    for line, code, said in (
        ("extract in -o out --param sigma", 2, "--param sigma: write it as name=value"),
        ("colorize in -o out --model m", 1, "m: is damaged"),
    ):
        result = command(line)
        assert (result.exit_code, result.stdout, result.stderr) == (code, "", f"error: {said}\n")
    result = command("train data -o run")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.endswith("\nerror: run: holds a training run already\n")


def test_results_that_are_there_are_refused(engines: Engines) -> None:
    Path("out").mkdir()
    Path("out/a.png").touch()
    result = command("extract in -o out")
    assert result.exit_code == 1
    there = Path("out/a.png")
    assert f"error: 1 of 2 results are already there, the first is {there}; use --resume" in result.stderr
    assert not engines.drawer.prepare.called


def test_a_bug_in_a_page_keeps_its_traceback(engines: Engines) -> None:
    engines.drawer.draw.side_effect = ZeroDivisionError("a bug")
    quiet = command("extract in -o out")
    assert quiet.exit_code == 1
    assert "in/a.png: a fault of the program (ZeroDivisionError: a bug); report it" in quiet.stderr
    assert "Traceback" not in quiet.stderr
    loud = command("extract in -o out --verbose")
    assert "Traceback (most recent call last):\n" in loud.stderr
    assert "ZeroDivisionError: a bug\n" in loud.stderr


def test_a_bug_elsewhere_keeps_its_traceback(
    engines: Engines, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sketchcolor_cli.jobs.batch.find_jobs", lambda *_, **__: 1 / 0)
    monkeypatch.setattr(sys, "argv", ["sketchcolor", "extract", "in", "-o", "out"])
    monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)  # Typer sets its own
    with pytest.raises(ZeroDivisionError) as bug:
        main()
    sys.excepthook(bug.type, bug.value, bug.tb)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith("ZeroDivisionError: division by zero\n")
    assert "Traceback (most recent call last):\n" in err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "train x -o y --preset thesi",
            "--preset thesi: must be one of thesis, fast, default; did you mean thesis?",
        ),
        ("colorize x -o y --protect bubles", "none, gutters, bubbles, all; did you mean bubbles?"),
        ("colorize x -o y --layers pgn", "must be one of ora, psd, png; did you mean png?"),
        ("extract x -o y --format wbep", "did you mean webp?"),
        (
            "extract x -o y --size natve",
            "must be native or a whole number, at least 16; did you mean native?",
        ),
        ("extract x -o y --formt png", "No such option: --formt"),
        ("extract -o y", "Missing argument 'INPUT'."),
        ("extract x -o y --batch-size many", "Invalid value for '--batch-size'"),
    ],
)
def test_a_mistake_in_the_command_line_is_told_in_the_document(
    line: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["sketchcolor", *line.split(), "--json"])
    monkeypatch.setattr(output, "_count", [])
    with pytest.raises(SystemExit) as end:
        main()
    told = json.loads(capsys.readouterr().out)["error"]
    assert (end.value.code, told["kind"], told["exit_code"]) == (2, "UsageError", 2)
    assert said in told["message"]


# What is printed


def test_a_batch_says_in_one_line_what_was_done(engines: Engines) -> None:
    result = command("extract in -o out")
    assert result.stdout == ""
    assert re.fullmatch(f"2 sketched in {SECONDS}\n", result.stderr)  # and so no bar, where is no terminal
    assert re.fullmatch(f"2 colorized in {SECONDS}\n", command("colorize in -o out").stderr)


def test_verbose_has_a_line_for_each_file(engines: Engines) -> None:
    Path("out").mkdir()
    Path("out/a.png").touch()
    result = command("extract in -o out --resume --verbose")
    assert re.fullmatch(
        rf"{re.escape(str(Path('out/a.png')))}  already there\n"
        rf"{re.escape(str(Path('out/b/c.png')))}  {SECONDS}\n"
        rf"1 sketched, 1 already there in {SECONDS}\n",
        result.stderr,
    )


@pytest.mark.parametrize("line", ["extract in -o out", "colorize in -o out"])
def test_failures_are_named_and_counted(engines: Engines, line: str) -> None:
    engines.write.side_effect = refusing("a", ImageError("out/a.png: cannot be written"))
    result = command(line)
    assert (result.exit_code, result.stdout) == (1, "")
    assert re.fullmatch(
        rf"failed: out/a.png: cannot be written\n1 (sketched|colorized), 1 failed in {SECONDS}\n",
        result.stderr,
    )


def test_hints_that_make_no_sense_are_told_with_their_page(engines: Engines) -> None:
    engines.paint.side_effect = UsageError("the picture with the hints has no transparent parts")
    result = command("colorize in/a.png -o out --hints one.png")
    assert result.exit_code == 1
    page = Path("in/a.png")
    assert f"failed: {page}: the picture with the hints has no transparent parts\n" in result.stderr


@pytest.mark.parametrize(
    ("line", "facts"),
    [
        ("extract in -o out --json --verbose", {"method": "linework", "device": "resolved auto"}),
        ("colorize in -o out --json --model m", {"model": "m", "device": "resolved auto"}),
    ],
)
def test_json_is_one_document_on_stdout(engines: Engines, line: str, facts: dict[str, str]) -> None:
    engines.write.side_effect = refusing("c", ImageError("cannot be written"))
    result = command(line)
    document = json.loads(result.stdout)
    assert {name: document[name] for name in facts} == facts
    assert [done["source"] for done in document["done"]] == [str(Path("in/a.png"))]
    assert [failed["message"] for failed in document["failed"]] == ["cannot be written"]
    assert document["interrupted"] is False
    assert "failed: cannot be written" in result.stderr
    assert result.exit_code == 1


def test_json_of_a_training_run_is_its_summary(engines: Engines) -> None:
    def report(*_: Any, report: Any, **__: Any) -> dict[str, Any]:
        report({"event": "step", "stage": "pixel", "epoch": 1, "epochs": 2, "step": 1, "steps": 4, "loss": 1})
        report({"event": "epoch", "stage": "pixel", "epoch": 1, "valid_loss": 0.123456, "psnr": 20.0})
        return {"pictures": 9, "model": "run/model.safetensors"}

    engines.train.side_effect = report
    result = command("train data -o run --json")
    assert json.loads(result.stdout) == {"pictures": 9, "model": "run/model.safetensors"}
    assert result.stderr == (
        "thesis, pixel → perceptual, on resolved auto; Ctrl-C saves and stops\n"
        "pixel epoch 1: valid_loss 0.1235  psnr 20\n"
        "model: run/model.safetensors\n"
    )


@pytest.mark.parametrize(
    "name",
    [
        "[1].png",
        "[bold]x.png",
        "a[-bold].png",
        "ページ　1.png",
        "two  words.png",
        ":heart:.png",
        "{0}.png",
        "%s.png",
    ],
)
def test_names_are_printed_as_they_are(engines: Engines, name: str) -> None:
    Path("in", name).touch()
    result = invoke("extract", f"in/{name}", "-o", "out", "--verbose", "--json")
    assert result.stderr.startswith(f"{Path('out', name)}  ")
    assert json.loads(result.stdout)["done"][0]["target"] == str(Path("out", name))
    engines.write.side_effect = ImageError(f"out/{name}: cannot be written")
    result = invoke("extract", f"in/{name}", "-o", "out")
    assert result.stderr.startswith(f"failed: out/{name}: cannot be written\n")
    assert invoke("extract", f"gone{name}", "-o", "out").stderr.startswith(f"error: gone{name}: no such file")
    engines.write.side_effect = None
    shown = invoke(
        "extract", f"in/{name}", "-o", "out", FORCE_COLOR="1", COLUMNS="120"
    ).stderr  # the bar, as on a terminal
    assert name.split()[-1] in plain(shown)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\nb\r.png", r"a\nb\r.png"),
        ("\x1b[31mred\x9b\x07", r"\x1b[31mred\x9b\x07"),
        ("\udcff\u2028", r"\udcff\u2028"),
        ("ページ　é\\n", "ページ　é\\n"),
    ],
)
def test_a_line_stays_one_line_and_commands_no_terminal(
    capsys: pytest.CaptureFixture[str], text: str, line: str
) -> None:
    printing.error(text)
    printing.note(text)
    assert capsys.readouterr().err == f"error: {line}\n{line}\n"


def test_the_bar_takes_a_title_as_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    with runs.shown(verbose=False) as progress:
        progress(Begun("{0} [b]model[/b] on cpu", 3))
    assert "{0} [b]model[/b] on cpu" in capsys.readouterr().err


# Ctrl-C


@pytest.mark.parametrize("line", ["extract in -o out --json", "colorize in -o out --json"])
def test_ctrl_c_in_a_batch_says_what_was_done(engines: Engines, line: str) -> None:
    engines.write.side_effect = refusing("c", KeyboardInterrupt())
    result = command(line)
    assert result.exit_code == 130
    done = rf"1 (sketched|colorized) in {SECONDS}; stopped by Ctrl-C, --resume does the rest\n"
    assert re.fullmatch(done, result.stderr)
    document = json.loads(result.stdout)
    assert document["interrupted"] is True
    assert [done["source"] for done in document["done"]] == [str(Path("in/a.png"))]


def test_ctrl_c_before_and_in_training(engines: Engines) -> None:
    engines.load.side_effect = engines.train.side_effect = KeyboardInterrupt
    result = command("extract in -o out")
    assert (result.exit_code, result.stderr) == (130, "stopped; no file is half-written\n")
    result = command("train data -o run")
    assert result.exit_code == 130
    assert result.stderr.endswith("\nstopped; no file is half-written\n")


class Left(Exception):  # noqa: N818
    """Stands for the end of the process."""


@pytest.mark.parametrize(
    "line", ["extract in -o out", "colorize in -o out", "train data -o run --method faint"]
)
def test_ctrl_c_while_loading_leaves_at_once(
    engines: Engines, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    monkeypatch.setattr("os._exit", Mock(side_effect=Left))
    engines.load.side_effect = engines.model.side_effect = lambda *_, **__: signal.raise_signal(signal.SIGINT)
    before = signal.getsignal(signal.SIGINT)
    result = command(line)
    assert isinstance(result.exception, Left)
    assert os._exit.mock_calls == [call(130)]
    assert result.stderr == "stopped; no file is half-written\n"
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize(("number", "times"), [(signal.SIGINT, 1), (signal.SIGTERM, 1), (signal.SIGINT, 2)])
def test_training_is_asked_to_stop_and_a_second_ctrl_c_stops_it(
    engines: Engines, number: int, times: int
) -> None:
    def training(*_: Any, stop: Any, **__: Any) -> None:
        assert not stop()
        signal.raise_signal(number)
        assert stop()
        if times == 2:
            signal.raise_signal(number)
            pytest.fail("it goes on after the second Ctrl-C")
        raise KeyboardInterrupt

    engines.train.side_effect = training
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    result = command("train data -o run")
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
    assert result.exit_code == 130
    said = "stopping after this step; the state is being saved, --resume goes on from it"
    assert result.stderr.splitlines()[1:] == [said, "stopped; no file is half-written"]


# The plugins, the version, the help


@pytest.fixture
def listings(monkeypatch: pytest.MonkeyPatch) -> list[Listing]:
    parameters = (Parameter("sigma", 0.5, "Width."), Parameter("soft", True, "Soften."))
    declared = Extractor("good", "Draws [well].", Mock(), parameters=parameters)
    found = [Listing("good", "ours", "1.0", declared), Listing("bad", "theirs", "2.0", problem="it [b]broke")]
    monkeypatch.setattr(plugins, "find_extractors", lambda: Extractors(found))
    return found


def test_plugins_are_listed_and_a_broken_one_is_an_error(listings: list[Listing]) -> None:
    result = invoke("plugins", COLUMNS="200")
    assert result.exit_code == 1
    rows = [[cell.strip() for cell in re.split("[│┃]", line)[1:-1]] for line in result.stdout.splitlines()]
    assert [row for row in rows if row] == [
        ["method", "ready", "what it does"],
        ["good", "yes", "Draws [well]."],
        ["", "", "parameters: sigma=0.5, soft=True"],
        ["", "", "from ours 1.0"],
        ["bad", "no", "does not work: it [b]broke"],
        ["", "", "from theirs 2.0"],
    ]
    del listings[1]
    result = invoke("plugins")
    assert (result.exit_code, result.stderr) == (0, "")


def test_plugins_says_which_methods_lack_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listings: list[Listing]
) -> None:
    net, other = WeightFile("net", "MIT"), WeightFile("other", "MIT")
    declared = [
        Extractor("net", "Draws.", Mock(), weights=(net,)),
        Extractor("mean", "Draws.", Mock(), weights=(other,), parts=("net",)),
        Extractor("lost", "Draws.", Mock(), parts=("gone",)),
        Extractor("odd", "Draws.", Mock(), needs=Mock(side_effect=RuntimeError("a bug"))),
    ]
    listings[:] = [Listing(extractor.name, "demo", "1.0", extractor) for extractor in declared]
    monkeypatch.setenv("SKETCHCOLOR_WEIGHTS", str(tmp_path))
    result = invoke("plugins", COLUMNS="200")
    for said in (
        "Draws. Lacks weights: net.",
        "Lacks weights: other, net.",
        "cannot be found out: gone: no",
        "a bug",
    ):
        assert said in result.stdout
    assert result.stderr == (
        "`sketchcolor weights list` shows licences and sizes, `sketchcolor weights fetch NAME` gets weights\n"
    )
    assert result.exit_code == 1
    shown = {row["name"]: row for row in json.loads(command("plugins --json").stdout)}
    assert {name: (row["ready"], row["missing_weights"]) for name, row in shown.items()} == {
        "net": (False, ["net"]),
        "mean": (False, ["other", "net"]),
        "lost": (False, []),
        "odd": (False, []),
    }
    write_weights(tmp_path / "net.safetensors", {}, Record("net", "MIT", "net.pth", (), False, "here"))
    shown = {row["name"]: row for row in json.loads(command("plugins --json").stdout)}
    assert (shown["net"]["ready"], shown["mean"]["missing_weights"]) == (True, ["other"])


def test_plugins_as_json(listings: list[Listing]) -> None:
    result = command("plugins --json")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == [listing.to_json() for listing in listings]
    assert result.stderr == ""


def test_version() -> None:
    result = command("--version")
    assert (result.exit_code, result.stdout) == (0, f"sketchcolor {__version__}\n")


COMMANDS = ["colorize", "extract", "plugins", "train"]


def test_all_commands_are_here() -> None:
    elsewhere = ["dataset", "evaluate", "fid", "weights"]  # tested in files of their own
    assert typer.main.get_command(app).commands.keys() >= {*COMMANDS, *elsewhere}


@pytest.mark.parametrize("name", COMMANDS)
def test_help_explains_every_option_and_has_an_example_that_works(engines: Engines, name: str) -> None:
    for folder in ("drawings", "pages"):
        shutil.copytree("in", folder)
    described = typer.main.get_command(app).commands[name]
    for option in described.params:
        assert re.fullmatch(r"[A-Z].*[.](?: \[default: .+\])?", option.help), f"{name} {option.opts}"
    [example] = re.findall(r"Example: `sketchcolor (.+)`", described.help)
    result = command(example)
    assert result.exit_code == 0, result.stderr
    shown = invoke(name, "-h", COLUMNS="300")
    assert shown.exit_code == 0
    assert f"Example: sketchcolor {example}" in plain(shown.stdout)


@pytest.mark.parametrize(
    ("name", "defaults"),
    [
        (
            "extract",
            {
                "--method": "linework",
                "--size": "what the extractor was made for",
                "--batch-size": "8",
                "--format": "png",
                "--threshold": "0.5",
                "--device": "auto",
            },
        ),
        (
            "colorize",
            {
                "--model": "default",
                "--work-size": "576",
                "--saturation": "1.0",
                "--device": "auto",
                "--protect": "all",
                "--colored-pages": "skip",
                "--palette-strength": "0.8",
            },
        ),
        (
            "train",
            {
                "--preset": "thesis",
                "--stages": "thesis pixel,perceptual; default pixel",
                "--epochs": (
                    "thesis vgg=20, pixel=10, perceptual=3, critic=10, adversarial=3; default pixel=60"
                ),
                "--size": "thesis 256; fast 192; default 128,128,192,256",
                "--batch-size": "thesis 10; fast 16",
                "--output-space": "hxhysv",
                "--gan-weight": "0.003",
                "--seed": "42",
                "--workers": "1",
                "--device": "auto",
            },
        ),
    ],
)
def test_help_tells_the_defaults(name: str, defaults: dict[str, str]) -> None:
    shown = plain(invoke(name, "--help", COLUMNS="300").stdout)
    for option, default in defaults.items():
        assert re.search(rf"{option} (?:(?! --).)*\[default: {re.escape(default)}\]", shown), option


def test_train_names_a_missing_folder(tmp_path: Path) -> None:
    """No engine is replaced here: the training engine says itself what is missing."""
    result = invoke("train", str(tmp_path / "gone"), "-o", str(tmp_path / "run"), "--device", "cpu")
    assert result.exit_code == 1
    assert result.stderr.endswith(f"error: {tmp_path / 'gone'}: no such file or folder; check the name\n")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "line", ["extract in -o out -m net --param fine=yes", "train in -o run --method net --device cpu"]
)
def test_missing_weights_are_one_line_before_any_engine_is_loaded(
    engines: Engines, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    fine = Parameter("fine", True, "Whether to take the second.")
    files = [WeightFile(name, "research only", non_commercial=True) for name in ("first", "second")]
    declared = Extractor("net", "Draws.", Mock(), tuple(files), parameters=(fine,))
    found = Extractors([Listing("net", "demo", "1.0", declared)])
    for place in ("jobs.extract", "plugin.discovery"):
        monkeypatch.setattr(f"sketchcolor_cli.{place}.find_extractors", lambda: found)
    result = invoke(*shlex.split(line), SKETCHCOLOR_WEIGHTS="kept")
    assert result.exit_code == 1
    assert result.stderr == (
        "error: weights that are needed are not on this computer: first (research only), "
        "second (research only); get them by: sketchcolor weights import first FILE ; "
        "sketchcolor weights import second FILE\n"
    )
    assert engines.load.mock_calls == engines.train.mock_calls == []
    assert not Path("kept").exists()


def test_weights_are_found_where_the_environment_says(engines: Engines) -> None:
    assert invoke(*shlex.split("extract in -o out"), SKETCHCOLOR_WEIGHTS="kept").exit_code == 0
    assert engines.load.call_args.args[0].find_weight.__self__.folder == Path("kept")
    assert invoke(*shlex.split("extract in -o out2"), SKETCHCOLOR_WEIGHTS="").exit_code == 0
    folder = engines.load.call_args.args[0].find_weight.__self__.folder
    assert folder.is_absolute()
    assert folder.parts[-2:] == ("sketchcolor", "weights")


def test_help_of_the_whole_says_of_each_command_what_its_own_begins_with() -> None:
    whole = typer.main.get_command(app)
    assert isinstance(whole, LazyGroup)
    for name, summary in whole.summaries.items():
        command = whole.commands[name]
        assert " ".join(command.help.split("\n\n")[0].split()) == summary.text
        assert command.name == name


@pytest.mark.skipif(
    os.name != "posix" or os.geteuid() == 0, reason="the owner of all files may read them all"
)
def test_a_path_that_is_there_and_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "page.png").touch(mode=0o000)
    ran = CliRunner().invoke(app, ["extract", str(tmp_path / "page.png"), "-o", str(tmp_path / "out")])
    assert ran.exit_code == 2
    assert "not readable" in " ".join(ran.stderr.split())


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ([], (None, None, (), False)),
        (["--text", "5"], ("5", None, (), False)),
        (["--path", "a b", "--many", "x", "--many", "y"], (None, Path("a b"), (Path("x"), Path("y")), False)),
        (["--switch"], (None, None, (), True)),
    ],
)
def test_options_are_taken_as_typer_takes_them(typed: list[str], value: tuple[Any, ...]) -> None:
    """Both read the same function, one of them by Typer's own class."""

    def command(
        text: str | None = None,
        path: Path | None = None,
        many: list[Path] | None = None,
        switch: bool = False,
    ) -> None:
        typer.echo(repr((text, path, tuple(many or ()), switch)))

    printed = []
    for kind in (App(), typer.Typer()):
        kind.command()(command)
        printed.append(CliRunner().invoke(kind, typed).stdout)
    assert printed == [f"{value!r}\n"] * 2
