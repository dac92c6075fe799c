// One tooltip for the whole page: the name of a control and its key, on hover and on focus by keyboard.

import { h } from "./dom.js";

const PAUSE = 350;
const GAP = 8;

const tip = h("div", { class: "tooltip", role: "tooltip", "aria-hidden": "true" });
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** Show the text in `data-tip` of whatever is pointed at or focused. */
export function showTooltips() {
  document.body.appendChild(tip);
  document.addEventListener("pointerover", (event) => event.pointerType === "mouse" && later(event.target));
  document.addEventListener("pointerdown", hide);
  document.addEventListener("focusin", ({ target }) => {
    if (target instanceof Element && target.matches(":focus-visible")) later(target);
    else hide();
  });
  document.addEventListener("focusout", hide);
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
}

/** @param {EventTarget | null} target */
function later(target) {
  hide();
  const owner = target instanceof Element ? target.closest("[data-tip]") : null;
  if (owner instanceof HTMLElement) timer = setTimeout(() => show(owner), PAUSE);
}

/** @param {HTMLElement} owner */
function show(owner) {
  if (!owner.isConnected) return;
  const place = owner.closest("dialog") ?? document.body;
  place.appendChild(tip);
  tip.textContent = owner.dataset.tip ?? "";
  tip.classList.add("shown");
  const box = owner.getBoundingClientRect();
  const own = tip.getBoundingClientRect();
  const below = box.bottom + GAP + own.height < innerHeight;
  const beside = box.width < 60 && box.left < 70 && innerWidth > 700;
  const left = beside ? box.right + GAP : box.left + (box.width - own.width) / 2;
  const top = beside
    ? box.top + (box.height - own.height) / 2
    : below
      ? box.bottom + GAP
      : box.top - GAP - own.height;
  tip.style.left = `${Math.max(GAP, Math.min(innerWidth - own.width - GAP, left))}px`;
  tip.style.top = `${Math.max(GAP, top)}px`;
}

function hide() {
  clearTimeout(timer);
  tip.classList.remove("shown");
}
