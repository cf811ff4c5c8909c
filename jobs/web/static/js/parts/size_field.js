/** The size of the print, in centimetres, inches or pixels; the other side follows. */

import { freshId, h, setText } from "../lib/dom.js";
import { pixels } from "../lib/format.js";
import { makeField } from "./schema_form.js";

const CM_PER_INCH = 2.54;

/** A size that has fields of its own: `60cm x auto @ 300dpi`, `600 x auto`. */
const SIZE = /^([\d.]+|auto)(cm|in)? x ([\d.]+|auto)(cm|in)?(?: @ ([\d.]+)dpi)?$/;

const FIT_HELP = "For a picture of another shape than the print.";

/** The size of the picture itself, which is the default. */
const AS_THE_PICTURE = "x1";

/** The fields `size`, `fit` and `focus` of a poster. */
export class SizeField {
  /** @param {any} root the schema of the spec */
  constructor(root) {
    const { fit, focus } = root.properties;
    const label = "For another shape";
    const unset = "refuse what would squash it";
    this.fit = makeField("fit", { ...fit, label, unset, description: FIT_HELP }, root);
    this.focus = makeField("focus", { ...focus, label: "Middle of the crop" }, root);
    this.isForPicture = true;
    /** A size of another form, such as `x4`, stays as it was written. */
    this.written = h("option", { hidden: true });
    this.unit = h(
      "select",
      {},
      h("option", { value: "cm" }, "centimetres"),
      h("option", { value: "in" }, "inches"),
      h("option", { value: "px" }, "pixels"),
      h("option", { value: "" }, "as the picture"),
      this.written,
    );
    this.width = side("20");
    this.height = side("auto");
    this.dpi = h("input", { type: "number", min: 1, max: 2400, value: 300 });
    this.result = h("p.help.soft.small.number", { role: "status" });
    this.sidesRow = [named("Width", this.width), named("Height", this.height)];
    this.dpiRow = named("Dots per inch", this.dpi);
    this.element = h(
      "fieldset.size",
      {},
      h("legend", {}, "Size"),
      h("div.columns.narrow", {}, named("Unit", this.unit), this.sidesRow, this.dpiRow),
      this.result,
      h("div.columns.narrow", {}, this.fit.element, this.focus.element),
    );
    this.element.addEventListener("input", () => this.#arrange());
    this.#arrange();
  }

  #arrange() {
    const unit = this.unit.value;
    const isPrint = unit === "cm" || unit === "in";
    for (const row of this.sidesRow) row.hidden = !isPrint && unit !== "px";
    this.dpiRow.hidden = !isPrint;
    const isAsked = unit !== "" && this.isForPicture;
    this.fit.element.hidden = !isAsked && this.fit.value() === undefined;
    this.focus.element.hidden = this.fit.value() !== "crop";
  }

  /** The fields `fit` and `focus`, where they count. */
  fitting() {
    const focus = this.focus.element.hidden ? undefined : this.focus.value();
    return { fit: this.fit.value(), focus };
  }

  value() {
    const unit = this.unit.value;
    if (unit === "") return undefined;
    if (unit === this.written.value) return unit;
    const suffix = unit === "px" ? "" : unit;
    const sides = `${sideText(this.width, suffix)} x ${sideText(this.height, suffix)}`;
    return suffix ? `${sides} @ ${this.dpi.value || 300}dpi` : sides;
  }

  /** @param {any} spec */
  set({ size: value, fit, focus }) {
    this.fit.set(fit);
    this.focus.set(focus);
    const text = value === undefined || value === AS_THE_PICTURE ? "" : String(value);
    const match = SIZE.exec(text);
    const [, width, widthUnit, height, heightUnit, dpi] = match ?? [];
    const unit = widthUnit ?? heightUnit ?? "px";
    const isOneUnit = match && (dpi === undefined) === (unit === "px");
    this.written.value = text;
    setText(this.written, text);
    this.written.hidden = text === "" || Boolean(isOneUnit);
    this.unit.value = isOneUnit ? unit : text;
    if (isOneUnit) {
      this.width.value = width === "auto" ? "" : width;
      this.height.value = height === "auto" ? "" : height;
      this.dpi.value = dpi ?? "300";
    }
    this.#arrange();
  }

  /**
   * The sides of the print in pixels; null while they are not known.
   * @param {{width: number, height: number} | null} picture
   */
  sides(picture) {
    const dpi = Number(this.dpi.value);
    /** @type {Record<string, number>} */
    const pixelsPer = { cm: dpi / CM_PER_INCH, in: dpi, px: 1 };
    const perUnit = pixelsPer[this.unit.value];
    if (!perUnit) return this.unit.value === "" ? picture : null;
    const ratio = picture ? picture.width / picture.height : 0;
    const given = { width: Number(this.width.value), height: Number(this.height.value) };
    const width = (given.width || given.height * ratio) * perUnit;
    const height = (given.height || (ratio && given.width / ratio)) * perUnit;
    if (!(width > 0 && height > 0)) return null;
    return { width: Math.round(width), height: Math.round(height) };
  }

  /**
   * Say how many pixels that is, in place of an earlier fault.
   * @param {{width: number, height: number} | null} picture
   * @param {boolean} isForPicture whether the dream starts from one
   */
  tell(picture, isForPicture) {
    this.isForPicture = isForPicture;
    this.#arrange();
    const sides = this.sides(picture);
    setText(this.result, sides ? pixels(sides.width, sides.height) : "");
    this.width.removeAttribute("aria-invalid");
  }

  /**
   * @param {string} path
   * @param {string} message
   */
  fault(path, message) {
    if (path !== "size") return this.fit.fault(path, message) || this.focus.fault(path, message);
    setText(this.result, message);
    this.width.setAttribute("aria-invalid", "true");
    return true;
  }
}

/** @param {string} hint */
function side(hint) {
  return h("input", {
    type: "number",
    min: 0,
    step: "any",
    placeholder: hint,
    value: hint === "auto" ? "" : hint,
  });
}

/**
 * @param {string} label
 * @param {any} control
 */
function named(label, control) {
  control.id = freshId("size");
  return h("div.field", {}, h("label", { for: control.id }, label), control);
}

/**
 * @param {HTMLInputElement} field
 * @param {string} unit
 */
function sideText(field, unit) {
  return Number(field.value) > 0 ? `${field.value}${unit}` : "auto";
}
