/** Rows of a dataset's ledger, with what an atlas dreamed in each. */

import { get, jobPath, query } from "../lib/api.js";

/** The server searches a part of a long ledger at a time; so many parts are asked for at most. */
const MOST_PARTS = 20;

/** The most rows of one answer. */
const MOST_ROWS = 500;

/**
 * Read rows after a number.
 * @param {string} job
 * @param {import("./atlas.js").Atlas | null} atlas
 * @param {Record<string, any>} asked filters, `after`, `limit`, and `layer` of an atlas
 * @returns {Promise<{rows: any[], next: number | null}>} next: pass it as `after`
 */
export async function readRows(job, atlas, { layer, limit, ...filters }) {
  /** @type {any[]} */
  const found = [];
  let next = filters.after ?? null;
  for (let part = 0; part < MOST_PARTS; part += 1) {
    // Items of an atlas are named after their layer.
    const text = filters.text || layer;
    const asked = { ...filters, text, after: next, limit: Math.min(limit, MOST_ROWS) };
    const answer = await get(jobPath(job, "ledger") + query(asked));
    const rows = answer.rows.map((/** @type {any} */ row) => wholeRow(row, atlas));
    found.push(
      ...rows.filter((/** @type {any} */ row) => !layer || row.objective?.layer === layer),
    );
    next = answer.next;
    if (next === null || found.length >= limit) break;
  }
  return { rows: found, next };
}

/**
 * Read the row of an item, and the one after it.
 * @param {string} job
 * @param {import("./atlas.js").Atlas | null} atlas
 * @param {number} number
 * @returns {Promise<{row: any, following: any}>} undefined while there is no row
 */
export async function readRow(job, atlas, number) {
  const { rows } = await readRows(job, atlas, { after: number - 1, limit: 2 });
  const row = rows[0]?.number === number ? rows[0] : undefined;
  return { row, following: row ? rows[1] : rows[0] };
}

/**
 * @param {any} view a row as the server sends it, with the record in `row`
 * @param {import("./atlas.js").Atlas | null} atlas
 */
function wholeRow({ row, ...view }, atlas) {
  return { ...row, ...view, objective: atlas ? atlas.objectiveOf(row) : null };
}

/**
 * What an item is called: of an atlas, the neuron; else its picture.
 * @param {any} row
 */
export function itemName({ objective, name, key }) {
  if (objective?.channels?.length === 1) return `${objective.layer} · ${objective.channels[0]}`;
  return name || key;
}
