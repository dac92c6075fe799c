// Tools that leave a stroke: brush, rough colour, mask, eraser.

import { addSample, simplified } from "../canvas/strokes.js";

/** @typedef {import("../canvas/strokes.js").Stroke} Stroke */
/** @typedef {import("./tool.js").Tool} Tool */
/** @typedef {import("./tool.js").Bench} Bench */

const LEAST = 1.2; // pixels of the screen between two samples
const TOLERANCE = 0.4; // pixels of the screen that a sample may be off the line

/**
 * Return a tool that paints a stroke.
 *
 * @param {() => Pick<Stroke, "layer" | "color" | "erase" | "radius">} describe how the stroke is to be
 * @param {(bench: Bench, stroke: Stroke) => void} finish
 * @returns {Tool}
 */
export function paintingTool(describe, finish) {
  return {
    start(bench, at, factor) {
      bench.stage.active = { kind: "stroke", samples: [], ...describe() };
      this.move(bench, at, factor);
    },
    move({ stage }, at, factor) {
      const [x, y] = [at.x, at.y].map((share) => Math.min(1, Math.max(0, share)));
      const added = stage.active && addSample(stage.active.samples, [x, y, factor], LEAST / shownSize(stage));
      if (added) stage.draw("strokes");
    },
    end(bench) {
      const { stage } = bench;
      const stroke = stage.active;
      stage.active = null;
      if (!stroke?.samples.length) return;
      finish(bench, { ...stroke, samples: simplified(stroke.samples, TOLERANCE / shownSize(stage)) });
    },
    abort({ stage }) {
      stage.active = null;
      stage.draw("strokes");
    },
  };
}

/** @param {import("../canvas/stage.js").Stage} stage @returns {number} */
function shownSize({ page, view }) {
  return Math.max(page.width, page.height) * view.scale;
}
