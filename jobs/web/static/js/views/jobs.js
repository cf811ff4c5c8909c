/** Jobs: all of them on one wall, the newest first, kept up to date by the server. */

import { faultNote } from "../lib/announce.js";
import { get, query } from "../lib/api.js";
import { fill, h, icon, setText } from "../lib/dom.js";
import { number, plural } from "../lib/format.js";
import { listen } from "../lib/live.js";
import { arrange, renew } from "../lib/renew.js";
import { address } from "../lib/router.js";
import { jobFilters, matches } from "../parts/filters.js";
import { AGE_MS, Tile } from "../parts/tile.js";

const A_PAGE = 48;

/** Events that come together cause one request. */
const SETTLE_MS = 300;

/**
 * @param {import("../lib/router.js").Route} route
 * @returns {import("../lib/router.js").View}
 */
export function jobsView(route) {
  const view = new JobsView(route);
  return { title: "Jobs", element: view.element, dispose: () => view.close() };
}

class JobsView {
  /** @param {import("../lib/router.js").Route} route */
  constructor(route) {
    this.after = route.query.get("after");
    this.filters = jobFilters(route.query, () => this.#filter());
    /** @type {Map<string, Tile>} */
    this.tiles = new Map();
    this.count = h("p.soft.number", { role: "status" });
    this.list = h("ul.gallery", { "aria-label": "Jobs" });
    this.below = h("div");
    this.element = h(
      "div",
      {},
      h("div.heading", {}, h("h1", {}, "Jobs"), this.count),
      this.filters.element,
      this.list,
      this.below,
    );
    this.asked = 0;
    this.timer = 0;
    this.#load();
    this.close = this.#listen();
  }

  #listen() {
    const ageing = setInterval(() => this.tiles.forEach((tile) => tile.age()), AGE_MS);
    const stop = listen(null, {
      job: (job) => this.#update(job),
      removed: ({ job }) => this.#remove(job),
      snapshot: () => this.#soon(),
      index: () => this.#soon(),
    });
    return () => {
      stop();
      clearTimeout(this.timer);
      clearInterval(ageing);
    };
  }

  #soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#load(), SETTLE_MS);
  }

  #filter() {
    this.after = null;
    history.replaceState(null, "", address(["jobs"], this.filters.values()));
    this.#soon();
  }

  async #load() {
    this.asked += 1;
    const asked = this.asked;
    try {
      const answer = await get(
        `/jobs${query({ ...this.filters.values(), after: this.after, limit: A_PAGE })}`,
      );
      if (asked === this.asked) this.#show(answer);
    } catch (error) {
      if (asked === this.asked)
        fill(
          this.below,
          faultNote(error, () => this.#load()),
        );
    }
  }

  /** @param {any} answer */
  #show(answer) {
    const tiles = new Map();
    for (const job of answer.jobs) {
      const tile = this.tiles.get(job.job) ?? new Tile(job);
      tile.show(job);
      tiles.set(job.job, tile);
    }
    this.tiles = tiles;
    arrange(
      this.list,
      [...tiles.values()].map((tile) => tile.element),
    );
    this.#tellCount(answer);
    renew(this.below, this.#unreadable(answer.unreadable ?? []), this.#end(answer));
  }

  /** @param {any} answer */
  #tellCount({ matching, index }) {
    const reading = index.complete ? "" : `; reading ${number(index.known)} of ${number(index.of)}`;
    setText(this.count, plural(matching, "job") + reading);
  }

  /** @param {{job: string, detail: string}[]} jobs */
  #unreadable(jobs) {
    if (jobs.length === 0) return null;
    return h(
      "details.fault",
      {},
      h("summary", {}, `${plural(jobs.length, "job")} cannot be read`),
      jobs.map(({ detail }) => h("p.small", {}, detail)),
    );
  }

  /** @param {any} answer */
  #end({ jobs, next, index }) {
    if (jobs.length === 0) return this.#empty(index.complete);
    const values = this.filters.values();
    return h(
      "nav.pager",
      { "aria-label": "Pages" },
      this.after && h("a.button", { href: address(["jobs"], values) }, "Newest"),
      next && h("a.button", { href: address(["jobs"], { ...values, after: next }) }, "Older jobs"),
    );
  }

  /** @param {boolean} isComplete whether the server has read all jobs */
  #empty(isComplete) {
    if (!isComplete) return h("div.empty", {}, h("p", {}, "Reading the jobs of the store…"));
    if (Object.values(this.filters.values()).some(Boolean)) {
      return h(
        "div.empty",
        {},
        icon("picture"),
        h("h2", {}, "No job matches"),
        this.filters.clearButton(),
      );
    }
    return h(
      "div.empty",
      {},
      icon("picture"),
      h("h2", {}, "Nothing has been dreamed here yet"),
      h(
        "p",
        {},
        "Give the farm a picture. It renders as soon as a `dreamfarm work` runs on this store.",
      ),
      h("a.button.primary", { href: "#/new" }, "Start a dream"),
    );
  }

  /** @param {any} job */
  #update(job) {
    const tile = this.tiles.get(job.job);
    tile?.show(job);
    const isWanted = matches(job, this.filters.values());
    // It comes, or it goes: a page of older jobs gets no new ones.
    if (tile ? !isWanted : isWanted && this.after === null) this.#soon();
  }

  /** @param {string} job */
  #remove(job) {
    if (!this.tiles.has(job)) return;
    this.tiles.get(job)?.element.remove();
    this.tiles.delete(job);
    this.#soon();
  }
}
