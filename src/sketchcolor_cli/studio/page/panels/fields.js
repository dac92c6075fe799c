// Controls for settings that the server describes.

import { h } from "../core/dom.js";
import { t, tOr } from "../core/i18n.js";

/** @typedef {import("../app.js").Setting} Setting */

/**
 * Build the control of a setting.
 *
 * @param {Setting} setting
 * @param {any} value
 * @param {(value: any) => void} changed
 * @returns {HTMLElement}
 */
export function settingField(setting, value, changed) {
  const id = `setting-${setting.name}`;
  const help = tOr(`setting.${setting.name}.help`, setting.help);
  const label = tOr(`setting.${setting.name}`, setting.name.replaceAll("_", " "));
  const control = CONTROLS[setting.kind](setting, value, changed);
  control.id = id;
  control.setAttribute("aria-describedby", `${id}-help`);
  return h(
    "div",
    { class: `field field-${setting.kind}`, dataset: { setting: setting.name } },
    h("label", { for: id }, label),
    control,
    h("p", { class: "field-help", id: `${id}-help` }, help),
  );
}

/** @typedef {(value: any) => void} Changed */

/** @param {Setting} _setting @param {boolean} value @param {Changed} changed */
function checkBox(_setting, value, changed) {
  const box = h("input", { type: "checkbox", class: "switch", checked: Boolean(value) });
  box.addEventListener("change", () => changed(box.checked));
  return box;
}

/** @param {Setting} setting @param {string | null} value @param {Changed} changed */
function menu(setting, value, changed) {
  const choices = setting.nullable ? ["", ...(setting.choices ?? [])] : (setting.choices ?? []);
  const names = choices.map((choice) =>
    choice === "" ? t("choice.none") : tOr(`choice.${setting.name}.${choice}`, choice),
  );
  const select = h(
    "select",
    { class: "select" },
    choices.map((choice, at) => h("option", { value: choice }, names[at])),
  );
  select.value = value ?? "";
  select.addEventListener("change", () => changed(select.value === "" ? null : select.value));
  return select;
}

/** @param {Setting} setting @param {number | null} value @param {Changed} changed */
function numberBox(setting, value, changed) {
  const step = setting.kind === "int" ? 1 : 0.05;
  const box = h("input", {
    type: "number",
    class: "input",
    min: setting.least,
    max: setting.most,
    step,
    value: value === null ? "" : String(value),
  });
  box.addEventListener("change", () => {
    if (box.value === "" && setting.nullable && box.validity.valid) {
      changed(null);
      return;
    }
    if (box.value === "" || !box.checkValidity()) {
      box.reportValidity();
      return;
    }
    changed(box.valueAsNumber);
  });
  return box;
}

/** @param {Setting} _setting @param {string} value @param {Changed} changed */
function textBox(_setting, value, changed) {
  const box = h("input", { type: "text", class: "input", value: value ?? "" });
  box.addEventListener("change", () => changed(box.value));
  return box;
}

/** @type {Record<Setting["kind"], (setting: Setting, value: any, changed: Changed) => HTMLElement>} */
const CONTROLS = { bool: checkBox, choice: menu, float: numberBox, int: numberBox, text: textBox };
