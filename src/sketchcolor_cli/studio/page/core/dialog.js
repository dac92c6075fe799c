// Dialogs: the browser's own, which keep the focus inside and close with Escape.

import { append, h } from "./dom.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";

/**
 * Open a dialog.
 *
 * @param {string} title
 * @param {{class?: string, closed?: () => void}} look
 * @param {...import("./dom.js").Child} children
 * @returns {HTMLDialogElement}
 */
export function openDialog(title, look, ...children) {
  const heading = h("h2", { id: `dialog-${Date.now()}`, tabindex: -1 }, title);
  const close = h(
    "button",
    {
      type: "button",
      class: "button icon-button",
      "aria-label": t("action.close"),
      dataset: { tip: `${t("action.close")}  ·  Esc` },
    },
    icon("close"),
  );
  const dialog = h("dialog", { class: `dialog ${look.class ?? ""}`, "aria-labelledby": heading.id });
  append(dialog, [h("header", { class: "dialog-head" }, heading, close), ...children]);
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => {
    dialog.remove();
    look.closed?.();
  });
  document.body.appendChild(dialog);
  dialog.showModal();
  heading.focus();
  return dialog;
}

/**
 * Ask whether to do something that cannot be undone.
 *
 * @param {string} question
 * @param {string} yes
 * @returns {Promise<boolean>}
 */
export function confirmed(question, yes) {
  return new Promise((resolve) => {
    let answer = false;
    const decide = (/** @type {boolean} */ chosen) => () => {
      answer = chosen;
      dialog.close();
    };
    const dialog = openDialog(
      t("action.sure"),
      { class: "narrow", closed: () => resolve(answer) },
      h("p", {}, question),
      h(
        "div",
        { class: "dialog-foot" },
        h("button", { type: "button", class: "button", onclick: decide(false) }, t("action.cancel")),
        h("button", { type: "button", class: "button primary", onclick: decide(true) }, yes),
      ),
    );
  });
}
