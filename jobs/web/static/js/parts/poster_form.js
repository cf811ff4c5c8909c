/** The form of a poster: a few fields of its own, and the rest from the schema. */

import { address, jobPath } from "../lib/api.js";
import { h, setText } from "../lib/dom.js";
import { helpOf } from "../lib/schema.js";
import { AtlasMenu } from "./atlas_menu.js";
import { Draft } from "./draft.js";
import { LookField } from "./look_field.js";
import { NetworkField } from "./network_field.js";
import { ObjectivesField } from "./objectives_field.js";
import { OutputsField } from "./outputs_field.js";
import { labelled } from "./schema_field.js";
import { groupFields } from "./schema_form.js";
import { SizeField } from "./size_field.js";
import { StartField } from "./start_field.js";

/** Properties with a field of their own. */
const OWN = [
  ...["kind", "input", "size", "fit", "focus", "look", "network", "objectives", "outputs", "name"],
  // `dreamfarm redo` writes it; the form only keeps it.
  "redo",
];

/** All fields of a poster. */
export class PosterForm {
  /**
   * @param {any} schema of a poster
   * @param {any[]} looks
   */
  constructor(schema, looks) {
    this.start = new StartField();
    this.size = new SizeField(schema);
    this.look = new LookField(looks);
    this.network = new NetworkField(schema.properties.network.default?.name ?? "");
    this.objectives = new ObjectivesField(schema);
    this.outputs = new OutputsField(schema);
    this.redoNote = h("p.soft", { hidden: true });
    /** @type {any} what is dreamed again; the form keeps it as it is */
    this.redo = undefined;
    this.menu = new AtlasMenu((objective) => this.objectives.add(objective));
    this.objectives.element.append(this.menu.button);
    this.name = h("input", {
      type: "text",
      placeholder: "from the picture",
      maxlength: 60,
      autocomplete: "off",
    });
    const name = labelled("Name", this.name, helpOf(schema.properties.name ?? {}), {
      isLabelSeen: false,
    });
    this.nameNote = name.note;
    this.more = groupFields(schema, schema, new Set(OWN));
    this.element = h(
      "div.poster-form",
      {},
      this.redoNote,
      this.start.element,
      this.size.element,
      this.look.element,
      h("fieldset", {}, h("legend", {}, "Network"), this.network.element),
      this.objectives.element,
      this.outputs.element,
      h("fieldset", {}, h("legend", {}, "Name"), name.element),
      h("details.group.more", {}, h("summary", {}, "All other settings"), this.more.element),
    );
    this.draft = new Draft();
    this.follow();
  }

  /** The sides of the print in pixels; null while they are not known. */
  get sides() {
    return this.size.sides(this.start.sides);
  }

  /** Bring the fields that depend on others up to date. */
  follow() {
    this.network.followLook(this.look.network);
    this.objectives.followNetwork(this.network.name);
    this.menu.followNetwork(this.network.name);
    this.size.tell(this.start.sides, this.start.kind === "picture");
  }

  /** The spec; null while it has no start. May throw a SyntaxError of JSON in a field. */
  value() {
    const input = this.start.value();
    if (input === undefined) return null;
    const spec = {
      kind: "poster",
      name: this.name.value.trim() || undefined,
      input,
      size: this.size.value(),
      ...this.size.fitting(),
      look: this.look.value(),
      network: this.network.value(),
      objectives: this.objectives.value(),
      outputs: this.outputs.value(),
      redo: this.redo,
      ...this.more.value(),
    };
    return JSON.parse(JSON.stringify(spec));
  }

  /**
   * @param {any} spec
   * @param {string} job that has the spec, and so the picture
   */
  set(spec, job) {
    this.name.value = spec.name ?? "";
    this.start.set(spec.input, address(jobPath(job, "input.jpg")));
    this.size.set(spec);
    this.look.set(spec.look);
    this.network.set(spec.network);
    this.objectives.set(spec.objectives);
    this.outputs.set(spec.outputs);
    this.#keepRedo(spec.redo);
    this.more.set(spec);
    this.follow();
  }

  /** @param {any} redo of a job that dreams a part of an older one again */
  #keepRedo(redo) {
    this.redo = redo ?? undefined;
    this.redoNote.hidden = !redo;
    if (redo)
      setText(this.redoNote, `Dreams ${redo.parent} again. Which part of it stays as it was.`);
  }

  /**
   * Mark the field that a message is about.
   * @param {string} path
   * @param {string} message
   */
  fault(path, message) {
    if (path === "name") {
      this.nameNote(message);
      return true;
    }
    const { start, size, network, objectives, outputs, more } = this;
    return [start, size, network, objectives, outputs, more].some((field) =>
      field.fault(path, message),
    );
  }
}
