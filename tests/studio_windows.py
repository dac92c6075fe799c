"""Fixtures of the tests that drive the studio in a real browser: the browser, a studio, and windows on it.

A test module names this one in ``pytest_plugins``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from studio_driver import CHROMIUM, PATIENCE, Driver, Studio, draw_page, shown
from studio_server import STROKE
from tiny_model import MODEL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

HASTE = """
const unhurried = window.setTimeout;
window.setTimeout = (work, pause, ...more) =>
  unhurried(work, 300 <= pause && pause <= 2000 ? pause / 5 : pause, ...more);
window.unhurried = () => void (window.setTimeout = unhurried);
"""
"""Lets the page wait a fifth as long before it saves, draws anew or connects again."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        found = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A studio that opens a folder with two pages.

    They are coloured by the shipped model, and the pages of all other projects by a small one, which will do
    for tests of anything but what pages without strokes look like.
    """
    folder = tmp_path_factory.mktemp("studio")
    for number in (1, 2):
        draw_page(folder / f"pages/page {number}.png", number)
    (folder / "pages/series.toml").write_text('model = "default"\n', encoding="utf-8")
    running = Studio(folder / "data", folder / "pages", MODEL)
    running.start()
    running.first = running.get("/project")
    yield running
    running.kill()


@pytest.fixture(scope="module")
def sample(studio: Studio, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A project to look at, of two pages, one of them painted on; it may have to be opened anew."""
    folder = tmp_path_factory.mktemp("sample")
    found = studio.take([draw_page(folder / f"page {number}.png", number) for number in (1, 2)])
    studio.mark(found, [STROKE])
    return found


class Windows:
    """Windows, which are used again: a new one costs more than what most tests do in it.

    Two that are open at once share nothing, as in two browsers.
    """

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.free: list[tuple[dict[str, Any], Page]] = []
        self.used: list[tuple[dict[str, Any], Page, Studio]] = []
        self.outside: list[str] = []
        self.complaints: list[str] = []

    def open(self, studio: Studio, path: str = "", **look: Any) -> Driver:
        """Open a window on a studio."""
        page = next((page for kept, page in self.free if kept == look), None) or self._new(studio, look)
        self.free = [(kept, other) for kept, other in self.free if other is not page]
        self.used.append((look, page, studio))
        page.goto(studio.address + path)
        return Driver(page)

    def _new(self, studio: Studio, look: dict[str, Any]) -> Page:
        # What moves for the eye alone is drawn anew sixty times a second, in software.
        still = {"viewport": {"width": 1280, "height": 800}, "locale": "en", "reduced_motion": "reduce"}
        shape = {**still, **look}
        context = self.browser.new_context(**shape)
        context.add_init_script(HASTE)
        context.set_default_timeout(PATIENCE * 1000)
        page = context.new_page()
        for event in ("request", "websocket"):
            page.on(
                event, lambda asked: None if is_inside(asked.url, studio) else self.outside.append(asked.url)
            )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: self.complaints.append(said.text) if is_refusal(said.text) else None)
        page.on("filechooser", lambda _: None)  # from here on choosers come to the test, however slow it is
        return page

    def close(self) -> None:
        """Leave the studio, and forget all that a window was told."""
        for look, page, studio in self.used:
            page.unroute_all()
            page.goto(f"{studio.origin}/healthz")  # of the same origin, and no script runs there
            page.evaluate("localStorage.clear(); sessionStorage.clear()")
            page.context.clear_cookies()
            self.free.append((look, page))
        self.used = []


@pytest.fixture(scope="module")
def windows(browser: Browser) -> Windows:
    return Windows(browser)


@pytest.fixture
def window(windows: Windows) -> Iterator[Callable[..., Driver]]:
    """A function that opens a window; none may ask anybody but the studio, nor complain."""
    yield windows.open
    windows.close()
    outside, complaints = windows.outside, windows.complaints
    windows.outside, windows.complaints = [], []
    assert outside == []
    assert complaints == []


def is_inside(url: str, studio: Studio) -> bool:
    host = studio.origin.partition("://")[2]
    return url.startswith((f"{studio.origin}/", f"ws://{host}/", f"blob:{studio.origin}/"))


def is_refusal(text: str) -> bool:
    return "Content Security Policy" in text or "Uncaught" in text


@pytest.fixture
def fresh(studio: Studio, window: Callable[..., Driver], tmp_path: Path) -> Driver:
    """A window on a project of its own, with one page."""
    studio.take([draw_page(tmp_path / "page 1.png", 1)])
    return shown(window(studio))
