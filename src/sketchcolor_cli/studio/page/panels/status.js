// How things stand: saved or not, computing or not, and what to do when two windows disagree.

import { app, attempt, saverOfProject, setProject } from "../app.js";
import { json } from "../core/api.js";
import { fill, h } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { icon } from "../core/icons.js";

/** @typedef {import("../core/saver.js").SaveState} SaveState */

const WORST = /** @type {SaveState[]} */ (["conflict", "failed", "offline", "saving", "waiting", "saved"]);

/** @returns {{element: HTMLElement, close: () => void}} */
export function statusLine() {
  const saving = h("span", { class: "save-state", role: "status" });
  const live = h("span", { class: "live-state", role: "status" });
  const ends = [
    app.watch(["saving"], ({ saving: all }) => {
      const state = WORST.find((state) => Object.values(all).includes(state)) ?? "saved";
      saving.dataset.state = state;
      fill(
        saving,
        icon(state === "saved" ? "check" : state === "saving" || state === "waiting" ? "retry" : "warning"),
        h("span", {}, t(`saving.${state}`)),
      );
    }),
    app.watch(["liveState", "worker"], ({ liveState, worker }) => {
      const state = worker === "starting" ? "starting" : worker === "failed" ? "failed" : liveState;
      live.dataset.state = state;
      fill(live, h("span", { class: "pulse" }), h("span", {}, t(`live.${state}`)));
    }),
  ];
  return { element: h("div", { class: "status" }, live, saving), close: () => ends.forEach((end) => end()) };
}

/**
 * Build the notice that two windows changed the same thing.
 *
 * @param {() => import("../canvas/session.js").Session | null} session
 * @returns {{element: HTMLElement, close: () => void}}
 */
export function conflictNotice(session) {
  const element = h("div", { class: "banner", role: "alert" });
  const end = app.watch(["saving"], ({ saving }) => {
    element.hidden = !Object.values(saving).includes("conflict");
    if (element.hidden) return fill(element);
    const choose = (/** @type {boolean} */ mine) => () => void attempt(() => settle(session(), mine));
    fill(
      element,
      icon("warning"),
      h("span", {}, t(saving.project === "conflict" ? "conflict.project" : "conflict.text")),
      h("button", { type: "button", class: "button small", onclick: choose(false) }, t("conflict.theirs")),
      h(
        "button",
        { type: "button", class: "button small primary", onclick: choose(true) },
        t("conflict.mine"),
      ),
    );
  });
  return { element, close: end };
}

/**
 * @param {import("../canvas/session.js").Session | null} session
 * @param {boolean} mine
 */
async function settle(session, mine) {
  for (const layer of session?.conflicts ?? [])
    await (mine ? session?.keepMine(layer) : session?.takeTheirs(layer));
  const saver = saverOfProject();
  if (saver?.state !== "conflict") return;
  const theirs = await json("/project");
  if (mine) saver.settle(theirs.revision, true);
  else setProject(theirs, false);
}
