/** Requests to the server: `/api/v1`, JSON both ways. */

const BASE = "/api/v1";

/** An answer that is not what was asked for. The message is the server's one line. */
export class ApiError extends Error {
  /**
   * @param {string} message
   * @param {number} status of HTTP; 0 if the server did not answer
   * @param {{field: string, message: string}[]} [errors] by field, where they are known
   */
  constructor(message, status, errors = []) {
    super(message);
    this.status = status;
    this.errors = errors;
  }
}

/** @param {string} path below `/api/v1` */
export function get(path) {
  return request("GET", path);
}

/**
 * @param {string} path
 * @param {unknown} body
 */
export function post(path, body) {
  return request("POST", path, body);
}

/**
 * @param {string} path
 * @param {unknown} body
 */
export function put(path, body) {
  return request("PUT", path, body);
}

/** @param {string} path */
export function remove(path) {
  return request("DELETE", path);
}

/**
 * The path of a job, or of something that belongs to it.
 * @param {string} job
 * @param {...(string | number)} parts
 */
export function jobPath(job, ...parts) {
  return `/${["jobs", job, ...parts].map(encodeURIComponent).join("/")}`;
}

/**
 * A query with the values that are set.
 * @param {Record<string, string | number | string[] | null | undefined>} values
 */
export function query(values) {
  const pairs = new URLSearchParams();
  for (const [key, value] of Object.entries(values)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined && one !== "") pairs.append(key, String(one));
    }
  }
  const text = pairs.toString();
  return text ? `?${text}` : "";
}

/** @param {string} path what the server serves below its base, such as a picture */
export function address(path) {
  return `${BASE}${path}`;
}

/**
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body]
 * @returns {Promise<any>} the decoded answer; null if it has no content. Raises ApiError.
 */
async function request(method, path, body) {
  const options = { method, headers: { Accept: "application/json" } };
  if (body !== undefined) {
    Object.assign(options, { body: JSON.stringify(body) });
    Object.assign(options.headers, { "Content-Type": "application/json" });
  }
  let response;
  try {
    response = await fetch(address(path), options);
  } catch {
    throw new ApiError("The server does not answer. Is `dreamfarm serve` still running?", 0);
  }
  if (response.status === 401 && path !== "/session") {
    dispatchEvent(new Event("dreamfarm-login"));
  }
  const answer = response.status === 204 ? null : await decoded(response);
  if (!response.ok) throw problem(answer, response.status);
  return answer;
}

/** @param {Response} response */
async function decoded(response) {
  try {
    return await response.json();
  } catch {
    return null;
  }
}

/**
 * @param {any} answer problem+json
 * @param {number} status
 */
export function problem(answer, status) {
  const text = answer?.detail ?? answer?.title ?? `The server answered with status ${status}.`;
  return new ApiError(text, status, answer?.errors ?? []);
}

/**
 * Upload a file, whose bytes go to the server as they are.
 * @param {File} file
 * @param {"picture" | "profile" | "weights"} use
 * @param {(fraction: number) => void} onProgress from 0 to 1
 * @param {AbortSignal} signal breaks the upload off
 * @returns {Promise<any>} the upload's document, with its `reference`. Raises ApiError.
 */
export function upload(file, use, onProgress, signal) {
  return new Promise((resolve, reject) => {
    const sending = new XMLHttpRequest();
    sending.open("POST", address(`/uploads${query({ name: file.name, use })}`));
    sending.setRequestHeader("Content-Type", "application/octet-stream");
    sending.responseType = "json";
    sending.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    });
    sending.addEventListener("load", () => {
      if (sending.status < 300) resolve(sending.response);
      else reject(problem(sending.response, sending.status));
    });
    const fail = () => reject(new ApiError("The upload broke off. Choose the file again.", 0));
    sending.addEventListener("error", fail);
    sending.addEventListener("abort", fail);
    signal.addEventListener("abort", () => sending.abort());
    sending.send(file);
  });
}
