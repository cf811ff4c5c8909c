/** The stage: the picture of a job to zoom into, or the same picture before and after. */

import { ApiError, get, jobPath } from "../lib/api.js";
import { fill, freshId, h, icon, setText } from "../lib/dom.js";
import { Octaves } from "./octaves.js";
import { Picture } from "./picture.js";
import { Zoom } from "./zoom.js";

/**
 * @typedef {object} Canvas what the server says of the last checkpoint
 * @property {string} version
 * @property {number} octave
 * @property {number} octaves
 * @property {number} step
 * @property {number} steps
 * @property {boolean} final
 * @property {number} width
 * @property {number} height
 * @property {number} canvas_width
 * @property {number} canvas_height
 * @property {number} tile
 * @property {number} overlap
 * @property {string} tiles an address with {level}, {column} and {row}
 */

/** The stage of a poster. */
export class Stage {
  /** @param {any} job */
  constructor(job) {
    this.id = job.job;
    this.zoom = null;
    this.octaves = new Octaves(job.job, () => this.#choose("compare"));
    this.timeline = this.octaves.element;
    this.note = h("p.stage-note.soft.small.number", { role: "status" });
    this.text = h("span");
    this.still = new Picture(h("span.stage-empty", {}, icon("picture"), this.text));
    this.place = h("div.place", {}, this.still.element);
    this.modes = this.#modeButtons();
    this.mode = "zoom";
    this.element = h("div.stage", {}, this.place, h("div.stage-foot", {}, this.note, this.modes));
  }

  /** @param {any} job */
  show(job) {
    this.octaves.show(job);
    this.modes.hidden = !this.octaves.hasPictures;
    setText(this.text, emptyText(job));
    this.still.show(job.preview, `The picture of ${job.name}`);
    this.name = job.name;
  }

  /** Ask for the canvas again, since tiles of the one shown are gone. The next event may do, too. */
  async #reloadCanvas() {
    try {
      this.showCanvas(await get(jobPath(this.id, "canvas")));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
  }

  /** @param {Canvas} canvas */
  showCanvas(canvas) {
    if (this.zoom === null) {
      this.zoom = new Zoom(`The picture of ${this.name}`, () => this.#reloadCanvas());
      this.#arrange();
    }
    setText(this.note, canvasText(canvas));
    this.zoom.show({
      width: canvas.width,
      height: canvas.height,
      tileSize: canvas.tile,
      overlap: canvas.overlap,
      version: canvas.version,
      tileAddress: (level, column, row) =>
        canvas.tiles
          .replace("{level}", String(level))
          .replace("{column}", String(column))
          .replace("{row}", String(row)),
    });
  }

  close() {
    this.zoom?.close();
  }

  #modeButtons() {
    const name = freshId("mode");
    const button = (/** @type {string} */ value, /** @type {string} */ text) =>
      h(
        "label",
        {},
        h("input", {
          type: "radio",
          name,
          value,
          checked: value === "zoom",
          on: { change: () => this.#choose(value) },
        }),
        h("span", {}, text),
      );
    return h(
      "div.segments",
      { role: "radiogroup", "aria-label": "What to show", hidden: true },
      button("zoom", "Picture"),
      button("compare", "Before and after"),
    );
  }

  /** @param {string} mode */
  #choose(mode) {
    this.mode = mode;
    for (const input of this.modes.querySelectorAll("input")) input.checked = input.value === mode;
    this.#arrange();
  }

  #arrange() {
    const shown =
      this.mode === "compare"
        ? this.octaves.compare.element
        : (this.zoom?.element ?? this.still.element);
    if (this.place.firstElementChild !== shown) fill(this.place, shown);
  }
}

/** @param {any} job */
function emptyText(job) {
  if (job.state === "queued")
    return "It waits for a worker. The first picture comes with the first octave.";
  if (job.state === "running") return "The first picture comes with the first octave.";
  return "There is no picture of it.";
}

/** @param {Canvas} canvas */
function canvasText(canvas) {
  if (canvas.final) return "The finished picture.";
  const size = `${canvas.canvas_width} × ${canvas.canvas_height} px`;
  return `As of octave ${canvas.octave} of ${canvas.octaves}, step ${canvas.step} of ${canvas.steps}: ${size}, enlarged.`;
}
