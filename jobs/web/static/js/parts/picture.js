/** A picture that may come later, and that newer ones replace without a gap. */

import { h } from "../lib/dom.js";

/** A place for a picture. */
export class Picture {
  /** @param {Node} blank what is there while there is no picture */
  constructor(blank) {
    this.element = h("span.slot", {}, blank);
    /** @type {string | null} */
    this.source = null;
  }

  /**
   * Show a picture once it has arrived; the one before stays until then.
   * @param {string | null} source null while there is none
   * @param {string} [name] what it shows; empty where a text beside it says so
   */
  async show(source, name = "") {
    if (!source || source === this.source) return;
    this.source = source;
    const arriving = h("img", { src: source, alt: name });
    try {
      await arriving.decode();
    } catch {
      return; // It could not be loaded. What is there already is better than a broken picture.
    }
    if (source === this.source) this.element.replaceChildren(arriving);
  }
}
