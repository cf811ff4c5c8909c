/** Messages that appear for a moment and that screen readers speak. */

import { h, setText } from "./dom.js";

const SHOWN_MS = 6000;

/**
 * Say something at the lower edge of the page.
 * @param {string} text
 */
export function announce(text) {
  const toasts = /** @type {HTMLElement} */ (document.getElementById("toasts"));
  const toast = h("p.toast", {}, text);
  toasts.append(toast);
  setTimeout(() => toast.remove(), SHOWN_MS);
}

/**
 * Say at the top of the page that the server does not answer, until it does.
 * @param {string | null} text null when all is well again
 */
export function showConnection(text) {
  const banner = /** @type {HTMLElement} */ (document.getElementById("connection"));
  banner.hidden = text === null;
  setText(banner, text ?? "");
}

/**
 * An error in the place where the content would be.
 * @param {unknown} error
 * @param {(() => void) | null} [again] offers a button to try again
 */
export function faultNote(error, again = null) {
  return h(
    "div.fault",
    { role: "alert" },
    h("p", {}, error instanceof Error ? error.message : String(error)),
    again && h("p", {}, h("button", { type: "button", on: { click: again } }, "Try again")),
  );
}
