/** One job: its picture while it renders, its facts, its buttons and its records. */

import { faultNote } from "../lib/announce.js";
import { get, jobPath } from "../lib/api.js";
import { fill, h, setText } from "../lib/dom.js";
import { listen } from "../lib/live.js";
import { renew } from "../lib/renew.js";
import { hasEnded, progressText, stateMark } from "../lib/states.js";
import { Actions } from "../parts/actions.js";
import { downloads } from "../parts/downloads.js";
import { showFacts } from "../parts/facts.js";
import { Items } from "../parts/items.js";
import { Records } from "../parts/records.js";
import { Sheet } from "../parts/sheet.js";
import { Stage } from "../parts/stage.js";
import { AGE_MS } from "../parts/tile.js";

/**
 * @param {string} job
 * @param {import("../lib/router.js").Route} route
 * @returns {import("../lib/router.js").View}
 */
export function jobView(job, route) {
  const view = new JobView(job, route);
  return { title: job, element: view.element, dispose: () => view.close() };
}

class JobView {
  /**
   * @param {string} id
   * @param {import("../lib/router.js").Route} route
   */
  constructor(id, route) {
    this.id = id;
    this.route = route;
    this.heading = h("h1", {}, id);
    this.state = h("p.job-state", { role: "status" });
    this.bar = h("progress.bar", { max: 1, "aria-label": "Progress", hidden: true });
    this.fault = h("div");
    this.place = h("div");
    this.element = h(
      "article",
      {},
      h("p.small", {}, h("a", { href: "#/jobs" }, "All jobs")),
      h("div.heading", {}, this.heading, this.state),
      this.bar,
      this.fault,
      this.place,
    );
    /** @type {JobBody | null} */
    this.body = null;
    this.stop = () => {};
    this.isClosed = false;
    this.#open();
  }

  async #open() {
    fill(this.fault);
    try {
      const job = await get(jobPath(this.id));
      if (this.isClosed) return;
      document.title = `${job.name} · Dreamfarm`;
      this.body = new JobBody(job, this.route, (changed) => this.#show(changed));
      fill(this.place, this.body.element);
      this.#show(job);
      this.#listen(this.body);
    } catch (error) {
      setText(this.heading, "This job cannot be shown");
      fill(
        this.fault,
        faultNote(error, () => this.#open()),
      );
    }
  }

  /** @param {JobBody} body */
  #listen({ records, picture }) {
    this.stop = listen(this.id, {
      snapshot: () => records.clear(),
      job: (job) => job.job === this.id && this.#show(job),
      removed: ({ job }) => job === this.id && this.#gone(),
      events: ({ events }) => records.addEvents(events),
      log: ({ lines }) => records.addLines(lines),
      canvas: (canvas) => picture.showCanvas(canvas),
    });
  }

  /** @param {any} job */
  #show(job) {
    setText(this.heading, job.name);
    fill(this.state, stateMark(job), !hasEnded(job) && h("span", {}, progressText(job)));
    this.bar.hidden = hasEnded(job);
    this.bar.value = job.progress;
    const tag = job.state === "failed" ? "p.fault" : "p.notice";
    fill(this.fault, job.reason && h(tag, {}, job.reason));
    this.body?.show(job);
  }

  #gone() {
    fill(this.fault, h("p.notice", {}, "This job was deleted."));
    this.body?.forbid();
  }

  close() {
    this.isClosed = true;
    this.stop();
    this.body?.close();
  }
}

/** What is below the heading of a job. */
class JobBody {
  /**
   * @param {any} job
   * @param {import("../lib/router.js").Route} route
   * @param {(job: any) => void} onChange gets the job as it is after a request
   */
  constructor(job, route, onChange) {
    const hasItems = job.kind !== "poster";
    this.actions = new Actions(onChange);
    this.facts = h("div");
    this.files = h("div");
    this.records = new Records(job.job);
    this.ageing = 0;
    this.picture = hasItems ? new Sheet() : new Stage(job);
    this.items = hasItems ? new Items(job.job, route) : null;
    const side = h(
      "aside.side",
      { "aria-label": "About this job" },
      this.actions.element,
      this.facts,
      this.files,
    );
    this.element = h(
      "div.job-body",
      {},
      h("div.job-top", {}, this.picture.element, side),
      this.picture.timeline,
      this.items?.element,
      this.records.element,
    );
  }

  /** @param {any} job */
  show(job) {
    this.actions.show(job);
    clearInterval(this.ageing);
    this.ageing = setInterval(() => showFacts(this.facts, job), AGE_MS);
    showFacts(this.facts, job);
    renew(this.files, downloads(job));
    this.picture.show(job);
    this.items?.show(job);
  }

  /** Nothing can be asked of the job any more. */
  forbid() {
    this.actions.element.hidden = true;
  }

  close() {
    clearInterval(this.ageing);
    this.picture.close();
    this.items?.close();
  }
}
