"""FID, against the installed pytorch-fid with the same random weights, and where that one fails."""

from __future__ import annotations

import io
import json
import warnings
import zipfile
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import pytorch_fid.fid_score
import pytorch_fid.inception
import scipy.linalg
import torch
from PIL import Image
from safetensors.torch import save_file
from torch.nn import functional as F  # noqa: N812  (the name the field uses)
from typer.testing import CliRunner

from sketchcolor_cli import FidRequest, fid
from sketchcolor_cli.cli.app import app
from sketchcolor_cli.compute import onnx
from sketchcolor_cli.errors import DataError, ImageError, UsageError, WeightError
from sketchcolor_cli.evaluation.fid.features import measure_entries, prepare
from sketchcolor_cli.evaluation.fid.fid import FidMeter, Made
from sketchcolor_cli.evaluation.fid.inception import TorchInception, load_inception
from sketchcolor_cli.evaluation.fid.network import open_network
from sketchcolor_cli.evaluation.fid.onnx_inception import OnnxInception
from sketchcolor_cli.evaluation.fid.pictures import decode, list_pictures
from sketchcolor_cli.evaluation.fid.statistics import (
    Statistics,
    StatisticsCache,
    read_statistics,
    write_statistics,
)
from sketchcolor_cli.evaluation.settings import DIMS as DIMS_OF_ALL
from sketchcolor_cli.evaluation.settings import Decode, FidSettings, Resize
from sketchcolor_cli.jobs.outcome import Loading, Note
from sketchcolor_cli.jobs.progress import Step
from sketchcolor_cli.metrics.sets import Moments
from sketchcolor_cli.networks.backend import Backends
from sketchcolor_cli.weights.inception import without_classifier

if TYPE_CHECKING:
    from pathlib import Path

needs_runtime = pytest.mark.skipif(not onnx.is_installed(), reason="the extra onnx is not installed")
DIMS = 64  # the first block alone; the whole network is compared once, in features


@pytest.fixture(scope="session")
def inception() -> torch.nn.Module:
    """pytorch-fid's network with random weights, scaled so that features keep their size between layers."""
    generator = torch.Generator().manual_seed(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.nn.Module, "load_state_dict", lambda *_a, **_k: None)
        patch.setattr(pytorch_fid.inception, "load_state_dict_from_url", lambda *_a, **_k: {})
        network = pytorch_fid.inception.fid_inception_v3()
    for name, tensor in network.state_dict().items():
        if tensor.dim() == 4:
            tensor.normal_(0, (2 / tensor[0].numel()) ** 0.5, generator=generator)
        elif name.endswith("bn.bias"):
            tensor.normal_(0, 0.1, generator=generator)
    return network


@pytest.fixture
def theirs(monkeypatch: pytest.MonkeyPatch, inception: torch.nn.Module) -> None:
    """Give pytorch-fid this network in place of the one whose weights it would download."""
    monkeypatch.setattr(pytorch_fid.inception, "fid_inception_v3", lambda: inception)


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory, inception: torch.nn.Module) -> Path:
    """A file of its weights."""
    path = tmp_path_factory.mktemp("weights") / "inception.pth"
    torch.save(inception.state_dict(), path)
    return path


def draw(folder: Path, count: int, *, seed: int, side: int | None = 40, ending: str = "png") -> Path:
    """Draw pictures of coloured boxes, all of one size or of many."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        shape = (side, side) if side else tuple(rng.integers(20, 70, 2))
        picture = np.full((*shape, 3), rng.integers(0, 256, 3), np.uint8)
        for _ in range(4):
            top, left = (int(rng.integers(0, length - 5)) for length in shape)
            picture[top : top + 12, left : left + 12] = rng.integers(0, 256, 3)
        Image.fromarray(picture).save(folder / f"{number}.{ending}")
    return folder


@pytest.fixture(scope="session")
def kept(weights: Path) -> Path:
    """The same weights as they are kept: in safetensors, without what no features come of."""
    path = weights.with_suffix(".safetensors")
    save_file(without_classifier(torch.load(weights, weights_only=True)), path)
    return path


@cache
def network(weights: Path, dims: int) -> TorchInception:
    """The network with these weights; it is the same for all tests, and building it takes longest."""
    return load_inception(weights, dims, "cpu")


def meter(
    weights: Path,
    *,
    dims: int = DIMS,
    cache: Path | None = None,
    named: str = "tensors:random",
    **kwargs: Any,
) -> FidMeter:
    settings = FidSettings(dims=dims, batch_size=4, **kwargs)
    return FidMeter(settings, lambda: network(weights, dims), named, cache=StatisticsCache(cache))


def invoke(*args: object) -> Any:
    return CliRunner(env={"SKETCHCOLOR_CACHE": None}).invoke(app, ["fid", *map(str, args)])


@pytest.mark.usefixtures("theirs")
def test_the_distance_is_that_of_pytorch_fid(
    tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # pytorch-fid asks for the root's error as well, which SciPy has no longer given since 1.18.
    root = scipy.linalg.sqrtm
    monkeypatch.setattr(scipy.linalg, "sqrtm", lambda matrix, **_: (root(matrix), None))
    real, fake = draw(tmp_path / "real", 9, seed=0), draw(tmp_path / "fake", 7, seed=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SciPy says that the matrix is singular
        due = pytorch_fid.fid_score.calculate_fid_given_paths([str(real), str(fake)], 3, "cpu", DIMS, 0)
    found = meter(weights).distance(real, fake)
    assert found.fid == pytest.approx(due, rel=1e-3)
    assert (found.n_real, found.n_generated) == (9, 7)


@needs_runtime
@pytest.mark.usefixtures("theirs")
@pytest.mark.parametrize("dims", DIMS_OF_ALL)
def test_features_are_those_of_pytorch_fid_whatever_computes_them(
    tmp_path: Path, weights: Path, kept: Path, dims: int
) -> None:
    """If those of ONNX Runtime are not, `python tools/make_graphs.py` makes its graphs again."""
    folder = draw(tmp_path, 2, seed=2)
    block = pytorch_fid.inception.InceptionV3.BLOCK_INDEX_BY_DIM[dims]
    theirs = pytorch_fid.inception.InceptionV3([block])
    due = pytorch_fid.fid_score.get_activations(sorted(folder.glob("*.png")), theirs, 2, dims, num_workers=0)
    assert due.std() > 0.01
    entries = list_pictures(folder).entries
    for ours in (network(weights, dims), OnnxInception(kept, dims)):
        found = measure_entries(ours, entries, FidSettings(dims=dims)).statistics.features
        np.testing.assert_allclose(found, due, atol=1e-5 * np.abs(due).max())


@pytest.mark.parametrize("shape", [(256, 256), (1, 1), (1, 7), (40, 33), (598, 598), (299, 299), (700, 301)])
def test_pictures_are_resized_as_torch_does(shape: tuple[int, int]) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    unit = torch.from_numpy(rgb.transpose(2, 0, 1).copy())[None] / 255
    due = 2 * F.interpolate(unit, size=(299, 299), mode="bilinear", align_corners=False)[0] - 1
    np.testing.assert_allclose(prepare(rgb, Resize.PYTORCH), due.numpy(), atol=1e-5)


@needs_runtime
def test_a_distance_is_the_same_by_both_backends(tmp_path: Path, kept: Path) -> None:
    real, fake = draw(tmp_path / "real", 11, seed=0), draw(tmp_path / "fake", 9, seed=1)
    about = {"real": real, "generated": fake, "dims": DIMS, "weights": kept, "no_cache": True}
    by_torch, by_onnx = (fid(FidRequest.of(**about, backend=name)) for name in ("torch", "onnx"))
    assert by_onnx.distance == pytest.approx(by_torch.distance, rel=1e-5)


@needs_runtime
def test_auto_remembers_what_a_trial_found(tmp_path: Path, weights: Path, kept: Path) -> None:
    backends = Backends(tmp_path)
    open_network(kept, DIMS, backends=backends)
    [trial] = tmp_path.glob("inception-64.trial.json")
    found = json.loads(trial.read_text())
    for seconds, due in ((1e-9, OnnxInception), (1e9, TorchInception)):
        trial.write_text(json.dumps({**found, "onnx": seconds}))
        assert isinstance(open_network(kept, DIMS, backends=backends), due)
    trial.unlink()
    assert isinstance(
        open_network(weights, DIMS, backends=backends), TorchInception
    )  # which it takes to read
    assert not trial.exists()


@needs_runtime
@pytest.mark.parametrize(("name", "said"), [("other", "not the weights"), ("text", "cannot be read")])
def test_files_that_are_not_its_weights_are_refused_by_onnx_too(tmp_path: Path, name: str, said: str) -> None:
    save_file({"a": torch.zeros(1)}, tmp_path / "other.safetensors")
    (tmp_path / "text.safetensors").write_text("weights")
    with pytest.raises(WeightError, match=said):
        OnnxInception(tmp_path / f"{name}.safetensors", DIMS)


def test_cores_that_work_apart_give_the_features_of_one(tmp_path: Path, weights: Path) -> None:
    entries = list_pictures(draw(tmp_path, 11, seed=20)).entries
    network = load_inception(weights, DIMS, "cpu")
    alone = measure_entries(network, entries, FidSettings(dims=DIMS, batch_size=2)).statistics.features
    torch.set_num_threads(3)
    try:
        three = measure_entries(network, entries, FidSettings(dims=DIMS, batch_size=2)).statistics.features
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(1)
    np.testing.assert_allclose(three, alone, rtol=1e-4, atol=1e-5)


@pytest.mark.usefixtures("theirs")
def test_statistics_go_both_ways(tmp_path: Path, weights: Path) -> None:
    real, fake = draw(tmp_path / "real", 6, seed=3), draw(tmp_path / "fake", 6, seed=4)
    pytorch_fid.fid_score.save_fid_stats([str(real), str(tmp_path / "theirs.npz")], 6, "cpu", DIMS, 0)
    ours = meter(weights)
    ours.save(real, tmp_path / "ours.npz")
    due = ours.distance(real, fake).fid
    assert ours.distance(tmp_path / "theirs.npz", fake).fid == pytest.approx(due, rel=1e-3)
    assert ours.distance(tmp_path / "ours.npz", fake).fid == pytest.approx(due, rel=1e-9)
    mean, _ = pytorch_fid.fid_score.compute_statistics_of_path(
        str(tmp_path / "ours.npz"), None, 6, DIMS, "cpu"
    )
    np.testing.assert_allclose(mean, ours.statistics(real).statistics.moments.mean)


def test_many_sizes_kinds_and_an_archive_are_one_set(tmp_path: Path, weights: Path) -> None:
    folder = draw(tmp_path / "real", 3, seed=5, side=None)
    draw(folder / "deeper", 2, seed=6, side=None, ending="JPG")
    with zipfile.ZipFile(tmp_path / "real.CBZ", "w") as archive:
        archive.writestr("__MACOSX/._0.png", b"litter")
        for path in folder.rglob("*.*"):
            archive.write(path, path.relative_to(folder).as_posix())
    found = meter(weights).distance(folder, tmp_path / "real.CBZ")
    assert (found.n_real, found.n_generated) == (5, 5)
    assert found.fid == pytest.approx(0, abs=1e-6)


def test_what_cannot_be_read_is_named_and_left_out(tmp_path: Path, weights: Path) -> None:
    folder = draw(tmp_path / "real", 2, seed=7)
    (folder / "broken.png").write_bytes((folder / "0.png").read_bytes()[:50])
    found = meter(weights, cache=tmp_path / "cache").distance(folder, folder)
    assert found.n_real == 2
    assert [name for name, _ in found.unreadable] == ["broken.png"] * 2
    assert found.fid == pytest.approx(0, abs=1e-6)


def looking_otherwise(folder: Path, kind: str) -> tuple[Path, Path]:
    """Draw pictures whose files and looks differ, and beside them what they look like, both twice."""
    hidden, seen = draw(folder / "hidden", 3, seed=22), folder / "seen"
    seen.mkdir()
    for path in hidden.iterdir():
        rgb = np.asarray(Image.open(path))
        if kind == "transparent":
            alpha = np.where(rgb[..., :1] > 100, 255, 0).astype(np.uint8)
            Image.fromarray(np.concatenate([rgb, alpha], 2)).save(path)
            Image.fromarray(np.where(alpha > 0, rgb, 255).astype(np.uint8)).save(seen / path.name)
        else:
            Image.fromarray(rgb[..., 0].astype(np.uint16) * 257).save(path)
            Image.fromarray(rgb[..., 0]).save(seen / path.name)
    return hidden, seen


@pytest.mark.parametrize("kind", ["transparent", "16 bits"])
def test_pictures_that_look_otherwise_are_measured_as_pytorch_fid_does_and_that_is_said(
    tmp_path: Path, weights: Path, kind: str
) -> None:
    hidden, seen = looking_otherwise(tmp_path, kind)
    usual = meter(weights, cache=tmp_path / "cache").distance(hidden, seen)
    assert usual.fid > 1e-3
    again = meter(weights, cache=tmp_path / "cache").distance(hidden, seen)  # which knows it from the cache
    for report in (usual, again):
        assert (
            sum("3 picture(s) with transparency or 16-bit grey" in warning for warning in report.warnings)
            == 1
        )
    right = meter(weights, cache=tmp_path / "cache", decode=Decode.PICTURE).distance(hidden, seen)
    assert right.fid == pytest.approx(0, abs=1e-6)
    assert not any("--decode" in warning for warning in right.warnings)


def test_opaque_pictures_with_alpha_are_nothing_to_speak_of(tmp_path: Path) -> None:
    Image.new("RGBA", (9, 9), (10, 20, 30, 255)).save(tmp_path / "a.png")
    Image.new("RGBA", (9, 9), (10, 20, 30, 254)).save(tmp_path / "b.png")
    opaque, clear = (decode(name, (tmp_path / name).read_bytes()) for name in ("a.png", "b.png"))
    assert not opaque.looks_otherwise
    assert clear.looks_otherwise


@pytest.mark.parametrize("how", list(Decode))
def test_a_picture_whose_palette_is_missing_is_named(tmp_path: Path, how: Decode) -> None:
    Image.new("P", (9, 9), 1).save(tmp_path / "a.png")
    data = (tmp_path / "a.png").read_bytes()
    at = data.index(b"PLTE") - 4
    length = int.from_bytes(data[at : at + 4], "big")
    with pytest.raises(ImageError, match=r"palette is missing|not a picture, or damaged"):
        decode("a.png", data[:at] + data[at + 12 + length :], how)


def test_statistics_of_another_decoding_are_refused(tmp_path: Path, weights: Path) -> None:
    folder = draw(tmp_path / "real", 2, seed=13)
    for decoding, other in ((Decode.PYTORCH, Decode.PICTURE), (Decode.PICTURE, Decode.PYTORCH)):
        meter(weights, decode=decoding).save(folder, tmp_path / "real.npz")
        with pytest.raises(DataError, match=r"statistics of decode '\w+', not '\w+'"):
            meter(weights, decode=other).distance(tmp_path / "real.npz", folder)


@pytest.mark.parametrize("how", list(Decode))
def test_ppm_and_pgm_count_as_in_pytorch_fid_and_what_is_left_out_is_named(
    tmp_path: Path, weights: Path, how: Decode
) -> None:
    folder = draw(tmp_path / "real", 3, seed=23)
    portable = tmp_path / "portable"
    portable.mkdir()
    for number, ending in enumerate(("png", "ppm", "pgm")):
        image = Image.open(folder / f"{number}.png").convert("L" if ending == "pgm" else "RGB")
        image.save(folder / f"{number}.png")
        image.save(portable / f"{number}.{ending}")
    (portable / "layers.XCF").write_bytes(b"gimp xcf")
    (portable / "notes.txt").write_text("about")
    with zipfile.ZipFile(tmp_path / "portable.zip", "w") as archive:
        for path in portable.iterdir():
            archive.write(path, path.name)
    for source in (portable, tmp_path / "portable.zip"):
        found = meter(weights, decode=how).distance(folder, source)
        assert found.n_generated == 3
        assert found.fid == pytest.approx(0, abs=1e-6)
        assert found.left_out[".xcf"] == 1


def test_a_damaged_picture_in_an_archive_does_not_end_the_rest(tmp_path: Path, weights: Path) -> None:
    folder = draw(tmp_path / "real", 3, seed=26)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, path.name)
        archive.writestr(zipfile.ZipInfo(""), b"an entry without a name")
    data = bytearray((tmp_path / "a.zip").read_bytes())
    data[data.index((folder / "1.png").read_bytes()) + 60] ^= 1  # so that its checksum is wrong
    (tmp_path / "a.zip").write_bytes(data)
    found = meter(weights, cache=tmp_path / "cache").distance(folder, tmp_path / "a.zip")
    assert (found.n_real, found.n_generated) == (3, 2)
    [(name, message)] = found.unreadable
    assert name == "1.png"
    assert "cannot be unpacked" in message


@pytest.mark.parametrize(
    "place", [8, 10]
)  # flags, and the way of packing, of the last entry in the directory
def test_statistics_packed_in_a_rare_way_are_refused(tmp_path: Path, place: int) -> None:
    np.savez(tmp_path / "a.npz", mu=np.zeros(2), sigma=np.eye(2))
    data = bytearray((tmp_path / "a.npz").read_bytes())
    data[data.rindex(b"PK\x01\x02") + place] |= 0x20
    (tmp_path / "a.npz").write_bytes(data)
    with pytest.raises(DataError, match=r"a\.npz: cannot be read as \.npz statistics"):
        read_statistics(tmp_path / "a.npz")


def test_one_picture_and_equal_pictures_give_numbers(tmp_path: Path, weights: Path) -> None:
    single = draw(tmp_path / "one", 1, seed=8)
    plain = tmp_path / "plain"
    plain.mkdir()
    for number in range(4):
        Image.new("RGB", (30, 30), "white").save(plain / f"{number}.png")
    found = meter(weights).distance(single, plain)
    assert np.isfinite(found.fid)
    assert found.fid > 0
    assert found.kid is None
    assert "of one picture there is no spread" in found.warnings[0]


def test_small_sets_are_warned_of_and_have_a_kernel_distance(tmp_path: Path, weights: Path) -> None:
    found = meter(weights).distance(draw(tmp_path / "a", 5, seed=9), draw(tmp_path / "b", 5, seed=10))
    assert "fewer than 2048" in found.warnings[0]
    assert found.kid is not None
    assert found.kid_error is not None
    assert found.kid_error > 0


def test_kept_statistics_serve_the_same_pictures_under_other_names(tmp_path: Path, weights: Path) -> None:
    folder = draw(tmp_path / "real", 4, seed=11)
    first = meter(weights, cache=tmp_path / "cache").distance(folder, folder)
    assert first.from_cache == (False, True)
    (folder / "0.png").rename(folder / "renamed.png")
    broken = FidMeter(
        FidSettings(dims=DIMS),
        lambda: pytest.fail("loaded"),
        "tensors:random",
        cache=StatisticsCache(tmp_path / "cache"),
    )
    again = broken.distance(folder, folder)
    assert again.from_cache == (True, True)
    assert again.kid == first.kid
    draw(folder, 1, seed=12)
    assert meter(weights, cache=tmp_path / "cache").distance(folder, folder).from_cache[0] is False


@pytest.mark.parametrize("change", [{"dims": 192}, {"mode": Resize.CLEAN}])
def test_statistics_of_other_features_are_refused(
    tmp_path: Path, weights: Path, change: dict[str, Any]
) -> None:
    folder = draw(tmp_path / "real", 2, seed=13)
    meter(weights).save(folder, tmp_path / "real.npz")
    with pytest.raises(DataError, match=r"real\.npz: statistics of"):
        meter(weights, **{"dims": DIMS, **change}).distance(tmp_path / "real.npz", folder)


def test_statistics_of_other_weights_are_refused_where_that_can_be_told(
    tmp_path: Path, weights: Path
) -> None:
    folder = draw(tmp_path / "real", 2, seed=13)
    meter(weights).save(folder, tmp_path / "real.npz")
    with pytest.raises(DataError, match="statistics of other weights"):
        meter(weights, named="tensors:others").distance(tmp_path / "real.npz", folder)
    found = meter(weights, named="file:0").distance(tmp_path / "real.npz", folder)
    assert any("another kind of checksum" in warning for warning in found.warnings)


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"other": np.zeros(3)}, "has no statistics"),
        ({"mu": np.zeros(3), "sigma": np.zeros((2, 2))}, "do not fit together"),
        ({"mu": np.array([np.nan]), "sigma": np.zeros((1, 1))}, "not numbers"),
        ({"mu": np.array([{}]), "sigma": np.zeros((1, 1))}, "cannot be read"),
        ({"mu": np.zeros(1), "sigma": np.eye(1), "features": np.array([[np.nan]])}, "not numbers"),
        ({"mu": np.zeros(1), "sigma": np.eye(1), "features": np.array([["x"]])}, "has no statistics"),
    ],
)
def test_files_that_are_no_statistics_are_refused(tmp_path: Path, arrays: dict[str, Any], said: str) -> None:
    np.savez(tmp_path / "some.npz", **arrays)
    with pytest.raises(DataError, match=said):
        read_statistics(tmp_path / "some.npz")


def test_statistics_whose_checksum_of_weights_is_no_text_are_taken_with_a_warning(tmp_path: Path) -> None:
    about = np.array(json.dumps({"weights": 5}))
    np.savez(tmp_path / "a.npz", mu=np.zeros(DIMS), sigma=np.eye(DIMS), about=about)

    def load() -> Any:
        raise AssertionError("no picture needs a network")

    found = FidMeter(FidSettings(dims=DIMS), load, "file:0").distance(*2 * [tmp_path / "a.npz"])
    assert "statistics name their weights by another kind of checksum: taken as the same" in found.warnings


def test_statistics_that_ask_for_much_memory_are_refused_unread(tmp_path: Path) -> None:
    """A header may lie; here it asks for 8 TB."""
    path = tmp_path / "bomb.npz"
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (1_000_000, 1_000_000)}
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mu.npy", header.getvalue())
        archive.writestr("sigma.npy", header.getvalue())
    with pytest.raises(DataError, match=r"bomb\.npz: mu .* is larger than statistics of pictures are"):
        read_statistics(path)


def test_what_is_not_asked_for_in_a_file_is_not_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", mu=np.zeros(2), sigma=np.eye(2), extra=np.array([{}]))
    assert read_statistics(tmp_path / "a.npz").moments.mean.tolist() == [0, 0]


def test_text_is_no_statistics(tmp_path: Path) -> None:
    (tmp_path / "some.npz").write_text("mu")
    with pytest.raises(DataError, match="cannot be read"):
        read_statistics(tmp_path / "some.npz")


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = StatisticsCache(tmp_path / "file")
    cache.put("content", Statistics(Moments(np.zeros(1), np.zeros((1, 1)), 1), about={}))
    assert cache.get("content", {}) is None


def test_weights_that_are_not_of_this_network_are_refused(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(1)}, tmp_path / "other.pth")
    (tmp_path / "text.pth").write_text("weights")
    for name, said in (
        ("other.pth", "not the weights"),
        ("text.pth", "cannot be read"),
        ("no.pth", "no such"),
    ):
        with pytest.raises(WeightError, match=said):
            load_inception(tmp_path / name, 2048, "cpu")


def test_weights_that_are_not_numbers_are_said_to_be_damaged(tmp_path: Path, weights: Path) -> None:
    tensors = torch.load(weights, weights_only=True)
    tensors["Conv2d_1a_3x3.bn.bias"][:] = torch.nan
    torch.save(tensors, tmp_path / "nan.pth")
    with pytest.raises(DataError, match="are its weights damaged"):
        meter(tmp_path / "nan.pth").distance(folder := draw(tmp_path / "real", 1, seed=14), folder)


def test_the_clean_mode_resizes_as_pillow_does_with_antialiasing() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (400, 350, 3), np.uint8)
    plane = Image.fromarray(rgb[..., 1].astype(np.float32)).resize((299, 299), Image.Resampling.BICUBIC)
    found = prepare(rgb, Resize.CLEAN)
    np.testing.assert_allclose(found[1] * 128 + 128, np.clip(np.asarray(plane), 0, 255), atol=1e-3)
    assert np.abs(found - prepare(rgb, Resize.PYTORCH)).max() > 0.05


def test_pictures_can_be_made_on_the_way(tmp_path: Path, weights: Path) -> None:
    folder = draw(tmp_path / "real", 5, seed=15)
    arrays = [np.asarray(Image.open(folder / f"{number}.png")) for number in range(5)]
    found = meter(weights).distance(folder, Made(5, lambda: iter(arrays)))
    assert found.n_generated == 5
    assert found.fid == pytest.approx(0, abs=1e-6)


def test_the_command_prints_one_document_and_says_what_is_left_out(tmp_path: Path, weights: Path) -> None:
    real = draw(tmp_path / "real", 3, seed=16)
    (real / "empty.png").write_bytes(b"")
    ran = invoke(
        real,
        draw(tmp_path / "fake", 3, seed=17),
        "--json",
        "--no-cache",
        *("--dims", 64, "--weights", weights),
    )
    document = json.loads(ran.stdout)
    assert ran.exit_code == 1
    assert {"fid", "n_real", "n_generated", "features"} <= document.keys()
    assert (document["n_real"], document["n_generated"]) == (3, 3)
    assert "left out: empty.png" in ran.stderr
    assert "fewer than 2048" in ran.stderr


def test_the_command_colours_sketches_with_a_model(tmp_path: Path, weights: Path) -> None:
    real, sketches = draw(tmp_path / "real", 2, seed=18), tmp_path / "sketches"
    sketches.mkdir()
    for path in real.iterdir():
        Image.open(path).convert("L").save(sketches / path.name)
    args = (
        real,
        "--model",
        "default",
        "--sketches",
        sketches,
        "--dims",
        64,
        "--weights",
        weights,
        "--no-cache",
    )
    fids = [
        json.loads(invoke(*args, "--json", "--reference", how).stdout) for how in ("none", "truth", str(real))
    ]
    assert [result["n_generated"] for result in fids] == [2, 2, 2]
    nothing, rough, whole = (result["fid"] for result in fids)
    assert rough < nothing
    assert whole < nothing
    assert rough != whole  # the truth is given at 96×96 pixels, a folder's pictures as they are


def test_sketches_in_colour_are_not_measured_as_they_are_and_broken_ones_are_named(
    tmp_path: Path, weights: Path
) -> None:
    real = draw(tmp_path / "real", 2, seed=18)
    (real / "x.png").write_bytes(b"broken")
    args = [real, "--model", "default", "--sketches", real, "--weights", weights, "--no-cache"]
    ran = invoke(*args, "--dims", "64", "--json")
    assert ran.exit_code == 1
    found = json.loads(ran.stdout)
    assert found["fid"] > 1e-4
    assert (found["n_real"], found["n_generated"]) == (2, 2)
    assert [picture["name"] for picture in found["unreadable"]] == ["x.png", "x.png"]
    assert (found["model"], found["reference"], len(found["model_sha256"])) == ("default", "none", 64)


def test_pictures_that_statistics_lack_are_named(tmp_path: Path, weights: Path) -> None:
    real = draw(tmp_path / "real", 2, seed=21)
    (real / "x.png").write_bytes(b"broken")
    args = [real, "--save-stats", tmp_path / "a.npz", "--weights", weights, "--dims", 64, "--no-cache"]
    ran = invoke(*args, "--json")
    assert ran.exit_code == 1
    assert "left out: x.png" in ran.stderr
    found = json.loads(ran.stdout)
    assert (found["n_real"], [picture["name"] for picture in found["unreadable"]]) == (2, ["x.png"])
    assert read_statistics(tmp_path / "a.npz").moments.count == 2


def test_statistics_alone_need_no_weights(tmp_path: Path) -> None:
    for name, mean in (("a", 0.0), ("b", 2.0)):
        moments = Moments(np.full(2048, mean), np.zeros((2048, 2048)), 3000)
        write_statistics(tmp_path / f"{name}.npz", Statistics(moments, about={}))
    ran = invoke(tmp_path / "a.npz", tmp_path / "b.npz", "--json", "--no-cache")
    assert json.loads(ran.stdout)["fid"] == pytest.approx(4 * 2048)


def test_the_library_refuses_what_the_command_refuses_and_measures_the_same(
    tmp_path: Path, weights: Path
) -> None:
    real, fake = draw(tmp_path / "real", 3, seed=24), draw(tmp_path / "fake", 3, seed=25)
    with pytest.raises(UsageError, match="--dims 5: must be one of 64, 192, 768, 2048"):
        FidRequest.of(real=real, generated=fake, dims=5)
    with pytest.raises(UsageError, match="--model and --sketches go together"):
        FidRequest(real, model="default")
    heard: list[Step | Loading | Note] = []
    found = fid(FidRequest.of(real=real, generated=fake, dims=64, weights=weights), heard.append)
    assert found.distance == meter(weights).distance(real, fake).fid
    assert heard[0] == Loading()
    assert heard[-1] == Step("measuring", 3, 3)


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["{0}", "{0}"], 1, "sketchcolor weights fetch"),
        (["{0}", "{0}", "--dims", "5"], 2, "--dims 5: must be one of 64, 192, 768, 2048"),
        (["{0}"], 2, "name the generated pictures"),
        (["{0}", "nowhere"], 2, "nowhere: no such folder"),
        (["{0}", "{0}", "--model", "default"], 2, "--model and --sketches go together"),
        (["{0}", "{0}", "--reference", "truth"], 2, "--reference goes with --model and --sketches"),
        (["{0}", "{0}", "--weights", "nowhere.pth"], 2, "nowhere.pth: no such file"),
        (["{0}", "--save-stats", "a.txt"], 2, "ends in .npz"),
    ],
)
def test_mistakes_are_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args: list[str], code: int, said: str
) -> None:
    monkeypatch.setenv("SKETCHCOLOR_WEIGHTS", str(tmp_path / "no weights here"))
    draw(tmp_path / "real", 1, seed=19)
    ran = invoke(*(word.format(tmp_path / "real") for word in args), "--no-cache")
    assert ran.exit_code == code
    assert said in ran.stderr
    assert ran.stderr.count("\n") == 1


def test_an_empty_folder_is_one_line(tmp_path: Path, weights: Path) -> None:
    (tmp_path / "empty").mkdir()
    ran = invoke(tmp_path / "empty", tmp_path / "empty", "--weights", weights, "--no-cache")
    assert ran.exit_code == 1
    assert "no pictures in this folder" in ran.stderr
