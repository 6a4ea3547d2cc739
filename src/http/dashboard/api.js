// The API of this server, with the token of this tab.

const KEY = "bursar-token";

export const token = {
  get: () => sessionStorage.getItem(KEY),
  set: text => sessionStorage.setItem(KEY, text),
  forget: () => sessionStorage.removeItem(KEY),
};

// A problem as RFC 9457 has it; status 0: no answer at all.
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail ?? body.title ?? `HTTP ${status}`);
    this.status = status;
    this.code = body.code;
    this.errors = body.errors ?? [];
  }
}

function address(path, query) {
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return path + (given.length ? `?${new URLSearchParams(given)}` : "");
}

async function ask(path, query, options = {}) {
  let answer;
  try {
    answer = await fetch(address(path, query), { ...options,
      headers: { ...options.headers, Authorization: `Bearer ${token.get() ?? ""}` } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, { detail: "Bursar does not answer. Is `bursar run` still up?" });
  }
  if (answer.ok) return answer;
  let body = {};
  try {
    body = await answer.json();
  } catch { /* no problem document: its status says enough */ }
  throw new Problem(answer.status, body);
}

export const get = async (path, query) => (await ask(path, query)).json();

export const post = async (path, query, body) => (await ask(path, query,
  { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) })).json();

export const send = async (path, query, type, blob) => (await ask(path, query,
  { method: "POST", headers: { "Content-Type": type }, body: blob })).json();

// What a server-sent event stream says, piece by piece: calls back for each event.
class EventParser {
  constructor(onEvent) {
    this.onEvent = onEvent;
    this.rest = "";
    this.fields = {};
  }

  take(text) {
    const lines = (this.rest + text).split("\n");
    this.rest = lines.pop();
    for (const line of lines) this.line(line.replace(/\r$/, ""));
  }

  line(line) {
    if (line === "") {
      if (this.fields.data) this.onEvent(this.fields.id, JSON.parse(this.fields.data));
      this.fields = {};
    } else if (!line.startsWith(":")) {
      const [, name, value] = line.match(/^([^:]*):? ?(.*)$/);
      this.fields[name] = value;
    }
  }
}

// EventSource can't send a token: the same by fetch. Goes on where it ended until `signal` is aborted or the token is
// refused, then returns the Problem.
export async function listen({ signal, lastId, onEvent, onOpen, onLost }) {
  let id = lastId;
  let wait_ms = 500;
  while (!signal.aborted) {
    try {
      const answer = await ask("/v1/events", null, { signal,
        headers: { Accept: "text/event-stream", ...(id ? { "Last-Event-ID": id } : {}) } });
      onOpen();
      wait_ms = 500;
      const parser = new EventParser((newest, event) => {
        id = newest;
        onEvent(event, newest);
      });
      const decoder = new TextDecoder();
      const reader = answer.body.getReader();
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        parser.take(decoder.decode(value, { stream: true }));
      }
    } catch (error) {
      if (signal.aborted) return null;
      if (error.status === 401) return error;
    }
    if (signal.aborted) return null;
    onLost();
    await new Promise(go => setTimeout(go, wait_ms));
    wait_ms = Math.min(wait_ms * 2, 8000);
  }
  return null;
}
