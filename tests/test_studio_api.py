"""Every operation of the OpenAPI document, asked well and badly: no fault of ours, and errors by RFC 9457."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from studio_server import STROKE, Client, draw, save_small_model, served

if TYPE_CHECKING:
    from collections.abc import Iterator

DOORS = frozenset({"/convert", "/colorize-image-data"})
ENDLESS = {"events"}  # a stream; see test_studio_access.py
STRANGE: list[Any] = [None, -1, 1e300, True, "", "x" * 300, "../../etc/passwd", [], [[1]], {}, {"a": 1}]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    home = tmp_path_factory.mktemp("api")
    model = save_small_model(home / "small.safetensors")
    for number in (1, 2):
        draw(home / f"pages/{number}.png")
    draw(home / "pages/sheets/hero.png")
    with served(home / "pages", model, home, doors=DOORS) as found:
        project = found.get("/api/v1/project")
        asked = {"swatches": [{"name": "Hair", "color": "#7a4a2b"}]}
        found.put("/api/v1/project", json=asked, headers={"If-Match": project.headers["etag"]})
        page = f"/api/v1/pages/{project.json()['pages'][0]['id']}"
        found.put(f"{page}/marks", json={"marks": [STROKE]}, headers={"If-Match": '"0"'})
        picture = draw(home / "layer.png").read_bytes()
        for name in ("rough", "mask"):
            headers = {"If-Match": '"0"', "Content-Type": "image/png"}
            assert found.put(f"{page}/{name}", content=picture, headers=headers).status_code == 200
        job = found.post("/api/v1/jobs", json={}).json()
        found.when(f"/api/v1/jobs/{job['id']}", lambda job: job["state"] == "done")
        found.when("/readyz", lambda health: health["status"] == "ready")  # until then it answers 503
        yield found


class Operation:
    """One operation of the document, and requests for it."""

    def __init__(self, client: Client, method: str, path: str, about: dict[str, Any]) -> None:
        self.client, self.method, self.path, self.about = client, method, path, about
        self.name: str = about["operationId"]

    @property
    def project(self) -> dict[str, Any]:
        """The project with the pages, which is opened again if another was."""
        project: dict[str, Any] = self.client.get("/api/v1/project").json()
        if project["name"] != "pages" or len(project["pages"]) < 2:
            recent = self.client.get("/api/v1/shelf").json()["recent"]
            first = next(project["id"] for project in reversed(recent) if project["pages"] > 1)
            project = self.client.post(f"/api/v1/shelf/{first}/open").json()
        return project

    @property
    def known(self) -> str:
        """Its address with what there is."""
        project = self.project
        jobs = self.client.get("/api/v1/jobs").json()["jobs"]
        done = next((job for job in jobs if job["state"] == "done"), {"id": "x", "files": [{"id": "x"}]})
        ids = {
            "pages": project["pages"][0]["id"],
            "sheets": (project["sheets"] or [{"id": "x"}])[0]["id"],
            "jobs": done["id"],
            "shelf": project["id"],
        }
        room = next((identifier for identifier in ids if f"/{identifier}/" in self.path), "pages")
        return self.path.replace("{id}", ids[room]).replace(
            "{file}", (done["files"] or [{"id": "x"}])[0]["id"]
        )

    @property
    def query(self) -> dict[str, Any]:
        """What the address must say."""
        given = [
            parameter
            for parameter in self.about.get("parameters", [])
            if parameter["in"] == "query" and parameter["required"]
        ]
        return {parameter["name"]: 0.5 for parameter in given}

    @property
    def headers(self) -> dict[str, str]:
        """What else a good request says: the revision of what is there."""
        if not any(parameter["name"] == "If-Match" for parameter in self.about.get("parameters", [])):
            return {}
        seen = self.client.get(self.known)
        return {"If-Match": seen.headers.get("etag", '"0"')}

    @property
    def content(self) -> dict[str, Any]:
        """The schemas of its body, by their types."""
        found: dict[str, Any] = self.about.get("requestBody", {}).get("content", {})
        return found

    def ask(self, path: str = "", **more: Any) -> Any:
        """Ask, and hold what is true of every answer."""
        answer = self.client.request(self.method.upper(), path or self.known, **more)
        where = self.name, answer.status_code, answer.text[:300]
        assert answer.status_code < 500, where
        if answer.status_code >= 400 and self.path not in DOORS:
            assert answer.headers["content-type"] == "application/problem+json", where
            problem = answer.json()
            assert {"type", "title", "status", "detail"} <= set(problem), where
            assert (problem["status"], problem["type"]) == (answer.status_code, "about:blank"), where
            assert len(problem["detail"]) > 10, where
            assert "Traceback" not in answer.text, where
        return answer

    def good(self) -> dict[str, Any]:
        """Return the body of a request as the document wants it."""
        if "multipart/form-data" in self.content:
            data = (Path(self.project["folder"]) / "1.png").read_bytes()
            field = (
                "image" if "image" in self.content["multipart/form-data"]["schema"]["properties"] else "file"
            )
            sent = (
                ("hair.gpl", b"GIMP Palette\n1 2 3\tHair\n")
                if self.name == "read_sent_palette"
                else ("a.png", data)
            )
            return {"files": [(field, sent)]}
        if "image/png" in self.content:
            layer = self.client.get(self.known).content
            return {"content": layer, "headers": {"Content-Type": "image/png"}}
        bodies: dict[str, Any] = {
            "put_marks": {"marks": [STROKE]},
            "patch_page": {"done": False},
            "carry": {"from": [self.project["pages"][0]["id"]]},
            "add_job": {"format": "webp"},
        }
        return {"json": bodies.get(self.name, {})} if self.content else {}


@pytest.fixture(scope="module")
def operations(client: Client) -> list[Operation]:
    document = client.get("/openapi.json").json()
    paths = document["paths"].items()
    return [Operation(client, method, path, about) for path, ways in paths for method, about in ways.items()]


def test_every_operation_answers_as_its_document_says(client: Client, operations: list[Operation]) -> None:
    late = (
        "delete",
        "open_project",
        "new_project",
        "resume_job",
        "cancel_job",
        "add_pages",
    )  # what changes much
    ordered = sorted(operations, key=lambda operation: (operation.name.startswith(late), operation.name))
    for operation in ordered:
        if operation.name in ENDLESS:
            continue
        body = operation.good()
        headers = operation.headers | body.pop("headers", {})
        answer = operation.ask(params=operation.query, headers=headers, **body)
        wanted = next(iter(operation.about["responses"]))
        if operation.name == "resume_job":
            wanted = "409"  # the job has ended as it should
        if operation.name == "image_data":
            wanted = "422"  # of which the document says the form alone; see test_serve.py
        if answer.status_code == 204:
            continue
        assert str(answer.status_code) == wanted, (operation.name, answer.text[:300])
        kinds = [] if answer.status_code >= 400 else list(operation.about["responses"][wanted]["content"])
        kind = answer.headers.get("content-type", "").partition(";")[0]
        assert not kinds or kind in kinds or "application/octet-stream" in kinds or operation.path == "/", (
            operation.name
        )


def test_what_is_not_there_is_told_at_every_address(operations: list[Operation]) -> None:
    for operation in operations:
        if "{" in operation.path:
            body = operation.good()
            headers = {"If-Match": '"0"'} | body.pop("headers", {})
            answer = operation.ask(
                re.sub(r"{\w+}", "gone", operation.path), params=operation.query, headers=headers, **body
            )
            assert answer.status_code == 404, (operation.name, answer.text)


def test_no_number_of_an_address_is_taken_that_the_document_refuses(operations: list[Operation]) -> None:
    for operation in operations:
        asked = {about["name"]: about["schema"] for about in operation.about.get("parameters", [])}
        part = dict.fromkeys({"left", "top", "right", "bottom"} & set(asked), 1)
        path = operation.known
        for name, schema in asked.items():
            if "minimum" in schema:
                for value in (schema["minimum"] - 1, schema["maximum"] + 1, "many", "nan", "1e999", "", "\0"):
                    answer = operation.ask(path, params=operation.query | part | {name: value})
                    assert answer.status_code == 422, (operation.name, name, value)


def test_no_json_is_a_fault_of_the_server(operations: list[Operation]) -> None:
    for operation in operations:
        schema = operation.content.get("application/json", {}).get("schema")
        if schema is None:
            continue
        path, headers = operation.known, operation.headers
        for name, value in itertools.product(schema.get("properties", {}), STRANGE):
            # Even what makes sense by chance, such as an empty list, is never a fault.
            kind = {"Content-Type": "application/json"}
            answer = operation.ask(path, content=json.dumps({name: value}), headers=headers | kind)
            if answer.status_code < 400:  # it may have changed what is there
                path, headers = operation.known, operation.headers
        operation.ask(path, content=b"[1, 2]", headers=headers | {"Content-Type": "application/json"})


def test_no_form_and_no_type_is_a_fault_of_the_server(operations: list[Operation]) -> None:
    for operation in operations:
        if not operation.content or operation.name == "image_data":
            continue
        path, headers = operation.known, operation.headers
        for kind in ("", "text/plain", "image/svg+xml", "multipart/form-data"):
            answer = operation.ask(path, content=b"x", headers=headers | {"Content-Type": kind})
            assert answer.status_code in (400, 415), (operation.name, kind)
        form = operation.content.get("multipart/form-data", {}).get("schema")
        if form is None:
            continue
        for name in form["properties"]:
            operation.ask(files=[(name, ("a.png", b"no picture")), (name, ("\u202e.cbz", b"PK\x03\x04"))])
            operation.ask(files=[("image", ("", b""))], data={name: "nonsense"})


def test_methods_that_an_address_does_not_take_are_refused(
    client: Client, operations: list[Operation]
) -> None:
    known: dict[str, set[str]] = {}
    for described in operations:
        known.setdefault(described.path, set()).add(described.method)
    for path, methods in known.items():
        for method in {"get", "post", "put", "patch", "delete"} - methods:
            operation = Operation(client, method, path, {"operationId": f"{method} {path}"})
            assert operation.ask(re.sub(r"{\w+}", "x", path)).status_code in (404, 405), (method, path)
