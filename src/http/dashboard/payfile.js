// A payment file: dropped or chosen, checked by the server, shown, confirmed, and watched until all of it is paid.
import { $, announce, h, icon, prose, redraw } from "./dom.js";
import { get, send } from "./api.js";
import { amountOf, ether, grouped, plural, short } from "./format.js";

const KEY = "bursar-files";
const ENDED = ["finalized", "cancelled", "failed", "rolled_back"];
const PAGE_ROWS = 1000;
const FILES_KEPT = 5;
const TYPING_MS = 400;

let context = null;
let chosen = null; // the file that is looked at
let checked = 0; // a check that was overtaken by another file is not shown
let jobs = []; // { name, treasury, ids, states: Map }

export function initPayfile(given) {
  context = given;
  $("import-open").addEventListener("click", () => begin());
  $("import-close").addEventListener("click", () => $("import-dialog").close());
  $("import-file").addEventListener("change", () => $("import-file").files[0] && check($("import-file").files[0]));
  let typing = null;
  $("import-prefix").addEventListener("input", () => {
    if (!chosen) return;
    clearTimeout(typing);
    checked++; // what is shown no longer holds, and can't be confirmed
    $("import-result").replaceChildren(h("p", null, `Checking ${chosen.name} …`));
    typing = setTimeout(() => chosen && check(chosen), TYPING_MS);
  });
  let depth = 0;
  const isFile = event => context.may().pay && event.dataTransfer?.types.includes("Files");
  const over = shown => { $("drop").hidden = !shown; };
  window.addEventListener("dragenter", event => { if (isFile(event)) { depth++; over(true); event.preventDefault(); } });
  window.addEventListener("dragleave", event => { if (isFile(event) && --depth <= 0) { depth = 0; over(false); } });
  window.addEventListener("dragover", event => { if (isFile(event)) event.preventDefault(); });
  window.addEventListener("drop", event => {
    if (!isFile(event)) return;
    event.preventDefault();
    depth = 0;
    over(false);
    begin();
    check(event.dataTransfer.files[0]);
  });
  try {
    jobs = JSON.parse(sessionStorage.getItem(KEY) ?? "[]").map(job => ({ ...job, states: null }));
  } catch { /* what is not ours is left */ }
}

function begin() {
  $("import-file").value = "";
  $("import-prefix").value = "";
  chosen = null;
  $("import-result").replaceChildren();
  if (!$("import-dialog").open) $("import-dialog").showModal();
  $("import-title").focus();
}

const typeOf = text => (text.trimStart().startsWith("{") ? "application/jsonl" : "text/csv");

function submit(file, text, dry) {
  return send("/v1/payment-files", { treasury: context.treasury(), name: file.name.slice(0, 60), dry_run: dry ? "true" : "",
    ref_prefix: $("import-prefix").value }, typeOf(text), file);
}

async function check(file) {
  chosen = file;
  const number = ++checked;
  const place = $("import-result");
  place.replaceChildren(h("p", null, `Checking ${file.name} …`));
  try {
    const text = await file.text();
    const preview = await submit(file, text, true);
    if (number === checked) place.replaceChildren(...shownPreview(file, text, preview));
  } catch (problem) {
    if (number !== checked) return;
    const lines = problem.errors?.length ? (await file.text()).split(/\r\n|\n|\r/) : [];
    place.replaceChildren(...shownProblem(file, problem, lines));
  }
}

function shownProblem(file, problem, lines) {
  const head = problem.errors?.length ? `${file.name}: ${plural(problem.errors.length, "error")}. Nothing was added.` : `${file.name}: ${problem.message}`;
  return [
    h("p", { class: "problem", role: "alert" }, icon("bad"), h("strong", null, head)),
    problem.errors?.length && h("ol", { class: "errors" }, problem.errors.map(error => h("li", null,
      h("strong", null, `Line ${error.line}${error.column ? `, ${error.column}` : ""}: `), prose(error.message),
      lines[error.line - 1] && h("pre", null, h("code", null, lines[error.line - 1].slice(0, 300)))))),
    problem.errors?.length > 0 && h("p", { class: "muted" }, "Correct the file and drop it again: what was right stays right, a ref is never paid twice."),
    problem.status === 0 && h("p", { class: "muted" }, "It may have arrived all the same. Drop the file again: a ref is never paid twice."),
    problem.status === 413 && h("p", { class: "muted" }, prose("`bursar pay FILE` takes files of any size.")),
  ].filter(Boolean);
}

function shownPreview(file, text, preview) {
  const cells = row => [String(row.line), row.ref, amountOf(row), short(row.destination), row.not_before ?? "at once",
    row.is_new ? "new" : "already there"];
  const count = preview.added + preview.existing;
  const balance = context.balance();
  const after = balance?.balance && preview.total ? BigInt(balance.balance) - BigInt(balance.owed) - BigInt(preview.total) : null;
  const confirm = h("button", { type: "button", class: "primary", onclick: () => pay(file, text, confirm) },
    `Pay ${plural(preview.added, "payment")}`);
  return [
    h("p", { class: "ok state-line" }, icon("ok"), h("strong", null, `${file.name} is in order.`)),
    h("dl", { class: "pairs" },
      h("dt", null, "New"), h("dd", null, `${plural(preview.added, "payment")}, ${preview.total === null ? "too much to add up" : ether(preview.total)} in all`),
      preview.existing > 0 && [h("dt", null, "Already there"), h("dd", null, `${plural(preview.existing, "payment")}: not paid again`)],
      after !== null && [h("dt", null, "Balance"), h("dd", null, after >= 0n
        ? `enough: ${ether(after)} are left after everything owed, before fees` : `not enough: ${ether(-after)} are missing; what can't be paid waits`)]),
    h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Rows of the file" }, h("table", { class: "plain" },
      h("thead", null, h("tr", null, ["Line", "Ref", "Amount", "To", "Not before", ""].map(name => h("th", { scope: "col" }, name)))),
      h("tbody", null, preview.rows.map(row => h("tr", null, cells(row).map(cell => h("td", null, cell))))))),
    count > preview.rows.length && h("p", { class: "muted" }, `and ${grouped(count - preview.rows.length)} more rows`),
    h("p", { class: "buttons" }, preview.added > 0 ? confirm : h("span", null, "There is nothing new to pay."),
      h("button", { type: "button", onclick: () => $("import-dialog").close() }, "Leave it")),
  ].filter(Boolean);
}

async function pay(file, text, button) {
  button.disabled = true;
  chosen = null;
  try {
    const result = await submit(file, text, false);
    const job = { name: file.name, treasury: context.treasury(), ids: result.ids, states: null };
    jobs = [job, ...jobs].slice(0, FILES_KEPT);
    keep();
    announce(`${plural(result.added, "payment")} added`);
    const progress = h("div");
    job.place = progress;
    $("import-result").replaceChildren(h("p", { class: "ok state-line" }, icon("ok"),
      h("strong", null, `${plural(result.added, "payment")} added${result.existing ? `, ${grouped(result.existing)} were there already` : ""}.`)),
    progress, h("p", { class: "buttons" }, h("button", { type: "button", onclick: () => $("import-dialog").close() }, "Close")));
    $("import-title").focus();
    await drawJobs();
    context.refresh();
  } catch (problem) {
    $("import-result").replaceChildren(...shownProblem(file, problem, text.split(/\r\n|\n|\r/)));
  }
}

function keep() {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(jobs.map(({ name, treasury, ids }) => ({ name, treasury, ids }))));
  } catch { /* too many to keep: they are watched until the page is left */ }
}

// -- progress ---------------------------------------------------------------------------------------------------------

async function readStates(job) {
  const wanted = new Set(job.ids);
  const last = Math.max(...job.ids);
  const states = new Map();
  let cursor = Math.min(...job.ids) - 1;
  while (cursor !== null && cursor < last) {
    const page = await get("/v1/disbursements", { treasury: job.treasury, limit: PAGE_ROWS, cursor: cursor || "" });
    for (const item of page.items) if (wanted.has(item.id)) states.set(item.id, item.state);
    cursor = page.next;
  }
  job.states = states;
}

// What the event stream says of a payment.
export function noteEvent(event) {
  if (event.id === null || !event.to) return;
  for (const job of jobs) if (job.states?.has(event.id) && job.treasury === event.treasury) job.states.set(event.id, event.to);
}

export function forgetStates() { // events may have been missed
  for (const job of jobs) job.states = null;
}

function counted(job) {
  const counts = { total: job.ids.length, paid: 0, moving: 0, failed: 0, cancelled: 0 };
  for (const state of job.states.values()) {
    if (state === "finalized") counts.paid++;
    else if (state === "staged" || state === "executed") counts.moving++;
    else if (state === "failed") counts.failed++;
    else if (state === "cancelled" || state === "rolled_back") counts.cancelled++;
  }
  counts.waiting = counts.total - counts.paid - counts.moving - counts.failed - counts.cancelled;
  return counts;
}

function shownJob(job, dismiss) {
  const c = counted(job);
  const parts = [`${grouped(c.paid)} of ${grouped(c.total)} paid`, c.moving && `${grouped(c.moving)} on the way`, c.waiting && `${grouped(c.waiting)} waiting`,
    c.failed && `${grouped(c.failed)} failed`, c.cancelled && `${grouped(c.cancelled)} cancelled`].filter(Boolean).join(", ");
  const isEnded = [...job.states.values()].every(state => ENDED.includes(state));
  return h("div", { class: "job" }, h("p", null, h("strong", null, job.name), ` · ${parts}`),
    h("progress", { max: c.total, value: c.paid + c.failed + c.cancelled, "aria-label": `${job.name}: ${parts}` }),
    dismiss && isEnded && h("button", { type: "button", class: "quiet", "data-key": `dismiss ${job.name}`, onclick: () => {
      jobs = jobs.filter(one => one !== job);
      keep();
      drawJobs().catch(context.failed);
    } }, "Dismiss"));
}

export async function drawJobs() {
  const mine = jobs.filter(job => job.treasury === context.treasury() && job.ids.length);
  for (const job of mine) {
    if (!job.states) await readStates(job);
    const counts = counted(job);
    if (job.place?.isConnected) redraw(job.place, counts, () => shownJob(job, false));
    const isPaid = counts.paid === counts.total;
    if (isPaid && job.was === false) announce(`${job.name}: all ${plural(counts.total, "payment")} paid`);
    job.was = isPaid;
  }
  $("jobs-section").hidden = mine.length === 0;
  redraw($("jobs"), mine.map(job => [job.name, counted(job)]), () => mine.map(job => shownJob(job, true)));
}
