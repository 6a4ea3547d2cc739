// Numbers, times and words as people read them. Amounts are exact: BigInt, never floating point.
import { h } from "./dom.js";

const DECIMALS = 18;
const ROUNDED_TO = 10n ** 12n; // wei: six digits of an ether

// "1234500000000000000" -> "1.2345"
export function units(wei, decimals = DECIMALS) {
  const value = BigInt(wei);
  const digits = (value < 0n ? -value : value).toString().padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = decimals ? digits.slice(-decimals).replace(/0+$/, "") : "";
  return (value < 0n ? "−" : "") + grouped(whole) + (fraction ? `.${fraction}` : "");
}

export function grouped(digits) {
  return String(digits).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

// Short for a heading: six digits behind the point are enough there, and it says that it was rounded.
export function ether(wei) {
  const value = BigInt(wei);
  const rounded = (value + ROUNDED_TO / 2n) / ROUNDED_TO * ROUNDED_TO;
  return value === rounded || rounded === 0n ? `${units(value)} ETH` : `≈ ${units(rounded)} ETH`;
}

export function groupedUnits(text) {
  const [whole, fraction] = text.split(".");
  return `${grouped(whole)}${fraction ? `.${fraction}` : ""}`;
}

// Of a disbursement: its own units when it is in a token.
export function amountOf(item) {
  const text = item.amount_units ?? item.amount_ether;
  const name = item.asset_name ?? (item.asset === "native" ? "ETH" : short(item.asset));
  if (!text) return `${item.amount} base units of ${name}`;
  return `${groupedUnits(text)} ${name}`;
}

// Of what is owed in one asset: "120 usdc".
export function assetAmount(asset, baseUnits, wholeUnits) {
  return asset.asset === "native" ? ether(baseUnits)
    : amountOf({ ...asset, amount: baseUnits, amount_units: wholeUnits });
}

export const tokensOf = balance => balance?.assets.filter(asset => asset.asset !== "native") ?? [];

export const short = hex => (hex && hex.length > 14 ? `${hex.slice(0, 6)}…${hex.slice(-4)}` : hex ?? "");

const pad = number => String(number).padStart(2, "0");

export function clock(date, seconds = true) {
  return `${pad(date.getHours())}:${pad(date.getMinutes())}${seconds ? `:${pad(date.getSeconds())}` : ""}`;
}

export function when(text) {
  if (!text) return "";
  const date = new Date(text);
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  return date.toDateString() === new Date().toDateString() ? clock(date) : `${day} ${clock(date, false)}`;
}

export const time = text => text ? h("time", { datetime: text, title: text }, when(text)) : null;

export const plural = (count, one, many = `${one}s`) => `${grouped(count)} ${count === 1 ? one : many}`;

// A state: what people call it, its icon, how it looks.
export const STATES = {
  draft: { word: "Draft", icon: "wait", tone: "idle" },
  voting: { word: "In vote", icon: "wait", tone: "idle" },
  queued: { word: "Waiting", icon: "wait", tone: "idle" },
  staged: { word: "In flight", icon: "move", tone: "busy" },
  executed: { word: "In a block", icon: "move", tone: "busy" },
  finalized: { word: "Paid", icon: "ok", tone: "ok" },
  cancelled: { word: "Cancelled", icon: "off", tone: "idle" },
  failed: { word: "Failed", icon: "bad", tone: "bad" },
  rolled_back: { word: "Reversed", icon: "off", tone: "warn" },
};
export const stateOf = name => STATES[name] ?? { word: name, icon: "wait", tone: "idle" };

const CAUSES = {
  imported: "Taken from a payment file",
  submitted: "Submitted to a vote",
  approved: "Approved",
  bound: "Bound to a nonce; it will be signed and sent",
  included: "Seen in a block",
  reorged: "Its block is no longer part of the chain; back in flight",
  final_success: "Final: paid for good",
  final_revert: "Final: the chain refused it",
  final_cancel: "Final: its cancellation was mined instead",
  nonce_freed: "Its nonce was used by something else; waits for a new one",
  person_cancelled: "Cancelled by a person",
  host_refused: "Refused before it was bound",
  person_retried: "To be paid after all",
  reversed: "Reversed by decision",
  breaker_opened: "Circuit breaker opened",
  breaker_half_opened: "Circuit breaker half-open: trying again",
  breaker_closed: "Circuit breaker closed",
  breaker_reset: "Circuit breaker: counters reset",
  money_breaker_opened: "Money breaker opened",
  money_breaker_closed: "Money breaker closed",
  cancel_requested: "Asked to cancel it while in flight",
  adopted: "The store learned what was paid without it",
};
export const causeWords = cause => CAUSES[cause] ?? cause.replaceAll("_", " ");
