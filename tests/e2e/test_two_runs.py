"""Several `bursar run` on one store, and how a run ends."""

import socket

import harness


class TwoRunsTest(harness.ChainCase):
    def test_the_second_waits_and_takes_over_at_once(self):
        node = self.node()
        # By the lease alone a take-over would take ten minutes: what hands over at once is the file lock.
        bursar = self.bursar(node, EXECUTOR_LEASE_TTL_MS=600_000, TREASURY_MAIN_MAX_IN_FLIGHT=8, EXECUTOR_BATCH_SIZE=5)
        payments = harness.rows("two", 150)
        self.pay(bursar, payments)
        first = bursar.start("run", settings={"BURSAR_EXECUTOR_IDENTITY": "first"})
        harness.wait_until(lambda: (bursar.status()["lease"] or {}).get("holder") == "first", 30, first.err)
        second = bursar.start("run", settings={"BURSAR_EXECUTOR_IDENTITY": "second"})
        harness.wait_until(lambda: node.nonce() >= 40, 60, first.err)
        held = bursar.status()["lease"]
        self.assertEqual(held["holder"], "first")
        self.assertTrue(second.is_running, second.err())
        first.kill()
        harness.wait_until(lambda: (bursar.status()["lease"] or {}).get("holder") == "second", 5, second.err)
        self.assertGreater(bursar.status()["lease"]["epoch"], held["epoch"])
        harness.wait_until(lambda: bursar.queue("finalized") == 150, 60, second.err)
        self.assertEqual(second.terminate()[0], 0)
        self.assertIsNone(bursar.status()["lease"])
        self.assert_chain(node, once=payments)
        self.assert_agrees(bursar)

    def test_many_at_once_pay_each_once(self):
        node = self.node()
        bursar = self.bursar(node, TREASURY_MAIN_MAX_IN_FLIGHT=10)
        payments = harness.rows("many", 100)
        self.pay(bursar, payments)
        runs = [bursar.start("run", "--until-idle") for _ in range(5)]
        harness.wait_until(lambda: node.nonce() >= 30, 60, runs[0].err)
        for run in runs[:2]:
            run.kill()
        for run in runs[2:]:
            self.assertEqual(run.wait(), 0, run.err())
        self.assert_chain(node, once=payments)
        self.assert_agrees(bursar)

    def test_sigterm_ends_a_working_run_within_two_seconds(self):
        node = self.node()
        bursar = self.bursar(node, TREASURY_MAIN_MAX_IN_FLIGHT=8)
        payments = harness.rows("term", 150)
        self.pay(bursar, payments)
        run = bursar.start("run")
        harness.wait_until(lambda: node.nonce() >= 20, 60, run.err)
        code, took_s = run.terminate()
        self.assertEqual(code, 0, run.err())
        self.assertLess(took_s, 2)
        self.assertIsNone(bursar.status()["lease"])
        self.assert_exit(0, bursar.run_until_idle())
        self.assert_chain(node, once=payments)
        self.assert_agrees(bursar)

    def test_sigterm_ends_an_idle_run_and_a_standby(self):
        node = self.node()
        bursar = self.bursar(node, EXECUTOR_POLL_INTERVAL_MS=60_000)
        idle = bursar.start("run")
        harness.wait_until(lambda: bursar.status()["lease"], 30, idle.err)
        standby = bursar.start("run")
        harness.wait_until(lambda: standby.err(), 30, "the standby to say that it waits")
        for run in (standby, idle):
            code, took_s = run.terminate()
            self.assertEqual(code, 0, run.err())
            self.assertLess(took_s, 2)
        self.assertIsNone(bursar.status()["lease"])

    def test_sigterm_ends_a_run_that_hangs_on_its_node(self):
        node = self.node()
        bursar = self.bursar(node)
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen(8)
            silent.settimeout(60)
            url = f"http://127.0.0.1:{silent.getsockname()[1]}"
            run = bursar.start("run", settings={"BURSAR_TREASURY_MAIN_RPC": url})
            held, _ = silent.accept()
            held.settimeout(60)
            self.assertTrue(held.recv(1))  # it has asked, and nobody will answer
            code, took_s = run.terminate()
            held.close()
        self.assertEqual(code, 0, run.err())
        self.assertLess(took_s, 2)

    def test_until_idle_with_nothing_to_do_is_exit_0(self):
        bursar = self.bursar(self.node())
        self.assert_exit(0, bursar.run_until_idle())
