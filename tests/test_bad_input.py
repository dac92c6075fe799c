"""What users' folders really hold: each command names what it cannot do in one line, and does the rest.

In every case a sound page lies beside the trouble, and must come out.
"""

from __future__ import annotations

import errno
import io
import os
import struct
import sys
import time
import zipfile
import zlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from book_files import page, volume, write_pdf, write_zip
from sketchcolor_cli.cli.app import app
from sketchcolor_cli.networks.checkpoint import save_model
from sketchcolor_cli.networks.config import HintUNetConfig
from sketchcolor_cli.networks.hint_unet import HintUNet

if TYPE_CHECKING:
    from collections.abc import Callable

RUNNER = CliRunner(env=dict.fromkeys(("FORCE_COLOR", "TTY_COMPATIBLE"), None))
NOISE = np.random.default_rng(0).integers(0, 256, (60, 50, 3), np.uint8)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a very small colour network with random weights."""
    torch.manual_seed(0)
    network = HintUNet(HintUNetConfig(widths=(4, 8), depths=(1, 1), lab_step=30.0))
    path = tmp_path_factory.mktemp("models") / "tiny.safetensors"
    save_model(path, network, provenance={}, licence="CC0-1.0")
    return path


@pytest.fixture(params=["extract", "colorize"])
def run(request: pytest.FixtureRequest, tiny: Path, tmp_path: Path) -> Callable[..., Any]:
    """Run a command over a folder, into ``out``; sketches are drawn without a network, unless it is named."""

    def invoke(
        *inputs: Path | str, output: Path = tmp_path / "out", resume: bool = False, method: str = "gray"
    ) -> Any:
        more = ["--model", str(tiny)] if request.param == "colorize" else ["--method", method]
        more += ["--resume"] if resume else []
        return RUNNER.invoke(
            app, [request.param, *map(str, inputs), "-o", str(output), "--device", "cpu", *more]
        )

    return invoke


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "in"
    path.mkdir()
    (path / "sound.png").write_bytes(page())
    return path


def found(output: Path) -> dict[str, tuple[int, int]]:
    """Return name and size of each picture that came out; each must be whole."""
    sizes = {}
    for path in output.rglob("*"):
        if path.is_file() and ".sketchcolor" not in path.parts and path.suffix not in (".cbz", ".pdf"):
            with Image.open(path) as image:
                image.load()
                sizes[path.relative_to(output).as_posix()] = image.size
    return sizes


def encoded(kind: str, image: Image.Image | None = None, **options: Any) -> bytes:
    file = io.BytesIO()
    (image or Image.fromarray(NOISE)).save(file, kind, **options)
    return file.getvalue()


def animation(kind: str) -> bytes:
    frames = [Image.new("RGB", (30, 40), color) for color in ("red", "green", "blue")]
    return encoded(kind, frames[0], save_all=True, append_images=frames[1:], duration=50)


@cache
def bomb(side: int) -> bytes:
    """Return a PNG of white pixels, side × side, that is a few hundred bytes long and says so truly."""
    rows = zlib.compressobj(9)
    head = struct.pack(">2I5B", side, side, 1, 0, 0, 0, 0)
    packed = b"".join(rows.compress(b"\0" + b"\xff" * ((side + 7) // 8)) for _ in range(side)) + rows.flush()
    chunks = ((b"IHDR", head), (b"IDAT", packed), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def flat(width: int, height: int) -> bytes:
    return encoded("PNG", Image.new("L", (width, height), 200))


REFUSED = {
    "cut.png": (lambda: encoded("PNG")[:3000], "is damaged or cut short"),
    "cut short.jpg": (lambda: encoded("JPEG")[:1500], "is damaged or cut short"),
    "zero.png": (lambda: b"", "is empty (0 bytes)"),
    "text.png": (lambda: b"Dear reader, this is not a picture.", "is not a PNG"),
    "bomb.png": (lambda: bomb(16_000), "has more than 250 million pixels"),
    "locked.cbz": (lambda: locked_zip(), "is encrypted; unpack it"),
    "locked.pdf": (lambda: locked_pdf(), "is encrypted; save it without"),
    "cut.cbz": (lambda: zipped(volume())[:-200], "is damaged or cut short"),
    "out of it.cbz": (lambda: zipped({"../../evil.png": page()}), "which leads out of it"),
    "rooted.cbz": (lambda: zipped({"/etc/evil.png": page()}), "holds the absolute path"),
    "bare.zip": (lambda: zipped({"readme.txt": b"x"}), "holds no pictures"),
    "text.pdf": (lambda: b"Dear reader", "is damaged"),
    "zero.cbz": (lambda: b"", "is empty (0 bytes)"),
    "moving.webp": (lambda: animation("WEBP"), "is an animation of 3 frames"),
    "moving too.gif": (lambda: animation("GIF"), "is an animation of 3 frames"),
    "seven.cbz": (lambda: b"7z\xbc\xaf\x27\x1c" + bytes(50), "is a 7z archive, which is not read"),
    "error.jpg": (lambda: b"<!DOCTYPE html><html>404</html>", "is a web page, as sites send"),
    "pointer.png": (lambda: b"version https://git-lfs.github.com/spec/v1\noid", "is a pointer of Git LFS"),
}
DONE = {
    "cmyk.jpg": (lambda: encoded("JPEG", Image.new("CMYK", (20, 30), (10, 20, 30, 40))), (20, 30)),
    "dot.png": (lambda: flat(1, 1), (1, 1)),
    "hair.png": (lambda: flat(1, 8_000), (1, 8_000)),
    "lying hair.png": (lambda: flat(8_000, 1), (8_000, 1)),
}


def zipped(entries: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return file.getvalue()


def locked_zip() -> bytes:
    data = bytearray(zipped({"a.png": page()}))
    data[data.index(b"PK\x03\x04") + 6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def locked_pdf() -> bytes:
    file = io.BytesIO()
    Image.open(io.BytesIO(page())).save(file, "PDF")
    lock = b"/Encrypt << /Filter /Standard /V 1 /R 2 /O <%s> /U <%s> /P -4 >> /ID [<00><00>]"
    return file.getvalue().replace(b"/Root", lock % (b"11" * 32, b"22" * 32) + b" /Root", 1)


def test_what_cannot_be_done_is_named_and_the_rest_is_done(run: Any, folder: Path, tmp_path: Path) -> None:
    for name, (make, _) in REFUSED.items():
        (folder / name).write_bytes(make())
    result = run(folder)
    assert result.exit_code == 1, result.exception
    lines = result.stderr.splitlines()
    assert len(lines) == len(REFUSED) + 1
    for name, (_, said) in REFUSED.items():
        [line] = [line for line in lines if line.startswith(f"failed: {folder / name}: ")]
        assert said in line
    assert lines[-1].startswith(("1 sketched", "1 colorized"))
    assert f"{len(REFUSED)} failed" in lines[-1]
    assert list(found(tmp_path / "out")) == ["sound.png"]


@pytest.mark.parametrize("name", REFUSED)
def test_named_outright_it_is_one_line_too(run: Any, folder: Path, name: str, tmp_path: Path) -> None:
    (folder / name).write_bytes(REFUSED[name][0]())
    result = run(folder / name)
    assert result.exit_code == 1
    first, last = result.stderr.splitlines()
    assert REFUSED[name][1] in first
    assert "1 failed" in last
    assert found(tmp_path / "out") == {}


def test_odd_pictures_are_done(run: Any, folder: Path, tmp_path: Path) -> None:
    for name, (make, _) in DONE.items():
        (folder / name).write_bytes(make())
    result = run(folder, method="linework")
    assert result.exit_code == 0, result.stderr
    expected = {Path(name).stem: size for name, (_, size) in DONE.items()} | {"sound": (48, 64)}
    assert {Path(name).stem: size for name, size in found(tmp_path / "out").items()} == expected


@pytest.mark.parametrize("content", [None, b"no picture"])
def test_a_folder_without_pictures_is_an_error(run: Any, tmp_path: Path, content: bytes | None) -> None:
    (tmp_path / "in").mkdir()
    if content:
        (tmp_path / "in/notes.txt").write_bytes(content)
    result = run(tmp_path / "in")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"error: {tmp_path / 'in'}: no pictures in this folder; looked for")
    assert not (tmp_path / "out").exists()


def test_names_that_come_twice_in_a_zip_are_two_pages(run: Any, folder: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(folder / "a.cbz", "w") as archive:
        archive.writestr("1.png", page(1))
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("1.png", page(2))
    assert run(folder / "a.cbz").exit_code == 0
    with zipfile.ZipFile(tmp_path / "out/a.cbz") as archive:
        first, second = (archive.open(info).read() for info in archive.infolist())
    assert first != second


def test_pages_of_a_book_that_cannot_be_read_are_copied_and_named(
    run: Any, folder: Path, tmp_path: Path
) -> None:
    whole = volume()
    whole["Ch 1/page10.png"] = b"text"
    book = write_zip(folder / "a.cbz", whole)
    for _ in range(2):
        result = run(book)
        assert result.exit_code == 1
        assert f"failed: {book}/Ch 1/page10.png: is not a PNG" in result.stderr
        assert "1 failed" in result.stderr
    with zipfile.ZipFile(tmp_path / "out/a.cbz") as archive:
        assert archive.read("Ch 1/page10.png") == b"text"
        assert archive.read("ComicInfo.xml") == whole["ComicInfo.xml"]


def test_pdf_pages_come_back_as_a_pdf(run: Any, folder: Path, tmp_path: Path) -> None:
    assert run(write_pdf(folder / "a.pdf", 2)).exit_code == 0
    assert (tmp_path / "out/a.pdf").read_bytes().count(b"/Type /Page ") == 2


def test_an_output_that_cannot_be_written(run: Any, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for output in (tmp_path / "file", tmp_path / "file/below"):
        result = run(folder, output=output)
        assert result.exit_code == 1
        assert result.stderr.startswith("error: ")
        assert result.stderr.count("\n") == 1
        assert result.exception is None or isinstance(result.exception, SystemExit)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="nothing is read-only to the superuser")
def test_a_read_only_output(run: Any, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir(mode=0o555)
    result = run(folder)
    assert result.exit_code == 1
    assert "cannot be written (Permission denied)" in result.stderr


def test_read_only_sources_are_read_and_left_alone(run: Any, folder: Path, tmp_path: Path) -> None:
    write_zip(folder / "a.cbz", volume())
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}
    for path in folder.iterdir():
        path.chmod(0o444)
    folder.chmod(0o555)
    try:
        assert run(folder).exit_code == 0
        assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()} == before
    finally:
        folder.chmod(0o755)


def test_output_inside_input_is_not_done_again(run: Any, folder: Path) -> None:
    for _ in range(2):
        assert run(folder, output=folder / "done").exit_code == 0
        assert list(found(folder / "done")) == ["sound.png"]


def test_the_same_file_twice_is_done_once(run: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    result = run(folder, folder / "sound.png", "./sound.png", folder)
    assert result.exit_code == 0
    assert result.stderr.startswith("1 ")


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_that_lead_in_circles(run: Any, folder: Path, tmp_path: Path) -> None:
    (folder / "deeper").mkdir()
    (folder / "deeper/up").symlink_to(folder)
    (folder / "self.png").symlink_to(folder / "self.png")
    (folder / "gone.png").symlink_to(folder / "nowhere.png")
    result = run(folder)
    assert list(found(tmp_path / "out")) == ["sound.png"]
    assert result.exit_code == 1
    assert "gone.png: no such file" in result.stderr


def test_any_name_is_kept(run: Any, tmp_path: Path) -> None:
    names = [
        "two  words.png",
        "漫画 第１話/表紙 ①.png",
        "🎨🖌️.png",
        "'quoted' \"double\" $HOME `x`.png",
        "x" * 246 + ".png",
        "あ" * 82 + ".png",
        "-o.png",
        "dot..dot.png",
    ]
    for name in names:
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(page())
    write_zip(tmp_path / "in/本 📚.cbz", {name: page() for name in names})
    assert run(tmp_path / "in").exit_code == 0
    assert sorted(found(tmp_path / "out")) == sorted(names)
    with zipfile.ZipFile(tmp_path / "out/本 📚.cbz") as archive:
        assert sorted(archive.namelist()) == sorted(names)


def test_a_full_disk_stops_the_run_and_what_is_done_stays(
    run: Any, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        (folder / f"{number}.png").write_bytes(page(number))
    real, left = os.fsync, [3]

    def full(number: int) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(number)

    monkeypatch.setattr(os, "fsync", full)
    result = run(folder)
    assert result.exit_code == 1
    assert "cannot be written (No space left on device); free some space" in result.stderr
    assert "stopped there, --resume does the rest" in result.stderr
    assert len(found(tmp_path / "out")) == 3
    assert not list((tmp_path / "out").rglob("*.tmp"))
    monkeypatch.undo()
    assert run(folder).exit_code == 0  # the same command goes on
    assert len(found(tmp_path / "out")) == 7


def test_wrong_clocks_make_no_difference(run: Any, folder: Path, tmp_path: Path) -> None:
    """Sources from the future, results from the past: what is done is done."""
    assert run(folder).exit_code == 0
    for ages in ((4e9, 0), (0, 4e9), (time.time() + 1e6,) * 2):
        for path, age in zip((folder / "sound.png", tmp_path / "out/sound.png"), ages, strict=True):
            os.utime(path, (age, age))
        result = run(folder)
        assert result.exit_code == 0
        assert "1 already there" in result.stderr
        assert run(folder, resume=True).exit_code == 0
