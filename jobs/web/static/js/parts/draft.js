/** A draft: the first octaves of the very job of the form, which then waits to be finished. */

import { get, jobPath, post } from "../lib/api.js";
import { fill, h, icon, setText } from "../lib/dom.js";
import { listen } from "../lib/live.js";
import { progressText, stateText } from "../lib/states.js";
import { Picture } from "./picture.js";

/** The longest side of a draft, in pixels. */
const SIDE = 480;

/** A draft goes before everything else. */
const PRIORITY = 100;

/** The draft beside a form. */
export class Draft {
  constructor() {
    this.button = h(
      "button",
      { type: "button", disabled: true, on: { click: () => this.#start() } },
      "Render a small draft",
    );
    this.frame = h("div.draft-frame", { hidden: true });
    this.note = h("p.soft.small", { role: "status" });
    this.element = h(
      "section.draft",
      { "aria-label": "Draft" },
      this.frame,
      this.note,
      this.button,
    );
    /** @type {Picture | null} */
    this.picture = null;
    /** @type {any} */
    this.spec = null;
    /** What the draft on the screen was made from. */
    this.drafted = "";
    /** @type {any} the job of the draft */
    this.job = null;
    this.stop = () => {};
    this.asked = 0;
  }

  /**
   * @param {any} spec null while it is not complete
   * @param {{width: number, height: number} | null} sides of the print in pixels, if known
   */
  follow(spec, sides) {
    const isSmall = sides !== null && Math.max(sides.width, sides.height) <= SIDE;
    this.spec = isSmall ? null : spec;
    this.button.disabled = this.spec === null;
    this.#tell();
  }

  async #start() {
    const { spec } = this;
    this.close();
    const { asked } = this;
    this.drafted = JSON.stringify(spec);
    this.job = null;
    this.button.disabled = true;
    setText(this.note, "Submitting the draft…");
    try {
      const wanted = { spec: { ...spec, priority: PRIORITY }, draft: `${SIDE}px` };
      const { job: id } = await post("/jobs", wanted);
      const job = await get(jobPath(id));
      if (asked !== this.asked) return;
      // The picture of an earlier draft would look like this one's.
      this.picture = new Picture(icon("picture"));
      fill(this.frame, this.picture.element);
      this.#show(job);
      this.stop = listen(id, { job: (job) => job.job === id && this.#show(job) });
    } catch (error) {
      if (asked !== this.asked) return;
      setText(this.note, error instanceof Error ? error.message : String(error));
    } finally {
      this.button.disabled = this.spec === null;
    }
  }

  /** @param {any} job */
  #show(job) {
    this.job = job;
    this.frame.hidden = false;
    this.picture?.show(job.preview, "A draft of the dream");
    this.#tell();
  }

  #tell() {
    if (this.job === null) return;
    const isSame = JSON.stringify(this.spec) === this.drafted;
    setText(this.note, isSame ? draftText(this.job) : "The form has changed since this draft.");
  }

  /** Listen no more. The job keeps its draft, and can be finished later. */
  close() {
    this.asked += 1;
    this.stop();
    this.stop = () => {};
  }
}

/** @param {any} job */
function draftText(job) {
  switch (job.state) {
    case "queued":
      return "The draft waits for a worker, before all other jobs.";
    case "running":
      return `A draft, the first octaves of this very render: ${progressText(job)} of the whole.`;
    case "paused":
      return "The draft is done. Submit, and the render goes on from here.";
    case "failed":
      return `The draft failed: ${job.reason}`;
    default:
      return stateText(job);
  }
}
