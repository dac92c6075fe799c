// The settings of the book, as the server describes them.

import { app, changeProject } from "../app.js";
import { fill, h } from "../core/dom.js";
import { settingField } from "./fields.js";

/**
 * @param {() => void} changed called once a change is saved
 * @returns {{element: HTMLElement, close: () => void}}
 */
export function settingsPanel(changed) {
  const element = h("div", { class: "settings" });
  let shown = "";
  const change = async (/** @type {string} */ name, /** @type {any} */ value) => {
    shown = JSON.stringify({ ...app.value.project?.settings, [name]: value }); // its field shows it already
    await changeProject({ settings: { [name]: value } });
    changed();
  };
  const close = app.watch(["project", "described"], ({ project, described }) => {
    const settings = project?.settings ?? {};
    if (JSON.stringify(settings) === shown) return;
    shown = JSON.stringify(settings);
    fill(
      element,
      described.settings.map((setting) =>
        settingField(setting, settings[setting.name], (value) => change(setting.name, value)),
      ),
    );
  });
  return { element, close };
}
