"""The command line with everything behind it, on small pictures that are drawn here."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from typer.testing import CliRunner

from sketchcolor_cli.cli.app import app
from sketchcolor_cli.networks.checkpoint import save_model
from sketchcolor_cli.networks.config import HintUNetConfig
from sketchcolor_cli.networks.hint_unet import HintUNet

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNNER = CliRunner(env=dict.fromkeys(("FORCE_COLOR", "TTY_COMPATIBLE"), None))
PAGES = {
    "[1].webp": (40, 56),
    "IMG 2.PNG": (65, 33),
    "Straße/ページ　10.jpg": (97, 131),
    "dot.dot.tif": (1, 1),
    "very wide.bmp": (201, 7),
}
"""Pages by name, with width and height."""


def invoke(*args: str | Path) -> Any:
    return RUNNER.invoke(app, [*map(str, args), "--device", "cpu"])


def draw(path: Path, size: tuple[int, int], *, paper: str = "white") -> None:
    """Draw a page: a black frame, six pixels inside the border and three wide, on paper."""
    page = Image.new("RGB", size, paper)
    if min(size) > 20:
        ImageDraw.Draw(page).rectangle((6, 6, size[0] - 7, size[1] - 7), outline="black", width=3)
    path.parent.mkdir(parents=True, exist_ok=True)
    page.save(path, **({"lossless": True} if path.suffix == ".webp" else {}))


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"), np.float32)


def sizes(folder: Path) -> dict[str, tuple[int, int]]:
    """Return the size of every file below a folder; a file that is not a whole picture is an error."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_file() and ".sketchcolor" not in path.parts:
            with Image.open(path) as image:
                image.load()
                found[path.relative_to(folder).as_posix()] = image.size
    return found


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """A folder of pages, with files among them that are not pictures."""
    for name, size in PAGES.items():
        draw(tmp_path / "pages" / name, size, paper="orange" if name == "IMG 2.PNG" else "white")
    (tmp_path / "pages/notes.txt").write_text("no picture, and not called one")
    (tmp_path / "pages/.hidden.png").write_text("not looked at")
    return tmp_path / "pages"


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a small colour network with random weights."""
    torch.manual_seed(0)
    network = HintUNet(HintUNetConfig(widths=(8, 16), depths=(1, 1), lab_step=24.0))
    torch.nn.init.normal_(network.palette.weight)
    path = tmp_path_factory.mktemp("model [1]") / "small ネット.safetensors"
    save_model(path, network, provenance={"data": "none"}, licence="CC0-1.0")
    return path


# Sketches


def test_a_folder_becomes_sketches_and_broken_files_are_named(pages: Path, tmp_path: Path) -> None:
    draw(tmp_path / "whole.png", (64, 64))
    whole = (tmp_path / "whole.png").read_bytes()
    broken = {"cut 切.png": whole[: len(whole) // 2], "empty.jpg": b"", "[b]text.png": b"a letter"}
    for name, content in broken.items():
        (pages / name).write_bytes(content)
    out = tmp_path / "sketches 線"

    result = invoke("extract", pages, "-o", out, "--json")
    assert result.exit_code == 1
    assert sizes(out) == {
        str(Path(name).with_suffix(".png").as_posix()): size for name, size in PAGES.items()
    }
    document = json.loads(result.stdout)
    assert {Path(failed["source"]).name for failed in document["failed"]} == set(broken)
    failed, last = result.stderr.splitlines()[:-1], result.stderr.splitlines()[-1]
    assert [line.split(": ")[1] for line in failed] == [page["source"] for page in document["failed"]]
    assert re.match("5 sketched, 3 failed in", last)

    for name in ("IMG 2.png", "Straße/ページ　10.png"):  # on orange paper and in a JPEG
        with Image.open(out / name) as sketch:
            assert sketch.mode == "L"
            ink, height = np.asarray(sketch), sketch.height
        assert (ink[height // 2, 6:8] < 64).all()
        assert ink[height // 2, 1] > 250
        assert ink[height // 2, 16] > 250

    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.png")}
    assert invoke("extract", pages, "-o", out).exit_code == 1
    assert invoke("extract", pages, "-o", out, "--resume").stderr.count("\n") == len(broken) + 1
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.png")} == before
    for name in broken:
        shutil.copy(tmp_path / "whole.png", pages / name)
    result = invoke("extract", pages, "-o", out, "--resume")
    assert result.exit_code == 0
    assert re.match("3 sketched, 5 already there in", result.stderr)
    assert re.match("8 sketched in", invoke("extract", pages, "-o", out, "--overwrite").stderr)


def test_parameters_reach_the_extractor_and_are_checked(pages: Path, tmp_path: Path) -> None:
    page, out = pages / "IMG 2.PNG", tmp_path / "out"

    def xdog(*args: str | Path) -> Any:
        return invoke("extract", page, "--method", "xdog", *args)

    assert xdog("-o", out / "thin").exit_code == 0
    assert xdog("-o", out / "thick", "--param", "sigma=2", "--param", "k=3").exit_code == 0
    assert pixels(out / "thick/IMG 2.png").mean() < pixels(out / "thin/IMG 2.png").mean() - 5
    for setting, said in {
        "sigma": "--param sigma: write it as name=value",
        "sigma=wide": "--param sigma=wide: sigma is a number, such as 0.5",
        "width=3": "--param width=3: xdog has no parameter 'width'; it has: sigma, k, tau, epsilon, phi",
        "sigma=0": "xdog: sigma is at least",
    }.items():
        result = xdog("-o", out / "none", "--param", setting)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.startswith(f"error: {said}")
        assert result.stderr.count("\n") == 1
    assert not (out / "none").exists()


# Colours


def colorize(model: Path, pages: Path, out: Path, *args: str | Path) -> Any:
    redo = ("--colored-pages", "redo")  # else pages with nothing but a frame stay as they are
    return invoke("colorize", pages, "-o", out, "--model", model, "--work-size", "64", *redo, *args)


def test_pages_are_coloured_at_their_own_size_and_keep_their_ink(
    model: Path, pages: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    result = colorize(model, pages, out)
    assert result.exit_code == 0, result.stderr
    assert sizes(out) == PAGES
    before, after = pixels(pages / "IMG 2.PNG"), pixels(out / "IMG 2.PNG")
    frame = (before == 0).all(2)
    assert frame.any()
    assert (after[frame] == 0).all()
    assert np.ptp(after[~frame], axis=1).mean() > 10  # there is colour
    again = tmp_path / "again"
    assert colorize(model, pages, again, "--saturation", "1").exit_code == 0
    assert (pixels(again / "IMG 2.PNG") == pixels(out / "IMG 2.PNG")).all()
    grey = tmp_path / "grey"
    assert colorize(model, pages, grey, "--saturation", "0").exit_code == 0
    assert np.ptp(pixels(grey / "IMG 2.PNG"), axis=2).max() <= 2


def test_references_and_hints_reach_their_pages(model: Path, pages: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    assert colorize(model, pages, plain).exit_code == 0

    def changed(*args: str | Path) -> set[str]:
        """Colour the pages and return those that come out otherwise than with no arguments."""
        out = tmp_path / "out"
        shutil.rmtree(out, ignore_errors=True)
        result = colorize(model, pages, out, *args)
        assert result.exit_code == 0, result.stderr
        assert sizes(out) == PAGES
        return {name for name in PAGES if (out / name).read_bytes() != (plain / name).read_bytes()}

    draw(tmp_path / "red.jpg", (30, 20), paper="red")
    assert changed() == set()
    assert changed("--reference", tmp_path / "red.jpg") >= {*PAGES} - {"dot.dot.tif", "very wide.bmp"}

    for name in ("IMG 2.jpg", "Straße/ページ　10.png", "Straße/IMG 2.png"):  # the last one has no page
        draw(tmp_path / "rough" / name, (30, 20), paper="blue")
    assert changed("--reference", tmp_path / "rough") == {"IMG 2.PNG", "Straße/ページ　10.jpg"}

    strokes = Image.new("RGBA", (40, 56))
    ImageDraw.Draw(strokes).ellipse((12, 12, 28, 28), fill=(0, 160, 0, 255))
    (tmp_path / "hints").mkdir()
    strokes.save(tmp_path / "hints/[1].png")
    assert changed("--hints", tmp_path / "hints") == {"[1].webp"}
    both = ("--hints", tmp_path / "hints", "--reference", tmp_path / "rough")
    assert changed(*both) == {"[1].webp", "IMG 2.PNG", "Straße/ページ　10.jpg"}


def test_what_colorize_refuses(model: Path, pages: Path, tmp_path: Path) -> None:
    out, page = tmp_path / "out", pages / "IMG 2.PNG"
    (tmp_path / "text.png").write_text("no picture")
    for args, said in (
        (("--model", "no such"), "no such: neither a model file nor the name of a model"),
        (("--model", page), f"{page}: "),
        (("--reference", tmp_path / "gone.png"), f"{tmp_path / 'gone.png'}: "),
        (("--reference", tmp_path / "text.png"), f"{tmp_path / 'text.png'}: "),
    ):
        result = colorize(model, page, out, *args)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith(f"error: {said}")
        assert result.stderr.count("\n") == 1
    result = colorize(model, page, out, "--hints", page)  # not a transparent layer
    assert result.exit_code == 1
    assert result.stderr.startswith(f"failed: {page}: the picture with the hints has no transparent parts; ")
    assert sizes(out) == {}


# Processes


@pytest.fixture
def heeded() -> Iterator[None]:
    """Let Ctrl-C reach what the test starts; jobs in the background ignore it, and what they start too."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot be sent Ctrl-C alone there")
@pytest.mark.usefixtures("heeded")
def test_ctrl_c_leaves_whole_files_and_exits_130(tmp_path: Path) -> None:
    draw(tmp_path / "in/0.png", (300, 250))
    count = 500  # more than could be done before the signal comes
    for number in range(1, count):
        shutil.copy(tmp_path / "in/0.png", tmp_path / f"in/{number}.png")
    out = tmp_path / "out"
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "sketchcolor_cli",
            "extract",
            "in",
            "-o",
            "out",
            "--verbose",
            "--device",
            "cpu",
        ],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    lines = [process.stderr.readline() for _ in range(5)]  # five are done
    process.send_signal(signal.SIGINT)
    lines += process.communicate(timeout=60)[1].splitlines()
    assert process.returncode == 130
    # Of a slow run it is also told now and then how far it is.
    done = [line.split("  ")[0].strip() for line in lines[:-1] if "out/" in line]
    told = re.fullmatch(r"(\d+) sketched in \d+\.\d s; stopped by Ctrl-C, --resume does the rest", lines[-1])
    assert told
    assert 5 <= int(told[1]) < count
    found = sizes(out)
    assert set(done) <= {f"out/{name}" for name in found}
    assert int(told[1]) <= len(found) <= int(told[1]) + 1  # one may be written and not yet counted
    assert set(found.values()) == {(300, 250)}
    assert all(re.fullmatch(r"\d+\.png", name) for name in found)


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash to complete in")
def test_bash_completes_options(tmp_path: Path) -> None:
    scripts = sysconfig.get_path("scripts")
    complete = """
        eval "$(sketchcolor --show-completion)"
        COMP_WORDS=(sketchcolor colorize --re) COMP_CWORD=2
        _sketchcolor_completion sketchcolor
        echo "${COMPREPLY[*]}"
    """
    ran = subprocess.run(
        ["bash", "-c", complete],
        env={**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}", "SHELL": "/bin/bash"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.split() == ["--reference", "--resume"], ran.stderr
