/** The network that looks at the picture, and where its weights come from. */

import { get } from "../lib/api.js";
import { h, setText } from "../lib/dom.js";
import { plural } from "../lib/format.js";
import { FileControl } from "./file_control.js";
import { labelled } from "./schema_field.js";

const PRETRAINED = "pretrained";
const FROM_FILE = "file";

/** The field `network` of a poster. */
export class NetworkField {
  /** @param {string} preset the network of a spec that names none */
  constructor(preset) {
    /** @type {Map<string, {network: string, weights: string, licence: string, classes: number}>} */
    this.networks = new Map();
    this.preset = preset;
    this.select = h("select", {}, h("option", { value: "" }, preset));
    this.file = new FileControl("weights");
    this.source = h(
      "select",
      {},
      h("option", { value: PRETRAINED }, "torchvision's, by download"),
      h("option", { value: FROM_FILE }, "a file (.safetensors)"),
    );
    this.note = h("p.help.soft.small");
    this.fileRow = h("div.field", {}, this.file.input, this.file.bar, this.file.status);
    this.file.input.setAttribute("aria-label", "File of weights");
    this.weightsRow = h("div", {}, labelled("Weights", this.source, "").element, this.fileRow);
    this.element = h(
      "div",
      {},
      labelled("Network", this.select, "", { isLabelSeen: false }).element,
      this.note,
      this.weightsRow,
    );
    this.look = undefined;
    this.source.addEventListener("input", () => this.#arrange());
    this.select.addEventListener("input", () => this.#arrange());
    this.#arrange();
    this.#offer();
  }

  /** Fill the choice. The server may need seconds for its first list of networks. */
  async #offer() {
    setText(this.note, "Reading the list of networks…");
    try {
      const { networks } = await get("/networks");
      for (const one of networks) {
        this.networks.set(one.network, one);
        if (!this.#hasOption(one.network)) this.#addOption(one.network);
      }
      this.#arrange();
    } catch (error) {
      setText(this.note, error instanceof Error ? error.message : String(error));
    }
  }

  /** @param {string} network */
  #hasOption(network) {
    return [...this.select.options].some(({ value }) => value === network);
  }

  /** @param {string} network */
  #addOption(network) {
    this.select.append(h("option", { value: network }, network));
  }

  /** The network that the spec will have. */
  get name() {
    return this.select.value || this.look || this.preset;
  }

  /** @param {string | undefined} network of the chosen look */
  followLook(network) {
    this.look = network;
    setText(this.select.options[0], `${this.look ?? this.preset}, as by default`);
    this.#arrange();
  }

  #arrange() {
    const chosen = this.networks.get(this.name);
    const isShipped = chosen?.weights === "shipped";
    // An unknown network may be one of a list that has not come yet, whose weights must be kept.
    this.weightsRow.hidden = isShipped || (!chosen && this.source.value !== FROM_FILE);
    this.fileRow.hidden = this.source.value !== FROM_FILE;
    const facts = [
      chosen?.classes && `knows ${plural(chosen.classes, "class", "classes")}`,
      isShipped ? "comes with Dreamfarm" : "needs weights",
      chosen?.licence && `licence ${chosen.licence}`,
    ];
    if (chosen) setText(this.note, facts.filter(Boolean).join("; "));
  }

  value() {
    if (this.weightsRow.hidden) return this.select.value ? { name: this.select.value } : undefined;
    const weights = this.source.value === FROM_FILE ? this.file.reference : PRETRAINED;
    return weights ? { name: this.name, weights } : { name: this.name };
  }

  /** @param {any} value */
  set(value) {
    const given = typeof value === "string" ? { name: value } : (value ?? {});
    if (given.name && !this.#hasOption(given.name)) this.#addOption(given.name);
    this.select.value = given.name ?? "";
    const isFile = given.weights && given.weights !== PRETRAINED;
    this.source.value = isFile ? FROM_FILE : PRETRAINED;
    this.file.setReference(isFile ? given.weights : undefined);
    this.#arrange();
  }

  /**
   * @param {string} path
   * @param {string} message
   */
  fault(path, message) {
    if (!path.startsWith("network")) return false;
    setText(this.note, message);
    return true;
  }
}
