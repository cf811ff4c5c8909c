/** The items of a dataset: its ledger as pictures, with filters. */

import { faultNote } from "../lib/announce.js";
import { fill, h, icon } from "../lib/dom.js";
import { address } from "../lib/router.js";
import { layerLinks, readAtlas } from "./atlas.js";
import { choiceField, filterRow, textField } from "./filters.js";
import { itemName, readRows } from "./rows.js";

const A_PAGE = 96;

/** While items arrive, the list is read again this often at most. */
const REFRESH_MS = 3000;

/** @type {[string, string][]} */
const STATES = [
  ["done", "Done"],
  ["failed", "Failed"],
];

/** Why an item failed, as classes of failures. */
const FAILURES = /** @type {[string, string][]} */ ([
  ["input", "The picture is bad"],
  ["memory", "Too little memory"],
  ["infra", "A machine was lost"],
  ["bug", "A defect"],
]);

/** The ledger of one dataset. */
export class Items {
  /**
   * @param {string} job
   * @param {import("../lib/router.js").Route} route its query has the filters
   */
  constructor(job, route) {
    this.job = job;
    const given = route.query;
    this.layer = given.get("layer");
    this.filters = filterRow(
      "Which items",
      [
        { name: "text", label: "Name", element: textField(given.get("text"), "part of a name") },
        { name: "state", label: "Result", element: choiceField(STATES, "All", given.get("state")) },
        {
          name: "failure",
          label: "Failure",
          element: choiceField(FAILURES, "Any", given.get("failure")),
        },
      ],
      () => this.#filter(),
    );
    this.list = h("ul.items");
    this.below = h("div");
    this.layers = h("div");
    const title = this.layer ? `Layer ${this.layer}` : "Items";
    this.element = h(
      "section.ledger",
      { "aria-label": title },
      h(
        "div.heading",
        {},
        h("h2", {}, title),
        this.layer && h("a", { href: address(["jobs", job]) }, "All layers"),
      ),
      this.layers,
      this.filters.element,
      this.list,
      this.below,
    );
    /** @type {import("./atlas.js").Atlas | null | undefined} undefined until it is known */
    this.atlas = undefined;
    /** @type {any[]} */
    this.rows = [];
    this.counted = "";
    this.timer = 0;
  }

  /** @param {any} job */
  show(job) {
    const counted = JSON.stringify(job.items);
    if (counted === this.counted) return;
    const isFirst = this.counted === "";
    this.counted = counted;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#load(), isFirst ? 0 : REFRESH_MS);
  }

  #filter() {
    const values = { ...this.filters.values(), layer: this.layer };
    history.replaceState(null, "", address(["jobs", this.job], values));
    this.rows = [];
    this.#load();
  }

  /** Read again what is shown, and at least a page. */
  async #load() {
    await this.#try(async () => {
      if (this.atlas === undefined) {
        this.atlas = await readAtlas(this.job);
        fill(this.layers, !this.layer && this.atlas && layerLinks(this.job, this.atlas));
      }
      await this.#read(null, Math.max(A_PAGE, this.rows.length), []);
    });
  }

  /** @param {() => Promise<void>} act */
  async #try(act) {
    try {
      await act();
    } catch (error) {
      fill(
        this.below,
        faultNote(error, () => this.#load()),
      );
    }
  }

  /**
   * @param {number | null} after the number of the last row before
   * @param {number} limit
   * @param {any[]} before rows that stay
   */
  async #read(after, limit, before) {
    const asked = { ...this.filters.values(), layer: this.layer, after, limit };
    const { rows, next } = await readRows(this.job, this.atlas ?? null, asked);
    this.rows = [...before, ...rows];
    fill(
      this.list,
      this.rows.map((row) => itemTile(this.job, row)),
    );
    fill(this.below, this.#end(next));
  }

  /** @param {number | null} next */
  #end(next) {
    if (this.rows.length === 0) {
      const isFiltered = Object.keys(this.filters.values()).length > 0;
      const text = isFiltered ? "No item matches." : "No item is finished yet.";
      return h("div.empty", {}, h("p", {}, text), isFiltered && this.filters.clearButton());
    }
    if (next === null) return null;
    const more = () => this.#try(() => this.#read(next, A_PAGE, this.rows));
    return h("div.pager", {}, h("button", { type: "button", on: { click: more } }, "More items"));
  }
}

/**
 * The address of an item's own page.
 * @param {string} job
 * @param {number} number
 */
export function itemAddress(job, number) {
  return address(["jobs", job, "items", String(number)]);
}

/**
 * @param {string} job
 * @param {any} row of the ledger
 */
function itemTile(job, row) {
  const picture = row.after
    ? h("img", { src: row.after, alt: "", loading: "lazy", decoding: "async" })
    : icon("picture");
  return h(
    "li.item",
    { data: { state: row.state } },
    h(
      "a",
      { href: itemAddress(job, row.number) },
      h("span.picture", {}, picture),
      h("span.item-name.small", {}, itemName(row)),
      row.state === "failed" &&
        h("span.item-fault.small", {}, `Failed: ${row.message ?? row.failure}`),
    ),
  );
}
