"""The server that other programs use: one picture in, one out; its own description; doors; answers kept."""

from __future__ import annotations

import base64
import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from sketchcolor_cli.jobs.colorize import colorize
from sketchcolor_cli.jobs.requests import ColorizeRequest
from sketchcolor_cli.studio.answers import Answers
from sketchcolor_cli.studio.guard import LOOPBACK
from sketchcolor_cli.studio.limits import Limits
from studio_server import STROKE, TOKEN, Client, draw, save_small_model, served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOORS = frozenset({"/convert", "/colorize-image-data"})


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_small_model(tmp_path_factory.mktemp("model") / "small.safetensors")


@pytest.fixture(scope="module")
def client(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with served(None, model, tmp_path_factory.mktemp("home"), with_page=False) as found:
        yield found


@pytest.fixture
def page(tmp_path: Path) -> Path:
    return draw(tmp_path / "pages/page.png")


def sent(page: Path, **more: Any) -> list[tuple[str, Any]]:
    return [("image", (page.name, page.read_bytes())), *more.items()]


def picture(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


def test_a_picture_is_coloured_as_the_command_line_does_it_to_the_last_byte(
    client: Client, model: Path, page: Path, tmp_path: Path
) -> None:
    points = tmp_path / "points.json"
    points.write_text(json.dumps([STROKE]))
    files = [*sent(page), ("points", ("points.json", points.read_bytes()))]
    answer = client.post("/api/v1/colorize", files=files, data={"seed": "5", "saturation": "1.2"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-seed"] == "5"
    own = tmp_path / "own"
    values = {"model": str(model), "device": "cpu", "seed": 5, "saturation": 1.2, "hints": [points]}
    colorize(ColorizeRequest.of(inputs=[page.parent], output=own, **values))
    assert answer.content == (own / "page.png").read_bytes()


def test_settings_come_as_json_too_and_the_format_by_accept(client: Client, page: Path) -> None:
    settings = json.dumps({"seed": 5, "protect": "none"})
    answer = client.post(
        "/api/v1/colorize", files=sent(page), data={"settings": settings}, headers={"Accept": "image/webp"}
    )
    assert answer.headers["content-type"] == "image/webp"
    assert picture(answer.content).shape == (120, 90, 3)
    flat = client.post("/api/v1/flats", files=sent(page))
    assert flat.status_code == 200
    assert flat.content != client.post("/api/v1/colorize", files=sent(page)).content


def test_the_same_question_is_answered_once(
    client: Client, page: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = client.post("/api/v1/colorize", files=sent(page), data={"seed": "11"}).content
    monkeypatch.setattr(client.studio.engine, "ask_once", None)  # nobody is asked
    assert client.post("/api/v1/colorize", files=sent(page), data={"seed": "11"}).content == first
    with pytest.raises(TypeError):
        client.post("/api/v1/colorize", files=sent(page), data={"seed": "12"})


def test_answers_are_kept_while_there_is_room() -> None:
    answers = Answers(room=100)
    for name in "abcde":
        answers.keep(name, {}, b"x" * 24)
    assert answers.get("a") is None
    assert answers.get("e") == ({}, b"x" * 24)
    answers.keep("large", {}, b"x" * 26)
    assert answers.get("large") is None


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"seed": "-1"}, "--seed -1: must be at least 0"),
        ({"seed": "many"}, "--seed many: must be a whole number, at least 0"),
        ({"protect": "faces"}, "--protect faces: must be one of none, gutters"),
        ({"model": "/etc/passwd"}, "no such model"),
        ({"settings": '{"speed": 3}'}, "unknown key speed"),
        ({"settings": '{"seed": true}'}, "--seed True"),
        ({"settings": "{"}, "not valid JSON"),
        ({"work_size": "9"}, "--work-size 9: must be at least 64"),
    ],
)
def test_settings_that_make_no_sense_are_refused(client: Client, page: Path, data: Any, said: str) -> None:
    answer = client.post("/api/v1/colorize", files=sent(page), data=data)
    assert answer.status_code == 422
    assert said in answer.json()["detail"]


def test_what_is_no_picture_is_named_as_it_was_sent_and_not_where_it_lies(client: Client, page: Path) -> None:
    broken = [("image", ("page.png", page.read_bytes()[:60]))]
    answer = client.post("/api/v1/colorize", files=broken)
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("page.png: ")
    assert client.post("/api/v1/colorize", data={"seed": "1"}).status_code == 415
    assert client.post("/api/v1/colorize", files=[("page", ("a.png", b"x"))]).status_code == 422
    bad = [*sent(page), ("points", ("points.json", b"[{}]"))]
    assert "needs x, y and color" in client.post("/api/v1/colorize", files=bad).json()["detail"]


def test_a_palette_with_an_ending_that_no_file_could_have_is_the_senders_mistake(
    client: Client, page: Path
) -> None:
    odd = [*sent(page), ("palette", ("a." + "x" * 300, b"GIMP Palette\n255 0 0\tRed\n"))]
    assert client.post("/api/v1/colorize", files=odd).status_code == 422


def test_a_sketch_is_drawn(client: Client, page: Path) -> None:
    answer = client.post("/api/v1/extract", files=sent(page), data={"method": "xdog"})
    assert answer.status_code == 200, answer.text
    assert picture(answer.content).shape == (120, 90, 3)
    assert client.post("/api/v1/extract", files=sent(page), data={"method": "gone"}).status_code == 422
    names = [extractor["name"] for extractor in client.get("/api/v1/extractors").json()["extractors"]]
    assert "xdog" in names
    assert "default" in [model["name"] for model in client.get("/api/v1/models").json()["models"]]


def test_without_the_studio_there_is_nothing_of_it(client: Client) -> None:
    for address in (
        "/",
        "/page/main.js",
        "/api/v1/project",
        "/api/v1/shelf",
        "/convert",
        "/colorize-image-data",
    ):
        assert client.get(address).status_code == 404
    assert client.post("/convert").status_code == 404
    assert client.get("/healthz").json() == {"status": "ok"}


def test_it_describes_itself_and_all_that_it_answers(client: Client) -> None:
    document = client.get("/openapi.json", headers={"Authorization": ""}).json()
    assert document["openapi"].startswith("3.1")
    for path in ("/api/v1/colorize", "/api/v1/extract", "/api/v1/flats", "/api/v1/models", "/healthz"):
        assert path in document["paths"]
    names = [
        operation["operationId"] for methods in document["paths"].values() for operation in methods.values()
    ]
    assert len(names) == len(set(names))
    form = document["paths"]["/api/v1/colorize"]["post"]["requestBody"]["content"]["multipart/form-data"]
    assert form["schema"]["required"] == ["image"]


def test_too_many_at_once_are_told_to_come_back(model: Path, page: Path, tmp_path: Path) -> None:
    with served(None, model, tmp_path, limits=Limits(waiting=0), with_page=False) as client:
        answer = client.post("/api/v1/colorize", files=sent(page))
        assert answer.status_code == 429
        assert answer.headers["retry-after"] == "5"


# Doors of other programs


def test_suwayomi_gets_its_page_coloured_and_what_fails_as_it_was(
    model: Path, page: Path, tmp_path: Path
) -> None:
    with served(None, model, tmp_path, doors=DOORS, with_page=False) as client:
        client.headers.pop("Authorization")
        answer = client.post("/convert", files=sent(page))
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "image/png"
        assert picture(answer.content).shape == (120, 90, 3)
        assert answer.content != page.read_bytes()
        broken = page.read_bytes()[:60]
        same = client.post("/convert", files=[("image", ("a.png", broken))])
        assert (same.status_code, same.content) == (200, broken)
        assert client.get("/api/v1/models").status_code == 401  # the other rooms stay locked
        assert client.post("/convert", files=sent(page), headers={"Host": "evil.example"}).status_code == 400


def test_manga_colorizers_extension_gets_a_data_url_and_no_address_is_fetched(
    model: Path, page: Path, tmp_path: Path
) -> None:
    with served(None, model, tmp_path, doors=DOORS, with_page=False) as client:
        client.headers.pop("Authorization")
        tested = client.get("/", headers={"Sec-Fetch-Site": "cross-site"})  # by a button of the extension
        assert tested.text == "Manga Colorizer is Up and Running!"
        origin = {"Origin": "https://reader.example"}
        asked = client.options("/colorize-image-data", headers=origin)
        assert asked.headers["access-control-allow-origin"] == "https://reader.example"
        url = f"data:image/png;base64,{base64.b64encode(page.read_bytes()).decode()}"
        answer = client.post("/colorize-image-data", json={"imgData": url, "imgName": "1"}, headers=origin)
        assert answer.status_code == 200
        kind, _, data = answer.json()["colorImgData"].partition(",")
        assert kind == "data:image/png;base64"
        assert picture(base64.b64decode(data)).shape == (120, 90, 3)
        for other in ("http://127.0.0.1:1/a.png", "file:///etc/passwd", "data:image/png;base64,***", 5, None):
            refused = client.post(
                "/colorize-image-data", json={"imgData": other, "imgURL": "http://127.0.0.1:1/"}
            )
            assert refused.status_code == 422
        assert "access-control-allow-origin" not in client.get("/healthz").headers


def test_a_door_beyond_this_computer_asks_for_the_token_in_its_address(
    model: Path, page: Path, tmp_path: Path
) -> None:
    with served(None, model, tmp_path, doors=DOORS, with_page=False, local=False) as client:
        client.headers.pop("Authorization")
        assert client.post("/convert", files=sent(page)).status_code == 401
        assert client.post(f"/convert?token={TOKEN[:-1]}", files=sent(page)).status_code == 401
        assert client.post(f"/convert?token={TOKEN}", files=sent(page)).status_code == 200
        assert "localhost" in LOOPBACK
