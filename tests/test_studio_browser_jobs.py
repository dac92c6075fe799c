"""The studio in a real browser: exports and books, by keyboard, and processes that die."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import pytest

from studio_driver import CHROMIUM, GREEN, Driver, Studio, draw_page, far, shown, waited
from tiny_model import BACKEND, MODEL

if TYPE_CHECKING:
    from collections.abc import Callable


sync_api = pytest.importorskip("playwright.sync_api", reason="drives the browser; '.[dev]' brings it")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="needs Chromium; apt-get install chromium-headless-shell brings it"
)
pytest_plugins = ["studio_windows"]


def taken(driver: Driver, files: list[Path]) -> Driver:
    """Choose files on the shelf, and wait for the first page of them."""
    driver.page.keyboard.press("Control+o")
    driver.page.locator("#shelf-files").set_input_files(files)
    return shown(driver)


def test_all_by_keyboard(studio: Studio, window: Callable[..., Driver], tmp_path: Path) -> None:
    driver = window(studio)
    driver.page.locator(".canvas-area").wait_for()
    driver.page.keyboard.press("Control+o")
    driver.page.locator(".drop").wait_for()
    tab_to(driver, "Choose files")
    with driver.page.expect_file_chooser() as chooser:
        driver.page.keyboard.press("Enter")
    chooser.value.set_files([draw_page(tmp_path / "keys.png")])
    driver.page.locator(".canvas-area").wait_for()
    driver.idle()
    driver.page.keyboard.press("f")
    tab_to(driver, "Page keys.png, canvas")
    for _ in range(3):
        driver.page.keyboard.press("Shift+ArrowLeft")
    driver.page.keyboard.press("ArrowUp")
    driver.page.keyboard.press("Enter")
    [point] = waited(studio.marks, "a point by keyboard")
    assert (point["x"], point["y"]) == (pytest.approx(0.4), pytest.approx(0.49))
    driver.page.keyboard.press("Tab")  # tapped, it goes on
    assert driver.page.evaluate("document.activeElement.tagName") != "CANVAS"
    driver.page.keyboard.press("Control+e")
    tab_to(driver, "Export")
    driver.page.keyboard.press("Enter")
    driver.page.locator('dialog .job[data-state="done"]').wait_for()
    tab_to(driver, "keys.png")
    with driver.page.expect_download() as download:
        driver.page.keyboard.press("Enter")
    assert cv2.imread(str(download.value.path())).shape == (480, 360, 3)


def tab_to(driver: Driver, name: str) -> None:
    """Press Tab until a control of this name has the focus."""
    name_of = "(element => element.getAttribute('aria-label') ?? element.innerText)(document.activeElement)"
    seen = []
    for _ in range(120):
        driver.page.keyboard.press("Tab")
        seen.append(driver.page.evaluate(name_of).strip())
        if seen[-1].startswith(name):
            return
    raise AssertionError(f"Tab never comes to {name}, but to {seen[:60]}")


def test_export_is_what_colorize_makes(studio: Studio, window: Callable[..., Driver], tmp_path: Path) -> None:
    project = studio.take([draw_page(tmp_path / f"page {number}.png", number) for number in (1, 2)], MODEL)
    driver = shown(window(studio))
    driver.color(GREEN)
    driver.stroke((110, 150), (135, 150))
    waited(studio.marks, "the stroke is stored")
    driver.page.keyboard.press("Control+e")
    driver.page.get_by_role("dialog").get_by_role("button", name="Export").click()
    driver.page.locator('dialog .job[data-state="done"]').wait_for()
    out = Path(studio.get("/jobs")["jobs"][0]["folder"])
    words = ["colorize", project["folder"], "-o", str(tmp_path / "out"), "--device", "cpu"]
    words += ["--backend", BACKEND]
    subprocess.run([sys.executable, "-m", "sketchcolor_cli", *words], check=True, capture_output=True)
    for name in ("page 1.png", "page 2.png"):
        assert (out / name).read_bytes() == (tmp_path / "out" / name).read_bytes(), name


def test_a_job_without_a_page_yet_is_named(fresh: Driver) -> None:
    counts = {"done": 0, "failed": [], "skipped": 0, "total": 3, "detail": "", "folder": "", "files": []}
    job = {"id": "0123", "state": "running", "page": None, **counts}
    fresh.page.route("**/jobs", lambda route: route.fulfill(json={"jobs": [job]}))
    fresh.page.reload()
    shown(fresh).page.keyboard.press("k")
    sync_api.expect(fresh.page.locator(".job h3")).to_have_text("Working")


def test_a_book_of_forty_pages(studio: Studio, window: Callable[..., Driver], tmp_path: Path) -> None:
    book = tmp_path / "forty.cbz"
    with zipfile.ZipFile(book, "w") as archive:
        for number in range(1, 41):
            archive.write(draw_page(tmp_path / f"{number:03}.png", number, 0.2), f"{number:03}.png")
    driver = window(studio)
    driver.page.locator(".canvas-area").wait_for()
    taken(driver, [book])
    assert driver.page.locator(".frame").count() == 40
    driver.page.keyboard.press(".")
    driver.page.locator('.frame:nth-child(2)[aria-current="page"]').wait_for()
    driver.idle()
    driver.page.keyboard.press("d")
    driver.page.locator('.frame:nth-child(2)[data-state="done"]').wait_for()
    driver.page.keyboard.press("k")
    driver.page.get_by_role("button", name="Colour the other 39 pages").click()
    driver.page.locator('.job[data-state="done"]').first.wait_for()
    assert driver.page.locator('.tile[data-state="draft"]').count() == 39
    driver.page.keyboard.press("Control+e")
    assert driver.page.get_by_role("dialog").get_by_label("Save as").input_value() == "same"
    driver.page.get_by_role("dialog").get_by_role("button", name="Export", exact=True).click()
    driver.page.locator('dialog .job[data-state="done"]').wait_for()
    with driver.page.expect_download() as download:
        driver.page.locator("dialog .job-files button", has_text="forty.cbz").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.namelist() == [f"{number:03}.png" for number in range(1, 41)]
    driver.page.keyboard.press("Escape")
    driver.page.locator(".tile-face").first.click()
    before = nodes(shown(driver))
    for number in (2, 3, 4):
        driver.page.keyboard.press(".")
        driver.page.locator(f'.frame:nth-child({number})[aria-current="page"]').wait_for()
        driver.idle()
    assert nodes(driver) < before + 400  # the pages before have let go of theirs


def nodes(driver: Driver) -> int:
    """How many elements and texts the browser holds."""
    session = driver.page.context.new_cdp_session(driver.page)
    session.send("HeapProfiler.collectGarbage")
    return int(session.send("Memory.getDOMCounters")["nodes"])


def test_a_killed_server_goes_on(studio: Studio, window: Callable[..., Driver], tmp_path: Path) -> None:
    pages = [draw_page(tmp_path / f"{number:02}.png", number, 0.5) for number in range(1, 13)]
    project = studio.take(pages, work_size=576)  # as usual: at less, the job may end before it is killed
    driver = shown(window(studio))
    driver.page.keyboard.press("k")
    driver.page.get_by_role("button", name="Colour all 12 pages").click()
    # At once: from its first page on the job has half a second left.
    waited(lambda: [job["state"] for job in studio.get("/jobs")["jobs"]] == ["running"], "the job")
    studio.kill()
    studio.start()
    studio.open(project)
    driver.page.goto(f"{studio.origin}/#/book")
    driver.page.reload()
    driver.page.locator('.job[data-state="interrupted"]').wait_for()
    driver.page.get_by_role("button", name="Go on").click()
    driver.page.locator('.job[data-state="done"]').wait_for()
    made = list(Path(project["folder"] + ".colored").glob("*.png"))
    assert len(made) == 12


def test_the_page_survives_a_server_that_is_started_again(
    studio: Studio, window: Callable[..., Driver]
) -> None:
    studio.open(studio.first)  # so that it is open after the start, too
    driver, other = shown(window(studio)), shown(window(studio))
    swatches = studio.target / "swatches.gpl"
    try:
        studio.kill()
        swatches.write_text("GIMP Palette\n#\n 53 102 192\tCoat\n", encoding="utf-8")
        driver.color(GREEN)
        driver.stroke((110, 150), (135, 150))
        driver.page.locator('.save-state[data-state="offline"]').wait_for()
        other.page.keyboard.press(".")
        other.page.get_by_text("The server does not answer").first.wait_for()
    finally:
        studio.start()
    waited(studio.marks, "what was painted meanwhile is stored")
    waited(lambda: far(driver.shown(150, 110), GREEN) < 8, "and coloured")
    coat = driver.page.get_by_role("button", name="Paint with Coat")
    coat.wait_for()  # which another program wrote meanwhile
    assert driver.page.locator(".banner[role=alert]").is_hidden()
    swatches.unlink()
    waited(lambda: other.layer("result").any(), "the page that could not be loaded before is shown")
    other.page.mouse.click(*other.place(120, 140))
    waited(lambda: studio.marks(1), "and painted on")


def test_a_worker_that_dies_is_started_again_and_the_page_asks_anew(studio: Studio, fresh: Driver) -> None:
    fresh.color(GREEN)
    fresh.stroke((110, 150), (135, 150))
    fresh.page.locator('.live-state[data-state="waiting"]').wait_for()
    studio.kill_worker()
    waited(lambda: far(fresh.shown(150, 110), GREEN) < 8, "the disc becomes green by the next worker")
    fresh.idle()
    assert far(fresh.shown(150, 110), GREEN) < 8
    assert fresh.page.locator(".notice.error").count() == 0
