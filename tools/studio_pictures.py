"""Make the pictures of the studio in docs/images: the example pages, one of them painted, in a real browser.

    python tools/studio_pictures.py [FOLDER]        # default: docs/images/

Needs playwright and Chromium: ``pip install '.[dev]'``, ``apt-get install chromium``. Look at what comes out.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parents[1]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PATIENCE = 120_000  # ms
QUALITY = 80

# The middles of short strokes on page 1, in parts of its width and height.
STROKES: list[tuple[str, list[tuple[float, float]]]] = [
    ("#9fcdf0", [(0.48, 0.08), (0.11, 0.065), (0.9, 0.115)]),  # sky
    ("#4f9a4a", [(0.11, 0.25), (0.65, 0.284), (0.186, 0.224), (0.85, 0.203)]),  # hills, trees
    ("#3566c0", [(0.534, 0.198), (0.935, 0.19), (0.778, 0.182)]),  # sea
    ("#7a4a2b", [(0.671, 0.205), (0.187, 0.273), (0.11, 0.942)]),  # door, trunk, ground
    ("#c9372c", [(0.672, 0.14), (0.654, 0.615), (0.81, 0.615)]),  # roof, shirt
    ("#ffffff", [(0.714, 0.17), (0.63, 0.17)]),  # house
    ("#f2cf3b", [(0.714, 0.068), (0.108, 0.751), (0.423, 0.872)]),  # sun, wall behind the cat
    ("#e8812e", [(0.312, 0.757), (0.312, 0.876), (0.468, 0.862)]),  # cat
    ("#e8c86a", [(0.276, 0.44), (0.213, 0.542), (0.35, 0.542)]),  # Mia's hair
    ("#f6d2bd", [(0.285, 0.52), (0.284, 0.557), (0.25, 0.49), (0.33, 0.49), (0.263, 0.515), (0.29, 0.485)]),
    ("#3566c0", [(0.219, 0.609)]),  # her coat
    ("#ee9ab5", [(0.09, 0.601), (0.428, 0.447), (0.055, 0.361)]),  # and the wall behind her
    ("#3fa7a0", [(0.582, 0.382), (0.912, 0.53), (0.944, 0.401), (0.829, 0.346)]),  # wall behind Rui
    ("#b07a5a", [(0.705, 0.518), (0.711, 0.56), (0.658, 0.495), (0.742, 0.535)]),  # Rui
    ("#e8c86a", [(0.816, 0.757), (0.732, 0.893), (0.878, 0.876)]),  # Mia again: hair,
    (
        "#f6d2bd",
        [(0.798, 0.857), (0.795, 0.89), (0.835, 0.861), (0.77, 0.835), (0.8, 0.815)],
    ),  # face and neck,
    ("#3566c0", [(0.774, 0.953), (0.846, 0.953)]),  # coat,
    ("#ee9ab5", [(0.822, 0.701), (0.932, 0.86), (0.668, 0.863)]),  # wall
]
HALF, RADIUS, SHAPE = (0.007, 0.001), 0.008, 1000 / 1440

# Tips that a user no longer needs.
KNOWN = "".join(
    f"localStorage.setItem('sketchcolor.knows.{name}', true);" for name in ("painting", "pages", "export")
)

SWATCHES = """GIMP Palette
Name: My comic
232 200 106\tMia, hair
53 102 192\tMia, coat
201 55 44\tRui, shirt
"""


def main() -> None:
    """Write the four pictures."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs/images"
    with tempfile.TemporaryDirectory() as temporary:
        pages = painted_project(Path(temporary) / "My comic")
        with running_studio(pages) as address, sync_playwright() as play:
            browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            for name, take in {
                "page": picture_of_page,
                "book": picture_of_book,
                "dark": picture_in_the_dark,
                "narrow": picture_on_a_telephone,
            }.items():
                save(take(browser, address), folder / f"studio-{name}.webp")


def painted_project(folder: Path) -> Path:
    """Lay out the example pages, the first one painted, and return their folder."""
    folder.mkdir()
    for page in sorted((ROOT / "examples/pages").glob("*.png")):
        shutil.copy(page, folder)
    dx, dy = HALF
    marks = [
        {"stroke": [[x - dx, y - dy], [x + dx, y + dy]], "color": color, "radius": RADIUS}
        for color, places in STROKES
        for x, y in places
    ]
    (folder / "hints").mkdir()
    (folder / "hints/page 1.json").write_text(json.dumps(marks), encoding="utf-8")
    (folder / "swatches.gpl").write_text(SWATCHES, encoding="utf-8")
    return folder


@contextmanager
def running_studio(pages: Path) -> Iterator[str]:
    """Give the address of a studio on this folder; what it keeps of its own lies beside the folder."""
    command = [sys.executable, "-m", "sketchcolor_cli", "studio", str(pages), "--no-browser"]
    home = {"XDG_DATA_HOME": str(pages.parent / "data"), "PYTHONPATH": f"{ROOT / 'src'}:{ROOT / 'plugins'}"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **home}) as studio:
        assert studio.stdout is not None
        try:
            yield studio.stdout.readline().strip()
        finally:
            studio.terminate()


def opened(browser: Browser, address: str, **look: Any) -> Page:
    """Return a window in which the first page is shown in its colours, and nothing is explained."""
    context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, "locale": "en", **look})
    context.set_default_timeout(PATIENCE)
    context.add_init_script(KNOWN)
    page = context.new_page()
    page.goto(address)
    page.locator(".canvas-area").wait_for()
    settle(page)
    return page


def settle(page: Page) -> None:
    """Wait until nothing is computed and all is saved; what is pointed at explains itself no longer."""
    page.mouse.move(700, 880)
    page.wait_for_timeout(1500)
    page.wait_for_selector('.live-state[data-state="idle"]')
    page.wait_for_selector('.save-state[data-state="saved"]')
    page.wait_for_timeout(2000)  # the list below follows


def picture_of_page(browser: Browser, address: str) -> bytes:
    """Return the first page, half of it as it was, after a last stroke on the shirt."""
    page = opened(browser, address)
    page.get_by_role("button", name="Paint with Rui, shirt").click()
    box = page.locator("canvas.strokes").bounding_box()
    assert box is not None
    height = box["height"] - 48  # the page is shown whole, with a margin
    x, y = box["x"] + box["width"] / 2 + 0.2 * height * SHAPE, box["y"] + 24 + 0.61 * height
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 12, y + 4, steps=4)
    page.mouse.up()
    settle(page)
    page.keyboard.press("\\")
    settle(page)
    return page.screenshot()


def picture_of_book(browser: Browser, address: str) -> bytes:
    """Return all pages, the first one done and the others coloured after it."""
    page = opened(browser, address)
    page.keyboard.press("d")
    page.locator('.frame[data-state="done"]').wait_for()
    page.keyboard.press("k")
    page.get_by_role("button", name="Colour the other 2 pages").click()
    page.locator('.job[data-state="done"]').wait_for()
    folder = page.locator(".job-files .field-help")
    folder.evaluate("element => element.textContent = 'In the folder /home/mia/My comic.colored'")
    page.mouse.move(700, 880)
    page.wait_for_timeout(3000)
    return page.screenshot()


def picture_in_the_dark(browser: Browser, address: str) -> bytes:
    """Return the first page as those see it whose system is dark."""
    page = opened(browser, address, color_scheme="dark")
    page.keyboard.press("v")
    settle(page)
    return page.screenshot()


def picture_on_a_telephone(browser: Browser, address: str) -> bytes:
    """Return the first page on a small screen."""
    small = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 1.5, "is_mobile": True}
    return opened(browser, address, **small).screenshot()


def save(shot: bytes, path: Path) -> None:
    """Write a screenshot as WebP."""
    Image.open(io.BytesIO(shot)).convert("RGB").save(path, quality=QUALITY, method=6)
    print(path)


if __name__ == "__main__":
    main()
