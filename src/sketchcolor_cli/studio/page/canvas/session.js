// One page under work: what is painted, undo, saving, and the colours that come back.

import { app, attempt, explain, notify, tellSaving } from "../app.js";
import { ApiError, CLIENT, json, picture, request } from "../core/api.js";
import { meanColor, rgbOf } from "../core/color.js";
import { History } from "../core/history.js";
import { t } from "../core/i18n.js";
import { Live } from "../core/live.js";
import { Saver } from "../core/saver.js";
import { keepStamp } from "../core/stamps.js";
import { markOf, strokeOf } from "./marks.js";
import { inkOf, pixelsOf } from "./pixels.js";
import { layerFile } from "./raster.js";
import { hasPaint, layerOf, sameLayer, without } from "./strokes.js";

/** @typedef {import("../core/api.js").Page} Page */
/** @typedef {import("./stage.js").Stage} Stage */
/** @typedef {import("./strokes.js").Strokes} Strokes */
/** @typedef {import("./strokes.js").Layer} Layer */

const LAYERS = /** @type {Layer[]} */ (["hint", "rough", "mask"]);
const LARGEST = 4096;
const SMALLEST = 480;
const STAMP = innerWidth > 2000 ? 480 : 240;
const SAMPLED = 8; // vertices of a stroke that are looked at
const PAPER = 235; // from which on a colour looks like paper
const LAST_WORDS = 60_000; // letters that a browser sends for a window that closes: 64 KiB in all
const SETTLED = 350; // ms after which a zoom is taken to be the last

let toldOfPaper = false;

/** The page that is open. */
export class Session {
  /**
   * @param {Page} page
   * @param {Stage} stage
   */
  constructor(page, stage) {
    this.page = page;
    this.project = app.value.project?.id ?? null;
    this.stage = stage;
    /** @type {History<Strokes>} */
    this.history = new History(/** @type {Strokes} */ ([]));
    /** @type {Record<string, Saver>} */
    this.savers = {};
    this.stop = new AbortController();
    this.ready = false; // whether it can be painted on
    this.asked = 0; // width of the pictures that were asked for last
    this.loaded = 0; // width of the original that is shown
    /** @type {import("./strokes.js").Stroke | null} */
    this.newest = null; // the stroke whose colours have not come yet
    this.paused = false; // while variants are shown, no colours are asked for
    /** @type {((seed: number, bitmap: ImageBitmap) => void) | null} */
    this.onVariant = null;
    /** @type {Live | null} */
    this.live = null;
  }

  /** Load the page and what was painted on it, and ask for its colours. */
  async open() {
    const { page, stage } = this;
    stage.begin({ width: page.width || 1, height: page.height || 1 });
    const width = this.#width();
    const path = `/pages/${page.id}`;
    const [original, marks] = await Promise.all([
      picture(`${path}/original?width=${width}`, this.stop.signal),
      json(`${path}/marks`, { signal: this.stop.signal }),
    ]);
    this.loaded = original.width;
    stage.setPicture("original", original);
    this.history = new History(/** @type {Strokes} */ (marks.marks.map(strokeOf)));
    const revisions = await json(path, { signal: this.stop.signal });
    await Promise.all([this.#loadLayer("rough"), this.#loadLayer("mask")]);
    if (this.stop.signal.aborted) return;
    this.savers.hint = this.#saver("marks", marks.revision, (revision, closing) =>
      this.#saveMarks(revision, closing),
    );
    for (const layer of /** @type {const} */ (["rough", "mask"])) {
      const known = revisions[`${layer}_revision`] ?? "0";
      this.savers[layer] = this.#saver(layer, known, (revision, closing) =>
        this.#saveLayer(layer, revision, closing),
      );
    }
    this.#openLive();
    this.ready = true;
    this.#show();
    if (app.value.live) this.compute();
  }

  /** Save what is not saved and let go of everything. */
  async close() {
    await this.flush();
    this.stop.abort();
    this.live?.close();
    clearTimeout(this.zoomed);
    for (const saver of Object.values(this.savers)) saver.stop();
  }

  /**
   * Wait for something, and forget that it failed if the page was closed meanwhile.
   *
   * @param {Promise<unknown>} deed
   */
  async unlessClosed(deed) {
    try {
      await deed;
    } catch (error) {
      if (!this.stop.signal.aborted) throw error;
    }
  }

  /** @returns {Strokes} */
  get strokes() {
    return this.history.present;
  }

  /**
   * Go on to other strokes, as one step that can be undone.
   *
   * @param {Strokes} strokes
   */
  apply(strokes) {
    const before = this.strokes;
    this.newest = strokes.length > before.length ? (strokes.at(-1) ?? null) : null;
    this.history.push(strokes);
    this.#changed(before);
  }

  undo() {
    const before = this.strokes;
    if (this.history.undo()) this.#changed(before);
  }

  redo() {
    const before = this.strokes;
    if (this.history.redo()) this.#changed(before);
  }

  /**
   * Take away all that is painted on a layer.
   *
   * @param {Layer} layer
   */
  clear(layer) {
    if (!hasPaint(this.strokes, layer) && !(layer !== "hint" && this.stage.pictures[layer])) return;
    const rest = without(this.strokes, layer);
    /** @type {import("./strokes.js").Stroke} */
    const cleared = { layer, kind: "clear", color: "#000000", erase: false, radius: 0, samples: [] };
    this.apply(layer === "hint" ? rest : [...rest, cleared]);
  }

  /** Ask for the colours of what is painted. */
  async compute() {
    if (!this.live || this.paused || this.page.state === "failed") return;
    await this.#flushRasters();
    this.asked = this.#width();
    this.live.ask({ type: "paint", marks: this.marks(), width: this.asked, ...this.#seed() });
  }

  /**
   * Ask for the page in several seeds, at the size of a stamp.
   *
   * @param {number[]} seeds
   * @param {(seed: number, bitmap: ImageBitmap) => void} arrived
   */
  async variants(seeds, arrived) {
    this.onVariant = arrived;
    await this.#flushRasters();
    this.live?.ask({ type: "variants", marks: this.marks(), seeds, width: innerWidth > 2000 ? 640 : 320 });
  }

  /**
   * Keep a seed as the page's own; null for none. It is kept in the file of the strokes, which are saved first.
   *
   * @param {number | null} seed
   */
  async takeSeed(seed) {
    const { hint } = this.savers;
    await hint?.flush();
    const page = await attempt(() => json(`/pages/${this.page.id}`, { method: "PATCH", json: { seed }, project: this.project }),
    );
    if (!page) return;
    this.page = { ...this.page, ...page };
    if (hint?.state === "saved") hint.settle(page.marks_revision ?? "0", hint.dirty);
    this.compute();
  }

  /** Save now. */
  async flush(closing = false) {
    await Promise.all(Object.values(this.savers).map((saver) => saver.flush(closing)));
  }

  /** @returns {Record<string, any>[]} */
  marks() {
    return layerOf(this.strokes, "hint").map(markOf);
  }

  /** Look whether the view wants finer pictures than there are. */
  viewChanged() {
    clearTimeout(this.zoomed);
    const refine = () => attempt(() => this.unlessClosed(this.#refine()));
    this.zoomed = setTimeout(() => this.ready && refine(), SETTLED);
  }

  /**
   * Hear that a document of the page was changed, here or elsewhere.
   *
   * @param {Record<string, any>} event
   */
  async heard(event) {
    this.page = { ...this.page, seed: event.seed, state: event.state };
    if (event.by === CLIENT) return;
    for (const layer of LAYERS) {
      const name = layer === "hint" ? "marks" : layer;
      const revision = event[`${name}_revision`];
      const saver = this.savers[layer];
      if (!saver || event.what !== name || revision === undefined || revision === saver.revision) continue;
      if (saver.isSaved) await this.takeTheirs(layer, false);
    }
  }

  /** Look whether a document of the page was changed while nothing was heard. */
  async catchUp() {
    const page = await json(`/pages/${this.page.id}`);
    for (const what of ["marks", "rough", "mask"]) await this.heard({ ...page, what, by: null });
  }

  /** @returns {boolean} whether all that was painted is saved */
  get isSaved() {
    return Object.values(this.savers).every((saver) => saver.isSaved);
  }

  /** @returns {boolean} whether something is not saved that a browser does not send while the window closes */
  get isLeftBehind() {
    const { hint, ...rasters } = this.savers;
    if (!Object.values(rasters).every((saver) => saver.isSaved)) return true;
    return hint !== undefined && !hint.isSaved && JSON.stringify(this.marks()).length > LAST_WORDS;
  }

  /** @returns {Layer[]} layers that somebody else changed while we did, too */
  get conflicts() {
    return LAYERS.filter((layer) => this.savers[layer]?.state === "conflict");
  }

  /**
   * Give up our changes of a layer for those that are stored.
   *
   * @param {Layer} layer
   * @param {boolean} [chosen] whether the user chose them over what was painted here meanwhile
   */
  async takeTheirs(layer, chosen = true) {
    const path = `/pages/${this.page.id}`;
    let stored = /** @type {Strokes} */ ([]);
    let revision;
    if (layer === "hint") {
      const marks = await json(`${path}/marks`);
      stored = marks.marks.map(strokeOf);
      revision = marks.revision;
    } else {
      await this.#loadLayer(layer);
      revision = (await json(path))[`${layer}_revision`] ?? "0";
    }
    const saver = this.savers[layer];
    if (!chosen && (!saver.isSaved || revision === saver.revision)) return;
    this.history.push([...without(this.strokes, layer), ...stored]);
    saver.settle(revision, false);
    this.#show();
    if (app.value.live) this.compute();
  }

  /**
   * Save our changes of a layer over those that are stored.
   *
   * @param {Layer} layer
   */
  async keepMine(layer) {
    const name = layer === "hint" ? "marks" : layer;
    const revision = (await json(`/pages/${this.page.id}`))[`${name}_revision`] ?? "0";
    this.savers[layer].settle(revision, true);
  }

  /** @param {Strokes} before */
  #changed(before) {
    for (const layer of LAYERS) if (!sameLayer(before, this.strokes, layer)) this.savers[layer]?.touch();
    this.#show();
    if (app.value.live) this.compute();
  }

  #show() {
    this.stage.setStrokes(this.strokes);
    app.set({ steps: { undo: this.history.canUndo, redo: this.history.canRedo } });
  }

  /** What is painted as a picture counts as it is stored, so it is stored first. */
  async #flushRasters() {
    await Promise.all(["rough", "mask"].map((layer) => this.savers[layer]?.flush()));
  }

  /** @returns {number} */
  #width() {
    return Math.min(this.page.width, LARGEST, Math.max(SMALLEST, this.stage.shownWidth));
  }

  /** @returns {{seed?: number}} */
  #seed() {
    return this.page.seed === null || this.page.seed === undefined ? {} : { seed: this.page.seed };
  }

  /** Show what is seen of a page at its size, where no picture of the whole is as large. */
  async #sharpen() {
    const { stage } = this;
    const part = stage.seen;
    if (stage.shownWidth <= LARGEST || part.left >= part.right || part.top >= part.bottom) return stage.setSharp(null);
    const query = new URLSearchParams(Object.entries(part).map(([side, at]) => [side, String(at)]));
    const page = await picture(`/pages/${this.page.id}/original?${query}`, this.stop.signal);
    stage.setSharp({ part, page, ink: inkOf(page) });
  }

  async #refine() {
    const width = this.#width();
    if (this.page.width > LARGEST) await this.#sharpen();
    if (width > this.loaded && this.loaded < this.page.width) {
      const whole = width === this.page.width && width < LARGEST;
      const finer = await picture(
        `/pages/${this.page.id}/original${whole ? "" : `?width=${width}`}`,
        this.stop.signal,
      );
      this.loaded = whole ? this.page.width : finer.width;
      this.stage.setPicture("original", finer);
    }
    if (this.asked && width > this.asked && app.value.live) {
      this.asked = width;
      this.live?.ask({ type: "paint", marks: this.marks(), width, stages: ["final"], ...this.#seed() });
    }
  }

  #openLive() {
    this.live = new Live(this.page.id, {
      picture: (stage, bitmap) => {
        if (stage === "final") void this.#makeStamp(bitmap);
        if (stage === "final") this.#tellOfPaper(bitmap);
        this.stage.setPicture(stage === "spread" ? "spread" : "result", bitmap);
        if (stage !== "spread") this.stage.setPicture("spread", null);
      },
      variant: (seed, bitmap) => (this.onVariant ? this.onVariant(seed, bitmap) : bitmap.close()),
      state: (liveState, problem) => {
        app.set({ liveState });
        if (problem) notify(problem.detail || t("error.compute"), "error");
      },
    });
  }

  /**
   * Say once why a stroke gave no colour, where the page stays paper.
   *
   * @param {ImageBitmap} bitmap
   */
  #tellOfPaper(bitmap) {
    const { newest } = this;
    this.newest = null;
    if (toldOfPaper || newest?.layer !== "hint" || newest.erase || isPaper(newest.color)) return;
    const places = newest.samples.slice(0, SAMPLED);
    const white = places.every(([x, y]) => isPaper(meanColor(pixelsOf(bitmap, { x, y }, 1)) ?? "#000000"));
    if (!white) return;
    toldOfPaper = true;
    notify(t("pages.paper"));
  }

  /**
   * Make the small picture of the page that lists show.
   *
   * @param {ImageBitmap} bitmap
   */
  async #makeStamp(bitmap) {
    const width = Math.min(STAMP, bitmap.width);
    const canvas = new OffscreenCanvas(
      width,
      Math.max(1, Math.round((bitmap.height * width) / bitmap.width)),
    );
    canvas.getContext("2d")?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    keepStamp(this.page.id, await canvas.convertToBlob({ type: "image/jpeg", quality: 0.85 }));
    app.set({ stamped: null });
    app.set({ stamped: this.page.id });
  }

  /**
   * @param {string} name
   * @param {string} revision
   * @param {(revision: string, closing: boolean) => Promise<string>} save
   * @returns {Saver}
   */
  #saver(name, revision, save) {
    return new Saver(revision, { save, tell: tellSaving(name), explain });
  }

  /**
   * @param {string} revision
   * @param {boolean} closing
   * @returns {Promise<string>}
   */
  async #saveMarks(revision, closing) {
    const path = `/pages/${this.page.id}/marks`;
    const saved = await request(path, {
      method: "PUT",
      json: { marks: this.marks() },
      revision,
      project: this.project,
      keepalive: closing,
    });
    return revisionOf(saved);
  }

  /**
   * @param {"rough" | "mask"} layer
   * @param {string} revision
   * @param {boolean} closing
   * @returns {Promise<string>}
   */
  async #saveLayer(layer, revision, closing) {
    const path = `/pages/${this.page.id}/${layer}`;
    const { strokes, stage } = this;
    const file = await layerFile(strokes, layer, stage.pictures[layer], stage.page);
    if (!file && revision === "0") return revision;
    const change = file ? { method: "PUT", body: file, type: "image/png" } : { method: "DELETE" };
    const saved = await request(path, { ...change, revision, project: this.project, keepalive: closing });
    return file ? revisionOf(saved) : "0";
  }

  /** @param {"rough" | "mask"} layer */
  async #loadLayer(layer) {
    try {
      this.stage.setPicture(layer, await picture(`/pages/${this.page.id}/${layer}`, this.stop.signal));
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 404)) throw error;
      this.stage.setPicture(layer, null);
    }
  }
}

/** @param {string} color @returns {boolean} */
function isPaper(color) {
  return rgbOf(color).every((channel) => channel >= PAPER);
}

/** @param {Response} response @returns {string} */
function revisionOf(response) {
  return (response.headers.get("ETag") ?? "").replace(/^W\//, "").replaceAll('"', "");
}
