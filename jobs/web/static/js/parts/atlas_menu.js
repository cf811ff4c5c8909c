/** A menu of pictures: what the neurons of a network dream of, from the atlases in the store. */

import { get, query } from "../lib/api.js";
import { openDialog } from "../lib/dialog.js";
import { fill, h } from "../lib/dom.js";
import { readAtlas } from "./atlas.js";
import { itemName, readRows } from "./rows.js";

/** Pictures in the menu at once. */
const A_PAGE = 200;

/** Finished datasets of the network that are looked at, to find atlases among them. */
const MOST_CANDIDATES = 12;

/**
 * A choice of the menu: an atlas, or one of its layers.
 * @typedef {{title: string, job: string, atlas: import("./atlas.js").Atlas, layer: string | null}} Sheet
 */

/** A button that opens the menu; it is hidden where there is no atlas of the network. */
export class AtlasMenu {
  /** @param {(objective: any) => void} onChoose */
  constructor(onChoose) {
    this.onChoose = onChoose;
    this.button = h(
      "button",
      { type: "button", hidden: true, on: { click: () => this.#open() } },
      "Choose by pictures",
    );
    this.network = "";
    /** @type {Sheet[]} */
    this.sheets = [];
  }

  /** @param {string} network */
  async followNetwork(network) {
    if (network === this.network) return;
    this.network = network;
    this.button.hidden = true;
    try {
      const sheets = await findSheets(network);
      if (network !== this.network) return;
      this.sheets = sheets;
      this.button.hidden = sheets.length === 0;
    } catch {
      // Without a menu of pictures there is the list of names.
    }
  }

  #open() {
    const list = h("ul.menu");
    const select = h("select", { "aria-label": "Atlas" });
    this.sheets.forEach(({ title }, index) => {
      select.append(h("option", { value: String(index) }, title));
    });
    const show = () => this.#show(list, this.sheets[Number(select.value)], () => dialog.close());
    select.addEventListener("input", show);
    const dialog = openDialog(`What ${this.network} dreams of`, [select, list]);
    show();
  }

  /**
   * @param {HTMLElement} list
   * @param {Sheet} sheet
   * @param {() => void} close
   */
  async #show(list, { job, atlas, layer }, close) {
    const asked = { state: "done", layer, after: null, limit: A_PAGE };
    try {
      const { rows } = await readRows(job, atlas, asked);
      fill(
        list,
        rows.map((row) => this.#picture(row, close)),
      );
    } catch (error) {
      fill(list, h("li", {}, error instanceof Error ? error.message : String(error)));
    }
  }

  /**
   * @param {any} row
   * @param {() => void} close
   */
  #picture(row, close) {
    const pick = () => {
      close();
      this.onChoose(row.objective);
    };
    return h(
      "li",
      {},
      h(
        "button.plain",
        { type: "button", on: { click: pick } },
        h("img", { src: row.after, alt: "", loading: "lazy" }),
        h("span.small", {}, itemName(row)),
      ),
    );
  }
}

/**
 * The atlases of a network, the newest first, and the layers of each.
 * @param {string} network
 * @returns {Promise<Sheet[]>}
 */
async function findSheets(network) {
  const asked = { kind: "dataset", state: "succeeded", limit: 200 };
  const { jobs } = await get(`/jobs${query(asked)}`);
  const fitting = jobs.filter((/** @type {any} */ job) => job.network === network);
  const sheets = fitting.slice(0, MOST_CANDIDATES).map(async (/** @type {any} */ { job, name }) => {
    const atlas = await readAtlas(job);
    if (atlas === null) return [];
    const layers = atlas.layers.map(({ layer }) => ({
      title: `${name}: ${layer}`,
      job,
      atlas,
      layer,
    }));
    return layers.length > 0 ? layers : [{ title: name, job, atlas, layer: null }];
  });
  return (await Promise.all(sheets)).flat();
}
