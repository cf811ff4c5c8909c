/** Brings what is on the screen up to date in place, so that focus, selection and scrolling stay. */

import { append, isActing } from "./dom.js";

/**
 * Change the children into others. What looks alike stays and takes the new texts.
 * @param {Element} parent
 * @param {...(import("./dom.js").Child | import("./dom.js").Child[])} children
 */
export function renew(parent, ...children) {
  const wanted = /** @type {any} */ (document.createDocumentFragment());
  append(wanted, children);
  blend(parent, [...wanted.childNodes]);
}

/**
 * Put elements in order, and leave those that are in place alone.
 * @param {Element} parent
 * @param {Element[]} elements
 */
export function arrange(parent, elements) {
  const wanted = new Set(elements);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  elements.forEach((element, place) => {
    const present = parent.children[place] ?? null;
    if (present !== element) parent.insertBefore(element, present);
  });
}

/**
 * @param {Element} parent
 * @param {Node[]} wanted
 */
function blend(parent, wanted) {
  wanted.forEach((node, place) => {
    const present = parent.childNodes[place];
    if (!present) parent.append(node);
    else if (!isAlike(present, node)) parent.replaceChild(node, present);
    else update(present, node);
  });
  while (parent.childNodes.length > wanted.length) parent.lastChild?.remove();
}

/**
 * Whether a node may become another one. A link to elsewhere is another link.
 * @param {Node} present
 * @param {Node} node
 */
function isAlike(present, node) {
  if (present.nodeName !== node.nodeName || isActing(present) || isActing(node)) return false;
  if (!(present instanceof Element && node instanceof Element)) return true;
  return ["class", "href"].every((name) => present.getAttribute(name) === node.getAttribute(name));
}

/**
 * @param {Node} present
 * @param {Node} node
 */
function update(present, node) {
  if (!(present instanceof Element && node instanceof Element)) {
    if (present.nodeValue !== node.nodeValue) present.nodeValue = node.nodeValue;
    return;
  }
  for (const { name } of [...present.attributes]) {
    // What the reader has unfolded stays so.
    if (name !== "open" && !node.hasAttribute(name)) present.removeAttribute(name);
  }
  for (const { name, value } of node.attributes) {
    if (present.getAttribute(name) !== value) present.setAttribute(name, value);
  }
  blend(present, [...node.childNodes]);
}
