/** One file that a poster is written to: its format, and the settings that this format has. */

import { h } from "../lib/dom.js";
import { labelOf } from "../lib/labels.js";
import { isSame, propertyHelp, resolve } from "../lib/schema.js";
import { ProfileField } from "./profile_field.js";
import { labelled } from "./schema_field.js";
import { makeField } from "./schema_form.js";

/** @typedef {import("./schema_field.js").Field} Field */

/** Settings in the order of the form, but for those of panels. */
const SETTINGS = [
  ...["depth", "compression", "quality", "chroma", "page", "address"],
  ...["profile", "intent", "black_point_compensation", "bleed", "marks"],
];

/** Settings of a press: they need its profile. */
const OF_PRESS = new Set(["profile", "intent", "black_point_compensation"]);

const CUT_HELP = "Files that hang beside each other, such as strips of wallpaper.";

/** How lengths are written. */
const EXAMPLES = { width: "130cm", height: "180cm", overlap: "2cm", bleed: "3mm" };

const COLOURS = [
  ["srgb", "sRGB"],
  ["cmyk", "CMYK, for a press"],
  ["proof", "sRGB, a proof of a press"],
];

/** An entry of `outputs`. */
export class OutputEntry {
  /**
   * @param {any} schema of an output, with `fieldsOfFormats`
   * @param {any} root
   */
  constructor(schema, root) {
    this.schema = schema;
    this.root = root;
    this.format = this.#field("format");
    this.colours = h("select");
    this.colourRow = labelled("Colours", this.colours, "");
    this.cut = h("input", { type: "checkbox" });
    this.cutRow = labelled(labelOf(schema, "panels"), this.cut, CUT_HELP);
    /** @type {Map<string, Field>} */
    this.settings = new Map(
      SETTINGS.map((name) => [
        name,
        name === "profile" ? new ProfileField(schema.properties.profile) : this.#field(name),
      ]),
    );
    /** @type {Map<string, Field>} those of panels, once the file is cut */
    this.panels = new Map();
    this.panelPlace = h("div.columns", { role: "group", "aria-label": "Panels" });
    const rows = [...this.settings.values()].map(({ element }) => element);
    rows.splice(SETTINGS.indexOf("profile"), 0, this.colourRow.element);
    this.details = h(
      "details",
      {},
      h("summary.small", {}, "Quality, colours and print"),
      h("div.columns", {}, rows),
      this.cutRow.element,
      this.panelPlace,
    );
    this.element = h("div.output", {}, this.format.element, this.details);
    this.element.addEventListener("input", () => this.#arrange());
    this.#arrange();
  }

  /**
   * @param {string} name
   * @returns {Field}
   */
  #field(name) {
    const { schema } = this;
    const node = schema.properties[name];
    const description = node.description ?? propertyHelp(schema, name);
    const label = labelOf(schema, name);
    const example = EXAMPLES[/** @type {"bleed"} */ (name)];
    const more = { description, label, example, unset: "as by default" };
    return makeField(name, { ...node, ...more }, this.root);
  }

  /** The settings of the chosen format. */
  get #known() {
    return new Set(this.schema.fieldsOfFormats[this.format.value() ?? ""] ?? []);
  }

  get #isCut() {
    return this.cut.checked && this.#known.has("panels");
  }

  /** Show the settings that count. */
  #arrange() {
    const known = this.#known;
    this.#offerColours(known);
    const isForPress = this.colours.value !== "srgb";
    for (const [name, { element }] of this.settings) {
      if (OF_PRESS.has(name)) element.hidden = !isForPress;
      else element.hidden = !known.has(name);
      // Panels have a bleed and marks of their own.
      if (["bleed", "marks"].includes(name)) element.hidden ||= this.#isCut;
    }
    // The inks of a press keep all colour samples.
    if (this.colours.value === "cmyk") this.#hide("chroma");
    this.cutRow.element.hidden = !known.has("panels");
    this.panelPlace.hidden = !this.#isCut;
    if (this.#isCut) this.#offerPanels();
  }

  /** @param {string} name */
  #hide(name) {
    /** @type {Field} */ (this.settings.get(name)).element.hidden = true;
  }

  /** @param {Set<string>} known */
  #offerColours(known) {
    const isOffered = { srgb: true, cmyk: known.has("profile"), proof: known.has("proof") };
    const offered = COLOURS.filter(([colours]) => isOffered[/** @type {"srgb"} */ (colours)]);
    this.colourRow.element.hidden = offered.length === 1;
    const before = [...this.colours.options].map((option) => option.value);
    if (
      isSame(
        before,
        offered.map(([colours]) => colours),
      )
    )
      return;
    const { value } = this.colours;
    this.colours.replaceChildren(
      ...offered.map(([colours, text]) => h("option", { value: colours }, text)),
    );
    this.colours.value = offered.some(([colours]) => colours === value) ? value : "srgb";
  }

  #offerPanels() {
    if (this.panels.size === 0) {
      const schema = resolve(this.schema.properties.panels.anyOf[0], this.root);
      for (const [name, node] of Object.entries(schema.properties)) {
        const description = propertyHelp(schema, name);
        const label = labelOf(schema, name);
        const example = EXAMPLES[/** @type {"bleed"} */ (name)];
        this.panels.set(name, makeField(name, { ...node, description, label, example }, this.root));
      }
      this.panelPlace.append(...[...this.panels.values()].map(({ element }) => element));
    }
    const marks = this.panels.get("marks");
    if (marks) marks.element.hidden = !this.#known.has("marks");
  }

  value() {
    /** @type {Record<string, any>} */
    const output = { format: this.format.value(), ...shownValues(this.settings) };
    if (this.colours.value === "proof") output.proof = true;
    if (this.#isCut) output.panels = shownValues(this.panels);
    return output;
  }

  /** @param {any} value an output of a spec, or its format alone */
  set(value) {
    const given = typeof value === "string" ? { format: value } : (value ?? {});
    this.format.set(given.format ?? (given.panels ? "pdf" : undefined));
    this.cut.checked = Boolean(given.panels);
    this.#arrange();
    this.colours.value = given.proof ? "proof" : given.profile ? "cmyk" : "srgb";
    for (const [name, field] of this.settings) field.set(given[name]);
    this.#arrange();
    for (const [name, field] of this.panels) field.set(given.panels?.[name]);
    this.details.open = Object.keys(this.value()).length > 1;
  }

  /**
   * @param {string} path within the output; empty for the whole
   * @param {string} message
   */
  fault(path, message) {
    const isMarked = this.#mark(path, message);
    if (isMarked && path !== "" && !path.startsWith("format")) this.details.open = true;
    return isMarked;
  }

  /**
   * @param {string} path
   * @param {string} message
   */
  #mark(path, message) {
    if (path === "") return this.format.fault("format", message);
    if (path.startsWith("panels.")) {
      const rest = path.slice("panels.".length);
      return [...this.panels.values()].some((field) => field.fault(rest, message));
    }
    if (path === "panels") this.cutRow.note(message);
    else if (path === "proof") this.colourRow.note(message);
    else
      return [this.format, ...this.settings.values()].some(
        (field) => !field.element.hidden && field.fault(path, message),
      );
    return true;
  }
}

/**
 * @param {Map<string, Field>} fields
 * @returns {Record<string, any>} of those that are shown and not as by default
 */
function shownValues(fields) {
  /** @type {Record<string, any>} */
  const values = {};
  for (const [name, field] of fields) {
    const value = field.element.hidden ? undefined : field.value();
    if (value !== undefined) values[name] = value;
  }
  return values;
}
