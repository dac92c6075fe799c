// The page screen: tools, canvas, panels, film strip.

import { app, attempt, flushProject, notify } from "../app.js";
import { commandButton } from "../core/commands.js";
import { fill, h } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { icon } from "../core/icons.js";
import { isNarrow } from "../core/narrow.js";
import { Pointers } from "../canvas/pointer.js";
import { Session } from "../canvas/session.js";
import { Stage } from "../canvas/stage.js";
import { firstHint } from "../panels/firsthint.js";
import { filmStrip } from "../panels/filmstrip.js";
import { settingsPanel } from "../panels/settings.js";
import { sheetPanel } from "../panels/sheets.js";
import { conflictNotice, statusLine } from "../panels/status.js";
import { swatchPanel } from "../panels/swatches.js";
import { toolOptions, toolRail } from "../panels/tools.js";
import { topBar } from "../panels/topbar.js";
import { Bench } from "./bench.js";
import { current } from "./current.js";
import { tabKey } from "./tabkey.js";

/** @typedef {import("../core/api.js").Page} Page */

/** Ways of comparing, in the order of their buttons. */
const COMPARES = /** @type {const} */ (["result", "original", "split", "side"]);

/** @typedef {{element: HTMLElement, close: () => void}} Panel */

/**
 * @param {Page} page
 * @returns {import("../main.js").Screen}
 */
export function pageScreen(page) {
  const canvases = newCanvases(page);
  const area = h("div", { class: "canvas-area" }, ...Object.values(canvases));
  const stage = new Stage(canvases, () => current.bench?.viewMoved());
  const session = new Session(page, stage);
  const bench = new Bench(stage, session, canvases.strokes);
  current.bench = bench;
  area.addEventListener("pointerdown", closePanels, { capture: true });
  new Pointers(canvases.strokes, bench.hands());
  /** @type {Panel[]} */
  const panels = [];
  const element = layOut(page, session, area, panels);
  const ends = [
    watchLooks(stage),
    tabKey(canvases.strokes, (peek) => stage.look({ peek })),
    watchClosing(session),
    ...panels.map((panel) => panel.close),
  ];
  void start(session, area);
  return {
    element,
    heard: (event) => event.id === page.id && void session.unlessClosed(session.heard(event)),
    async catchUp() {
      if (!session.ready) return start(session, area); // what it needs could not be loaded
      await attempt(() => session.unlessClosed(session.catchUp()));
    },
    async saved() {
      await session.flush();
      return session.isSaved || session.project !== app.value.project?.id; // which takes it no more
    },
    async close() {
      current.bench = null;
      for (const end of ends) end();
      await Promise.all([session.close(), flushProject()]);
      const { project } = app.value.saving;
      app.set({ carried: null, saving: project ? { project } : {}, liveState: "idle", steps: { undo: false, redo: false } });
      stage.close();
    },
  };
}

/**
 * @param {Page} page
 * @param {Session} session
 * @param {HTMLElement} area
 * @param {Panel[]} panels grows
 * @returns {HTMLElement}
 */
function layOut(page, session, area, panels) {
  const add = (/** @type {Panel} */ panel) => {
    panels.push(panel);
    return panel.element;
  };
  area.append(add(conflictNotice(() => session)), carriedNotice(panels), add(firstHint()), zoomBox(panels));
  const bar = topBar(barMiddle(page, panels), [add(statusLine()), ...barRight()]);
  const rail = add(toolRail());
  const settings = add(settingsPanel(() => app.value.live && void session.compute()));
  const side = sidePanel(add(toolOptions()), add(swatchPanel()), add(sheetPanel()), settings);
  const bench = h("div", { class: "workbench" }, rail, h("main", { class: "canvas-main" }, area), side);
  return h("div", { class: "page-screen" }, bar, bench, add(filmStrip(page.id)));
}

/** @param {PointerEvent} event beside panels that lie over the page, which closes them and does nothing else */
function closePanels(event) {
  if (!isNarrow() || !document.body.classList.contains("panel-turned")) return;
  document.body.classList.remove("panel-turned");
  event.stopPropagation();
  event.preventDefault();
}

/** @param {Session} session @param {HTMLElement} area */
async function start(session, area) {
  area.classList.add("loading");
  app.set({ liveState: "waiting" });
  await attempt(() => session.unlessClosed(session.open()));
  if (!app.value.live || !session.ready) app.set({ liveState: "idle" });
  area.classList.remove("loading");
  if (session.page.colored) notify(t("pages.colored"));
  if (session.page.state === "failed") notify(session.page.detail, "error");
  const canvas = session.stage.layers.strokes;
  if (document.activeElement !== document.body) return;
  canvas.classList.add("by-pointer"); // nobody tabbed to it
  canvas.focus({ preventScroll: true });
}

/** @param {Page} page */
function newCanvases(page) {
  const strokes = h("canvas", {
    class: "layer strokes",
    tabindex: 0,
    role: "application",
    "aria-label": t("label.canvas", { name: page.name }),
    "aria-describedby": "canvas-help",
  });
  return {
    page: h("canvas", { class: "layer", "aria-hidden": "true" }),
    result: h("canvas", { class: "layer", "aria-hidden": "true" }),
    strokes,
  };
}

/**
 * @param {Page} page
 * @param {Panel[]} panels grows
 * @returns {import("../core/dom.js").Child[]}
 */
function barMiddle(page, panels) {
  const steps = [commandButton("undo"), commandButton("redo")];
  const compare = COMPARES.map((way) => commandButton(`compare-${way}`));
  const live = commandButton("live");
  const ends = [
    app.watch(["steps"], (value) =>
      steps.forEach((button, which) => button.toggleAttribute("disabled", !value.steps[which ? "redo" : "undo"])),
    ),
    app.watch(["compare"], (value) =>
      compare.forEach((button, which) => setPressed(button, COMPARES[which] === value.compare)),
    ),
    app.watch(["live"], (value) => setPressed(live, value.live)),
  ];
  panels.push(...ends.map(ended));
  return [
    pageCluster(page, panels),
    h("div", { class: "cluster" }, ...steps),
    h("div", { class: "cluster segmented", role: "group", "aria-label": t("label.compare") }, ...compare),
    h("div", { class: "cluster" }, live, commandButton("compute"), wordButton("variants")),
  ];
}

/**
 * @param {Page} page
 * @param {Panel[]} panels grows
 * @returns {HTMLElement}
 */
function pageCluster(page, panels) {
  const done = wordButton("done", "done");
  const [name, place] = [h("span", {}, page.name), h("small")];
  const show = (/** @type {import("../app.js").State} */ { project }) => {
    const pages = project?.pages ?? [];
    const at = pages.findIndex((known) => known.id === page.id);
    place.textContent = `${at + 1}/${pages.length}`;
    setPressed(done, pages[at]?.state === "done");
  };
  panels.push(ended(app.watch(["project"], show)));
  const title = h("h1", { class: "page-name", title: page.name }, name, place);
  return h("div", { class: "cluster pages" }, commandButton("previous"), title, commandButton("next"), done);
}

/** @param {HTMLElement} button @param {boolean} pressed */
function setPressed(button, pressed) {
  button.setAttribute("aria-pressed", String(pressed));
}

/** @param {() => void} close */
function ended(close) {
  return { element: document.createElement("i"), close };
}

/** @param {string} name of a command @param {string} [look] @returns {HTMLElement} its button, with a word on wide screens */
function wordButton(name, look = "") {
  return commandButton(name, { label: t(`word.${name}`), class: `word ${look}` });
}

function barRight() {
  return [
    wordButton("book", "wide-only"),
    commandButton("export", { label: true, class: "primary" }),
    commandButton("panel", { class: "narrow-only" }),
  ];
}

/**
 * @param {HTMLElement} options
 * @param {HTMLElement} swatches
 * @param {HTMLElement} sheets
 * @param {HTMLElement} settings
 */
function sidePanel(options, swatches, sheets, settings) {
  const section = (
    /** @type {string} */ name,
    /** @type {string} */ image,
    /** @type {HTMLElement} */ body,
    wide = true,
  ) =>
    h(
      "details",
      { class: "section", open: wide },
      h("summary", {}, icon(image), h("span", {}, t(`section.${name}`))),
      body,
    );
  return h(
    "aside",
    { class: "side", id: "side-panel", "aria-label": t("label.side") },
    h("section", { class: "section tool-section" }, options),
    section("swatches", "palette", swatches),
    section("sheets", "sheet", sheets),
    section("settings", "settings", settings, false),
    h("p", { class: "visually-hidden", id: "canvas-help" }, t("canvas.help")),
  );
}

/** @param {{element: HTMLElement, close: () => void}[]} panels @returns {HTMLElement} */
function carriedNotice(panels) {
  const element = h("div", { class: "banner carried", role: "status" });
  panels.push(
    ended(
      app.watch(["carried"], ({ carried }) => {
        element.hidden = !carried;
        if (!carried) return fill(element);
        fill(
          element,
          h("span", { class: "dot", style: { "--chip": carried.color } }),
          h("span", {}, t("sheets.place", { name: carried.from })),
          commandButton("cancel", { class: "small" }),
        );
      }),
    ),
  );
  return element;
}

/** @param {{element: HTMLElement, close: () => void}[]} panels @returns {HTMLElement} */
function zoomBox(panels) {
  const text = h("output", { class: "zoom-text", "aria-label": t("label.zoom") });
  panels.push(ended(app.watch(["zoom"], ({ zoom }) => (text.textContent = `${Math.round(100 * zoom)} %`))));
  return h(
    "div",
    { class: "zoom-box" },
    commandButton("zoom-out"),
    text,
    commandButton("zoom-in"),
    commandButton("fit"),
    commandButton("actual"),
    commandButton("strokes"),
  );
}

/** @param {Stage} stage @returns {() => void} */
function watchLooks(stage) {
  return app.watch(["compare", "tool", "layer", "showStrokes"], ({ compare, tool, layer, showStrokes }) => {
    const onLayer = tool === "eraser" ? layer : tool;
    stage.look({ compare, showStrokes, showRough: onLayer === "rough", showMask: onLayer === "mask" });
    if (onLayer === "mask") void current.bench?.loadFoundMask();
    if (stage.layers.strokes.dataset) stage.layers.strokes.dataset.tool = tool;
  });
}

/** @param {Session} session @returns {() => void} */
function watchClosing(session) {
  const ends = new AbortController();
  const ask = (/** @type {Event} */ event) => {
    if (!session.isLeftBehind) return;
    event.preventDefault();
    void session.flush(); // so that it is saved before the user has answered
  };
  window.addEventListener("beforeunload", ask, { signal: ends.signal });
  window.addEventListener("pagehide", () => void session.flush(true), { signal: ends.signal });
  return () => ends.abort();
}
