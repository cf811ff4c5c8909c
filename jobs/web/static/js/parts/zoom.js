/** A picture to zoom into, by OpenSeadragon, which loads the tiles that are in sight. */

import { h, icon } from "../lib/dom.js";

/**
 * @typedef {object} TileSource the levels of a picture, each half of the next
 * @property {number} width of the last level, in pixels
 * @property {number} height
 * @property {number} tileSize
 * @property {number} overlap
 * @property {string} version another one means that tiles have changed
 * @property {(level: number, column: number, row: number) => string} tileAddress
 */

const LIBRARY = new URL("../../vendor/openseadragon/openseadragon.min.js", import.meta.url).href;

/** @type {Promise<any> | null} */
let loading = null;

/** OpenSeadragon is a plain script of 350 kB; it is loaded when a picture first needs it. */
function library() {
  loading ??= new Promise((resolve, reject) => {
    document.head.append(noStyle());
    const script = h("script", { src: LIBRARY });
    script.addEventListener("load", () => resolve(/** @type {any} */ (window).OpenSeadragon));
    script.addEventListener("error", () =>
      reject(new Error("The viewer of pictures did not load.")),
    );
    document.head.append(script);
  });
  return loading;
}

/**
 * OpenSeadragon adds a `<style>`, which the page's security policy refuses, unless there is one
 * with this attribute. This is no HTML element, so it is no style either.
 */
function noStyle() {
  const element = document.createElementNS("urn:nothing", "style");
  element.setAttribute("data-openseadragon-mobile-css", "");
  return element;
}

/** @param {TileSource} source */
function tileSource(source) {
  return {
    width: source.width,
    height: source.height,
    tileSize: source.tileSize,
    tileOverlap: source.overlap,
    getTileUrl: source.tileAddress,
  };
}

const STILL = matchMedia("(prefers-reduced-motion: reduce)");

/** A picture to zoom into. It keeps its place while newer tiles replace older ones. */
export class Zoom {
  /**
   * @param {string} label what the picture shows, for screen readers
   * @param {() => void} onGone when the server has no tiles of this version any more
   */
  constructor(label, onGone) {
    this.label = label;
    this.onGone = onGone;
    this.place = h("div.zoom-canvas");
    this.element = h("div.zoom", {}, this.place, this.#controls());
    /** @type {any} */
    this.viewer = null;
    this.version = "";
    this.goneVersion = "";
    this.isClosed = false;
    this.element.addEventListener("fullscreenchange", () => {
      this.viewer?.setCooperativeGestures(document.fullscreenElement !== this.element);
    });
  }

  /**
   * Show a picture, or a newer state of the one that is shown.
   * @param {TileSource} source
   */
  async show(source) {
    if (source.version === this.version) return;
    this.version = source.version;
    const OpenSeadragon = await library();
    if (this.isClosed || source.version !== this.version) return;
    this.place.style.aspectRatio = `${source.width} / ${source.height}`;
    if (this.viewer === null) this.#open(OpenSeadragon, source);
    else this.#replace(source);
  }

  close() {
    this.isClosed = true;
    this.viewer?.destroy();
  }

  /**
   * @param {any} OpenSeadragon
   * @param {TileSource} source
   */
  #open(OpenSeadragon, source) {
    this.viewer = new OpenSeadragon.Viewer({
      element: this.place,
      tileSources: tileSource(source),
      drawer: "canvas",
      showNavigationControl: false,
      animationTime: STILL.matches ? 0 : 0.6,
      blendTime: STILL.matches ? 0 : 0.15,
      visibilityRatio: 0.6,
      minZoomImageRatio: 0.9,
      maxZoomPixelRatio: 6,
      // Wheel and finger scroll the page; with Ctrl, or two fingers, they zoom.
      cooperativeGestures: true,
      gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
    });
    const { canvas } = this.viewer;
    canvas.setAttribute("role", "application");
    canvas.setAttribute("aria-label", `${this.label}. Arrow keys move, plus and minus zoom.`);
    this.viewer.addHandler("tile-load-failed", () => {
      // Many tiles of one version fail at once.
      if (this.goneVersion === this.version) return;
      this.goneVersion = this.version;
      this.onGone();
    });
  }

  /**
   * Add the newer tiles above the older ones, which go when all in sight have arrived.
   * @param {TileSource} source
   */
  #replace(source) {
    const { world } = this.viewer;
    this.viewer.addTiledImage({
      tileSource: tileSource(source),
      success: (/** @type {any} */ added) => {
        /** @type {any[]} */
        const older = [];
        for (let index = 0; index < world.getItemCount(); index += 1) {
          if (world.getItemAt(index) !== added.item) older.push(world.getItemAt(index));
        }
        const clear = () =>
          older.forEach((item) => world.getIndexOfItem(item) >= 0 && world.removeItem(item));
        if (added.item.getFullyLoaded()) clear();
        else added.item.addOnceHandler("fully-loaded-change", clear);
      },
    });
  }

  #controls() {
    const zoomBy = (/** @type {number} */ factor) => () => {
      this.viewer?.viewport.zoomBy(factor).applyConstraints();
    };
    const wide = () => {
      if (document.fullscreenElement) document.exitFullscreen();
      else this.element.requestFullscreen?.();
    };
    return h(
      "div.zoom-controls",
      { role: "group", "aria-label": "Zoom" },
      control("plus", "Zoom in", zoomBy(1.6)),
      control("minus", "Zoom out", zoomBy(1 / 1.6)),
      control("fit", "Show the whole picture", () => this.viewer?.viewport.goHome()),
      control("full", "Full screen", wide),
    );
  }
}

/**
 * @param {"plus" | "minus" | "fit" | "full"} name
 * @param {string} label
 * @param {() => void} act
 */
function control(name, label, act) {
  return h(
    "button.round",
    { type: "button", "aria-label": label, title: label, on: { click: act } },
    icon(name),
  );
}
