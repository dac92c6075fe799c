"""Errors as problem details (RFC 9457), in the sentences of the command line."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from sketchcolor_cli.errors import DiskFullError, SketchcolorError, UsageError

MEDIA = "application/problem+json"


class ProblemError(Exception):
    """A request that cannot be answered.

    Attributes:
        status: HTTP status.
        detail: One sentence for people: what is wrong, and what to do.
        more: Further members of the problem.
        headers: Of the answer.
    """

    def __init__(
        self, status: int, detail: str, *, headers: dict[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.more, self.headers = status, detail, more, headers or {}

    def document(self) -> dict[str, Any]:
        """Return the problem as its JSON document."""
        title = HTTPStatus(self.status).phrase
        document = {"type": "about:blank", "title": title, "status": self.status, "detail": self.detail}
        return document | self.more

    def response(self) -> Response:
        """Return the answer."""
        data = json.dumps(self.document()).encode()
        return Response(data, self.status, self.headers, MEDIA)


def problem_of(error: Exception) -> ProblemError:
    """Return what is told of an error; of a bug of ours only that there was one."""
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, DiskFullError):
        return ProblemError(507, str(error))
    if isinstance(error, SketchcolorError):
        return ProblemError(400 if isinstance(error, UsageError) else 422, str(error))
    return ProblemError(500, "this is a fault of the program; the server printed more about it")
