// What can be done with the page that is open.

import { app, attempt, changeProject, flushProject, notify, setLive, setRadius, updatePage } from "../app.js";
import { json } from "../core/api.js";
import { t } from "../core/i18n.js";
import { go } from "../core/router.js";
import { openVariants } from "../panels/variants.js";
import { SIZED } from "../tools/index.js";
import { current } from "./current.js";

/** @typedef {import("../core/commands.js").Command} Command */
/** @typedef {import("./bench.js").Bench} Bench */

const BIGGER = 1.2;
const ZOOM = 1.25;

/** @returns {Command[]} */
export function pageCommands() {
  return [...toolCommands(), ...colorCommands(), ...viewCommands(), ...pageMoves(), ...workCommands()];
}

/**
 * Return a function that makes the commands of a group, which work on the page that is open.
 *
 * @param {string} group
 * @returns {(id: string, icon: string, keys: string[], run: (bench: Bench) => unknown,
 *   more?: {release?: (bench: Bench) => unknown, enabled?: () => boolean}) => Command}
 */
function commandsOf(group) {
  return (id, icon, keys, run, { release, enabled } = {}) => {
    const onBench = (/** @type {(bench: Bench) => unknown} */ deed) => () => {
      if (current.bench) void deed(current.bench);
    };
    return {
      id,
      icon,
      keys,
      group,
      run: onBench(run),
      ...(release ? { release: onBench(release) } : {}),
      enabled: () => current.bench !== null && (enabled?.() ?? current.bench.session.ready),
    };
  };
}

/** @returns {Command[]} */
function toolCommands() {
  const make = commandsOf("tools");
  const tool = (/** @type {import("../app.js").ToolName} */ name, /** @type {string} */ key) =>
    make(`tool-${name}`, name, [key], () => chooseTool(name));
  const hand = { release: (/** @type {Bench} */ bench) => bench.holdHand(false) };
  return [
    tool("brush", "B"),
    tool("point", "F"),
    tool("eraser", "E"),
    tool("picker", "I"),
    tool("rough", "R"),
    tool("mask", "M"),
    tool("hand", "H"),
    make("hold-hand", "hand", ["Space"], (bench) => bench.holdHand(true), hand),
    make("brush-smaller", "minus", ["["], () => resize(1 / BIGGER)),
    make("brush-larger", "plus", ["]"], () => resize(BIGGER)),
  ];
}

/** @param {number} factor */
function resize(factor) {
  const { tool, radii } = app.value;
  if (SIZED.has(tool)) setRadius(tool, radii[tool] * factor);
  current.bench?.refreshRing();
}

/**
 * Take a tool; the mask's key again changes between protecting and freeing.
 *
 * @param {import("../app.js").ToolName} tool
 */
function chooseTool(tool) {
  const { tool: before, maskMode } = app.value;
  if (tool === "mask" && before === "mask")
    app.set({ maskMode: maskMode === "protect" ? "free" : "protect" });
  /** @type {Record<string, import("../app.js").Layer>} */
  const layers = { brush: "hint", point: "hint", rough: "rough", mask: "mask" };
  app.set({ tool, carried: null, layer: layers[tool] ?? app.value.layer });
  current.bench?.refreshRing();
}

/** @returns {Command[]} */
function colorCommands() {
  const make = commandsOf("colors");
  const digits = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((number) => ({
    ...make(`swatch-${number}`, "palette", [String(number)], () => takeSwatch(number - 1)),
    group: "", // the list of keys has one line for all of them
  }));
  const swap = () => app.set({ color: app.value.otherColor, otherColor: app.value.color });
  return [
    make("swap-colors", "swap", ["X"], swap),
    make("add-swatch", "plus", ["Shift+S"], addSwatch),
    ...digits,
  ];
}

/** @param {number} at */
function takeSwatch(at) {
  const swatch = app.value.project?.swatches[at];
  if (swatch) app.set({ color: swatch.color });
}

function addSwatch() {
  const { project, color } = app.value;
  if (!project || project.swatches.some((swatch) => swatch.color === color)) return;
  void changeProject({ swatches: [...project.swatches, { name: "", color }] });
}

/** @returns {Command[]} */
function viewCommands() {
  const make = commandsOf("view");
  const compare = (/** @type {import("../canvas/stage.js").Compare} */ name) => () =>
    app.set({ compare: app.value.compare === name ? "result" : name });
  const peek = (/** @type {boolean} */ shown) => (/** @type {Bench} */ bench) =>
    bench.stage.look({ peek: shown });
  return [
    make("compare-result", "colored", [], compare("result")),
    make("compare-original", "original", [], compare("original")),
    make("compare-split", "split", ["\\"], compare("split")),
    make("compare-side", "side", ["|"], compare("side")),
    make("peek", "original", ["Tab", "O"], peek(true), { release: peek(false) }),
    make("fit", "fit", ["0"], ({ stage }) => stage.fitView()),
    make("actual", "actual", ["Z"], ({ stage }) => stage.zoomActual()),
    make("zoom-in", "plus", ["+", "="], ({ stage }) => stage.zoom(ZOOM)),
    make("zoom-out", "minus", ["-"], ({ stage }) => stage.zoom(1 / ZOOM)),
    make("strokes", "eye", ["V"], () => app.set({ showStrokes: !app.value.showStrokes })),
    make("panel", "panel", ["P"], () => document.body.classList.toggle("panel-turned")),
  ];
}

/** @returns {Command[]} */
function pageMoves() {
  const make = commandsOf("pages");
  const move = (/** @type {number} */ step) => () => go("page", neighbour(step)?.id);
  const there = (/** @type {number} */ step) => ({ enabled: () => neighbour(step) !== undefined });
  return [
    make("previous", "left", [","], move(-1), there(-1)),
    make("next", "right", ["."], move(1), there(1)),
    make("done", "check", ["D"], toggleDone),
  ];
}

/** @param {number} step @returns {import("../core/api.js").Page | undefined} */
function neighbour(step) {
  const pages = app.value.project?.pages ?? [];
  return pages[pages.findIndex((page) => page.id === current.bench?.session.page.id) + step];
}

/** @param {Bench} bench */
async function toggleDone({ session }) {
  const { id } = session.page;
  const page = app.value.project?.pages.find((page) => page.id === id);
  if (!page) return;
  const changed = await attempt(() =>
    json(`/pages/${id}`, { method: "PATCH", json: { done: page.state !== "done" } }),
  );
  if (changed) updatePage(changed);
}

/** @returns {Command[]} */
function workCommands() {
  const make = commandsOf("work");
  return [
    make("undo", "undo", ["Ctrl+Z"], ({ session }) => session.undo()),
    make("redo", "redo", ["Ctrl+Shift+Z", "Ctrl+Y"], ({ session }) => session.redo()),
    make("compute", "play", ["Enter"], (bench) => bench.enter()),
    make("live", "live", ["L"], toggleLive),
    make("variants", "variants", ["N"], openVariants),
    make("save", "check", ["Ctrl+S"], saveAll),
    make("clear-hints", "trash", ["Ctrl+Delete"], ({ session }) => session.clear("hint")),
    make("clear-rough", "trash", [], ({ session }) => session.clear("rough")),
    make("clear-mask", "trash", [], ({ session }) => session.clear("mask")),
    make("cancel", "close", ["Escape"], (bench) => bench.escape()),
  ];
}

/** @param {Bench} bench */
function toggleLive({ session }) {
  setLive(!app.value.live);
  if (app.value.live) void session.compute();
  else session.live?.cancel();
}

/** @param {Bench} bench */
async function saveAll({ session }) {
  await Promise.all([session.flush(), flushProject()]);
  const failed = Object.values(app.value.saving).find((state) => state !== "saved");
  notify(t(`saving.${failed ?? "saved"}`), failed ? "error" : "info");
}
