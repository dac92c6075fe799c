"""Answers in JSON, whose letters beyond ASCII are escaped: names of files need not be proper Unicode."""

from __future__ import annotations

import json
from typing import Any

from starlette import responses


class JSONResponse(responses.JSONResponse):
    """An answer in JSON."""

    def render(self, content: Any) -> bytes:
        """Return the document as bytes."""
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode()
