/** The farm: who works on what, how long the queue is, what failed, and whether the store answers. */

import { faultNote } from "../lib/announce.js";
import { get } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { duration, number, percent, plural } from "../lib/format.js";
import { renew } from "../lib/renew.js";
import { address } from "../lib/router.js";
import { factList } from "../parts/facts.js";

const REFRESH_MS = 5000;

/** @type {Record<string, string>} */
const FAILURES = {
  infra: "a machine, the network or the store was lost",
  memory: "a worker had too little memory",
  input: "the picture, spec or weights were wrong",
  bug: "a defect",
};

/**
 * @param {import("../main.js").Session} session
 * @returns {import("../lib/router.js").View}
 */
export function farmView(session) {
  const body = h("div.farm");
  const element = h("div", {}, h("div.heading", {}, h("h1", {}, "Farm")), body);
  let timer = 0;
  let isClosed = false;
  const load = async () => {
    if (!document.hidden) await show(body, session, load);
    // The reader may have asked meanwhile, too; one timer is enough.
    clearTimeout(timer);
    if (!isClosed) timer = setTimeout(load, REFRESH_MS);
  };
  load();
  return {
    title: "Farm",
    element,
    dispose: () => {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}

/**
 * @param {HTMLElement} body
 * @param {import("../main.js").Session} session
 * @param {() => void} again
 */
async function show(body, session, again) {
  try {
    const farm = await get("/farm");
    renew(body, queue(farm), holders(farm.holders), failures(farm.failures), store(farm, session));
  } catch (error) {
    renew(body, faultNote(error, again));
  }
}

/** @param {any} farm */
function queue({ open, ended, queue_age_seconds: age }) {
  const figure = (
    /** @type {number} */ count,
    /** @type {string} */ text,
    /** @type {string} */ state,
  ) =>
    h(
      "li",
      {},
      h(
        "a.figure",
        { href: address(["jobs"], { state }) },
        h("strong", {}, number(count)),
        h("span", {}, text),
      ),
    );
  return h(
    "section",
    { "aria-label": "Jobs by state" },
    h(
      "ul.figures",
      {},
      figure(open.running, "running", "running"),
      figure(open.queued, "waiting", "queued"),
      figure(open.paused, "paused", "paused"),
      figure(ended.succeeded, "done", "succeeded"),
      figure(ended.failed, "failed", "failed"),
      figure(ended.cancelled, "cancelled", "cancelled"),
    ),
    age !== null &&
      age !== undefined &&
      open.queued > 0 &&
      h("p.soft", {}, `The oldest has waited for ${duration(age)}.`),
  );
}

/** @param {any[]} all */
function holders(all) {
  const none = h(
    "p.soft",
    {},
    "Nobody works at the moment. Run `dreamfarm work` with this store on any machine, and the queue moves.",
  );
  return h("section", {}, h("h2", {}, "At work"), all.length ? holderTable(all) : none);
}

/** @param {any[]} all */
function holderTable(all) {
  const headings = ["Job", "Machine", "Workers", "Done", "Speed", "Time left", "Last sign"];
  return h(
    "div.wide",
    { tabindex: 0, role: "region", "aria-label": "At work" },
    h(
      "table",
      {},
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          headings.map((text) => h("th", { scope: "col" }, text)),
        ),
      ),
      h("tbody", {}, all.map(holderRow)),
    ),
  );
}

/** @param {any} one */
function holderRow(one) {
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, h("a", { href: address(["jobs", one.job]) }, one.job)),
    h("td", {}, one.holder),
    h("td.number", {}, one.workers),
    h("td.number", {}, percent(one.progress)),
    h("td.number", {}, one.rate === null ? "" : `${number(one.rate)} a second`),
    h("td.number", {}, one.eta_seconds === null ? "" : duration(one.eta_seconds)),
    h(
      "td.number",
      {},
      one.lease_age_seconds === null ? "" : `${duration(one.lease_age_seconds)} ago`,
    ),
  );
}

/** @param {Record<string, number>} counts by class */
function failures(counts) {
  const found = Object.entries(counts).filter(([, count]) => count > 0);
  return h(
    "section",
    {},
    h("h2", {}, "Failures"),
    found.length === 0
      ? h("p.soft", {}, "None.")
      : factList(found.map(([name, count]) => [plural(count, "job"), FAILURES[name] ?? name])),
  );
}

/**
 * @param {any} farm
 * @param {import("../main.js").Session} session
 */
function store(farm, session) {
  const { address: where, answers, detail, milliseconds } = farm.store;
  return h(
    "section",
    {},
    h("h2", {}, "Store"),
    factList([
      ["Address", h("code.whole", {}, where)],
      ["Answers", answers ? `in ${number(milliseconds)} ms` : `no: ${detail}`],
      [
        "Jobs read",
        farm.index.complete
          ? number(farm.index.known)
          : `${number(farm.index.known)} of ${number(farm.index.of)}`,
      ],
      ["Dreamfarm", session.version],
      ["You may", session.role === "read" ? "look, but change nothing" : "look and change"],
    ]),
  );
}
