// One disbursement's story: what it is, why it stands where it stands, everything that happened, every attempt.
import { $, announce, copyable, h, icon, prose, redraw } from "./dom.js";
import { get, post, token } from "./api.js";
import { askReason } from "./dialogs.js";
import { amountOf, causeWords, ether, grouped, short, stateOf, time, units } from "./format.js";

let context = null;
let open = null; // the ID that is shown
let spoken = null; // the state that was announced

export const openStoryId = () => open;

export function initStory(given) {
  context = given;
  $("story-close").addEventListener("click", () => $("story-dialog").close());
  $("story-dialog").addEventListener("close", () => {
    open = null;
    if (location.hash.startsWith("#payment/")) history.pushState(null, "", location.pathname);
  });
  $("story-dialog").addEventListener("click", event => event.target === $("story-dialog") && $("story-dialog").close());
  window.addEventListener("hashchange", followAddress);
}

export function followAddress() {
  const found = location.hash.match(/^#payment\/(\d+)$/);
  if (found && token.get()) showStory(Number(found[1])).catch(context.failed);
  else if ($("story-dialog").open) $("story-dialog").close();
}

export const openStory = id => {
  if (location.hash === `#payment/${id}`) showStory(id).catch(context.failed);
  else location.hash = `payment/${id}`;
};

async function showStory(id) {
  open = id;
  spoken = null;
  $("story-title").textContent = `Payment ${id}`;
  $("story").replaceChildren();
  $("story").drawn = null;
  if (!$("story-dialog").open) $("story-dialog").showModal();
  $("story-title").focus();
  await drawStory();
}

export async function drawStory() {
  if (open === null) return;
  const id = open;
  try {
    const item = await get(`/v1/disbursements/${id}`, { treasury: context.treasury() });
    if (open === id) draw(item);
  } catch (problem) {
    if (problem.status === 401) throw problem;
    if (open === id) $("story").replaceChildren(h("p", { class: "problem" }, problem.message));
  }
}

function draw(item) {
  const state = stateOf(item.state);
  $("story-title").textContent = item.ref;
  redraw($("story"), [item, context.may()], () => [
    h("p", { class: "story-top" }, h("span", { class: `chip ${state.tone}` }, icon(state.icon), state.word),
      h("strong", { class: "story-amount" }, amountOf(item))),
    standing(item),
    actions(item),
    about(item),
    h("h3", null, "What happened"),
    h("ol", { class: "history" }, item.history.map(event)),
    h("h3", null, "Attempts"),
    item.attempts.length ? h("ol", { class: "attempts" }, item.attempts.map(attempt))
      : h("p", { class: "muted" }, "Nothing was signed for it yet."),
  ]);
  if (spoken !== null && spoken !== item.state) announce(`${item.ref} is now: ${state.word}`);
  spoken = item.state;
}

// Why it is not moving and what to do, in one sentence each.
function standing(item) {
  const trouble = item.blocked ?? item.waiting;
  if (!trouble) return null;
  return h("div", { class: `need ${item.blocked ? "warn" : "idle"}` }, icon(item.blocked ? "warn" : "wait"),
    h("div", null, h("p", null, prose(trouble.cause)),
      trouble.action && h("p", { class: "action" }, h("strong", null, "Do: "), prose(trouble.action))));
}

function about(item) {
  const pair = (name, value) => value === null || value === "" || value === undefined ? null : [h("dt", null, name), h("dd", null, value)];
  return h("dl", { class: "pairs" },
    pair("To", copyable(item.destination, "address")),
    pair("Amount", `${grouped(item.amount)} base units`),
    pair("Memo", item.memo),
    pair("Not before", item.not_before),
    pair("After", item.depends_on?.length ? item.depends_on.join(", ") : null),
    pair("State", h("code", null, item.state)),
    pair("Nonce", item.nonce === null ? null : String(item.nonce)),
    pair("Transaction", item.tx_hash && copyable(item.tx_hash, "transaction hash", short(item.tx_hash))),
    pair("Block", item.block_number === null ? null : grouped(item.block_number)),
    pair("Fee", item.fee && `${units(item.fee)} ETH`),
    pair("ID", String(item.id)));
}

function event(one) {
  const state = one.to && one.to !== one.from ? stateOf(one.to) : null;
  return h("li", null, time(one.at), h("div", null, h("strong", null, causeWords(one.cause)),
    state && h("span", { class: `chip small ${state.tone}` }, state.word),
    h("p", null, h("span", { class: "muted" }, `${one.actor}${one.detail ? ": " : ""}`), one.detail)));
}

const PURPOSES = { payment: "Payment", replacement: "The same payment, higher fee", self: "Uses up the nonce (0 to itself)",
  foreign: "Made by somebody else" };
const OUTCOMES = { signed: "sent, not in a block yet", included: "in a block", final: "final" };

function attempt(one) {
  const cap = `fee cap ${units(one.max_fee_per_gas, 9)} gwei, tip ${units(one.max_priority_fee_per_gas, 9)} gwei`;
  return h("li", null,
    h("p", null, h("strong", null, PURPOSES[one.purpose] ?? one.purpose), ` · ${OUTCOMES[one.status] ?? one.status}`),
    h("p", null, copyable(one.tx_hash, `hash of attempt ${one.seq}`, short(one.tx_hash))),
    h("p", { class: "muted" }, `nonce ${one.nonce}, ${cap}, signed `, time(one.signed_at),
      one.sends > 1 && `, sent ${one.sends} times`, one.block_number !== null && `, block ${grouped(one.block_number)}`,
      one.fee && `, cost ${ether(one.fee)}`),
    one.verdict && one.status === "signed" && h("p", { class: "muted" }, `Node: ${one.verdict.replaceAll("_", " ")}${one.message ? ` (${one.message})` : ""}`));
}

function actions(item) {
  if (!context.may().operate) return null;
  const decide = (path, words) => () => askReason({ ...words,
    act: reason => post(`/v1/disbursements/${item.id}/${path}`, { treasury: context.treasury() }, { reason }) })
    .then(done => done && context.refresh());
  const buttons = [];
  if (["draft", "voting", "queued", "staged"].includes(item.state))
    buttons.push(h("button", { type: "button", "data-key": "cancel", onclick: decide("cancel", {
      title: `Cancel ${item.ref}`, confirm: "Cancel the payment", danger: true,
      text: item.state === "staged"
        ? `${amountOf(item)} is in flight: a transfer of 0 is offered at its nonce, and whichever is mined decides. Its ref stays used.`
        : `${amountOf(item)} will never be paid under this ref.` }) }, "Cancel payment…"));
  if (item.state === "failed")
    buttons.push(h("button", { type: "button", "data-key": "retry", onclick: decide("retry", {
      title: `Pay ${item.ref} after all`, confirm: "Try again",
      text: `${amountOf(item)} failed for good the last time. It is queued again, with a new nonce.` }) }, "Try again…"));
  return buttons.length ? h("p", { class: "buttons" }, buttons) : null;
}
