/** One item of a dataset, or one neuron of an atlas: before, after, and its row of the ledger. */

import { faultNote } from "../lib/announce.js";
import { fill, h, icon, setText } from "../lib/dom.js";
import { duration, pixels } from "../lib/format.js";
import { address } from "../lib/router.js";
import { dreamAddress, readAtlas } from "../parts/atlas.js";
import { Compare } from "../parts/compare.js";
import { factList } from "../parts/facts.js";
import { itemAddress } from "../parts/items.js";
import { objectiveTitle } from "../parts/objectives_field.js";
import { itemName, readRow } from "../parts/rows.js";

/** The longest side of the pictures, in pixels. */
const SIDE = 1024;

/**
 * @param {string} job
 * @param {number} number of the item
 * @returns {import("../lib/router.js").View}
 */
export function itemView(job, number) {
  const heading = h("h1", {}, `Item ${number}`);
  const body = h("div");
  const element = h(
    "article",
    {},
    h("p.small", {}, h("a", { href: address(["jobs", job]) }, "All items of this job")),
    h("div.heading", {}, heading),
    body,
  );
  load(job, number, heading, body);
  return { title: `Item ${number} of ${job}`, element };
}

/**
 * @param {string} job
 * @param {number} number
 * @param {HTMLElement} heading
 * @param {HTMLElement} body
 */
async function load(job, number, heading, body) {
  try {
    const atlas = await readAtlas(job);
    const { row, following } = await readRow(job, atlas, number);
    if (row === undefined) {
      const text = "This item is not finished yet.";
      fill(body, h("div.empty", {}, h("p", {}, text)), neighbours(job, number, following));
      return;
    }
    setText(heading, itemName(row));
    const dream = atlas && dreamAddress(atlas, row.objective);
    fill(
      body,
      picture(row),
      dream && h("p.item-link", {}, h("a.button", { href: dream }, "Dream a picture with this")),
      rowFacts(row),
      neighbours(job, number, following),
    );
  } catch (error) {
    fill(
      body,
      faultNote(error, () => load(job, number, heading, body)),
    );
  }
}

/** @param {any} row */
function picture(row) {
  if (!row.after) {
    const why = row.message ?? "There is no picture of it.";
    return h("div.stage-empty", {}, icon("picture"), h("p", {}, why));
  }
  const after = large(row.after);
  const alone = h("img.alone", { src: after, alt: `The dream of ${itemName(row)}` });
  // An atlas starts from noise, which is no picture to compare with.
  if (row.objective) return alone;
  const compare = new Compare();
  compare.show({ address: large(row.before), name: "Before" }, { address: after, name: "After" });
  // The server cannot read pictures that were not uploaded, unless it was told where they are.
  compare.before.addEventListener("error", () => compare.element.replaceWith(alone));
  return compare.element;
}

/** @param {string} source of a thumbnail */
function large(source) {
  const [path, given] = source.split("?");
  const values = new URLSearchParams(given);
  values.set("side", String(SIDE));
  return `${path}?${values}`;
}

/** @param {any} row */
function rowFacts(row) {
  return factList([
    ["Result", row.state === "done" ? "Done" : `Failed (${row.failure})`],
    ["Why", row.message],
    ["Picture", !row.objective && row.key],
    ["Objective", row.objective && objectiveTitle(row.objective)],
    ["Size", row.width ? pixels(row.width, row.height) : null],
    ["File", row.member ?? row.output],
    ["Took", row.seconds ? `${duration(row.seconds)}, ${attempts(row)}` : null],
    ["Worker", row.worker],
    ["Seed", row.seed],
  ]);
}

/** @param {any} row */
function attempts(row) {
  return row.attempts > 1 ? `after ${row.attempts} attempts` : "at the first attempt";
}

/**
 * @param {string} job
 * @param {number} number
 * @param {any} next the row after this one
 */
function neighbours(job, number, next) {
  return h(
    "nav.pager",
    { "aria-label": "Items" },
    number > 0 && h("a.button", { href: itemAddress(job, number - 1) }, "Previous"),
    next && h("a.button", { href: itemAddress(job, next.number) }, "Next"),
  );
}
