#!/usr/bin/env python3
"""500 payments on a real local node while the program is killed over and over; ends with what the chain itself says.

usage: scripts/demo [--keep]      --keep: the node stays up afterwards, to look further
"""

import argparse
import os
import pathlib
import random
import shutil
import signal
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/e2e"))

import harness  # noqa: E402

FOLDER = ROOT / "build/demo"
PROGRAM = ROOT / "build/release/bursar"
PAYMENTS = 500
KILL_AT = range(50, PAYMENTS, 50)  # payments on the chain
GIVE_UP_S = 300


class Screen:
    """A live bar on a terminal, else a line now and then."""

    WIDTH = 40

    def __init__(self):
        self.is_live = sys.stdout.isatty()
        self.has_color = self.is_live and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        self._shown = (-1, -1)  # paid, kills
        self._is_bar_open = False

    def color(self, code, text):
        return f"\033[{code}m{text}\033[0m" if self.has_color else text

    def say(self, text=""):
        self.close_bar()
        print(text, flush=True)

    def bar(self, paid, kills):
        if (paid, kills) == self._shown:
            return
        if self.is_live:
            full = paid * self.WIDTH // PAYMENTS
            bar = self.color("32", "█" * full) + "░" * (self.WIDTH - full)
            print(f"\r  {bar} {paid:3} of {PAYMENTS} paid, killed {kills} times ", end="", flush=True)
            self._is_bar_open = True
        elif paid // 100 > self._shown[0] // 100:
            print(f"  {paid:3} of {PAYMENTS} paid, killed {kills} times", flush=True)
        self._shown = (paid, kills)

    def close_bar(self):
        if self._is_bar_open:
            print(flush=True)
            self._is_bar_open = False


def is_our_node(pid):
    try:
        where = [os.readlink(f"/proc/{pid}/{what}") for what in ("exe", "cwd")]
    except OSError:
        return False
    return where == [str(harness.ANVIL.resolve()), str(FOLDER / "node")]


def end_kept_node():
    """Ends the node that an earlier --keep left, and only that: same folder, same binary."""
    try:
        pid = int((FOLDER / "node.pid").read_text())
    except (OSError, ValueError):
        return
    if is_our_node(pid):
        os.kill(pid, signal.SIGTERM)
        harness.wait_until(lambda: not is_our_node(pid), 30, "the earlier demo's node to end")


def must(result):
    if result.code != 0:
        raise AssertionError(str(result))
    return result


def import_payments(screen, bursar, node):
    payments = [{"ref": f"salary-{n:03}", "destination": harness.destination(f"demo-{n}"),
                 "amount": f"0.{n + 1:03}", "memo": f"demo payment {n}"} for n in range(PAYMENTS)]
    must(bursar.init(node.url))
    # The demo should last long enough to be watched, and to be killed often: small steps.
    bursar.configure("treasury main", max_in_flight=32, finality=3)
    bursar.configure("executor", poll_interval_ms=100)
    result = must(bursar.pay(payments))
    total = sum(harness.wei(row["amount"]) for row in payments)
    screen.say(f"  {result.json['added']} payments imported from build/demo/payments.csv, "
               f"{total / harness.ETHER:.3f} ether in all")
    return payments


def pay_through_kills(screen, bursar, node):
    """Runs the executor, killing it each time another 50 are on the chain, and once more while it starts."""
    kills = 0
    deadline = time.monotonic() + GIVE_UP_S
    for goal in KILL_AT:
        run = bursar.start("run")
        while node.nonce() < goal:
            screen.bar(node.nonce(), kills)
            if not run.is_running:
                raise AssertionError(f"bursar run ended by itself, exit {run.process.returncode}:\n{run.err()[-3000:]}")
            if time.monotonic() > deadline:
                raise AssertionError(f"no progress:\n{run.err()[-3000:]}")
            time.sleep(0.02)
        time.sleep(random.uniform(0, 0.2))
        run.kill()
        kills += 1
        screen.bar(node.nonce(), kills)
    run = bursar.start("run", "--until-idle")
    while run.is_running:
        screen.bar(node.nonce(), kills)
        if time.monotonic() > deadline:
            raise AssertionError(f"no progress:\n{run.err()[-3000:]}")
        time.sleep(0.05)
    screen.bar(node.nonce(), kills)
    screen.close_bar()
    if run.process.returncode != 0:
        raise AssertionError(f"bursar run --until-idle: exit {run.process.returncode}\n{run.err()[-3000:]}")
    return kills


def report(screen, bursar, node, payments, kills, seconds):
    """The table, from the chain alone; True if it is perfect."""
    truth = harness.ChainTruth(node)
    verdict = truth.verdict(harness.expected(payments))
    strangers = set(truth.payments) - set(harness.expected(payments))
    reconcile = bursar.reconcile()
    agrees = reconcile.code == 0 and reconcile.json["ok"] is True
    lines = [("paid once", len(verdict["once"]), len(verdict["once"]) == PAYMENTS),
             ("paid twice", len(verdict["twice"]), not verdict["twice"]),
             ("unpaid", len(verdict["unpaid"]), not verdict["unpaid"]),
             ("paid wrongly", len(verdict["wrong"]) + len(strangers), not verdict["wrong"] and not strangers)]
    screen.say()
    screen.say("  read from the chain itself, block by block:")
    for label, number, is_right in lines:
        screen.say(f"    {label:26} " + screen.color("32" if is_right else "31", f"{number:6}"))
    screen.say(f"    {'SIGKILLs on the way':26} {kills:6}")
    screen.say(f"    {'seconds':26} {seconds:6.1f}")
    screen.say(f"    {'bursar reconcile':26} " + (screen.color("32", "agrees") if agrees
                                                    else screen.color("31", f"DISAGREES: {reconcile}")))
    return agrees and all(is_right for _, _, is_right in lines)


def look_further(screen, bursar, node, keep):
    program = os.path.relpath(PROGRAM, bursar.directory)
    screen.say()
    if keep:
        screen.say(f"  The node stays up (pid {node.process.pid}, {node.url}). Look further:")
        screen.say(f"    cd {bursar.directory}")
        for command in ("status", "list --limit 5", "show ref:salary-007", "reconcile"):
            screen.say(f"    {program} {command}")
        screen.say(f"  End it: kill {node.process.pid}")
    else:
        screen.say("  Look further, also with the node gone:")
        screen.say(f"    cd {bursar.directory}")
        for command in ("status", "list --limit 5", "show ref:salary-007"):
            screen.say(f"    {program} {command}")
        screen.say("  With the node kept up (then also: bursar reconcile): ./scripts/demo --keep")


def demo(screen, keep):
    end_kept_node()
    shutil.rmtree(FOLDER, ignore_errors=True)
    node = harness.Anvil(FOLDER / "node", block_time=0.5, outlives_us=keep)
    bursar = harness.Bursar(FOLDER, program=PROGRAM, settings={})
    is_perfect = False
    try:
        node.start()
        screen.say(f"Bursar demo: {PAYMENTS} payments on a real local Ethereum node, killed with SIGKILL on the way")
        payments = import_payments(screen, bursar, node)
        (FOLDER / "node.pid").write_text(f"{node.process.pid}\n")
        started = time.monotonic()
        kills = pay_through_kills(screen, bursar, node)
        is_perfect = report(screen, bursar, node, payments, kills, time.monotonic() - started)
        look_further(screen, bursar, node, keep and is_perfect)
    finally:
        screen.close_bar()
        bursar.end()
        if not (keep and is_perfect):
            node.kill()
    return 0 if is_perfect else 1


def main():
    parser = argparse.ArgumentParser(prog="scripts/demo",
                                     description="500 payments through kill -9, on a real local node")
    parser.add_argument("--keep", action="store_true", help="the node stays up afterwards, to look further")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    screen = Screen()
    try:
        return demo(screen, arguments.keep)
    except KeyboardInterrupt:
        screen.say("\n  stopped; nothing is left running")
        return 130
    except AssertionError as error:
        screen.say(f"\n  the demo failed: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
