/** The items of a dataset: its ledger as pictures, with filters. */

import { faultNote } from "../lib/announce.js";
import { fill, h, icon } from "../lib/dom.js";
import { arrange, renew } from "../lib/renew.js";
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
    /** @type {Map<number, {row: string, element: HTMLElement}>} by the number of the item */
    this.tiles = new Map();
    this.limit = A_PAGE;
    const more = h("button", { type: "button", on: { click: () => this.#more() } }, "More items");
    this.more = h("div.pager", { hidden: true }, more);
    this.element.append(this.more);
    this.counted = "";
    this.timer = 0;
    this.asked = 0;
  }

  /** @param {any} job */
  show(job) {
    const counted = JSON.stringify(job.items);
    if (counted === this.counted) return;
    const isFirst = this.counted === "";
    this.counted = counted;
    // A wait that began again with each item would last as long as items arrive.
    this.timer ||= setTimeout(() => this.#load(), isFirst ? 0 : REFRESH_MS);
  }

  close() {
    clearTimeout(this.timer);
  }

  #filter() {
    const values = { ...this.filters.values(), layer: this.layer };
    history.replaceState(null, "", address(["jobs", this.job], values));
    this.limit = A_PAGE;
    this.#load();
  }

  #more() {
    this.limit = this.rows.length + A_PAGE;
    this.#load();
  }

  /** Read again what is shown. An answer to an earlier question may come late, and is dropped. */
  async #load() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.asked += 1;
    const { asked } = this;
    try {
      const { rows, next } = await this.#read();
      if (asked === this.asked) this.#tell(rows, next);
    } catch (error) {
      if (asked === this.asked)
        fill(
          this.below,
          faultNote(error, () => this.#load()),
        );
    }
  }

  async #read() {
    if (this.atlas === undefined) {
      this.atlas = await readAtlas(this.job);
      fill(this.layers, !this.layer && this.atlas && layerLinks(this.job, this.atlas));
    }
    const { layer, limit } = this;
    const asked = { ...this.filters.values(), layer, after: null, limit };
    return readRows(this.job, this.atlas, asked);
  }

  /**
   * @param {any[]} rows
   * @param {number | null} next null if there are no more
   */
  #tell(rows, next) {
    this.rows = rows;
    this.#arrange();
    renew(this.below, this.#empty());
    this.more.hidden = next === null || rows.length === 0;
  }

  /** Show the rows. A tile whose row is as before stays, and so do its picture and the focus. */
  #arrange() {
    const before = this.tiles;
    this.tiles = new Map();
    for (const one of this.rows) {
      const row = JSON.stringify(one);
      const kept = before.get(one.number);
      const isKept = kept?.row === row;
      this.tiles.set(one.number, isKept ? kept : { row, element: itemTile(this.job, one) });
    }
    arrange(
      this.list,
      [...this.tiles.values()].map(({ element }) => element),
    );
  }

  #empty() {
    if (this.rows.length > 0) return null;
    const isFiltered = Object.keys(this.filters.values()).length > 0;
    const text = isFiltered ? "No item matches." : "No item is finished yet.";
    return h("div.empty", {}, h("p", {}, text), isFiltered && this.filters.clearButton());
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
