/** The dialog in which a job that has reached a limit gets a higher one. */

import { openDialog } from "../lib/dialog.js";
import { freshId, h } from "../lib/dom.js";

/** @type {Record<string, {label: string, hint: number}>} */
const UNITS = {
  usd: { label: "More US dollars", hint: 20 },
  hours: { label: "More hours with workers", hint: 1 },
};

/**
 * Ask by how much to raise a job's limits.
 * @param {any} job with `limits`
 * @param {(raised: Record<string, number>) => Promise<void>} onRaise gets what was filled in
 */
export function raiseDialog(job, onRaise) {
  const fields = Object.keys(job.limits).map((unit) => ({ unit, field: amountField(unit) }));
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const given = fields.filter(({ field }) => field.value);
    dialog.close();
    await onRaise(Object.fromEntries(given.map(({ unit, field }) => [unit, field.valueAsNumber])));
  };
  const form = h(
    "form.stack",
    { on: { submit } },
    h("p.small", {}, job.reason),
    fields.flatMap(({ unit, field }) => [h("label", { for: field.id }, UNITS[unit].label), field]),
    h("button.primary", { type: "submit" }, "Raise and go on"),
  );
  const dialog = openDialog(`Raise the limit of ${job.name}`, [form]);
  fields[0]?.field.focus();
}

/**
 * @param {string} unit
 * @returns {HTMLInputElement}
 */
function amountField(unit) {
  return h("input", {
    id: freshId(unit),
    type: "number",
    min: 0.01,
    step: "any",
    placeholder: UNITS[unit].hint,
  });
}
