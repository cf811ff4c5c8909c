/** What a dream starts from: a picture, noise, or a plain colour. */

import { freshId, h, icon } from "../lib/dom.js";
import { FileControl } from "./file_control.js";
import { labelled } from "./schema_field.js";

/** Endings of files that may have several pictures. */
const WITH_PAGES = /\.(tiff?|hei[cf]|avif)$/i;

/** The start of a poster, `input` in its spec. */
export class StartField {
  constructor() {
    this.file = new FileControl("picture", (file) => this.#preview(file));
    this.picture = h("img", { alt: "", hidden: true });
    this.hint = h(
      "span.drop-hint",
      {},
      icon("picture"),
      h("span", {}, "Drop a picture here, or choose one"),
    );
    this.drop = h("label.drop", {}, this.file.input, this.hint, this.picture);
    this.#acceptDrops();
    this.page = h("input", { type: "number", min: 1, step: 1, placeholder: "the first" });
    this.pageRow = labelled("Picture of the file", this.page, "Its number, if there are several.");
    this.seed = h("input", { type: "number", min: 0, step: 1, value: 0 });
    this.colour = h("input", { type: "color", value: "#204060" });
    this.panels = {
      picture: h("div", {}, this.drop, this.file.bar, this.file.status, this.pageRow.element),
      noise: labelled("Seed", this.seed, "Another seed is other noise.").element,
      colour: labelled("Colour", this.colour, "").element,
    };
    this.element = h(
      "fieldset.start",
      {},
      h("legend", {}, "Start from"),
      this.#choices(),
      Object.values(this.panels),
    );
    this.#offerPages("");
    this.#choose("picture");
  }

  /** The sides of the picture in pixels, where they are known. */
  get sides() {
    const { uploaded } = this.file;
    return this.kind === "picture" && uploaded?.width ? uploaded : null;
  }

  value() {
    if (this.kind === "noise") return { noise: { seed: Number(this.seed.value) } };
    if (this.kind === "colour") return { colour: this.colour.value };
    const path = this.file.reference;
    const page = this.pageRow.element.hidden ? 0 : Number(this.page.value);
    return path && page ? { path, page } : path;
  }

  /**
   * @param {any} value
   * @param {string} shown the address of the picture in it
   */
  set(value, shown) {
    const given = typeof value === "string" ? { path: value } : (value ?? {});
    if (given.noise) this.seed.value = given.noise.seed ?? 0;
    if (given.colour) this.colour.value = given.colour;
    this.file.setReference(given.path);
    this.page.value = given.page ?? "";
    this.#offerPages(given.path ?? "");
    if (given.page) this.pageRow.element.hidden = false;
    if (given.path) this.#showSource(shown, this.file.uploaded.name);
    this.#choose(given.noise ? "noise" : given.colour ? "colour" : "picture");
  }

  #choices() {
    const name = freshId("start");
    const choice = (
      /** @type {"picture" | "noise" | "colour"} */ kind,
      /** @type {string} */ text,
    ) =>
      h(
        "label",
        {},
        h("input", { type: "radio", name, value: kind, on: { change: () => this.#choose(kind) } }),
        h("span", {}, text),
      );
    this.choices = h(
      "div.segments",
      {},
      choice("picture", "A picture"),
      choice("noise", "Noise"),
      choice("colour", "A colour"),
    );
    return this.choices;
  }

  /** @param {"picture" | "noise" | "colour"} kind */
  #choose(kind) {
    this.kind = kind;
    for (const [name, panel] of Object.entries(this.panels)) panel.hidden = name !== kind;
    for (const input of this.choices.querySelectorAll("input"))
      input.checked = input.value === kind;
  }

  #acceptDrops() {
    const mark = (/** @type {boolean} */ isOver) => (/** @type {DragEvent} */ event) => {
      event.preventDefault();
      this.drop.classList.toggle("over", isOver);
    };
    this.drop.addEventListener("dragover", mark(true));
    this.drop.addEventListener("dragleave", mark(false));
    this.drop.addEventListener("drop", (/** @type {DragEvent} */ event) => {
      mark(false)(event);
      const file = event.dataTransfer?.files[0];
      if (file) this.file.take(file);
    });
  }

  /** @param {File} file which the browser may not be able to show, such as a TIFF */
  #preview(file) {
    this.page.value = "";
    this.#offerPages(file.name);
    URL.revokeObjectURL(this.picture.src);
    this.#showSource(URL.createObjectURL(file), file.name);
  }

  /** @param {string} name of a file */
  #offerPages(name) {
    this.pageRow.element.hidden = !WITH_PAGES.test(name);
  }

  /**
   * @param {string} path
   * @param {string} message
   */
  fault(path, message) {
    if (path !== "input.page") return false;
    this.pageRow.note(message);
    return true;
  }

  /**
   * @param {string} source
   * @param {string} name
   */
  #showSource(source, name) {
    this.picture.onload = () => this.#showPicture(true);
    this.picture.onerror = () => this.#showPicture(false);
    this.picture.alt = name;
    this.picture.src = source;
  }

  /** @param {boolean} isShown */
  #showPicture(isShown) {
    this.picture.hidden = !isShown;
    this.hint.hidden = isShown;
  }
}
