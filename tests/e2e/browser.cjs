// A real Chromium for browser.py: reads a line of JSON ({"code", "argument"}) at a time, runs it as an async function of
// (page, context, argument), answers with a line ({"value"} or {"error"}). Notes everything the page asks the network for
// and everything that went wrong in it.
"use strict";
const readline = require("node:readline");
const { chromium } = require("playwright-core");

const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor;
const settings = JSON.parse(process.argv[2]);
const seen = { urls: [], console: [], errors: [] };

function watch(page) {
  page.setDefaultTimeout(settings.timeout_ms);
  page.on("request", request => seen.urls.push(request.url()));
  page.on("console", message => message.type() === "error" && seen.console.push(message.text()));
  page.on("pageerror", error => seen.errors.push(String(error.stack ?? error)));
}

async function main() {
  const context = await chromium.launchPersistentContext(settings.profile, {
    executablePath: settings.program, headless: true, ...settings.context,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"],
  });
  const page = context.pages()[0] ?? await context.newPage();
  watch(page);
  process.stdout.write('{"value":"ready"}\n');
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { code, argument } = JSON.parse(line);
    let answer;
    try {
      const value = await new AsyncFunction("page", "context", "argument", "seen", code)(page, context, argument, seen);
      answer = { value: value ?? null };
    } catch (error) {
      answer = { error: String(error.stack ?? error) };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
  await context.close();
}

main().catch(error => {
  process.stdout.write(`${JSON.stringify({ error: String(error.stack ?? error) })}\n`);
  process.exit(1);
});
