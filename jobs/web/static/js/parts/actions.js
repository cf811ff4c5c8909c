/** The buttons of a job. The server says which requests the job's state allows. */

import { announce } from "../lib/announce.js";
import { jobPath, post, put, remove } from "../lib/api.js";
import { confirmDialog, openDialog } from "../lib/dialog.js";
import { fill, freshId, h } from "../lib/dom.js";
import { address } from "../lib/router.js";
import { raiseDialog } from "./raise.js";

/** @type {Record<string, {label: string, done: string}>} */
const REQUESTS = {
  pause: { label: "Pause", done: "It pauses after the present step." },
  finish: { label: "Render the rest", done: "It goes on to its full size." },
  resume: { label: "Resume", done: "It goes on as soon as a worker is free." },
  retry: { label: "Try again", done: "It is in the queue again." },
  cancel: { label: "Cancel", done: "It stops after the present step." },
};

/** The row of buttons of one job. */
export class Actions {
  /** @param {(job: any) => void} onChange gets the job as it is after a request */
  constructor(onChange) {
    this.onChange = onChange;
    this.element = h("div.row.actions", { role: "group", "aria-label": "Actions" });
    this.shown = "";
  }

  /** @param {any} job */
  show(job) {
    this.job = job;
    // The buttons stay as they are, and keep the focus, while the same requests are allowed.
    const wanted = job.requests.join();
    if (wanted === this.shown) return;
    const focused = /** @type {HTMLElement} */ (document.activeElement);
    const hadFocus = this.element.contains(focused);
    const { request } = focused.dataset;
    this.shown = wanted;
    fill(
      this.element,
      job.requests.map((/** @type {string} */ name) => this.#button(name)),
    );
    this.element.append(this.#again());
    const same = this.element.querySelector(`[data-request="${request}"]`);
    if (hadFocus) /** @type {HTMLElement} */ (same ?? this.element.firstElementChild).focus();
  }

  /** @param {string} name of a request */
  #button(name) {
    const act = {
      priority: () => this.#changePriority(),
      cancel: () => this.#cancel(),
      delete: () => this.#delete(),
      resume: () => this.#resume(),
    }[name];
    const label = { priority: "Priority", delete: "Delete" }[name] ?? REQUESTS[name]?.label ?? name;
    const isFirst = name === this.job.requests[0] && this.job.state !== "succeeded";
    return h(
      isFirst ? "button.primary" : "button",
      { type: "button", data: { request: name }, on: { click: act ?? (() => this.#ask(name)) } },
      label,
    );
  }

  #again() {
    const href = address(["new"], { from: this.job.job });
    return h("a.button", { href, data: { request: "again" } }, "Again with changes");
  }

  /**
   * @param {string} request
   * @param {Record<string, number>} [raised] by how much to raise limits before
   */
  async #ask(request, raised = {}) {
    await this.#try(async () => {
      this.onChange(await post(jobPath(this.job.job, "intent"), { request, ...raised }));
      announce(REQUESTS[request].done);
    });
  }

  async #resume() {
    if (this.job.paused_by !== "limit") await this.#ask("resume");
    else raiseDialog(this.job, (raised) => this.#ask("resume", raised));
  }

  async #cancel() {
    const text =
      "It stops after the present step. What is done so far stays, and you can try again later.";
    if (await confirmDialog(`Cancel ${this.job.name}?`, text, "Cancel the job"))
      await this.#ask("cancel");
  }

  async #delete() {
    const text = "The job, its pictures and its records leave the store. This cannot be undone.";
    if (!(await confirmDialog(`Delete ${this.job.name}?`, text, "Delete the job"))) return;
    await this.#try(async () => {
      await remove(jobPath(this.job.job));
      announce(`${this.job.name} is deleted.`);
      location.hash = address(["jobs"]);
    });
  }

  #changePriority() {
    const id = freshId("priority");
    const field = h("input", {
      id,
      type: "number",
      min: 0,
      max: 100,
      required: true,
      value: this.job.priority ?? 50,
    });
    const save = h("button.primary", { type: "submit" }, "Save");
    const form = h(
      "form.stack",
      { on: { submit: (/** @type {Event} */ event) => this.#savePriority(event, field, dialog) } },
      h("label", { for: id }, "Priority, 0 to 100"),
      field,
      h("p.soft.small", {}, "The waiting job with the higher priority runs first."),
      save,
    );
    const dialog = openDialog(`Priority of ${this.job.name}`, [form]);
    field.select();
  }

  /**
   * @param {Event} event
   * @param {HTMLInputElement} field
   * @param {HTMLDialogElement} dialog
   */
  async #savePriority(event, field, dialog) {
    event.preventDefault();
    await this.#try(async () => {
      this.onChange(
        await put(jobPath(this.job.job, "priority"), { priority: field.valueAsNumber }),
      );
      dialog.close();
      announce(`Priority ${field.value}`);
    });
  }

  /** @param {() => Promise<void>} act */
  async #try(act) {
    this.element.setAttribute("aria-busy", "true");
    try {
      await act();
    } catch (error) {
      announce(error instanceof Error ? error.message : String(error));
    } finally {
      this.element.removeAttribute("aria-busy");
    }
  }
}
