/** The profile of a press: a general one, or a file from the print shop. */

import { h } from "../lib/dom.js";
import { helpOf } from "../lib/schema.js";
import { FileControl } from "./file_control.js";
import { labelled } from "./schema_field.js";

/** The name in a spec of the profile that comes with Dreamfarm. */
const GENERAL = "cmyk";
const FROM_FILE = "file";

/** The field `profile` of an output. */
export class ProfileField {
  /** @param {any} schema of the field */
  constructor(schema) {
    this.source = h(
      "select",
      {},
      h("option", { value: GENERAL }, "a general press"),
      h("option", { value: FROM_FILE }, "a file of the print shop (.icc)"),
    );
    this.file = new FileControl("profile");
    this.file.input.setAttribute("aria-label", "File of the profile");
    const { element, note } = labelled("Press", this.source, helpOf(schema));
    this.note = note;
    this.fileRow = h("div.field", {}, this.file.input, this.file.bar, this.file.status);
    this.element = h("div", {}, element, this.fileRow);
    this.source.addEventListener("input", () => this.#arrange());
    this.#arrange();
  }

  #arrange() {
    this.fileRow.hidden = this.source.value !== FROM_FILE;
  }

  /** Throws a SyntaxError before a file is there: the spec is not complete. */
  value() {
    if (this.source.value === GENERAL) return GENERAL;
    if (!this.file.reference) throw new SyntaxError("a file is missing");
    return this.file.reference;
  }

  /** @param {string | undefined} value */
  set(value) {
    const isFile = value !== undefined && value !== GENERAL;
    this.source.value = isFile ? FROM_FILE : GENERAL;
    this.file.setReference(isFile ? value : undefined);
    this.#arrange();
  }

  /**
   * @param {string} path
   * @param {string} message
   */
  fault(path, message) {
    if (path !== "profile") return false;
    this.note(message);
    return true;
  }
}
