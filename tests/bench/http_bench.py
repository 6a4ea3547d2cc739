"""The HTTP API of the release build, beside an executor at work. usage: python3 tests/bench/http_bench.py [--seconds N]

Measured on a real node (anvil) and on the disk that the repository is on, every fsync in place:
  idle RSS      of `bursar run`, after the key is unlocked, before and after it was asked something
  creates       disbursements a second, in batches, one batch after the other on one connection
  latency       of GET /v1/disbursements/ID, GET /v1/disbursements?limit=20 and POST of one, in turn, at a fixed rate;
                from when a request was due, so that waiting for the one before counts
"""

import argparse
import http.client
import json
import pathlib
import re
import shutil
import statistics
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))
import harness  # noqa: E402

WORK = ROOT / "build/http-bench-work"
RATE = 200
CONNECTIONS = 8
BATCH = 1000
CREATED = 20000


def memory_kib(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return {name: int(re.search(rf"^{name}:\s+(\d+) kB", text, re.M)[1])
            for name in ("VmRSS", "RssAnon", "RssFile", "VmHWM")}


class Client:
    def __init__(self, port, token):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = {"Authorization": f"Bearer {token}"}

    def ask(self, method, path, body=None):
        headers = dict(self.headers, **({"Content-Type": "application/json"} if body is not None else {}))
        self.connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status not in (200, 201):
            raise AssertionError(f"{method} {path}: {answer.status} {content[:300]}")
        return content


def measure_creates(client):
    started = time.monotonic()
    for first in range(0, CREATED, BATCH):
        payments = [dict(row, not_before="2100-01-01T00:00:00Z") for row in harness.rows(f"batch-{first}", BATCH)]
        client.ask("POST", "/v1/disbursements", {"disbursements": payments})
    return CREATED / (time.monotonic() - started)


def measure_latency(port, token, seconds):
    """(seconds of each request, how long all took)."""
    latencies, lock = [], threading.Lock()
    started = time.monotonic() + 0.1

    def work(number):
        client, mine = Client(port, token), []
        for n in range(number, RATE * seconds, CONNECTIONS):
            due = started + n / RATE
            time.sleep(max(0, due - time.monotonic()))
            if n % 10 == 0:
                client.ask("POST", "/v1/disbursements", harness.rows(f"single-{n}", 1)[0])
            elif n % 10 == 5:
                client.ask("GET", "/v1/disbursements?limit=20&order=desc")
            else:
                client.ask("GET", f"/v1/disbursements/{n % CREATED + 1}")
            mine.append((time.monotonic() - due, "POST" if n % 10 == 0 else "GET"))
        with lock:
            latencies.extend(mine)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(latencies), time.monotonic() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=20, help="how long requests are made at the fixed rate")
    seconds = parser.parse_args().seconds
    shutil.rmtree(WORK, ignore_errors=True)
    node = harness.Anvil(WORK / "node").start()
    port = harness.free_port()
    bursar = harness.Bursar(WORK / "bursar", program=ROOT / "build/release/bursar", settings=dict(
        harness.Bursar.FAST, BURSAR_HTTP_LISTEN=f"127.0.0.1:{port}", BURSAR_HTTP_REQUESTS_PER_S="100000"))
    try:
        result = bursar.init(node.url)
        assert result.code == 0, str(result)
        token = bursar.command("token", "create", "--name", "bench", "--scope", "pay").out.strip()
        run = bursar.start("run")
        harness.wait_until(lambda: "listening" in run.err(), 60, run.err)
        harness.wait_until(lambda: (bursar.status()["lease"] or {}).get("holder"), 60, run.err)
        time.sleep(2)
        idle = memory_kib(run.process.pid)
        creates = measure_creates(Client(port, token))
        paid_before = bursar.status()["queue"]["finalized"]
        latencies, took = measure_latency(port, token, seconds)
        singles = len(range(0, RATE * seconds, 10))
        harness.wait_until(lambda: bursar.status()["queue"]["finalized"] == paid_before + singles, 120, "all to be paid")
        time.sleep(2)
        after = memory_kib(run.process.pid)
        print(f"idle RSS after unlock        {idle['VmRSS'] / 1024:6.1f} MiB  (anonymous {idle['RssAnon'] / 1024:.1f}; aim: under 16)")
        print(f"RSS after all of this        {after['VmRSS'] / 1024:6.1f} MiB  (anonymous {after['RssAnon'] / 1024:.1f})")
        print(f"creates, batches of {BATCH}     {creates:6.0f} /s   (aim: 2000)")
        print(f"requests at {RATE}/s            {len(latencies) / took:6.1f} /s   for {seconds} s, {singles} of them payments, all paid")
        for what, kinds in (("all", ("GET", "POST")), ("GET", ("GET",)), ("POST", ("POST",))):
            part = [seconds for seconds, kind in latencies if kind in kinds]
            print(f"latency of {what:4} p50, p99, most {statistics.median(part) * 1e3:6.1f}, "
                  f"{part[len(part) * 99 // 100] * 1e3:.1f}, {part[-1] * 1e3:.1f} ms{'   (aim: p99 under 50)' * (what == 'all')}")
    finally:
        bursar.end()
        node.kill()
        shutil.rmtree(WORK, ignore_errors=True)


if __name__ == "__main__":
    main()
