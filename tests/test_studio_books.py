"""Books in the studio: their pages come out, and go back into the same, as ``colorize BOOK`` does it."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from book_files import page, write_pdf, write_tar, write_zip
from sketchcolor_cli.files.books.making import make_book
from sketchcolor_cli.jobs.colorize import colorize
from sketchcolor_cli.jobs.requests import ColorizeRequest
from sketchcolor_cli.studio.books import originals
from sketchcolor_cli.studio.opening import project_of
from studio_server import STROKE, Client, save_small_model, served

if TYPE_CHECKING:
    from pathlib import Path

INFO = b"<ComicInfo><Title>First</Title></ComicInfo>"
ENTRIES = {
    "ComicInfo.xml": INFO,
    "Vol 1/p10.png": page(10),
    "Vol 1/p2.jpg": page(2, "JPEG"),
    "Vol 1/credits.txt": b"thanks",
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_small_model(tmp_path_factory.mktemp("model") / "small.safetensors")


def book_of(folder: Path, kind: str) -> Path:
    path = folder / f"First.{kind}"
    if kind == "pdf":
        return write_pdf(path)
    if kind == "epub":
        loose = [folder / f"{number}.jpg" for number in (1, 2)]
        for number, loose_page in enumerate(loose):
            loose_page.write_bytes(page(number, "JPEG"))
        make_book(path, loose, "First")
        return path
    return write_tar(path, ENTRIES) if kind == "cbt" else write_zip(path, ENTRIES)


def exported(client: Client, **asked: Any) -> dict[str, bytes]:
    job = client.post("/api/v1/jobs", json=asked)
    assert job.status_code == 202, job.text
    address = f"/api/v1/jobs/{job.json()['id']}"
    done = client.when(address, lambda job: job["state"] in ("done", "failed"))
    assert done["state"] == "done", done
    return {file["name"]: client.get(f"{address}/files/{file['id']}").content for file in done["files"]}


@pytest.mark.parametrize("kind", ["cbz", "cbt", "epub", "pdf"])
def test_a_book_is_exported_as_colorize_makes_it_to_the_last_byte(
    tmp_path: Path, model: Path, kind: str
) -> None:
    book = book_of(tmp_path, kind)
    project = project_of(book)
    with served(project.folder, model, tmp_path / "home") as client:
        assert client.get("/api/v1/project").json()["books"] == [book.name]
        found = exported(client, book="same")
    values = {"model": str(model), "device": "cpu"}
    colorize(ColorizeRequest.of(inputs=[book], output=tmp_path / "own", **values))
    assert found[book.name] == (tmp_path / "own" / book.name).read_bytes()


def test_a_cbz_keeps_its_names_and_all_else_and_has_what_was_painted(tmp_path: Path, model: Path) -> None:
    with served(None, model, tmp_path / "home") as client:
        sent = book_of(tmp_path, "cbt").read_bytes()
        assert client.post("/api/v1/pages", files=[("file", ("First.cbt", sent))]).status_code == 201
        first = client.get("/api/v1/project").json()["pages"][0]
        client.put(
            f"/api/v1/pages/{first['id']}/marks", json={"marks": [STROKE]}, headers={"If-Match": '"0"'}
        )
        found = exported(client, book="cbz")
        [name] = [name for name in found if name.endswith(".cbz")]
        with zipfile.ZipFile(io.BytesIO(found[name])) as book:
            assert book.namelist() == list(ENTRIES)
            assert book.read("ComicInfo.xml") == INFO
            assert book.read("Vol 1/p2.jpg") == found["0001.jpg"]
        found = exported(client, book="same", format="webp", pages=[first["id"]])
        assert found["First.cbt"].count(b"Vol 1/p2.webp") == 1  # the other page is as it was
        assert found["First.cbt"].count(b"Vol 1/p10.png") == 1


def test_an_epub_and_a_pdf_keep_the_formats_that_they_can_hold(tmp_path: Path, model: Path) -> None:
    for kind in ("epub", "pdf"):
        project = project_of(book_of(tmp_path, kind).rename(tmp_path / f"{kind}.{kind}"))
        with served(project.folder, model, tmp_path / kind) as client:
            some = [client.get("/api/v1/project").json()["pages"][0]["id"]]
            found = exported(client, book="same", format="webp", pages=some)[f"{kind}.{kind}"]
        if kind == "epub":
            with zipfile.ZipFile(io.BytesIO(found)) as book, book.open("OEBPS/0001.jpg") as picture:
                assert Image.open(picture).format == "JPEG"
        else:
            assert found.count(b"/Type /Page\n") + found.count(b"/Type /Page ") >= 3


def test_pages_of_no_book_go_into_a_new_one_alone(tmp_path: Path, model: Path) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages/1.png").write_bytes(page())
    (tmp_path / "pages/.sketchcolor").mkdir()
    (tmp_path / "pages/.sketchcolor/books.json").write_text(
        '[{"name": "gone.cbz", "file": "x", "pages": {}}]'
    )
    assert originals(tmp_path / "pages") == []
    with served(tmp_path / "pages", model, tmp_path / "home") as client:
        refused = client.post("/api/v1/jobs", json={"book": "same"})
        assert (refused.status_code, refused.json()["detail"]) == (
            422,
            "these pages did not come out of a book; choose cbz, pdf or epub",
        )
        assert "pages.cbz" in exported(client, book="cbz")
