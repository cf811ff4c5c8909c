/** A file that is uploaded as soon as it is chosen, and then stands in the spec by its reference. */

import { upload } from "../lib/api.js";
import { h, setText } from "../lib/dom.js";
import { fileSize, percent, pixels } from "../lib/format.js";

/** Endings of the pictures that Dreamfarm reads, for the browser's dialog. */
const PICTURES = ".jpg,.jpeg,.png,.webp,.tif,.tiff,.heic,.heif,.avif";

const ACCEPTED = { picture: PICTURES, profile: ".icc,.icm", weights: ".safetensors" };

/** Choosing, dropping and uploading of one file. */
export class FileControl {
  /**
   * @param {"picture" | "profile" | "weights"} use
   * @param {(file: File) => void} [onChoose] before the upload
   */
  constructor(use, onChoose = () => {}) {
    this.use = use;
    this.onChoose = onChoose;
    this.input = h("input", {
      type: "file",
      accept: ACCEPTED[use],
      on: { change: () => this.input.files[0] && this.take(this.input.files[0]) },
    });
    this.status = h("p.small.number", { role: "status" });
    this.bar = h("progress.bar", { max: 1, "aria-label": "Upload", hidden: true });
    /** @type {any} what the server says of the file; null before */
    this.uploaded = null;
    this.sending = new AbortController();
  }

  /** The text that stands for the file in a spec. */
  get reference() {
    return this.uploaded?.reference;
  }

  /** @param {string | undefined} reference of a file that is in the store */
  setReference(reference) {
    this.sending.abort();
    this.bar.hidden = true;
    this.input.value = "";
    this.uploaded = reference ? { reference, name: reference.split("/").pop() } : null;
    this.#tell(reference ? `${this.uploaded.name}, as before` : "");
  }

  /**
   * Upload a file; a later choice breaks off an earlier one that is still on its way.
   * @param {File} file
   */
  async take(file) {
    this.sending.abort();
    this.sending = new AbortController();
    const { signal } = this.sending;
    this.uploaded = null;
    this.onChoose(file);
    this.bar.hidden = false;
    this.bar.value = 0;
    this.#tell(`Uploading ${file.name}, ${fileSize(file.size)}`);
    try {
      const progress = (/** @type {number} */ done) => this.#progress(file, done);
      const uploaded = await upload(file, this.use, progress, signal);
      if (signal.aborted) return;
      this.uploaded = uploaded;
      this.#tell(uploadedText(uploaded));
    } catch (error) {
      if (signal.aborted) return;
      // A browser does not tell that the same file is chosen again.
      this.input.value = "";
      this.#tell(error instanceof Error ? error.message : String(error), true);
    }
    this.bar.hidden = true;
    this.input.dispatchEvent(new Event("input", { bubbles: true }));
  }

  /**
   * @param {File} file
   * @param {number} done from 0 to 1
   */
  #progress(file, done) {
    this.bar.value = done;
    if (done >= 1) this.#tell(`Checking ${file.name}`);
    else this.bar.title = percent(done);
  }

  /**
   * @param {string} text
   * @param {boolean} [isFault]
   */
  #tell(text, isFault = false) {
    this.status.classList.toggle("field-fault", isFault);
    setText(this.status, text);
  }
}

/** @param {any} uploaded */
function uploadedText({ name, bytes, width, height }) {
  return [name, width && pixels(width, height), fileSize(bytes)].filter(Boolean).join(", ");
}

/**
 * A file as a control of a form's field.
 * @returns {import("./schema_field.js").Control}
 */
export function pictureControl() {
  const file = new FileControl("picture");
  const control = file.input;
  control.extra = [file.bar, file.status];
  return {
    control,
    read: () => file.reference,
    write: (value) => file.setReference(value ?? undefined),
  };
}
