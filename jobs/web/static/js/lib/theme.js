/** Dark or light: the system's choice until the reader makes one, which this browser keeps. */

const KEY = "dreamfarm-theme";

/** @returns {"light" | "dark"} what is on the screen now */
function current() {
  const chosen = document.documentElement.dataset.theme;
  if (chosen === "light" || chosen === "dark") return chosen;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

function stored() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // Storage may be forbidden; then the choice lasts until the page is closed.
  }
}

/** @param {string} theme */
function store(theme) {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // As above.
  }
}

/**
 * Apply the kept choice, and let a button switch it.
 * @param {HTMLButtonElement} button
 */
export function startTheme(button) {
  const kept = stored();
  if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
  const label = () => {
    button.setAttribute(
      "aria-label",
      current() === "dark" ? "Use light colours" : "Use dark colours",
    );
  };
  label();
  button.addEventListener("click", () => {
    const next = current() === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = next;
    store(next);
    label();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", label);
}
