"""The studio in a real browser: painting, windows, languages, and what axe-core says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from studio_driver import BLUE, CHROMIUM, GREEN, Driver, Studio, draw_page, far, rgb_of, shown, waited

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser


sync_api = pytest.importorskip("playwright.sync_api", reason="drives the browser; '.[dev]' brings it")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="needs Chromium; apt-get install chromium-headless-shell brings it"
)
pytest_plugins = ["studio_windows"]

AXE = Path(__file__).parent / "vendor/axe-core/axe.min.js"


def test_a_folder_is_opened_and_a_stroke_colours_its_area(
    studio: Studio, window: Callable[..., Driver]
) -> None:
    driver = window(studio)
    driver.page.locator(".canvas-area").wait_for()
    assert driver.page.locator(".frame").count() == 2
    driver.idle()
    driver.color(GREEN)
    driver.stroke((110, 150), (135, 150))
    waited(lambda: far(driver.shown(150, 110), GREEN) < 8, "the disc becomes green")
    driver.idle()
    assert far(driver.shown(150, 110), GREEN) < 8
    assert driver.layer("result")[5, 5, 3] == 0  # beside the page there is nothing
    assert "#" not in driver.page.url.partition("#/")[0]  # the token is in no history
    assert (studio.target / "hints/page 1.json").is_file()


def test_undo_brings_the_bytes_back(studio: Studio, fresh: Driver) -> None:
    before = fresh.layer("result")
    fresh.color(BLUE)
    fresh.stroke((180, 350), (220, 380))
    waited(lambda: studio.marks(), "the stroke is stored")
    fresh.idle()
    painted = fresh.layer("result")
    assert not np.array_equal(painted, before)
    fresh.page.keyboard.press("Control+z")
    waited(lambda: not studio.marks(), "the stroke is gone from the file")
    waited(lambda: np.array_equal(fresh.layer("result"), before), "the picture of before")
    fresh.page.keyboard.press("Control+Shift+z")
    waited(lambda: np.array_equal(fresh.layer("result"), painted), "the picture of the stroke")
    assert len(waited(studio.marks, "the stroke is stored again")) == 1


def test_reload_keeps_the_work(studio: Studio, fresh: Driver) -> None:
    fresh.page.evaluate("unhurried()")
    fresh.color(BLUE)
    fresh.stroke((180, 350), (220, 380))
    fresh.page.keyboard.press("f")
    fresh.page.mouse.click(*fresh.place(120, 140))
    fresh.page.reload()  # at once: what is not saved yet is saved on the way out
    fresh.page.locator(".canvas-area").wait_for()
    fresh.idle()
    stroke, point = studio.marks()
    assert len(stroke["stroke"]) >= 2
    assert (point["x"], point["y"]) == (
        pytest.approx(120 / 360, abs=0.003),
        pytest.approx(140 / 480, abs=0.003),
    )
    assert far(fresh.shown(200, 420), BLUE) < 8


def test_painting_lands_under_the_pointer_at_any_zoom(studio: Studio, fresh: Driver) -> None:
    x, y = fresh.place(254, 94)
    fresh.page.mouse.move(x, y)
    for _ in range(6):
        fresh.page.mouse.wheel(0, -240)
    waited(lambda: fresh.zoom > 800, "zoomed in")
    box = fresh.canvas.bounding_box()
    dark = (fresh.layer("page")[..., 0] < 100) & (fresh.layer("page")[..., 3] > 0)
    rows, columns = np.nonzero(dark[:, : round(box["width"])])
    near = np.hypot(columns - (x - box["x"]), rows - (y - box["y"])) < 90
    fresh.page.keyboard.press("f")
    fresh.page.mouse.click(box["x"] + columns[near].mean(), box["y"] + rows[near].mean())
    [point] = waited(studio.marks, "the point is stored")
    assert point["x"] * 360 == pytest.approx(254.5, abs=0.6)  # the middle of the black square
    assert point["y"] * 480 == pytest.approx(94.5, abs=0.6)


def test_the_ink_is_the_originals_when_zoomed_in(
    studio: Studio, window: Callable[..., Driver], tmp_path: Path
) -> None:
    studio.take([draw_page(tmp_path / "page 1.png", 1)], "default")  # which leaves the paper light
    driver = shown(window(studio))
    x, y = driver.place(254, 94)
    driver.page.mouse.move(x, y)
    for _ in range(6):
        driver.page.mouse.wheel(0, -240)
    waited(lambda: driver.zoom > 800, "zoomed in")
    box = driver.canvas.bounding_box()
    column, row = round(x - box["x"]), round(y - box["y"])
    waited(lambda: driver.pixels("result", column, row)[0, 0, :3].max() < 40, "black ink")
    for layer in ("page", "result"):
        line = driver.layer(layer)[row, :, :3].mean(-1)[column - 150 : column + 150]
        assert line.min() < 40, layer
        assert line.max() > 215, layer


def test_the_ink_of_a_page_that_is_larger_than_any_picture_of_it_is_its_own(
    studio: Studio, window: Callable[..., Driver], tmp_path: Path
) -> None:
    page = np.full((300, 5000), 255, np.uint8)
    page[140:160, 2460:2540:2] = 0  # every other column, which no smaller copy shows
    cv2.imwrite(str(tmp_path / "wide.png"), page)
    studio.take([tmp_path / "wide.png"])
    driver = shown(window(studio))
    box = driver.canvas.bounding_box()
    driver.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    driver.page.keyboard.press("z")
    waited(lambda: driver.zoom == 100, "a pixel of the page is one of the screen")

    def contrast(layer: str) -> float:
        middle = driver.layer(layer)
        rows, columns = (length // 2 for length in middle.shape[:2])
        line = middle[rows, columns - 20 : columns + 20, :3].mean(-1)
        return float(line.max() - line.min())

    for layer in ("page", "result"):
        waited(lambda layer=layer: contrast(layer) > 150, f"black and white columns in {layer}")


def test_a_pen_presses_and_the_palm_does_not_paint(studio: Studio, fresh: Driver) -> None:
    fresh.color(GREEN)
    fresh.pen((100, 300, 0.1), (130, 320, 0.3), (160, 350, 0.6), (200, 380, 1.0))
    [mark] = waited(studio.marks, "the pen's stroke is stored")
    widths = [sample[2] if len(sample) > 2 else 1 for sample in mark["stroke"]]
    assert widths[0] < 0.5 < widths[-1]
    assert widths == sorted(widths)
    x, y = fresh.place(200, 300)
    fresh.touch([(x, y)], [(x + 30, y + 40)], [(x + 60, y + 80)])  # the hand that holds the pen
    fresh.idle()
    assert len(studio.marks()) == 1


def test_a_finger_paints_and_two_fingers_zoom(
    studio: Studio, window: Callable[..., Driver], fresh: Driver
) -> None:
    phone = window(studio, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    phone.page.locator(".canvas-area").wait_for()
    phone.idle()
    x, y = phone.place(180, 340)
    phone.touch([(x, y)], [(x + 10, y + 5)], [(x + 20, y + 8)])
    waited(studio.marks, "the finger's stroke is stored")
    before = phone.zoom
    phone.touch([(x, y)], [(x, y), (x + 40, y)], [(x - 40, y), (x + 80, y)], [(x - 80, y), (x + 120, y)])
    waited(lambda: phone.zoom > 2 * before, "zoomed in by two fingers")
    phone.idle()
    assert len(studio.marks()) == 1


def test_what_one_window_saves_the_other_shows(
    studio: Studio, window: Callable[..., Driver], fresh: Driver, tmp_path: Path
) -> None:
    other = window(studio)
    other.page.locator(".canvas-area").wait_for()
    other.idle()
    empty = other.layer("strokes")
    fresh.color(BLUE)
    fresh.stroke((180, 350), (220, 380))
    waited(lambda: not np.array_equal(other.layer("strokes"), empty), "the stroke in the other window")
    with studio._client() as client:
        page = draw_page(tmp_path / "page 0.png", 0).read_bytes()
        assert client.post("/pages", files=[("file", ("page 0.png", page))]).status_code == 201
    frames = other.page.locator(".frame")
    waited(lambda: frames.count() == 2, "the page that came is in the strip")
    labels = [frames.nth(at).get_attribute("aria-label") or "" for at in (0, 1)]
    assert ["page 0.png" in labels[0], "page 1.png" in labels[1]] == [True, True]
    assert frames.locator(".frame-number").all_inner_texts() == ["1", "2"]


def test_two_windows_do_not_overwrite_each_other(
    studio: Studio, window: Callable[..., Driver], fresh: Driver
) -> None:
    other = window(studio)
    other.page.locator(".canvas-area").wait_for()
    other.idle()
    with other.holding("**/marks", "PUT") as held:
        other.page.keyboard.press("f")
        other.page.mouse.click(*other.place(200, 300))
        other.page.mouse.click(*other.place(220, 300))
        held("the other window wants to save")
        fresh.stroke((180, 350), (220, 380))
        waited(studio.marks, "this window's stroke is stored")
    other.page.locator(".banner[role=alert]").wait_for()
    assert "stroke" in studio.marks()[0]  # nothing was overwritten
    other.page.get_by_role("button", name="Keep mine").click()
    other.saved()
    waited(
        lambda: [set(mark) & {"x"} for mark in studio.marks()] == [{"x"}, {"x"}], "what was kept is stored"
    )


def test_two_windows_do_not_overwrite_each_others_settings(
    studio: Studio, window: Callable[..., Driver], fresh: Driver
) -> None:
    other = shown(window(studio))
    with other.holding("**/project", "PUT") as held:
        other.color(GREEN)
        other.page.keyboard.press("Shift+S")
        held("the other window wants to save")
        fresh.color(BLUE)
        fresh.page.keyboard.press("Shift+S")
        waited(lambda: stored(studio) == [BLUE], "this window's swatch is stored")
    other.page.get_by_text("Another window changed the settings or swatches, too.").wait_for()
    assert stored(studio) == [BLUE]  # nothing was overwritten
    assert other.page.locator(f".chip[data-color='{GREEN}']").count() == 1  # nor lost
    other.page.keyboard.press("k")
    other.page.locator(".tile").wait_for()  # where the question stays
    other.page.get_by_role("button", name="Keep mine").click()
    waited(lambda: stored(studio) == [GREEN], "what was kept is stored")
    fresh.page.locator(f".chip[data-color='{GREEN}']").wait_for()


def test_what_is_painted_while_another_windows_work_comes_is_not_lost(
    studio: Studio, window: Callable[..., Driver], fresh: Driver
) -> None:
    other = shown(window(studio))
    with other.holding("**/marks", "GET") as held:
        fresh.stroke((180, 350), (220, 380))
        held("the other window reads this one's stroke")
        other.page.keyboard.press("f")
        other.page.mouse.click(*other.place(200, 300))
    other.page.get_by_role("button", name="Keep mine").click()
    waited(lambda: ["x" in mark for mark in studio.marks()] == [True], "the other window's point is stored")


def test_a_page_with_unsaved_work_is_not_left_without_asking(
    studio: Studio, window: Callable[..., Driver], tmp_path: Path
) -> None:
    studio.take([draw_page(tmp_path / f"page {number}.png", number) for number in (1, 2)])
    driver = shown(window(studio))
    page = driver.page
    page.route(
        "**/marks", lambda route: route.abort() if route.request.method == "PUT" else route.continue_()
    )
    driver.stroke((180, 350), (220, 380))
    page.locator('.save-state[data-state="offline"]').wait_for()
    page.keyboard.press(".")
    page.get_by_role("button", name="Cancel").click()
    assert page.locator('.frame:nth-child(1)[aria-current="page"]').count() == 1
    page.keyboard.press(".")
    page.locator("dialog").wait_for()
    page.unroute("**/marks")
    page.get_by_role("button", name="Cancel").click()
    waited(studio.marks, "what was painted is stored after all")
    driver.saved()
    page.keyboard.press(".")
    page.locator('.frame:nth-child(2)[aria-current="page"]').wait_for()
    shown(driver)
    page.keyboard.press("?")
    page.evaluate("location.hash = '#/page/%E0'")  # which is the address of no page
    page.locator(".drop").wait_for()
    assert page.locator("dialog").count() == 0
    page.evaluate("location.hash = '#/book'")
    page.locator(".tile").first.wait_for()


def stored(studio: Studio) -> list[str]:
    return [swatch["color"] for swatch in studio.get("/project")["swatches"]]


def test_points_are_moved_and_erased(studio: Studio, fresh: Driver) -> None:
    fresh.page.keyboard.press("f")
    fresh.page.mouse.click(*fresh.place(120, 140))
    fresh.stroke((120, 140), (130, 170))  # from a point on, it is the point that moves
    waited(
        lambda: [round(360 * mark["x"]) for mark in studio.marks()] in ([130], [129], [131]),
        "the point moved",
    )
    fresh.page.keyboard.press("e")
    fresh.stroke((100, 170), (160, 170))
    waited(lambda: studio.marks() == [], "the point is erased")
    fresh.idle()
    before = fresh.layer("result")
    fresh.page.keyboard.press("l")  # from here on colours come when they are asked for
    fresh.color(BLUE)
    fresh.page.keyboard.press("f")
    fresh.page.mouse.click(*fresh.place(120, 140))
    waited(studio.marks, "the point is stored")
    assert np.array_equal(fresh.layer("result"), before)
    fresh.page.keyboard.press("Enter")
    waited(lambda: not np.array_equal(fresh.layer("result"), before), "the colours of the point")


def test_a_colour_goes_from_a_place_of_a_sheet_to_a_place_of_the_page(
    studio: Studio, fresh: Driver, tmp_path: Path
) -> None:
    sheet = np.full((800, 1200, 3), 255, np.uint8)  # larger than it is shown
    sheet[:, 600:] = (192, 102, 53)  # BLUE, in the order of OpenCV
    cv2.imwrite(str(tmp_path / "hero.png"), sheet)
    with fresh.holding("**/sheets", "POST") as held:
        with fresh.page.expect_file_chooser() as chooser:
            fresh.page.get_by_role("button", name="Add a sheet").click()
        chooser.value.set_files(tmp_path / "hero.png")
        held("the sheet is on its way")
        fresh.page.evaluate("unhurried()")
        fresh.color(GREEN)
        fresh.page.keyboard.press("Shift+S")
    face = fresh.page.locator(".sheet-face img")
    waited(lambda: face.count() and face.evaluate("image => image.naturalWidth"), "the sheet is shown")
    box = face.bounding_box()
    fresh.page.mouse.click(box["x"] + 0.75 * box["width"], box["y"] + 0.5 * box["height"])
    fresh.page.locator(".carried").wait_for()
    fresh.page.mouse.click(*fresh.place(120, 140))
    [point] = waited(studio.marks, "the point is stored")
    assert far(rgb_of(point["color"]), BLUE) < 3
    assert fresh.page.locator(".carried").is_hidden()
    waited(lambda: stored(studio) == [GREEN], "the swatch that was added meanwhile is stored")


def test_rough_colour_and_mask_are_painted_kept_and_undone(studio: Studio, fresh: Driver) -> None:
    def page() -> dict[str, Any]:
        return studio.get("/project")["pages"][0]

    fresh.color(BLUE)
    fresh.stroke((8, 200), (8, 240))  # in the margin, which is coloured if it is asked for
    waited(lambda: far(fresh.shown(220, 8), BLUE) < 8, "the margin becomes blue")
    fresh.idle()
    fresh.page.evaluate("unhurried()")
    closing = "dispatchEvent(new Event('beforeunload', {cancelable: true}))"
    assert fresh.page.evaluate(closing)
    fresh.page.keyboard.press("r")
    fresh.stroke((80, 300), (280, 400))
    assert not fresh.page.evaluate(closing)  # asks: no browser sends a picture on the way out
    waited(lambda: page()["rough"], "the rough colouring is stored")
    fresh.page.keyboard.press("m")
    fresh.stroke((80, 140), (160, 140))
    waited(lambda: page()["mask"], "the mask is stored")
    fresh.page.keyboard.press("b")
    fresh.stroke((90, 140), (150, 140))
    fresh.page.get_by_text("This place stays paper").wait_for()
    fresh.page.reload()
    fresh.page.locator(".canvas-area").wait_for()
    fresh.idle()
    fresh.page.keyboard.press("r")
    waited(lambda: fresh.layer("strokes")[..., 3].max() > 100, "the rough colouring is shown again")
    fresh.page.get_by_role("button", name="Clear the rough colour").click()
    waited(lambda: not page()["rough"], "the rough colouring is gone")
    fresh.page.keyboard.press("Control+z")
    waited(lambda: page()["rough"], "the rough colouring is back")


def test_swatches_by_key_and_as_a_file(studio: Studio, fresh: Driver, tmp_path: Path) -> None:
    palette = tmp_path / "hero.gpl"
    palette.write_text(
        "GIMP Palette\nName: hero\n#\n 63 154  77\tLeaf\n 53 102 192\tCoat\n", encoding="utf-8"
    )
    with fresh.page.expect_file_chooser() as chooser:
        fresh.page.get_by_role("button", name="Read a palette file").click()
    chooser.value.set_files(palette)
    fresh.page.locator(".swatch").nth(1).wait_for()
    fresh.canvas.focus()
    fresh.page.keyboard.press("2")
    assert fresh.page.locator("input.hex").input_value() == BLUE
    fresh.page.keyboard.press("x")
    fresh.page.keyboard.press("1")
    assert fresh.page.locator("input.hex").input_value() == GREEN
    with fresh.page.expect_download() as download:
        fresh.page.get_by_role("button", name="Save as palette file (.gpl)").click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert text.splitlines()[4:] == [" 63 154  77\tLeaf", " 53 102 192\tCoat"]
    waited(lambda: stored(studio) == [GREEN, BLUE], "stored")
    fresh.page.get_by_role("button", name="Remove Leaf").press("Enter")
    waited(lambda: stored(studio) == [BLUE], "the swatch is gone")
    assert fresh.page.evaluate("document.activeElement.getAttribute('aria-label')") == "Remove Coat"


def test_before_and_after(fresh: Driver) -> None:
    fresh.color(GREEN)
    fresh.stroke((110, 150), (135, 150))
    waited(lambda: far(fresh.shown(150, 110), GREEN) < 8, "the disc becomes green")
    fresh.idle()
    fresh.color(BLUE)
    fresh.page.keyboard.press("i")
    fresh.page.mouse.click(*fresh.place(150, 110))
    picked = fresh.page.locator("input.hex").input_value()
    assert far(rgb_of(picked), GREEN) < 8
    fresh.page.keyboard.down("o")
    waited(lambda: fresh.layer("result")[..., 3].max() == 0, "the original while held")
    fresh.page.keyboard.up("o")
    waited(lambda: fresh.layer("result")[..., 3].max() == 255, "the result again")
    fresh.canvas.focus()
    fresh.page.keyboard.down("Tab")
    waited(lambda: fresh.layer("result")[..., 3].max() == 0, "the original while Tab is held")
    fresh.page.keyboard.up("Tab")
    fresh.page.keyboard.press("\\")
    half = fresh.layer("result").shape[1] // 2
    waited(lambda: fresh.layer("result")[:, : half - 4, 3].max() == 0, "the left half is the original")
    assert fresh.layer("result")[:, half:, 3].max() == 255
    fresh.page.keyboard.press("|")
    waited(lambda: (fresh.layer("page")[:, :half, 3] > 0).any(), "side by side")
    fresh.page.evaluate("Object.defineProperty(window, 'devicePixelRatio', {value: 2})")  # another screen
    fresh.page.keyboard.press("v")
    waited(lambda: fresh.layer("page").shape[1] == 4 * half, "drawn as fine as that screen is")


def test_variants(studio: Studio, fresh: Driver) -> None:
    fresh.page.keyboard.press("n")
    tiles = fresh.page.locator(".variant:not(.waiting)")
    waited(lambda: tiles.count() == 9, "nine variants")
    fresh.page.get_by_role("radio", name="Keep single areas as points").check()
    tiles.nth(4).click(position={"x": 40, "y": 60})
    waited(studio.marks, "the area's colour is a point")
    fresh.page.get_by_role("radio", name="Take a whole variant").check()
    tiles.nth(6).click()
    waited(lambda: studio.get("/project")["pages"][0]["seed"] == 7, "the seed is the page's own")
    fresh.page.locator("dialog").wait_for(state="detached")
    fresh.stroke((180, 350), (220, 380))  # which is not a conflict with the seed in the same file
    waited(lambda: len(studio.marks()) == 2, "the stroke is stored, too")
    assert fresh.page.locator(".banner[role=alert]").is_hidden()
    assert studio.get("/project")["pages"][0]["seed"] == 7
    fresh.page.keyboard.press("n")
    fresh.page.get_by_role("button", name="Without a variant").click()
    waited(lambda: studio.get("/project")["pages"][0]["seed"] is None, "the seed is gone")


def test_the_address_typed_again_in_a_window_signs_it_in(
    studio: Studio, window: Callable[..., Driver]
) -> None:
    page = window(studio, "wrong-token").page
    page.get_by_text("This window is not signed in").wait_for()
    page.goto(studio.address)  # which differs in its fragment alone, so that nothing is loaded
    page.locator(".canvas-area").wait_for()
    assert studio.token not in page.url


def test_the_tip_says_what_is_left_to_know(
    studio: Studio, window: Callable[..., Driver], tmp_path: Path
) -> None:
    studio.take([draw_page(tmp_path / f"page {number}.png", number) for number in (1, 2)])
    driver = shown(window(studio))
    tip = driver.page.locator(".first-hint")
    sync_api.expect(tip.locator("li").first).to_contain_text("Choose a colour")
    driver.stroke((180, 350), (220, 380))
    sync_api.expect(tip.locator("li").nth(1)).to_contain_text("next page")
    driver.page.keyboard.press(".")
    driver.page.locator('.frame:nth-child(2)[aria-current="page"]').wait_for()
    driver.idle()
    sync_api.expect(tip.locator("li")).to_have_count(3)
    driver.stroke((180, 350), (220, 380))
    sync_api.expect(tip.locator("li")).to_have_count(0)
    sync_api.expect(tip).to_contain_text("“Export”")
    driver.page.keyboard.press("Control+e")
    driver.page.keyboard.press("Escape")
    driver.page.keyboard.press("k")
    driver.page.get_by_role("button", name="Colour all 2 pages").wait_for()
    driver.page.go_back()
    shown(driver)
    sync_api.expect(tip).to_be_hidden()


def test_the_tip_about_a_single_page_names_no_other(fresh: Driver) -> None:
    fresh.stroke((180, 350), (220, 380))
    tip = fresh.page.locator(".first-hint")
    sync_api.expect(tip).to_contain_text("“Export”")
    assert tip.locator("li").count() == 2
    assert "next page" not in tip.inner_text()


@pytest.mark.parametrize("locale", ["es", "ja"])
def test_other_languages(studio: Studio, window: Callable[..., Driver], locale: str) -> None:
    driver = window(studio, locale=locale)
    driver.page.locator(".canvas-area").wait_for()
    assert driver.page.evaluate("document.documentElement.lang") == locale
    assert (
        driver.page.get_by_role("button", name={"es": "Pincel", "ja": "ブラシ"}[locale], exact=True).count()
        == 1
    )
    settings = driver.page.locator(".settings")
    driver.page.locator("summary").last.click()
    english = {"Seed", "Saturation", "Working size", "Stays paper"}
    assert not english & set(settings.inner_text().splitlines())


def test_a_window_without_the_key_is_told_so(studio: Studio, browser: Browser) -> None:
    context = browser.new_context(locale="en")
    page = context.new_page()
    page.goto(studio.origin)
    page.get_by_text("This window is not signed in").wait_for()
    context.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing(
    studio: Studio, sample: dict[str, Any], window: Callable[..., Driver], width: int
) -> None:
    studio.open(sample)
    viewport = {"width": width, "height": 800}
    driver = shown(window(studio, color_scheme="light", viewport=viewport))
    page = driver.page
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = violations(driver, "page")
    for dialog, key in (("keys", "?"), ("variants", "n"), ("export", "Control+e")):
        page.keyboard.press(key)
        page.locator("dialog[open]").wait_for()
        found += violations(driver, dialog)
        page.keyboard.press("Escape")
    page.keyboard.press("k")
    page.locator(".tile").first.wait_for()
    found += violations(driver, "book")
    page.keyboard.press("Control+o")
    page.locator(".drop").wait_for()
    found += violations(driver, "shelf")
    assert found == []


FADED = """async () => {
  await new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  const fading = document.getAnimations().filter(one => one instanceof CSSTransition);
  await Promise.allSettled(fading.map(one => one.finished));
}"""
"""Waits until colours that change have changed."""

JUDGED = """rules => axe.run(document, {
  resultTypes: ['violations'],
  ...(rules.length && {runOnly: {type: 'rule', values: rules}}),
}).then(found => found.violations)"""


def violations(driver: Driver, what: str) -> list[str]:
    """What axe-core finds wrong, as lines to read: everything in the light, and colours in the dark too."""
    lines = []
    for scheme, rules in (("light", []), ("dark", ["color-contrast", "link-in-text-block"])):
        driver.page.emulate_media(color_scheme=scheme)
        driver.page.evaluate(FADED)
        if found := driver.page.evaluate(JUDGED, rules):
            driver.page.wait_for_timeout(1000)  # on a busy machine it may still fade; what is wrong stays so
            found = driver.page.evaluate(JUDGED, rules)
        lines += [
            f"{what}, {scheme}: {problem['id']}: {node['html'][:160]}"
            for problem in found
            for node in problem["nodes"]
        ]
    return lines
