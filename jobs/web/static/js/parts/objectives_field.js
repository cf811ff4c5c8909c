/** What the network shall see more of: layers, channels and motifs, each with its weight. */

import { get } from "../lib/api.js";
import { fill, h, setText } from "../lib/dom.js";
import { resolve } from "../lib/schema.js";
import { labelled } from "./schema_field.js";
import { groupFields } from "./schema_form.js";

/** What the title of an entry says has no field of its own. */
const IN_TITLE = new Set(["layer", "channels", "classes"]);

/** The field `objectives` of a poster. */
export class ObjectivesField {
  /** @param {any} root the schema of the spec */
  constructor(root) {
    this.root = root;
    this.schema = resolve({ $ref: "#/$defs/Objective" }, root);
    this.motifs = h("optgroup", { label: "Motifs" });
    this.layers = h("optgroup", { label: "Layers" });
    this.choice = h("select", {}, h("option", { value: "" }, "choose"), this.motifs, this.layers);
    this.channels = h("input", { type: "text", placeholder: "all", autocomplete: "off" });
    this.list = h("ul.objectives");
    this.faultNote = h("p.field-fault.small", { role: "alert" });
    this.none = h("p.soft.small", {}, "None chosen: what the look or the network has by default.");
    const add = h("button", { type: "button", on: { click: () => this.#addChosen() } }, "Add");
    this.element = h(
      "fieldset",
      {},
      h("legend", {}, "Objectives"),
      this.none,
      this.faultNote,
      this.list,
      h(
        "div.columns.adding",
        {},
        labelled("Motif or layer", this.choice, "").element,
        labelled("Channels of a layer", this.channels, "").element,
        add,
      ),
    );
    /** @type {{objective: any, fields: any, element: HTMLElement}[]} */
    this.entries = [];
    this.network = "";
    this.offered = "";
    // The lists cost the server seconds, so they wait until somebody gets here.
    this.isSeen = false;
    new IntersectionObserver(([{ isIntersecting }]) => {
      this.isSeen = isIntersecting;
      this.#offer();
    }).observe(this.element);
  }

  /**
   * Offer the layers and motifs of a network. The form has changed, so a fault is out of date.
   * @param {string} network
   */
  followNetwork(network) {
    this.network = network;
    setText(this.faultNote, "");
    this.#offer();
  }

  async #offer() {
    const { network } = this;
    if (!this.isSeen || network === this.offered) return;
    this.offered = network;
    const path = `/networks/${encodeURIComponent(network)}`;
    const asked = [get(`${path}/classes`), get(`${path}/layers`)];
    const [motifs, layers] = await Promise.allSettled(asked);
    if (network !== this.offered) return;
    const options = (/** @type {string[]} */ names, /** @type {string} */ kind) =>
      names.map((name) => h("option", { value: `${kind}:${name}` }, name));
    fill(
      this.motifs,
      motifs.status === "fulfilled" ? options(motifs.value.classes, "classes") : [],
    );
    const known = layers.status === "fulfilled" ? layers.value.layers : [];
    fill(
      this.layers,
      options(
        known.map((/** @type {any} */ one) => one.name),
        "layer",
      ),
    );
    this.choice.value = "";
  }

  #addChosen() {
    const [kind, ...rest] = this.choice.value.split(":");
    const name = rest.join(":");
    if (!name) {
      this.choice.focus();
      return;
    }
    const channels = this.channels.value
      .split(",")
      .filter((/** @type {string} */ one) => one.trim())
      .map(Number);
    const more = channels.length > 0 && kind === "layer" ? { channels } : {};
    this.add(kind === "layer" ? { layer: name, ...more } : { classes: [name] });
    this.channels.value = "";
  }

  /** @param {any} objective */
  add(objective) {
    const title = objectiveTitle(objective);
    const fields = groupFields(this.schema, this.root, IN_TITLE);
    fields.set(objective);
    const drop = h("button.plain", { type: "button", "aria-label": `Remove ${title}` }, "Remove");
    const element = h(
      "li.objective",
      {},
      h("div.row", {}, h("strong", {}, title), drop),
      h("details", {}, h("summary.small", {}, "Weight, mask and more"), fields.element),
    );
    const entry = { objective, fields, element };
    drop.addEventListener("click", () => {
      this.entries = this.entries.filter((one) => one !== entry);
      element.remove();
      this.#changed();
      this.choice.focus();
    });
    this.entries.push(entry);
    this.list.append(element);
    this.#changed();
  }

  #changed() {
    this.none.hidden = this.entries.length > 0;
    this.list.dispatchEvent(new Event("input", { bubbles: true }));
  }

  value() {
    if (this.entries.length === 0) return undefined;
    return this.entries.map(({ objective, fields }) => {
      const kept = Object.entries(objective).filter(([name]) => IN_TITLE.has(name));
      return { ...Object.fromEntries(kept), ...fields.value() };
    });
  }

  /** @param {any[] | null | undefined} value */
  set(value) {
    this.entries = [];
    fill(this.list);
    for (const objective of value ?? []) this.add(withoutNull(objective));
    this.#changed();
  }

  /**
   * @param {string} path
   * @param {string} message
   */
  fault(path, message) {
    if (!path.startsWith("objectives")) return false;
    const [, index, ...rest] = path.split(".");
    if (this.entries[Number(index)]?.fields.fault(rest.join("."), message)) return true;
    setText(this.faultNote, message);
    return true;
  }
}

/** @param {any} objective */
function withoutNull(objective) {
  return Object.fromEntries(Object.entries(objective).filter(([, value]) => value !== null));
}

/**
 * An objective in a few words: `fox`, or `mixed4a.cat, channels 3, 17`.
 * @param {any} objective
 */
export function objectiveTitle({ layer, channels, classes }) {
  if (classes) return classes.join(", ");
  return channels
    ? `${layer}, ${channels.length === 1 ? "channel" : "channels"} ${channels.join(", ")}`
    : layer;
}
