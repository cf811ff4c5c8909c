/** The timeline of a poster: each octave that is finished, beside what was before it. */

import { address, jobPath } from "../lib/api.js";
import { fill, freshId, h, setText } from "../lib/dom.js";
import { Compare, filmStrip } from "./compare.js";

/** The octaves of a poster, with a slider between before and after. */
export class Octaves {
  /**
   * @param {string} job
   * @param {() => void} onChoose when the reader asks for a comparison
   */
  constructor(job, onChoose) {
    this.input = address(jobPath(job, "input.jpg"));
    this.onChoose = onChoose;
    this.compare = new Compare();
    this.strip = h("div");
    this.count = h("span.soft.small");
    const id = freshId("against");
    this.against = h(
      "select",
      { id, on: { change: () => this.#compareOctave(true) } },
      h("option", { value: "input" }, "the picture as it was"),
      h("option", { value: "octave" }, "the octave before"),
    );
    this.element = h(
      "section.octaves",
      { "aria-label": "Octaves", hidden: true },
      h(
        "div.heading",
        {},
        h("h2", {}, "Octave by octave", this.count),
        h("div.row.small", {}, h("label", { for: id }, "Compare with"), this.against),
      ),
      this.strip,
    );
    /** @type {string[]} */
    this.previews = [];
    /** @type {number | null} the octave the reader chose; null for the last one */
    this.chosen = null;
    this.compare.before.addEventListener("error", () => this.#forgetInput());
  }

  get hasPictures() {
    return this.previews.length > 0;
  }

  /** @param {any} job */
  show(job) {
    if (this.previews.join() === job.previews.join()) return;
    this.previews = job.previews;
    const hadFocus = this.strip.contains(document.activeElement);
    this.element.hidden = !this.hasPictures;
    setText(this.count, job.octaves ? ` ${this.previews.length} of ${job.octaves}` : "");
    const frames = this.#frames();
    fill(
      this.strip,
      filmStrip("Octave", frames, String(this.#octave()), (value) => this.#choose(value)),
    );
    this.#compareOctave(false);
    if (hadFocus) /** @type {any} */ (this.strip.querySelector("input:checked"))?.focus();
  }

  /** The number of the octave in the comparison. */
  #octave() {
    return Math.min(this.chosen ?? Infinity, this.previews.length);
  }

  #frames() {
    return this.previews.map((source, index) => ({
      value: String(index + 1),
      address: source,
      title: `Octave ${index + 1}`,
    }));
  }

  /** @param {string} value */
  #choose(value) {
    this.chosen = Number(value);
    this.#compareOctave(true);
  }

  /** @param {boolean} isAsked whether the reader wants to see it now */
  #compareOctave(isAsked) {
    const octave = this.#octave();
    if (octave === 0) return;
    const after = { address: this.previews[octave - 1], name: `Octave ${octave}` };
    // The first octave has no other before it.
    const earlier = Math.max(1, octave - 1);
    const before =
      this.against.value === "input"
        ? { address: this.input, name: "The picture as it was" }
        : { address: this.previews[earlier - 1], name: `Octave ${earlier}` };
    this.compare.show(before, after);
    if (isAsked) this.onChoose();
  }

  /** Noise and plain colours have no picture before. */
  #forgetInput() {
    if (this.compare.before.getAttribute("src") !== this.input) return;
    this.against.value = "octave";
    this.against.options[0].disabled = true;
    this.#compareOctave(false);
  }
}
