// The money breaker: while it is open a banner says so before anything else, with what a person does about it.
import { $, h, icon, prose, redraw } from "./dom.js";
import { post } from "./api.js";
import { askReason } from "./dialogs.js";
import { time } from "./format.js";

const CAUSES = {
  reverts: "Payments failed on chain.",
  foreign_nonce: "Somebody else has used a nonce of this account.",
  balance_mismatch: "The account has less than its payments explain.",
  spending_rate: "More is to be paid within an hour than is expected.",
};

export const moneyWhy = money => CAUSES[money.cause] ?? `${money.actor} opened it.`;

const CLOSE = { title: "Close the money breaker", danger: true, confirm: "Close the money breaker",
  text: "What has opened it counts as looked at from now on, and what is due is paid again. Say what you have found." };

async function close(context) {
  const done = await askReason({ ...CLOSE, act: reason =>
    post("/v1/breaker", { treasury: context.treasury() }, { command: "close", money: true, reason }) });
  if (done) context.refresh();
}

let context = null;

export function initMoney(of) {
  context = of;
}

// Where the banner is, for those who come from the list of what needs them.
export function goToMoney() {
  $("money-title").focus();
  $("money").scrollIntoView({ block: "center" });
}

// A command, or what a person wrote, begins as it was written.
const sentence = (text, isOurs) => h("p", { class: isOurs && !text.startsWith("`") && "sentence" }, prose(text));

function banner(money, may) {
  return h("div", { class: "money-banner bad" }, icon("bad"), h("div", null,
    h("h2", { id: "money-title", tabindex: "-1", "data-key": "money title" },
      "The money breaker is open: nothing new is paid until a person closes it"),
    h("dl", { class: "pairs" },
      h("dt", null, "Why"), h("dd", null, h("strong", null, moneyWhy(money)), sentence(money.detail, money.cause !== "person")),
      h("dt", null, "Since"), h("dd", null, time(money.since), money.cause !== "person" && `, by ${money.actor}`),
      h("dt", null, "To do"), h("dd", null, sentence(money.action, true))),
    may.operate && h("p", { class: "buttons" }, h("button", { type: "button", class: "danger", "data-key": "money close",
      onclick: () => close(context) }, "Close the money breaker…"))));
}

export function drawMoney({ breaker: { money } }, may) {
  const isOpen = money.state === "open";
  const isInside = $("money").contains(document.activeElement);
  redraw($("money"), [isOpen && money, may.operate], () => isOpen && banner(money, may));
  if (isInside && !isOpen) $("verdict-title").focus(); // the button is gone with the banner
  redraw($("money-state"), money, () => [
    h("p", { class: `lead state-line ${isOpen ? "bad" : "ok"}` }, icon(isOpen ? "bad" : "ok"),
      h("strong", null, isOpen ? "Money breaker open: nothing new is paid" : "Money breaker closed")),
    !isOpen && money.actor && h("dl", { class: "pairs" }, h("dt", null, "Since"), h("dd", null, time(money.since)),
      h("dt", null, "By"), h("dd", null, `${money.actor}: ${money.detail}`)),
  ]);
}
