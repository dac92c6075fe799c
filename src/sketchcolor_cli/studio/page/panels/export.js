// Export: the same as `sketchcolor colorize`, with the same settings.

import { app } from "../app.js";
import { openDialog } from "../core/dialog.js";
import { fill, h } from "../core/dom.js";
import { t, tn } from "../core/i18n.js";
import { icon } from "../core/icons.js";
import { kept, keep } from "../core/kept.js";
import { routeOf } from "../core/router.js";
import { settingField } from "./fields.js";
import { knowsExport } from "./firsthint.js";
import { jobCard, startJob } from "./jobs.js";

/** Open the dialog. */
export function openExport() {
  knowsExport();
  const settings = usableSettings();
  const values = {
    ...Object.fromEntries(settings.map((setting) => [setting.name, setting.default])),
    ...knownValues(settings),
  };
  const scope = { value: "all" };
  const outcome = h("div", { class: "export-outcome", role: "status" });
  /** @type {{close: () => void} | null} */
  let card = null;
  const run = async () => {
    keep("export", values);
    start.disabled = true;
    const job = await startJob({ ...values, pages: pagesOf(scope.value) });
    start.disabled = false;
    if (!job) return;
    card?.close();
    const shown = jobCard(job.id);
    card = shown;
    fill(outcome, shown.element);
    shown.element.scrollIntoView({ block: "nearest" });
  };
  const start = h(
    "button",
    { type: "submit", class: "button primary" },
    icon("export"),
    h("span", {}, t("export.start")),
  );
  const fields = settings.map((setting) =>
    settingField(setting, values[setting.name], (value) => (values[setting.name] = value)),
  );
  const form = h(
    "form",
    { class: "export-form", novalidate: true },
    scopes(scope),
    h("div", { class: "export-fields" }, fields),
    h("div", { class: "dialog-foot" }, start),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void run();
  });
  openDialog(t("command.export"), { class: "export", closed: () => card?.close() }, form, outcome);
}

/**
 * Return the settings of an export; pages that came out of a book go back into it unless another is chosen.
 *
 * @returns {import("../app.js").Setting[]}
 */
function usableSettings() {
  const fromBook = Boolean(app.value.project?.books.length);
  return app.value.described.export.map((setting) => {
    if (setting.name !== "book") return setting;
    return fromBook
      ? { ...setting, default: "same" }
      : { ...setting, choices: (setting.choices ?? []).filter((choice) => choice !== "same") };
  });
}

/**
 * Return what was chosen the last time, as far as it can still be chosen.
 *
 * @param {import("../app.js").Setting[]} settings
 * @returns {Record<string, any>}
 */
function knownValues(settings) {
  const last = /** @type {Record<string, any>} */ (kept("export", {}));
  const usable = settings.filter(
    ({ name, choices }) => name in last && (!choices || choices.includes(last[name])),
  );
  return Object.fromEntries(usable.map(({ name }) => [name, last[name]]));
}

/** @param {{value: string}} scope @returns {HTMLElement} */
function scopes(scope) {
  const pages = app.value.project?.pages ?? [];
  const done = pages.filter((page) => page.state === "done").length;
  const onPage = routeOf(location.hash).screen === "page";
  const choices = [
    ["all", tn("export.all", pages.length)],
    ...(onPage ? [["page", t("export.page")]] : []),
    ...(done ? [["done", tn("export.done", done)]] : []),
  ];
  const radios = choices.map(([value, text]) => {
    const radio = h("input", { type: "radio", name: "scope", value, checked: value === scope.value });
    radio.addEventListener("change", () => (scope.value = value));
    return h("label", { class: "choice" }, radio, h("span", {}, text));
  });
  return h("fieldset", { class: "segmented" }, h("legend", {}, t("export.scope")), radios);
}

/** @param {string} scope @returns {string[] | null} */
function pagesOf(scope) {
  if (scope === "all") return null;
  if (scope === "page") return [/** @type {string} */ (routeOf(location.hash).page)];
  return (app.value.project?.pages ?? []).filter((page) => page.state === "done").map((page) => page.id);
}
