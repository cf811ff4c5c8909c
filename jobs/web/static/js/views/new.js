/** New: the form of a spec, the plan beside it, and the button that submits. */

import { announce, faultNote } from "../lib/announce.js";
import { ApiError, get, jobPath, post } from "../lib/api.js";
import { fill, h } from "../lib/dom.js";
import { plural } from "../lib/format.js";
import { address } from "../lib/router.js";
import { faultPlaces } from "../lib/schema.js";
import { NetworkField } from "../parts/network_field.js";
import { PlanPanel } from "../parts/plan_panel.js";
import { PosterForm } from "../parts/poster_form.js";
import { groupFields } from "../parts/schema_form.js";

/** What can be made, and what it is for. */
const KINDS = /** @type {const} */ ([
  ["poster", "One picture", "As large as you like."],
  ["dataset", "Many pictures", "All pictures of a folder or a bucket, each dreamed by one spec."],
  ["atlas", "An atlas", "What each channel, layer or class of a network dreams of."],
]);

/**
 * @param {import("../lib/router.js").Route} route
 * @param {import("../main.js").Session} session
 * @returns {import("../lib/router.js").View}
 */
export function newView(route, session) {
  const view = new NewView(route, session);
  return { title: "New", element: view.element, dispose: () => view.close() };
}

class NewView {
  /**
   * @param {import("../lib/router.js").Route} route
   * @param {import("../main.js").Session} session
   */
  constructor(route, session) {
    this.given = route.query;
    this.from = route.query.get("from");
    this.kind = route.query.get("kind") ?? "poster";
    this.place = h("div.new-form", {}, h("p.soft", {}, "Loading…"));
    this.about = h("p.soft");
    this.fault = h("div");
    this.draftPlace = h("div");
    this.submit = h("button.primary", { type: "submit" }, "Submit");
    this.submit.disabled = session.role === "read";
    this.plan = new PlanPanel((error) => this.#mark(error));
    const note = session.role === "read" ? "Your token may look, but not submit." : "";
    this.element = h(
      "form.new",
      { novalidate: true, on: { submit: (/** @type {Event} */ event) => this.#submit(event) } },
      h("div.heading", {}, h("h1", {}, this.from ? "Again, with changes" : "New"), this.#kinds()),
      this.about,
      h(
        "div.new-body",
        {},
        this.place,
        h("div.new-side", {}, this.draftPlace, this.plan.element, this.fault, this.submit, note),
      ),
    );
    this.place.addEventListener("input", () => this.#changed());
    this.isClosed = false;
    this.#open();
  }

  #kinds() {
    if (this.from) return null;
    return h(
      "nav.segments",
      { "aria-label": "What to make" },
      KINDS.map(([kind, text]) =>
        h(
          "a",
          { href: address(["new"], { kind }), "aria-current": kind === this.kind && "true" },
          text,
        ),
      ),
    );
  }

  async #open() {
    try {
      const given = this.from ? await get(jobPath(this.from, "spec")) : null;
      const [schemas, { looks }] = await Promise.all([get("/schema"), get("/looks")]);
      if (this.isClosed) return;
      if (given) this.kind = given.kind ?? "poster";
      const schema = schemas[this.kind];
      if (!schema) throw new Error(`There is no kind ${this.kind}.`);
      this.form =
        this.kind === "poster" ? new PosterForm(schema, looks) : plainForm(this.kind, schema);
      if (given) this.form.set(given, this.from ?? "");
      else this.#choose(this.form);
      fill(this.about, KINDS.find(([kind]) => kind === this.kind)?.[2]);
      fill(this.place, this.form.element);
      fill(this.draftPlace, this.form.draft?.element);
      this.#changed();
    } catch (error) {
      fill(
        this.place,
        faultNote(error, () => this.#open()),
      );
    }
  }

  /**
   * What the address asks for, such as a neuron of an atlas.
   * @param {any} form
   */
  #choose(form) {
    const network = this.given.get("network");
    const objective = this.given.get("objective");
    if (network) form.network?.set({ name: network, weights: this.given.get("weights") });
    if (objective) form.objectives?.add(JSON.parse(objective));
  }

  /** The spec of the form; null while it is not complete. */
  #spec() {
    try {
      return this.form?.value() ?? null;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return null;
    }
  }

  #changed() {
    this.form?.follow();
    fill(this.fault);
    const spec = this.#spec();
    this.plan.show(spec);
    this.form?.draft?.follow(spec, this.form.sides);
  }

  /** @param {Event} event */
  async #submit(event) {
    event.preventDefault();
    const spec = this.#spec();
    if (spec === null) {
      const text =
        "Something is missing: fill in the fields that stand open, and check those with JSON.";
      fill(this.fault, faultNote(text));
      return;
    }
    // The server is to submit first; its plan would come too late.
    this.plan.close();
    this.submit.disabled = true;
    fill(this.submit, "Submitting…");
    try {
      const made = await post("/jobs", { spec });
      // Submitting the job of a draft once more lets it go on.
      const isDraft = made.job === this.form?.draft?.job?.job;
      announce(isDraft ? "It goes on from its draft." : (made.note ?? submittedText(made)));
      location.hash = address(["jobs", made.job]);
    } catch (error) {
      fill(this.fault, faultNote(error));
      if (!this.isClosed) this.plan.show(spec);
      if (error instanceof ApiError) this.#mark(error);
    } finally {
      this.submit.disabled = false;
      fill(this.submit, "Submit");
    }
  }

  /** @param {ApiError} error */
  #mark(error) {
    for (const { field, message } of error.errors) this.form?.fault(field, message);
    for (const { paths, message } of faultPlaces(error.message))
      paths.some((path) => this.form?.fault(path, message));
  }

  close() {
    this.isClosed = true;
    this.plan.close();
    this.form?.draft?.close();
  }
}

/** @param {any} made by `POST /jobs` */
function submittedText({ new: isNew, items }) {
  if (!isNew) return "The same job was there already; here it is.";
  return items === null ? "Submitted." : `Submitted with ${plural(items, "item")}.`;
}

/**
 * A form made from the schema, but for the choice of a network.
 * @param {string} kind
 * @param {any} schema
 */
function plainForm(kind, schema) {
  const network = new NetworkField(schema.properties.network?.default?.name ?? "");
  network.followLook(undefined);
  const fields = groupFields(schema, schema, new Set(["kind", "network"]));
  return {
    element: h(
      "div.poster-form",
      {},
      h("fieldset", {}, h("legend", {}, "Network"), network.element),
      h("fieldset", {}, h("legend", {}, "Settings"), fields.element),
    ),
    value: () => {
      const spec = { kind, network: network.value(), ...fields.value() };
      const isComplete = (schema.required ?? []).every(
        (/** @type {string} */ name) => name in spec,
      );
      return isComplete ? JSON.parse(JSON.stringify(spec)) : null;
    },
    set: (/** @type {any} */ spec) => {
      network.set(spec.network);
      fields.set(spec);
    },
    fault: (/** @type {string} */ path, /** @type {string} */ message) =>
      network.fault(path, message) || fields.fault(path, message),
    follow: () => {},
    draft: null,
    sides: null,
  };
}
