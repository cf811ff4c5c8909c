/** The contact sheet of a dataset: its first results, before and after, as one picture. */

import { h, icon, setText } from "../lib/dom.js";
import { hasEnded } from "../lib/states.js";
import { Picture } from "./picture.js";

/** The stage of a dataset. */
export class Sheet {
  constructor() {
    this.text = h("span");
    this.picture = new Picture(h("span.stage-empty", {}, icon("picture"), this.text));
    this.link = h("a.sheet", {}, this.picture.element);
    this.element = h("div.stage", {}, this.link);
    /** A dataset has no octaves of its own. */
    this.timeline = null;
  }

  /** A dataset has no canvas of its own. */
  showCanvas() {}

  close() {}

  /** @param {any} job */
  show(job) {
    setText(
      this.text,
      hasEnded(job)
        ? "There is no contact sheet."
        : "The contact sheet comes with the first results.",
    );
    if (job.preview) this.link.href = job.preview;
    this.picture.show(job.preview, `Contact sheet of ${job.name}`);
  }
}
