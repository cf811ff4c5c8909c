/**
 * Builds elements. Data becomes text and attributes, never markup: nothing here parses HTML, so
 * a job named `<script>` is shown as it is written.
 */

/** @typedef {Node | string | number | null | undefined | false} Child */

/** @type {WeakSet<Node>} elements that act, and so are more than what they look like */
const ACTING = new WeakSet();

/** @param {Node} node made by `h` */
export function isActing(node) {
  return ACTING.has(node);
}

/**
 * Create an element.
 * @param {string} tag a name, with classes after dots: `p.help.quiet`
 * @param {Record<string, any>} [attributes] `on` is a map of event listeners, `data` of data
 *     attributes; a value of null, undefined or false leaves an attribute out, true sets it empty
 * @param {...(Child | Child[])} children empty ones are left out
 * @returns {any} the element
 */
export function h(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  element.classList.add(...classes);
  for (const [key, value] of Object.entries(attributes)) setAttribute(element, key, value);
  append(element, children);
  return element;
}

/**
 * @param {HTMLElement} element
 * @param {string} key
 * @param {any} value
 */
function setAttribute(element, key, value) {
  if (value === null || value === undefined || value === false) return;
  if (key === "on") {
    ACTING.add(element);
    for (const [event, listener] of Object.entries(value))
      element.addEventListener(event, listener);
  } else if (key === "data") {
    Object.assign(element.dataset, value);
  } else if (key === "value") {
    /** @type {any} */ (element).value = value;
  } else {
    element.setAttribute(key, value === true ? "" : String(value));
  }
}

/**
 * @param {Element} parent
 * @param {(Child | Child[])[]} children
 */
export function append(parent, children) {
  for (const child of children.flat()) {
    if (child !== null && child !== undefined && child !== false && child !== "") {
      parent.append(child instanceof Node ? child : String(child));
    }
  }
}

/**
 * Replace all children.
 * @param {Element} parent
 * @param {...(Child | Child[])} children
 */
export function fill(parent, ...children) {
  const fragment = /** @type {any} */ (document.createDocumentFragment());
  append(fragment, children);
  parent.replaceChildren(fragment);
}

/**
 * Set a text only where it differs, so that live regions speak once.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const SVG = "http://www.w3.org/2000/svg";

/** The strokes of each icon on a grid of 20 by 20. */
const ICONS = {
  plus: "M10 4v12M4 10h12",
  minus: "M4 10h12",
  fit: "M4 8V4h4M12 4h4v4M16 12v4h-4M8 16H4v-4",
  full: "M12 4h4v4M16 4l-5 5M8 16H4v-4M4 16l5-5",
  theme: "M10 3v14M10 3a7 7 0 0 1 0 14M10 3a7 7 0 0 0 0 14",
  close: "M5 5l10 10M15 5L5 15",
  picture: "M3 5h14v11H3zM3 13l4-4 4 4 2-2 4 4M13.5 8.5v.1",
};

/**
 * A small drawing beside a text, or inside a button that has a label.
 * @param {keyof typeof ICONS} name
 * @returns {SVGElement}
 */
export function icon(name) {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("viewBox", "0 0 20 20");
  drawing.setAttribute("class", "icon");
  drawing.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  drawing.append(path);
  return drawing;
}

let lastId = 0;

/**
 * An id that no other element has, to tie labels and help to their fields.
 * @param {string} stem
 */
export function freshId(stem) {
  lastId += 1;
  return `${stem}-${lastId}`;
}
