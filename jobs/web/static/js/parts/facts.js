/** What is known of a job, as a list of names and values. */

import { h } from "../lib/dom.js";
import { ago, duration, memory, money, number, pixels, plural } from "../lib/format.js";
import { renew } from "../lib/renew.js";
import { sinceSubmit } from "./tile.js";

/**
 * A list of names and values; empty values are left out.
 * @param {[string, any][]} pairs
 */
export function factList(pairs) {
  const known = pairs.filter(([, value]) => value || value === 0);
  return h(
    "dl.facts",
    {},
    known.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
  );
}

/**
 * @param {HTMLElement} place
 * @param {any} job
 */
export function showFacts(place, job) {
  renew(place, factList([...picture(job), ...work(job), ...origin(job)]));
}

/**
 * @param {any} job
 * @returns {[string, any][]}
 */
function picture(job) {
  return [
    ["Size", job.width && job.kind === "poster" ? pixels(job.width, job.height) : null],
    ["Pictures", job.items ? itemText(job.items) : null],
    ["Network", job.network],
    ["Look", job.look],
  ];
}

/**
 * @param {any} job
 * @returns {[string, any][]}
 */
function work(job) {
  const isRunning = job.state === "running";
  const octave = job.octave ? `Octave ${job.octave} of ${job.octaves}` : null;
  const unit = job.items ? "pictures" : "megapixel-steps";
  const rate =
    job.rate && job.rate < 1 && job.items ? `${number(job.rate * 60)} pictures a minute` : null;
  return [
    [
      "Now",
      isRunning && octave ? `${octave}, step ${job.step} of ${job.steps}` : isRunning && job.phase,
    ],
    ["Speed", isRunning && job.rate ? (rate ?? `${number(job.rate)} ${unit} a second`) : null],
    ["Time left", isRunning && job.eta_seconds !== null ? duration(job.eta_seconds) : null],
    ["Workers", isRunning && job.workers ? plural(job.workers, "worker") : null],
    ["Machine", isRunning ? job.holder : null],
    ["Worked", job.seconds ? duration(job.seconds) : null],
    ["Spent", spentText(job)],
  ];
}

/**
 * What the workers have cost, and what they may cost. Without a price there is only their time.
 * @param {any} job
 */
export function spentText({ spent, limits }) {
  const parts = [];
  if (spent?.usd) parts.push(money(spent.usd));
  if (spent?.worker_seconds) parts.push(`${duration(spent.worker_seconds)} of workers`);
  if (limits?.usd) parts.push(`at most ${money(limits.usd)}`);
  if (limits?.hours) parts.push(`at most ${number(limits.hours)} h`);
  return parts.join(", ") || null;
}

/**
 * @param {any} job
 * @returns {[string, any][]}
 */
function origin(job) {
  return [
    ["Priority", job.priority],
    ["Submitted", ago(sinceSubmit(job)) + (job.submitter ? ` by ${job.submitter}` : "")],
    ["Id", h("code.whole", {}, job.job)],
  ];
}

/** @param {{items: number, done: number, failed: Record<string, number>}} items */
function itemText({ items, done, failed }) {
  const count = Object.values(failed).reduce((sum, one) => sum + one, 0);
  const failures = count ? `, ${number(count)} failed` : "";
  return `${number(done)} of ${number(items)} done${failures}`;
}

/**
 * The plan that `POST /plans` gave, in the words of a buyer: how large, how long, how much.
 * @param {any} document as `dreamfarm plan --json`
 * @returns {[string, any][]}
 */
export function planFacts(document) {
  const { width, height, dpi, seconds, octaves } = document;
  const print = dpi
    ? ` (${number((width / dpi) * 2.54)} × ${number((height / dpi) * 2.54)} cm at ${dpi} dpi)`
    : "";
  return [
    ["Size", width ? pixels(width, height) + print : null],
    ["Time", seconds ? `about ${duration(seconds)}` : null],
    ["Octaves", octaves?.length],
    ["Memory of a worker", document.memory_per_worker ? memory(document.memory_per_worker) : null],
    ["Workers", document.workers],
  ];
}
