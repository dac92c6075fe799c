"""Books and long runs on the command line, with a very small network and with XDoG."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from book_files import COMIC_INFO, page, volume, write_pdf, write_rar, write_zip
from sketchcolor_cli.cli.app import app
from sketchcolor_cli.files.books.opening import open_book
from sketchcolor_cli.imaging.reading import read_picture
from sketchcolor_cli.networks.checkpoint import save_model
from sketchcolor_cli.networks.config import HintUNetConfig
from sketchcolor_cli.networks.hint_unet import HintUNet

RUNNER = CliRunner(env=dict.fromkeys(("FORCE_COLOR", "TTY_COMPATIBLE"), None))


def run(command: str, *words: str | Path) -> Any:
    return RUNNER.invoke(app, [command, *map(str, words), "--device", "cpu"])


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    network = HintUNet(HintUNetConfig(widths=(4, 8), depths=(1, 1), lab_step=30.0))
    torch.nn.init.normal_(network.palette.weight)
    path = tmp_path_factory.mktemp("models") / "tiny.safetensors"
    save_model(path, network, provenance={}, licence="CC0-1.0")
    return path


def inside(path: Path) -> dict[str, bytes]:
    with open_book(path) as book:
        return {entry.name: b"".join(book.chunks(entry)) for entry in book.entries}


def pixels(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


def test_a_page_comes_out_of_a_book_as_it_does_alone(tmp_path: Path, tiny: Path) -> None:
    book = write_zip(tmp_path / "vol 1.cbz", volume())
    (tmp_path / "page2.PNG").write_bytes(volume()["Ch 1/page2.PNG"])
    result = run("colorize", book, tmp_path / "page2.PNG", "-o", tmp_path / "out", "--model", tiny, "--json")
    assert result.exit_code == 0, result.stderr
    new = inside(tmp_path / "out/vol 1.cbz")
    assert new["ComicInfo.xml"] == COMIC_INFO
    assert new["Ch 1/page2.PNG"] == (tmp_path / "out/page2.PNG").read_bytes()
    assert (pixels(new["Ch 1/page2.PNG"]) != pixels(volume()["Ch 1/page2.PNG"])).any()
    sources = [Path(done["source"]).relative_to(tmp_path) for done in json.loads(result.stdout)["done"]]
    assert [path.as_posix() for path in sources] == [
        "vol 1.cbz/Ch 1/page2.PNG",
        "vol 1.cbz/Ch 1/page10.png",
        "vol 1.cbz/第2話/絵 🎨.jpg",
        "page2.PNG",
    ]


@pytest.mark.parametrize("place", ["vol.cbz/Ch 1/p1", "vol/Ch 1/p1", "Ch 1/p1"])
def test_pages_of_a_book_find_their_reference(tmp_path: Path, tiny: Path, place: str) -> None:
    book = write_zip(tmp_path / "vol.cbz", {"Ch 1/p1.png": page(1), "Ch 1/p2.png": page(1)})
    rough = tmp_path / "rough" / f"{place}.jpg"
    rough.parent.mkdir(parents=True)
    Image.new("RGB", (30, 40), "blue").save(rough)
    result = run("colorize", book, "-o", tmp_path / "out", "--model", tiny, "--reference", tmp_path / "rough")
    assert result.exit_code == 0, result.stderr
    assert result.stderr.startswith(f"{tmp_path / 'rough'}: no reference for 1 of 2 pages, such as p2.png\n")
    new = inside(tmp_path / "out/vol.cbz")
    assert new["Ch 1/p1.png"] != new["Ch 1/p2.png"]


def test_formats_and_containers(tmp_path: Path, tiny: Path) -> None:
    book, pdf = write_zip(tmp_path / "a.cbz", volume()), write_pdf(tmp_path / "b.pdf", 2)
    rar = write_rar(tmp_path / "c.cbr", {"1.png": page()})
    words = ("-o", tmp_path / "out", "--model", tiny, "--quality", "80")
    assert run("colorize", book, rar, *words, "--format", "webp").exit_code == 0
    assert {Path(name).suffix for name in inside(tmp_path / "out/a.cbz")} == {".webp", ".xml", ".txt"}
    assert list(inside(tmp_path / "out/c.cbz")) == ["1.webp"]
    assert run("colorize", pdf, *words).exit_code == 0
    assert (tmp_path / "out/b.pdf").read_bytes().count(b"/DCTDecode") == 2
    assert run("colorize", pdf, *words, "--format", "png", "--overwrite").exit_code == 0
    assert (tmp_path / "out/b.pdf").read_bytes().count(b"/Predictor 15") == 2
    assert run("colorize", pdf, *words, "--container", "cbz", "--pdf-dpi", "288").exit_code == 0
    pages = inside(tmp_path / "out/b.cbz")
    assert list(pages) == ["page 001.jpg", "page 002.jpg"]
    assert pixels(pages["page 001.jpg"]).shape == (128, 96, 3)
    result = run("colorize", pdf, *words, "--format", "tga")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)


def test_a_dry_run_says_all_and_does_nothing(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    (folder / "a.png").write_bytes(page())
    assert run("extract", folder, "-o", out).exit_code == 0
    write_zip(folder / "b.cbz", volume())
    (folder / "c.cbz").write_bytes(b"")
    before = sorted(out.rglob("*"))
    result = run("extract", folder, "-o", out, "--dry-run")
    assert result.exit_code == 1  # one cannot be done
    assert result.stdout.splitlines() == [
        f"skip  {folder / 'a.png'} → {out / 'a.png'} (done before)",
        f"do  {folder / 'b.cbz'} → {out / 'b.cbz'}, 3 pages",
        f"fail  {folder / 'c.cbz'} → {out / 'c.cbz'} ({folder / 'c.cbz'}: is empty (0 bytes); get it again)",
    ]
    assert result.stderr == "1 to do, 1 to skip, 1 to fail\n"
    document = json.loads(run("extract", folder, "-o", out, "--dry-run", "--json").stdout)
    assert [planned["action"] for planned in document["plan"]] == ["skip", "do", "fail"]
    assert sorted(out.rglob("*")) == before


def test_fail_fast_and_shards(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "0.png").write_bytes(b"")
    for number in range(1, 9):
        (folder / f"{number}.png").write_bytes(page(number))
    result = run("extract", folder, "-o", tmp_path / "out", "--fail-fast")
    assert result.exit_code == 1
    assert "stopped there, --resume does the rest" in result.stderr
    assert not list((tmp_path / "out").glob("*.png"))
    for share in ("1/2", "2/2"):
        run("extract", folder, "-o", tmp_path / "out", "--shard", share, "--jobs", "1")
    assert len(list((tmp_path / "out").glob("*.png"))) == 8
    result = run("extract", folder, "-o", tmp_path / "out", "--shard", "0/2")
    assert result.exit_code == 2
    assert (
        result.stderr == "error: --shard 0/2: write it as I/N, such as 2/8 for the second of eight shares\n"
    )


def test_other_settings_are_done_again_only_when_asked_for(tmp_path: Path) -> None:
    book = write_zip(tmp_path / "a.cbz", volume())
    out = ("-o", tmp_path / "out")
    assert run("extract", book, *out).exit_code == 0
    first = (tmp_path / "out/a.cbz").read_bytes()
    refused = run("extract", book, *out, "--param", "strength=0.1")
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert "1 of 1 results are already there" in refused.stderr
    assert run("extract", book, *out, "--param", "strength=0.1", "--resume").exit_code == 0
    assert (tmp_path / "out/a.cbz").read_bytes() == first
    assert run("extract", book, *out, "--param", "strength=0.1", "--overwrite").exit_code == 0
    assert (tmp_path / "out/a.cbz").read_bytes() != first
    assert not list((tmp_path / "out/.sketchcolor").glob("books/*"))


def test_leftovers_of_other_settings_are_cleared_away(tmp_path: Path) -> None:
    stale = tmp_path / "out/.sketchcolor/books/0123/000001.png"
    stale.parent.mkdir(parents=True)
    stale.write_bytes(b"from a run that never ended")
    assert run("extract", write_zip(tmp_path / "a.cbz", volume()), "-o", tmp_path / "out").exit_code == 0
    assert not stale.exists()
    with zipfile.ZipFile(tmp_path / "out/a.cbz") as book:
        assert book.testzip() is None


def test_books_within_a_book_are_named_and_the_rest_is_done(tmp_path: Path) -> None:
    inner = write_zip(tmp_path / "inner.cbz", {"01.png": page(2)}).read_bytes()
    volume_ = write_zip(tmp_path / "volume.zip", {"cover.png": page(1), "ch 1.cbz": inner, "ch 2.cb7": inner})
    result = run("extract", volume_, "-o", tmp_path / "out", "--json")
    assert result.exit_code == 1
    assert "volume.zip: 2 books in it stay as they are, such as ch 1.cbz; unpack it" in result.stderr
    assert "1 sketched, 1 done in part" in result.stderr
    assert [partial["source"] for partial in json.loads(result.stdout)["partial"]] == [str(volume_)]
    with zipfile.ZipFile(tmp_path / "out/volume.zip") as book:
        assert book.read("ch 1.cbz") == inner
        assert book.read("cover.png") != page(1)


def test_what_is_left_out_and_what_clashes_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("1.png", "2.png", "3.png"):
        (folder / name).write_bytes(page())
    (folder / "1.jpg").write_bytes(page(kind="JPEG"))
    (folder / "4.clip").touch()
    result = run("extract", folder, "-o", tmp_path / "out", "--format", "png", "--json")
    assert result.exit_code == 1
    assert "3 sketched, 1 failed, left out as not read: 1 .clip in" in result.stderr
    told = json.loads(result.stdout)
    assert told["left_out"] == {".clip": 1}
    assert [failed["source"] for failed in told["failed"]] == [str(folder / "1.png")]
    result = run("extract", folder, "-o", tmp_path / "both", "--format", "png", "--keep-both")
    assert result.exit_code == 0
    assert {path.name for path in (tmp_path / "both").glob("*.png")} == {
        "1.jpg.png", "1.png.png", "2.png", "3.png"
    }  # fmt: skip


def test_one_picture_may_name_its_result(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(page())
    assert run("extract", tmp_path / "a.png", "-o", tmp_path / "new/b.webp").exit_code == 0
    assert read_picture(tmp_path / "new/b.webp").format == "WEBP"
    refused = run("extract", tmp_path / "a.png", "-o", tmp_path / "a.png")
    assert "a.png: the result would overwrite it; name another output" in refused.stderr


def test_a_scan_of_several_pages_comes_back_as_one(tmp_path: Path) -> None:
    pages = [Image.open(io.BytesIO(page(number))).convert("1") for number in range(3)]
    pages[0].save(tmp_path / "scan.tif", save_all=True, append_images=pages[1:], compression="group4")
    result = run("extract", tmp_path / "scan.tif", "-o", tmp_path / "out")
    assert (result.exit_code, result.stderr[:10]) == (0, "3 sketched")
    with Image.open(tmp_path / "out/scan.tif") as image:
        assert image.n_frames == 3
    result = run("extract", tmp_path / "scan.tif", "-o", tmp_path / "out2", "--container", "cbz")
    with zipfile.ZipFile(tmp_path / "out2/scan.cbz") as book:
        assert book.namelist() == ["page 001.png", "page 002.png", "page 003.png"]


def test_files_beside_results_are_not_overwritten_by_each_other(tmp_path: Path, tiny: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "01.jpg").write_bytes(page(1, "JPEG"))
    (folder / "01.png").write_bytes(page(7))
    words = ("--model", tiny, "--flats", "--layers", "png")
    result = run("colorize", folder, "-o", tmp_path / "out", *words)
    assert result.exit_code == 1
    assert f"{folder}/01.jpg and {folder}/01.png: the files beside both results would be" in result.stderr
    assert "1 colorized, 1 failed" in result.stderr
    assert run("colorize", folder, "-o", tmp_path / "both", *words, "--keep-both").exit_code == 0
    assert {path.name for path in (tmp_path / "both").glob("*") if not path.name.startswith(".")} == {
        "01.jpg", "01.flats.png", "01.layers", "01.png.png", "01.png.flats.png", "01.png.layers"
    }  # fmt: skip


def test_what_stays_in_a_book_is_named_in_every_run(tmp_path: Path) -> None:
    frames = [Image.open(io.BytesIO(page(number))) for number in range(3)]
    moving = io.BytesIO()
    frames[0].save(moving, "GIF", save_all=True, append_images=frames[1:])
    inner = write_zip(tmp_path / "inner.cbz", {"01.png": page(2)}).read_bytes()
    inside_ = {"1.png": page(1), "2.gif": moving.getvalue(), "ch 2.cbz": inner}
    book = write_zip(tmp_path / "volume.cbz", inside_)
    animation = "is an animation of 3 frames; save the one that is meant as a picture"
    told = [
        f"{book}/2.gif: {animation}; it stays as it is in the book",
        f"{book}: a book in it, ch 2.cbz, stays as it is; unpack it to have that done",
    ]
    first = run("extract", book, "-o", tmp_path / "out", "--json", "--fail-fast")
    second = run("extract", book, "-o", tmp_path / "out", "--json")
    planned = run("extract", book, "-o", tmp_path / "out", "--json", "--dry-run")
    for result in (first, second):
        assert result.exit_code == 1
        assert all(line in result.stderr for line in told)
        assert sorted(partial["message"] for partial in json.loads(result.stdout)["partial"]) == sorted(told)
        assert json.loads(result.stdout)["failed"] == []
    assert len(json.loads(first.stdout)["done"]) == len(json.loads(second.stdout)["skipped"]) == 1
    assert sorted(json.loads(planned.stdout)["plan"][0]["partial"]) == sorted(told)
    with zipfile.ZipFile(tmp_path / "out/volume.cbz") as done:
        assert done.read("2.gif") == moving.getvalue()
