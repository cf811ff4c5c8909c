/** The filters above a list: each changes the address, so that a view can be kept and shared. */

import { get } from "../lib/api.js";
import { freshId, h } from "../lib/dom.js";
import { STATES, stateWord } from "../lib/states.js";

const TYPING_MS = 250;

/**
 * @typedef {object} Filters
 * @property {HTMLElement} element
 * @property {() => Record<string, string>} values those that are set
 * @property {() => HTMLElement} clearButton
 */

/**
 * A row of fields that say what a list shows.
 * @param {string} label of the row, for screen readers
 * @param {{name: string, label: string, element: any}[]} fields
 * @param {() => void} onChange
 * @returns {Filters}
 */
export function filterRow(label, fields, onChange) {
  let timer = 0;
  const change = () => {
    clearTimeout(timer);
    // The reader may have left meanwhile, and the address is another view's.
    timer = setTimeout(() => element.isConnected && onChange(), TYPING_MS);
  };
  const element = h("form.filters", { "aria-label": label, on: { submit: stop } });
  for (const field of fields) {
    const id = freshId(field.name);
    field.element.id = id;
    field.element.addEventListener("input", change);
    element.append(h("label", { for: id }, field.label, field.element));
  }
  const clear = () => {
    for (const field of fields) field.element.value = "";
    onChange();
  };
  return {
    element,
    values: () =>
      Object.fromEntries(
        fields.map(({ name, element: one }) => [name, one.value.trim()]).filter(([, text]) => text),
      ),
    clearButton: () => h("button", { type: "button", on: { click: clear } }, "Clear the filters"),
  };
}

/** @param {Event} event */
function stop(event) {
  event.preventDefault();
}

/**
 * A list of choices, the first of which means all.
 * @param {[string, string][]} choices value and text
 * @param {string} all text of the first
 * @param {string | null} chosen
 */
export function choiceField(choices, all, chosen) {
  const select = h("select", {}, h("option", { value: "" }, all));
  for (const [value, text] of choices) select.append(h("option", { value }, text));
  select.value = chosen ?? "";
  return select;
}

/**
 * @param {string | null} value
 * @param {string} hint
 */
export function textField(value, hint) {
  return h("input", { type: "search", value: value ?? "", placeholder: hint, autocomplete: "off" });
}

/**
 * The filters of the jobs.
 * @param {URLSearchParams} given
 * @param {() => void} onChange
 */
export function jobFilters(given, onChange) {
  const states = STATES.map((state) => /** @type {[string, string]} */ ([state, stateWord(state)]));
  const looks = choiceField([], "All", null);
  fillLooks(looks, given.get("look"));
  return filterRow(
    "Which jobs",
    [
      { name: "name", label: "Name", element: textField(given.get("name"), "part of a name") },
      { name: "state", label: "State", element: choiceField(states, "All", given.get("state")) },
      { name: "look", label: "Look", element: looks },
      {
        name: "submitter",
        label: "Submitted by",
        element: textField(given.get("submitter"), "anyone"),
      },
    ],
    onChange,
  );
}

/**
 * @param {HTMLSelectElement} select
 * @param {string | null} chosen
 */
async function fillLooks(select, chosen) {
  if (chosen) select.append(h("option", { value: chosen }, chosen));
  select.value = chosen ?? "";
  try {
    const { looks } = await get("/looks");
    for (const { look } of looks) {
      if (look !== chosen) select.append(h("option", { value: look }, look));
    }
  } catch {
    // The other filters work without the names of the looks.
  }
}

/**
 * Whether a job passes the filters, as the server decides it.
 * @param {any} job
 * @param {Record<string, string>} values
 */
export function matches(job, { name, state, look, submitter }) {
  return (
    (!name || job.job.includes(name.toLowerCase())) &&
    (!state || job.state === state) &&
    (!look || job.look === look) &&
    (!submitter || job.submitter?.toLowerCase().includes(submitter.toLowerCase()))
  );
}
