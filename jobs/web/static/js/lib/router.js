/**
 * Which view the address asks for. Addresses are `#/jobs?state=running`, `#/jobs/JOB`, `#/new`,
 * `#/farm`: the part after `#` never reaches the server, so every reload finds the page.
 */

import { closeDialogs } from "./dialog.js";

/**
 * @typedef {object} View
 * @property {string} title for the tab and for screen readers
 * @property {HTMLElement} element
 * @property {() => void} [dispose] ends its streams and timers
 */

/**
 * @typedef {object} Route
 * @property {string[]} path decoded parts: `["jobs", "sky-0123456789ab"]`
 * @property {URLSearchParams} query
 */

/**
 * @param {string} hash of an address
 * @returns {Route}
 */
export function parseRoute(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  return {
    path: path.split("/").filter(Boolean).map(decode),
    query: new URLSearchParams(query),
  };
}

/** @param {string} part */
function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/**
 * The address of a view.
 * @param {string[]} path
 * @param {Record<string, string | null | undefined>} [query] empty values are left out
 */
export function address(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value);
  const text = new URLSearchParams(/** @type {string[][]} */ (given)).toString();
  return `#/${path.map(encodeURIComponent).join("/")}${text ? `?${text}` : ""}`;
}

/**
 * Show the view of the address now and after each change of it.
 * @param {HTMLElement} place where views appear
 * @param {(route: Route) => View} open makes a view
 * @returns {() => void} shows the present address again
 */
export function startRouter(place, open) {
  /** @type {View | null} */
  let shown = null;
  const show = (/** @type {boolean} */ isFirst) => {
    closeDialogs();
    shown?.dispose?.();
    shown = open(parseRoute(location.hash));
    place.replaceChildren(shown.element);
    document.title = `${shown.title} · Dreamfarm`;
    markCurrent();
    if (!isFirst) focusHeading(place);
  };
  addEventListener("hashchange", () => show(false));
  show(true);
  return () => show(false);
}

/** @param {HTMLElement} place */
function focusHeading(place) {
  const heading = place.querySelector("h1");
  if (heading) {
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  }
  scrollTo(0, 0);
}

function markCurrent() {
  const [first = "jobs"] = parseRoute(location.hash).path;
  for (const link of document.querySelectorAll(".top nav a")) {
    if (link.getAttribute("href") === `#/${first}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}
