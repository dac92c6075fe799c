"""What a window's session does beside answering: pages that may be opened next are prepared in pauses."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any
from unittest.mock import AsyncMock, Mock

from sketchcolor_cli.studio import routes_live

if TYPE_CHECKING:
    import pytest


def test_pages_are_prepared_ahead_only_while_nobody_paints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes_live, "_QUIET", 0.05)
    prepared: list[float] = []

    async def prepare(_page: Any) -> None:
        prepared.append(time.monotonic())

    async def answers(_kind: str, **_request: Any) -> Any:
        await asyncio.sleep(0.2)  # a stroke that takes its time
        yield {"last": True, "ms": 1}, b""

    studio = Mock(prepare=prepare, engine=Mock(ask=answers))
    session = routes_live._Session(AsyncMock(), studio, Mock())
    monkeypatch.setattr(session, "_request", AsyncMock(return_value=("paint", {})))

    async def paint_while_pages_wait() -> float:
        session._newest = 1
        stroke = asyncio.create_task(session._show({}, 1))
        await asyncio.sleep(0)
        ahead = asyncio.create_task(session._ahead(["next", "before"]))
        await stroke
        done = time.monotonic()
        await ahead
        return done

    done = asyncio.run(paint_while_pages_wait())

    assert len(prepared) == 2
    assert min(prepared) >= done + 0.05
