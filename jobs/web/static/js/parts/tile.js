/** A job on the wall of the gallery: its picture, and a label below. */

import { h, icon } from "../lib/dom.js";
import { ago, duration, money, pixels, plural } from "../lib/format.js";
import { renew } from "../lib/renew.js";
import { address } from "../lib/router.js";
import { hasEnded, progressText, stateMark } from "../lib/states.js";
import { Picture } from "./picture.js";

/** One job of the gallery; `show` brings it up to date. */
export class Tile {
  /** @param {any} job */
  constructor(job) {
    this.picture = new Picture(icon("picture"));
    this.name = h("span.name");
    this.facts = h("span.facts");
    // The label says the same in words.
    this.bar = h("progress.bar", { max: 1, "aria-hidden": true });
    this.element = h(
      "li.tile",
      {},
      h(
        "a",
        { href: address(["jobs", job.job]) },
        h("span.picture", {}, this.picture.element, this.bar),
        h("span.label", {}, this.name, this.facts),
      ),
    );
    this.show(job);
  }

  /** @param {any} job */
  show(job) {
    this.job = job;
    this.name.textContent = job.name;
    this.name.title = job.job;
    this.age();
    this.bar.hidden = hasEnded(job) || job.progress === 0;
    this.bar.value = job.progress;
    this.picture.show(job.preview);
  }

  /** Tell the facts as of now, such as how long ago the job was submitted. */
  age() {
    renew(
      this.facts,
      stateMark(this.job),
      factsList(this.job).map((fact) => h("span", {}, fact)),
    );
  }
}

/** @param {any} job */
function factsList(job) {
  const facts = [];
  if (job.state === "failed" && job.reason) return [job.reason];
  if (!hasEnded(job) && (job.progress > 0 || job.state === "running"))
    facts.push(progressText(job));
  const failed = Object.values(job.items?.failed ?? {}).reduce((sum, count) => sum + count, 0);
  if (job.items) facts.push(plural(job.items.items, "picture"));
  if (failed) facts.push(`${failed} failed`);
  if (hasEnded(job) && job.width && !job.items) facts.push(pixels(job.width, job.height));
  if (hasEnded(job) && job.seconds) facts.push(`took ${duration(job.seconds)}`);
  if (job.spent?.usd) facts.push(money(job.spent.usd));
  if (job.state !== "running") facts.push(ago(sinceSubmit(job)));
  return facts;
}

/** How often texts such as `2 h ago` are told again, where nothing else happens. */
export const AGE_MS = 60_000;

/** @param {any} job */
export function sinceSubmit(job) {
  return Math.max(0, (Date.now() - new Date(job.submitted).getTime()) / 1000);
}
