"""The studio's server: pages, what is painted on them, two windows, live pictures, jobs."""

from __future__ import annotations

import io
import json
import os
import sys
import threading
import time
import zipfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from sketchcolor_cli.jobs.colorize import colorize
from sketchcolor_cli.jobs.requests import ColorizeRequest
from sketchcolor_cli.studio import marks as marks_file
from sketchcolor_cli.studio import routes_project, uploads
from sketchcolor_cli.studio.books import unpack_book
from sketchcolor_cli.studio.frames import unpacked
from sketchcolor_cli.studio.latest import Latest
from sketchcolor_cli.studio.project import Project
from studio_server import STROKE, TOKEN, Client, draw, save_small_model, served

if TYPE_CHECKING:
    from collections.abc import Iterator

PROTOCOLS = ["sketchcolor.v1", f"token.{TOKEN}"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_small_model(tmp_path_factory.mktemp("model") / "small.safetensors")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with three pages, one of them in a folder of its own, and a file that is none."""
    pages = tmp_path / "pages"
    draw(pages / "page 2.png")
    draw(pages / "page 10.png", (60, 60))
    draw(pages / "ch [2]/ページ.png")
    (pages / "notes.txt").write_text("no page")
    return pages


@pytest.fixture
def client(folder: Path, model: Path, tmp_path: Path) -> Iterator[Client]:
    with served(folder, model, tmp_path) as found:
        yield found


def pages_of(client: Client) -> dict[str, dict[str, Any]]:
    return {page["name"]: page for page in client.get("/api/v1/project").json()["pages"]}


def at(client: Client, name: str = "page 2.png") -> str:
    return f"/api/v1/pages/{pages_of(client)[name]['id']}"


def picture(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGBA"))


def png(size: tuple[int, int], color: tuple[int, ...]) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGBA", size, color).save(buffer, "PNG")
    return buffer.getvalue()


def test_a_project_is_its_pages_in_reading_order_and_opening_it_writes_nothing(
    client: Client, folder: Path
) -> None:
    before = sorted(folder.rglob("*"))
    about = client.get("/api/v1/project").json()
    assert [page["name"] for page in about["pages"]] == ["ch [2]/ページ.png", "page 2.png", "page 10.png"]
    page = about["pages"][2]
    assert (page["width"], page["height"], page["state"]) == (60, 60, "untouched")
    assert about["name"] == "pages"
    assert about["settings"]["seed"] is None
    assert sorted(folder.rglob("*")) == before


def test_marks_are_kept_as_the_command_line_reads_them(client: Client, folder: Path) -> None:
    address = at(client)
    told = client.get(f"{address}/marks")
    assert told.json() == {"revision": "0", "marks": []}
    marks = [STROKE, {"x": 1, "y": 0, "color": "#fff", "tool": "point"}]
    put = client.put(f"{address}/marks", json={"marks": marks}, headers={"If-Match": told.headers["etag"]})
    assert put.status_code == 200
    kept = json.loads((folder / "hints/page 2.json").read_text())
    assert kept[1] == {"x": 1.0, "y": 0.0, "color": "#fff", "tool": "point"}
    assert isinstance(kept[1]["x"], float)  # a part; 1 would be a pixel
    again = client.get(f"{address}/marks")
    assert again.json()["marks"] == kept
    assert again.headers["etag"] == put.headers["etag"]
    page = pages_of(client)["page 2.png"]
    assert (page["state"], page["marks"]) == ("hinted", 2)
    assert ColorizeRequest.of(inputs=[folder], output="out").guides.hints == (folder / "hints",)


def test_two_windows_do_not_write_over_each_other(client: Client, folder: Path) -> None:
    address = f"{at(client)}/marks"
    first = client.put(address, json={"marks": [STROKE]}, headers={"If-Match": '"0"'})
    late = client.put(address, json={"marks": []}, headers={"If-Match": '"0"'})
    assert late.status_code == 412
    assert late.json()["current"] == {"marks": [STROKE]}
    assert late.headers["etag"] == first.headers["etag"]
    assert "another window" in late.json()["detail"]
    assert client.put(address, json={"marks": []}).status_code == 428
    (folder / "hints/page 2.json").write_text("[]")  # another program writes it
    stale = client.put(address, json={"marks": []}, headers={"If-Match": first.headers["etag"]})
    assert stale.status_code == 412
    project = client.get("/api/v1/project")
    headers = {"If-Match": project.headers["etag"]}
    assert client.put("/api/v1/project", json={"settings": {"seed": 4}}, headers=headers).status_code == 200
    assert client.put("/api/v1/project", json={"settings": {"seed": 5}}, headers=headers).status_code == 412


def test_what_one_window_paints_is_no_change_of_its_own_settings(client: Client, folder: Path) -> None:
    headers = {"If-Match": client.get("/api/v1/project").headers["etag"]}
    client.put(f"{at(client)}/marks", json={"marks": [STROKE]}, headers={"If-Match": '"0"'})
    mask = png((9, 12), (255, 255, 255, 255))
    layer = {"If-Match": '"0"', "Content-Type": "image/png"}
    assert client.put(f"{at(client)}/mask", content=mask, headers=layer).status_code == 200
    assert "hints" in (folder / "series.toml").read_text()  # which names their folders now
    swatches = {"swatches": [{"name": "", "color": "#7a4a2b"}]}
    assert client.put("/api/v1/project", json=swatches, headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("marks", "said"),
    [
        ("x", "a list of points and strokes"),
        ([{"x": 0.5, "y": 0.5}], "needs x, y and color"),
        ([{"x": 12, "y": 0.5, "color": "#fff"}], "a part of the page from 0 to 1"),
        ([{"stroke": [[0, 2]], "color": "#fff"}], "from 0 to 1"),
        ([{"stroke": [[0, 0]] * 300_000, "color": "#fff"}], "at most"),
        ([{"x": 0.5, "y": 0.5, "color": "#fff"}] * 2001, "at most"),
    ],
)
def test_marks_that_make_no_sense_are_refused_and_nothing_is_written(
    client: Client, folder: Path, marks: Any, said: str
) -> None:
    put = client.put(f"{at(client)}/marks", json={"marks": marks}, headers={"If-Match": '"0"'})
    assert put.status_code == 422
    assert put.headers["content-type"] == "application/problem+json"
    assert said in put.json()["detail"]
    assert not (folder / "hints").exists()


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="all names are Unicode there")
def test_names_and_notes_that_are_no_proper_unicode(client: Client, folder: Path) -> None:
    """One page with such a name kept the whole project from being shown."""
    os.rename(folder / "page 2.png", os.fsencode(folder) + b"/page \xff.png")  # noqa: PTH104  (bytes)
    address = at(client, "page \udcff.png")
    assert client.get(address).status_code == 200
    assert client.patch(address, json={"done": True}).json()["state"] == "done"
    put = client.put(
        f"{address}/marks",
        content=b'{"marks": [{"x": 0.5, "y": 0.5, "color": "#fff", "note": "\\ud800"}]}',
        headers={"If-Match": "0", "Content-Type": "application/json"},
    )
    assert put.status_code == 422
    assert "half a character" in put.json()["detail"]
    marks = client.put(f"{address}/marks", json={"marks": [STROKE]}, headers={"If-Match": "0"})
    assert marks.status_code == 200


def test_settings_change_the_profile_and_leave_what_the_user_wrote(client: Client, folder: Path) -> None:
    (folder / "series.toml").write_text("# mine\nseed = 8  # lucky\nsheets = [\n  # none\n]\n[run]\n")
    project = client.get("/api/v1/project")
    assert project.json()["notes"]  # [run] means nothing there
    (folder / "series.toml").write_text("# mine\nseed = 8  # lucky\nsheets = [\n  # none\n]\n")
    project = client.get("/api/v1/project")
    assert project.json()["settings"]["seed"] == 8
    put = client.put(
        "/api/v1/project",
        json={
            "settings": {"seed": 9, "protect": "none", "palette": "swatches"},
            "swatches": [{"name": "Hair", "color": "#7a4a2b"}],
        },
        headers={"If-Match": project.headers["etag"]},
    )
    assert put.status_code == 200, put.json()
    text = (folder / "series.toml").read_text()
    assert "# mine\nseed = 9  # lucky\n" in text
    request = ColorizeRequest.of(inputs=[folder], output="out")
    assert request.guides.palette == folder / "swatches.gpl"
    assert (request.colors.seed, request.colors.protect) == (9, "none")
    assert put.json()["swatches"] == [{"name": "Hair", "color": "#7a4a2b"}]
    bad = {"settings": {"seed": "many"}}
    refused = client.put("/api/v1/project", json=bad, headers={"If-Match": put.headers["etag"]})
    assert refused.status_code == 422
    assert (folder / "series.toml").read_text() == text


def test_the_model_that_was_started_with_is_written_down_unless_the_profile_names_one(
    client: Client, folder: Path, model: Path
) -> None:
    project = client.get("/api/v1/project")
    assert (project.json()["settings"]["model"], project.json()["notes"]) == ("small.safetensors", [])
    asked = {"settings": project.json()["settings"] | {"seed": 4}}  # as the page sends it
    put = client.put("/api/v1/project", json=asked, headers={"If-Match": project.headers["etag"]})
    assert put.status_code == 200, put.json()
    request = ColorizeRequest.of(inputs=[folder], output="out")
    assert (request.model, request.colors.seed) == (str(model), 4)
    (folder / "series.toml").write_text('model = "default"\n')
    project = client.get("/api/v1/project").json()
    assert project["settings"]["model"] == "default"
    [note] = project["notes"]
    assert note.startswith("series.toml names the model default, which counts; --model ")


def test_rough_layers_and_masks_are_png_files_encoded_anew(client: Client, folder: Path) -> None:
    for name, kind in (("rough", "rough"), ("mask", "masks")):
        address = f"{at(client)}/{name}"
        assert client.get(address).status_code == 404
        sent = png((8, 8), (255, 255, 255, 255)) + b"<script>"
        headers = {"If-Match": '"0"', "Content-Type": "image/png"}
        put = client.put(address, content=sent, headers=headers)
        assert put.status_code == 200
        kept = (folder / kind / "page 2.png").read_bytes()
        assert b"script" not in kept
        assert (picture(kept) == 255).all()
        got = client.get(address)
        assert got.headers["etag"] == put.headers["etag"]
        assert pages_of(client)["page 2.png"][name]
        assert client.put(address, content=sent, headers=headers).status_code == 412
        assert client.delete(address, headers={"If-Match": put.headers["etag"]}).status_code == 200
        assert not pages_of(client)["page 2.png"][name]
    assert len(pages_of(client)) == 3
    assert ColorizeRequest.of(inputs=[folder], output="out")  # the profile names nothing that is gone


def test_a_layer_of_which_pillow_finds_no_end_is_a_problem(client: Client) -> None:
    sent = bytearray(png((8, 8), (255, 255, 255, 255)))
    place = sent.rindex(b"IEND")
    sent[place : place + 4] = b"iCCP"  # an empty profile, on which Pillow fails with an IndexError
    headers = {"If-Match": '"0"', "Content-Type": "image/png"}
    answer = client.put(f"{at(client)}/mask", content=bytes(sent), headers=headers)
    assert answer.status_code == 422
    assert "damaged" in answer.text


def test_the_original_is_shown_at_any_size_and_in_parts(client: Client, folder: Path) -> None:
    address = f"{at(client)}/original"
    whole = client.get(address)
    assert whole.headers["content-type"] == "image/png"
    np.testing.assert_array_equal(
        picture(whole.content)[..., 0], np.asarray(Image.open(folder / "page 2.png"))
    )
    small = client.get(f"{address}?width=45", headers={"Accept": "image/webp,*/*"})
    assert small.headers["content-type"] == "image/webp"
    assert picture(small.content).shape == (60, 45, 4)
    part = client.get(f"{address}?left=80&top=100&right=500&bottom=500")
    assert picture(part.content).shape == (20, 10, 4)
    assert client.get(f"{address}?left=95&top=0&right=99&bottom=9").status_code == 422
    assert client.get(f"{address}?width=wide").status_code == 422
    assert client.get(f"{at(client)}/color?x=0.5&y=0.5").json() == {"color": "#ffffff"}
    assert client.get(f"{at(client)}/masks").headers["content-type"] == "image/png"
    assert picture(client.get(f"{at(client)}/preview?width=64").content).shape[1] == 64
    assert picture(client.get(f"{at(client)}/thumbnail?width=30").content).shape[1] == 30


def test_what_is_not_there_is_a_problem(client: Client) -> None:
    for address in (
        "/api/v1/pages/0123456789abcdef",
        "/api/v1/nothing",
        "/page/../project.py",
        "/api/v1/jobs/x",
    ):
        answer = client.get(address)
        assert answer.status_code == 404, address
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == 404
    assert client.delete("/api/v1/project").status_code == 405
    assert client.get(f"{at(client)}/result").status_code == 404


def receive(socket: Any, kind: str) -> tuple[dict[str, Any], bytes]:
    """Return the next message of this kind."""
    while True:
        message = socket.receive()
        if "bytes" in message and message["bytes"] is not None:
            header, data = unpacked(message["bytes"])
        else:
            header, data = json.loads(message["text"]), b""
        if header["type"] == kind:
            return header, data
        assert header["type"] != "error", header


def test_strokes_go_up_and_pictures_come_down(client: Client) -> None:
    plain = client.get(f"{at(client)}/thumbnail").content
    with client.websocket_connect(f"{at(client)}/live", subprotocols=PROTOCOLS) as socket:
        assert socket.accepted_subprotocol == "sketchcolor.v1"
        socket.send_json({"type": "paint", "number": 1, "marks": [STROKE], "width": 64})
        found = [receive(socket, "picture") for _ in range(3)]
        assert [header["stage"] for header, _ in found] == ["spread", "quick", "final"]
        assert {header["number"] for header, _ in found} == {1}
        assert picture(found[0][1])[60, 45, 3] == 255
        assert picture(found[2][1]).shape == (found[2][0]["height"], 64, 4)
        assert receive(socket, "done")[0]["number"] == 1
        socket.send_json({"type": "variants", "number": 2, "marks": [], "seeds": [1, 2], "width": 64})
        assert [receive(socket, "variant")[0]["seed"] for _ in range(2)] == [1, 2]
    small = picture(client.get(f"{at(client)}/thumbnail?width=32").content)  # lists show what was painted
    assert small.shape[1] == 32
    assert colored(small) > 60 > 20 > colored(picture(plain))


def colored(samples: np.ndarray) -> int:
    """How far the channels of a picture's most coloured pixel lie apart."""
    return int(np.ptp(samples[..., :3].astype(int), axis=-1).max())


def test_what_was_painted_is_shown_until_something_is_newer(tmp_path: Path) -> None:
    page, result = draw(tmp_path / "page.png"), draw(tmp_path / "result.png")
    for path in (page, result):
        os.utime(path, (1, 1))
    latest = Latest(room=10)
    latest.keep(page, b"older")
    latest.keep(page, b"newer")
    assert latest.find(page, None) == latest.find(page, result) == b"newer"
    assert latest.find(result, None) is None
    os.utime(result, (2**32, 2**32))
    assert latest.find(page, result) is None
    latest.keep(result, b"another")  # for which there is no room beside it
    assert latest.find(page, None) is None


def test_a_page_says_that_it_is_ready_and_strokes_need_not_wait_for_it(client: Client) -> None:
    with client.websocket_connect(f"{at(client)}/live", subprotocols=PROTOCOLS) as socket:
        header, _ = receive(socket, "ready")
        assert (header["width"], header["height"]) == (90, 120)


def test_a_stroke_that_makes_no_sense_is_an_error_and_the_socket_stays(client: Client) -> None:
    with client.websocket_connect(f"{at(client)}/live", subprotocols=PROTOCOLS) as socket:
        receive(socket, "ready")
        socket.send_json({"type": "paint", "number": 1, "marks": [{"x": 1}], "width": 64})
        told = socket.receive_json()
        assert told["type"] == "error"
        assert told["number"] == 1
        assert "needs x, y and color" in told["problem"]["detail"]
        socket.send_json({"type": "paint", "number": 2, "marks": [], "width": 64, "stages": ["quick"]})
        assert receive(socket, "picture")[0]["number"] == 2


@pytest.mark.parametrize(
    "message",
    ["no JSON", "[]", '{"type": "fly"}', '{"type": "paint"}', "NaN", '{"type": "neighbours", "pages": 1}'],
)
def test_what_is_no_message_ends_the_socket(client: Client, message: str) -> None:
    with client.websocket_connect(f"{at(client)}/live", subprotocols=PROTOCOLS) as socket:
        socket.send_text(message)
        while (got := socket.receive())["type"] == "websocket.send":
            pass
        assert got["code"] == 1008


def test_a_socket_of_a_page_that_is_not_there_is_closed(client: Client) -> None:
    with client.websocket_connect("/api/v1/pages/0123456789abcdef/live", subprotocols=PROTOCOLS) as socket:
        assert socket.receive()["code"] == 4404


def finished(client: Client, job: str) -> dict[str, Any]:
    over = ("done", "failed", "cancelled", "interrupted")
    return client.when(f"/api/v1/jobs/{job}", lambda found: found["state"] in over)


def test_a_job_writes_what_the_command_line_writes_to_the_last_byte(
    client: Client, folder: Path, tmp_path: Path
) -> None:
    client.put(f"{at(client)}/marks", json={"marks": [STROKE]}, headers={"If-Match": '"0"'})
    mask = png((9, 12), (255, 255, 255, 255))
    headers = {"If-Match": '"0"', "Content-Type": "image/png"}
    client.put(f"{at(client, 'page 10.png')}/mask", content=mask, headers=headers)
    assert client.patch(at(client, "ch [2]/ページ.png"), json={"seed": 7}).json()["seed"] == 7
    profile = folder / "series.toml"
    profile.write_text(profile.read_text().replace('model = "default"', f'model = "{client.studio.model}"'))
    job = client.post(
        "/api/v1/jobs", json={"book": "cbz", "points": True, "layers": "ora", "flats": True}
    ).json()
    done = finished(client, job["id"])
    assert done["state"] == "done", (done, client.notes)
    assert (done["done"], done["total"], done["failed"]) == (3, 3, [])
    output = tmp_path / "pages.colored"
    colorize(
        ColorizeRequest.of(inputs=[folder], output=tmp_path / "own", device="cpu", layers="ora", flats=True)
    )
    names = ["page 2.png", "page 10.png", "ch [2]/ページ.png", "page 2.ora", "page 2.flats.png"]
    for name in names:
        assert (output / name).read_bytes() == (tmp_path / "own" / name).read_bytes(), name
    assert pages_of(client)["page 2.png"]["state"] == "draft"
    listed = {file["name"]: file["id"] for file in done["files"]}
    assert {*names, "pages.cbz", "points.json"} <= set(listed)
    book = client.get(f"/api/v1/jobs/{job['id']}/files/{listed['pages.cbz']}")
    assert book.headers["content-disposition"].startswith("attachment")
    with zipfile.ZipFile(io.BytesIO(book.content)) as pages:
        assert pages.read("0002.png") == (output / "page 2.png").read_bytes()
    again = finished(client, client.post("/api/v1/jobs", json={"layers": "ora", "flats": True}).json()["id"])
    assert (again["done"], again["skipped"]) == (0, 3)
    assert client.get(f"{at(client)}/result").headers["content-type"] == "image/png"


def test_a_job_over_some_pages_a_failure_and_a_page_that_is_done(client: Client, folder: Path) -> None:
    (folder / "page 10.png").write_bytes(b"\x89PNG no more")
    ids = [pages_of(client)[name]["id"] for name in ("page 2.png", "page 10.png")]
    done = finished(client, client.post("/api/v1/jobs", json={"pages": ids, "format": "webp"}).json()["id"])
    assert done["state"] == "done"
    assert done["done"] == 1
    assert [failed["name"] for failed in done["failed"]] == ["page 10.png"]
    found = pages_of(client)
    assert found["page 10.png"]["state"] == "failed"
    assert "page 10.png" in found["page 10.png"]["detail"]
    assert client.patch(at(client), json={"done": True}).json()["state"] == "done"
    assert client.patch(at(client), json={"done": False}).json()["state"] != "done"
    assert client.patch(at(client), json={"done": "no"}).status_code == 422


@pytest.mark.parametrize(
    "asked",
    [{"format": "gif"}, {"book": "exe"}, {"pages": ["gone"]}, {"quality": 900}, {"flats": 1}, {"to": "/"}],
)
def test_a_job_that_makes_no_sense_is_refused(client: Client, asked: dict[str, Any]) -> None:
    assert client.post("/api/v1/jobs", json=asked).status_code == 422


def test_a_server_that_is_killed_in_a_job_goes_on_with_it(
    client: Client, folder: Path, model: Path, tmp_path: Path
) -> None:
    finished(client, client.post("/api/v1/jobs", json={}).json()["id"])
    kept = folder / ".sketchcolor/jobs.json"
    jobs = json.loads(kept.read_text())
    jobs[0]["state"] = "running"  # as a killed server leaves it
    kept.write_text(json.dumps(jobs))
    (tmp_path / "pages.colored/page 2.png").unlink()
    with served(folder, model, tmp_path) as anew:
        [job] = anew.get("/api/v1/jobs").json()["jobs"]
        assert job["state"] == "interrupted"
        assert anew.post(f"/api/v1/jobs/{job['id']}/resume").status_code == 202
        done = finished(anew, job["id"])
        assert (done["state"], done["done"], done["skipped"]) == ("done", 1, 2)
        assert anew.post(f"/api/v1/jobs/{job['id']}/resume").status_code == 409


def test_colours_are_carried_from_pages_that_are_done(client: Client, folder: Path) -> None:
    assert client.post("/api/v1/carry", json={}).status_code == 409
    client.put(f"{at(client)}/marks", json={"marks": [STROKE]}, headers={"If-Match": '"0"'})
    finished(client, client.post("/api/v1/jobs", json={}).json()["id"])
    client.patch(at(client), json={"done": True})
    carried = client.post("/api/v1/carry", json={}).json()
    assert [sheet["name"] for sheet in carried["sheets"]] == ["carried.png"]
    assert {"name": "", "color": "#e02020"} in carried["swatches"]
    assert "drift" in client.get("/api/v1/drift").json()
    sheet = carried["sheets"][0]["id"]
    assert client.get(f"/api/v1/sheets/{sheet}?width=64").headers["content-type"] == "image/jpeg"
    assert client.get(f"/api/v1/sheets/{sheet}/color?x=0.5&y=0.5").json()["color"].startswith("#")
    assert client.delete(f"/api/v1/sheets/{sheet}").json()["sheets"] == []
    assert client.get("/api/v1/palettes/swatches.gpl").text.startswith("GIMP Palette")


def test_files_that_are_sent_get_names_of_ours_and_what_is_no_picture_is_named(
    model: Path, tmp_path: Path
) -> None:
    with served(None, model, tmp_path) as client:
        assert client.get("/api/v1/project").status_code == 404
        page = draw(tmp_path / "a.png").read_bytes()
        files = [
            ("file", ("../../etc/page: 1.png", page)),
            ("file", ("page: 1.jpg", page)),
            ("file", ("notes.png", b"text")),
            ("file", ("evil.svg", b"<svg onload='alert(1)'/>")),
        ]
        answer = client.post("/api/v1/pages", files=files)
        assert answer.status_code == 201
        assert [failed["name"] for failed in answer.json()["failed"]] == ["notes.png", "evil.svg"]
        made = client.get("/api/v1/project").json()
        assert {page["name"] for page in made["pages"]} == {"page 1.png", "page 1 2.png"}
        assert (tmp_path / "projects").is_dir()
        inside = [path for path in tmp_path.rglob("*.png") if "etc" in path.parts]
        assert inside == []
        shelf = client.get("/api/v1/shelf").json()
        assert shelf["current"] == made["id"]
        assert shelf["recent"][0]["pages"] == 2


def test_a_book_that_is_sent_is_unpacked_and_a_palette_is_read(model: Path, tmp_path: Path) -> None:
    page = draw(tmp_path / "a.png").read_bytes()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as book:
        for name in ("2.png", "10.png", "../../9.png"):
            book.writestr(name, page)
    with served(None, model, tmp_path) as client:
        answer = client.post("/api/v1/pages", files=[("file", ("My book.cbz", buffer.getvalue()))])
        names = [page["name"] for page in client.get("/api/v1/project").json()["pages"]]
        assert answer.status_code in (201, 422), answer.json()
        if answer.status_code == 201:
            assert names == ["0001.png", "0002.png", "0003.png"]
        gpl = b"GIMP Palette\n#\n200 40 30\tCoat\n"
        sent = client.post("/api/v1/palettes", files=[("file", ("a.gpl", gpl))])
        assert sent.json() == {"swatches": [{"name": "Coat", "color": "#c8281e"}]}
        assert client.post("/api/v1/palettes", files=[("file", ("a.gpl", b"no"))]).status_code == 422
        assert client.post("/api/v1/palettes", files=[("file", ("a.exe", b"no"))]).status_code == 422
        sheet = client.post("/api/v1/sheets", files=[("file", ("hero.png", page))])
        assert [hero["name"] for hero in sheet.json()["sheets"]] == ["hero.png"]


def test_books_that_two_windows_send_at_once_do_not_mix(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unpacked_slowly(*given: Any) -> Any:
        time.sleep(0.1)
        return unpack_book(*given)

    monkeypatch.setattr(routes_project, "unpack_book", unpacked_slowly)
    page, books = draw(tmp_path / "a.png").read_bytes(), [io.BytesIO(), io.BytesIO()]
    for book in books:
        with zipfile.ZipFile(book, "w") as archive:
            archive.writestr("1.png", page)
    with served(None, model, tmp_path) as client:
        client.post("/api/v1/shelf", json={"name": "two"})
        send = partial(client.post, "/api/v1/pages")
        windows = [
            threading.Thread(target=send, kwargs={"files": [("file", ("b.cbz", book.getvalue()))]})
            for book in books
        ]
        for one in windows:
            one.start()
        for one in windows:
            one.join()
        assert sorted(pages_of(client)) == ["0001.png", "b/0001.png"]


def test_another_project_is_opened_from_the_shelf(client: Client, model: Path, tmp_path: Path) -> None:
    first = client.get("/api/v1/project").json()["id"]
    with client.websocket_connect(f"{at(client)}/live", subprotocols=PROTOCOLS) as socket:
        receive(socket, "ready")
        made = client.post("/api/v1/shelf", json={"name": "New / book"})
        assert socket.receive()["code"] == 4409
    assert made.status_code == 201
    assert made.json()["name"] == "New book"
    assert client.get("/api/v1/project").json()["pages"] == []
    assert client.post("/api/v1/jobs", json={}).status_code == 409
    assert client.post(f"/api/v1/shelf/{first}/open").json()["id"] == first
    assert client.post("/api/v1/shelf/0000/open").status_code == 404


def test_what_is_sent_stays_in_the_project_that_was_open(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = client.get("/api/v1/project").json()
    other = tmp_path / "other"
    page = draw(other / "page 2.png").read_bytes()  # which has the name of a page of the first

    def opening(work: Any) -> Any:
        def done(*given: Any) -> Any:
            client.studio.open(Project(other))  # another window does, while this request is at work
            return work(*given)

        return done

    marks, files = f"{at(client)}/marks", [("file", (f"new {number}.png", page)) for number in (1, 2)]
    monkeypatch.setattr(marks_file, "checked", opening(marks_file.checked))
    assert client.put(marks, json={"marks": [STROKE]}, headers={"If-Match": '"0"'}).status_code == 200
    client.post(f"/api/v1/shelf/{first['id']}/open")
    monkeypatch.setattr(uploads, "add_picture", opening(uploads.add_picture))
    assert client.post("/api/v1/pages", files=files).status_code == 201
    assert sorted(path.name for path in other.rglob("*")) == ["page 2.png"]
    late = {"If-Match": '"0"', "X-Project": first["id"]}  # from a window that has not heard of it yet
    refused = client.put(marks, json={"marks": []}, headers=late)
    assert (refused.status_code, "another project" in refused.json()["detail"]) == (409, True)


def test_a_project_that_is_opened_again_goes_on(client: Client, folder: Path) -> None:
    job = client.post("/api/v1/jobs", json={}).json()["id"]
    with client.websocket_connect(f"{at(client)}/live", subprotocols=PROTOCOLS) as socket:
        receive(socket, "ready")
        again = client.post(f"/api/v1/shelf/{client.studio.project.id}/open")
        assert again.json()["folder"] == str(folder)
        socket.send_json({"type": "paint", "number": 1, "marks": [], "width": 64})
        receive(socket, "done")
    assert finished(client, job)["state"] == "done"


def test_a_job_goes_on_with_what_makes_sense_alone(client: Client, folder: Path, model: Path) -> None:
    page = pages_of(client)["page 10.png"]["id"]
    finished(client, client.post("/api/v1/jobs", json={"pages": [page]}).json()["id"])
    kept = folder / ".sketchcolor/jobs.json"
    [job] = json.loads(kept.read_text())
    foreign = job["request"] | {"pages": None, "book": "x/../../evil.cbz"}
    jobs = [job | {"state": "running"}, job | {"id": "f", "state": "running", "request": foreign}]
    kept.write_text(json.dumps(jobs))
    (folder / "page 10.png").unlink()
    with served(folder, model, folder.parent) as anew:
        assert anew.post("/api/v1/jobs/f/resume").status_code == 422
        anew.post(f"/api/v1/jobs/{job['id']}/resume")
        done = finished(anew, job["id"])
        assert (done["state"], done["done"]) == ("failed", 0)  # and not all other pages
        assert "renamed or deleted" in done["detail"]


def test_a_job_ends_where_its_list_cannot_be_kept(client: Client, folder: Path) -> None:
    (folder / ".sketchcolor/jobs.json").mkdir(parents=True)
    (folder / os.fsdecode(b"p\xe4ge.png")).write_bytes((folder / "page 10.png").read_bytes())
    done = finished(client, client.post("/api/v1/jobs", json={"format": "webp"}).json()["id"])
    assert (done["state"], done["done"]) == ("done", 4)
    for file in done["files"]:  # one of them has a name that is no proper Unicode
        assert client.get(f"/api/v1/jobs/{done['id']}/files/{file['id']}").status_code == 200


def test_an_answer_names_the_model_that_coloured_it(client: Client, folder: Path) -> None:
    model = folder / "色.safetensors"
    model.write_bytes(Path(client.studio.model).read_bytes())
    (folder / "series.toml").write_text(f"model = {json.dumps(str(model))}\n", encoding="utf-8")
    answer = client.post(
        "/api/v1/colorize", files={"image": ("a.png", (folder / "page 10.png").read_bytes())}
    )
    assert (answer.status_code, answer.headers["x-model"]) == (200, "%E8%89%B2")


def test_windows_are_told_by_the_thread_that_serves_them(client: Client) -> None:
    told: list[tuple[str, threading.Thread]] = []
    client.studio.hub.tell = lambda event, **_: told.append((event, threading.current_thread()))
    serving = client.portal.call(threading.current_thread)
    client.patch(at(client), json={"done": True})
    headers = {"If-Match": '"0"', "Content-Type": "image/png"}
    client.put(f"{at(client)}/mask", content=png((9, 12), (255, 255, 255, 255)), headers=headers)
    assert told.count(("page", serving)) == 2
    assert {thread for _, thread in told} == {serving}
