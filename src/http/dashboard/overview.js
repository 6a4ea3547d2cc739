// How a treasury stands, worst first: one sentence, its parts, what needs a person, and the queue in numbers.
import { $, announce, h, icon, prose, redraw } from "./dom.js";
import { assetAmount, ether, grouped, plural, STATES, stateOf, time, tokensOf, when } from "./format.js";
import { goToMoney, moneyWhy } from "./money.js";

const TOKENS_SHOWN = 3; // the others are in the table beside the balance

const backOnline = breaker => breaker.half_open_at ? ` It tries again at ${when(breaker.half_open_at)}.` : "";

function breakerWhy(breaker) {
  if (breaker.forced) return `${breaker.actor} opened it: ${breaker.reason}.${backOnline(breaker)}`.replace("..", ".");
  return `Nodes failed too often.${backOnline(breaker)}`;
}

// The one sentence: [tone, headline, more].
export function verdict(status, balance) {
  const { queue, breaker, halt } = status;
  const waiting = queue.queued, flying = queue.staged + queue.executed;
  if (!status.stored) return ["bad", "This treasury is not in the store yet", "`bursar run` takes it in."];
  if (halt) return ["bad", "Halted for safety: nothing new is paid", halt.reason];
  if (breaker.money.state === "open") return ["bad", "Stopped: the money breaker is open", moneyWhy(breaker.money)];
  if (!status.executor_running)
    return ["bad", "Nobody is paying: no executor is at work", "What is already sent may still be mined; nobody watches it."];
  if (breaker.state === "open") return ["bad", "Stopped: the circuit breaker is open", breakerWhy(breaker)];
  if (!status.node.reachable) return ["bad", "No node answers: payments wait", status.node.error ?? ""];
  if (breaker.state === "half_open") return ["warn", "Trying again after failures", "The circuit breaker is half-open: a few payments show whether nodes are well."];
  if (status.hold) return ["warn", "Holding back", status.hold];
  if (status.blocked.length) return ["warn", `Paying, but ${stuckCount(status)} can't go on without you`,
    shortBy(status, balance) > 0n ? `The balance is ${ether(shortBy(status, balance))} short of all that is owed.` : ""];
  if (shortBy(status, balance) > 0n) return ["warn", "The balance does not cover what is owed", `Short by ${ether(shortBy(status, balance))}.`];
  if (flying) return ["ok", "Paying", `${plural(flying, "payment")} on the way, ${grouped(waiting)} waiting.`];
  if (waiting) return ["ok", "Nothing is due right now", `${plural(waiting, "payment")} wait for their time or for others.`];
  return ["ok", "All is paid", "Nothing is owed."];
}

const stuckCount = status => status.blocked_more ? `more than ${status.blocked.length} payments` : plural(status.blocked.length, "payment");

function shortBy(status, balance) {
  if (!balance || status.balance === null) return 0n;
  return BigInt(balance.owed) - BigInt(status.balance);
}

function facts(status) {
  const { breaker, lease, nodes } = status;
  const good = nodes.filter(node => node.state === "ok" || node.state === "untried").length;
  const words = { closed: ["ok", "closed"], open: ["bad", "open"], half_open: ["warn", "half-open"] };
  const [breakerTone, breakerWord] = words[breaker.state] ?? ["warn", breaker.state];
  const nodeTone = !status.node.reachable ? "bad" : good < nodes.length ? "warn" : "ok";
  return [
    ["Executor", status.executor_running ? "ok" : "bad", status.executor_running ? "at work" : "not running", lease?.holder],
    ["Circuit breaker", breakerTone, breakerWord],
    ["Money breaker", breaker.money.state === "open" ? "bad" : "ok", breaker.money.state],
    ["Nodes", nodeTone, status.node.reachable ? `${good} of ${nodes.length} well` : "none answers"],
    ["Safety", status.halt ? "bad" : "ok", status.halt ? `halted: ${status.halt.code.replaceAll("_", " ")}` : "no halt"],
  ];
}

// What a person should look at: the treasury's own troubles, then payments.
function needs(status, balance, open) {
  const list = [];
  const add = (tone, title, cause, action, more) => list.push({ tone, title, cause, action, ...more });
  if (status.halt) add("bad", "Halted for safety", status.halt.reason, status.halt.action);
  const { money } = status.breaker;
  if (money.state === "open")
    add("bad", "The money breaker is open", moneyWhy(money), "Look at what is told at the top of this page.", { key: "need money", open: goToMoney });
  if (!status.executor_running && status.stored)
    add("bad", "No executor is at work", status.lease ? `The last one was ${status.lease.holder}.` : "Nobody holds the lease.",
      "Start it: `systemctl start bursar`, or `bursar run`.");
  if (!status.node.reachable) add("bad", "No node answers", status.node.error ?? "", "Look at the node, or add another to `rpc` in bursar.conf.");
  if (status.breaker.state === "open")
    add("bad", "The circuit breaker is open", breakerWhy(status.breaker),
      status.breaker.forced ? (status.breaker.half_open_at ? "Nothing; or resume payments earlier." : "Resume payments once that is over.") : "See which node fails, below. It closes by itself when nodes answer again.");
  if (status.breaker.held_until)
    add("warn", "The circuit breaker is held closed", `Until ${when(status.breaker.held_until)}, by ${status.breaker.actor}: ${status.breaker.reason}`,
      "Nothing: failures do not open it before. `bursar breaker close --reason TEXT` ends it now.");
  for (const node of status.nodes.filter(one => !["ok", "untried"].includes(one.state)))
    add("warn", `Node ${node.url} is ${node.state}`, node.last_error ?? "", node.state === "lying"
      ? "It contradicts the others or itself: take it out of `rpc` until you know why." : "Others are used meanwhile.");
  if (status.hold && money.state !== "open") add("warn", "Holding back", status.hold, "It goes on by itself when that ends.");
  if (shortBy(status, balance) > 0n && status.blocked.length === 0)
    add("warn", "The balance does not cover what is owed", `${ether(status.balance)} are there, ${ether(balance.owed)} are owed.`,
      `Send at least ${ether(shortBy(status, balance))}, and some for fees, to ${status.address}.`);
  for (const item of status.blocked)
    add("warn", item.ref, item.cause, item.action, { key: `need ${item.id}`, open: () => open(item.id) });
  return list;
}

function need({ tone, title, cause, action, key, open }) {
  return h("li", { class: `need ${tone}` }, icon(tone === "bad" ? "bad" : "warn"),
    h("div", null,
      h("p", { class: "need-title" }, open ? h("button", { type: "button", class: "link", "data-key": key, onclick: open }, title) : title),
      cause && h("p", null, prose(cause)), action && h("p", { class: "action" }, h("strong", null, "Do: "), prose(action))));
}

export function drawOverview(status, balance, { open, filter }) {
  const [tone, title, more] = verdict(status, balance);
  redraw($("verdict-title"), [tone, title], () => {
    $("verdict").className = `verdict ${tone}`;
    announce(title);
    return [icon(tone), h("span", null, title)];
  });
  redraw($("verdict-more"), more, () => prose(more));
  redraw($("facts"), facts(status), () => facts(status).map(([name, factTone, word, hint]) =>
    h("li", { class: factTone, title: hint }, icon(factTone), h("span", { class: "muted" }, name), h("strong", null, word))));

  const list = needs(status, balance, open);
  if (redraw($("needs"), [list, status.blocked_more], () => list.length
    ? [h("ul", { class: "needs-list" }, list.map(need)), status.blocked_more &&
        h("p", { class: "muted" }, "And more: see the payments that wait, and those that failed.")]
    : h("p", { class: "nothing" }, icon("ok"), "Nothing. It goes on by itself.")))
    announce(list.length ? `${plural(list.length, "thing")} ${list.length === 1 ? "needs" : "need"} you` : "Nothing needs you");
  document.title = `${list.length ? `(${list.length}) ` : ""}${title} · ${status.treasury} · Bursar`;

  const shown = Object.keys(STATES).filter(state => status.queue[state] > 0 ||
    ["queued", "staged", "executed", "finalized", "failed"].includes(state));
  redraw($("numbers"), [status.queue, status.balance, balance], () => [
    h("div", { class: "number money" }, h("span", { class: "muted" }, "Balance"),
      h("strong", null, status.balance === null ? (balance?.balance ? ether(balance.balance) : "not known") : ether(status.balance)),
      status.balance === null && balance?.seen_at && h("small", { class: "muted" }, "seen ", time(balance.seen_at))),
    h("div", { class: "number money" }, h("span", { class: "muted" }, "Owed"),
      h("strong", null, balance ? `${balance.owed_is_all ? "" : "at least "}${ether(balance.owed)}` : "…"),
      tokensOf(balance).slice(0, TOKENS_SHOWN).map(token => h("small", null, `and ${assetAmount(token, token.owed, token.owed_units)}`)),
      tokensOf(balance).length > TOKENS_SHOWN && h("small", { class: "muted" }, `and ${plural(tokensOf(balance).length - TOKENS_SHOWN, "token")} more`)),
    shown.map(state => h("button", { type: "button", class: `number ${status.queue[state] ? stateOf(state).tone : "none"}`,
      "data-key": `number ${state}`, onclick: () => filter(state) },
      h("span", { class: "muted" }, icon(stateOf(state).icon), stateOf(state).word), h("strong", null, grouped(status.queue[state])))),
  ]);
}
