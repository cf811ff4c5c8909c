/** What fields of a form are called, where the name in a spec does not say it well. */

import { words } from "./format.js";

/** By the title of the object in the schema, and the name of its property. */
/** @type {Record<string, Record<string, string>>} */
const LABELS = {
  Schedule: {
    octaves: "Factors over the octaves",
    steps: "Factors over the steps",
    over: "Octaves to spread over",
  },
  Dream: { edges: "Beyond the edges", limit: "Limit of brightness", seed: "Seed of the dream" },
  Fourier: { seed: "Seed of the basis", steps: "Steps in the basis" },
  Tiles: { size: "Side of a tile" },
  Crew: {
    gpus_per_worker: "GPUs per worker",
    cpus_per_worker: "CPUs per worker",
    any_device: "Any kind of machine",
  },
  DatasetOutput: { name: "Name of each file" },
  Limits: { max_pixels: "Most pixels", usd: "US dollars", hours: "Hours of work" },
  DatasetLimits: {
    max_pixels: "Most pixels",
    max_failures: "Most failures",
    usd: "US dollars",
    hours: "Hours of work",
  },
  Output: {
    depth: "Bits per channel",
    chroma: "Colour samples",
    intent: "Rendering intent",
    page: "With a page that opens it",
    address: "Address of the folder",
    marks: "Crop marks",
    panels: "Cut into panels",
  },
  Panels: {
    width: "Panel width",
    height: "Panel height",
    bleed: "Bleed of a panel",
    marks: "Crop marks of panels",
  },
};

/** Choices that a spec names too shortly. */
/** @type {Record<string, Record<string, string>>} */
const CHOICES = {
  edges: { zero: "zero, the mean colour", mirror: "mirror", wrap: "wrap, no seam" },
  ascent: { gradient: "gradient", search: "search, up to 512 px" },
};

/**
 * @param {any} schema of the object that has the property
 * @param {string} name
 */
export function labelOf(schema, name) {
  return LABELS[schema.title]?.[name] ?? words(name);
}

/**
 * @param {string} name of a property
 * @param {any} value that may be chosen for it
 */
export function choiceText(name, value) {
  if (typeof value === "boolean") return value ? "yes" : "no";
  return CHOICES[name]?.[value] ?? String(value);
}
