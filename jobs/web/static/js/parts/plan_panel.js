/** What a spec would cost: size, time, memory and price, before anything is rendered. */

import { ApiError, get, post } from "../lib/api.js";
import { fill, freshId, h } from "../lib/dom.js";
import { duration, money, number, plural } from "../lib/format.js";
import { factList, planFacts } from "./facts.js";

/** A plan takes a second or more of the server, so it waits until the form rests. */
const REST_MS = 900;

/** The server plans for few at once; then it is asked again after this time. */
const BUSY_MS = 3000;

const TOO_MANY = 429;

/** Instead of a GPU: the server measures itself. */
const PROBE = "probe";

/** The plan beside the form. */
export class PlanPanel {
  /** @param {(error: ApiError) => void} onFault of a spec that is wrong */
  constructor(onFault) {
    this.onFault = onFault;
    this.body = h("div", { "aria-live": "polite" });
    const id = freshId("machine");
    this.machine = h(
      "select",
      { id },
      h("option", { value: PROBE }, "this server's machine (measures for 10 s)"),
    );
    // A copy, because it is another question.
    this.machine.addEventListener("input", () => this.show(this.spec && { ...this.spec }));
    this.element = h(
      "section.plan",
      { "aria-label": "Plan" },
      h("h2", {}, "Plan"),
      h("div.field", {}, h("label", { for: id }, "Time and price with"), this.machine),
      this.body,
    );
    this.spec = null;
    this.timer = 0;
    this.isAsking = false;
    this.show(null);
    this.#offerGpus();
  }

  /** The cheapest GPU is the first choice: its estimate costs no measurement. */
  async #offerGpus() {
    try {
      const { gpus } = await get("/gpus");
      const byPrice = gpus.toSorted(
        (/** @type {any} */ one, /** @type {any} */ other) => one.price - other.price,
      );
      this.machine.prepend(...byPrice.map(gpuOption));
      this.machine.selectedIndex = 0;
      this.show(this.spec && { ...this.spec });
    } catch {
      // The server's own machine can still be planned for.
    }
  }

  /** @param {any} spec null while it is not complete */
  show(spec) {
    this.spec = spec;
    clearTimeout(this.timer);
    if (spec === null) {
      const text = "Once the form says what to make, the plan says how long it takes.";
      fill(this.body, h("p.soft", {}, text));
      return;
    }
    fill(this.body, h("p.soft", {}, "Planning…"));
    this.#soon(REST_MS);
  }

  /** @param {number} wait in milliseconds */
  #soon(wait) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#plan(), wait);
  }

  /** Ask for one plan at a time; the spec may change meanwhile. */
  async #plan() {
    if (this.isAsking) return;
    const { spec } = this;
    this.isAsking = true;
    try {
      const machine = this.machine.value;
      const speed = machine === PROBE ? { probe: true } : { gpu: machine };
      const { document } = await post("/plans", { spec, ...speed });
      if (spec === this.spec) this.#tell(document);
    } catch (error) {
      if (spec === this.spec) this.#fail(error);
    } finally {
      this.isAsking = false;
      if (this.spec !== null && spec !== this.spec) this.#soon(0);
    }
  }

  /** @param {any} document */
  #tell(document) {
    fill(this.body, factList([...planFacts(document), ...price(document)]), crews(document));
  }

  /** @param {unknown} error */
  #fail(error) {
    if (error instanceof ApiError && error.status === TOO_MANY) {
      this.#soon(BUSY_MS);
      return;
    }
    fill(this.body, h("p.fault", {}, error instanceof Error ? error.message : String(error)));
    if (error instanceof ApiError) this.onFault(error);
  }

  close() {
    this.spec = null;
    clearTimeout(this.timer);
  }
}

/** @param {any} one of the GPUs */
function gpuOption({ gpu, memory, price: hourly }) {
  const facts = [`${Math.round(memory / 1e9)} GB`, hourly && `${money(hourly)} an hour`];
  return h(
    "option",
    { value: gpu },
    `${gpu.toUpperCase()} GPUs (${facts.filter(Boolean).join(", ")})`,
  );
}

/**
 * @param {any} document
 * @returns {[string, any][]}
 */
function price({ scale, workers }) {
  const crew =
    scale?.crews.find((/** @type {any} */ one) => one.workers === workers) ?? scale?.crews[0];
  if (!crew) return [];
  return [
    [
      "Price",
      crew.cost === null
        ? "not known"
        : `${money(crew.cost)} with ${plural(crew.workers, "worker")}`,
    ],
  ];
}

/** @param {any} document */
function crews({ scale }) {
  if (!scale || scale.crews.length < 2) return null;
  return h(
    "details",
    {},
    h("summary", {}, "With more workers"),
    h(
      "table",
      {},
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          ["Workers", "Time", "USD"].map((text) => h("th", { scope: "col" }, text)),
        ),
      ),
      h(
        "tbody",
        {},
        scale.crews.map((/** @type {any} */ crew) =>
          h(
            "tr",
            {},
            h("td.number", {}, crew.workers),
            h("td.number", {}, duration(crew.seconds)),
            h("td.number", {}, crew.cost === null ? "?" : number(crew.cost)),
          ),
        ),
      ),
    ),
  );
}
