import { chooseColor } from "../app.js";
import { meanColor } from "../core/color.js";
import { isOnPage } from "./tool.js";

/** Takes a colour from what is shown. */
export const picker = /** @type {import("./tool.js").Tool} */ ({
  start(bench, at, factor) {
    this.move(bench, at, factor);
  },
  move({ stage }, at) {
    const pixels = isOnPage(at) ? stage.pixels(at) : null;
    const color = pixels && meanColor(pixels);
    if (color) chooseColor(color);
  },
  end() {},
  abort() {},
});
