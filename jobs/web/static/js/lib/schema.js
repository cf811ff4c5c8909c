/** Reads JSON schemas of specs: what kind of field each property needs, and its help. */

/**
 * @typedef {object} Shape of a property
 * @property {"constant" | "choice" | "switch" | "number" | "text" | "point" | "file" | "words" | "list" | "group" | "json"} kind
 * @property {any} schema resolved
 * @property {any[]} [choices] of a choice
 * @property {string} [word] that may stand in place of a number, such as `auto`
 * @property {boolean} [isNullable]
 * @property {boolean} [isNumeric] whether the words of a list are numbers
 * @property {boolean} [isMixed] whether they may be numbers
 */

/**
 * Follow a reference; what stands beside it, such as the default, wins. `about` is the description
 * of the object that was referred to.
 * @param {any} node
 * @param {any} root the whole schema, with its `$defs`
 * @returns {any}
 */
export function resolve(node, root) {
  const reference = node.$ref ?? (node.allOf?.length === 1 ? node.allOf[0].$ref : undefined);
  if (!reference) return node;
  const target = resolve(root.$defs[reference.split("/").pop()], root);
  const { $ref, allOf, ...beside } = node;
  return { ...target, about: target.description, ...beside };
}

/**
 * @param {any} node
 * @param {any} root
 * @returns {Shape}
 */
export function shapeOf(node, root) {
  const schema = resolve(node, root);
  if (schema.anyOf ?? schema.oneOf) return unionShape(schema, root);
  if ("const" in schema) return { kind: "constant", schema };
  if (schema.enum) return { kind: "choice", schema, choices: schema.enum };
  switch (schema.type) {
    case "boolean":
      return { kind: "switch", schema };
    case "integer":
    case "number":
      return { kind: "number", schema };
    case "string":
      return { kind: "text", schema };
    case "array":
      return arrayShape(schema, root);
    default:
      return { kind: schema.properties ? "group" : "json", schema };
  }
}

/**
 * @param {any} schema with alternatives
 * @param {any} root
 * @returns {Shape}
 */
function unionShape(schema, root) {
  const all = (schema.anyOf ?? schema.oneOf).map((/** @type {any} */ one) => resolve(one, root));
  const isNullable = all.some((/** @type {any} */ one) => one.type === "null");
  const words = all
    .filter((/** @type {any} */ one) => "const" in one)
    .map((/** @type {any} */ one) => one.const);
  const others = all.filter((/** @type {any} */ one) => one.type !== "null" && !("const" in one));
  if (others.length === 0) return { kind: "choice", schema, choices: words, isNullable };
  const { anyOf, oneOf, ...beside } = schema;
  if (others.some((/** @type {any} */ one) => one.format === "path"))
    return { kind: "file", schema, isNullable };
  const types = new Set(others.map((/** @type {any} */ one) => one.type));
  if (others.some((/** @type {any} */ one) => one.prefixItems?.length === 2))
    return { kind: "point", schema: beside, isNullable };
  if (others.length === 1 && others[0].enum)
    return { kind: "choice", schema: beside, choices: [...words, ...others[0].enum], isNullable };
  if (types.has("string") && !types.has("array") && !types.has("object")) {
    return { kind: "text", schema: { ...beside }, word: words[0], isNullable };
  }
  if (others.length > 1) return { kind: "json", schema: beside, isNullable };
  const [other] = others;
  // A box to tick has no third state.
  if (other.type === "boolean" && isNullable)
    return { kind: "choice", schema: beside, choices: [true, false], isNullable };
  return { ...shapeOf({ ...other, ...beside }, root), word: words[0], isNullable };
}

/**
 * @param {any} schema
 * @param {any} root
 * @returns {Shape}
 */
function arrayShape(schema, root) {
  const items = shapeOf(schema.items ?? {}, root);
  if (items.kind === "group") return { kind: "list", schema };
  if (items.kind === "number") return { kind: "words", schema, isNumeric: true };
  if (items.kind === "text")
    return { kind: "words", schema, isMixed: items.schema.type !== "string" };
  return { kind: "json", schema };
}

/**
 * The help of a property in plain text.
 * @param {any} schema resolved
 */
export function helpOf(schema) {
  const text = (schema.description ?? "").replace(/ \(`(render|jobs)[\w.]+`\)/g, "");
  const plain = text.replaceAll("`", "").replace(/\bNone\b/g, "none");
  const help = plain.replace(/\s+/g, " ").trim();
  // The name of a choice stays as a spec has it.
  return text.startsWith("`") ? help : help.charAt(0).toUpperCase() + help.slice(1);
}

/**
 * What the description of an object says of one of its properties, in lines such as
 * `workers, cpus_per_worker: counts`, which go on in indented lines.
 * @param {any} schema of the object, resolved
 * @param {string} name
 * @returns {string | undefined}
 */
export function propertyHelp(schema, name) {
  const entries = (schema.about ?? schema.description ?? "").matchAll(
    /^([a-z_]+(?:, [a-z_]+)*): (.*(?:\n +.*)*)/gm,
  );
  for (const [, names, text] of entries) {
    if (names.split(", ").includes(name)) return text;
  }
  return undefined;
}

/**
 * The range of a number in words; empty if it has none, or if its help tells it already.
 * @param {any} schema
 * @param {string} help
 */
export function rangeOf(schema, help) {
  const low = schema.minimum ?? schema.exclusiveMinimum;
  const high = schema.maximum ?? schema.exclusiveMaximum;
  if (help.includes(`${low} to ${high}`)) return "";
  // Limits of the number's type are no help.
  const isBounded = (/** @type {number | undefined} */ value) =>
    value !== undefined && Math.abs(value) < 1e9;
  const text = (/** @type {number} */ value) => value.toLocaleString("en");
  if (isBounded(low) && isBounded(high)) return `${text(low)} to ${text(high)}`;
  if (isBounded(low))
    return schema.exclusiveMinimum === undefined ? `${text(low)} or more` : `above ${text(low)}`;
  return isBounded(high) ? `at most ${text(high)}` : "";
}

/**
 * Where the faults of a spec may be, by their message: `dream: steps must be …` is about
 * `dream.steps`. Several stand behind one another, with semicolons.
 * @param {string} detail
 * @returns {{paths: string[], message: string}[]} paths: the likeliest first
 */
export function faultPlaces(detail) {
  /** @type {{paths: string[], message: string}[]} */
  const places = [];
  for (const text of detail.split("; ")) {
    const [, path, message] = /^([\w.]+): (.+)$/.exec(text) ?? [];
    const [first] = /^[\w.]+/.exec(message ?? "") ?? [];
    if (path) places.push({ paths: first ? [`${path}.${first}`, path] : [path], message });
    else if (places.length > 0) places[places.length - 1].message += `; ${text}`;
  }
  return places;
}

/**
 * Whether two JSON values are the same.
 * @param {any} one
 * @param {any} other
 */
export function isSame(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}
