import assert from "node:assert/strict";
import { test } from "node:test";
import { centered, fit, pan, pinch, toPage, toScreen, zoomAt } from "../../src/sketchcolor_cli/studio/page/canvas/view.js";

const page = { width: 1414, height: 2000 };
const screen = { width: 900, height: 700 };

/** Deterministic numbers in 0…1 (a linear congruential generator). */
function* numbers(seed = 7) {
  for (let state = seed; ; ) yield (state = (state * 1103515245 + 12345) % 2147483648) / 2147483648;
}

function near(one, other, tolerance = 1e-9) {
  assert.ok(Math.hypot(one.x - other.x, one.y - other.y) <= tolerance, `${JSON.stringify(one)} is not ${JSON.stringify(other)}`);
}

test("a page that fits is wholly in sight and in the middle", () => {
  for (const size of [page, { width: 3000, height: 200 }, { width: 10, height: 9000 }]) {
    const view = fit(size, screen);
    const [first, last] = [toScreen(view, { x: 0, y: 0 }, size), toScreen(view, { x: 1, y: 1 }, size)];
    assert.ok(first.x >= 0 && first.y >= 0 && last.x <= screen.width && last.y <= screen.height);
    near({ x: first.x + last.x, y: first.y + last.y }, { x: screen.width, y: screen.height }, 1e-6);
  }
});

test("to the page and back is the same place, however the view is", () => {
  const next = numbers();
  for (let time = 0; time < 200; time += 1) {
    const [scale, x, y, px, py] = Array.from({ length: 5 }, () => next.next().value);
    const view = { scale: 0.05 + 10 * scale, x: 800 * x - 400, y: 800 * y - 400 };
    const place = { x: 900 * px, y: 700 * py };
    near(toScreen(view, toPage(view, place, page), page), place, 1e-6);
  }
});

test("zooming keeps the place under the cursor", () => {
  let view = fit(page, screen);
  const at = { x: 500, y: 320 };
  for (const factor of [1.5, 2, 1.2, 0.9]) {
    const before = toPage(view, at, page);
    view = zoomAt(view, factor, at, page, screen);
    near(toPage(view, at, page), before, 1e-9);
  }
});

test("zooming ends at sixteen screen pixels a page pixel, and at half of what fits", () => {
  let view = fit(page, screen);
  for (let time = 0; time < 60; time += 1) view = zoomAt(view, 1.5, { x: 450, y: 350 }, page, screen);
  assert.equal(view.scale, 16);
  for (let time = 0; time < 60; time += 1) view = zoomAt(view, 0.5, { x: 450, y: 350 }, page, screen);
  assert.ok(Math.abs(view.scale - fit(page, screen).scale / 2) < 1e-9);
});

test("a page cannot be pushed out of sight", () => {
  const start = centered(1, page, screen);
  for (const [dx, dy] of [[1e5, 0], [-1e5, 0], [0, 1e5], [0, -1e5]]) {
    const view = pan(start, dx, dy, page, screen);
    const last = toScreen(view, { x: 1, y: 1 }, page);
    assert.ok(view.x <= screen.width - 60 && view.y <= screen.height - 60, "it left to the right or below");
    assert.ok(last.x >= 60 && last.y >= 60, "it left to the left or above");
  }
});

test("two fingers carry the places that they are on", () => {
  const view = centered(0.8, page, screen);
  const before = [{ x: 300, y: 300 }, { x: 500, y: 300 }];
  const after = [{ x: 250, y: 340 }, { x: 650, y: 340 }];
  const pinched = pinch(view, before, after, page, screen);
  assert.ok(Math.abs(pinched.scale - 1.6) < 1e-9);
  for (const which of [0, 1]) near(toPage(pinched, after[which], page), toPage(view, before[which], page), 1e-9);
});
