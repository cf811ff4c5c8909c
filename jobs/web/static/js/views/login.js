/** Login: the token of the operator, once; a cookie keeps it. */

import { faultNote } from "../lib/announce.js";
import { post } from "../lib/api.js";
import { freshId, h } from "../lib/dom.js";

/**
 * @param {() => void} onLogin
 * @returns {import("../lib/router.js").View}
 */
export function loginView(onLogin) {
  const id = freshId("token");
  const field = h("input", {
    id,
    type: "password",
    autocomplete: "current-password",
    required: true,
  });
  const fault = h("div");
  const button = h("button.primary", { type: "submit" }, "Log in");
  const logIn = async (/** @type {Event} */ event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      await post("/session", { token: field.value.trim() });
      onLogin();
    } catch (error) {
      fault.replaceChildren(faultNote(error));
      field.focus();
    } finally {
      button.disabled = false;
    }
  };
  const form = h(
    "form.login",
    { on: { submit: logIn } },
    h("h1", {}, "Log in"),
    h("p.soft", {}, "This farm asks for a token. Whoever started `dreamfarm serve` has it."),
    h("label", { for: id }, "Token"),
    field,
    fault,
    button,
  );
  return { title: "Log in", element: form };
}
