"""Inputs that benchmarks/fuzz.py has found, made small: each is met by one line, or by the right outcome."""

from __future__ import annotations

import gzip
import io
import json
import struct
import tarfile
import time
import tracemalloc
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from PIL import Image

from book_files import page
from sketchcolor_cli import ColorizeRequest, ExtractRequest, environment, extract
from sketchcolor_cli.coloring.guides.palette_files import read_palette
from sketchcolor_cli.coloring.latents import read_latents
from sketchcolor_cli.data.danbooru import DEFAULT_RULES, filter_danbooru, read_rules
from sketchcolor_cli.data.opening import open_pictures
from sketchcolor_cli.data.shards import ShardSet
from sketchcolor_cli.errors import (
    BookError,
    CheckpointError,
    DataError,
    ImageError,
    UsageError,
    WorklistError,
)
from sketchcolor_cli.evaluation.fid.statistics import read_statistics
from sketchcolor_cli.files.books.names import guess
from sketchcolor_cli.files.books.opening import open_book
from sketchcolor_cli.imaging.reading import read_picture
from sketchcolor_cli.jobs.journal import Journal
from sketchcolor_cli.jobs.series import read_series
from sketchcolor_cli.jobs.train import read_config
from sketchcolor_cli.networks.registry import read_header
from sketchcolor_cli.studio.job_file import JOBS, read_jobs, write_jobs
from sketchcolor_cli.studio.limits import Limits
from sketchcolor_cli.studio.problems import ProblemError
from sketchcolor_cli.studio.profile import with_values
from sketchcolor_cli.studio.project import Project
from sketchcolor_cli.studio.shelf import Shelf

if TYPE_CHECKING:
    from collections.abc import Mapping

LONG = "x" * 300
HUGE = "9" * 400
DEEP = "[" * 100_000


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


# Settings


@pytest.mark.parametrize(
    "text",
    [
        f"seed = {HUGE}",
        f"strength = {HUGE}",
        f'palette = "{LONG}"',
        f'hints = ["{LONG}"]',
        'palette = "~nobody-of-this-name/x"',
        'palette = "a\\u0000b"',
    ],
)
def test_values_that_no_system_takes_are_refused_in_a_series(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError):
        read_series(ColorizeRequest, write(tmp_path / "series.toml", text))


@pytest.mark.parametrize("name", ["inputs", "output", "palette"])
def test_names_that_are_too_long_are_refused(tmp_path: Path, name: str) -> None:
    given: dict[str, Any] = {"inputs": [tmp_path], "output": tmp_path / "out", name: Path(LONG)}
    if name == "inputs":
        given[name] = [Path(LONG)]
    with pytest.raises(UsageError, match="the name is too long"):
        ColorizeRequest.of(**given)


def test_a_model_and_data_with_too_long_a_name_are_not_there() -> None:
    with pytest.raises(CheckpointError, match="neither a model file"):
        environment.model_file(LONG)
    with pytest.raises(WorklistError, match="cannot be opened"):
        open_pictures([LONG])


@pytest.mark.parametrize("text", [f"lr = {HUGE}", f"seed = {HUGE}", "a = " + "[" * 3000])
def test_numbers_beyond_all_bounds_are_refused_in_a_config(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match="--config"):
        read_config(write(tmp_path / "run.toml", text))


def test_a_config_that_is_a_device_is_refused() -> None:
    with pytest.raises(UsageError, match="regular file"):
        read_config(Path("/dev/zero"))


# Books


def tar_of(path: Path, kinds: Mapping[str, bytes]) -> Path:
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
        for name, kind in kinds.items():
            info = tarfile.TarInfo(name)
            info.size = len(page())
            archive.addfile(info, io.BytesIO(page()))
            assert kind  # it is written below, as tarfile would leave the content out
    data = bytearray(path.read_bytes())
    for at, kind in zip(
        (at for at in range(0, len(data), 512) if data[at : at + 1] in b"ab"), kinds.values(), strict=False
    ):
        data[at + 156 : at + 157] = kind
        data[at + 148 : at + 156] = b" " * 8
        data[at + 148 : at + 156] = f"{sum(data[at : at + 512]):06o}\0 ".encode()
    return write(path, bytes(data))


def test_entries_of_unknown_type_in_a_tar_are_files(tmp_path: Path) -> None:
    """Without their content, all that comes after them was taken for it and lost."""
    book = tar_of(tmp_path / "book.cbt", {"a1.png": b"8", "a2.png": b"0", "b1.txt": b"D", "b2.png": b"0"})
    outcome = extract(ExtractRequest.of(inputs=[book], output=tmp_path / "out", method="gray"))
    assert outcome.is_whole
    with open_book(tmp_path / "out/book.cbt") as made:
        assert [entry.name for entry in made.entries] == ["a1.png", "a2.png", "b1.txt", "b2.png"]
        assert b"".join(made.chunks(made.entries[2])) == page()
        for entry in made.pages:
            Image.open(io.BytesIO(b"".join(made.chunks(entry)))).load()


def test_a_tar_header_with_a_size_beyond_memory_is_damage(tmp_path: Path) -> None:
    book = tar_of(tmp_path / "book.cbt", {"a1.png": b"x"})
    data = bytearray(book.read_bytes())
    data[124:136] = b"\x80" + (2**64 - 1).to_bytes(11, "big")
    data[148:156] = b" " * 8
    data[148:156] = f"{sum(data[:512]):06o}\0 ".encode()
    with pytest.raises(BookError, match=r"TAR|damaged"):
        open_book(write(book, bytes(data)))


def test_guessing_an_encoding_takes_no_longer_for_long_names() -> None:
    """One more letter doubled the time: a name of thirty was enough to wait for minutes."""
    began = time.process_time()
    assert guess([b"a" * 200 + "第01話".encode("cp932") + b".png"]) == "cp932"
    assert time.process_time() - began < 1


# Pictures


@pytest.mark.parametrize(("kind", "value"), [(12, b"\0\0\0\0\0\0\xf0?"), (3, b"\7\0")])
def test_a_number_in_the_place_of_a_tiffs_profile_is_none(tmp_path: Path, kind: int, value: bytes) -> None:
    file = io.BytesIO()
    Image.new("L", (9, 7), 200).save(file, "TIFF")
    data = bytearray(file.getvalue())
    (at,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, at)
    entries = bytes(data[at + 2 : at + 2 + 12 * count])
    place = len(data) + 6 + 12 * (count + 1)
    told = value.ljust(4, b"\0") if len(value) < 5 else struct.pack("<I", place)
    entries += struct.pack("<HHI", 34675, kind, 1) + told
    struct.pack_into("<I", data, 4, len(data))
    data += struct.pack("<H", count + 1) + entries + bytes(4) + value
    picture = read_picture(write(tmp_path / "a.tif", bytes(data)))
    assert picture.icc is None
    assert picture.rgb.shape == (7, 9, 3)


def test_a_tiff_page_beyond_the_end_of_any_file_is_damage(tmp_path: Path) -> None:
    file = io.BytesIO()
    pages = [Image.new("L", (9, 7), 200) for _ in range(2)]
    pages[0].save(file, "TIFF", save_all=True, append_images=pages[1:], big_tiff=True)
    data = bytearray(file.getvalue())
    (at,) = struct.unpack_from("<Q", data, 8)
    (count,) = struct.unpack_from("<Q", data, at)
    for entry in range(at + 8, at + 8 + 20 * count, 20):
        if struct.unpack_from("<H", data, entry) == (273,):
            struct.pack_into("<HHQQ", data, entry, 273, 16, 1, 2**64 - 1)
    book = write(tmp_path / "a.tif", bytes(data))
    outcome = extract(ExtractRequest.of(inputs=[book], output=tmp_path / "out", method="gray"))
    assert len(outcome.failed) >= 1
    assert all("fault" not in failed.message for failed in outcome.failed)


# Runs


SOUND = {"target": "1.png", "source": "a", "content": "b", "size": 1, "changed": 2, "settings": "c"}
SOUND |= {"bytes": 3, "failed": [], "again": False}


def test_a_long_journal_is_not_held_whole(tmp_path: Path) -> None:
    write(tmp_path / ".sketchcolor/journal.jsonl", (json.dumps(SOUND) + "\n") * 8000)  # 1 MB
    tracemalloc.start()
    with Journal(tmp_path) as journal:
        assert journal.find("1.png") is not None
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 300_000


def test_lines_of_a_journal_that_are_no_records_are_passed_over(tmp_path: Path) -> None:
    odd = [
        {**SOUND, "target": {}},
        {**SOUND, "target": [1]},
        {**SOUND, "bytes": "3"},
        {**SOUND, "size": None},
    ]
    lines = "\n".join(json.dumps(record) for record in [*odd, {**SOUND, "target": "2.png"}])
    write(tmp_path / ".sketchcolor/journal.jsonl", lines)
    with Journal(tmp_path) as journal:
        assert journal.find("1.png") is None
        assert journal.find("2.png") is not None


# Data


def shard_of(path: Path, content: bytes) -> Path:
    with tarfile.open(path, "w") as shard:
        info = tarfile.TarInfo("a.color.jpg")
        info.size = len(content)
        shard.addfile(info, io.BytesIO(content))
    return path


def test_a_shard_picture_that_claims_too_many_pixels_is_refused_at_once(tmp_path: Path) -> None:
    data = bytearray(page(kind="JPEG"))
    struct.pack_into(">HH", data, data.index(b"\xff\xc0") + 5, 30_000, 30_000)
    began = time.process_time()
    with pytest.raises(ImageError, match="claims more than 67 million pixels"):
        ShardSet([shard_of(tmp_path / "a.tar", bytes(data))]).color(0)
    assert time.process_time() - began < 1


def test_a_shard_picture_that_is_shorter_than_it_says_is_refused_before_room_is_made_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("4 GiB are filled with zeros"))
    data = bytearray(page(kind="PNG"))
    struct.pack_into(">I", data, data.index(b"IDAT") - 4, 0xFFFFFF00)
    with pytest.raises(ImageError, match="the picture cannot be decoded; pack it again"):
        ShardSet([shard_of(tmp_path / "a.tar", bytes(data))]).color(0)


def test_records_in_damaged_gzip_are_named(tmp_path: Path) -> None:
    data = bytearray(gzip.compress(b'{"id": 1}\n' * 999))
    data[14:20] = b"\xff" * 6
    with pytest.raises(DataError, match="cannot be read to its end"):
        filter_danbooru([write(tmp_path / "a.gz", bytes(data))], read_rules(DEFAULT_RULES), tmp_path / "out")


def test_rules_beyond_all_bounds_are_refused(tmp_path: Path) -> None:
    text = f'ratings = ["s"]\naspect = [0.1, {HUGE}]\nlonger_side = inf\n'
    with pytest.raises(DataError, match="a value of another kind"):
        read_rules(write(tmp_path / "rules.toml", text))


def test_a_latent_beyond_all_bounds_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no latent vectors"):
        read_latents(write(tmp_path / "z.json", f'{{"pages": {{"1.png": [{HUGE}]}}}}'))


@pytest.mark.parametrize(
    "head", ["{'descr': '<f8', 'fortran_order': #f, 'shape': (1,)", "(" * 300, "'", "{1: 2}"]
)
def test_an_array_whose_header_is_no_python_is_damage(tmp_path: Path, head: str) -> None:
    file = io.BytesIO()
    np.savez(file, mu=np.zeros(4), sigma=np.zeros((4, 4)))
    data = bytearray(file.getvalue())
    at = data.index(b"{'descr'")
    old = bytes(data[at : data.index(b"\n", at)])
    body = data.index(b"\x93NUMPY")
    data[at : at + len(old)] = head.encode().ljust(len(old))[: len(old)]
    size = data.index(b"PK\3\4", body) - body
    crc = struct.pack("<I", zlib.crc32(bytes(data[body : body + size])))
    old_crc = struct.pack("<I", zlib.crc32(file.getvalue()[body : body + size]))
    with pytest.raises(DataError, match="cannot be read as"):
        read_statistics(write(tmp_path / "a.npz", bytes(data).replace(old_crc, crc)))


def test_swatches_outside_of_the_colours_that_there_are_become_the_nearest(tmp_path: Path) -> None:
    block = struct.pack(">H", 1) + b"\0\0" + b"RGB " + struct.pack(">3f", 7.5, -2, 0.5) + b"\0\0"
    ase = b"ASEF\0\1\0\0" + struct.pack(">I", 1) + struct.pack(">HI", 1, len(block)) + block
    assert read_palette(write(tmp_path / "a.ase", ase)).tolist() == [[1, 0, 0.5]]


def test_a_model_header_with_more_numbers_than_the_file_is_damage(tmp_path: Path) -> None:
    about = {"architecture": "x", "licence": "x", "provenance": {}, "config": {}}
    header = {"__metadata__": {"sketchcolor": json.dumps(about)}, "a": {"shape": [10**300, 10**300]}}
    text = json.dumps(header).encode()
    with pytest.raises(CheckpointError, match="damaged"):
        read_header(write(tmp_path / "a.safetensors", len(text).to_bytes(8, "little") + text))


# The studio's files


@pytest.fixture
def project(tmp_path: Path) -> Project:
    write(tmp_path / "pages/1.png", page())
    return Project(tmp_path / "pages", Limits())


@pytest.mark.parametrize(
    "content", [DEEP, '{"points": [], "seed": "x\\", \\"y"}', '{"points": [], "seed": {}}']
)
def test_hints_that_make_no_sense_are_named_and_left_alone(project: Project, content: str) -> None:
    file = write(project.folder / "hints/1.json", content)
    assert project.document()["pages"][0]["seed"] is None
    with pytest.raises(ProblemError, match=r"hints of 1\.png"):
        project.set_seed(project.pages()[0], 5)
    assert file.read_text() == content


@pytest.mark.parametrize("content", [DEEP, "[1, 2]", '{"done": ["\\ud800"], "failed": {}}'])
def test_a_state_that_makes_no_sense_is_begun_anew(project: Project, content: str) -> None:
    write(project.folder / ".sketchcolor/studio.json", content)
    project.mark(project.pages()[0], done=True)
    assert project.document()["pages"][0]["state"] == "done"


@pytest.mark.parametrize("content", [DEEP, '[{"folder": "\\ud800"}]', json.dumps([{"folder": LONG}])])
def test_a_shelf_that_makes_no_sense_is_begun_anew(project: Project, tmp_path: Path, content: str) -> None:
    shelf = Shelf(tmp_path)
    write(tmp_path / "recent.json", content)
    assert not any(project["here"] for project in shelf.recent())
    shelf.note(project, 1)
    assert shelf.recent()[0]["folder"] == str(project.folder)


def test_a_profile_that_is_no_text_or_too_deep_is_named(project: Project) -> None:
    write(project.folder / "series.toml", b"\xff\xfe\0")
    with pytest.raises((ProblemError, DataError), match="UTF-8"):
        project.series.set({"seed": 4})
    with pytest.raises(DataError, match="not valid TOML"):
        with_values("seed = " + "[" * 5000, {"seed": 4})


def job(**changed: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {"id": "a", "state": "done", "done": 1, "failed": [], "skipped": 0, "total": 1}
    plain |= {"page": None, "detail": "", "folder": "x", "request": {"pages": None}, "made": ["a.cbz"]}
    return plain | {"started": None, "finished": None} | changed


def test_jobs_that_make_no_sense_are_passed_over(tmp_path: Path) -> None:
    odd = [job(made=["../a"]), job(made=["/etc/passwd"]), job(made=[1]), job(state="x"), job(request={})]
    odd += [job(id=3), job(request={"pages": [[]]})]
    write_jobs(tmp_path, [*odd, job(id="b"), job(id="c", state="running", page="d")])
    found = read_jobs(tmp_path, tmp_path / "out")
    assert [(job["id"], job["state"]) for job in found] == [("b", "done"), ("c", "interrupted")]
    assert {job["folder"] for job in found} == {str(tmp_path / "out")}  # wherever the file says
    for content in (DEEP, "{}", "[1]", "\0"):
        write(tmp_path / JOBS, content)
        assert read_jobs(tmp_path, tmp_path / "out") == []
