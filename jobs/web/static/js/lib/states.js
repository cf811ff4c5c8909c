/** The states of a job in words. */

import { h } from "./dom.js";
import { duration, percent } from "./format.js";

/** In the order of a list of choices. */
export const STATES = ["running", "queued", "paused", "succeeded", "failed", "cancelled"];

/** @type {Record<string, string>} */
const WORDS = {
  running: "Running",
  queued: "Waiting",
  paused: "Paused",
  succeeded: "Done",
  failed: "Failed",
  cancelled: "Cancelled",
};

/** What was asked of a running job, and will happen at its next step. */
const ASKED = { pause: "Pausing", cancel: "Stopping" };

/** @param {string} state */
export function stateWord(state) {
  return WORDS[state] ?? state;
}

/** @param {{state: string}} job */
export function hasEnded(job) {
  return ["succeeded", "failed", "cancelled"].includes(job.state);
}

/** @param {{state: string, want: string}} job */
export function stateText(job) {
  const asked = /** @type {Record<string, string>} */ (ASKED)[job.want];
  return job.state === "running" && asked ? asked : stateWord(job.state);
}

/**
 * A mark with the state in words; shape and colour tell states apart.
 * @param {{state: string, want: string}} job
 */
export function stateMark(job) {
  return h("span.state", { data: { state: job.state } }, stateText(job));
}

/**
 * How far an open job is: `42%, about 3 min left`.
 * @param {{progress: number, eta_seconds: number | null, state: string}} job
 */
export function progressText(job) {
  const left = job.state === "running" && job.eta_seconds !== null;
  return percent(job.progress) + (left ? `, ${duration(job.eta_seconds ?? 0)} left` : "");
}
