/** Two pictures of one place, with a slider between before and after. */

import { fill, h, setText } from "../lib/dom.js";

/** Before and after, one above the other; the slider uncovers one of them. */
export class Compare {
  constructor() {
    this.before = h("img", { alt: "" });
    this.after = h("img", { alt: "" });
    this.cover = h("div.compare-cover", {}, this.after);
    this.edge = h("div.compare-edge", { "aria-hidden": true });
    this.beforeName = h("figcaption.compare-before");
    this.afterName = h("figcaption.compare-after");
    this.slider = h("input", {
      type: "range",
      min: 0,
      max: 100,
      value: 50,
      "aria-label": "Between before and after",
      on: { input: () => this.#move() },
    });
    this.figure = h("div.compare-pictures", {}, this.before, this.cover, this.edge, this.slider);
    this.element = h(
      "figure.compare",
      {},
      this.figure,
      h("div.compare-names", {}, this.beforeName, this.afterName),
    );
    this.after.addEventListener("load", () => this.#takeShape());
    this.#move();
  }

  /**
   * @param {{address: string, name: string}} before
   * @param {{address: string, name: string}} after
   */
  show(before, after) {
    setSource(this.before, before);
    setSource(this.after, after);
    setText(this.beforeName, before.name);
    setText(this.afterName, after.name);
    this.#move();
  }

  /** Both pictures fill one box, whatever size each of them has. */
  #takeShape() {
    const ratio = this.after.naturalWidth / this.after.naturalHeight;
    this.figure.style.aspectRatio = String(ratio);
    this.figure.style.width = `min(100%, calc(min(74vh, 52rem) * ${ratio}))`;
  }

  #move() {
    const share = Number(this.slider.value);
    this.cover.style.clipPath = `inset(0 0 0 ${share}%)`;
    this.edge.style.left = `${share}%`;
    const name = this.beforeName.textContent || "before";
    this.slider.setAttribute("aria-valuetext", `${share}% ${name}`);
  }
}

/**
 * @param {HTMLImageElement} image
 * @param {{address: string, name: string}} picture
 */
function setSource(image, picture) {
  if (image.getAttribute("src") !== picture.address) image.src = picture.address;
  image.alt = picture.name;
}

/**
 * A list of pictures to choose from, one of which is chosen: radio buttons that look like a strip.
 * @param {string} name of the group, for screen readers
 * @param {{value: string, address: string, title: string}[]} frames
 * @param {string} chosen value
 * @param {(value: string) => void} choose
 */
export function filmStrip(name, frames, chosen, choose) {
  const strip = h("div.strip", { role: "radiogroup", "aria-label": name });
  fill(
    strip,
    frames.map((frame) =>
      h(
        "label.frame",
        {},
        h("input", {
          type: "radio",
          name,
          value: frame.value,
          checked: frame.value === chosen,
          on: { change: () => choose(frame.value) },
        }),
        h("img", { src: frame.address, alt: "", loading: "lazy" }),
        h("span.frame-title", {}, frame.title),
      ),
    ),
  );
  return strip;
}
