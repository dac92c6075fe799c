"""An installation without torch: requirements/slim.txt is enough for pages, and the rest says what it lacks.

Nothing is installed for it. A folder of links to what is named, and to what that needs, stands for the
installation.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from functools import partial
from importlib import metadata
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from packaging.requirements import Requirement
from safetensors.numpy import save_file

from sketchcolor_cli.compute import onnx, slim
from sketchcolor_cli.errors import DeviceError
from sketchcolor_cli.evaluation.settings import FidSettings
from sketchcolor_cli.imaging.reading import read_picture
from sketchcolor_cli.weights.inception import _convolutions
from studio_server import draw

ROOT = Path(__file__).parents[1]
NAMED = [
    Requirement(line)
    for line in (ROOT / "requirements/slim.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
TORCH = {"torch", "torchvision", "fastai", "pytorch-fid"}

pytestmark = pytest.mark.skipif(not onnx.is_installed(), reason="the extra onnx is not installed")


def test_what_is_named_is_what_is_declared_without_torch_and_with_onnx_runtime() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    [runtime] = [text for text in project["optional-dependencies"]["onnx"] if text.startswith("onnxruntime")]
    declared = {str(Requirement(text)) for text in [*project["dependencies"], runtime]}
    named = {str(requirement).replace("opencv-python-headless", "opencv-python") for requirement in NAMED}
    assert named == {text for text in declared if Requirement(text).name not in TORCH}
    assert set(slim.WITH_TORCH.split()[2:]) == TORCH


def needed() -> set[str]:
    """Return the names of what is named and of all that it needs."""
    waiting = [
        (requirement.name, requirement.extras)
        for requirement in NAMED
        if requirement.marker is None or requirement.marker.evaluate()
    ]
    found: set[tuple[str, str]] = set()
    while waiting:
        name, extras = waiting.pop()
        name = re.sub(r"[-_.]+", "-", name).lower()
        name = "opencv-python" if name == "opencv-python-headless" else name  # as it is installed here
        for extra in {"", *extras}:
            if (name, extra) in found:
                continue
            found.add((name, extra))
            for text in metadata.requires(name) or []:
                requirement = Requirement(text)
                if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                    waiting.append((requirement.name, requirement.extras))
    return {name for name, _ in found}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which nothing is but what a slim installation has."""
    folder = tmp_path_factory.mktemp("site")
    for name in needed():
        found = metadata.distribution(name)
        tops = {file.parts[0] for file in found.files or () if file.parts[0] not in ("..", "__pycache__")}
        for top in tops:
            (folder / top).symlink_to(Path(str(found.locate_file(top))))
    about = metadata.distribution("sketchcolor-cli")
    for name in ("entry_points.txt", "METADATA"):
        target = folder / "sketchcolor_cli-0.dist-info" / name
        target.parent.mkdir(exist_ok=True)
        target.write_text(about.read_text(name) or "", encoding="utf-8")
    return folder


def python(site: Path, cache: Path, *words: object, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run Python there, with this on stdin."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    paths = os.pathsep.join(map(str, (site, ROOT / "src", ROOT / "plugins")))
    return subprocess.run(
        [sys.executable, "-S", *map(str, words)], input=given, capture_output=True, text=True,
        encoding="utf-8", env={**kept, "PYTHONPATH": paths, "SKETCHCOLOR_CACHE": str(cache)},
    )  # fmt: skip


@pytest.fixture
def run(site: Path, tmp_path: Path):
    """Return what runs a command there."""
    return partial(python, site, tmp_path / "cache", "-m", "sketchcolor_cli")


def test_a_page_is_coloured_as_with_torch_to_one_of_255(run, tmp_path: Path) -> None:
    page = draw(tmp_path / "page.png", (180, 240))  # two boxes that look alike
    sheet, hints = ROOT / "examples/colored/page 1.png", tmp_path / "points.json"
    hints.write_text(json.dumps([{"x": 0.5, "y": 0.25, "color": "#c02020"}]), encoding="utf-8")
    done = run("colorize", page, "-o", tmp_path / "out.png", "--sheet", sheet, "--hints", hints)
    assert done.returncode == 0, done.stderr
    from sketchcolor_cli import ColorizeRequest, colorize

    colorize(
        ColorizeRequest.of(
            inputs=[page], output=tmp_path / "due.png", sheet=[sheet], hints=[hints], backend="torch"
        )
    )
    due, found = (read_picture(tmp_path / name).rgb for name in ("due.png", "out.png"))
    assert np.ptp(due[60, 90]) > 0.5
    assert np.abs(due[150, 90] - due[60, 90]).max() < 0.1  # which has no point
    assert np.abs(due - found).max() <= 1 / 255 + 1e-6


@pytest.mark.parametrize("method", ["linework", "xdog", "gray"])
def test_sketches_are_drawn(run, tmp_path: Path, method: str) -> None:
    page = draw(tmp_path / "page.png")
    done = run("extract", page, "-o", tmp_path / "out.png", "-m", method)
    assert done.returncode == 0, done.stderr
    assert read_picture(tmp_path / "out.png").rgb.min() < 0.5


def test_fid_is_that_of_torch(run, tmp_path: Path) -> None:
    for name, shape in (("a/1", (40, 60)), ("a/2", (50, 50)), ("b/1", (70, 40)), ("b/2", (30, 90))):
        draw(tmp_path / f"{name}.png", shape)
    from sketchcolor_cli import FidRequest, fid

    random = np.random.default_rng(0)
    convolutions = dict(islice(_convolutions(), 3))  # which 64 features are of
    weights = {
        f"{name}.{part}": random.random(shape if part == "conv.weight" else shape[:1], np.float32) - edge
        for name, shape in convolutions.items()
        for part, edge in (
            ("conv.weight", 0.5),
            ("bn.weight", -0.5),
            ("bn.bias", 0.5),
            ("bn.running_mean", 0.5),
            ("bn.running_var", -1),
        )
    }
    save_file(weights, tmp_path / "weights.safetensors")
    sides = tmp_path / "a", tmp_path / "b"
    words = "--weights", tmp_path / "weights.safetensors", "--dims", "64", "--json"
    done = run("fid", *sides, *words)
    assert done.returncode == 0, done.stderr
    request = FidRequest(
        *sides, FidSettings(dims=64), backend="torch", weights=tmp_path / "weights.safetensors", no_cache=True
    )
    due = fid(request).distance
    assert due > 1e-3
    assert json.loads(done.stdout)["fid"] == pytest.approx(due, rel=1e-4)


@pytest.mark.parametrize("words", ["plugins", "weights list", "models list", "--version", "colorize --help"])
def test_asking_works(run, words: str) -> None:
    done = run(*words.split())
    assert done.returncode == 0, done.stderr


def test_doctor_colours_a_page_and_names_what_may_be_added(run) -> None:
    done = run("doctor")
    assert "Traceback" not in done.stderr
    assert re.search(r"bundled model.*colours a page", done.stdout), done.stdout
    assert slim.WITH_TORCH in " ".join(done.stdout.split())


REST = (
    "train {pages} -o {out} --preset fast --epochs 1",
    "evaluate --data {pages} -o {out}",
    "fid {pages} {pages} --weights {pages}/page.png",
    "fid {pages} {pages} --weights {pages}/page.png --backend torch",
    "colorize {pages} -o {out} --backend torch",
    "colorize {pages} -o {out} --device cuda",
)
TOLD = """
import json, sys
from typer.testing import CliRunner
from sketchcolor_cli.cli.app import app

done = [CliRunner().invoke(app, line) for line in json.load(sys.stdin)]
print(json.dumps([[ran.exit_code, ran.stderr] for ran in done]))
"""


def test_the_rest_says_in_one_line_what_it_lacks(site: Path, tmp_path: Path) -> None:
    """One process asks for all of it."""
    pages = draw(tmp_path / "pages/page.png").parent
    lines = [words.format(pages=pages, out=tmp_path / "out").split() for words in REST]
    done = python(site, tmp_path / "cache", "-c", TOLD, given=json.dumps(lines))
    assert done.returncode == 0, done.stderr
    for words, (code, said) in zip(REST, json.loads(done.stdout), strict=True):
        assert code == 1, (words, said)
        assert slim.WITH_TORCH in " ".join(said.split()), (words, said)
        assert "Traceback" not in said, words


def test_opencv_that_lacks_libraries_of_a_desktop_is_one_line_with_the_remedy() -> None:
    with (
        pytest.raises(DeviceError, match=r"libxcb\.so\.1.*opencv-python-headless"),
        slim.naming_what_is_missing(),
    ):
        raise ImportError("libxcb.so.1: cannot open shared object file", name="cv2")
    with pytest.raises(ImportError, match="of ours"), slim.naming_what_is_missing():
        raise ImportError("a mistake of ours", name="sketchcolor_cli")
