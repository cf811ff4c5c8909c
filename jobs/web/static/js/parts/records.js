/** What was written about a job: events and log as they come, plan and spec when asked for. */

import { faultNote } from "../lib/announce.js";
import { get, jobPath } from "../lib/api.js";
import { fill, h, setText } from "../lib/dom.js";
import { clockTime } from "../lib/format.js";
import { eventWords } from "./event_words.js";

/** More lines than this are not kept; the command `dreamfarm logs` has them all. */
const MOST_LINES = 1000;

/** Lists events or lines of a log, the last one in sight while the reader is at the end. */
class Tail {
  /** @param {string} label */
  constructor(label) {
    this.list = h("ol.tail", { "aria-label": label, tabindex: 0, role: "list" });
    this.none = h("p.soft.small", {}, "Nothing yet.");
    this.element = h("div", {}, this.none, this.list);
    this.clear();
  }

  clear() {
    fill(this.list);
    this.list.hidden = true;
    this.none.hidden = false;
  }

  /** @param {HTMLElement[]} rows */
  add(rows) {
    if (rows.length === 0) return;
    const { list } = this;
    const isAtEnd = list.scrollTop + list.clientHeight >= list.scrollHeight - 24;
    list.append(...rows);
    while (list.children.length > MOST_LINES) list.firstElementChild.remove();
    list.hidden = false;
    this.none.hidden = true;
    if (isAtEnd) list.scrollTop = list.scrollHeight;
  }
}

/** The records of one job. */
export class Records {
  /** @param {string} job */
  constructor(job) {
    this.job = job;
    this.events = new Tail("Events");
    this.log = new Tail("Log");
    this.element = h(
      "section.records",
      { "aria-label": "Records" },
      h("details", { open: true }, h("summary", {}, "Events"), this.events.element),
      h("details", { on: { toggle: scrollToEnd } }, h("summary", {}, "Log"), this.log.element),
      document_("Plan", () => get(jobPath(job, "plan"))),
      document_("Spec", () => get(jobPath(job, "spec"))),
    );
  }

  /** Forget what was shown, because the server begins again. */
  clear() {
    this.events.clear();
    this.log.clear();
  }

  /** @param {any[]} events */
  addEvents(events) {
    this.events.add(events.map(eventRow));
  }

  /** @param {{line: string}[]} lines */
  addLines(lines) {
    this.log.add(lines.map(({ line }) => h("li.line", {}, line)));
  }
}

/** @param {Event} event of a `details` that opens */
function scrollToEnd(event) {
  const list = /** @type {HTMLElement} */ (event.target).querySelector("ol");
  if (list) list.scrollTop = list.scrollHeight;
}

/** @param {any} event */
function eventRow(event) {
  const { sentence, facts } = eventWords(event);
  return h(
    "li.event",
    {},
    h("time.soft.number", { datetime: event.time }, clockTime(event.time)),
    h("span", {}, sentence),
    h("span.soft", {}, facts),
  );
}

/**
 * A document that is fetched when it is opened.
 * @param {string} title
 * @param {() => Promise<any>} load
 */
function document_(title, load) {
  const text = h("pre", { tabindex: 0, role: "region", "aria-label": title });
  const place = h("div.document", {}, text);
  const open = async (/** @type {Event} */ event) => {
    if (!(/** @type {HTMLDetailsElement} */ (event.target).open)) return;
    try {
      setText(text, JSON.stringify(await load(), null, 2));
      fill(place, text);
    } catch (error) {
      fill(place, faultNote(error));
    }
  };
  return h("details", { on: { toggle: open } }, h("summary", {}, title), place);
}
