"""Shards of drawings, written here."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from sketchcolor_cli.errors import DataError
from sketchcolor_cli.files.webdataset import expand
from sketchcolor_cli.training.sources import read_shards

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
    one = write_shard(
        tmp_path / "a.tar", {"007.color.png": encoded(first), "007.json": b'{"source": "atlas", "n": 1}'}
    )
    two = write_shard(tmp_path / "b.tar", {"x.line.png": encoded(line), "x.color.png": encoded(second)})
    drawings = list(read_shards([one, two], 64))
    assert [(d.key, d.source) for d in drawings] == [("007", "atlas"), ("x", "")]
    assert np.array_equal(drawings[0].color, first)
    assert drawings[0].line is None
    assert np.array_equal(drawings[1].color, second)
    assert drawings[1].line is not None
    assert np.array_equal(drawings[1].line, line)


def test_shards_are_read_one_at_a_time(tmp_path: Path) -> None:
    good = write_shard(tmp_path / "a.tar", {"1.color.png": encoded(picture(4, 4))})
    reading = read_shards([good, tmp_path / "missing.tar"], 8)
    assert next(reading).key == "1"
    with pytest.raises(DataError, match=r"missing\.tar"):
        next(reading)


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
    drawings = list(read_shards([write_shard(tmp_path / "s.tar", files)], 64))
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
    assert list(read_shards([path], 64)) == []


@pytest.mark.parametrize("mode", ["w", "w:gz"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.6])
def test_a_shard_cut_short_is_told_by_name(tmp_path: Path, mode: str, share: float) -> None:
    files = {f"{i}.color.png": encoded(picture(40, 40, i)) for i in range(3)}
    path = write_shard(tmp_path / "cut.tar", files, mode)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(DataError, match=r"cut\.tar: cannot be read as a tar shard"):
        list(read_shards([path], 64))


@pytest.mark.parametrize("content", [b"not a tar file", b"\0" * 100, bytes(range(256)) * 8])
def test_what_is_no_tar_file_is_told_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.tar"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"odd\.tar"):
        list(read_shards([path], 64))


def test_a_folder_is_no_shard(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read as a tar shard"):
        list(read_shards([tmp_path], 64))
    with pytest.raises(DataError, match=r"gone\.tar: no such file"):
        list(read_shards([tmp_path / "gone.tar"], 64))


@pytest.mark.parametrize("notes", [b"{", b"[1]", b"\xff\xfe", b'"text"', b""])
def test_damaged_notes_are_told_by_name(tmp_path: Path, notes: bytes) -> None:
    files = {"k7.color.png": encoded(picture(4, 4)), "k7.json": notes}
    with pytest.raises(DataError, match=r"s\.tar: k7\.json"):
        list(read_shards([write_shard(tmp_path / "s.tar", files)], 64))


def test_a_source_of_another_type_becomes_text(tmp_path: Path) -> None:
    files = {"k.color.png": encoded(picture(4, 4)), "k.json": json.dumps({"source": 12}).encode()}
    (drawing,) = read_shards([write_shard(tmp_path / "s.tar", files)], 64)
    assert drawing.source == "12"


def test_lines_of_another_size_are_told_by_name(tmp_path: Path) -> None:
    files = {"k7.color.png": encoded(picture(8, 8)), "k7.line.png": encoded(picture(8, 9)[..., 0])}
    with pytest.raises(DataError, match=r"s\.tar: .*k7"):
        list(read_shards([write_shard(tmp_path / "s.tar", files)], 64))
