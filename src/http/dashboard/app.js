// Puts the page together: the token, which treasury, and what is read again when something happens.
import { $, announce, copyable, h, icon } from "./dom.js";
import { get, listen, token } from "./api.js";
import { askToken } from "./dialogs.js";
import { drawOverview } from "./overview.js";
import { drawBreaker, drawBreakerHistory, initBreaker } from "./breaker.js";
import { drawMoney, initMoney } from "./money.js";
import { drawBalance, initBalance } from "./balance.js";
import { drawPayments, filterPayments, initPayments } from "./payments.js";
import { drawStory, followAddress, initStory, openStory } from "./story.js";
import { drawJobs, forgetStates, initPayfile, noteEvent } from "./payfile.js";
import { short } from "./format.js";

const EVERY_MS = 5000; // what no event tells: nodes, leases, clocks
const LONG_QUEUE_COUNT = 10000;
const SOON_MS = 300; // events come in bursts
const APART_MS = 1000; // and one look at least so long after the other

let may = { read: false, pay: false, operate: false };
let statuses = [];
let balance = null;
let chosen = sessionStorage.getItem("bursar-treasury");
let timer = null;
let due_ms = 0; // of the timer
let began_ms = 0;
let busy = false;
let again = false;
let stream = null;
let lastId = null;
let answersAgain = true;

const context = {
  treasury: () => chosen,
  may: () => may,
  balance: () => balance,
  refresh: () => refresh(),
  failed,
};

function failed(problem) {
  if (problem.status === 401) signIn(problem.message);
  else if (problem.status === 0 || problem.status >= 500) live("lost", problem.message);
  else live("lost", `The page could not be brought up to date: ${problem.message}`);
}

function live(tone, text) {
  const place = $("live");
  if (place.textContent === text) return;
  place.className = `live ${tone}`;
  place.replaceChildren(icon(tone === "on" ? "ok" : tone === "wait" ? "wait" : "warn"), h("span", null, text));
}

function pick() {
  if (!statuses.some(status => status.treasury === chosen)) chosen = statuses[0]?.treasury ?? null;
  const names = statuses.map(status => status.treasury);
  const select = $("treasury");
  if (select.dataset.names !== names.join(" ")) {
    select.dataset.names = names.join(" ");
    select.replaceChildren(...names.map(name => h("option", { value: name }, name)));
  }
  select.value = chosen;
  $("treasury-label").hidden = names.length < 2;
  return statuses.find(status => status.treasury === chosen);
}

function drawAccount(status) {
  const text = `${status.treasury} ${status.chain_id} ${status.address}`;
  if ($("account").dataset.text === text) return;
  $("account").dataset.text = text;
  $("account").replaceChildren(statuses.length < 2 ? h("strong", null, status.treasury) : "",
    copyable(status.address, "account", short(status.address)), h("span", { class: "muted" }, `chain ${status.chain_id}`));
}

// What is owed is added up anew for each answer: of a long queue not more often than it has to be.
let balanceOf = { treasury: null, signature: null, at_ms: 0 };

async function readBalance(status) {
  const signature = JSON.stringify([status.treasury, status.balance, status.queue]);
  const isLong = status.queue.queued + status.queue.staged > LONG_QUEUE_COUNT;
  const isOther = balanceOf.treasury !== status.treasury;
  if (!isOther && (signature === balanceOf.signature || (isLong && Date.now() - balanceOf.at_ms < EVERY_MS))) return balance;
  const read = await get("/v1/balance", { treasury: status.treasury });
  balanceOf = { treasury: status.treasury, signature, at_ms: Date.now() };
  return read;
}

async function refreshOnce() {
  statuses = (await get("/v1/status")).items;
  const status = pick();
  if (!status) throw new Error("this server has no treasury");
  $("main").hidden = false;
  balance = status.stored ? await readBalance(status) : null;
  drawAccount(status);
  drawOverview(status, balance, { open: openStory, filter: filterPayments });
  drawMoney(status, may);
  drawBreaker(status, may);
  if (!status.stored) return;
  await Promise.all([drawPayments(), drawStory(), drawBreakerHistory(chosen), drawBalance(status, balance), drawJobs()]);
}

// One at a time; what happens meanwhile is looked at right after.
async function refresh() {
  clearTimeout(timer);
  timer = null;
  again = busy;
  if (busy || !token.get()) return;
  busy = true;
  began_ms = Date.now();
  try {
    await refreshOnce();
    if (!answersAgain) {
      answersAgain = true;
      live(stream ? "on" : "wait", stream ? "Live" : "Connecting …");
    }
  } catch (problem) {
    answersAgain = false;
    failed(problem);
  } finally {
    busy = false;
    if (again) soonAfter();
    else soon(EVERY_MS);
  }
}

// What is to come earlier anyway is never put off: events may come without an end.
function soon(wait_ms) {
  const at_ms = Date.now() + wait_ms;
  if (timer !== null && due_ms <= at_ms) return;
  clearTimeout(timer);
  due_ms = at_ms;
  timer = setTimeout(refresh, wait_ms);
}

const soonAfter = () => soon(Math.max(SOON_MS, began_ms + APART_MS - Date.now()));

function connect() {
  stream?.abort();
  const control = new AbortController();
  stream = control;
  live("wait", "Connecting …");
  listen({ signal: control.signal, lastId,
    onEvent: (event, id) => {
      lastId = id;
      noteEvent(event);
      if (event.treasury === chosen) {
        if (busy) again = true;
        else soonAfter();
      }
    },
    onOpen: () => {
      live("on", "Live");
      forgetStates();
      refresh();
    },
    onLost: () => live("lost", "Connection lost, trying again …") })
    .then(problem => problem && signIn(problem.message));
}

async function signIn(why) {
  stream?.abort();
  clearTimeout(timer);
  timer = null;
  token.forget();
  $("forget").hidden = true;
  if ($("token-dialog").open) return;
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  may = await askToken(why);
  start();
}

function start() {
  $("forget").hidden = false;
  $("import-open").hidden = !may.pay;
  document.body.dataset.actor = may.actor;
  $("forget").title = `You are ${may.actor}`;
  connect();
  followAddress();
}

function boot() {
  initBreaker(context);
  initMoney(context);
  initBalance();
  initPayments(context);
  initStory(context);
  initPayfile(context);
  $("forget").addEventListener("click", () => signIn(""));
  $("treasury").addEventListener("change", () => {
    chosen = $("treasury").value;
    sessionStorage.setItem("bursar-treasury", chosen);
    announce(`Treasury ${chosen}`);
    refresh();
  });
  // A hidden page leaves its connection to others; it comes back where it was.
  document.addEventListener("visibilitychange", () => {
    if (!token.get()) return;
    if (document.hidden) {
      stream?.abort();
      stream = null;
    } else connect();
  });
  if (token.get()) enter();
  else signIn("");
}

// With the token of this tab, as soon as the server answers.
async function enter() {
  try {
    may = await get("/v1/token");
    start();
  } catch (problem) {
    failed(problem);
    if (problem.status !== 401) setTimeout(enter, EVERY_MS);
  }
}

boot();
