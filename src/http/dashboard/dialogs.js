// Dialogs that ask: for a token, and for the reason of a decision. The browser's own <dialog> keeps the focus inside and
// gives it back.
import { $, announce } from "./dom.js";
import { get, token } from "./api.js";

// Asks until a token is taken; resolves with what it may do.
export function askToken(why) {
  const dialog = $("token-dialog"), input = $("token-input"), error = $("token-error");
  error.textContent = why ?? "";
  input.value = "";
  return new Promise(resolve => {
    const keep = event => event.preventDefault(); // there is nothing behind this dialog
    const submit = async event => {
      event.preventDefault();
      token.set(input.value.trim());
      try {
        const may = await get("/v1/token");
        dialog.removeEventListener("cancel", keep);
        $("token-form").removeEventListener("submit", submit);
        dialog.close();
        input.value = "";
        resolve(may);
      } catch (problem) {
        token.forget();
        error.textContent = problem.message;
        input.focus();
      }
    };
    dialog.addEventListener("cancel", keep);
    $("token-form").addEventListener("submit", submit);
    if (!dialog.open) dialog.showModal();
    input.focus();
  });
}

// `act(reason, period)` does it; a problem is shown and the dialog stays. Resolves with whether it was done.
export function askReason({ title, text, confirm, danger, asksPeriod, act }) {
  const dialog = $("reason-dialog"), form = $("reason-form"), input = $("reason-input"), error = $("reason-error");
  const button = $("reason-confirm");
  $("reason-title").textContent = title;
  $("reason-text").textContent = text;
  button.textContent = confirm;
  button.classList.toggle("danger", Boolean(danger));
  error.textContent = "";
  input.value = "";
  $("reason-period").value = "";
  $("reason-period-label").hidden = !asksPeriod;
  return new Promise(resolve => {
    let done = false;
    const submit = async event => {
      event.preventDefault();
      if (button.disabled) return;
      button.disabled = true;
      error.textContent = "";
      try {
        await act(input.value.trim(), asksPeriod ? $("reason-period").value : "");
        done = true;
        dialog.close();
        announce(`Done: ${title}`);
      } catch (problem) {
        error.textContent = problem.message;
        input.focus();
      } finally {
        button.disabled = false;
      }
    };
    form.addEventListener("submit", submit);
    dialog.addEventListener("close", () => {
      form.removeEventListener("submit", submit);
      resolve(done);
    }, { once: true });
    $("reason-cancel").onclick = () => dialog.close();
    dialog.showModal();
    input.focus();
  });
}
