"""SIGKILL at any moment, then the same command again: nobody paid twice, nobody forgotten."""

import os
import random
import signal
import subprocess
import time

import harness


class KillTest(harness.ChainCase):
    def random(self):
        seed = os.environ.get("BURSAR_TEST_SEED") or str(time.time_ns())
        print(f"BURSAR_TEST_SEED={seed}")
        return random.Random(seed)

    def test_300_payouts_survive_20_kills(self):
        chance = self.random()
        node = self.node()
        # Small batches, so that the work outlasts the kills.
        bursar = self.bursar(node, TREASURY_MAIN_MAX_IN_FLIGHT=8, EXECUTOR_BATCH_SIZE=5, EXECUTOR_POLL_INTERVAL_MS=20)
        payments = harness.rows("kill", 300)
        self.pay(bursar, payments)
        kills = 0
        while kills < 20:
            run = bursar.start("run")
            # Some die while starting, most while working.
            if chance.random() < 0.8:
                paid = node.nonce()
                harness.wait_until(lambda: node.nonce() > paid, 60, run.err, interval_s=0.005)
            self.assertLess(node.nonce(), 300, f"all was paid after {kills} kills")
            time.sleep(chance.uniform(0, 0.3))  # the moment is what varies here; nothing is waited for
            self.assertTrue(run.is_running, run.err())
            run.kill()
            kills += 1
        self.assert_exit(0, bursar.run_until_idle())
        self.assert_chain(node, once=payments)
        self.assertEqual(node.nonce(), 300)
        self.assertEqual(bursar.queue("finalized"), 300)
        self.assert_agrees(bursar)

    def test_killed_at_every_write_sync_and_send(self):
        node = self.node(block_time=0.1)
        # Not many looks while nothing changes: each would be one more death at the same point.
        bursar = self.bursar(node, EXECUTOR_POLL_INTERVAL_MS=100, TREASURY_MAIN_FINALITY=1)
        shim = self.directory / "kill_at.so"
        source = harness.ROOT / "tests/e2e/kill_at.c"
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", shim, source, "-ldl"], check=True)
        payments = []
        for kill_at in range(1, 1000):
            # Fresh work each time, besides what the last death left behind.
            row = harness.rows(f"point{kill_at}", 1)
            payments += row
            self.pay(bursar, row)
            result = bursar.run_until_idle(settings={"LD_PRELOAD": str(shim), "BURSAR_KILL_AT": str(kill_at)})
            if result.code == 0:  # it ended before its time came
                break
            self.assertEqual(result.code, -signal.SIGKILL, str(result))
        print(f"killed at {kill_at - 1} points")
        self.assertGreater(kill_at, 40, "the work has more steps than that")
        self.assert_exit(0, bursar.run_until_idle())
        self.assert_chain(node, once=payments)
        self.assertEqual(node.nonce(), len(payments))
        self.assert_agrees(bursar)

    def test_an_import_killed_midway_added_all_or_nothing(self):
        chance = self.random()
        node = self.node()
        bursar = self.bursar(node)
        payments = harness.rows("import", 20_000)
        (bursar.directory / "payments.csv").write_text(harness.csv_text(payments))
        for _ in range(8):
            pay = bursar.start("pay", "payments.csv")  # may also end in time
            time.sleep(chance.uniform(0, 0.6))
            pay.kill()
            self.assertIn(bursar.queue("queued"), (0, 20_000))
        again = self.assert_exit(0, bursar.pay(payments))
        self.assertEqual(again.json["added"] + again.json["existing"], 20_000)
        self.assertEqual(bursar.queue("queued"), 20_000)

    def test_importing_beside_a_running_executor_disturbs_neither(self):
        node = self.node()
        bursar = self.bursar(node)
        run = bursar.start("run")
        lists = [harness.rows(f"beside{n}", 20) for n in range(8)]
        for payments in lists:
            self.pay(bursar, payments)
        harness.wait_until(lambda: bursar.queue("finalized") == 160, 60, run.err)
        self.assertEqual(run.terminate()[0], 0)
        self.assert_chain(node, once=sum(lists, []))
        self.assert_agrees(bursar)
