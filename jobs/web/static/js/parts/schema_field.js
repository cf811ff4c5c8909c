/** One field of a form, made from its JSON schema: label, control, help and fault. */

import { freshId, h, setText } from "../lib/dom.js";
import { choiceText } from "../lib/labels.js";
import { helpOf, isSame, rangeOf } from "../lib/schema.js";
import { pictureControl } from "./file_control.js";

/**
 * @typedef {object} Field
 * @property {HTMLElement} element
 * @property {() => any} value undefined if it is as by default; may throw a SyntaxError of JSON
 * @property {(value: any) => void} set undefined sets the default
 * @property {(path: string, message: string) => boolean} fault marks a field of that path
 */

/**
 * A label, a control, and the help below it.
 * @param {string} label
 * @param {any} control
 * @param {string} help
 * @param {{isLabelSeen?: boolean}} [options] a label that a heading repeats is for screen readers
 * @returns {{element: HTMLElement, note: (message: string) => void}}
 */
export function labelled(label, control, help, { isLabelSeen = true } = {}) {
  const id = freshId("field");
  control.id = id;
  const helpNote = help ? h("p.help.soft.small", { id: `${id}-help` }, help) : null;
  const faultNote = h("p.field-fault.small", { id: `${id}-fault`, role: "alert" });
  control.setAttribute("aria-describedby", `${help ? `${id}-help ` : ""}${id}-fault`);
  const note = (/** @type {string} */ message) => {
    setText(faultNote, message);
    if (message) control.setAttribute("aria-invalid", "true");
    else control.removeAttribute("aria-invalid");
  };
  control.addEventListener("input", () => note(""));
  const isSwitch = control.type === "checkbox";
  const parts = [
    h(isLabelSeen ? "label" : "label.unseen", { for: id }, label),
    control,
    ...(control.extra ?? []),
  ];
  return {
    element: h(
      isSwitch ? "div.field.switch" : "div.field",
      {},
      isSwitch ? parts.reverse() : parts,
      helpNote,
      faultNote,
    ),
    note,
  };
}

/**
 * A field for a value that is no group or list.
 * @param {string} name
 * @param {import("../lib/schema.js").Shape} shape
 * @returns {Field}
 */
export function simpleField(name, shape) {
  const { schema } = shape;
  const { control, read, write } = CONTROLS[shape.kind](shape, name);
  const told = helpOf(schema);
  const range = shape.kind === "number" ? rangeOf(schema, told) : "";
  const help = [told, range && `${range.charAt(0).toUpperCase()}${range.slice(1)}.`]
    .filter(Boolean)
    .join(" ");
  const { element, note } = labelled(schema.label, control, help);
  if (schema.example) control.placeholder = `such as ${schema.example}`;
  write(schema.default);
  return {
    element,
    value: () => {
      const value = read();
      return value === undefined || isSame(value, schema.default) ? undefined : value;
    },
    set: (value) => write(value === undefined ? schema.default : value),
    fault: (path, message) => {
      // A fault of a part, such as `classes.0`, belongs to the whole field.
      if (path !== name && !path.startsWith(`${name}.`)) return false;
      note(message);
      return true;
    },
  };
}

/** @typedef {{control: any, read: () => any, write: (value: any) => void}} Control */

/** @type {Record<string, (shape: import("../lib/schema.js").Shape, name: string) => Control>} */
const CONTROLS = {
  constant: ({ schema }) => ({
    control: h("input", { readonly: true, value: schema.const }),
    read: () => schema.const,
    write: () => {},
  }),
  choice: choiceControl,
  switch: () => {
    const control = h("input", { type: "checkbox" });
    return {
      control,
      read: () => control.checked,
      write: (value) => {
        control.checked = value === true;
      },
    };
  },
  number: numberControl,
  text: ({ schema, word }) => textControl(word ?? shown(schema.default), (text) => text, String),
  point: pointControl,
  words: ({ schema, isNumeric, isMixed }) =>
    textControl(
      shown(schema.default) || (isNumeric ? "numbers with commas" : "words with commas"),
      (text) =>
        text
          .split(",")
          .map((one) => one.trim())
          .filter(Boolean)
          .map((one) => (isNumeric || (isMixed && /^\d+$/.test(one)) ? Number(one) : one)),
      (value) => value.join(", "),
    ),
  file: pictureControl,
  json: ({ schema }) => {
    const control = h("textarea", {
      rows: 3,
      spellcheck: "false",
      placeholder: shown(schema.default) || "JSON",
    });
    return {
      control,
      read: () => (control.value.trim() ? JSON.parse(control.value) : undefined),
      write: (value) => {
        control.value =
          isSame(value, schema.default) || value === undefined ? "" : JSON.stringify(value);
      },
    };
  },
};

/**
 * `unset` of the schema says what null means.
 * @param {import("../lib/schema.js").Shape} shape
 * @param {string} name
 * @returns {Control}
 */
function choiceControl({ schema, choices = [], isNullable }, name) {
  const all = isNullable ? [null, ...choices] : choices;
  const control = h("select");
  for (const one of all) {
    const text = one === null ? (schema.unset ?? "none") : choiceText(name, one);
    control.append(h("option", { value: JSON.stringify(one) }, text));
  }
  return {
    control,
    read: () => JSON.parse(control.value),
    write: (value) => {
      control.value = JSON.stringify(value ?? (isNullable ? null : (schema.default ?? choices[0])));
    },
  };
}

/**
 * @param {import("../lib/schema.js").Shape} shape
 * @returns {Control}
 */
function numberControl({ schema, word }) {
  const parse = (/** @type {string} */ text) => (text === word ? word : Number(text));
  const { control, read, write } = textControl(word ?? shown(schema.default), parse, String);
  if (word === undefined) {
    control.type = "number";
    control.step = schema.type === "integer" ? "1" : "any";
  }
  control.inputMode = "decimal";
  return { control, read, write };
}

/**
 * A line of text; empty stands for the default, which is its placeholder.
 * @param {string} hint
 * @param {(text: string) => any} parse
 * @param {(value: any) => string} format
 * @returns {Control}
 */
function textControl(hint, parse, format) {
  const control = h("input", {
    type: "text",
    placeholder: hint,
    autocomplete: "off",
    spellcheck: "false",
  });
  return {
    control,
    read: () => (control.value.trim() === "" ? undefined : parse(control.value.trim())),
    write: (value) => {
      // A default that is no text, such as a size in its parts, is shown as empty.
      const isText = ["string", "number"].includes(typeof value) || Array.isArray(value);
      control.value = isText && format(value) !== hint ? format(value) : "";
    },
  };
}

/**
 * A point of a picture, in shares of its sides: `30%,40%`.
 * @returns {Control}
 */
function pointControl() {
  const { control, read, write } = textControl("50%,50%", (text) => text, String);
  /** @type {any} */
  let written;
  const percents = (/** @type {number[]} */ point) =>
    point.map((share) => `${Number((100 * share).toFixed(6))}%`).join(",");
  return {
    control,
    // What was given stays as it was, to its last digit.
    read: () => (Array.isArray(written) && read() === percents(written) ? written : read()),
    write: (value) => {
      written = value;
      write(Array.isArray(value) ? percents(value) : value);
    },
  };
}

/**
 * A default as a hint; nothing for what only a machine reads.
 * @param {any} value
 */
function shown(value) {
  if (value === undefined || value === null) return "";
  if (Array.isArray(value))
    return value.every((one) => typeof one !== "object") ? value.join(", ") : "";
  return typeof value === "object" ? "" : String(value);
}
