/** Numbers, times and money as people read them. */

/**
 * @param {number} count
 * @param {string} one `job`
 * @param {string} [many] `jobs`
 */
export function plural(count, one, many = `${one}s`) {
  return `${number(count)} ${count === 1 ? one : many}`;
}

/** @param {number} value */
export function number(value) {
  return value.toLocaleString("en", {
    maximumFractionDigits: value < 10 ? 2 : value < 100 ? 1 : 0,
  });
}

/** @param {number} fraction from 0 to 1 */
export function percent(fraction) {
  // A job that runs is not done, so 99.6% is not 100%.
  return `${fraction >= 1 ? 100 : Math.min(99, Math.floor(fraction * 100))}%`;
}

/**
 * A duration in one or two units: `45 s`, `3 min`, `2 h 5 min`, `4 d`.
 * @param {number} seconds
 */
export function duration(seconds) {
  if (seconds < 1) return "less than 1 s";
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 36) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return `${Math.round(hours / 24)} d`;
}

/**
 * How long ago something was: `2 h ago`.
 * @param {number} seconds
 */
export function ago(seconds) {
  if (seconds < 45) return "just now";
  const hours = seconds / 3600;
  return hours < 1.5 || hours >= 36 ? `${duration(seconds)} ago` : `${Math.round(hours)} h ago`;
}

/** @param {number} bytes */
export function fileSize(bytes) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit ? number(value) : value} ${units[unit]}`;
}

/** @param {number} bytes memory, in units of 1024 */
export function memory(bytes) {
  const gibibytes = bytes / 2 ** 30;
  return gibibytes >= 1 ? `${number(gibibytes)} GiB` : `${Math.round(bytes / 2 ** 20)} MiB`;
}

/** @param {number} usd */
export function money(usd) {
  if (usd > 0 && usd < 0.01) return "under 0.01 USD";
  return `${usd.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 })} USD`;
}

/**
 * The local time of an event; with the date if it was not today.
 * @param {string} iso
 */
export function clockTime(iso) {
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return iso;
  const clock = time.toLocaleTimeString("en-GB");
  return time.toDateString() === new Date().toDateString()
    ? clock
    : `${time.toLocaleDateString("en-GB", { day: "numeric", month: "short" })} ${clock}`;
}

/**
 * @param {number} width pixels
 * @param {number} height pixels
 */
export function pixels(width, height) {
  return `${width} × ${height} px`;
}

/**
 * Words for a field's name: `octave_scale` becomes `Octave scale`.
 * @param {string} name
 */
export function words(name) {
  const text = name.replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
