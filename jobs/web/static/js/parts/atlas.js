/** Atlases: datasets whose sweep has one objective for each picture. */

import { get, jobPath } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { plural } from "../lib/format.js";
import { address } from "../lib/router.js";

/** What a dataset dreams by its objectives, if it is an atlas. */
export class Atlas {
  /** @param {any} spec of a dataset */
  constructor(spec) {
    /** @type {any[]} of each variant */
    this.objectives = spec.sweep.objectives.map((/** @type {any[]} */ [one]) => one);
    this.network = spec.network;
  }

  /** The layers from which it has single channels, and how many of each. */
  get layers() {
    /** @type {Map<string, number>} */
    const counts = new Map();
    for (const { layer, channels } of this.objectives) {
      if (channels) counts.set(layer, (counts.get(layer) ?? 0) + 1);
    }
    return [...counts].map(([layer, items]) => ({ layer, items }));
  }

  /**
   * The objective of a row of the ledger, without what is not set.
   * @param {any} row
   */
  objectiveOf(row) {
    const all = Object.entries(this.objectives[row.variant] ?? {});
    return Object.fromEntries(all.filter(([, value]) => value !== null));
  }
}

/**
 * The atlas that a dataset is; null for any other dataset.
 * @param {string} job
 */
export async function readAtlas(job) {
  const spec = await get(jobPath(job, "spec"));
  const sweep = spec.sweep ?? {};
  const isAtlas =
    Object.keys(sweep).join() === "objectives" &&
    sweep.objectives.every((/** @type {any} */ mix) => Array.isArray(mix) && mix.length === 1);
  return isAtlas ? new Atlas(spec) : null;
}

/**
 * Links to a page for each layer; null if there is but one, or none.
 * @param {string} job
 * @param {Atlas} atlas
 */
export function layerLinks(job, atlas) {
  const { layers } = atlas;
  if (layers.length < 2) return null;
  return h(
    "nav.layers",
    { "aria-label": "Layers" },
    h(
      "ul",
      {},
      layers.map(({ layer, items }) =>
        h(
          "li",
          {},
          h("a", { href: address(["jobs", job], { layer }) }, layer),
          h("span.soft.small", {}, plural(items, "picture")),
        ),
      ),
    ),
  );
}

/**
 * The address of a form that dreams a picture by one objective of an atlas.
 * @param {Atlas} atlas
 * @param {any} objective
 */
export function dreamAddress(atlas, objective) {
  const { name, weights } = atlas.network;
  return address(["new"], { network: name, weights, objective: JSON.stringify(objective) });
}
