// The settings of the book, as the server describes them.

import { app, changeProject } from "../app.js";
import { h } from "../core/dom.js";
import { settingField } from "./fields.js";

/**
 * @param {() => void} changed called once a change is saved
 * @returns {HTMLElement}
 */
export function settingsPanel(changed) {
  const { described, project } = app.value;
  const values = project?.settings ?? {};
  const fields = described.settings.map((setting) =>
    settingField(setting, values[setting.name], async (value) => {
      await changeProject({ settings: { [setting.name]: value } });
      changed();
    }),
  );
  return h("div", { class: "settings" }, fields);
}
