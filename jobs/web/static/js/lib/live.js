/** What the server tells by itself, by server-sent events. */

import { showConnection } from "./announce.js";
import { address, get, query } from "./api.js";

const EVENTS = ["snapshot", "job", "removed", "index", "store", "events", "log", "canvas"];

const SILENCE = "The server does not answer. What you see may be old.";

/** A browser gives up where the server refuses, or a proxy answers in its place. */
const AGAIN_MS = 3000;

/**
 * Listen until the returned function is called. While the tab is hidden there is no connection;
 * when it is seen again, all begins with a `snapshot` again.
 * @param {string | null} job also events, log and canvas of this job
 * @param {Record<string, (data: any) => void>} handlers by the event's name
 * @returns {() => void}
 */
export function listen(job, handlers) {
  const stream = new Stream(job, handlers);
  const change = () => {
    if (document.hidden) stream.close();
    else stream.open();
  };
  document.addEventListener("visibilitychange", change);
  change();
  return () => {
    document.removeEventListener("visibilitychange", change);
    stream.isEnded = true;
    stream.close();
    // Nobody would take it back where no stream follows.
    showConnection(null);
  };
}

class Stream {
  /**
   * @param {string | null} job
   * @param {Record<string, (data: any) => void>} handlers
   */
  constructor(job, handlers) {
    this.address = address(`/events${query({ job })}`);
    this.handlers = handlers;
    /** @type {EventSource | null} */
    this.source = null;
    this.timer = 0;
    this.isEnded = false;
  }

  open() {
    if (this.source !== null) return;
    const source = new EventSource(this.address);
    this.source = source;
    source.addEventListener("open", () => showConnection(null));
    source.addEventListener("error", () => this.#fail(source));
    for (const name of EVENTS) {
      source.addEventListener(name, (event) => {
        this.#take(name, JSON.parse(/** @type {MessageEvent} */ (event).data));
      });
    }
  }

  close() {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }

  /**
   * @param {string} name
   * @param {any} data
   */
  #take(name, data) {
    if (name === "store") showConnection(data.answers ? null : data.detail);
    this.handlers[name]?.(data);
  }

  /** @param {EventSource} source */
  #fail(source) {
    if (source !== this.source) return;
    showConnection(SILENCE);
    if (source.readyState !== EventSource.CLOSED) return;
    this.close();
    this.timer = setTimeout(() => this.#openAgain(), AGAIN_MS);
  }

  async #openAgain() {
    // A login that has run out looks like silence here; this request tells them apart.
    try {
      const { role } = await get("/session");
      if (role === null) {
        showConnection(null);
        dispatchEvent(new Event("dreamfarm-login"));
        return;
      }
    } catch {
      // The server is still silent.
    }
    if (!document.hidden && !this.isEnded) this.open();
  }
}
