// What the account held over time, against what is owed. The chart is uPlot's; its values are for the eye only, sums
// are made exactly elsewhere.
import { $, h, redraw } from "./dom.js";
import { get } from "./api.js";
import { assetAmount, clock, ether, grouped, time, tokensOf, units } from "./format.js";

const HISTORY_ROWS = 1000;
const TABLE_ROWS = 10;
const HEIGHT_PX = 220;

let chart = null;
let shown = null; // { times, values, owed, readout }

const inEther = wei => Number(BigInt(wei) / 10n ** 9n) / 1e9;
const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function series(items, status, owed) {
  const points = items.map(item => [Date.parse(item.at) / 1000, inEther(item.balance)]).reverse();
  const now = Math.floor(Date.now() / 1000);
  if (status.balance !== null) points.push([now, inEther(status.balance)]);
  const times = [], values = [];
  for (const [at, value] of points) {
    if (times.length && at <= times.at(-1)) values[values.length - 1] = value;
    else {
      times.push(at);
      values.push(value);
    }
  }
  // A line far below the balance would only flatten the balance's own: then words say it.
  const matters = owed > 0 && owed > Math.min(...values) * 0.3;
  return { times, values, owed: matters ? times.map(() => owed) : null };
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
    series: [{}, { label: "Balance", stroke: colour("--accent"), width: 2, fill: shown.owed ? colour("--accent-soft") : undefined,
      paths: window.uPlot.paths.stepped({ align: 1 }), points: { show: false } },
    ...(shown.owed ? [{ label: "Owed now", stroke: colour("--warn"), width: 2, dash: [6, 4], points: { show: false } }] : [])],
    hooks: { setCursor: [u => readout(u.cursor.idx)] },
  }, [shown.times, shown.values, ...(shown.owed ? [shown.owed] : [])], place);
}

function padded(low, high) {
  const margin = (high - low) * 0.12 || Math.abs(high) * 0.02 || 1;
  return [shown.owed ? 0 : Math.max(0, low - margin), high + margin];
}

function readout(index) {
  const place = $("balance-readout");
  if (!shown || index === null || index === undefined) {
    place.replaceChildren(h("span", { class: "key balance-key" }, "Balance"), shown?.owed ? h("span", { class: "key owed-key" }, "Owed now") : "");
    return;
  }
  const at = new Date(shown.times[index] * 1000);
  place.textContent = `${at.toISOString().slice(0, 10)} ${clock(at)}: ${shown.values[index].toLocaleString("en", { maximumFractionDigits: 6 })} ETH`;
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

function owedTable(assets) {
  const row = asset => h("tr", null,
    h("th", { scope: "row", title: asset.asset }, asset.asset === "native" ? "ETH" : asset.asset_name ?? asset.asset),
    h("td", null, assetAmount(asset, asset.owed, asset.owed_units)), h("td", null, assetAmount(asset, asset.due, asset.due_units)),
    h("td", null, grouped(asset.owed_count)));
  return h("table", null,
    h("thead", null, h("tr", null, ["Asset", "Owed", "Due now", "Payments"].map(name => h("th", { scope: "col" }, name)))),
    h("tbody", null, assets.map(row)));
}

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
  const signature = JSON.stringify([status.treasury, balance.balance, balance.changed_at, balance.owed]);
  if (known === signature && chart) return;
  known = signature;
  const { items } = await get("/v1/balance/history", { treasury: status.treasury, limit: HISTORY_ROWS });
  shown = series(items, status, inEther(balance.owed));
  $("balance-chart").setAttribute("aria-label", `Balance over time. ${text}`);
  draw();
  readout(null);
  const newest = items.slice(0, TABLE_ROWS);
  redraw($("balance-table"), newest, () => h("table", null,
    h("thead", null, h("tr", null, ["When", "Change", "Balance", "Block"].map(name => h("th", { scope: "col" }, name)))),
    h("tbody", null, newest.map(item => h("tr", null, h("td", null, time(item.at)),
      h("td", null, item.delta === null ? "first look" : `${item.delta.startsWith("-") ? "" : "+"}${units(item.delta)}`),
      h("td", null, units(item.balance)), h("td", null, String(item.block_number)))))));
}
