"""End to end, beside the node's ceiling in the same run. Run it with scripts/bench, which builds what it needs.

A pair is two runs on a fresh node each (anvil, 0.2 s blocks): `feed_node` handing over signed bytes as fast as the node
takes them, and `bursar run` paying as many rows from one account, with every fsync in place. Both are seen by the same
observer, which measures from the first transaction that the node knows to the block with the last one. What the
machine does besides strikes both: the ratio of a pair says more than either figure.

CPU is the program's own (user + system, from the kernel's accounting), from just before the rows are imported: until
the last payment is included, and until all are final, receipts read. Its key derivation at the start is left out.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))
import harness  # noqa: E402

TOOLS = ROOT / "build/release/tests/bench"
WORK = ROOT / "build/bench-work"  # on the disk that the repository is on: an fsync must cost what it costs
RESULT = ROOT / "build/bench.json"

# The fastest way to feed anvil that was found: more connections or larger numbers in flight bring nothing.
CEILING = {"connections": 2, "batch": 100, "in_flight": 4000}
SETTINGS = {"BURSAR_TREASURY_MAIN_MAX_IN_FLIGHT": "4000", "BURSAR_EXECUTOR_BATCH_SIZE": "1000",
            "BURSAR_EXECUTOR_POLL_INTERVAL_MS": "10"}
AIMS = {"ratio": 0.8, "cpu_us": 100, "rss_mib": 16, "breaker_ns": 5}
FINALITY_BLOCKS = 70  # anvil's `finalized` is 64 behind
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def progress(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def cpu_seconds(pid):
    """(user, system, both): the last one is exact, the kernel counts the split in ticks."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    exact = sum(int(task.joinpath("schedstat").read_text().split()[0])
                for task in pathlib.Path(f"/proc/{pid}/task").iterdir())
    return int(fields[11]) / TICKS_A_SECOND, int(fields[12]) / TICKS_A_SECOND, exact / 1e9


def memory_kib(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return {name: int(re.search(rf"^{name}:\s+(\d+) kB", text, re.M)[1]) for name in ("VmRSS", "VmHWM")}


def us_each(after, before, rows):
    user, system, exact = (a - b for a, b in zip(after, before))
    share = user / (user + system) if user + system else 1.0
    return {"user": round(exact * share * 1e6 / rows, 1), "system": round(exact * (1 - share) * 1e6 / rows, 1),
            "both": round(exact * 1e6 / rows, 1)}


class Watch:
    """The observer, looking on while somebody pays."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([TOOLS / "feed_node", *map(str, arguments)], stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if line != "looking on\n":
            raise AssertionError(f"feed_node did not start: {line}")

    def result(self):
        out, _ = self.process.communicate()
        if self.process.returncode != 0:
            raise AssertionError(f"feed_node ended with {self.process.returncode}")
        return json.loads(out)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Place:
    """A fresh node, and whatever is started with it; all gone afterwards."""

    def __enter__(self):
        shutil.rmtree(WORK, ignore_errors=True)
        self.node = harness.Anvil(WORK / "node")
        self.to_end = [self.node.kill]
        self.node.start()
        return self

    def __exit__(self, *_):
        for end in reversed(self.to_end):
            end()
        shutil.rmtree(WORK, ignore_errors=True)

    def watch(self, *arguments):
        watch = Watch(*arguments)
        self.to_end.append(watch.end)
        return watch

    def node_us_each(self, rows):
        return round(cpu_seconds(self.node.process.pid)[2] * 1e6 / rows, 1)


def measure_ceiling(rows):
    with Place() as place:
        result = place.watch("feed", place.node.url, harness.KEYSTORE, harness.PASSWORD, rows, CEILING["connections"],
                             CEILING["batch"], CEILING["in_flight"]).result()
        return dict(result, node_cpu_us=place.node_us_each(rows))


def check_paid(place, bursar, payments):
    """Every row once: by the balances, which nobody else touches."""
    wanted = harness.expected(payments)
    addresses = list(wanted)
    for start in range(0, len(addresses), 500):
        part = addresses[start:start + 500]
        balances = place.node.batch([("eth_getBalance", a, "latest") for a in part])
        wrong = [a for a, balance in zip(part, balances) if int(balance, 16) != wanted[a]]
        if wrong:
            raise AssertionError(f"{len(wrong)} rows were not paid exactly once: {wrong[:3]}")


def measure_bursar(rows):
    with Place() as place:
        bursar = harness.Bursar(WORK / "bursar", program=ROOT / "build/release/bursar", settings=SETTINGS)
        place.to_end.append(bursar.end)
        harness_result(bursar.init(place.node.url))
        run = bursar.start("run")
        harness.wait_until(lambda: "holds the lease" in run.err(), harness.HANG_S, "the lease")
        harness.wait_until(lambda: bursar.status()["balance"] is not None, harness.HANG_S, "a first tick")
        pid = run.process.pid
        unlocked, payments = memory_kib(pid), harness.rows("bench", rows)
        watch = place.watch("watch", place.node.url, harness.TREASURY, rows)
        before, started = cpu_seconds(pid), time.monotonic()
        harness_result(bursar.pay(payments))
        import_s = time.monotonic() - started
        result = watch.result()
        included, node_us = cpu_seconds(pid), place.node_us_each(rows)
        place.node.mine(FINALITY_BLOCKS)
        harness.wait_until(lambda: bursar.queue("finalized") == rows, harness.HANG_S, "all to be final", 0.1)
        final, end = cpu_seconds(pid), memory_kib(pid)
        check_paid(place, bursar, payments)
        code, _ = run.terminate()
        if code != 0:
            raise AssertionError(f"bursar run: exit {code}\n{run.err()[-2000:]}")
        return dict(result, import_file_s=round(import_s, 3), node_cpu_us=node_us,
                    cpu_us_included=us_each(included, before, rows), cpu_us_final=us_each(final, before, rows),
                    rss_unlocked_kib=unlocked["VmRSS"], peak_unlocked_kib=unlocked["VmHWM"],
                    rss_end_kib=end["VmRSS"], peak_end_kib=end["VmHWM"])


def harness_result(result):
    if result.code != 0:
        raise AssertionError(str(result))
    return result


def measure_import():
    WORK.mkdir(parents=True, exist_ok=True)
    try:
        done = subprocess.run([TOOLS / "import_rate", "200000", WORK], capture_output=True, text=True, check=True)
    finally:
        shutil.rmtree(WORK, ignore_errors=True)
    return int(re.search(r"(\d+) rows/s", done.stdout)[1])


def measure_breaker():
    """{what: nanoseconds}."""
    done = subprocess.run([TOOLS / "breaker_ns"], capture_output=True, text=True, check=True)
    return {name: float(ns) for name, ns in (line.split() for line in done.stdout.splitlines())}


def measure_pairs(count, rows):
    pairs = []
    for n in range(count):
        progress(f"pair {n + 1} of {count}, {rows} payouts: load average {os.getloadavg()[0]:.2f}")
        # Alternately first, so that neither has always the warmer machine.
        if n % 2 == 0:
            ceiling = measure_ceiling(rows)
            bursar = measure_bursar(rows)
        else:
            bursar = measure_bursar(rows)
            ceiling = measure_ceiling(rows)
        ratio = round(bursar["per_s"] / ceiling["per_s"], 3)
        progress(f"  ceiling {ceiling['per_s']}/s, bursar {bursar['per_s']}/s, ratio {ratio}")
        pairs.append({"ceiling": ceiling, "bursar": bursar, "ratio": ratio})
    return pairs


def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def summarize(pairs):
    bursar = [pair["bursar"] for pair in pairs]
    return {"ceiling_per_s": spread([pair["ceiling"]["per_s"] for pair in pairs]),
            "bursar_per_s": spread([b["per_s"] for b in bursar]),
            "ratio": spread([pair["ratio"] for pair in pairs]),
            "cpu_us_included": spread([b["cpu_us_included"]["both"] for b in bursar]),
            "cpu_us_final": spread([b["cpu_us_final"]["both"] for b in bursar]),
            "cpu_us_final_user": spread([b["cpu_us_final"]["user"] for b in bursar]),
            "cpu_us_final_system": spread([b["cpu_us_final"]["system"] for b in bursar]),
            "rss_unlocked_mib": spread([round(b["rss_unlocked_kib"] / 1024, 1) for b in bursar]),
            "rss_end_mib": spread([round(b["rss_end_kib"] / 1024, 1) for b in bursar]),
            "peak_mib": spread([round(b["peak_end_kib"] / 1024, 1) for b in bursar])}


def table(summary, import_rate, breaker):
    lines = [("", "median", "min", "max", "aim")]

    def add(label, key, aim=""):
        values = summary[key]
        lines.append((label, *(f"{values[k]:g}" for k in ("median", "min", "max")), aim))
    add("node's ceiling, payouts/s included", "ceiling_per_s")
    add("bursar, payouts/s included", "bursar_per_s")
    add("ratio", "ratio", f">= {AIMS['ratio']}")
    add("CPU a payout until included, us", "cpu_us_included")
    add("CPU a payout until final, us", "cpu_us_final", f"<= {AIMS['cpu_us']}")
    add("  of it user", "cpu_us_final_user")
    add("  of it system", "cpu_us_final_system")
    add("RSS after unlock, MiB", "rss_unlocked_mib", f"< {AIMS['rss_mib']}")
    add("RSS when all are final, MiB", "rss_end_mib")
    add("peak since the start (scrypt too), MiB", "peak_mib")
    lines.append(("rows imported/s, one transaction", f"{import_rate}", "", "", ""))
    for what, value in breaker.items():
        lines.append((f"breaker, {what}, ns", f"{value:g}", "", "", f"<= {AIMS['breaker_ns']}" if "pair" in what else ""))
    return "\n".join(f"{label:40} {median:>9} {low:>9} {high:>9}  {aim}".rstrip()
                     for label, median, low, high, aim in lines)


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench", description="end to end beside the node's ceiling")
    parser.add_argument("--rows", type=int, default=5000, help="payouts in each run (5000; 0.2 s a block is the grain)")
    parser.add_argument("--pairs", type=int, default=3, help="runs of each, alternating (3)")
    arguments = parser.parse_args()
    if arguments.rows < 1 or arguments.pairs < 1:
        parser.error("--rows and --pairs must be at least 1")
    load_before = os.getloadavg()
    import_rate = measure_import()
    pairs = measure_pairs(arguments.pairs, arguments.rows)
    breaker = measure_breaker()
    summary = summarize(pairs)
    RESULT.write_text(json.dumps({"rows": arguments.rows, "cpus": os.cpu_count(), "load_average_before": load_before,
                                  "node": "anvil, 0.2 s blocks", "ceiling": CEILING, "settings": SETTINGS,
                                  "aims": AIMS, "summary": summary, "import_rows_per_s": import_rate,
                                  "breaker": breaker, "pairs": pairs}, indent=2) + "\n")
    print(table(summary, import_rate, breaker))
    print(f"\n{arguments.rows} payouts a run, {arguments.pairs} pairs, {os.cpu_count()} CPUs, load average before "
          f"{load_before[0]:.2f}; all of it: {RESULT.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except AssertionError as error:
        progress(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
