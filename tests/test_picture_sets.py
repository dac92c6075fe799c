"""Sets of pictures in shards, written here."""

from __future__ import annotations

import io
import json
import os
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from sketchcolor_cli.data.danbooru import DEFAULT_RULES, filter_danbooru, read_rules
from sketchcolor_cli.data.opening import open_pictures
from sketchcolor_cli.data.prepare import read_attribution
from sketchcolor_cli.data.shards import ShardSet
from sketchcolor_cli.errors import DataError, ImageError, SketchcolorError
from sketchcolor_cli.evaluation.fid.pictures import list_pictures
from sketchcolor_cli.evaluation.fid.statistics import read_statistics
from sketchcolor_cli.files.webdataset import expand
from sketchcolor_cli.training.loop.data import SetDrawings, readable
from sketchcolor_cli.weights.fetch import import_file
from sketchcolor_cli.weights.spec import WeightFile
from sketchcolor_cli.weights.store import WeightStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from sketchcolor_cli.training.pairs.pairs import Drawing

Parts = dict[str, bytes]


def encoded(image: NDArray[np.uint8], ending: str = ".png") -> bytes:
    """RGB or grey to the bytes of a file."""
    return cv2.imencode(ending, image[..., ::-1] if image.ndim == 3 else image)[1].tobytes()


def picture(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def write_shard(path: Path, files: Parts, mode: str = "w") -> Path:
    with tarfile.open(path, mode) as shard:  # type: ignore[call-overload]
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            shard.addfile(member, io.BytesIO(data))
    return path


def read_shards(paths: list[Path], short_side: int) -> list[Drawing]:
    """What training gets of the shards."""
    return list(readable(SetDrawings(ShardSet(paths), short_side)))


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("one.tar", ["one.tar"]),
        ("train-{000000..000002}.tar", ["train-000000.tar", "train-000001.tar", "train-000002.tar"]),
        ("{8..11}.tar", ["8.tar", "9.tar", "10.tar", "11.tar"]),
        ("a/{01..01}/b.tar", ["a/01/b.tar"]),
        ("odd{a..b}.tar", ["odd{a..b}.tar"]),
        ("none{3..2}.tar", []),
    ],
)
def test_braces_count(pattern: str, names: list[str]) -> None:
    assert expand(pattern) == [Path(name) for name in names]


def test_samples_come_back_in_order(tmp_path: Path) -> None:
    first, second, line = picture(20, 30), picture(16, 12, 1), picture(16, 12, 2)[..., 0]
    first_shard = write_shard(
        tmp_path / "a.tar", {"007.color.png": encoded(first), "007.json": b'{"source": "atlas", "n": 1}'}
    )
    two = write_shard(tmp_path / "b.tar", {"x.line.png": encoded(line), "x.color.png": encoded(second)})
    drawings = read_shards([first_shard, two], 64)
    assert [(d.key, d.source) for d in drawings] == [("007", "atlas"), ("x", "")]
    assert np.array_equal(drawings[0].color, first)
    assert drawings[0].line is None
    assert np.array_equal(drawings[1].color, second)
    assert drawings[1].line is not None
    assert np.array_equal(drawings[1].line, line)


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    write_shard(tmp_path / "a-0.tar", {"1.color.png": encoded(picture(4, 4))})
    with pytest.raises(DataError, match=r"a-1\.tar: no such file; check the name"):
        open_pictures([str(tmp_path / "a-{0..1}.tar")])


def test_a_pattern_that_counts_backwards_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"names no shard; write the smaller number first"):
        open_pictures([str(tmp_path / "a-{3..1}.tar")])


def test_a_pattern_of_more_shards_than_anyone_has_is_refused() -> None:
    with pytest.raises(DataError, match=r"names 1000000000 shards, more than 1000000; name fewer"):
        open_pictures(["a-{0..999999999}.tar"])


def test_a_folder_of_shards_stands_for_them(tmp_path: Path) -> None:
    for number in (1, 0):
        write_shard(tmp_path / f"{number}.tar", {f"k{number}.color.png": encoded(picture(4, 4))})
    assert open_pictures([str(tmp_path)]).keys == ["k0", "k1"]


def test_shards_and_pictures_are_not_mixed(tmp_path: Path) -> None:
    shard = write_shard(tmp_path / "a.tar", {"1.color.png": encoded(picture(4, 4))})
    with pytest.raises(DataError, match="either shards or pictures, not both"):
        open_pictures([str(shard), str(tmp_path / "a.png")])
    with pytest.raises(DataError, match="leave --sketches out"):
        open_pictures([str(shard)], sketches=tmp_path)


@pytest.mark.parametrize(
    ("size", "expected"), [((40, 80), (10, 20)), ((90, 30), (30, 10)), ((10, 99), (10, 99)), ((7, 5), (7, 5))]
)
def test_large_pictures_are_brought_down(
    tmp_path: Path, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    files = {"k.color.png": encoded(picture(*size)), "k.line.png": encoded(picture(*size)[..., 0])}
    (drawing,) = read_shards([write_shard(tmp_path / "s.tar", files)], 10)
    assert drawing.color.shape == (*expected, 3)
    assert drawing.line is not None
    assert drawing.line.shape == expected
    assert drawing.color.dtype == drawing.line.dtype == np.uint8


def test_jpeg_and_webp_are_read(tmp_path: Path) -> None:
    flat = np.full((16, 16, 3), (200, 100, 50), np.uint8)
    files = {"a.color.jpg": encoded(flat, ".jpg"), "b.color.webp": encoded(flat, ".webp")}
    for drawing in read_shards([write_shard(tmp_path / "s.tar", files)], 64):
        assert np.abs(drawing.color.astype(int) - flat).max() <= 4


def test_keys_with_folders_and_dots(tmp_path: Path) -> None:
    """As ``tar cf shard.tar .`` writes them; the key ends at the first dot of the file's own name."""
    names = ("./001", "./002", "v1.2/001", "v1.3/001")
    files = {f"{name}.color.png": encoded(picture(4, 4, seed)) for seed, name in enumerate(names)}
    drawings = read_shards([write_shard(tmp_path / "s.tar", files)], 64)
    assert [d.key for d in drawings] == list(names)
    assert all(np.array_equal(d.color, picture(4, 4, seed)) for seed, d in enumerate(drawings))


def test_samples_without_a_picture_are_left_out(tmp_path: Path) -> None:
    files = {
        "a.json": b"{}",
        "b.line.png": encoded(picture(4, 4)[..., 0]),
        "c.color.png": b"",
        "d.color.png": b"no picture at all",
        "e.color.png": encoded(picture(4, 4)),
        "readme": b"about",
    }
    assert [d.key for d in read_shards([write_shard(tmp_path / "s.tar", files)], 64)] == ["e"]


def test_folders_in_a_shard_are_no_samples(tmp_path: Path) -> None:
    path = tmp_path / "s.tar"
    with tarfile.open(path, "w") as shard:
        folder = tarfile.TarInfo("a.color")
        folder.type = tarfile.DIRTYPE
        shard.addfile(folder)
    with pytest.raises(DataError, match=r"s\.tar: no sample KEY\.color\.EXT in the 1 shard"):
        ShardSet([path])


@pytest.mark.parametrize("mode", ["w", "w:gz"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.6])
def test_a_shard_cut_short_is_told_by_name(tmp_path: Path, mode: str, share: float) -> None:
    files = {f"{i}.color.png": encoded(picture(40, 40, i)) for i in range(3)}
    path = write_shard(tmp_path / "cut.tar", files, mode)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(DataError, match=r"cut\.tar: cannot be read as a tar shard"):
        read_shards([path], 64)


@pytest.mark.parametrize("content", [b"not a tar file", b"\0" * 100, bytes(range(256)) * 8])
def test_what_is_no_tar_file_is_told_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.tar"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"odd\.tar"):
        read_shards([path], 64)


def test_a_folder_is_no_shard(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is a folder; name a file"):
        read_shards([tmp_path], 64)
    with pytest.raises(DataError, match=r"gone\.tar: no such file"):
        read_shards([tmp_path / "gone.tar"], 64)


@pytest.mark.parametrize("notes", [b"{", b"[1]", b"\xff\xfe", b'"text"', b"[" * 100_000])
def test_damaged_notes_make_one_picture_unreadable(tmp_path: Path, notes: bytes) -> None:
    good = {"color.png": encoded(picture(4, 4))}
    files = {f"{key}.{name}": data for key in ("k7", "k8") for name, data in good.items()}
    pictures = ShardSet([write_shard(tmp_path / "s.tar", {**files, "k7.json": notes})])
    assert [pictures.group(index) for index in range(2)] == ["", ""]
    with pytest.raises(ImageError, match=r"s\.tar: k7\.json is not a JSON object; pack it again"):
        SetDrawings(pictures, 64)[0]
    assert [drawing.key for drawing in readable(SetDrawings(pictures, 64))] == ["k8"]


def test_a_shard_that_goes_away_makes_its_pictures_unreadable(tmp_path: Path) -> None:
    path = write_shard(tmp_path / "s.tar", {"k.color.png": encoded(picture(4, 4))})
    pictures = ShardSet([path])
    path.unlink()
    with pytest.raises(ImageError, match=r"s\.tar: k: cannot be read \(No such file"):
        pictures.color(0)
    assert list(readable(SetDrawings(pictures, 64))) == []


def test_a_source_of_another_type_becomes_text(tmp_path: Path) -> None:
    files = {"k.color.png": encoded(picture(4, 4)), "k.json": json.dumps({"source": 12}).encode()}
    (drawing,) = read_shards([write_shard(tmp_path / "s.tar", files)], 64)
    assert drawing.source == "12"


def test_lines_of_another_size_are_brought_to_that_of_their_picture(tmp_path: Path) -> None:
    line = np.zeros((16, 18), np.uint8)
    line[:, 8:] = 255
    files = {"k7.color.png": encoded(picture(8, 9)), "k7.line.png": encoded(line)}
    (drawing,) = read_shards([write_shard(tmp_path / "s.tar", files)], 64)
    assert drawing.line is not None
    assert drawing.line.tolist() == [[0] * 4 + [255] * 5] * 8


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("a.tar", lambda path: open_pictures([str(path)])),
        ("a.npz", read_statistics),
        ("a.json", lambda path: filter_danbooru([path], read_rules(DEFAULT_RULES), path.with_name("out"))),
        ("a.toml", read_rules),
        ("a.csv", read_attribution),
        ("a.png", lambda path: open_pictures([str(path)]).color(0)),
        ("a.png", lambda path: list(open_pictures([str(path)]).contents(0))),
        ("a.cbz", lambda path: open_pictures([str(path)]).color(0)),
        ("a.png", lambda path: list_pictures(path.parent).entries[0].read()),
        ("a.pth", lambda path: import_file(WeightStore(path.parent), WeightFile("net", "MIT"), path)),
    ],
)
def test_a_pipe_is_not_waited_for(tmp_path: Path, name: str, read: Callable[[Path], object]) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(SketchcolorError, match=rf"{name}: is .*not a regular file"):
        read(tmp_path / name)
