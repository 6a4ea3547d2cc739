// What the account held over time, against what was due. The chart is uPlot's; its values are for the eye only, sums
// are made exactly elsewhere.
import { $, h, redraw } from "./dom.js";
import { get } from "./api.js";
import { clock, ether, grouped, groupedUnits, short, time, tokensOf, units } from "./format.js";

const HISTORY_ROWS = 1000;
const TABLE_ROWS = 10;
const CHANGES = ["When", "Change", "Balance", "Due", "Block"];
const HEIGHT_PX = 220;

let chart = null;
let shown = null; // { times, values, due }

const inEther = wei => Number(BigInt(wei) / 10n ** 9n) / 1e9;
const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// One point a second at most: the last one counts. Before version 14 of the store it was not kept what was due.
function series(items, status, balance) {
  const points = items.map(item => [Date.parse(item.at) / 1000, item.balance, item.due]).reverse();
  const now = Math.floor(Date.now() / 1000);
  const holds = status.balance ?? balance.balance;
  if (holds !== null) points.push([now, holds, balance.due]);
  const times = [], values = [], due = [];
  for (const [at, held, wanted] of points) {
    const last = times.length && at <= times.at(-1) ? times.length - 1 : times.push(at) - 1;
    values[last] = inEther(held);
    due[last] = wanted === null ? null : inEther(wanted);
  }
  // A line far below the balance would only flatten the balance's own: then words say it.
  const matters = Math.max(0, ...due) > Math.min(...values) * 0.05;
  return { times, values, due: matters ? due : null };
}

function draw() {
  const place = $("balance-chart");
  chart?.destroy();
  chart = null;
  if (!shown || shown.times.length < 2 || place.clientWidth === 0) return;
  const axis = { stroke: colour("--muted"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false },
    font: "12px system-ui, sans-serif" };
  const span = shown.times.at(-1) - shown.times[0];
  const day = at => new Date(at * 1000).toISOString().slice(5, 10);
  chart = new window.uPlot({
    width: place.clientWidth, height: HEIGHT_PX, padding: [12, 32, 0, 0], legend: { show: false }, cursor: { y: false, drag: { x: false, y: false } },
    scales: { x: { time: true }, y: { range: (u, low, high) => padded(low, high) } },
    axes: [
      { ...axis, size: 32, space: 84, values: (u, splits) => splits.map(at => span > 172800 ? day(at) : clock(new Date(at * 1000), span < 600)) },
      { ...axis, size: (u, labels) => Math.max(3, ...(labels ?? []).map(label => label.length)) * 7 + 14, values: (u, splits) => splits.map(value => value.toLocaleString("en", { maximumSignificantDigits: 8 })) },
    ],
    series: [{}, { label: "Balance", stroke: colour("--accent"), width: 2, fill: shown.due ? colour("--accent-soft") : undefined,
      paths: window.uPlot.paths.stepped({ align: 1 }), points: { show: false } },
    ...(shown.due ? [{ label: "Due", stroke: colour("--warn"), width: 2, dash: [6, 4],
      paths: window.uPlot.paths.stepped({ align: 1 }), points: { show: false } }] : [])],
    hooks: { setCursor: [u => readout(u.cursor.idx)] },
  }, [shown.times, shown.values, ...(shown.due ? [shown.due] : [])], place);
}

function padded(low, high) {
  const margin = (high - low) * 0.12 || Math.abs(high) * 0.02 || 1;
  return [shown.due ? 0 : Math.max(0, low - margin), high + margin];
}

function readout(index) {
  const place = $("balance-readout");
  if (!shown || index === null || index === undefined) {
    place.replaceChildren(h("span", { class: "key balance-key" }, "Balance"), shown?.due ? h("span", { class: "key owed-key" }, "Due") : "");
    return;
  }
  const at = new Date(shown.times[index] * 1000);
  const inWords = value => `${value.toLocaleString("en", { maximumFractionDigits: 6 })} ETH`;
  const due = shown.due?.[index] ?? null;
  place.textContent = `${at.toISOString().slice(0, 10)} ${clock(at)}: ${inWords(shown.values[index])}${due === null ? "" : `, ${inWords(due)} due`}`;
}

function sentence(status, balance) {
  const holds = status.balance ?? balance.balance;
  if (holds === null) return "Nobody has looked at the account yet.";
  const rest = BigInt(holds) - BigInt(balance.owed);
  const held = `It holds ${ether(holds)}`;
  if (BigInt(balance.owed) === 0n) return `${held}; nothing is owed.`;
  return rest >= 0n ? `${held}; ${ether(balance.owed)} are owed, so ${ether(rest)} are left before fees.`
    : `${held}, but ${ether(balance.owed)} are owed: short by ${ether(-rest)}.`;
}

function changeOf(item) {
  if (item.delta === null) return "first look";
  if (item.kind === "due") return "none";
  return `${item.delta.startsWith("-") ? "" : "+"}${units(item.delta)}`;
}

// The payments that were mined since the entry before have a line of their own.
function changeRows(item) {
  const spent = item.disbursements.map(({ id, ref }) => h("a", { href: `#payment/${id}`, "data-key": `spent ${item.id} ${id}` }, ref));
  return [h("tr", null, h("td", null, time(item.at)), h("td", null, changeOf(item)), h("td", null, units(item.balance)),
    h("td", null, item.due === null ? "" : units(item.due)), h("td", null, String(item.block_number))),
  spent.length > 0 && h("tr", { class: "spent" }, h("td", { colspan: CHANGES.length }, spent, item.disbursements_more && "and more"))];
}

function owedTable(assets) {
  const name = asset => asset.asset === "native" ? "ETH" : asset.asset_name ?? short(asset.asset);
  const amount = (baseUnits, wholeUnits) => wholeUnits === null ? `${grouped(baseUnits)} base units` : groupedUnits(wholeUnits);
  return table(["Asset", "Owed", "Due now", "Payments"], assets.map(asset => h("tr", null,
    h("td", { title: asset.asset }, name(asset)), h("td", null, amount(asset.owed, asset.owed_units)),
    h("td", null, amount(asset.due, asset.due_units)), h("td", null, grouped(asset.owed_count)))));
}

const table = (columns, rows) => h("table", null,
  h("thead", null, h("tr", null, columns.map(name => h("th", { scope: "col" }, name)))), h("tbody", null, rows));

export function initBalance() {
  window.addEventListener("resize", () => chart && $("balance-chart").clientWidth !== chart.width && draw());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}

let known = null; // for which balance the history was read

export async function drawBalance(status, balance) {
  const text = sentence(status, balance);
  $("balance-text").textContent = text;
  $("owed-details").hidden = tokensOf(balance).length === 0;
  redraw($("owed-table"), balance.assets, () => owedTable(balance.assets));
  const signature = JSON.stringify([status.treasury, balance.balance, balance.changed_at, balance.owed, balance.due]);
  if (known === signature && chart) return;
  known = signature;
  const { items } = await get("/v1/balance/history", { treasury: status.treasury, limit: HISTORY_ROWS });
  shown = series(items, status, balance);
  $("balance-chart").setAttribute("aria-label", `Balance over time, and what was due. ${text}`);
  draw();
  readout(null);
  const newest = items.slice(0, TABLE_ROWS);
  redraw($("balance-table"), newest, () => table(CHANGES, newest.map(changeRows)));
}
