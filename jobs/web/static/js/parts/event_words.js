/** The events of a job as sentences. */

import { words } from "../lib/format.js";

/** Facts that a sentence tells already, or that nobody reads. */
const COMMON = ["time", "event", "version", "lease"];

/** @type {Record<string, {text: (event: any) => string, told: string[]}>} */
const SENTENCES = {
  claimed: {
    text: ({ holder, lease }) => `${holder} takes the job, lease ${lease}`,
    told: ["holder"],
  },
  crew: { text: ({ workers }) => crewText(workers), told: ["workers"] },
  decode: { text: () => "Reads the input", told: ["octave", "octaves"] },
  dream: {
    text: ({ octave, octaves }) => `Octave ${octave} of ${octaves}`,
    told: ["octave", "octaves"],
  },
  dreamed: { text: () => "All octaves are done", told: ["checkpoint_seconds"] },
  encode: { text: () => "Writes the files", told: ["octave", "octaves"] },
  items: { text: () => "Dreams the items", told: ["octave", "octaves"] },
  succeeded: { text: () => "Done", told: [] },
  failed: { text: ({ reason }) => `Failed: ${reason}`, told: ["reason"] },
  "let go": { text: ({ reason }) => `Lets the job go: ${reason}`, told: ["reason"] },
  limit: { text: ({ reason }) => `Pauses: ${reason}`, told: ["reason"] },
  budget: { text: ({ reason }) => `Waits: ${reason}`, told: ["reason"] },
  store: { text: ({ reason }) => `The store: ${reason}`, told: ["reason"] },
};

/** @param {number} workers */
function crewText(workers) {
  if (!workers) return "The workers end";
  return `${workers} ${workers === 1 ? "worker starts" : "workers start"}`;
}

/**
 * What happened, and the facts that the sentence does not tell.
 * @param {any} event as the server sends it
 * @returns {{sentence: string, facts: string}}
 */
export function eventWords(event) {
  const known = SENTENCES[event.event];
  const told = new Set([...COMMON, ...(known?.told ?? [])]);
  const facts = Object.entries(event).filter(([key, value]) => !told.has(key) && value !== null);
  return {
    sentence: known ? known.text(event) : words(String(event.event)),
    facts: facts.map(([key, value]) => `${words(key).toLowerCase()} ${value}`).join(", "),
  };
}
