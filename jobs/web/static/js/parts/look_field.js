/** Looks: named choices of network, layers and settings. */

import { freshId, h } from "../lib/dom.js";

/** The field `look` of a poster. */
export class LookField {
  /** @param {{look: string, network: string, about: string}[]} looks */
  constructor(looks) {
    this.looks = looks;
    this.name = freshId("look");
    this.element = h(
      "fieldset.looks",
      {},
      h("legend", {}, "Look"),
      h(
        "div.cards",
        {},
        this.#card("", "Plain", "what the network likes by itself, or the objectives below"),
        looks.map(({ look, about }) => this.#card(look, look, about)),
      ),
    );
    this.set("");
  }

  /** The network of the look; undefined for none. */
  get network() {
    return this.looks.find(({ look }) => look === this.value())?.network;
  }

  value() {
    return this.element.querySelector("input:checked")?.value || undefined;
  }

  /** @param {string | undefined} value */
  set(value) {
    for (const input of this.element.querySelectorAll("input"))
      input.checked = input.value === (value ?? "");
  }

  /**
   * @param {string} value
   * @param {string} title
   * @param {string} about
   */
  #card(value, title, about) {
    return h(
      "label.card",
      {},
      h("input", { type: "radio", name: this.name, value }),
      h("span.card-title", {}, title),
      h("span.soft.small", {}, about),
    );
  }
}
