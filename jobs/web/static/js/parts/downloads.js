/** The files of a job that has succeeded. */

import { h } from "../lib/dom.js";
import { fileSize, pixels } from "../lib/format.js";

/** @type {Record<string, string>} */
const NAMES = { png: "PNG", tiff: "TIFF", jpeg: "JPEG", deepzoom: "DeepZoom (zip)" };

/**
 * A list of links that save files; null if there are none yet.
 * @param {any} job
 */
export function downloads(job) {
  if (job.outputs.length === 0) return null;
  return h(
    "section.downloads",
    { "aria-label": "Files" },
    h("h2", {}, "Files"),
    h("ul", {}, job.outputs.map(fileLink)),
  );
}

/** @param {any} output */
function fileLink(output) {
  const facts = [
    output.width && pixels(output.width, output.height),
    output.depth && `${output.depth} bits`,
    output.bytes && fileSize(output.bytes),
  ];
  return h(
    "li",
    {},
    h("a", { href: output.url, download: "" }, `Save ${NAMES[output.format] ?? output.name}`),
    h("span.soft.small.number", {}, facts.filter(Boolean).join(", ")),
  );
}
