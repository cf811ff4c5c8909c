/** The files that a poster is written to. */

import { h, setText } from "../lib/dom.js";
import { isSame, resolve } from "../lib/schema.js";
import { OutputEntry } from "./output_entry.js";

/** The field `outputs` of a poster. */
export class OutputsField {
  /** @param {any} root the schema of the spec */
  constructor(root) {
    this.root = root;
    this.item = resolve({ $ref: "#/$defs/Output" }, root);
    this.preset = root.properties.outputs.default;
    /** @type {OutputEntry[]} */
    this.entries = [];
    this.list = h("div.entries");
    this.faultNote = h("p.field-fault.small", { role: "alert" });
    const add = h(
      "button",
      { type: "button", on: { click: () => this.#addEmpty() } },
      "Add a file",
    );
    this.element = h("fieldset", {}, h("legend", {}, "Files"), this.list, this.faultNote, add);
    this.element.addEventListener("input", () => setText(this.faultNote, ""));
    this.set(undefined);
    // The default as this form writes it.
    this.untouched = this.entries.map((entry) => entry.value());
  }

  #addEmpty() {
    const taken = new Set(this.entries.map((entry) => entry.format.value()));
    const format = this.item.properties.format.enum.find(
      (/** @type {string} */ one) => !taken.has(one),
    );
    this.#add(format).element.querySelector("select")?.focus();
    this.#changed();
  }

  /** @param {any} value */
  #add(value) {
    const entry = new OutputEntry(this.item, this.root);
    entry.set(value);
    const drop = h("button.plain", { type: "button" }, "Remove");
    const row = h("div.entry.row-of-file", { role: "group" }, entry.element, drop);
    drop.addEventListener("click", () => {
      this.entries = this.entries.filter((one) => one !== entry);
      row.remove();
      this.#changed();
    });
    this.entries.push(entry);
    this.list.append(row);
    this.#count();
    return entry;
  }

  #changed() {
    this.#count();
    this.list.dispatchEvent(new Event("input", { bubbles: true }));
  }

  /** A spec has at least one file. */
  #count() {
    [...this.list.children].forEach((row, index) => {
      row.setAttribute("aria-label", `File ${index + 1}`);
      /** @type {HTMLElement} */ (row.lastElementChild).hidden = this.entries.length === 1;
    });
  }

  value() {
    const value = this.entries.map((entry) => entry.value());
    return isSame(value, this.untouched) ? undefined : value;
  }

  /** @param {any[] | undefined} value */
  set(value) {
    this.entries = [];
    this.list.replaceChildren();
    for (const one of value ?? this.preset) this.#add(one);
  }

  /**
   * @param {string} path
   * @param {string} message
   */
  fault(path, message) {
    const [name, index, ...rest] = path.split(".");
    if (name !== "outputs") return false;
    if (index === undefined) {
      setText(this.faultNote, message);
      return true;
    }
    return this.entries[Number(index)]?.fault(rest.join("."), message) ?? false;
  }
}
