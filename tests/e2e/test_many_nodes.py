"""Several rpc URLs: one is dead, one is behind a bad network, one lags, one lies. What counts is the chain: everybody paid
exactly once; and that the node at fault is named."""

import os
import time

import harness
from faulty_proxy import FaultyProxy

NOBODY = "http://127.0.0.1:1"  # nothing listens there


class ManyNodesTest(harness.ChainCase):
    def setUp(self):
        super().setUp()
        self.seed = os.environ.get("BURSAR_TEST_SEED") or str(time.time_ns())
        print(f"BURSAR_TEST_SEED={self.seed}")
        self.node_ = self.node(block_time=0.1)
        self.program = self.bursar(
            self.node_, EXECUTOR_POLL_INTERVAL_MS=20, EXECUTOR_RPC_TIMEOUT_MS=500, EXECUTOR_BATCH_SIZE=5,
            TREASURY_MAIN_MAX_IN_FLIGHT=8, TREASURY_MAIN_FINALITY=4)
        self.payments = []

    # -- what all tests do ---------------------------------------------------------------------------------------------

    def proxy(self, node=None):
        """Another way to the node: to the program, another node."""
        made = FaultyProxy((node or self.node_).port, self.seed)
        self.addCleanup(made.close)
        return made

    def use(self, *urls, quorum=None):
        keys = {"rpc": " ".join(getattr(u, "url", u) for u in urls)}
        if quorum:
            keys["quorum"] = quorum
        self.program.configure("treasury main", **keys)

    def pay_more(self, count):
        rows = harness.rows(f"many{len(self.payments)}", count)
        self.pay(self.program, rows)
        self.payments += rows

    def states(self):
        return [node["state"] for node in self.program.status()["nodes"]]

    def wait_executed(self, run, count):
        def done():
            self.assertTrue(run.is_running or run.wait() == 0, run.err())
            queue = self.program.status(settings={"BURSAR_TREASURY_MAIN_RPC": self.node_.url,
                                                  "BURSAR_TREASURY_MAIN_QUORUM": ""})["queue"]
            return queue.get("executed", 0) + queue.get("finalized", 0) >= count
        harness.wait_until(done, 60, run.err)

    def run_to_the_end(self):
        self.assert_exit(0, self.program.run_until_idle())

    def assert_all_well(self):
        self.assert_chain(self.node_, once=self.payments)
        self.assertEqual(self.program.queue("finalized"), len(self.payments))
        self.use(self.node_, quorum=1)
        self.assert_agrees(self.program)

    # -- dead ones -----------------------------------------------------------------------------------------------------

    def test_a_preferred_node_that_is_dead_costs_nothing(self):
        self.use(NOBODY, self.node_)
        self.pay_more(40)
        self.run_to_the_end()
        nodes = self.program.status()["nodes"]
        self.assertEqual([n["state"] for n in nodes], ["failing", "ok"])
        self.assertEqual(nodes[0]["url"], NOBODY)
        self.assertIn("onnect", nodes[0]["last_error"])
        self.assertIsNone(nodes[1]["last_error"])
        self.assertGreater(nodes[1]["latest_block"], 0)
        self.assert_all_well()

    def test_a_preferred_node_that_dies_midway_and_comes_back(self):
        first, second = self.proxy(), self.proxy()
        self.use(first, second)
        self.pay_more(60)
        run = self.program.start("run", "--until-idle")
        self.wait_executed(run, 10)
        first.refuse()
        self.wait_executed(run, 30)
        first.listen()
        second.refuse()
        self.assertEqual(run.wait(), 0, run.err())
        self.assertIn("fails", run.err())
        second.listen()
        self.assert_all_well()

    def test_two_of_two_wait_for_a_dead_one_and_go_on_when_it_is_back(self):
        second = self.proxy()
        self.use(self.node_, second, quorum=2)
        self.pay_more(60)
        run = self.program.start("run", "--until-idle")
        self.wait_executed(run, 10)
        second.refuse()
        harness.wait_until(lambda: "2 nodes must agree" in (self.program.status()["last_error"] or ""), 60, run.err)
        nonce = self.node_.nonce()
        head = self.node_.block_number()
        harness.wait_until(lambda: self.node_.block_number() > head + 10, 60, "blocks")
        self.assertLessEqual(self.node_.nonce(), nonce + 8, "more was bound than was in flight")
        self.assertTrue(run.is_running)
        self.assertEqual(self.program.status()["breaker"]["state"], "closed")
        second.listen()
        self.assertEqual(run.wait(), 0, run.err())
        self.assert_all_well()

    # -- a bad network -------------------------------------------------------------------------------------------------

    def test_a_node_behind_a_bad_network_among_good_ones(self):
        bad = self.proxy()
        for fault in ("drop", "cut", "late", "truncated", "wrong_ids", "nulls", "errors", "garbage", "http_503", "html"):
            bad.inflict(fault, probability=0.1)
        self.use(bad, self.proxy(), self.node_)  # two must agree
        self.pay_more(60)
        self.run_to_the_end()
        self.assertGreater(bad.count(), 0)
        self.assertEqual(self.program.status()["breaker"]["state"], "closed")
        bad.heal()
        bad.settle()
        self.assert_all_well()

    def pair(self, quorum):
        """Two nodes, the preferred one behind a bad network."""
        bad = self.proxy()
        for fault in ("drop", "cut", "truncated", "wrong_ids", "nulls", "errors", "garbage", "http_503"):
            bad.inflict(fault, probability=0.04)
        self.use(bad, self.node_, quorum=quorum)
        self.program.configure("breaker", failure_threshold=1000)
        self.pay_more(40)
        self.run_to_the_end()
        self.assertGreater(bad.count(), 0)
        bad.heal()
        bad.settle()
        self.assert_all_well()

    def test_two_nodes_one_behind_a_bad_network_of_which_one_is_enough(self):
        self.pair(quorum=1)

    def test_two_nodes_one_behind_a_bad_network_that_must_agree(self):
        self.pair(quorum=2)

    def test_all_of_them_behind_bad_networks(self):
        proxies = [self.proxy() for _ in range(3)]
        for proxy in proxies:
            for fault in ("drop", "cut", "truncated", "wrong_ids", "nulls", "errors", "http_503"):
                proxy.inflict(fault, probability=0.03)
        self.use(*proxies)
        self.program.configure("breaker", failure_threshold=1000)
        self.pay_more(40)
        self.run_to_the_end()
        for proxy in proxies:
            proxy.heal()
            proxy.settle()
        self.assert_all_well()

    def test_what_one_node_never_gets_another_does(self):
        deaf = self.proxy()
        deaf.inflict("drop", on="sends")
        self.use(deaf, self.node_)
        self.pay_more(30)
        self.run_to_the_end()
        self.assertGreater(deaf.count("drop", "sends"), 0)
        self.assertEqual(self.program.status()["breaker"]["failures"], 0)
        self.assert_all_well()

    def test_a_node_that_wants_to_be_left_alone_is_left_alone(self):
        busy = self.proxy()
        busy.inflict("busy")
        self.use(busy, self.node_)
        self.pay_more(40)
        self.run_to_the_end()
        self.assertLessEqual(busy.count("busy"), 2)  # of one look
        self.assertEqual(self.states(), ["resting", "ok"])
        self.assert_all_well()

    # -- one that lags -------------------------------------------------------------------------------------------------

    def test_a_preferred_node_that_lags_is_set_aside_until_it_has_caught_up(self):
        self.node_.mine(60)
        slow = self.proxy()
        slow.inflict("far_behind")
        self.use(slow, self.node_)
        self.pay_more(40)
        self.assert_exit(0, self.program.run_until_idle())
        nodes = self.program.status()["nodes"]
        self.assertEqual([n["state"] for n in nodes], ["lagging", "ok"])
        self.assertIn("the others are at", nodes[0]["last_error"])
        slow.heal()
        self.assertEqual(self.states(), ["ok", "ok"])
        self.assert_all_well()

    def test_a_node_that_falls_behind_while_we_pay(self):
        self.node_.mine(60)
        slow = self.proxy()
        self.use(slow, self.proxy(), self.node_)
        self.pay_more(60)
        run = self.program.start("run", "--until-idle")
        self.wait_executed(run, 10)
        slow.inflict("far_behind")
        self.assertEqual(run.wait(), 0, run.err())
        self.assertIn(f"node {slow.url} is set aside: it is at block", run.err())
        self.assert_all_well()

    def other_chain(self):
        """Same chain id, another genesis block: two nodes that are born in the same second would share it."""
        return self.node(block_time=0.1, flags=["--timestamp", "1700000000"])

    # -- ones that lie -------------------------------------------------------------------------------------------------

    def test_a_preferred_node_on_another_chain_is_named_and_gets_nothing(self):
        liar = self.other_chain()
        self.use(liar, self.node_)
        self.pay_more(40)
        run = self.program.start("run", "--until-idle")
        self.assertEqual(run.wait(), 0, run.err())
        self.assertIn(f"node {liar.url} is set aside: it has another genesis block", run.err())
        status = self.program.status()
        self.assertIsNone(status["halt"])
        self.assertEqual([n["state"] for n in status["nodes"]], ["lying", "ok"])
        self.assert_chain(liar, unpaid=self.payments)
        self.assert_all_well()

    def test_where_all_nodes_are_on_another_chain_it_halts(self):
        self.use(self.other_chain(), self.other_chain())
        self.pay_more(3)
        self.assert_exit(6, self.program.run_until_idle())
        self.assertEqual(self.program.status()["halt"]["code"], "genesis_mismatch")
        self.assert_chain(self.node_, unpaid=self.payments)

    def lies_are_outvoted(self, *faults):
        liar = self.proxy()
        for fault in faults:
            liar.inflict(fault)
        self.use(liar, self.proxy(), self.node_)
        self.pay_more(40)
        run = self.program.start("run", "--until-idle")
        self.assertEqual(run.wait(), 0, run.err())
        self.assertGreater(liar.count(), 0)
        self.assertEqual(self.program.queue("failed"), 0)
        self.assert_all_well()
        return liar, run

    def test_a_node_that_calls_payments_failed_is_outvoted(self):
        liar, run = self.lies_are_outvoted("calls_success_failure")
        self.assertIn(f"node {liar.url} is set aside: it contradicts the others about receipts", run.err())

    def test_a_node_that_hides_our_transactions_is_outvoted(self):
        liar, run = self.lies_are_outvoted("hides_transactions")
        self.assertIn(f"node {liar.url} is set aside: it contradicts the others about blocks", run.err())

    def test_a_node_without_receipts_is_outvoted(self):
        self.lies_are_outvoted("knows_no_receipts")

    def test_two_nodes_that_contradict_each_other_decide_nothing(self):
        liar = self.proxy()
        liar.inflict("calls_success_failure")
        self.use(self.node_, liar, quorum=2)
        self.pay_more(10)
        run = self.program.start("run", "--until-idle")
        harness.wait_until(lambda: "agree about receipts" in (self.program.status()["last_error"] or ""), 60, run.err)
        harness.wait_until(lambda: self.program.queue("executed") == 10, 60, run.err)
        self.assertEqual(self.program.queue("failed"), 0)
        self.assertTrue(run.is_running)
        liar.heal()
        self.assertEqual(run.wait(), 0, run.err())
        self.assert_all_well()

    # -- what people see -----------------------------------------------------------------------------------------------

    def test_a_quorum_of_more_nodes_than_there_are_is_refused(self):
        self.use(self.node_, NOBODY, quorum=3)
        result = self.assert_exit(3, self.program.run_until_idle())
        self.assertRegex(result.err, r"bursar\.conf:[0-9]+: \[treasury main\] quorum: '3' is not allowed: must be 1-2")

    def test_status_shows_no_secrets_of_a_url(self):
        self.use(f"http://user:s3cret@127.0.0.1:{self.node_.port}/?token=t0ken",
                 f"http://127.0.0.1:{self.node_.port}/?token=k3y")
        result = self.program.command("status", "--json")
        urls = [node["url"] for node in result.json["nodes"]]
        self.assertEqual(urls, [self.node_.url, f"{self.node_.url} (URL 2)"])
        plain = self.program.command("status")
        self.assertIn("(URL 2) ok", plain.out)
        for secret in ("s3cret", "k3y", "t0ken"):
            self.assertNotIn(secret, result.out + result.err + plain.out + plain.err)
