"""Evaluating colour models, by colourizers whose faults are known."""

from __future__ import annotations

import io
import json
import re
import tarfile
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from sketchcolor_cli.cli.app import app
from sketchcolor_cli.compute import onnx
from sketchcolor_cli.compute.executor import Here
from sketchcolor_cli.data.opening import open_pictures
from sketchcolor_cli.data.pictures import PictureSet, to_bytes
from sketchcolor_cli.errors import DataError, SketchcolorError
from sketchcolor_cli.evaluation.models.bootstrap import interval
from sketchcolor_cli.evaluation.models.bundled import BundledFeatures
from sketchcolor_cli.evaluation.models.figures import figures_of, histogram_distance
from sketchcolor_cli.evaluation.models.measurer import Contender, FeatureSet, Measurer
from sketchcolor_cli.evaluation.models.plots import bars, scatter, strips
from sketchcolor_cli.evaluation.models.protocols import Given, give, local_mean
from sketchcolor_cli.evaluation.models.report import html_report
from sketchcolor_cli.evaluation.models.run import evaluate as measure
from sketchcolor_cli.evaluation.models.samples import Sample, Samples
from sketchcolor_cli.evaluation.models.skin import skin_tones
from sketchcolor_cli.evaluation.models.summary import Evaluation, Trial
from sketchcolor_cli.evaluation.settings import Choice, EvaluateSettings, Protocol
from sketchcolor_cli.files.webdataset import append_sample
from sketchcolor_cli.networks.checkpoint import save_model
from sketchcolor_cli.networks.config import HintUNetConfig
from sketchcolor_cli.networks.hint_unet import HintUNet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SETTINGS = EvaluateSettings(stability_limit=1, stability_sizes=(32, 64), resamples=50)


def picture(seed: int, shape: tuple[int, int] = (40, 48)) -> np.ndarray:
    """A picture of coloured boxes with black outlines, (H, W, 3) in [0, 1], in steps of 1/255."""
    rng = np.random.default_rng(seed)
    rgb = np.ones((*shape, 3), np.float32)
    for _ in range(4):
        top, left = int(rng.integers(0, shape[0] - 14)), int(rng.integers(0, shape[1] - 14))
        rgb[top : top + 14, left : left + 14] = 0
        rgb[top + 1 : top + 13, left + 1 : left + 13] = np.rint(rng.random(3) * 255) / 255
    return rgb.astype(np.float32)


def outlines(rgb: np.ndarray) -> np.ndarray:
    return np.where(rgb.max(2) == 0, 0, 1).astype(np.float32)


def sample(seed: int, key: str = "a/1") -> Sample:
    rgb = picture(seed)
    return Sample(key, "a", "", rgb, outlines(rgb), "drawn")


class Drawn(PictureSet):
    """Pictures that are drawn here, in two groups."""

    def __init__(self, count: int = 6) -> None:
        self.keys = [f"{'ab'[number % 2]}/{number}" for number in range(count)]

    def place(self, index: int) -> str:
        return self.keys[index]

    def color(self, index: int) -> np.ndarray:
        return to_bytes(picture(self._number(index)))

    def line(self, index: int) -> None:
        return None

    def has_line(self, index: int) -> bool:
        return False

    def about(self, index: int) -> dict[str, str]:
        return {"group": self.keys[index][0], "source": "drawn"}

    def contents(self, index: int) -> Iterator[bytes]:
        yield self.keys[index].encode()

    def _number(self, index: int) -> int:
        return int(self.keys[index][2:])


def drawn(count: int = 6) -> Samples:
    return Samples(Drawn(count), outlines, 512)


class Knowing:
    """Colours that come from a list of truths, with so much noise: it finds the sketch in it."""

    takes_sheets = True

    def __init__(self, noise: float, count: int = 6) -> None:
        self.noise = noise
        self.truths = {outlines(picture(number)).tobytes(): picture(number) for number in range(count)}
        self.seen: list[dict[str, Any]] = []

    def __call__(self, page: np.ndarray, **aids: Any) -> np.ndarray:
        self.seen.append(aids)
        truth = self.truths.get(page.tobytes(), np.full((*page.shape, 3), 0.5, np.float32))
        rng = np.random.default_rng(0)
        return np.clip(truth + rng.normal(0, self.noise, truth.shape), 0, 1).astype(np.float32)


def evaluate(
    contenders: list[Contender], samples: Samples, settings: EvaluateSettings = SETTINGS, **kwargs: Any
) -> Evaluation:
    load = partial(Measurer, contenders, samples, settings, **kwargs)
    return measure(load, samples, settings, executor=Here())


def run(*noises: float, settings: EvaluateSettings = SETTINGS, **kwargs: Any) -> Evaluation:
    contenders = [Contender(f"noise {noise}", Knowing(noise)) for noise in noises]
    return evaluate(contenders, drawn(), settings, **kwargs)


def without_times(found: Evaluation) -> dict[str, Any]:
    document = json.loads(json.dumps(found.to_json()))
    for row in document["pictures"]:
        row["figures"].pop("seconds")
    for part in ("summaries", "comparisons"):
        for kinds in document[part].values():
            for figures in kinds.values():
                figures.pop("seconds")
    return document


# What models are given


def test_the_reference_is_the_truth_at_96_pixels() -> None:
    given = give(Protocol.REFERENCE, sample(0), None, EvaluateSettings())
    assert given.reference is not None
    assert given.reference.shape == (96, 96, 3)
    assert (given.hints, given.sheet) == (None, None)


def test_points_are_off_the_ink_have_true_colours_and_depend_on_seed_and_key() -> None:
    settings = EvaluateSettings()
    drawing = sample(0)
    given, again = (give(Protocol.POINTS, drawing, None, settings) for _ in range(2))
    assert given.points is not None
    assert given.hints is not None
    assert len(given.points) == 10
    assert np.array_equal(given.points, again.points)
    for (y, x), color in zip(given.points, given.colors, strict=True):
        around = np.s_[max(0, y - 2) : y + 3, max(0, x - 2) : x + 3]
        assert drawing.sketch[around].min() == 1
        np.testing.assert_allclose(given.hints[y, x], [*color, 1], atol=1e-6)
    others = (
        give(Protocol.POINTS, replace(drawing, key="b"), None, settings),
        give(Protocol.POINTS, drawing, None, replace(settings, seed=1)),
    )
    assert not any(np.array_equal(given.points, other.points) for other in others)


def test_a_page_of_ink_alone_still_gets_points() -> None:
    black = Sample("k", "", "", np.zeros((9, 9, 3), np.float32), np.zeros((9, 9), np.float32), "drawn")
    given = give(Protocol.POINTS, black, None, EvaluateSettings(points=200))
    assert given.points is not None
    assert len(given.points) == 81


def test_another_drawing_comes_from_the_same_group() -> None:
    found = run(0.1)
    others = {row.key: row.other for row in found.rows if row.protocol == "other"}
    assert len(others) == 6
    assert all(other != key and other[0] == key[0] for key, other in others.items() if other)


def test_a_model_without_sheets_gets_the_other_drawing_as_reference() -> None:
    colors = Knowing(0)
    colors.takes_sheets = False
    settings = replace(SETTINGS, chosen=(Choice.OTHER,), stability_limit=0)
    evaluate([Contender("m", colors)], drawn(), settings)
    assert all(aids["sheet"] is None and aids["reference"].shape == (40, 48, 3) for aids in colors.seen)


# Figures


def test_a_perfect_result_has_perfect_figures() -> None:
    drawing = sample(1)
    given = give(Protocol.POINTS, drawing, None, EvaluateSettings())
    found = figures_of(drawing.truth, drawing, given)
    assert found["psnr"] == 100
    assert found["ssim"] == pytest.approx(1)
    assert found["colorfulness_ratio"] == pytest.approx(1)
    zero = ["delta_e", "cast_a", "cast_b", "histogram_distance", "hint_delta_e", "ink_shift"]
    assert [found[name] for name in zero] == pytest.approx([0] * 6, abs=1e-6)


def test_a_grey_result_and_a_moved_line_are_told() -> None:
    drawing = sample(1)
    grey = np.repeat(drawing.truth.mean(2, keepdims=True), 3, axis=2)
    grey[drawing.sketch == 0] = 51 / 255
    found = figures_of(grey, drawing, Given())
    assert found["colorfulness_ratio"] == pytest.approx(0, abs=1e-3)
    assert found["ink_shift"] == pytest.approx(51, abs=0.01)
    assert "hint_delta_e" not in found


def test_a_hint_that_is_not_obeyed_is_as_far_as_its_colour() -> None:
    drawing = sample(1)
    colors = np.tile(np.float32([[0, 0, 0]]), (3, 1))
    points = np.array([[0, 0], [0, 5], [0, 9]])
    found = figures_of(np.ones_like(drawing.truth), drawing, Given(points=points, colors=colors))
    assert found["hint_delta_e"] == pytest.approx(100, abs=0.1)


def test_a_cast_has_its_direction() -> None:
    drawing = sample(1)
    found = figures_of(np.clip(drawing.truth + np.float32([0.0, 0, -0.3]), 0, 1), drawing, Given())
    assert found["cast_b"] > 5


def test_histograms_tell_palettes_not_places() -> None:
    lab = np.zeros((20, 20, 3), np.float32)
    lab[:10, :, 1:] = (40, 40)
    assert histogram_distance(lab, lab[::-1]) == pytest.approx(0, abs=1e-9)
    far = lab.copy()
    far[:10, :, 1:] = (-40, -40)
    assert histogram_distance(lab, far) == pytest.approx(0.5, abs=0.01)


def test_points_near_an_edge_have_a_mean() -> None:
    rgb = np.full((7, 7, 3), 0.25, np.float32)
    np.testing.assert_allclose(local_mean(rgb, np.array([[0, 0], [6, 6]])), 0.25)


def test_skin_is_told_by_tone_and_blue_is_none() -> None:
    lab = np.zeros((40, 90, 3), np.float32)
    for place, color in enumerate(((80, 12, 18), (57, 15, 22), (38, 14, 18))):
        lab[5:35, 30 * place + 5 : 30 * place + 25] = color
    lab[:2] = (40, 10, -40)
    found = skin_tones(lab)
    for place, tone in enumerate(("light", "medium", "dark")):
        assert found[tone].sum() == 30 * 20
        assert found[tone][10, 30 * place + 10]


def test_an_interval_holds_the_mean_and_is_the_same_again() -> None:
    values = np.random.default_rng(0).normal(3, 1, 100).tolist()
    spread = interval(values, resamples=500, seed=1)
    assert spread == interval(values, resamples=500, seed=1)
    assert spread.low < spread.mean < spread.high
    assert spread.high - spread.low == pytest.approx(2 * 1.96 * np.std(values) / 10, rel=0.25)
    assert spread.clear


# The whole


def test_the_better_model_is_told_from_the_worse() -> None:
    found = run(0.1, 0.02)
    compared = found.comparisons[Trial("noise 0.02", Protocol.NONE)]
    assert compared["psnr"].verdict == "better"
    assert compared["psnr"].mean == pytest.approx(14, abs=2)
    assert compared["delta_e"].verdict == "better"
    assert compared["delta_e"].mean < 0
    assert found.summaries[Trial("noise 0.1", Protocol.NONE)]["psnr"].n == 6


def test_everything_but_times_is_the_same_again() -> None:
    assert without_times(run(0.1, 0.05)) == without_times(run(0.1, 0.05))


def test_sizes_are_compared_for_so_many_pictures_without_hints() -> None:
    found = run(0.1)
    assert len(found.of("noise 0.1", "none", "size_delta_e")) == 1
    assert found.of("noise 0.1", "points", "size_delta_e") == {}


def test_distances_of_sets_are_of_results_and_truths() -> None:
    means = FeatureSet("mean colours", "fid", lambda rgb: rgb.mean((0, 1)))
    found = run(0.0, 0.3, features=[means])
    perfect, noisy = (found.sets[Trial(name, Protocol.NONE)] for name in ("noise 0.0", "noise 0.3"))
    assert perfect["fid"] == pytest.approx(0, abs=1e-6)
    assert noisy["fid"] > 1e-4
    assert {"kid", "kid_error"} <= noisy.keys()
    assert found.setup.features == {"fid": "mean colours"}


def test_a_limit_takes_a_part_of_what_a_larger_one_takes() -> None:
    parts = [
        {row.key for row in run(0.1, settings=replace(SETTINGS, limit=limit)).rows} for limit in (2, 4, None)
    ]
    assert [len(part) for part in parts] == [2, 4, 6]
    assert parts[0] < parts[1] < parts[2]


def test_two_models_of_one_name_are_refused() -> None:
    with pytest.raises(DataError, match="the same name"):
        run(0.1, 0.1)


def test_bundled_features_depend_on_the_picture_alone_and_are_named_by_their_file() -> None:
    extract = BundledFeatures()
    assert re.fullmatch(
        r"last features of the perceptual network [0-9a-f]{8}, pictures at 256×256", extract.name
    )
    first, other = extract(picture(0)), extract(picture(1))
    assert np.array_equal(first, extract(picture(0)))
    assert np.abs(first - other).max() > 1e-3


# Data


def write_shard(path: Path, samples: dict[str, dict[str, bytes]]) -> None:
    with tarfile.open(path, "w") as shard:
        for key, files in samples.items():
            append_sample(shard, key, files)


def encoded(rgb: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray((rgb * 255).astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def test_shards_have_groups_lines_and_a_digest_of_what_is_used(tmp_path: Path) -> None:
    about = json.dumps({"group": "g", "source": "s", "line": "artist"}).encode()
    write_shard(
        tmp_path / "v-0.tar",
        {
            "b/2": {"color.png": encoded(picture(2)), "line.png": encoded(picture(2)[..., 0]), "json": about},
            "a": {"color.png": encoded(picture(1))},
        },
    )
    write_shard(tmp_path / "v-1.tar", {"c": {"color.png": b"broken"}, "d": {"json": b"{}"}})
    opened = Samples(open_pictures([str(tmp_path / "v-{0..1}.tar")]), outlines, 512)
    assert opened.keys == ["a", "b/2", "c"]
    assert opened.groups == ["", "g", ""]
    loaded = opened.load(1)
    assert (loaded.source, loaded.lines) == ("s", "artist")
    np.testing.assert_array_equal(loaded.truth, picture(2))
    assert opened.load(0).lines == "drawn"
    assert opened.digest([0]) != opened.digest([0, 1])
    found = evaluate([Contender("m", Knowing(0.1))], opened, SETTINGS)
    assert [name for name, _ in found.unreadable] == ["c"]


def test_the_small_pictures_of_a_sample_are_kept_once_for_all_models_and_protocols() -> None:
    models = [Contender("a", Knowing(0.1)), Contender("b", Knowing(0.2))]
    found = evaluate(models, drawn(), replace(SETTINGS, chosen=(Choice.NONE, Choice.POINTS)))
    shown = found.shown.values()
    assert len(shown) == 4 * len(drawn())
    for name in ("sketch", "truth"):
        assert len({id(getattr(pictures, name)) for pictures in shown}) == len(drawn())
    assert len({id(pictures.result) for pictures in shown}) == len(shown)


def test_samples_of_one_key_in_two_shards_are_two_pictures(tmp_path: Path) -> None:
    for number in range(2):
        write_shard(tmp_path / f"v-{number}.tar", {"0": {"color.png": encoded(picture(number))}})
    opened = Samples(open_pictures([str(tmp_path / "v-{0..1}.tar")]), outlines, 512)
    assert opened.keys == [f"{tmp_path}/v-{number}.tar: 0" for number in range(2)]
    found = evaluate([Contender("m", Knowing(0.1))], opened, SETTINGS)
    assert found.setup.pictures == 2
    assert found.summaries[Trial("m", Protocol.NONE)]["psnr"].n == 2


def test_a_file_that_cannot_be_read_does_not_end_an_evaluation(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(encoded(picture(number)))
    opened = Samples(open_pictures([str(tmp_path)]), outlines, 512)
    (tmp_path / "1.png").unlink()
    found = evaluate([Contender("m", Knowing(0.1))], opened, SETTINGS)
    assert [name for name, _ in found.unreadable] == ["1"]
    assert found.setup.pictures == 2


def test_a_folder_has_groups_by_subfolder_and_large_pictures_are_brought_down(tmp_path: Path) -> None:
    for name in ("x/1.png", "x/2.png", "3.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.fromarray((picture(3, (80, 60)) * 255).astype(np.uint8)).save(tmp_path / name)
    opened = Samples(open_pictures([str(tmp_path)]), outlines, 30)
    assert opened.groups == ["", "x", "x"]
    assert opened.mates() == [[], [2], [1]]
    assert opened.load(0).truth.shape == (40, 30, 3)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda folder: folder / "nowhere", "no such file or folder; check the name"),
        (lambda folder: folder / "nowhere.tar", "no such file; check the name"),
        (lambda folder: folder, "no pictures in this folder"),
    ],
)
def test_data_that_is_not_there_is_one_line(tmp_path: Path, make: Callable[[Path], Path], said: str) -> None:
    with pytest.raises(SketchcolorError, match=said):
        open_pictures([str(make(tmp_path))])


# The report


def test_the_report_is_one_page_that_loads_nothing_and_escapes_names() -> None:
    names = ("noise <b>", "other")
    contenders = [
        Contender(name, Knowing(noise), {"sha256": "0"})
        for name, noise in zip(names, (0.1, 0.02), strict=True)
    ]
    page = html_report(evaluate(contenders, drawn(), SETTINGS))
    assert "<b>" not in page
    assert "noise &lt;b&gt;" in page
    assert not re.search(r"(src|href)=\"(?!data:|#)", page)
    assert page.count("<svg") == 4 * 3 - page.count("missing")
    assert page.count('class="case"') == 4 * (6 + 2)  # all, and two on which the other gains most
    assert page.count("Where other gains most") == 4
    assert "loses most" not in page
    assert '<td class="better">' in page
    assert "PSNR, dB ↑" in page


def test_of_few_pictures_there_is_no_verdict() -> None:
    found = run(0.1, 0.02, settings=replace(SETTINGS, limit=5, chosen=(Choice.NONE,)))
    compared = found.comparisons[Trial("noise 0.02", Protocol.NONE)]["psnr"]
    assert compared.low > 0
    assert compared.verdict == "unclear"


def test_differences_have_the_digits_of_their_figure_and_no_minus_before_nothing() -> None:
    page = html_report(run(0.1, 0.1000001, settings=replace(SETTINGS, chosen=(Choice.NONE,))))
    page = re.sub(r"<svg.*?</svg>", "", page, flags=re.DOTALL)  # whose places depend on seconds
    assert "+0.00 <small>[+0.00, +0.00]</small>" in page
    assert not re.search(r"-0\.0+(?!\d)", page)  # of seconds, which are what they are, -0.003 may be there
    assert not re.search(r"\de-\d", page)


def test_long_names_of_models_do_not_leave_their_plots() -> None:
    assert "a very long nam…" in strips("t", {"a very long name of a model": [1.0, 2.0]})
    assert ">light (3)<" in bars("t", {"a very long name of a model": [("light (3)", 1.0, 0.5, 1.5)]})


def test_plots_of_nothing_are_nothing_and_equal_values_have_a_place() -> None:
    assert strips("t", {"a": []}) == bars("t", {}) == scatter("t", "x", "y", {}) == ""
    assert "nan" not in strips("t", {"a": [1.0, 1.0]}) + bars("t", {"a": [("", 0.0, 0.0, 0.0)]})


def test_a_picture_that_was_measured_with_another_file_is_refused() -> None:
    """As where the machines of a cluster do not have the same."""
    measurers = [
        Measurer([Contender("m", Knowing(0.1), {"sha256": digit})], drawn(), SETTINGS) for digit in "01"
    ]
    with pytest.raises(DataError, match=r"^a/2: measured with other models or weights than the pictures"):
        measure(lambda: lambda task: measurers[task.number % 2](task), drawn(), SETTINGS, executor=Here())


# The command


def test_the_command_writes_document_and_report(tmp_path: Path) -> None:
    about = {"group": "g"}
    write_shard(
        tmp_path / "val.tar",
        {
            str(number): {"color.png": encoded(picture(number)), "json": json.dumps(about).encode()}
            for number in range(2)
        },
    )
    args = [
        "evaluate",
        "--data",
        str(tmp_path / "val.tar"),
        "-o",
        str(tmp_path / "out"),
        "--no-fid",
        "--json",
    ]
    ran = CliRunner().invoke(app, [*args, "--stability", "0", "--limit", "2"])
    assert ran.exit_code == 0, ran.stderr
    printed = json.loads(ran.stdout)
    written = json.loads((tmp_path / "out/evaluation.json").read_text(encoding="utf-8"))
    assert printed["summaries"] == written["summaries"]
    assert len(written["pictures"]) == 2 * 4
    assert list(written["protocol"]["protocols"]) == ["reference", "points", "none", "other"]
    assert len(written["models"]["default"]["sha256"]) == 64
    assert "frechet" in written["sets"]["default"]["none"]
    assert (tmp_path / "out/report.html").read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.skipif(not onnx.is_installed(), reason="the extra onnx is not installed")
def test_figures_are_the_same_by_both_backends(tmp_path: Path) -> None:
    data = tmp_path / "data/group"
    data.mkdir(parents=True)
    for number in range(2):
        Image.fromarray(to_bytes(picture(number))).save(data / f"{number}.png")
    found = {}
    for backend in ("torch", "onnx"):
        words = ["--backend", backend, "--no-fid", "--stability", "0", "--protocol", "other"]
        args = ["evaluate", "--data", str(data.parent), "-o", str(tmp_path / backend), *words]
        ran = CliRunner().invoke(app, args)
        assert ran.exit_code == 0, ran.stderr
        document = json.loads((tmp_path / backend / "evaluation.json").read_text(encoding="utf-8"))
        assert document["models"]["default"]["parameters"] > 1e6
        found[backend] = document["summaries"]["default"]["other"]
    for key, one in found["torch"].items():
        if key != "seconds":
            assert found["onnx"][key]["mean"] == pytest.approx(one["mean"], rel=1e-3, abs=1e-3), key


def test_a_model_of_a_run_is_called_as_the_run(tmp_path: Path) -> None:
    write_shard(tmp_path / "val.tar", {"0": {"color.png": encoded(picture(0)), "json": b"{}"}})
    small = HintUNetConfig(widths=(4, 8), depths=(1, 1), lab_step=48.0)
    runs = [tmp_path / name / "model.safetensors" for name in ("mine", "yours")]
    for run in runs:
        save_model(run, HintUNet(small), provenance={}, licence="")
    args = ["--data", str(tmp_path / "val.tar"), "-o", str(tmp_path / "out"), "--no-fid", "--json"]
    args += ["--stability", "0", "--protocol", "none", "--model", str(runs[0]), "--compare", str(runs[1])]
    ran = CliRunner().invoke(app, ["evaluate", *args])
    assert ran.exit_code == 0, ran.stderr
    assert list(json.loads(ran.stdout)["models"]) == ["mine", "yours"]


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["--data", "nowhere"], 1, "nowhere: no such file or folder"),
        (["--data", ".", "--limit", "0"], 2, "--limit"),
        (["--data", ".", "-o", "a.png"], 2, "--output a.png: cannot be written"),
        (["--data", ".", "--model", "nothing"], 1, "nothing: neither a model file"),
        (["--data", ".", "--weights", "nowhere.pth"], 2, "nowhere.pth: no such file"),
    ],
)
def test_mistakes_are_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args: list[str], code: int, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (9, 9)).save(tmp_path / "a.png")
    extra = [] if "--weights" in args else ["--no-fid"]
    ran = CliRunner().invoke(app, ["evaluate", "-o", str(tmp_path / "out"), *args, *extra])
    assert ran.exit_code == code
    assert said in ran.stderr
    assert ran.stderr.count("\n") == 1
