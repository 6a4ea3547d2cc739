// The list of payments: filters, search, more of them, and the arrow keys.
import { $, announce, h, icon, prose } from "./dom.js";
import { get } from "./api.js";
import { amountOf, plural, short, STATES, stateOf, time, when } from "./format.js";

const PAGE_ROWS = 25;
const ROWS_MAX = 1000;
const TYPING_MS = 250;

let context = null;
let wanted = PAGE_ROWS;
let asked = 0; // answers that come late are not shown
let rows = new Map(); // id -> { row, text }

export function initPayments(given) {
  context = given;
  $("filter-state").append(h("option", { value: "" }, "All"),
    ...Object.entries(STATES).map(([state, { word }]) => h("option", { value: state }, word)));
  let typing = null;
  const changed = () => {
    clearTimeout(typing);
    typing = setTimeout(() => {
      wanted = PAGE_ROWS;
      drawPayments().then(count => announce(`${plural(count, "payment")} shown`)).catch(context.failed);
    }, TYPING_MS);
  };
  $("filter-state").addEventListener("change", changed);
  $("filter-search").addEventListener("input", changed);
  $("filters").addEventListener("submit", event => event.preventDefault());
  $("payments-more").addEventListener("click", () => {
    wanted = Math.min(wanted + 100, ROWS_MAX);
    drawPayments().catch(context.failed);
  });
  $("payments-list").addEventListener("keydown", move);
}

export function filterPayments(state) {
  $("filter-state").value = state;
  $("filter-search").value = "";
  $("filter-state").dispatchEvent(new Event("change"));
  $("payments").scrollIntoView({ block: "start" });
  $("payments-title").focus({ preventScroll: true });
}

function move(event) {
  const steps = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity };
  if (!(event.key in steps) || event.target.tagName !== "A") return;
  const links = [...$("payments-list").querySelectorAll("tbody a")];
  const at = Math.max(0, Math.min(links.length - 1, links.indexOf(event.target) + steps[event.key]));
  event.preventDefault();
  links[at].focus();
}

function query() {
  const text = $("filter-search").value.trim();
  const state = $("filter-state").value;
  return /^0x[0-9a-f]{40}$/i.test(text) ? { state, destination: text } : { state, ref_prefix: text };
}

const ENDS = { finalized: "paid", cancelled: "cancelled", failed: "failed" };

// Why it is not moving, or when it goes on.
function note(item) {
  if (item.blocked) return h("span", { class: "warn" }, icon("warn"), h("span", null, prose(item.blocked.cause)));
  if (item.state === "queued" && item.not_before) return `not before ${item.not_before.startsWith("epoch") ? item.not_before : when(item.not_before)}`;
  if (item.state === "queued" && item.waits_for) return `after ${item.waits_for}`;
  if (item.waiting) return prose(item.waiting.cause);
  return item.final_at ? h("span", null, `${ENDS[item.state] ?? "ended"} `, time(item.final_at)) : "";
}

function cells(item) {
  const state = stateOf(item.state);
  return [
    h("td", { role: "cell", class: "cell-ref" },
      h("a", { href: `#payment/${item.id}`, "data-key": `payment ${item.id}` }, item.ref)),
    h("td", { role: "cell", class: "cell-state" }, h("span", { class: `chip ${state.tone}` }, icon(state.icon), state.word)),
    h("td", { role: "cell", class: "cell-amount" }, amountOf(item)),
    h("td", { role: "cell", class: "cell-to" }, h("code", { title: item.destination }, short(item.destination))),
    h("td", { role: "cell", class: "cell-since" }, time(item.queued_at)),
    h("td", { role: "cell", class: "cell-note" }, note(item)),
  ];
}

// Rows stay the same elements while they are the same payments: focus and selection survive what happens.
function fill(body, items) {
  const kept = new Map();
  const focused = document.activeElement?.dataset?.key;
  for (const item of items) {
    const text = JSON.stringify(item);
    const before = rows.get(item.id);
    const row = before?.row ?? h("tr", { role: "row" });
    if (before?.text !== text) {
      row.replaceChildren(...cells(item));
      row.classList.remove("changed");
      if (before && before.state !== item.state) requestAnimationFrame(() => row.classList.add("changed"));
    }
    kept.set(item.id, { row, text, state: item.state });
  }
  rows = kept;
  const list = [...kept.values()].map(({ row }) => row);
  if (list.length !== body.children.length || list.some((row, at) => body.children[at] !== row)) body.replaceChildren(...list);
  if (focused && document.activeElement?.dataset?.key !== focused)
    body.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

const HEADS = [["ref", "Ref"], ["state", "State"], ["amount", "Amount"], ["to", "To"], ["since", "Added"], ["note", "Note"]];

function table() {
  const body = h("tbody", { role: "rowgroup" });
  $("payments-list").replaceChildren(h("table", { class: "payments", role: "table", "aria-labelledby": "payments-title",
    "aria-describedby": "payments-keys" },
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, HEADS.map(([name, word]) =>
      h("th", { role: "columnheader", scope: "col", class: `cell-${name}` }, word)))), body));
  return body;
}

export async function drawPayments() {
  const number = ++asked;
  const page = await get("/v1/disbursements", { ...query(), treasury: context.treasury(), order: "desc", limit: wanted });
  if (number !== asked) return rows.size;
  $("payments-more").hidden = page.next === null || wanted >= ROWS_MAX;
  if (page.items.length === 0) {
    rows = new Map();
    const filtered = Object.values(query()).some(Boolean);
    $("payments-list").replaceChildren(h("p", { class: "nothing" }, filtered ? "No payment is like that."
      : h("span", null, prose("There are no payments yet. Drop a payment file on this page, or use `bursar pay FILE`."))));
  } else {
    fill($("payments-list").querySelector("tbody") ?? table(), page.items);
  }
  return page.items.length;
}
