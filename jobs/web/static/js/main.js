/** Starts the page: colours, session, and the view that the address asks for. */

import { faultNote } from "./lib/announce.js";
import { get } from "./lib/api.js";
import { h, icon } from "./lib/dom.js";
import { startRouter } from "./lib/router.js";
import { startTheme } from "./lib/theme.js";
import { farmView } from "./views/farm.js";
import { itemView } from "./views/item.js";
import { jobView } from "./views/job.js";
import { jobsView } from "./views/jobs.js";
import { loginView } from "./views/login.js";
import { newView } from "./views/new.js";

/**
 * @typedef {object} Session
 * @property {"write" | "read" | null} role null: a token is needed first
 * @property {boolean} login whether this server asks for tokens at all
 * @property {string | null} store
 * @property {string} version
 */

const main = /** @type {HTMLElement} */ (document.getElementById("main"));

/**
 * @param {Session} session
 * @param {import("./lib/router.js").Route} route
 * @returns {import("./lib/router.js").View}
 */
function open(session, route) {
  if (session.role === null) return loginView(() => location.reload());
  const [first = "jobs", job, part, number] = route.path;
  if (first === "jobs" && part === "items") return itemView(job, Number(number));
  if (first === "jobs" && job) return jobView(job, route);
  if (first === "jobs") return jobsView(route);
  if (first === "new") return newView(route, session);
  if (first === "farm") return farmView(session);
  return {
    title: "Not found",
    element: h(
      "div.empty",
      {},
      h("h1", {}, "There is no such page"),
      h("a", { href: "#/jobs" }, "All jobs"),
    ),
  };
}

async function start() {
  const button = /** @type {HTMLButtonElement} */ (document.getElementById("theme"));
  button.append(icon("theme"));
  startTheme(button);
  startSkipLink();
  try {
    /** @type {Session} */
    const session = await get("/session");
    const again = startRouter(main, (route) => open(session, route));
    addEventListener("dreamfarm-login", () => {
      if (session.role === null) return;
      session.role = null;
      again();
    });
  } catch (error) {
    main.replaceChildren(faultNote(error, () => location.reload()));
  }
}

/** The link cannot use the address, which names the view. */
function startSkipLink() {
  document.querySelector(".skip")?.addEventListener("click", (event) => {
    event.preventDefault();
    main.focus();
  });
}

start();
