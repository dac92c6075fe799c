"""The OpenAPI document, made of the routes themselves: no path can be missing in it."""

from __future__ import annotations

import re
from typing import Any

from starlette.routing import Route

from sketchcolor_cli.studio.colors import color_settings, schema_of
from sketchcolor_cli.studio.job_queue import CHOICES

_PROBLEM = {
    "description": "A problem (RFC 9457): one sentence that says what is wrong and what to do.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_PICTURE: dict[str, Any] = {"image/png": {}, "image/jpeg": {}, "image/webp": {}, "image/avif": {}}
_BINARY = {"type": "string", "format": "binary"}
_NO_TOKEN = frozenset({"/", "/healthz", "/readyz", "/openapi.json", "/favicon.ico"})
_SEVERAL = {"type": "array", "items": _BINARY}
_FILES = {"type": "object", "required": ["file"], "properties": {"file": _SEVERAL}}
_MARKS = {
    "type": "object",
    "required": ["marks"],
    "properties": {"marks": {"type": "array", "items": {"type": "object"}}},
}
_FORMS: dict[str, Any] = {
    "extract": {
        "type": "object",
        "required": ["image"],
        "properties": {"image": _BINARY, "method": {"type": "string"}},
    },
    "convert": {"type": "object", "required": ["image"], "properties": {"image": _BINARY}},
    "add_pages": _FILES,
    "add_sheet": _FILES,
    "read_sent_palette": _FILES,
}
_JSON: dict[str, Any] = {
    "new_project": {"type": "object", "properties": {"name": {"type": "string"}}},
    "put_project": {
        "type": "object",
        "properties": {"settings": {"type": "object"}, "swatches": {"type": "array"}},
    },
    "patch_page": {
        "type": "object",
        "properties": {"done": {"type": "boolean"}, "seed": {"type": ["integer", "null"]}},
    },
    "put_marks": _MARKS,
    "add_job": {
        "type": "object",
        "properties": {
            "pages": {"type": ["array", "null"], "items": {"type": "string"}},
            "format": {"enum": list(CHOICES["format"])},
            "quality": {"type": "integer", "minimum": 0, "maximum": 100},
            "book": {"enum": list(CHOICES["book"])},
            "layers": {"enum": list(CHOICES["layers"])},
            "flats": {"type": "boolean"},
            "points": {"type": "boolean"},
            "again": {"type": "boolean"},
        },
    },
    "carry": {"type": "object", "properties": {"from": {"type": "array", "items": {"type": "string"}}}},
    "image_data": {"type": "object", "properties": {"imgData": {"type": "string"}}},
}
_PICTURES = frozenset(
    {
        "colorize",
        "flats",
        "extract",
        "convert",
        "original",
        "thumbnail",
        "preview",
        "result",
        "masks",
        "sheet",
    }
)
_STATUS = {
    "new_project": "201",
    "add_pages": "201",
    "add_sheet": "201",
    "add_job": "202",
    "resume_job": "202",
}
_SEEN = ("put_project", "put_marks")
_QUERY: dict[str, dict[str, tuple[float, float]]] = {
    "original": {
        "width": (0, 4096),
        "left": (0, 2**20),
        "top": (0, 2**20),
        "right": (0, 2**20),
        "bottom": (0, 2**20),
    },
    "thumbnail": {"width": (16, 1024)},
    "preview": {"width": (64, 4096)},
    "sheet": {"width": (16, 4096)},
    "color": {"x": (0, 1), "y": (0, 1)},
    "sheet_color": {"x": (0, 1), "y": (0, 1)},
    "swatches": {"count": (1, 24)},
    "sheet_swatches": {"count": (1, 24)},
}


def document(routes: list[Any], version: str) -> dict[str, Any]:
    """Return the document of these routes, in OpenAPI 3.1."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        if isinstance(route, Route) and not route.path.startswith("/page/"):
            path = re.sub(r":\w+}", "}", route.path)
            for method in sorted((route.methods or set()) - {"HEAD", "OPTIONS"}):
                paths.setdefault(path, {})[method.lower()] = _operation(route, method)
    return {
        "openapi": "3.1.0",
        "info": {"title": "sketchcolor", "version": version, "license": {"name": "Apache-2.0"}},
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {
                "Problem": {
                    "type": "object",
                    "required": ["type", "title", "status", "detail"],
                    "properties": {
                        "type": {"type": "string"},
                        "title": {"type": "string"},
                        "status": {"type": "integer"},
                        "detail": {"type": "string"},
                    },
                }
            },
        },
    }


def _operation(route: Route, method: str) -> dict[str, Any]:
    name = route.endpoint.__name__ if route.name == route.endpoint.__name__ else route.name.replace(" ", "_")
    done: dict[str, Any] = {
        "operationId": name if method != "OPTIONS" else f"{name}_{method}",
        "summary": (route.endpoint.__doc__ or name.replace("_", " ").capitalize()).strip().splitlines()[0],
        "parameters": _parameters(route, name),
        "responses": {
            _STATUS.get(name, "200"): {"description": "Done.", "content": _answer(name)},
            "default": _PROBLEM,
        },
    }
    if route.path in _NO_TOKEN or not route.path.startswith("/api/"):
        done["security"] = []
    form = _colorize_form() if name in ("colorize", "flats") else _FORMS.get(name)
    if form is not None:
        done["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": form}}}
    elif name in _JSON:
        done["requestBody"] = {"required": True, "content": {"application/json": {"schema": _JSON[name]}}}
    elif name in ("put_rough", "put_mask"):
        done["requestBody"] = {"required": True, "content": {"image/png": {"schema": _BINARY}}}
    return done


def _colorize_form() -> dict[str, Any]:
    settings = {name: schema_of(leaf) for name, leaf in color_settings().items()}
    return {
        "type": "object",
        "required": ["image"],
        "properties": {
            "image": _BINARY,
            **dict.fromkeys(("hints", "points", "reference", "mask", "sheet"), _SEVERAL),
            "palette": _BINARY,
            "settings": {"type": "string", "description": "The settings below as one JSON object."},
            "model": {"type": "string", "description": "Name of a model."},
            **settings,
        },
    }


def _answer(name: str) -> dict[str, Any]:
    if name in _PICTURES or name in ("get_rough", "get_mask"):
        return _PICTURE
    if name == "events":
        return {"text/event-stream": {}}
    if name in ("palette_file", "job_file"):
        return {"application/octet-stream": {}}
    return {"application/json": {"schema": {"type": "object"}}}


def _parameters(route: Route, name: str) -> list[dict[str, Any]]:
    found = [
        {"name": parameter, "in": "path", "required": True, "schema": {"type": "string"}}
        for parameter in re.findall(r"{(\w+)", route.path)
    ]
    for parameter, (least, most) in _QUERY.get(name, {}).items():
        schema = {"type": "number", "minimum": least, "maximum": most}
        found.append({"name": parameter, "in": "query", "required": parameter in "xy", "schema": schema})
    if name in _SEEN or name.startswith(("put_rough", "put_mask", "delete_rough", "delete_mask")):
        found.append({"name": "If-Match", "in": "header", "required": True, "schema": {"type": "string"}})
    return found
