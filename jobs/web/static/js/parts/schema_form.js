/** A form made from the JSON schema of a spec: a group of fields for each object. */

import { h, setText } from "../lib/dom.js";
import { labelOf } from "../lib/labels.js";
import { helpOf, isSame, propertyHelp, resolve, shapeOf } from "../lib/schema.js";
import { labelled, simpleField } from "./schema_field.js";

/** @typedef {import("./schema_field.js").Field} Field */

/** Fields without which a spec is not complete stand open; groups are folded. */
const FOLDED = "details.group";

/**
 * The fields of an object.
 * @param {any} schema resolved
 * @param {any} root with `$defs`
 * @param {Set<string>} [without] properties that have no field
 * @returns {Field}
 */
export function groupFields(schema, root, without = new Set()) {
  /** @type {Map<string, Field>} */
  const fields = new Map();
  for (const [name, node] of Object.entries(schema.properties)) {
    if (without.has(name) || "const" in node) continue;
    const description = node.description ?? propertyHelp(schema, name);
    const help = description ? { description } : {};
    fields.set(name, makeField(name, { ...node, ...help, label: labelOf(schema, name) }, root));
  }
  const simple = [...fields.values()].filter(({ element }) => !element.matches("details"));
  const groups = [...fields.values()].filter(({ element }) => element.matches("details"));
  for (const name of schema.required ?? []) {
    const element = fields.get(name)?.element;
    if (element instanceof HTMLDetailsElement) element.open = true;
  }
  return {
    element: h(
      "div.fields",
      {},
      h(
        "div.columns",
        {},
        simple.map(({ element }) => element),
      ),
      groups.map(({ element }) => element),
    ),
    value: () => groupValue(fields),
    set: (value) => fields.forEach((field, name) => field.set(value?.[name])),
    fault: (path, message) => [...fields.values()].some((field) => field.fault(path, message)),
  };
}

/** @param {Map<string, Field>} fields */
function groupValue(fields) {
  /** @type {[string, any][]} */
  const given = [];
  for (const [name, field] of fields) {
    const value = field.value();
    if (value !== undefined) given.push([name, value]);
  }
  return given.length > 0 ? Object.fromEntries(given) : undefined;
}

/**
 * @param {string} name
 * @param {any} node
 * @param {any} root
 * @returns {Field}
 */
export function makeField(name, node, root) {
  const shape = shapeOf(node, root);
  if (shape.kind === "group") return groupField(name, shape, root);
  if (shape.kind === "list") return listField(name, shape.schema, root);
  return simpleField(name, shape);
}

/**
 * A group within a group, folded. One that may be null has a switch, and no fields before it is on.
 * @param {string} name
 * @param {import("../lib/schema.js").Shape} shape
 * @param {any} root
 * @returns {Field}
 */
function groupField(name, { schema, isNullable }, root) {
  /** @type {Field | undefined} */
  let inner;
  const place = h("div");
  const use = h("input", { type: "checkbox" });
  const note = faultNote();
  const fields = () => {
    inner ??= groupFields(schema, root);
    place.replaceChildren(inner.element);
    return inner;
  };
  const element = h(
    FOLDED,
    { "aria-label": schema.label },
    h("summary", {}, schema.label),
    groupHelp(schema),
    note,
    isNullable && labelled(`Use ${schema.label.toLowerCase()}`, use, "").element,
    place,
  );
  const write = (/** @type {any} */ value) => {
    use.checked = value !== null;
    place.hidden = value === null;
    if (value !== null) fields().set(value ?? undefined);
  };
  use.addEventListener("input", () => {
    place.hidden = !use.checked;
    if (use.checked) fields();
  });
  element.addEventListener("input", () => setText(note, ""));
  const preset = schema.default === undefined ? {} : schema.default;
  const read = () => (use.checked ? (inner?.value() ?? {}) : null);
  write(preset);
  // The default as this form writes it, since a group leaves out what is as by default.
  const untouched = read();
  return {
    element,
    value: () => (isSame(read(), untouched) ? undefined : read()),
    set: (value) => {
      write(value === undefined ? preset : value);
      element.open ||= !isSame(read(), untouched);
    },
    fault: (path, message) =>
      inside(element, name, path, (rest) =>
        rest === "" ? setText(note, message) : (inner?.fault(rest, message) ?? false),
      ),
  };
}

/** What is wrong with a group as a whole. */
function faultNote() {
  return h("p.field-fault.small", { role: "alert" });
}

/** @param {any} schema of an object, whose description may be longer than help should be */
function groupHelp(schema) {
  const [first] = helpOf(schema).split(/(?<=\.)\s/);
  return first ? h("p.help.soft.small", {}, first) : null;
}

/**
 * A list of groups, such as outputs; entries can be added and removed.
 * @param {string} name
 * @param {any} schema
 * @param {any} root
 * @returns {Field}
 */
function listField(name, schema, root) {
  const item = resolve(schema.items, root);
  /** @type {Field[]} */
  let entries = [];
  const list = h("div.entries");
  const add = (/** @type {any} */ value) => {
    const entry = groupFields(item, root);
    entry.set(value);
    const drop = () => {
      entries = entries.filter((one) => one !== entry);
      row.remove();
      list.dispatchEvent(new Event("input", { bubbles: true }));
    };
    const row = h(
      "div.entry",
      { role: "group", "aria-label": `${schema.label}, entry` },
      entry.element,
      h("button", { type: "button", on: { click: drop } }, "Remove"),
    );
    entries.push(entry);
    list.append(row);
    return row;
  };
  const addEmpty = () => add(undefined).querySelector("input, select")?.focus();
  const note = faultNote();
  const element = h(
    FOLDED,
    { "aria-label": schema.label },
    h("summary", {}, schema.label),
    groupHelp(schema),
    note,
    list,
    h("button", { type: "button", on: { click: addEmpty } }, "Add one"),
  );
  element.addEventListener("input", () => setText(note, ""));
  const set = (/** @type {any} */ value) => {
    entries = [];
    list.replaceChildren();
    for (const one of Array.isArray(value) ? value : []) add(one);
    element.open = entries.length > 0 && !isSame(value, schema.default);
  };
  set(schema.default);
  return {
    element,
    value: () => {
      const value = entries.map((entry) => ({ ...required(item), ...entry.value() }));
      return value.length === 0 || isSame(value, withoutDefaults(schema.default, item))
        ? undefined
        : value;
    },
    set: (value) => set(value ?? schema.default),
    fault: (path, message) =>
      inside(element, name, path, (rest) => {
        if (rest === "") return setText(note, message);
        const [index, ...more] = rest.split(".");
        return entries[Number(index)]?.fault(more.join("."), message) ?? false;
      }),
  };
}

/**
 * The first choice of each required property, which its field shows.
 * @param {any} item
 */
function required(item) {
  const chosen = (item.required ?? []).filter(
    (/** @type {string} */ name) => item.properties[name].enum,
  );
  return Object.fromEntries(
    chosen.map((/** @type {string} */ name) => [name, item.properties[name].enum[0]]),
  );
}

/**
 * A default list as the form writes it.
 * @param {any} value
 * @param {any} item
 */
function withoutDefaults(value, item) {
  if (!Array.isArray(value)) return value;
  return value.map((one) =>
    typeof one !== "object"
      ? one
      : Object.fromEntries(
          Object.entries(one).filter(([key, part]) => !isSame(part, item.properties[key]?.default)),
        ),
  );
}

/**
 * Hand a fault on to what is inside, and unfold it.
 * @param {HTMLDetailsElement} element
 * @param {string} name
 * @param {string} path
 * @param {(rest: string) => boolean | void} mark rest: empty for a fault of the whole
 */
function inside(element, name, path, mark) {
  if (path !== name && !path.startsWith(`${name}.`)) return false;
  if (mark(path.slice(name.length + 1)) === false) return false;
  element.open = true;
  return true;
}
