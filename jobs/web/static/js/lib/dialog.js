/** Dialogs on the browser's own `<dialog>`: Escape closes, and the focus stays inside. */

import { freshId, h, icon } from "./dom.js";

/**
 * Open a dialog.
 * @param {string} title
 * @param {Node[]} content
 * @param {Node[]} [footer]
 * @returns {HTMLDialogElement} it is removed from the page when it closes
 */
export function openDialog(title, content, footer = []) {
  const id = freshId("dialog");
  const close = h(
    "button.plain.round",
    { type: "button", "aria-label": "Close", on: { click: () => dialog.close() } },
    icon("close"),
  );
  /** @type {HTMLDialogElement} */
  const dialog = h(
    "dialog",
    { "aria-labelledby": id },
    h("header", {}, h("h2", { id }, title), close),
    ...content,
    footer.length > 0 && h("footer", {}, footer),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** Close all dialogs, because the view that they belong to goes. */
export function closeDialogs() {
  for (const dialog of document.querySelectorAll("dialog")) dialog.close();
}

/**
 * Ask before something that cannot be undone.
 * @param {string} title
 * @param {string} text what will happen
 * @param {string} action the label of the button that does it
 * @returns {Promise<boolean>}
 */
export function confirmDialog(title, text, action) {
  return new Promise((resolve) => {
    const act = h("button.danger", { type: "button" }, action);
    const keep = h("button", { type: "button", autofocus: true }, "Keep it");
    const dialog = openDialog(title, [h("p", {}, text)], [keep, act]);
    let agreed = false;
    act.addEventListener("click", () => {
      agreed = true;
      dialog.close();
    });
    keep.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => resolve(agreed));
  });
}
