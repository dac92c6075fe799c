import assert from "node:assert/strict";
import { test } from "node:test";
import { markOf, strokeOf } from "../../src/sketchcolor_cli/studio/page/canvas/marks.js";
import { addSample, hasPaint, sameLayer, simplified, widthOf, without } from "../../src/sketchcolor_cli/studio/page/canvas/strokes.js";

const stroke = (more = {}) => ({ layer: "hint", kind: "stroke", color: "#112233", erase: false, radius: 0.01, samples: [[0.1, 0.2, 1], [0.3, 0.4, 1]], ...more });

test("pressure widens a stroke, from a third to the whole", () => {
  assert.equal(widthOf(1), 1);
  assert.equal(widthOf(0), 0.35);
  assert.equal(widthOf(7), 1);
  assert.ok(widthOf(0.3) < widthOf(0.6));
});

test("samples that lie too near are left out", () => {
  const samples = [];
  assert.equal(addSample(samples, [0.5, 0.5, 1], 0.01), true);
  assert.equal(addSample(samples, [0.501, 0.5, 1], 0.01), false);
  assert.equal(addSample(samples, [0.52, 0.5, 0.7], 0.01), true);
  assert.deepEqual(samples, [[0.5, 0.5, 1], [0.52, 0.5, 0.7]]);
});

test("a straight line needs its ends only, and a corner stays", () => {
  const line = Array.from({ length: 50 }, (_, at) => [at / 100, 0.5, 1]);
  assert.deepEqual(simplified(line, 0.001), [line[0], line[49]]);
  const corner = [...line, ...Array.from({ length: 50 }, (_, at) => [0.49, 0.5 + at / 100, 1])];
  assert.deepEqual(simplified(corner, 0.001).map(([x, y]) => [x, y]), [[0, 0.5], [0.49, 0.5], [0.49, 0.99]]);
});

test("no left-out sample is farther off the line than was asked", () => {
  const wave = Array.from({ length: 300 }, (_, at) => [at / 300, 0.5 + 0.2 * Math.sin(at / 20), 1]);
  const kept = simplified(wave, 0.004);
  assert.ok(kept.length < 80);
  for (const [x, y] of wave) {
    const after = kept.findIndex((one) => one[0] >= x);
    const [a, b] = [kept[Math.max(0, after - 1)], kept[after]];
    const part = b[0] === a[0] ? 0 : (x - a[0]) / (b[0] - a[0]);
    assert.ok(Math.abs(y - a[1] - part * (b[1] - a[1])) < 0.02);
  }
});

test("a change of pressure is a shape, too", () => {
  const line = Array.from({ length: 50 }, (_, at) => [at / 100, 0.5, at < 25 ? 0.4 : 1]);
  assert.ok(simplified(line, 0.001).length >= 4);
});

test("a mark goes to the file and comes back the same", () => {
  const all = [
    stroke({ samples: [[0.1, 0.2, 0.5], [0.3, 0.4, 1]] }),
    stroke({ kind: "point", samples: [[0.7, 0.8, 1]] }),
    stroke({ extra: { tool: "brush" } }),
  ];
  for (const one of all) assert.deepEqual(strokeOf(markOf(one)), one);
  const erased = strokeOf(markOf(stroke({ erase: true })));
  assert.equal(erased.erase, true);
  assert.equal("color" in markOf(stroke({ erase: true })), false);
});

test("a point of a file without radius gets the usual one, and unknown members stay", () => {
  const read = strokeOf({ x: 0.5, y: 0.25, color: "#ffffff", note: "sky" });
  assert.equal(read.radius, 0.006);
  assert.deepEqual(markOf(read), { note: "sky", x: 0.5, y: 0.25, color: "#ffffff", radius: 0.006 });
  const written = strokeOf({ stroke: [[0, 0], [1, 1]], color: [255, 0, 16] }); // by hand, as the files may be
  assert.equal(written.radius, 0.006);
  assert.equal(written.color, "#ff0010");
});

test("layers are apart", () => {
  const all = [stroke(), stroke({ layer: "rough", color: "#abcdef" }), stroke({ layer: "mask", color: "#ffffff" })];
  assert.equal(without(all, "rough").length, 2);
  assert.ok(sameLayer(all, all.slice(0, 2), "hint"));
  assert.ok(!sameLayer(all, all.slice(0, 2), "mask"));
});

test("what only erases or clears is no paint", () => {
  assert.ok(!hasPaint([stroke({ erase: true })], "hint"));
  assert.ok(!hasPaint([stroke({ kind: "clear", layer: "rough", samples: [] })], "rough"));
  assert.ok(hasPaint([stroke()], "hint"));
});
