// The circuit breaker with its history, the nodes it judges, and the webhooks.
import { $, h, icon, redraw } from "./dom.js";
import { get, post } from "./api.js";
import { askReason } from "./dialogs.js";
import { causeWords, grouped, plural, time, when } from "./format.js";

const WORDS = {
  closed: ["ok", "Circuit breaker closed: nodes answer"],
  open: ["bad", "Circuit breaker open: nothing new is paid"],
  half_open: ["warn", "Circuit breaker half-open: a few trials decide"],
};
const HISTORY_ROWS = 8;

const COMMANDS = {
  open: { title: "Stop new payments", danger: true, asksPeriod: true, confirm: "Open the breaker",
    text: "Opens the circuit breaker: nothing new is sent until somebody closes it again. What is already sent is still watched." },
  close: { title: "Resume payments", confirm: "Close the breaker",
    text: "Closes the circuit breaker and sets its counters to zero: what is due is paid at once, unless the money breaker is open." },
  reset: { title: "Reset the counters", confirm: "Reset the breaker",
    text: "Puts the circuit breaker back to how it began: closed, nothing counted." },
};

export function initBreaker(context) {
  for (const [command, words] of Object.entries(COMMANDS)) {
    $(`breaker-${command}`).addEventListener("click", () => askReason({ ...words,
      act: (reason, period) => post("/v1/breaker", { treasury: context.treasury() },
        { command, reason, ...(period ? { for: period } : {}) }) })
      .then(done => done && context.refresh()));
  }
}

export function drawBreaker(status, may) {
  const { breaker } = status;
  const [tone, words] = WORDS[breaker.state] ?? ["warn", breaker.state];
  redraw($("breaker"), breaker, () => [
    h("p", { class: `lead state-line ${tone}` }, icon(tone), h("strong", null, words)),
    h("dl", { class: "pairs" },
      breaker.since && [h("dt", null, "Since"), h("dd", null, time(breaker.since))],
      breaker.openings > 1 && [h("dt", null, "Opened in a row"), h("dd", null, String(breaker.openings))],
      breaker.half_open_at && [h("dt", null, "Tries again"), h("dd", null, time(breaker.half_open_at))],
      breaker.held_until && [h("dt", null, "Held closed until"), h("dd", null, time(breaker.held_until))],
      breaker.state === "half_open" ? [h("dt", null, "Trials that worked"), h("dd", null, String(breaker.successes))]
        : [h("dt", null, "Failures counted"), h("dd", null, String(breaker.failures))],
      breaker.forced && [h("dt", null, "By"), h("dd", null, `${breaker.actor}: ${breaker.reason}`)]),
  ]);
  for (const command of Object.keys(COMMANDS)) {
    const button = $(`breaker-${command}`);
    button.hidden = !may.operate || (command === "open" && breaker.state === "open" && breaker.forced)
      || (command === "close" && breaker.state === "closed") || (command === "reset" && breaker.failures === 0);
  }
  drawNodes(status);
  drawWebhooks(status.webhooks);
}

export async function drawBreakerHistory(treasury) {
  const { items } = await get("/v1/treasury-events", { treasury, limit: HISTORY_ROWS });
  redraw($("breaker-history"), items, () => items.length
    ? h("ol", { class: "history" }, items.map(event => h("li", null, time(event.at), h("div", null,
        h("strong", null, causeWords(event.cause)), ` by ${event.actor}`, event.detail && h("p", null, event.detail)))))
    : h("p", { class: "muted" }, "Nothing has happened to it."));
}

const NODE_WORDS = { ok: "well", untried: "not asked yet", failing: "failing", resting: "resting after failures",
  lagging: "lagging behind", lying: "contradicts the chain" };

function drawNodes(status) {
  const newest = status.node.latest_block, final = status.node.final_block;
  redraw($("nodes"), [status.nodes, status.node.reachable, status.node.error], () => [
    h("ul", { class: "nodes" }, status.nodes.map(node => {
      const tone = node.state === "ok" ? "ok" : node.state === "untried" ? "idle" : node.state === "lying" ? "bad" : "warn";
      return h("li", { class: tone }, icon(tone === "idle" ? "wait" : tone), h("code", null, node.url),
        h("span", null, NODE_WORDS[node.state] ?? node.state,
          node.latest_block !== null && `, block ${grouped(node.latest_block)}`),
        node.last_error && h("p", { class: "muted" }, node.last_error));
    })),
    h("p", { class: "muted" }, status.node.reachable
      ? `Newest block ${grouped(newest)}${final === null ? "" : `, final up to ${grouped(final)} (${plural(newest - final, "block")} behind)`}.`
      : status.node.error ?? "No node answers."),
  ]);
}

function webhookWords(hook) {
  if (!hook.started) return ["idle", "not started yet"];
  if (hook.last_error) return ["warn", `${plural(hook.behind, "event")} behind, not taken at ${when(hook.last_error_at)}`];
  if (hook.behind) return ["idle", `${plural(hook.behind, "event")} behind`];
  return ["ok", `up to date, ${plural(hook.delivered, "event")} delivered`];
}

function drawWebhooks(hooks) {
  const lines = hooks.map(hook => [hook, ...webhookWords(hook), new Date(hook.next_try_at ?? 0) > Date.now()]);
  redraw($("webhooks"), lines, () => lines.length > 0 && [
    h("h3", null, "Webhooks"),
    h("ul", { class: "nodes" }, lines.map(([hook, tone, words, isPlanned]) =>
      h("li", { class: tone }, icon(tone === "idle" ? "wait" : tone), h("code", null, hook.name), h("span", null, words),
        hook.last_error && h("p", { class: "muted" }, hook.last_error, isPlanned && `; next try at ${when(hook.next_try_at)}`)))),
  ]);
}
